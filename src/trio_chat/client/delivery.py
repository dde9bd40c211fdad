"""The outcome of our texts, for front ends that wait for it and count it."""

import sys
from collections.abc import Callable
from contextlib import suppress

import trio

from trio_chat.client.backoff import backoff
from trio_chat.client.requests import ResendText
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
    was one. ``open`` holds the tokens of texts whose outcome is open. With ``retry`` it is also
    open if a text was refused for now: ``send_again`` sees to it.
    """

    def __init__(self, *, retry: bool) -> None:
        self._retry = retry
        self.linked = self.been_in = False
        self._put_off: dict[str, None] = {}  # tokens of texts refused for now, and not arrived
        self._due: list[Failed] = []  # those of them that have not been sent again since
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
        """Whether the input has to wait; also, to keep the order, for what was refused for now."""
        return len(self.open) >= _OPEN_MAX or bool(self._put_off)

    def puts_off(self, message: Message) -> bool:
        """Whether a text was refused that is sent again: nobody needs to be told."""
        return self._retry and isinstance(message, Failed) and message.for_now

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
                self._put_off.pop(token, None)
            case Failed(token) if self.puts_off(message):
                self._put_off[token] = None
                self._due.append(message)
            case Failed(token):
                self.open.discard(token)
                self._put_off.pop(token, None)
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

    async def send_again(self, asked: trio.MemorySendChannel[ResendText]) -> None:
        """Ask for texts that were refused for now to be sent again, until they have arrived; until
        cancelled, or nobody takes requests any more.
        """
        with suppress(trio.BrokenResourceError):
            await self._send_again(asked)

    async def _send_again(self, asked: trio.MemorySendChannel[ResendText]) -> None:
        while True:
            await self.until(lambda: bool(self._due))
            why = self._due[0].why.rstrip(".")
            print(f"trio-chat: {why}; what was refused is sent again later", file=sys.stderr)
            waits = backoff()
            while self._put_off:
                await trio.sleep(next(waits))
                due, self._due = self._due, []
                for failed in due:
                    await asked.send(ResendText(failed.token))
                await self.until(lambda: bool(self._due) or not self._put_off)

    async def until_known(self) -> None:
        """Wait for the outcome of all texts, as long as it is likely."""
        await self.until(lambda: self.been_in)
        while left := len(self.open):
            with trio.move_on_after(_PATIENCE) as patience:
                while len(self.open) >= left:
                    await self._news.wait()
            if patience.cancelled_caught and self.linked and not self._put_off:
                return
