"""What every dialect of the server offers. All of it is sans-IO: no method waits."""

from typing import Protocol

from trio_chat.core.commands import Command
from trio_chat.core.events import Event, Notice, Refused, Shown


class Dialect(Protocol):
    """A way of writing: protocol, capabilities and encoding.

    Two listeners with the same dialect object are sent the same bytes, so there is one object for
    each way of writing, and it hashes by identity.
    """

    def render(self, shown: Shown) -> bytes:
        """What a listener is sent; empty if this dialect does not tell of such a thing."""
        ...


class Session(Protocol):
    """What one connection speaks: bytes in, commands out.

    Feed it with ``receive_data`` and ``receive_eof``, then ask for ``next_command`` until there is
    none. Say with ``done`` what a command has become before asking for the next one, for that may
    depend on it; only runs of Say may be asked for ahead.
    """

    @property
    def dialect(self) -> Dialect:
        """How this connection is written to; may change with what it sends."""
        ...

    def greeting(self) -> bytes:
        """What the server says to somebody who waits for it to speak first."""
        ...

    def receive_data(self, data: bytes) -> None: ...

    def receive_eof(self) -> None: ...

    def next_command(self) -> Command | Notice | Refused | None:
        """The next thing asked; or what to tell the asker at once; or None till more comes."""
        ...

    def done(self, event: Event) -> None:
        """A command has become this event, and everybody has been told."""
        ...
