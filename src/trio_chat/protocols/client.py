"""The messages of a client and its sessions, for either protocol. Sans-IO: no method waits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
)
from trio_chat.core.fact import fact
from trio_chat.core.views import Masks, Notice, Topic

# How long to wait for a server to speak first. The tutorial's server greets at once; trio-chat
# after two seconds of silence, and never within a fifth; most IRC servers say nothing, or
# something that is IRC.
PATIENCE = 0.15  # seconds

# Longer than any line that a server sends, and still no burden.
LINE_BYTES = 1024 * 1024

# The first bytes of an IRC server that speaks first.
_IRC_OPENINGS = (b":", b"@", b"NOTICE ", b"PING ", b"ERROR ", b"CAP ")


#: The error if a server wants a password and none was given.
LOCKED = "This chat has a password"

#: The error if a server lets in only those who were invited: its own words, without the commands of
#: other clients that follow them.
_ACCOUNTS_ONLY = "This chat is for those who have an account"
_INVITED_ONLY = f"{_ACCOUNTS_ONLY} or an invitation"
UNINVITED = f"{_INVITED_ONLY}. Ask for a link"

#: The error if what we gave them is none.
CUT_OFF = "That is no invitation to this chat: it may be cut off. Copy the whole link again"

#: The error if our nickname is somebody's account, to which we have not logged in.
OWNED = "The nickname {0} is somebody's account. If it is yours, log in"

#: Advice to those who have registered on a device that keeps nothing.
LOG_IN_AGAIN = (
    "When you come again, say '/login PASSWORD', or give the password when you are asked; in a "
    "pipe, set TRIO_CHAT_CLIENT__ACCOUNT and TRIO_CHAT_CLIENT__ACCOUNT_PASSWORD."
)

#: The error if we have an account, and there is no way to log in to it.
NO_ACCOUNTS = (
    "Nobody can log in to this chat: the server has no accounts (SASL), or they are out of service."
)

#: The error if we have an account where plain is spoken: what is sent may be shown to everybody.
PLAIN_LOGIN = (
    "Where plain is spoken, nobody is logged in before others see them: speak IRC there, or set no "
    "account, and say '/login NAME PASSWORD' if it is a trio-chat server."
)


def is_for_accounts(text: str) -> bool:
    """Whether a server that lets us not in asks for an account, rather than for patience."""
    return text.startswith(_ACCOUNTS_ONLY)


def is_uninvited(text: str) -> bool:
    """Whether a server that lets us not in asks for an invitation, or an account."""
    return text.startswith(_INVITED_ONLY)


class Look(NamedTuple):
    """The formatting of a part of a text. ``colour`` is one of the 16 of IRC."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False
    colour: int | None = None


class Run(NamedTuple):
    """A part of a text, and its look."""

    start: int
    end: int
    look: Look


@fact
class Stamped(Said):
    """A message with the server's id and time (ISO 8601).

    It is ``late`` if it was said while we were cut off. It has a ``token`` if it is ours. ``runs``
    are the formatted parts of its text, in order.
    """

    msgid: str = ""
    time: str = ""
    late: bool = False
    runs: tuple[Run, ...] = ()


@fact
class RemovedMeanwhile(Redacted):
    """A message was removed while we were cut off. Perhaps we never had it."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A message from before we came: shown for reading, not for answering.

    ``time`` is ISO 8601, if the server gives it. A message ``found`` by a search, or ``asked`` for
    as part of a page of history, may have been shown already; so may one that ``calls`` us, where
    all of these were asked for.
    """

    said: Said
    time: str = ""
    found: bool = False
    calls: bool = field(default=False, compare=False, repr=False)
    asked: bool = field(default=False, compare=False, repr=False)


# ── other messages ─────────────────────────────────────────────────────────────────────────────


@fact
class Member:
    """A member of a room; ``prefixes`` have the highest first."""

    nick: str
    prefixes: str = ""
    away: bool = False
    bot: bool = False


@fact
class Roster:
    """Everybody in a room. It replaces what was known."""

    room: str
    members: tuple[Member, ...]


@fact
class InRoom:
    """Tells that we have entered a room, or re-entered it after a lost connection. ``greeting`` has
    the words of a plain server.
    """

    room: str
    greeting: str = field(default="", compare=False)


@fact
class OutOfRoom:
    """Tells that we are no longer in a room: we left, were removed, or were not let back in."""

    room: str
    why: str = ""


@fact
class Typing:
    """Somebody is typing, or has stopped: in a room, or ``to`` one person."""

    room: str
    nick: str
    active: bool
    to: str = ""


@fact
class Sent:
    """A text of ours is on its way. Acknowledged or Failed follows, with the same ``token``."""

    token: str
    target: str
    text: str
    action: bool = False
    notice: bool = False


@fact
class Acknowledged:
    """A text of ours has arrived, and this is its place among the other messages. The id and the
    time are empty if the server gives none.
    """

    token: str
    msgid: str = ""
    time: str = ""


#: Reasons for Failed other than a refusal.
MAYBE_LOST = "It may not have arrived."
CUT_SHORT = "Only the beginning of it was said."


@fact
class Failed:
    """A text of ours was refused, or may not have arrived. ``for_now``: the server can keep nothing
    just now, and may take it later.
    """

    token: str
    why: str
    for_now: bool = False


