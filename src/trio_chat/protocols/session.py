"""What every dialect of the server offers. All of it is sans-IO: no method waits."""

from typing import Protocol

from trio_chat.core.commands import Command
from trio_chat.core.events import Answer, Event, Shown


class Dialect(Protocol):
    """A way of writing: protocol, capabilities and encoding.

    Two listeners with the same dialect object are sent the same bytes, so there is one object for
    each way of writing, and it hashes by identity.
    """

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        """What a listener is sent; empty if this dialect does not tell of such a thing.

        ``id`` and ``at`` are those of the event's entry, for dialects that show them.
        """
        ...


class OwnDialect(Dialect, Protocol):
    """How people are shown what they have done themselves."""

    def differs(self, shown: Shown) -> bool:
        """Whether that is another way than the one in which everybody else is shown it."""
        ...


class Handled:
    """Something came that the session has dealt with by itself."""


class Session(Protocol):
    """What one connection speaks: bytes in, commands out; answers in, bytes out.

    Feed it with ``receive_data`` and ``receive_eof``, then ask for ``next_command`` until there is
    none. Say with ``done`` and ``reply`` what a command has become before asking for the next one,
    for that may depend on it; but if ``ahead`` is set the last one is a Say on which nothing
    depends, and the next one may be asked for at once. What
    it has for the peer comes out of ``data_to_send``: ask for it before each wait.

    ``follows`` is set if the last command is one that the peer did not ask for: it follows from the
    one before. ``refusals`` counts what the peer was refused.
    """

    ahead: bool
    follows: bool
    refusals: int

    @property
    def dialect(self) -> Dialect:
        """How this connection is written to; may change with what it sends."""
        ...

    @property
    def own(self) -> OwnDialect | None:
        """How it is shown now what it has done itself; None if that is never another way."""
        ...

    def greeting(self) -> bytes:
        """What the server says to somebody who waits for it to speak first."""
        ...

    def receive_data(self, data: bytes) -> None: ...

    def receive_eof(self) -> None: ...

    def next_command(self) -> Command | Handled | None:
        """The next thing that was asked; None until more comes."""
        ...

    def done(self, event: Event) -> None:
        """A command has become this event, and everybody has been told."""
        ...

    def reply(self, answer: Answer) -> None:
        """This is what the peer asked for."""
        ...

    def ping(self) -> None:
        """The peer has long been silent: ask whether it is still there, if there is a way."""
        ...

    def farewell(self, words: str) -> None:
        """The server ends the connection; ``words`` say why, if the peer is to be told."""
        ...

    def data_to_send(self) -> bytes: ...
