"""What is under way that concerns somebody, for those who have to wait until it is over."""

from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Pending:
    """Things that are under way, by whom they concern."""

    def __init__(self) -> None:
        self._of: dict[str, list[trio.Event]] = {}

    @contextmanager
    def under_way(self, *who: str) -> Iterator[None]:
        """Count something as under way for these as long as the context lasts."""
        over = trio.Event()
        for one in who:
            self._of.setdefault(one, []).append(over)
        try:
            yield
        finally:
            for one in who:
                self._of[one].remove(over)
                if not self._of[one]:
                    del self._of[one]
            over.set()

    def concerns(self, *who: str) -> bool:
        """Whether something is under way for one of these."""
        return any(one in self._of for one in who)

    async def until_over(self, *who: str) -> None:
        """Wait until all that is under way for these now is over."""
        for over in [over for one in who for over in self._of.get(one, ())]:
            await over.wait()
