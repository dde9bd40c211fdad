"""The progress of the broadcaster: how far the log has been shown to everybody concerned."""

import trio

from trio_chat.storage.base import START


class Progress:
    """The id up to which everything has been shown, and those who wait for it to rise."""

    def __init__(self) -> None:
        self.last_shown = START
        self._shown = trio.Event()  # a new one for each batch
        self._has_ended = False

    def shown(self, id: str) -> None:
        """Note that everything up to this id has been shown; those who wait for it go on."""
        self.last_shown = max(id, self.last_shown)
        waiting, self._shown = self._shown, trio.Event()
        waiting.set()

    def end(self) -> None:
        """Note that nothing is shown any more; those who wait get ``trio.BrokenResourceError``."""
        self._has_ended = True
        self._shown.set()

    def is_shown(self, id: str) -> bool:
        """Whether everything up to this id has been shown."""
        return id <= self.last_shown

    async def until_more(self) -> None:
        """Wait until more has been shown. Raises trio.BrokenResourceError if nothing ever is."""
        if self._has_ended:
            raise trio.BrokenResourceError("nothing is shown any more")
        await self._shown.wait()

    async def until_shown(self, id: str) -> None:
        """Wait until everything up to this id has been shown; at once for START.

        Raises trio.BrokenResourceError if that will never be.
        """
        while self.last_shown < id:
            if self._has_ended:
                raise trio.BrokenResourceError("nothing is shown any more")
            await self._shown.wait()
