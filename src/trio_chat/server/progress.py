"""The progress of the broadcaster: how far the log has been shown to everybody concerned."""

import heapq
import itertools

import trio

from trio_chat.storage.base import START


class Progress:
    """The id up to which everything has been shown, and those who wait for it to rise."""

    def __init__(self) -> None:
        self.last_shown = START
        self._more = trio.Event()  # a new one for each batch
        # Those who wait for an id, in a heap, so that a batch wakes nobody in vain: when a crowd
        # comes, a thousand wait. Their numbers keep events from being compared.
        self._waiting: list[tuple[str, int, trio.Event]] = []
        self._numbers = itertools.count()
        self._has_ended = False

    def shown(self, id: str) -> None:
        """Note that everything up to this id has been shown; those who wait for it go on."""
        self.last_shown = max(id, self.last_shown)
        while self._waiting and self._waiting[0][0] <= self.last_shown:
            heapq.heappop(self._waiting)[-1].set()
        more, self._more = self._more, trio.Event()
        more.set()

    def end(self) -> None:
        """Note that nothing is shown any more; those who wait get ``trio.BrokenResourceError``."""
        self._has_ended = True
        for _, _, shown in self._waiting:
            shown.set()
        self._more.set()

    def is_shown(self, id: str) -> bool:
        """Whether everything up to this id has been shown."""
        return id <= self.last_shown

    async def until_more(self) -> None:
        """Wait until more has been shown. Raises trio.BrokenResourceError if nothing ever is."""
        if self._has_ended:
            raise trio.BrokenResourceError("nothing is shown any more")
        await self._more.wait()

    async def until_shown(self, id: str) -> None:
        """Wait until everything up to this id has been shown; at once for START.

        Raises trio.BrokenResourceError if that will never be.
        """
        if self.last_shown < id and not self._has_ended:
            shown = trio.Event()
            heapq.heappush(self._waiting, (id, next(self._numbers), shown))
            await shown.wait()
        if self.last_shown < id:
            raise trio.BrokenResourceError("nothing is shown any more")
