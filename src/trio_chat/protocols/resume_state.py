"""What a client keeps from one connection to the next, so that nothing is lost or comes twice.

Each text that we send has a token, which only we know until the server has the text. Until the
server sends it back, it counts as not arrived. After a cut it is sent again with the same token:
a server that keeps the tokens shows of the two only the first.
"""

from collections import deque
from collections.abc import Collection, Container, Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from trio_chat.protocols.casemapping import UNKNOWN, ByName, Casemapping
from trio_chat.protocols.client import Failed, Message, Sent, Stamped
from trio_chat.protocols.irc.multiline import Limits
from trio_chat.protocols.irc.text import shown_lines
from trio_chat.protocols.irc.times import moment_of, timestamp
from trio_chat.protocols.unacked import Unacked, new_token

#: Texts that may be on their way. A round trip takes as long, so this is no limit to how fast one
#: can talk, and all of them sent again still fit into the buffers of a socket.
UNACKED_MAX = 256

# Messages that are known when they come again: more than a gap is filled with, and than a server
# tells newcomers.
_SEEN_MAX = 10_000

# Texts that wait to be sent; whoever pastes more is told that it is too much.
_UNSENT_MAX = 10_000

# Of texts that have not arrived, so many can be sent again.
_FAILED_MAX = 1000

#: Why a text of several lines that was written for another server cannot be sent.
ONE_LINE = "This server takes one line at a time."

_INSTANT = timedelta(milliseconds=1)


def just_before(time: str, by: timedelta = _INSTANT) -> str:
    """The moment before this one (ISO 8601); empty if a server has an odd clock, or none."""
    moment = moment_of(time)
    before = 0 if moment is None else round(moment * 1000) - by // _INSTANT
    return timestamp(before) if before > 0 else ""


@dataclass(frozen=True, slots=True)
class Last:
    """The last message that was shown of a room. Either of the two may be missing."""

    msgid: str
    time: str


@dataclass
class ResumeState:
    """Hand the same one to each connection of a chat; it serves one at a time.

    ``secret`` shows the server that we are who we were; without one, we are somebody new each
    time. ``unacked`` has been sent, oldest first, and ``heard`` has come and been taken by
    nobody yet. ``last`` is what we have seen of each room. ``names`` tells which names are the
    same.

    ``unsent`` is what is to be said, and what is to be done between: lines of IRC.
    ``failed`` has not arrived, by token. ``rooms`` are those where we want to be: how
    they are written, and their key. ``away`` is our away message. Of private
    conversations we have seen all that was said long before ``since`` (ISO 8601). A server that
    does not let us into the ``required`` rooms does not let us in.

    ``limits`` are those of a message of several lines, as the server had them last: with the same
    ones a text is cut in the same way while there is no connection, and so can be said again.

    Where plain is spoken nothing has an id: ``shown`` is what was said last in each room, as
    nickname, text, and whether it is an action.
    """

    secret: str = field(default_factory=new_token, repr=False)
    names: Casemapping = field(default_factory=lambda: Casemapping(UNKNOWN), repr=False)
    unacked: deque[Unacked] = field(default_factory=deque)
    heard: deque[Message] = field(default_factory=deque)
    last: MutableMapping[str, Last] = field(default_factory=dict)
    unsent: deque[Unacked | str] = field(default_factory=deque)
    failed: dict[str, Unacked] = field(default_factory=dict)
    rooms: MutableMapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    required: Sequence[str] = ()
    away: str = ""
    since: str = ""
    limits: Limits | None = None
    shown: MutableMapping[str, deque[tuple[str, str, bool]]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.last = ByName(self.names, self.last)
        self.rooms = ByName(self.names, self.rooms)
        self.shown = ByName(self.names, self.shown)

    @property
    def full(self) -> bool:
        """Whether nothing more may be sent until something has arrived."""
        return len(self.unacked) >= UNACKED_MAX

    @property
    def unsaid(self) -> int:
        """How much has not even been sent."""
        return len(self.unsent)

    def requires(self, room: str) -> bool:
        return any(self.names.same(room, name) for name in self.required)

    def is_known(self, token: str) -> bool:
        """Whether this is a text of ours of which it is open what has become of it."""
        return token in self.failed or any(text.token == token for text in self.unacked)

    def acknowledge(self, token: str) -> bool:
        """The text with this token has arrived. Returns whether it was on its way."""
        return self.take_token(token) is not None

    def take_token(self, token: str) -> Unacked | None:
        """The text with this token is not on its way any more."""
        for text in self.unacked:
            if text.token == token:
                self.unacked.remove(text)
                return text
        return None

    def take_on(self, text: Unacked) -> Sequence[Message]:
        """It is to be said in its turn."""
        shown = shown_lines(text.text)
        sent = Sent(text.token, text.target, shown, text.action, text.notice)
        if len(self.unsent) >= _UNSENT_MAX:
            return [sent, *self.fail([text], "Too much is waiting to be sent.")]
        self.unsent.append(text)
        return [sent]

    def fail(self, texts: Sequence[Unacked], why: str) -> Sequence[Message]:
        """They have not arrived, or perhaps not; they can be sent again."""
        for text in texts:
            self.failed[text.token] = text
            if len(self.failed) > _FAILED_MAX:
                del self.failed[next(iter(self.failed))]
        return [Failed(text.token, why) for text in texts]

    def oldest(self, targets: Collection[str] = (), but: Container[str] = ()) -> Unacked | None:
        """The oldest text on its way: of those for one of these targets, if they are given;
        ``but`` not one with these tokens.

        A server deals with what we say in order: so it is this one that it speaks of.
        """
        texts = self.among(self.unacked, targets)
        return next((text for text in texts if text.token not in but), None)

    def among(self, texts: Iterable[Unacked], targets: Collection[str]) -> Iterator[Unacked]:
        """Those that are for one of these targets; all, if there are none."""
        wanted = {self.names.fold(target) for target in targets}
        return (t for t in texts if not wanted or self.names.fold(t.target) in wanted)

    def see(self, said: Stamped, place: str) -> bool:
        """It has come, in its turn, in this room or conversation, if it is one. Returns whether for
        the first time.
        """
        place = self.names.fold(place)
        key = (place, said.msgid)
        new = not said.msgid or key not in self._seen
        if place and (new or said.late):
            self._advance(said, place)
        if said.msgid:
            self._seen[key] = None
        if len(self._seen) > _SEEN_MAX:
            del self._seen[next(iter(self._seen))]
        return new

    def _advance(self, said: Stamped, place: str) -> None:
        """In the order in which it comes, for that is the server's: its clock may go back. What we
        said before a cut may come again, later than what was said after it; but then it is known,
        and not in a page that fills a gap. Of a text that takes several lines, the first alone may
        have the id. Where nothing has one there are only the times.
        """
        before = self.last.get(place, Last("", ""))
        newer = not before.msgid and said.time and said.time >= before.time
        if said.msgid or newer:
            self.last[place] = Last(said.msgid, said.time)

    def begin(self, room: str, time: str) -> None:
        """We have entered it at this time, as the server has it, and not seen anything of it yet.

        Something may be said at the same moment, and later than we came.
        """
        if room not in self.last and (before := just_before(time)):
            self.last[room] = Last("", before)

    def leave(self, room: str) -> None:
        """We are not in it any more, and miss nothing."""
        self.last.pop(room, None)
