"""The client's end of IRC: modern.ircdocs.horse, and of ircv3.net what the server offers of it.

It speaks first, enters one room, and is in one room at a time, as somebody plain is: nothing in a
line on a terminal says which room it is from. What a line of the server's means is found in the
table of ``heard``, what a slash command asks for in that of ``slash``.
"""

from collections.abc import Sequence

from trio_chat.core.events import NOWHERE, Notice, Origin, Said
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import LINE_BYTES, ClientSession, Message
from trio_chat.protocols.irc.heard import understand
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body, parse
from trio_chat.protocols.irc.slash import read_slash, room_name
from trio_chat.protocols.irc.text import CTCP, FRAMES, is_room, pieces, shown
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import GOODBYE, GREETING

#: What we ask for, if the server has it: to hear ourselves, to be told what was said before we
#: came as such and when, to know more of people, and to be told of changes and refusals.
WANTED = {
    *("account-tag", "away-notify", "batch", "cap-notify", "chghost", "echo-message"),
    *("extended-join", "message-tags", "server-time", "standard-replies"),
}

# A server answers a PING, however slowly it lets us talk; after QUIT it closes the connection.
_SILENCE = 30.0  # seconds
_SILENCE_AFTER_QUIT = 5.0  # seconds

# What others see before our text: until we know our address, the longest that servers make of it.
_LONGEST_ADDRESS = "x" * (10 + 1 + 63)  # user, "@" and host

# Of a text that goes to a name of hundreds of bytes: the server may refuse that, not we.
_SHORTEST = 10  # bytes in a piece

# What an IRC server may say without naming itself as the source, before it has let us in.
_SERVER_WORDS = {"AUTHENTICATE", "BATCH", "CAP", "ERROR", "FAIL", "NOTE", "NOTICE", "PING", "WARN"}