@fact
class PageEnd:
    """All messages that a history request asked for have come. ``complete`` if nothing older is
    kept.
    """

    target: str
    count: int
    complete: bool


@fact
class MarkedRead:
    """How far we have read, on any device (ISO 8601); empty if the server does not know."""

    target: str
    time: str


@fact
class Linked:
    """The server has let us in. ``casemapping`` names how it compares names, if not as trio-chat
    does.
    """

    nick: str
    network: str
    caps: frozenset[str]
    casemapping: str = ""


@fact
class Unlinked:
    """The connection is lost; we try again in ``retry`` seconds."""

    why: str
    retry: float


@fact
class Operator:
    """Tells whether we are an operator of the server from now on; nobody is who has just come."""

    on: bool


@fact
class Lag:
    """How long the server takes to answer."""

    seconds: float


#: Messages without words of their own, which change what is shown beside the others.
State = (
    Roster | InRoom | OutOfRoom | Typing | Sent | Acknowledged | Failed | PageEnd | MarkedRead
    | Linked | Unlinked | Operator | Lag
)  # fmt: skip

#: Messages that nobody answers.
Happening = (
    Redacted | RemovedMeanwhile | Joined | Left | Renamed | RoomRenamed | TopicSet | Notice
    | Earlier | Departed | Kicked | ModesSet | AwaySet | Topic | Masks | State
)  # fmt: skip

#: Anything that a client is told.
Message = Said | Happening


class Requests(Protocol):
    """Requests in rooms and private conversations.

    A ``target`` is a room or a person. Answers come as messages, also from ``own_messages``. If a
    server cannot do something, there is no answer, or an empty one.
    """

    def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """Say a text: as one message if the server takes several lines as one and it is not too
        long, else one message for each line that is not blank. Sent comes for each message, and
        later Acknowledged or Failed.

        ``token`` names it in those: 16 to 56 ASCII letters, digits, ``-`` or ``_`` that nobody can
        guess; random if empty. A second message is named ``<token>-2``, and so on. If a text is
        said again with the same token and ``ResumeState``, trio-chat shows it once.
        """

    def resend(self, token: str) -> None:
        """Resend a text that has failed."""

    def join(self, room: str, key: str = "") -> None:
        """Enter a room, and re-enter it after each lost connection. Raises Unsupported."""

    def part(self, room: str, why: str = "") -> None:
        """Leave a room."""

    def history(self, target: str, before: str, limit: int) -> None:
        """Ask for the messages before one with this id; without an id, for the last ones."""

    def mark_read(self, target: str, time: str) -> None:
        """Mark all up to a time (ISO 8601) as read; without one, ask how far that is."""

    def typing(self, target: str, active: bool) -> None:
        """Show others that we are typing, or have stopped."""

    def command(self, line: str, target: str = "") -> None:
        """Run a slash command in a room or a conversation."""

    def away(self, text: str) -> None:
        """Say that we are away; without a text, that we are back. Raises Unsupported."""

    def raw(self, line: str) -> None:
        """Send a line of IRC unchanged. Raises Unsupported."""

    def own_messages(self) -> Sequence[Message]:
        """Take the messages that follow from requests without any word from the server."""


@runtime_checkable
class ClientSession(Requests, Protocol):
    """Bytes from the server in, messages out; requests in, bytes to send out.

    ``nick`` and ``room`` are as the server has them; ``admitted`` is whether it has let us in, and
    ``farewell`` its reason for ending the connection, if it has given one.
    ``framed`` is false only with the tutorial's server, which does not mark where a message ends.

    After every call, take ``data_to_send`` and then ``own_messages``; and again at ``due``. Times
    are seconds of a monotonic clock.
    """

    nick: str
    room: str
    farewell: str
    admitted: bool
    framed: bool

    @property
    def silence(self) -> float:
        """Seconds of silence after our last words that mean that nothing more is coming."""

    @property
    def undelivered(self) -> str:
        """The reason, at the end, why some texts have not got through; empty if all may have."""

    @property
    def waiting(self) -> bool:
        """Whether something is queued that may not be sent yet."""

    @property
    def due(self) -> float:
        """The time from which more may be sent even if nothing comes; infinity if never."""

    def receive_data(self, data: bytes) -> Sequence[Message]:
        """Understand what the server says. Raises NotAdmitted; ``own_messages`` has the rest."""

    def data_to_send(self, now: float) -> bytes:
        """Take the bytes to send now."""

    def ping(self) -> bool:
        """Ask the server for a sign of life. Returns whether there is a way to."""

    def finish(self, words: str) -> None:
        """Leave, with ``words`` for the others if the protocol has a place for them."""

    @property
    def arrived(self) -> bool:
        """Whether we know which of our rooms have let us in."""

    def cut(self) -> Sequence[Message]:
        """Return the outcome of texts on their way when the connection has ended, if nothing will
        tell it later.
        """


def spoken_by(data: bytes) -> Literal["plain", "irc"] | None:
    """Tell the protocol by a server's first bytes; None if they are too few."""
    if data.startswith(_IRC_OPENINGS):
        return "irc"
    if any(opening.startswith(data) for opening in _IRC_OPENINGS):
        return None
    return "plain"
