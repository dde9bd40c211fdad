"""The buffer that the person reads, their typing, and what the server is told of both."""

from collections.abc import Sequence
from math import inf

from trio_chat.client import requests
from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.days import Days
from trio_chat.client.model.reducer import Reducer
from trio_chat.protocols.irc.times import moment_of

#: What an action leads to, for the session, in order.
Asked = Sequence[requests.Request]

# Seconds until others are told again that we are still typing (ircv3.net, "typing").
_TYPING_EVERY = 3.0

# Seconds until the server is told again how far we have read while we stay in a room; and buffers
# to tell it of at a time, because other servers make us wait for each line.
_MARK_EVERY = 5.0
_MARKS = 10


class Attention(Reducer):
    """The chat, and the person before it."""

    def __init__(self, nick: str, days: Days, *, tells_typing: bool) -> None:
        super().__init__(nick, days)
        self._tells_typing = tells_typing
        self._told_typing = self._told_read = -inf

    def select(self, buffer: Buffer, now: float) -> Asked:
        """Go to another buffer."""
        left = self.leave()
        self.go_to(buffer)
        return [*left, *self._mark_read(buffer)]

    def leave(self) -> Asked:
        """Turn away from the current buffer."""
        return [*self._stop_typing(), *self._mark_read(self.current)]

    def close(self, buffer: Buffer, now: float) -> Asked:
        """Close a buffer, unless it is the server's, and leave its room."""
        if buffer.kind == "server" or buffer not in self.buffers:
            return ()
        left = self.leave() if buffer is self.current else ()
        self.remove(buffer)
        if not buffer.joined:
            return left
        self.closed[buffer.name] = None
        return [*left, requests.Part(buffer.name)]

    def focus(self, on: bool, now: float) -> Asked:
        """The window is focused, or not any more. At first it is."""
        if on == self.focused:
            return ()
        if on:
            self.focused = True
            self.see(self.current)
            return self._mark_read(self.current)
        left = self.leave()
        self.focused = False
        self.current.leave()
        return left

    def read_on(self, now: float) -> Asked:
        """Tell how far the person has read meanwhile. Ask once a second."""
        if 0 <= now - self._told_read < _MARK_EVERY:
            return ()
        self._told_read = now
        return self._mark_read(*self.buffers)

    def _mark_read(self, *buffers: Buffer) -> Asked:
        """Tell how far they have been read, where that is news to the server."""
        untold = ((buffer, self.to_tell(buffer)) for buffer in buffers)
        marks = [(buffer, time) for buffer, time in untold if time][:_MARKS]
        for buffer, time in marks:
            buffer.told = moment_of(time) or -inf
        return [requests.ReadUpTo(buffer.target, time) for buffer, time in marks]

    def typed(self, now: float) -> Asked:
        """A key was pressed, and what is being written is not a command."""
        wanted = self._tells_typing and self.linked and self.current.target
        if not wanted or now - self._told_typing < _TYPING_EVERY:
            return ()
        self._told_typing = now
        return [requests.TypingState(self.current.target, True)]

    def forget_typing(self) -> None:
        """Forget that we were typing: saying it has ended that."""
        self._told_typing = -inf

    def _stop_typing(self) -> Asked:
        told, self._told_typing = self._told_typing, -inf
        return [requests.TypingState(self.current.target, False)] if told > -inf else ()
