"""The state that a client keeps between connections, so that nothing is lost or comes twice.

Each text has a token, which only we know until the server has the text. A text has arrived once the
server sends it back. After a lost connection it is resent with the same token: a server that knows
tokens shows only the first of the two.
"""

from collections import deque
from collections.abc import Collection, Container, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from trio_chat.protocols.casemapping import UNKNOWN, ByName, Casemapping
from trio_chat.protocols.client import Failed, Message, Sent, Stamped
from trio_chat.protocols.irc.multiline import Limits
from trio_chat.protocols.irc.text import shown_lines
from trio_chat.protocols.irc.times import moment_of, timestamp
from trio_chat.protocols.unacked import Unacked, new_token

#: Texts that may be on their way. They take one round trip, so this does not limit the speed, and
#: all of them resent still fit into the buffers of a socket.
UNACKED_MAX = 256

# Messages that are recognised when they come again: more than fill a gap, or greet newcomers.
_SEEN_MAX = 10_000

# Texts that may be queued; more are refused.
_UNSENT_MAX = 10_000

#: Failed texts that can be resent.
FAILED_MAX = 1000

#: Why a text of several lines, cut for another server, cannot be sent.
ONE_LINE = "This server takes one line at a time."

_INSTANT = timedelta(milliseconds=1)


def just_before(time: str, by: timedelta = _INSTANT) -> str:
    """Return an earlier time (ISO 8601); empty if the server has an odd clock, or none."""
    moment = moment_of(time)
    before = 0 if moment is None else round(moment * 1000) - by // _INSTANT
    return timestamp(before) if before > 0 else ""


@dataclass(frozen=True, slots=True)
class Last:
    """The last message shown in a room. Either of the two may be missing."""

    msgid: str
    time: str


class Confided(str):
    """A line of IRC for this connection alone, as there may be a password in it."""

    __slots__ = ()


