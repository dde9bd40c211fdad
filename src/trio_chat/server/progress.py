"""How far the log has been shown to everybody whom it concerns."""

import trio

from trio_chat.storage.base import START


class Progress:
    def __init__(self) -> None:
        self.last_shown = START
        self._shown = trio.Event()  # a new one for each batch
        self._has_ended = False

    def shown(self, id: str) -> None:
        """The broadcaster has shown everything up to this id: those who wait for it go on."""
        self.last_shown = max(id, self.last_shown)
        waiting, self._shown = self._shown, trio.Event()
        waiting.set()

    def end(self) -> None:
        """Nothing is shown any more: those who wait for it get ``trio.BrokenResourceError``."""
        self._has_ended = True
        self._shown.set()

    def is_shown(self, id: str) -> bool:
        return id <= self.last_shown

    async def until_shown(self, id: str) -> None:
        """Wait until everything up to this id has been shown."""
        while self.last_shown < id:
            if self._has_ended:
                raise trio.BrokenResourceError("nothing is shown any more")
            await self._shown.wait()
