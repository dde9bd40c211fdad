"""The client's end of IRC: modern.ircdocs.horse, and of ircv3.net what the server offers of it.

It speaks first, enters one room, and is in one room at a time, as somebody plain is: nothing in a
line on a terminal says which room it is from. What a line of the server's means is found in the
table of ``heard``, what a slash command asks for in that of ``slash``.
"""

import math
from collections import deque
from collections.abc import Sequence

from trio_chat.core.events import NOWHERE, Notice, Origin, Said
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import LINE_BYTES, ClientSession, Message
from trio_chat.protocols.irc.catchup import CatchUp
from trio_chat.protocols.irc.heard import Batch, understand
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body, parse
from trio_chat.protocols.irc.past import ID_TAG, Past, Unacked, new_token
from trio_chat.protocols.irc.penalty import Penalty
from trio_chat.protocols.irc.slash import SEARCH, read_slash, room_name
from trio_chat.protocols.irc.text import CTCP, FRAMES, is_room, pieces, shown
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import GOODBYE, GREETING

#: trio-chat's own: to show who we were, so that what we send twice is not shown twice.
IDENTITY = "trio-chat/identity"

#: What we ask for, if the server has it: to hear ourselves, to be told what was said before we
#: came as such and when, to know more of people, and to be told of changes and refusals.
WANTED = {
    *("account-tag", "away-notify", "batch", "cap-notify", "chghost", "draft/chathistory"),
    *("echo-message", "extended-join", "message-tags", "server-time", "standard-replies"),
    IDENTITY,
    SEARCH,
}

# A server answers a PING, however slowly it lets us talk; after QUIT it closes the connection.
_SILENCE = 30.0  # seconds
_SILENCE_AFTER_QUIT = 5.0  # seconds

# What others see before our text: until we know our address, the longest that servers make of it.
_LONGEST_ADDRESS = "x" * (10 + 1 + 63)  # user, "@" and host

# Of a text that goes to a name of hundreds of bytes: the server may refuse that, not we.
_SHORTEST = 10  # bytes in a piece

# Questions of other clients whose answers wait to be sent; more are not answered, lest somebody
# who asks much makes us send too much.
_ANSWERS_MAX = 3

# What an IRC server may say without naming itself as the source, before it has let us in.
_SERVER_WORDS = {"AUTHENTICATE", "BATCH", "CAP", "ERROR", "FAIL", "NOTE", "NOTICE", "PING", "WARN"}