class IrcClientSession(ClientSession):
    """``unheard`` counts what we have said and the server, if it has echo-message, has not sent
    back; ``farewell`` is why it ends the connection, if it says so.

    What is not UTF-8 is read in ``encoding``; what we say is UTF-8.
    """

    framed = True

    def __init__(self, nick: str, *, room: str, encoding: str) -> None:
        self.nick, self.room = nick, ""
        self.admitted = False
        self.registered = False
        self.unheard = 0
        self.farewell = ""
        self.leaving = False  # whether we have said QUIT
        self.offered: set[str] = set()
        self.caps: set[str] = set()
        self.address = ""  # ours, ``user@host``, as others see it
        self.names: dict[str, list[str]] = {}  # of rooms, while they are being told
        self.entering: set[str] = set()  # rooms of which we are about to be told who is in them
        self.batches: dict[str, str] = {}  # the types of those that are open
        self._asked = [room_name(room)]  # rooms that we are on the way to
        self._chosen = False  # whether we are in a room because we asked for it
        self._left: set[str] = set()  # rooms that we have left for another one
        self._encoding = encoding
        self._lines = LineBuffer(LINE_BYTES)
        self._is_irc = False  # known once the server has said something
        self._last_words: str | None = None
        self._rounds = 0  # of PING and PONG before we leave
        self._own: list[Message] = []
        self._to_send: list[str] = []
        self._introduce()

    def _introduce(self) -> None:
        """Servers without capabilities answer CAP with an error, or not at all."""
        user = "".join(char for char in self.nick if char.isascii() and char.isalnum())[:10]
        self.send("CAP", "LS", "302")
        self.send("NICK", self.nick)
        self.send("USER", user or "user", "0", "*", self.nick)

    # ── what the server says ───────────────────────────────────────────────────────────────

    @property
    def silence(self) -> float:
        return _SILENCE_AFTER_QUIT if self.leaving else _SILENCE

    @property
    def undelivered(self) -> str:
        words = self.farewell or "The server closed the connection."
        if self.unheard and not self.leaving:
            return f"{words} {self.unheard} of our messages did not come back"
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
        return understand(self, line)

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

    def data_to_send(self) -> bytes:
        lines, self._to_send = self._to_send, []
        return _encoded(lines)

    def send(self, command: str, *params: str) -> None:
        self._to_send.append(body(command, *params))

    # ── capabilities ───────────────────────────────────────────────────────────────────────

    def ask_for_caps(self) -> None:
        """Of what the server offers; it must not wait for more if we want nothing."""
        if wanted := sorted(self.offered & WANTED - self.caps):
            self.send("CAP", "REQ", " ".join(wanted))
        else:
            self.end_of_caps()

    def end_of_caps(self) -> None:
        if not self.registered:
            self.send("CAP", "END")

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> bytes:
        """Each line of it is a message, or several if it is too long; blank ones are none."""
        return _encoded(self.talk(self.here(), text))

    def talk(self, target: str, text: str, action: bool = False) -> Sequence[str]:
        """The lines that say ``text`` to a room or a person."""
        start, end = FRAMES[action]
        source = f"{self.nick}!{self.address or _LONGEST_ADDRESS}"
        empty = f":{source} PRIVMSG {target} :{start}{end}\r\n"
        most = max(LINE_MAX - len(empty.encode("utf-8", "replace")), _SHORTEST)
        said = [piece for line in _lines(text) for piece in pieces(line, most)]
        lines = [body("PRIVMSG", target, f"{start}{piece}{end}") for piece in said]
        self._count(target, said, action)
        return lines

    def _count(self, target: str, said: Sequence[str], action: bool) -> None:
        """Who says something is shown it, either way."""
        if "echo-message" in self.caps:
            self.unheard += len(said)
            return
        room, to = (target, "") if is_room(target) else ("", target)
        self._own += [
            Said(room, self.nick, shown(piece), action=action, to=to, origin=self._origin())
            for piece in said
        ]

    def _origin(self) -> Origin:
        user, _, host = self.address.partition("@")
        return Origin(user, host) if host else NOWHERE

    def command(self, line: str) -> bytes:
        return _encoded(read_slash(self, " ".join(_lines(line))))

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
        self.send("JOIN", self._asked[0])

    def go_to(self, room: str, key: str) -> Sequence[str]:
        """What we say from now on is for that room; the one we are in is left once we are there."""
        if room.lower() == self._target.lower():
            raise Unsupported(f"You are in {room} already.")
        self._asked.append(room)
        return [body("JOIN", room, *([key] if key else []))]

    def entered(self, room: str) -> None:
        """We are in it. Rooms that we did not ask for (a bouncer enters them) change nothing."""
        asked = self.answered(room)
        self.admitted = True
        self.entering.add(room.lower())
        if not asked and self.room:
            return
        if self.room and self._chosen:
            self._left.add(self.room.lower())
            self.send("PART", self.room)
        self.room, self._chosen = room, asked

    def answered(self, room: str) -> bool:
        """Whether we have asked to enter it; then that is answered now, as all before it was."""
        for index, asked in enumerate(self._asked):
            if asked.lower() == room.lower():
                del self._asked[: index + 1]
                return True
        return False

    def left(self, room: str) -> bool:
        """We are not in it any more. Returns whether that is news."""
        if room.lower() == self.room.lower():
            self.room = ""
        known = room.lower() in self._left
        self._left.discard(room.lower())
        return not known

    # ── the end ────────────────────────────────────────────────────────────────────────────

    def finish(self, words: str) -> bytes:
        """A server that gets QUIT may drop what it has not dealt with. What it has is in order
        before its PONG; so that is waited for, and for what is to come back after it one more.
        """
        self._last_words = words
        self._rounds = 2
        return _encoded([] if self.leaving else ["PING finish"])

    def ponged(self) -> None:
        if self._last_words is None or self.leaving:
            return
        self._rounds -= 1
        if self.unheard and self._rounds:
            self.send("PING", "finish")
        else:
            self.leaving = True
            self.send("QUIT", *([self._last_words] if self._last_words else []))

    def ended(self, why: str) -> Sequence[Message]:
        """The server ends the connection."""
        if not self.admitted:
            raise NotAdmitted(why)
        if self.leaving:
            return ()
        self.farewell = why.removesuffix(GOODBYE)
        return [Notice(why)]


def _encoded(lines: Sequence[str]) -> bytes:
    return "".join([line + "\r\n" for line in lines]).encode("utf-8", "replace")


def _lines(text: str) -> Sequence[str]:
    """A text that begins like a question of clients among themselves (CTCP) must not be one."""
    lines = (line.lstrip(CTCP).removesuffix("\r") for line in text.split("\n"))
    return [line for line in lines if line.strip()]