@dataclass
class ResumeState:
    """Pass the same one to each connection of a chat, one at a time.

    ``secret`` proves to the server who we were; without one, we are somebody new each time. If it
    outlives the program, ``device`` is what people call the machine where it is kept. ``account``
    is the one that we are logged in to there; ``logged_out`` says that we have left it on purpose.
    ``unacked`` are texts on their way, oldest first; ``heard``, messages that nobody has taken yet;
    ``last``, the last message seen in each room; ``names``, the server's casemapping.

    ``unsent`` is the queue of texts and, between them, lines of IRC. ``failed`` are texts by token.
    ``rooms`` are those where we want to be, as written and with their keys; ``been`` those of them
    where we have been, and may have left by another device since. ``otherwise`` is a room to enter
    if we are in none; once that is known it is empty. ``away`` is our away message. In private
    conversations we have seen everything from well before ``since`` (ISO 8601). A server that does
    not let us into the ``required`` rooms does not let us in.

    ``limits`` are the server's last limits for a message of several lines: texts are cut by them
    while there is no connection, so that they can be resent unchanged.

    ``lost`` is why the last connection has ended, or the last attempt at one has failed.

    Plain messages have no ids: ``shown`` are the last ones of each room, as nickname, text, and
    whether it is an action.
    """

    secret: str = field(default_factory=new_token, repr=False)
    device: str = ""
    account: str = ""
    logged_out: bool = False
    names: Casemapping = field(default_factory=lambda: Casemapping(UNKNOWN), repr=False)
    unacked: deque[Unacked] = field(default_factory=deque)
    heard: deque[Message] = field(default_factory=deque)
    last: MutableMapping[str, Last] = field(default_factory=dict)
    unsent: deque[Unacked | str] = field(default_factory=deque)
    failed: dict[str, Unacked] = field(default_factory=dict)
    rooms: MutableMapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    been: MutableMapping[str, None] = field(default_factory=dict, repr=False)
    otherwise: str = ""
    required: Sequence[str] = ()
    away: str = ""
    since: str = ""
    limits: Limits | None = None
    lost: str = ""
    shown: MutableMapping[str, deque[tuple[str, str, bool]]] = field(default_factory=dict)
    _seen: dict[tuple[str, str], None] = field(default_factory=dict, repr=False)
    _lent: bool = field(default=False, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.last = ByName(self.names, self.last)
        self.rooms = ByName(self.names, self.rooms)
        self.been = ByName(self.names, self.been)
        self.shown = ByName(self.names, self.shown)

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Serve one chat. Raises ValueError if another has it."""
        if self._lent:
            raise ValueError("state: another chat that is open has it; give each its own")
        self._lent = True
        try:
            yield
        finally:
            self._lent = False

    @property
    def full(self) -> bool:
        """Whether no more may be sent until something has arrived."""
        return len(self.unacked) >= UNACKED_MAX

    @property
    def unsaid(self) -> int:
        """The length of the queue."""
        return len(self.unsent)

    def drop_confided(self) -> bool:
        """Drop the lines that were for this connection alone. Returns whether there were any."""
        kept = [what for what in self.unsent if not isinstance(what, Confided)]
        dropped = len(kept) < len(self.unsent)
        self.unsent = deque(kept)
        return dropped

    def requires(self, room: str) -> bool:
        return any(self.names.same(room, name) for name in self.required)

    def is_known(self, token: str) -> bool:
        """Whether this is a text of ours that has not arrived."""
        return token in self.failed or any(text.token == token for text in self.unacked)

    def acknowledge(self, token: str) -> bool:
        """Note that a text has arrived. Returns whether it was on its way."""
        return self.take_token(token) is not None

    def take_token(self, token: str) -> Unacked | None:
        """Take a text out of those on their way."""
        for text in self.unacked:
            if text.token == token:
                self.unacked.remove(text)
                return text
        return None

    def take_on(self, text: Unacked) -> Sequence[Message]:
        """Queue a text."""
        shown = shown_lines(text.text)
        sent = Sent(text.token, text.target, shown, text.action, text.notice)
        if len(self.unsent) >= _UNSENT_MAX:
            return [sent, *self.fail([text], "Too much is waiting to be sent.")]
        self.unsent.append(text)
        return [sent]

    def fail(
        self, texts: Sequence[Unacked], why: str, *, for_now: bool = False
    ) -> Sequence[Message]:
        """Note that texts have not, or may not have, arrived. They can be resent."""
        for text in texts:
            self.failed[text.token] = text
            if len(self.failed) > FAILED_MAX:
                del self.failed[next(iter(self.failed))]
        return [Failed(text.token, why, for_now) for text in texts]

    def oldest(self, targets: Collection[str] = (), but: Container[str] = ()) -> Unacked | None:
        """Return the oldest text on its way to one of the targets, if any are given, ``but`` none
        with these tokens. It is the one that a server speaks of, as it answers in order.
        """
        texts = self.among(self.unacked, targets)
        return next((text for text in texts if text.token not in but), None)

    def is_on_its_way(self, target: str) -> bool:
        """Whether a text to somebody has not arrived yet, or not been sent."""
        unsent = (text for text in self.unsent if isinstance(text, Unacked))
        return any(self.among([*self.unacked, *unsent], [target]))

    def among(self, texts: Iterable[Unacked], targets: Collection[str]) -> Iterator[Unacked]:
        """Return the texts to one of these targets; all of them if there are no targets."""
        wanted = {self.names.fold(target) for target in targets}
        return (t for t in texts if not wanted or self.names.fold(t.target) in wanted)

    def see(self, said: Stamped, place: str) -> bool:
        """Note a message that has come in its turn, in a room or conversation. Returns whether
        it is new.
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
        """Follow the order in which messages come, as a server's clock may go back. A text that we
        resent may come again after later ones, but then it is known, and not in a page that fills a
        gap. Of a text of several lines, only the first may have the id. Without ids there are only
        times.
        """
        before = self.last.get(place, Last("", ""))
        newer = not before.msgid and said.time and said.time >= before.time
        if said.msgid or newer:
            self.last[place] = Last(said.msgid, said.time)

    def begin(self, room: str, time: str) -> None:
        """Note that we have entered a room, at a time of the server, and seen nothing of it yet.
        Something may be said after us in the same moment.
        """
        if room not in self.last and (before := just_before(time)):
            self.last[room] = Last("", before)

    def rename(self, room: str, to: str) -> None:
        """Note that a room has another name. What is in its history is known by that, too."""
        _, key = self.rooms.get(room, ("", ""))
        for known in (self.last, self.rooms, self.been):
            assert isinstance(known, ByName)  # noqa: S101 - for the type checker
            known.rename(room, to)
        if to in self.rooms:
            self.rooms[to] = to, key
        self.required = [to if self.names.same(name, room) else name for name in self.required]
        old, new = self.names.fold(room), self.names.fold(to)
        self._seen = {(new if at == old else at, msgid): None for at, msgid in self._seen}

    def leave(self, room: str) -> None:
        """Note that we are no longer in a room, and miss nothing of it."""
        self.been.pop(room, None)
        self.last.pop(room, None)
