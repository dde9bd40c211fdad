"""What has become of what we said, for front ends that wait for it and count it."""

from collections.abc import Callable

import trio

from trio_chat.protocols.client import Acknowledged, Failed, Linked, Message, Sent, Unlinked

# Texts of which it is not known what has become. Then the input waits.
_OPEN_MAX = 1000

# Of texts that have failed, so many can be sent again; the session keeps as many.
_FAILED_MAX = 1000

# At the end of the input: how long nothing may become of what was said, before that is given up. A
# server that wants two seconds for each message is not slow.
_PATIENCE = 60.0  # seconds


class Delivery:
    """Note each message, and begin each text that is handed on: a session tells of it (Sent) only
    when it gets to it. ``linked`` is whether there is a connection, ``been_in`` whether there has
    been one. ``open`` are the tokens of texts of which it is not known what has become.
    """

    def __init__(self) -> None:
        self.linked = self.been_in = False
        self.open: set[str] = set()
        self._failed: dict[str, None] = {}  # tokens of those that can be sent again
        self._forgotten = 0  # of those that have failed
        self._news = trio.Event()  # since it was looked at the last time

    @property
    def unsaid(self) -> int:
        """How many texts have failed, and have not arrived since."""
        return len(self._failed) + self._forgotten

    @property
    def full(self) -> bool:
        """Whether so much is open that the input has to wait."""
        return len(self.open) >= _OPEN_MAX

    def has_failed(self, token: str) -> bool:
        """Whether there is such a text, which can be sent again."""
        return token in self._failed

    def begin(self, token: str) -> None:
        """This text is handed on."""
        self.open.add(token)

    def note(self, message: Message) -> None:
        match message:
            case Linked():
                self.linked = self.been_in = True
            case Unlinked():
                self.linked = False
            case Sent(token):
                self.open.add(token)
                self._failed.pop(token, None)
            case Acknowledged(token):
                self.open.discard(token)
                self._failed.pop(token, None)
            case Failed(token):
                self.open.discard(token)
                self._failed[token] = None
                if len(self._failed) > _FAILED_MAX:
                    del self._failed[next(iter(self._failed))]
                    self._forgotten += 1
        self._news.set()
        self._news = trio.Event()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until that is so, as messages are noted."""
        while not is_so():
            await self._news.wait()

    async def until_known(self) -> None:
        """Until it is known what has become of all that was said, or not likely any more."""
        await self.until(lambda: self.been_in)
        while left := len(self.open):
            with trio.move_on_after(_PATIENCE) as patience:
                while len(self.open) >= left:
                    await self._news.wait()
            if patience.cancelled_caught and self.linked:
                return
