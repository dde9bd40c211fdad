"""In many rooms at once, and in private conversations: where we are, what we say there, and what
becomes of it.

What each method asks for is answered by messages, sooner or later; where the server cannot do it,
there is no answer, or an empty one.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta

from trio_chat.core.events import Said
from trio_chat.core.views import Notice
from trio_chat.errors import Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import OURS, ByName
from trio_chat.protocols.client import (
    MAYBE_LOST,
    Acknowledged,
    ClientSession,
    InRoom,
    Linked,
    Message,
    PageEnd,
)
from trio_chat.protocols.irc.client.catchup import CatchUp
from trio_chat.protocols.irc.client.link import WANTED, IrcLink
from trio_chat.protocols.irc.client.multiline import Reassembly, is_batch, limits
from trio_chat.protocols.irc.client.offline import Offline
from trio_chat.protocols.irc.client.outgoing import texts_of
from trio_chat.protocols.irc.client.pages import Pages
from trio_chat.protocols.irc.client.slash import lines_of_slash
from trio_chat.protocols.irc.client.supports import Supports
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.multiline import MULTILINE
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, room_name
from trio_chat.protocols.resume_state import ONE_LINE, ResumeState, just_before
from trio_chat.protocols.unacked import Unacked, lines_of

# Conversations that may have gone on while we were cut off, and the end of all time.
_TALKS_MAX = 100
_NEVER = "2200-01-01T00:00:00.000Z"

# What is said has its time, and is told once it is stored, which may take long. So a line of later
# may come before it, and then a cut.
_ON_ITS_WAY = timedelta(minutes=1)

_JOINS_MAX = 400  # bytes of the names and keys in one JOIN


class IrcRooms(IrcLink, Offline, ClientSession):
    """``rooms`` are entered first, beside those of the ``state``. ``admitted`` is true once the
    server has let us in, and into the rooms that the ``state`` requires.
    """

    wanted = WANTED | {MULTILINE, "draft/read-marker", "multi-prefix"}

    def __init__(
        self,
        nick: str | Alternates,
        *,
        rooms: Sequence[str] = (),
        encoding: str,
        state: ResumeState,
        password: str = "",
    ) -> None:
        super().__init__(nick, encoding=encoding, state=state, password=password)
        self.supports = Supports()
        self.catch_up = CatchUp(state, self.send, self.buffer_of)
        self.pages = Pages(self.send, self.catch_up)
        # Of rooms, while we are told who is away there.
        self.people: ByName[list[Line]] = ByName(state.names)
        self.topics: ByName[str] = ByName(state.names)  # of rooms, until we know who set it
        self.joining: ByName[None] = ByName(state.names)  # rooms that we have asked to enter
        self.inside: ByName[None] = ByName(state.names)
        self._new_rooms: list[tuple[str, str]] = []  # that we have just entered, and when
        self._reassembly = Reassembly()
        self._linked = False
        self.has_settled = False  # whether the server has dealt with all that we asked for at first
        self._returned: set[str] = set()  # tokens of texts that have come back and wait their turn
        self._target = ""  # of the command in hand
        for room in rooms:
            state.rooms.setdefault(room_name(room), (room_name(room), ""))

    def buffer_of(self, said: Said) -> str:
        """In which room or with whom that was said."""
        return said.room or (said.nick if self.is_me(said.to) else said.to)

    # ── to be let in ───────────────────────────────────────────────────────────────────────

    def enter(self, time: str) -> None:
        """Back to all rooms; and nobody may talk to us before it is known who has done so while we
        were cut off.
        """
        self.registered = True
        if self.state.away:
            self.send("AWAY", self.state.away)
        if self.keeps_history and (since := just_before(self.state.since, _ON_ITS_WAY)):
            self.catch_up.waits = True
            span = (f"timestamp={since}", f"timestamp={_NEVER}")
            self.send("CHATHISTORY", "TARGETS", *span, str(_TALKS_MAX))
        self.joining.update(dict.fromkeys(self.state.rooms))
        for line in _joins(self.state.rooms.values()):
            self.outgoing.send(line)
        self.send("PING", "entered")

    def settled(self) -> Sequence[Message]:
        """The server has answered all that we asked for when it let us in."""
        self.has_settled = True
        self.joining.clear()
        told = [*self.linked(), *self.catch_up.go_on()]
        self.admitted = self.admitted or bool(self.inside)  # some servers call our room otherwise
        return told

    @property
    def arrived(self) -> bool:
        return self._talking

    def talked(self, nick: str, time: str) -> None:
        """Something was said in this private conversation while we were cut off, at this time."""
        known = self.state.last.get(nick)
        if known is None or not known.time or known.time != time:  # clocks may go back
            self.state.begin(nick, just_before(self.state.since, _ON_ITS_WAY))
            self.catch_up.begin(nick, "")

    def linked(self) -> Sequence[Message]:
        """The server has said all that it tells newcomers."""
        if self._linked:
            return ()
        self._linked = True
        self._look_whether_admitted()
        self.state.limits = limits(self.caps, self.cap_values)
        self._ping_at = -math.inf
        names = "" if self.state.names.name == OURS else self.state.names.name
        return [Linked(self.nick, self.supports.network, frozenset(self.caps), names)]

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def entered(self, room: str, time: str) -> Message:
        """We are in it, since ``time`` if the server says so."""
        _, key = self.state.rooms.get(room, ("", ""))
        self.state.rooms[room] = (room, key)
        self.joining.pop(room, None)
        self.inside[room] = self.entering[room] = None
        self._new_rooms.append((room, time))
        self._look_whether_admitted()
        return InRoom(room)

    def _look_whether_admitted(self) -> None:
        inside = all(room in self.inside for room in self.state.required)
        self.admitted = self.admitted or (self._linked and inside)

    def left(self, room: str, why: str) -> Message:
        self.inside.pop(room, None)
        return super().left(room, why)

    def answered(self, room: str) -> bool:
        known = room in self.joining
        self.joining.pop(room, None)
        return known

    def join(self, room: str, key: str = "") -> None:
        """Enter one more room; and again after each cut, until we leave it. Raises Unsupported."""
        if not self.registered:
            super().join(room, key)
            return
        for line in self.go_to(room_name(room), key):
            self._do(line)

    def go_to(self, room: str, key: str) -> Sequence[str]:
        if room in self.inside:
            raise Unsupported(f"You are already in {room}.")
        self.state.rooms[room] = (room, key)
        self.joining[room] = None
        return _joins([(room, key)])

    def part(self, room: str, why: str = "") -> None:
        if self.registered:
            self._do(body("PART", room, *([why] if why else [])))
        else:
            super().part(room, why)

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def talk(
        self, target: str, text: str, action: bool = False, notice: bool = False
    ) -> Sequence[str]:
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        if not notice:
            self.say_to(target, text, action)
            return ()
        for text_of_it in texts_of(target, text, action, notice=True):
            self.take_on(text_of_it)
        return ()

    def command(self, line: str, target: str = "") -> None:
        """Do a command that was given in a room or a conversation."""
        self._target = target
        try:
            if not self.registered:
                raise Unsupported("There is no connection to the server.")
            for read in lines_of_slash(self, " ".join(lines_of(line))):
                self._do(read)
        except Unsupported as error:
            self.refuse(target, str(error))

    def here(self) -> str:
        if not is_room(self._target):
            raise Unsupported("This is no room.")
        return self._target

    def there(self) -> str:
        if not self._target:
            raise Unsupported("Nobody hears you here. /msg NAME TEXT says something to one person.")
        return self._target

    def be_away(self, text: str) -> Sequence[str]:
        self.state.away = text
        return super().be_away(text)

    def tell(self, text: str) -> None:
        self._own.append(Notice(text, room=self._target))

    def raw(self, line: str) -> None:
        """Send a line of IRC as it is."""
        if not self.registered:
            super().raw(line)
        self._do(" ".join(lines_of(line)))

    def away(self, text: str) -> None:
        """Say that we are away; without a text, that we are back."""
        for line in self.be_away(text):
            if self.registered:  # else it is said with all the rest
                self._do(line)

    def typing(self, target: str, active: bool) -> None:
        """Tell the others that we are typing, or have stopped."""
        if self._talking and "message-tags" in self.caps:
            self._do(f"@+typing={'active' if active else 'done'} {body('TAGMSG', target)}")

    def mark_read(self, target: str, time: str) -> None:
        """We have read all up to this time (ISO 8601); without one, ask until when that is."""
        if self.registered and "draft/read-marker" in self.caps:
            self.send("MARKREAD", target, *([f"timestamp={time}"] if time else []))

    def history(self, target: str, before: str, limit: int) -> None:
        """Ask for the messages before this one; without an id, for the last ones. After a cut, what
        was asked for before does not come any more.
        """
        if self.registered and self.keeps_history:
            self.pages.ask(target, before, limit)
        else:
            self._own.append(PageEnd(target, 0, complete=self.registered))

    def _do(self, line: str) -> None:
        """In its turn after all that is to be said."""
        self.state.unsent.append(line)

    @property
    def waiting(self) -> bool:
        return bool(self.state.unsent or self.outgoing.lines)

    def _prepare(self) -> None:
        while self._talking and self.state.unsent and not self.outgoing.lines and self._has_room():
            if line := self._line_of(self.state.unsent.popleft()):
                self.outgoing.lines.append(line)

    def _line_of(self, what: Unacked | str) -> str:
        """Nothing, if it cannot be sent."""
        if isinstance(what, str):
            return what
        if not self._takes(what):
            self._own += self.state.fail([what], ONE_LINE)
            return ""
        if self._echoes:
            self.state.unacked.append(what)
        else:
            self.sent_blindly([what])
            self._own.append(Acknowledged(what.token))
        return self._tagged(what)

    def _takes(self, text: Unacked) -> bool:
        """Another server may, or this one once did."""
        return not is_batch(text) or limits(self.caps, self.cap_values) is not None

    def _send_again(self) -> Sequence[Message]:
        others = [text for text in self.state.unacked if not self._takes(text)]
        return [*self._give_up(others, ONE_LINE), *super()._send_again()]

    # ── what has become of it ──────────────────────────────────────────────────────────────

    def ours(self, token: str, target: str, *, live: bool) -> str:
        """The token of a text of ours that has come back. A server without tags echoes in order."""
        if not token and live and not self.tells_twice_said:
            text = self._oldest([target]) or self._oldest()
            token = text.token if text else ""
        self._returned.add(token)
        return token

    def refused(self, targets: Sequence[str], why: str) -> Sequence[Message]:
        """The server has not taken what was said to one of these; which one, the order tells."""
        if text := self._oldest(targets):
            return self._give_up([text], why)
        blind = self.take_blindly_sent(targets)
        return self._fail_after_all(blind, why) if blind else ()

    def refused_batch(self, why: str) -> Sequence[Message]:
        """The server has not taken a text of several lines."""
        batches = [text for text in self.state.unacked if is_batch(text)]
        left = [text for text in batches if text.token not in self._returned]
        return self._give_up(left[:1], why)

    def _fail_after_all(self, text: Unacked, why: str) -> Sequence[Message]:
        """What counts as arrived does so no more; but for people, who have seen it, in words."""
        return [*self.state.fail([text], why), Notice(why, room=text.target, refusal=True)]

    def _oldest(self, targets: Collection[str] = ()) -> Unacked | None:
        return self.state.oldest(targets, but=self._returned)

    def _give_up(self, texts: Sequence[Unacked], why: str = MAYBE_LOST) -> Sequence[Message]:
        lost = [text for text in texts if text.token not in self._returned]
        return self.state.fail([t for t in lost if self.state.acknowledge(t.token)], why)

    def _dropped(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        return [told for text in texts for told in self._give_up([text], _why_dropped(text))]

    def cut(self) -> Sequence[Message]:
        """What has not arrived is sent again, or told of, on the next connection; but not what was
        sent to a server that sends nothing back, nor that we are out of a room.
        """
        why = MAYBE_LOST
        lost = [told for text in self.unanswered for told in self._fail_after_all(text, why)]
        return [*self.catch_up.left, *lost]


def _why_dropped(text: Unacked) -> str:
    if text.notice:
        return f"{text.target} did not get it. A server does not say why it drops a notice."
    return MAYBE_LOST


def _joins(rooms: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Few lines, as there is a penalty for each. Rooms with keys come first, as IRC has it."""
    lines: list[str] = []
    names: list[str] = []
    keys: list[str] = []
    for room, key in sorted(rooms, key=lambda room: not room[1]):
        if (
            names
            and len(",".join([*names, room, *keys, key]).encode("utf-8", "replace")) > _JOINS_MAX
        ):
            lines.append(_join(names, keys))
            names, keys = [], []
        names.append(room)
        keys += [key] if key else []
    return [*lines, _join(names, keys)] if names else lines


def _join(rooms: Sequence[str], keys: Sequence[str]) -> str:
    return body("JOIN", ",".join(rooms), *([",".join(keys)] if keys else []))
