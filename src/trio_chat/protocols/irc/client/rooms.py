"""IRC rooms and private conversations: entering, leaving, and what else a client asks for.

Answers come as messages, sooner or later. If the server cannot do something, there is no answer, or
an empty one.
"""

import math
from collections.abc import Iterable, Sequence
from datetime import timedelta

from trio_chat.core.events import Said
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Notice
from trio_chat.errors import Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import OURS, ByName
from trio_chat.protocols.client import InRoom, Linked, Message, PageEnd
from trio_chat.protocols.irc.client.catchup import PLAYBACK, CatchUp
from trio_chat.protocols.irc.client.lately import Lately
from trio_chat.protocols.irc.client.link import Introduction
from trio_chat.protocols.irc.client.multiline import Reassembly, limits
from trio_chat.protocols.irc.client.outgoing import texts_of
from trio_chat.protocols.irc.client.pages import Pages
from trio_chat.protocols.irc.client.sasl import Account
from trio_chat.protocols.irc.client.supports import Supports
from trio_chat.protocols.irc.client.texts import IrcTexts
from trio_chat.protocols.irc.info import NO_ROOMS, OTHERWISE_TAG, REMEMBERED_TAG
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, room_name
from trio_chat.protocols.resume_state import ResumeState, just_before
from trio_chat.protocols.unacked import lines_of

# Conversations that may have gone on while we were cut off, and a time that never comes.
_TALKS_MAX = 100
_NEVER = "2200-01-01T00:00:00.000Z"

# A message has the time at which it was said, but comes once it is stored, which may take a while.
# So a later line may come first, and then the connection may be lost.
_ON_ITS_WAY = timedelta(minutes=1)

_JOINS_MAX = 400  # bytes of the names and keys in one JOIN


