"""The outcome of our texts, for front ends that wait for it and count it."""

from collections.abc import Callable

import trio

from trio_chat.protocols.client import Acknowledged, Failed, Linked, Message, Sent, Unlinked
from trio_chat.protocols.resume_state import FAILED_MAX

# Texts whose outcome is open. Beyond that the input waits.
_OPEN_MAX = 1000

# At the end of the input: how long to wait for the next outcome. A server may want two seconds for
# each message.
_PATIENCE = 60.0  # seconds


class Delivery:
    """Note each message, and begin each text that is handed on, since Sent comes only when the
    session gets to it. ``linked`` is whether there is a connection, ``been_in`` whether there ever
    was one. ``open`` holds the tokens of texts whose outcome is open.
    """

    def __init__(self) -> None:
        self.linked = self.been_in = False
        self.open: set[str] = set()
        self._failed: dict[str, None] = {}  # tokens of texts that can be resent
        self._forgotten = 0  # failed texts that cannot
        self._news = trio.Event()  # set by the next message

    @property
    def unsaid(self) -> int:
        """How many texts have failed and not arrived since."""
        return len(self._failed) + self._forgotten

    @property
    def full(self) -> bool:
        """Whether the input has to wait."""
        return len(self.open) >= _OPEN_MAX

    def has_failed(self, token: str) -> bool:
        """Whether the text has failed and can be resent."""
        return token in self._failed

    def begin(self, token: str) -> None:
        """Note that a text is handed on."""
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
                if len(self._failed) > FAILED_MAX:
                    del self._failed[next(iter(self._failed))]
                    self._forgotten += 1
        self._news.set()
        self._news = trio.Event()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for a condition that changes with messages."""
        while not is_so():
            await self._news.wait()

    async def until_known(self) -> None:
        """Wait for the outcome of all texts, as long as it is likely."""
        await self.until(lambda: self.been_in)
        while left := len(self.open):
            with trio.move_on_after(_PATIENCE) as patience:
                while len(self.open) >= left:
                    await self._news.wait()
            if patience.cancelled_caught and self.linked:
                return
