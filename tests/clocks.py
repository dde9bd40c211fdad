"""A clock on the wall for tests."""

import trio


class Clock:
    """The clock on the wall, which can be set; else it goes as trio's does."""

    def __init__(self) -> None:
        self.set_to(1_700_000_000.0)

    def set_to(self, now: float) -> None:
        self._now, self._since = now, None

    def __call__(self) -> float:
        try:
            passed = trio.current_time()
        except RuntimeError:  # no task of trio: the writer's thread
            return self._now
        if self._since is None:
            self._since = passed
        self._now += passed - self._since
        self._since = passed
        return self._now

    _since: float | None
