"""The client's end of the plain dialect.

We are in one room at a time, as no line says which room it is from; entering another room leaves
the first. What the dialect has no lines for (pages of history, read markers, typing) has no answer,
or an empty one.

Messages have no ids, so our texts are recognised by their words, in the order in which we sent
them. Nothing is resent unless somebody asks for it:

- A text is on its way until it comes back; then it has arrived.
- trio-chat does everything in order. So a text was refused if a later one has come back, or the
  answer to a later /who. If the server complains while a text is on its way, we send a /who.
- After a lost connection we do not know whether a text has arrived. trio-chat's replay of the last
  messages may still show it (``replay``).

The tutorial's server takes all that one read returns for one message. So it gets one text at a
time, the next one when the last has come back.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

from trio_chat.core.events import Joined, Left, Renamed, Said, TopicSet
from trio_chat.core.names import fold
from trio_chat.core.views import Notice, Topic
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import OURS
from trio_chat.protocols.client import (
    MAYBE_LOST,
    Acknowledged,
    ClientSession,
    InRoom,
    Linked,
    Member,
    Message,
    OutOfRoom,
    PageEnd,
    Roster,
)
from trio_chat.protocols.irc.client.offline import Offline
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, pieces, room_name, shown
from trio_chat.protocols.plain import wording
from trio_chat.protocols.plain.link import PlainLink
from trio_chat.protocols.plain.replay import Replay, is_to
from trio_chat.protocols.resume_state import ONE_LINE, ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.protocols.unacked import Unacked, lines_of, not_confirmed, on_its_way, token_of

# The most that the tutorial's server and its clients read at once.
_READ = 1024  # bytes

# The tutorial's server echoes at once. We do not recognise a text that comes in two pieces.
_ECHO = 1.0  # seconds

# The beginnings of trio-chat's answers to a command that it does not know, and to a wrong login.
_REFUSALS = ("There is no command /", wording.CANNOT_LOG_IN)

#: Commands about the room that the server has us in.
OF_THE_ROOM = {"history", "invite", "kick", "search", "topic", "who"}

# People who we know are there, with a server that does not list them.
_PEOPLE_MAX = 1000


@dataclass(frozen=True, slots=True)
class _Question:
    """A /who of our own. Its answer tells that the server has dealt with the ``texts`` sent before
    it, and with the /join to ``room``, if we are still on the way there.
    """

    texts: Sequence[Unacked]
    room: str = ""


class PlainClientSession(PlainLink, Offline, ClientSession):
    """``room`` is where we are, empty if we were removed. ``only_room`` is a name for the one room
    of the tutorial's server.

    The server decides which room we enter first. We go on to the last room of the ``state``, if
    that is another one.
    """

    def __init__(
        self,
        nick: str | Alternates,
        *,
        only_room: str,
        encoding: str,
        state: ResumeState,
        password: str = "",
    ) -> None:
        state.names.learn(OURS)
        super().__init__(nick, encoding=encoding, password=password)
        self.state = state
        self._wanted = next((room for room in state.required if room in state.rooms), "")
        self._replay = Replay(state, encoding)
        self._only_room = room_name(only_room)
        self._lobby = ""  # the room that we entered first
        self._earlier = 0  # replayed messages still to come
        self._people: dict[str, str] = {}  # with the tutorial's server, by folded name
        self._asked: deque[_Question | None] = deque()  # each /who on its way; None if the person's
        self._complaint = ""  # the last one, possibly about a text on its way
        self._in_doubt = False  # whether to ask about it
        self._echo_by = 0.0
        self._leaving = False
        self._own: list[Message] = list(self.cut())  # left by the session before

    @property
    def arrived(self) -> bool:
        return bool(self._lobby) and not any(self._asked)

    @property
    def undelivered(self) -> str:
        missing = len(self.state.unacked)
        if not (self.farewell and missing):
            return ""
        return f"{self.farewell} {not_confirmed(missing)}"

    def _is_me(self, nick: str) -> bool:
        return fold(nick) == fold(self.nick)

    def _is_here(self, room: str) -> bool:
        return fold(room) == fold(self.room)

    # ── what the server says ───────────────────────────────────────────────────────────────

    def receive_data(self, data: bytes) -> Sequence[Message]:
        lines = self._texts(data)
        told = self._enter_the_only_room() if self._tutorial and not self._lobby else []
        try:
            for line in lines:
                told += self._tell(line)
        except NotAdmitted:
            self._own[:0] = told
            raise
        return told

    def _unframed(self, data: bytes) -> list[bytes]:
        return [part for piece in super()._unframed(data) for part in self._apart(piece)]

    def _apart(self, piece: bytes) -> Sequence[bytes]:
        """Cut out our own texts, whatever they are glued to."""
        parts: list[bytes] = []
        for text in self.state.unacked:
            before, ours, rest = piece.partition(self._encode(self._written(text)))
            if ours:
                parts += [before, ours]
                piece = rest
        return [part for part in (*parts, piece) if part]

    def _tell(self, line: str) -> Sequence[Message]:
        """Understand a line. Raises NotAdmitted."""
        self.farewell = ""
        match heard := wording.reading(line):
            case wording.Welcome():
                self.admitted = not (self._wanted and self.framed)
                return () if self._tutorial else [self._linked()]
            case wording.InRoom(room, nick):
                return self._entered(room, nick, line)
            case wording.Replay(count):
                self._earlier = count
                return ()
            case wording.Company(room, nicks):
                return self._company(room, nicks, line)
            case Topic():
                return [heard, *self._noticed(line)]
            case Notice() if self._leaving and line == f"***{wording.GOODBYE}":
                return ()  # the answer to our /quit
            case wording.NearNick(text) | Notice(text):
                near = isinstance(heard, wording.NearNick)
                if line.startswith("***") and self._answers_server(text, near=near):
                    return ()
                return self._noticed(line)
            case Said() if self._earlier:
                self._earlier -= 1
                self._replay.add(replace(heard, room=self.room))
                return () if self._earlier else self._replay.end(self.room, self.nick)
            case Said(to=to):
                return self._said(heard if to else replace(heard, room=self.room))
            case Joined(nick=nick):
                return self._joined(nick)
            case Left(nick=nick):
                return self._left(nick, line)
            case TopicSet():
                return [replace(heard, room=self.room)]
            case Renamed(nick, to):
                self.nick = to if nick == self.nick else self.nick
        return [heard]

    def _linked(self) -> Message:
        return Linked(self.nick, "", frozenset())

    def _noticed(self, line: str) -> Sequence[Message]:
        """Tell a sentence, which may be the refusal of a text on its way."""
        text = line.removeprefix("*** ")
        notice = Notice(text, room=self.room, refusal=text.startswith(_REFUSALS))
        if self.framed and self.state.unacked:
            self._complaint, self._in_doubt = notice.text, True
        return [notice]

    # ── who is there ───────────────────────────────────────────────────────────────────────

    def _joined(self, nick: str) -> Sequence[Message]:
        if self._is_me(nick):
            return ()  # the room comes next
        self._know(nick)
        return [Joined(self.room, nick)]

    def _left(self, nick: str, line: str) -> Sequence[Message]:
        if self._is_me(nick):
            return self._sent_out(line)
        known = self._meet(nick)
        self._people.pop(fold(nick), None)
        return [*known, Left(self.room, nick)]

    def _know(self, nick: str) -> bool:
        """Note that somebody is there, as the tutorial's server has no list. Returns whether that
        is new.
        """
        new = fold(nick) not in self._people and len(self._people) < _PEOPLE_MAX
        if self._tutorial and new:
            self._people[fold(nick)] = nick
        return self._tutorial and new

    def _meet(self, nick: str) -> Sequence[Message]:
        """Note that somebody who speaks or leaves was there."""
        return [self._known_people()] if self._know(nick) else ()

    def _known_people(self) -> Message:
        return Roster(self.room, tuple(map(Member, self._people.values())))

    def _company(self, room: str, nicks: Sequence[str], line: str) -> Sequence[Message]:
        """Handle the answer to a /who."""
        question = self._asked.popleft() if self._asked else None
        roster = [Roster(self.room, tuple(map(Member, nicks)))] if self._is_here(room) else []
        if question is None:
            return [*roster, *self._noticed(line)]
        refused = self._give_up(question.texts)
        return [*refused, *(() if self._moving else self._stay()), *roster]

    def _ask(self, room: str = "") -> None:
        self._asked.append(_Question(tuple(self.state.unacked), room))
        self._send("/who\n")

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def _enter_the_only_room(self) -> list[Message]:
        self.room = self._lobby = self._only_room
        self._know(self.nick)
        entered = InRoom(self.room, wording.CONNECTED)
        return [self._linked(), entered, *self._stay(), self._known_people()]

    def _greeting(self, line: str) -> str:
        """Return the server's words, with those of its welcome the first time."""
        words = line.removeprefix("*** ")
        return words if self._lobby else f"{wording.CONNECTED}\n{words}"

    def _entered(self, room: str, nick: str, line: str) -> Sequence[Message]:
        """Note that we are in another room; at first in the one that the server has chosen."""
        before, self.room, self.nick = self.room, room, nick
        self.admitted = self.admitted or not self._wanted or self._is_here(self._wanted)
        entered = InRoom(room, self._greeting(line))
        if not self._lobby:
            self._lobby = room
            self._go_on()
        self._asked = deque(_if_there(question, room) for question in self._asked)
        if not before or self._is_here(before):
            return [entered]
        self.state.rooms.pop(before, None)
        return [OutOfRoom(before), entered]

    def _go_on(self) -> None:
        """Go to the room where we were, or want to be."""
        wanted = self.state.rooms
        if wanted and self.room not in wanted:
            name, _ = list(wanted.values())[-1]
            self._go_to(name)
        else:
            self._ask()

    def _go_to(self, room: str) -> None:
        """Go to a room. Nothing is sent until we know whether we got there."""
        self.state.rooms.pop(room, None)
        self.state.rooms[room] = room, ""
        self._send(f"/join {room}\n")
        self._ask(room)

    @property
    def _moving(self) -> bool:
        return any(question and question.room for question in self._asked)

    def _stay(self) -> Sequence[Message]:
        """Note that we stay here, and so are in no other room."""
        gone = [name for name, _ in self.state.rooms.values() if not self._is_here(name)]
        self.state.rooms.clear()
        if self.room:
            self.state.rooms[self.room] = self.room, ""
        return list(map(OutOfRoom, gone))

    def _sent_out(self, line: str) -> Sequence[Message]:
        """Note that we were removed; with the tutorial's server, that somebody left who has the
        same nickname.
        """
        if self._tutorial or not self.room:
            return self._noticed(line)
        self.room = ""
        return self._stay()

    def join(self, room: str, key: str = "") -> None:
        """Go to another room, and leave this one, once everything before it is said. Raises
        Unsupported. Rooms have no keys here.
        """
        room = room_name(room)
        on_the_way = self._moving or any(isinstance(what, str) for what in self.state.unsent)
        if self._is_here(room) and not on_the_way:
            raise Unsupported(f"You are already in {room}.")
        if self._tutorial:
            raise Unsupported("This server has only one room.")
        if len(room.split()) != 1:
            raise Unsupported(f"{shown(room)} cannot be a room.")
        self.state.unsent.append(body("JOIN", room))
        self._prepare()

    def part(self, room: str, why: str = "") -> None:
        """Go back to the first room, which cannot be left."""
        if not self._is_here(room):
            self.state.rooms.pop(room, None)
            self._own.append(OutOfRoom(room))
        elif fold(room) != fold(self._lobby):
            self.join(self._lobby)
        else:
            self._own.append(InRoom(self.room))
            self._own.append(Notice("On this server you are always in a room.", room=self.room))
            if self._tutorial:
                self._own.append(self._known_people())
            else:
                self._ask()

    # ── what was said ──────────────────────────────────────────────────────────────────────

    def _said(self, said: Said) -> Sequence[Message]:
        if self.framed and self.room and not said.to:
            self._replay.remember(said)
        if self._is_me(said.nick) and (arrived := self._arrived(said)):
            return arrived
        return [said] if said.to else [*self._meet(said.nick), said]

    def _arrived(self, said: Said) -> Sequence[Message]:
        """Acknowledge a text of ours; the server may have changed its words."""
        texts = [text for text in self.state.unacked if is_to(text, said)]
        same = (text for text in texts if self._replay.is_of(text, said))
        text = next(same, texts[0] if texts and self.framed else None)
        if text is None:
            return ()
        before = tuple(self.state.unacked)[: self.state.unacked.index(text)]
        self.state.acknowledge(text.token)
        return [*self._overtaken(before), Acknowledged(text.token)]

    def _overtaken(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """Settle earlier texts. The tutorial's server refuses nothing, so they have arrived."""
        if self.framed:
            return self._give_up(texts)
        return [Acknowledged(t.token) for t in texts if self.state.acknowledge(t.token)]

    def _give_up(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """Fail those of these texts that have not come back: they were refused."""
        return self._lost(texts, self._complaint or "The server has refused it.")

    def _lost(self, texts: Sequence[Unacked], why: str) -> Sequence[Message]:
        return self.state.fail([t for t in texts if self.state.acknowledge(t.token)], why)

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """Say each line as one message, or as several if it is too long."""
        if len(target.split()) != 1 or ":" in target:
            self.refuse(target, f"Nobody can be called {shown(target)}.")
            return
        if is_invisible(text):
            self.refuse(target, INVISIBLE)
            return
        most = _READ - len(self._encode(f"{self.nick}: "))
        said = [
            piece
            for line in lines_of(text)
            for piece in (pieces(line, most) if self._tutorial else [line])
        ]
        for number, piece in enumerate(said, 1):
            self.take_on(on_its_way(token_of(token, number), target, piece, action))

    def data_to_send(self, now: float) -> bytes:
        self._prepare(now)
        if not self.state.unacked:
            self._complaint, self._in_doubt = "", False
        if self._in_doubt and not any(self._asked):
            self._in_doubt = False
            self._ask()
        return super().data_to_send(now)

    def _prepare(self, now: float = math.inf) -> None:
        """Send what may be sent now."""
        while self.state.unsent and self._may_send(now):
            text = self.state.unsent.popleft()
            if isinstance(text, str):  # other lines of IRC are left by another session
                command, room = (*text.split(), "", "")[:2]
                if command == "JOIN":
                    self._go_to(room)
                continue
            if why := self._obstacle(text):
                self._own += self.state.fail([text], why)
                continue
            self.state.unacked.append(text)
            self._send(self._written(text) + ("\n" if self.framed else ""))
            self._echo_by = now + _ECHO

    def _may_send(self, now: float) -> bool:
        if not self._lobby or self._moving or (self._leaving and self.framed):
            return False
        if self.framed:
            return not self.state.full
        return not self.state.unacked or now >= self._echo_by

    def _obstacle(self, text: Unacked) -> str:
        """Return why a text cannot be said now; empty if it can. A text for IRC may have several
        lines: here the second would be a message of its own, or a command.
        """
        if "\n" in text.text:
            return ONE_LINE
        if is_room(text.target):
            return "" if self._is_here(text.target) else self._elsewhere(text.target)
        if self._tutorial:
            return "On this server everybody hears everything."
        return "On this server that can only be said in a room." if text.action else ""

    def _elsewhere(self, room: str) -> str:
        where = f"You are in {self.room}" if self.room else "You are not in a room"
        return where + ("." if self._tutorial else f": /join {room} goes there.")

    def _written(self, text: Unacked) -> str:
        if not self.framed:
            return f"* {self.nick} {text.text}" if text.action else f"{self.nick}: {text.text}"
        if not is_room(text.target):
            return f"/msg {text.target} {text.text}"
        if text.action:
            return f"/me {text.text}"
        return f"/{text.text}" if text.text.startswith("/") else text.text

    @property
    def waiting(self) -> bool:
        return bool(self.state.unsent) and not (self._leaving and self.framed)

    @property
    def due(self) -> float:
        return self._echo_by if self.state.unsent and self._tutorial else math.inf

    # ── what else we want ──────────────────────────────────────────────────────────────────

    def command(self, line: str, target: str = "") -> None:
        try:
            self._command(spelled_out(" ".join(lines_of(line))), target)
        except Unsupported as error:
            self.refuse(target, str(error))

    def _command(self, line: str, target: str) -> None:
        """Run a command. If an argument is missing, the server says so."""
        word, first, rest = (*line[1:].split(maxsplit=2), "", "", "")[:3]
        match word.lower():
            case "me" if first:
                self.say_to(self._place(target), line.split(maxsplit=1)[1], action=True)
            case "msg" if rest:
                self.say_to(first, rest)
            case "join" if first:
                self.join(first.partition(",")[0])
            case "part":
                self.part(self._place(target))
            case verb:
                self._hand_on(verb, line, target)

    def _place(self, target: str) -> str:
        if not (target or self.room):
            raise Unsupported("You are not in a room.")
        return target or self.room

    def _hand_on(self, verb: str, line: str, target: str) -> None:
        """Send a command to the server, which says if it does not know it."""
        if self._tutorial:
            raise Unsupported("This server has no commands.")
        if verb in OF_THE_ROOM and self._moving:
            raise Unsupported("You are on your way to another room.")
        if verb in OF_THE_ROOM and target and not self._is_here(target):
            raise Unsupported(self._elsewhere(target) if is_room(target) else "This is not a room.")
        self._prepare()
        self._send(line + "\n")
        if verb == "who":
            self._asked.append(None)

    def history(self, target: str, before: str, limit: int) -> None:
        """Answer with nothing: there is no history but what newcomers are shown."""
        self._own.append(PageEnd(target, 0, complete=True))

    def away(self, text: str) -> None:
        """Raises Unsupported if there is a text: nobody is away here."""
        if text:
            raise Unsupported("This server does not know who is away.")

    def raw(self, line: str) -> None:
        """Raises Unsupported."""
        raise Unsupported("This server does not speak IRC.")

    # ── the end ────────────────────────────────────────────────────────────────────────────

    def finish(self, words: str) -> None:
        """Leave. With trio-chat, what could not be said by now stays unsaid."""
        self._leaving = True
        super().finish(words)

    def cut(self) -> Sequence[Message]:
        """Fail what has not come back: nobody will tell whether it arrived. A server that has not
        let us in was sent nothing: the next one may still tell of what was sent before, or take it
        again, for this may be an IRC server that is stopping and greets everybody in plain.
        """
        return self._lost(tuple(self.state.unacked), MAYBE_LOST) if self.admitted else ()


def _if_there(question: _Question | None, room: str) -> _Question | None:
    """Return the question, without its room if we are there: texts need not wait any more."""
    there = question and fold(question.room) == fold(room)
    return replace(question, room="") if question and there else question