class IrcRooms(IrcTexts):
    """``rooms`` are entered first, with those of the ``state``. ``admitted`` is true once the
    server has let us in, and into the rooms that the ``state`` requires.
    """

    def __init__(
        self,
        nick: str | Alternates,
        *,
        rooms: Sequence[str] = (),
        encoding: str,
        state: ResumeState,
        password: str = "",
        account: Account | None = None,
        secure: bool = False,
        rooms_back: bool = True,
    ) -> None:
        we = Introduction(nick, encoding, password, account, secure, rooms_back)
        super().__init__(we, state)
        self.supports = Supports()
        self.catch_up = CatchUp(state, self.send, self.buffer_of)
        self.pages = Pages(self.send, self.catch_up)
        self.lately = Lately(state.names)
        self.people: ByName[list[Line]] = ByName(state.names)  # of rooms, while WHO is coming
        self.topics: ByName[str] = ByName(state.names)  # of rooms, until we know who set them
        self.bans: ByName[list[Mask]] = ByName(state.names)  # of rooms, while they are coming
        self.lists_rooms = False  # whether some of a list of rooms has come
        self.joining: ByName[None] = ByName(state.names)  # rooms that we have asked to enter
        self.inside: ByName[None] = ByName(state.names)
        self._new_rooms: list[tuple[str, str]] = []  # just entered, and when
        self._reassembly = Reassembly()
        self._linked = False
        self._nick_notice = ""
        self.has_settled = False  # whether the server has answered what we asked for at first
        self._target = ""  # of the command in hand
        for room in rooms:
            state.rooms.setdefault(room_name(room), (room_name(room), ""))

    def buffer_of(self, said: Said) -> str:
        """Return the room, or the person with whom it was said."""
        return said.room or (said.nick if self.is_me(said.to) else said.to)

    # ── being let in ───────────────────────────────────────────────────────────────────────

    def welcomed(self, nick: str) -> None:
        """Enter our rooms, now that we are registered as ``nick``. New messages wait until it is
        known who has talked to us while we were cut off.
        """
        self.nick = nick
        self._nick_notice = self._nicks.notice(nick, self.reserved)
        if self._nick_notice:
            self.refused_nick = self._nicks.wanted
        self.registered = True
        self.catch_up.plays_back = PLAYBACK in self.caps
        if self.state.away:
            self.send("AWAY", self.state.away)
        if self.keeps_history and (since := just_before(self.state.since, _ON_ITS_WAY)):
            self.catch_up.waits = True
            span = (f"timestamp={since}", f"timestamp={_NEVER}")
            self.send("CHATHISTORY", "TARGETS", *span, str(_TALKS_MAX))
        for line in self._first_joins():
            self.outgoing.send(line)
        self.send("PING", "entered")

    def _first_joins(self) -> Sequence[str]:
        """Return the lines that enter our rooms. A server that brings us into those of our account
        is told where we have only been, as we may have left by another device; and where to be only
        if we are nowhere otherwise.
        """
        rooms, been, name = [*self.state.rooms.values()], self.state.been, self.state.otherwise
        otherwise = [(name, "")] if name and name not in self.state.rooms else []
        self.joining.update((room, None) for room, _ in [*rooms, *otherwise])
        if NO_ROOMS not in self.offered:
            return _joins([*rooms, *otherwise])
        again = _joins(room for room in rooms if room[0] in been)
        wanted = _joins(room for room in rooms if room[0] not in been)
        return [
            *(f"@{REMEMBERED_TAG} {line}" for line in again),
            *wanted,
            *(f"@{OTHERWISE_TAG} {line}" for line in _joins(otherwise)),
        ]

    def settled(self) -> Sequence[Message]:
        """Handle the answer to the last thing we asked for when the server let us in."""
        self.has_settled = True
        self.state.otherwise = ""
        self.joining.clear()
        told = [*self.linked(), *self.catch_up.go_on()]
        if self._nick_notice:  # where the person looks now
            room = next(iter(self.inside), "")
            told.append(Notice(self._nick_notice, room=room))
        self.admitted = self.admitted or bool(self.inside)  # a server may rename our room
        return told

    def talked(self, nick: str, time: str) -> None:
        """Catch up with a private conversation that went on at ``time`` while we were cut off."""
        known = self.state.last.get(nick)
        if known is None or not known.time or known.time != time:  # clocks may go back
            self.state.begin(nick, just_before(self.state.since, _ON_ITS_WAY))
            self.catch_up.begin(nick, "")

    def linked(self) -> Sequence[Message]:
        """Handle the end of the server's welcome."""
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
        """Note that we are in a room, since ``time`` if the server says so."""
        _, key = self.state.rooms.get(room, ("", ""))
        self.state.rooms[room] = (room, key)
        self.state.been[room] = None
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

    def renamed(self, room: str, to: str) -> None:
        """Note that a room where we are has another name."""
        for known in (self.inside, self.entering, self.joining):
            known.rename(room, to)
        for coming in (self.people, self.topics, self.bans, self.names):
            coming.rename(room, to)
        for keeper in (self.state, self.catch_up, self.lately):
            keeper.rename(room, to)

    def answered(self, room: str) -> bool:
        """Return whether we have asked to enter a room, which is answered now."""
        known = room in self.joining
        self.joining.pop(room, None)
        return known

    def join(self, room: str, key: str = "") -> None:
        if not self.registered:
            super().join(room, key)
            return
        for line in self.go_to(room_name(room), key):
            self._do(line)

    def go_to(self, room: str, key: str) -> Sequence[str]:
        """Return the lines that enter a room. Raises Unsupported."""
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
        """Say a text; programs do not answer a ``notice``. Raises Unsupported."""
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        if not notice:
            self.say_to(target, text, action)
            return ()
        for text_of_it in texts_of(target, text, action, notice=True):
            self.take_on(text_of_it)
        return ()

    def here(self) -> str:
        """Return the room that the command is about. Raises Unsupported if there is none."""
        if not is_room(self._target):
            raise Unsupported("This is not a room.")
        return self._target

    def outside(self) -> Sequence[str]:
        """The room that the command is about, if we are not in it."""
        shut = is_room(self._target) and self._target not in self.inside
        return [self._target] if shut else []

    def there(self) -> str:
        """Return the room or person that the command is about. Raises Unsupported."""
        if not self._target:
            raise Unsupported("Nobody hears you here. /msg NAME TEXT says something to one person.")
        return self._target

    def last_of(self, nick: str) -> str:
        """Return the id of somebody's last message here, or of our own. Raises Unsupported."""
        place = self.there()
        if (not nick or self.is_me(nick)) and self.state.is_on_its_way(place):
            raise Unsupported("Your last message has not arrived yet.")
        if msgid := self.lately.last(place, nick or self.nick):
            return msgid
        whose = f"{nick} has" if nick else "You have"
        raise Unsupported(f"{whose} said nothing here lately.")

    def be_away(self, text: str) -> Sequence[str]:
        """Return the lines that say we are away; without a text, that we are back."""
        self.state.away = text
        return [body("AWAY", *([text] if text else []))]

    def tell(self, text: str) -> None:
        """Tell the person something by ourselves."""
        self._own.append(Notice(text, room=self._target))

    def raw(self, line: str) -> None:
        if not self.registered:
            super().raw(line)
        self._do(" ".join(lines_of(line)))

    def away(self, text: str) -> None:
        for line in self.be_away(text):
            if self.registered:  # otherwise ``welcomed`` sends it
                self._do(line)

    def typing(self, target: str, active: bool) -> None:
        if self._talking and "message-tags" in self.caps:
            self._do(f"@+typing={'active' if active else 'done'} {body('TAGMSG', target)}")

    def mark_read(self, target: str, time: str) -> None:
        if self.registered and "draft/read-marker" in self.caps:
            self.send("MARKREAD", target, *([f"timestamp={time}"] if time else []))

    def history(self, target: str, before: str, limit: int) -> None:
        if self.registered and self.keeps_history:
            self.pages.ask(target, before, limit)
        else:
            self._own.append(PageEnd(target, 0, complete=self.registered))

    def _do(self, line: str) -> None:
        """Queue a line behind all that is to be said."""
        self.state.unsent.append(line)

    def cut(self) -> Sequence[Message]:
        """Also tell that we are out of rooms, which the next connection would not."""
        return [*self.catch_up.left, *super().cut()]


def _joins(rooms: Iterable[tuple[str, str]]) -> Sequence[str]:
    """Join rooms with few lines, since each costs a penalty. Rooms with keys have to come first."""
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