class IrcClientSession(ClientSession):
    """``past`` is what stays for the next connection. ``farewell`` is why the server ends this one,
    if it says so.

    What is not UTF-8 is read in ``encoding``; what we say is UTF-8.
    """

    framed = True

    def __init__(
        self, nick: str, *, room: str, encoding: str, past: Past, password: str = ""
    ) -> None:
        self.nick, self.room = nick, ""
        self.past = past
        self.admitted = False
        self.registered = False
        self.farewell = ""
        self.leaving = False  # whether we have said QUIT
        self.paced = True  # whether the server closes connections that write too fast
        self.offered: set[str] = set()
        self.caps: set[str] = set()
        self.address = ""  # ours, ``user@host``, as others see it
        self.names: dict[str, list[str]] = {}  # of rooms, while they are being told
        self.entering: set[str] = set()  # rooms of which we are about to be told who is in them
        self.batches: dict[str, Batch] = {}  # those that are open
        self._wanted: list[str] = []  # kinds of batches that somebody at our side waits for
        self.catch_up = CatchUp(self.past, self.send)
        self._identified = False
        self._asked = [self.past.room or room_name(room)]  # rooms that we are on the way to
        self._keys: dict[str, str] = {self._asked[0].lower(): self.past.key}
        self._chosen = False  # whether we are in a room because we asked for it
        self._new_room = ("", "")  # that we have just entered, and when
        self._left: set[str] = set()  # rooms that we have left for another one
        self._encoding = encoding
        self._lines = LineBuffer(LINE_BYTES)
        self._is_irc = False  # known once the server has said something
        self._talking = False  # whether what is waiting may be sent
        self._asked_about: Sequence[Unacked] = ()  # texts that have come back with the next PONG
        self._last_words: str | None = None
        self._rounds = 0  # of PING and PONG that there may be before we leave
        self._own: list[Message] = []
        self._to_send: list[str] = []  # by ourselves, and at once
        self._outgoing: deque[str] = deque()  # what we are to say or do
        self._answers: deque[str] = deque()
        self._penalty = Penalty()
        self._uncounted = 0  # lines of which the penalty does not know yet
        self._introduce(password)

    def _introduce(self, password: str) -> None:
        """Servers without capabilities answer CAP with an error, or not at all."""
        user = "".join(char for char in self.nick if char.isascii() and char.isalnum())[:10]
        self.send("CAP", "LS", "302")
        if password:
            self.send("PASS", password)
        self.send("NICK", self.nick)
        self.send("USER", user or "user", "0", "*", self.nick)

    # ── what the server says ───────────────────────────────────────────────────────────────

    @property
    def silence(self) -> float:
        return _SILENCE_AFTER_QUIT if self.leaving else _SILENCE

    @property
    def undelivered(self) -> str:
        words = self.farewell or "The server closed the connection."
        missing = len(self.past.unacked) + len(self.past.waiting)
        if missing and not self.leaving:
            return f"{words} {missing} of our messages did not come back"
        # Without echoes only the PONG tells that all has arrived.
        waited = self._last_words is not None and "echo-message" not in self.caps
        return words if waited and not self.leaving else ""

    def receive_data(self, data: bytes) -> Sequence[Message]:
        lines = self._lines.feed(data)
        return [message for line in lines for message in self._understand(line)]

    def _understand(self, data: bytes | None) -> Sequence[Message]:
        if data is None:
            return [Notice("A line was too long.")]
        text = self._decode(data)
        line = parse(text)
        if line is None or text == GREETING:  # trio-chat has asked, and we had spoken already
            return ()
        if not self._is_irc:
            self._recognise(line, text)
        shown = [m for message in understand(self, line) for m in self.catch_up.in_turn(message)]
        return [*shown, *self._settle()]

    def _settle(self) -> Sequence[Message]:
        """What follows once all that a line tells is told."""
        waited: Sequence[Message] = ()
        room, time = self._new_room
        self._new_room = ("", "")
        if room and {"batch", "draft/chathistory"} <= self.caps:
            waited = self.catch_up.begin(room, time)
        # What we said before a cut, and somebody has seen, may be in what we are catching up with.
        if self.admitted and not (self._talking or (self.catch_up.room and self.past.unacked)):
            self._talking = True
            return [*waited, *self._send_again()]
        return waited

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode(self._encoding, "replace")

    def _recognise(self, line: Line, text: str) -> None:
        command = line.command
        self._is_irc = bool(line.source) or command.isdecimal() or command in _SERVER_WORDS
        if not self._is_irc:
            raise NotAdmitted(
                f"this server speaks no IRC; try --protocol plain. It says: {shown(text[:200])}"
            )

    def send(self, command: str, *params: str) -> None:
        """Before everything that waits. Neither registration nor a PONG has a penalty."""
        self._to_send.append(body(command, *params))
        self._uncounted += self.registered and command != "PONG"

    def answer(self, command: str, *params: str) -> None:
        """To somebody whom nothing keeps from asking much: so it has to wait, or is dropped."""
        if len(self._answers) < _ANSWERS_MAX:
            self._answers.append(body(command, *params))

    def ping(self) -> bool:
        """With the answer, all that was said before has been dealt with, too."""
        self._asked_about = self._asked_about or tuple(self.past.unacked)
        self.send("PING", "alive")
        return True

    # ── capabilities ───────────────────────────────────────────────────────────────────────

    def ask_for_caps(self) -> None:
        """Of what the server offers; it must not wait for more if we want nothing."""
        possible = self.offered & WANTED - self.caps
        if "batch" not in self.offered:  # then nobody could tell what is history
            possible -= {"draft/chathistory"}
        if wanted := sorted(possible):
            self.send("CAP", "REQ", " ".join(wanted))
        else:
            self.end_of_caps()

    def acknowledged(self, caps: set[str]) -> None:
        self.caps |= {cap for cap in caps if not cap.startswith("-")}
        if IDENTITY in self.caps and not self.registered and not self._identified:
            self._identified = True
            self.paced = False
            self.send("IDENTITY", self.past.secret)
        self.end_of_caps()

    def end_of_caps(self) -> None:
        if not self.registered:
            self.send("CAP", "END")

    def not_identified(self) -> None:
        """The server could not tell what we said before from something new."""
        self._identified = False

    @property
    def _echoes(self) -> bool:
        return "echo-message" in self.caps

    @property
    def tells_twice_said(self) -> bool:
        """Whether the server shows a text that is sent twice only once, and to us each time."""
        return self._identified and self._echoes and "message-tags" in self.caps

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Each line of it is a message, or several if it is too long; blank ones are none."""
        if not self.waiting:
            self.here()
        lines = [f"/{line}" if line.startswith("/") else line for line in _lines(text)]
        self.past.waiting.extend(lines)

    def command(self, line: str) -> None:
        line = " ".join(_lines(line))
        if self._may_unfold:
            self._outgoing.extend(read_slash(self, line))
        else:
            self.past.waiting.append(line)

    @property
    def waiting(self) -> bool:
        return bool(self.past.waiting or self._outgoing)

    @property
    def due(self) -> float:
        return self._penalty.over_at if self._outgoing or self._answers else math.inf

    @property
    def doubtful(self) -> int:
        """What has not been acknowledged is sent again, or told of, on the next connection."""
        return 0

    def data_to_send(self, now: float) -> bytes:
        lines, self._to_send = self._to_send, []
        for _ in range(self._uncounted):
            self._penalty.count(now)
        self._uncounted = 0
        while line := self._next_line(now):
            lines.append(line)
        return _encoded(lines)

    def _next_line(self, now: float) -> str:
        """What is to be sent next; nothing if it has to wait."""
        self._unfold()
        line = next(iter(self._outgoing or self._answers), "")
        if not line or (self.paced and now < self._penalty.over_at):
            return ""
        (self._outgoing or self._answers).popleft()
        self._penalty.count(now)
        return line

    @property
    def _may_unfold(self) -> bool:
        full = self._echoes and self.past.full
        return self._talking and not (self._outgoing or self.past.waiting or full)

    def _unfold(self) -> None:
        """What waits becomes lines when its turn has come: only then it is known for which room."""
        while self._talking and self.past.waiting and not self._outgoing:
            if self._echoes and self.past.full:
                # What a server has dropped without a word must not keep the rest for ever.
                if not self._asked_about:
                    self.ping()
                return
            self._outgoing.extend(self._lines_of(self.past.waiting.popleft()))
        if self._rounds == 2 and self._talking and not (self.waiting or self.leaving):
            self._rounds = 1
            self._outgoing.append("PING finish")

    def _lines_of(self, line: str) -> Sequence[str]:
        """A slash begins a command; two of them, a text that begins with one."""
        try:
            if line.startswith("/") and not line.startswith("//"):
                return read_slash(self, line)
            return self.talk(self.here(), line.removeprefix("/"))
        except Unsupported as error:
            self.tell(str(error))
            return ()

    def talk(self, target: str, text: str, action: bool = False) -> Sequence[str]:
        """The lines that say ``text`` to a room or a person."""
        start, end = FRAMES[action]
        source = f"{self.nick}!{self.address or _LONGEST_ADDRESS}"
        empty = f":{source} PRIVMSG {target} :{start}{end}\r\n"
        most = max(LINE_MAX - len(empty.encode("utf-8", "replace")), _SHORTEST)
        said = [piece for line in _lines(text) for piece in pieces(line, most)]
        lines = [body("PRIVMSG", target, f"{start}{piece}{end}") for piece in said]
        if not self._echoes:
            self._hear(target, said, action)
            return lines
        unacked = [
            Unacked(new_token(), target, piece, line)
            for piece, line in zip(said, lines, strict=True)
        ]
        self.past.unacked.extend(unacked)
        return [self._tagged(text) for text in unacked]

    def _tagged(self, text: Unacked) -> str:
        return f"@{ID_TAG}={text.token} {text.line}" if "message-tags" in self.caps else text.line

    def _hear(self, target: str, said: Sequence[str], action: bool) -> None:
        """Who says something is shown it, either way."""
        room, to = (target, "") if is_room(target) else ("", target)
        self._own += [
            Said(room, self.nick, shown(piece), action=action, to=to, origin=self._origin())
            for piece in said
        ]

    def _send_again(self) -> Sequence[Message]:
        """We are where we were before the cut. What is on its way since then may have arrived."""
        if self.tells_twice_said:
            self._to_send += map(self._tagged, self.past.unacked)
            return ()
        return self._give_up(tuple(self.past.unacked))

    def _give_up(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """Those of them that have not come back will not."""
        lost = [text for text in texts if self.past.acknowledge(text.token)]
        return [Notice(f"This may not have arrived: {shown(text.text)}") for text in lost]

    def alive(self) -> Sequence[Message]:
        """The server has answered."""
        texts, self._asked_about = self._asked_about, ()
        return self._give_up(texts)

    def echoed(self, token: str, target: str) -> None:
        """Something of ours has come back. A server without tags echoes in order."""
        if not (token or self.tells_twice_said):
            _ = self.past.take({target.lower()}) or self.past.take()

    def refused(self, targets: Sequence[str]) -> Sequence[Message]:
        """The server has not taken what was said to one of these; which one, the order tells."""
        text = self.past.take({target.lower() for target in targets} or None)
        return [Notice(f"Not sent: {shown(text.text)}")] if text else []

    def _origin(self) -> Origin:
        user, _, host = self.address.partition("@")
        return Origin(user, host) if host else NOWHERE

    def want(self, kind: str) -> None:
        """Somebody at our side has asked for a batch of this kind."""
        self._wanted.append(kind)

    def wanted(self, kind: str) -> bool:
        """Whether that is what this one is: then it has come now."""
        if kind not in self._wanted:
            return False
        self._wanted.remove(kind)
        return True

    def tell(self, text: str) -> None:
        """To the person at our side, by ourselves."""
        self._own.append(Notice(text))

    def own_messages(self) -> Sequence[Message]:
        messages, self._own = self._own, []
        return messages

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def is_me(self, nick: str) -> bool:
        return nick.lower() == self.nick.lower()

    def here(self) -> str:
        """The room that we are in, or on the way to. Raises Unsupported."""
        if not self._target:
            raise Unsupported("You are in no room. /join ROOM enters one.")
        return self._target

    @property
    def _target(self) -> str:
        return self._asked[-1] if self._asked else self.room

    def enter(self) -> None:
        """We are registered: go to the room we want."""
        self.registered = True
        self.send(*_join(self._asked[0], self.past.key))

    def go_to(self, room: str, key: str) -> Sequence[str]:
        """What we say from now on is for that room; the one we are in is left once we are there."""
        if room.lower() == self._target.lower():
            raise Unsupported(f"You are in {room} already.")
        self._asked.append(room)
        self._keys[room.lower()] = key
        return [body(*_join(room, key))]

    def entered(self, room: str, time: str) -> None:
        """We are in it, since ``time`` if the server says so. Rooms that we did not ask for (a
        bouncer enters them) change nothing.
        """
        asked = self.answered(room)
        self.admitted = True
        self.entering.add(room.lower())
        if not asked and self.room:
            return
        if self.room and self._chosen:
            self._left.add(self.room.lower())
            self.send("PART", self.room)
        self.room, self._chosen = room, asked
        self.past.enter(room, self._keys.pop(room.lower(), ""))
        self._new_room = room, time

    def answered(self, room: str) -> bool:
        """Whether we have asked to enter it; then that is answered now, as all before it was."""
        for index, asked in enumerate(self._asked):
            if asked.lower() == room.lower():
                del self._asked[: index + 1]
                return True
        return False

    def left(self, room: str) -> bool:
        """We are not in it any more. Returns whether that is news."""
        self.past.leave(room)
        if room.lower() == self.room.lower():
            self.room = ""
        known = room.lower() in self._left
        self._left.discard(room.lower())
        return not known

    # ── the end ────────────────────────────────────────────────────────────────────────────

    def finish(self, words: str) -> bool:
        """A server that gets QUIT may drop what it has not dealt with. What it has is in order
        before its PONG; so that is waited for, and for what is to come back after it one more.
        """
        self._last_words = words
        self._rounds = 2
        return False

    def ponged(self) -> Sequence[Message]:
        if self._last_words is None or self.leaving:
            return ()
        if self.past.unacked and self._rounds:
            self._rounds = 0
            self.send("PING", "finish")
            return ()
        self.leaving = True
        self.send("QUIT", *([self._last_words] if self._last_words else []))
        return self._give_up(tuple(self.past.unacked))

    def ended(self, why: str) -> Sequence[Message]:
        """The server ends the connection."""
        if not self.admitted:
            raise NotAdmitted(why)
        if self.leaving:
            return ()
        self.farewell = why.removesuffix(GOODBYE)
        return [Notice(why)]


def _join(room: str, key: str) -> Sequence[str]:
    return ["JOIN", room, key] if key else ["JOIN", room]


def _encoded(lines: Sequence[str]) -> bytes:
    return "".join([line + "\r\n" for line in lines]).encode("utf-8", "replace")


def _lines(text: str) -> Sequence[str]:
    """A text that begins like a question of clients among themselves (CTCP) must not be one."""
    lines = (line.lstrip(CTCP).removesuffix("\r") for line in text.split("\n"))
    return [line for line in lines if line.strip()]
