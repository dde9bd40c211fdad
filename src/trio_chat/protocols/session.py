"""The interfaces that every dialect of the server offers. All of it is sans-IO: no method waits."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from trio_chat.core.commands import Command, Say
from trio_chat.core.events import Event
from trio_chat.core.views import Answer, Refused, Shown


class Dialect(Protocol):
    """A way of writing: protocol, capabilities and encoding.

    Two subscribers with the same dialect object are sent the same bytes, so there is one object for
    each way of writing, and it hashes by identity.
    """

    __slots__ = ()

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        """The bytes that a subscriber is sent; empty if this dialect does not tell of such a thing.

        ``id`` and ``at`` (unix milliseconds) are those of the event's entry, for dialects that show
        them.
        """

    @property
    def asks_for_missed(self) -> bool:
        """Whether its clients ask for what they have missed, and are not shown it unasked."""
        return False


class OwnDialect(Dialect, Protocol):
    """A way of writing to people about their own actions."""

    __slots__ = ()

    def differs(self, shown: Shown) -> bool:
        """Whether everybody else is shown it in another way."""


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
    """A command, and how its answer (``on_answer``) or refusal (``on_refused``) is told.

    Where these are None, ``Session.reply`` tells it.
    """

    command: Command
    on_answer: Callable[[Any], None] | None = None
    on_refused: Callable[[Refused], None] | None = None


@dataclass(frozen=True, slots=True)
class Handled:
    """Something that came, and that the session has dealt with by itself."""


HANDLED = Handled()

#: The things that one connection asks for at a time.
Run = Says | Ask | Handled


class Session(Protocol):
    """One connection's protocol: bytes in, runs of commands out; answers in, bytes out.

    Feed it with ``receive_data`` and ``receive_eof``, then ask for ``next_run`` until there is
    none. Tell it with ``done`` and ``reply`` what has become of a run before asking for the next
    one.

    Before each run is carried out, and before each wait, write ``data_to_send`` to the peer; from
    then on the peer is written to in ``dialect``, and shown its own actions in ``own``.
    """

    __slots__ = ()

    #: The name of the protocol.
    protocol: ClassVar[str]
    #: Whether the protocol shows a peer one room at a time.
    one_room: ClassVar[bool] = False
    #: Whether the protocol has a way to ask a peer whether it is still there.
    has_ping: ClassVar[bool] = False

    @property
    def client(self) -> str:
        """In words, what is at the other end; its owner tells their connections apart by it."""

    @property
    def refusals(self) -> int:
        """The number of times the peer was refused something."""

    @property
    def dialect(self) -> Dialect:
        """The dialect in which this connection is written to."""

    @property
    def own(self) -> OwnDialect | None:
        """The dialect for the peer's own actions; None if they are shown like all others."""

    def greeting(self) -> bytes:
        """The bytes for a peer that waits for the server to speak first."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the peer, in pieces of any size."""

    def receive_eof(self) -> None:
        """Note that the peer sends nothing more."""

    def next_run(self) -> Run | None:
        """The next run of commands; None until more bytes come."""

    def done(self, event: Event) -> Iterable[Ask]:
        """Note that a command has become this event, and that everybody has been shown it.

        Returns what follows from it, which is the server's doing and not the peer's.
        """

    def done_elsewhere(self, event: Event) -> Iterable[Ask]:
        """Note that the same person has done this on another connection; it is told by ``dialect``.

        Returns what follows from it, as ``done`` does.
        """

    def room_renamed(self, room: str, to: str) -> None:
        """Note that a room that the peer is in has another name; it is told by ``dialect``."""

    def reply(self, answer: Answer) -> None:
        """Tell the peer the answer to what it asked for, or why it is refused."""

    def ping(self) -> None:
        """Ask a silent peer whether it is still there, if the protocol has a way."""

    def server_stops(self) -> None:
        """Note that the connection ends because the server does, if the protocol tells that."""
        return

    def overruns(self) -> None:
        """Note that the connection ends because the peer cannot take what it is sent, if the
        protocol tells that: it is better off if it comes back a little later.
        """
        return

    def farewell(self, words: str, refused: Refused | None = None) -> None:
        """Say why the server ends the connection; nothing is said if ``words`` are empty.

        They end with what somebody is ``refused``, if that is why.
        """

    def data_to_send(self) -> bytes:
        """Take the bytes for the peer that have collected so far."""

    def cut(self, data: bytes, at: int) -> int:
        """The first place from ``at`` on where what it has said may be cut, so that something else
        can be said in between: after a line.
        """
        return data.index(b"\n", at) + 1
