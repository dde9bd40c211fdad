"""What every dialect of the server offers. All of it is sans-IO: no method waits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from trio_chat.core.commands import Command, Say
from trio_chat.core.events import Answer, Event, Refused, Shown


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


class Says:
    """Messages to one room, said in a row. Nothing that is asked next depends on them."""

    __slots__ = ("messages",)

    def __init__(self, first: Say, more: Iterable[Say] = ()) -> None:
        self.messages = [first]
        for say in more:
            if say.room != first.room:
                raise ValueError("a run of messages goes to one room")
            self.messages.append(say)


@dataclass(frozen=True, slots=True)
class Ask:
    """A command, with how the session tells its answer, or that it is refused.

    Without these, ``Session.reply`` does.
    """

    command: Command
    on_answer: Callable[[Any], None] | None = None
    on_refused: Callable[[Refused], None] | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """The session has dealt by itself with something that came."""


HANDLED = Handled()

#: What one connection asks for at a time.
Run = Says | Ask | Handled


class Session(Protocol):
    """What one connection speaks: bytes in, runs of commands out; answers in, bytes out.

    Feed it with ``receive_data`` and ``receive_eof``, then ask for ``next_run`` until there is
    none. Say with ``done`` and ``reply`` what has become of a run before asking for the next one.

    Before each run is carried out, and before each wait, write ``data_to_send`` to the peer; from
    then on it is written to in ``dialect``, and shown in ``own`` what it has done itself.
    """

    @property
    def refusals(self) -> int:
        """How much the peer was refused."""
        ...

    @property
    def dialect(self) -> Dialect:
        """How this connection is written to."""
        ...

    @property
    def own(self) -> OwnDialect | None:
        """How it is shown what it has done itself; None if as everybody else."""
        ...

    def greeting(self) -> bytes:
        """What the server says to somebody who waits for it to speak first."""
        ...

    def receive_data(self, data: bytes) -> None: ...

    def receive_eof(self) -> None: ...

    def next_run(self) -> Run | None:
        """The next thing that was asked; None until more comes."""
        ...

    def done(self, event: Event) -> Iterable[Ask]:
        """A command has become this event, and everybody has been told. Returns what follows from
        it, which is the server's doing and not the peer's.
        """
        ...

    def reply(self, answer: Answer) -> None:
        """This is what the peer asked for, or why it cannot be."""
        ...

    def ping(self) -> None:
        """The peer has long been silent: ask whether it is still there, if there is a way."""
        ...

    def farewell(self, words: str) -> None:
        """The server ends the connection; ``words`` say why, if the peer is to be told."""
        ...

    def data_to_send(self) -> bytes: ...
