"""The client's end of the plain dialect.

It talks with trio-chat, which frames by newlines and says who speaks, and with the tutorial's
server, which does neither: there, whatever one read returns is one message, and who speaks is
what the speaker puts in front. The first thing that a server says of the chat tells which it is.

Both greet with ``NICK``, but trio-chat only those who do not speak first. So a client that is not
greeted soon speaks first, and thereby is known to frame by newlines from the start.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.events import (
    Joined,
    Kicked,
    Left,
    Notice,
    Renamed,
    Said,
    Topic,
    TopicSet,
)
from trio_chat.core.names import fold
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import LINE_BYTES, ClientSession, Earlier, Message
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, room_name
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import (
    CONNECTED,
    GOODBYE,
    GREETING,
    Company,
    Heard,
    InRoom,
    NearNick,
    Replay,
    Welcome,
    reading,
)
from trio_chat.protocols.slashes import spelled_out

# After our last word. trio-chat closes the connection by itself; the tutorial's server never does.
_SILENCE = 5.0  # seconds
_SILENCE_UNFRAMED = 1.0  # seconds


# Commands that say something.
_SAYING = ("/me", "/msg")

#: Commands that are about the room that the server has us in.
OF_THE_ROOM = {"history", "invite", "kick", "search", "topic", "who"}

#: How trio-chat begins to say that it does not know a command.
UNKNOWN_COMMAND = "There is no command /"

# How trio-chat asks for a password.
_ASKED = "This chat has a password."


class PlainClientSession(ClientSession):
    """``unheard`` counts what we have said and the server has not sent back; ``farewell`` is why it
    ends the connection, if that was the last that it said.

    ``room`` is where to go, if that is not left to the server. The tutorial's has only one.

    The tutorial's server sends back each byte. What comes may be from others, but if there is less
    than we have said, something of ours is missing: ``unheard_bytes`` is by how much.
    """

    def __init__(
        self, nick: str | Alternates, *, encoding: str, password: str = "", room: str = ""
    ) -> None:
        self._nicks = nick if isinstance(nick, Alternates) else Alternates(nick, allowed=False)
        self.nick, self.room = self._nicks.nick, ""
        self._wanted = room
        self._going = ""  # the fold of a room that we have asked to enter
        self._kept_out = ""  # one that has not let us in: what follows is not meant for another
        self._asked_who: deque[bool] = deque()  # each /who on its way: whether it is our own
        self._held: deque[str] = deque()  # lines that wait until it is known where we are
        self._told: list[Message] = []
        self.admitted = False
        self.framed = False
        self.unheard = self.unheard_bytes = 0
        self._refused = 0  # commands that the server does not know
        self.farewell = ""
        self._encoding, self._password = encoding, password
        self._answered = False  # whether we have said the password, for this nickname
        self._lines = LineBuffer(LINE_BYTES)
        self._introduced = False
        self._greeted = False
        self._tutorial = False  # known by how it tells us that we are in
        self._earlier = 0  # how many of the next messages are replayed
        self._to_send = b""

    def speak_first(self) -> None:
        """No greeting has come: say our nickname unasked, with a newline."""
        if not self._introduced:
            self._introduced = True
            self._send(self.nick + "\n")

    @property
    def silence(self) -> float:
        return _SILENCE if self.framed else _SILENCE_UNFRAMED

    @property
    def undelivered(self) -> str:
        if not (self.farewell and self.doubtful):
            return ""
        return f"{self.farewell} {self.doubtful} of our messages did not come back"

    def receive_data(self, data: bytes) -> Sequence[Message]:
        lines = self._texts(data)
        return [
            told for line in lines if not self._settles(line) for told in [self._understand(line)]
        ]

    def _texts(self, data: bytes) -> Sequence[str]:
        """What the server says, line by line or, without lines, piece by piece."""
        data = self._without_greeting(data)
        self._hear_bytes(len(data))
        # Slow to greet, the tutorial's server has taken our newline for a part of our nickname.
        self._tutorial = self._tutorial or data.startswith(self._encode(self.nick + "\n"))
        self.framed = self.framed or (b"\n" in data and not self._tutorial)
        lines = self._lines.feed(data) if self.framed else self._unframed(data)
        return [_text(line, self._encoding) for line in lines]

    def _hear_bytes(self, count: int) -> None:
        if self.unheard_bytes:
            self.unheard_bytes = max(0, self.unheard_bytes - count)
            self.unheard *= self.unheard_bytes > 0

    def _without_greeting(self, data: bytes) -> bytes:
        """Answer the greeting, once. Beware of people whose name begins like it."""
        greeting, nick = self._encode(GREETING), self._encode(self.nick)
        if self._greeted or self.framed or not data.startswith(greeting):
            return data
        if self._introduced and data.startswith(nick):
            return data
        self._greeted = True
        if not self._introduced:
            self._introduced = True
            self._to_send += nick
        return data[len(greeting) :]

    def data_to_send(self, now: float) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    @property
    def waiting(self) -> bool:
        """The server takes as much as it can, and TCP keeps the rest."""
        return bool(self._held)

    @property
    def due(self) -> float:
        return math.inf

    @property
    def doubtful(self) -> int:
        """No line says that it is one that has come before, so nothing can be sent again."""
        return self.unheard + len(self._held)

    @property
    def unsaid(self) -> int:
        """The server sends back what it does not refuse."""
        return self.doubtful + self._refused

    def say(self, text: str) -> None:
        """Blank lines are no messages."""
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        lines = _lines(text)
        if self._moving:
            self._held.extend(f"/{line}" if line.startswith("/") else line for line in lines)
            return
        if lines:
            self._check_here()
        self.unheard += len(lines)
        if not self.framed:
            texts = [f"{self.nick}: {line}" for line in lines]
            self.unheard_bytes += sum(len(self._encode(text)) for text in texts)
            self._send(*texts)
            return
        self._send(*(f"/{line}\n" if line.startswith("/") else f"{line}\n" for line in lines))

    def command(self, line: str) -> None:
        if not self.framed:
            raise Unsupported("This server knows no commands.")
        line = spelled_out(" ".join(_lines(line)))
        if self._moving:
            self._held.append(line)
            return
        command, _, rest = line.partition(" ")
        verb = command.lower().removeprefix("/")
        if verb == "me" or verb in OF_THE_ROOM:
            self._check_here()
        if command.lower() in _SAYING:
            if is_invisible(rest if verb == "me" else rest.strip().partition(" ")[2]):
                raise Unsupported(INVISIBLE)
            self.unheard += 1
        self._send(f"{command} {rest}".rstrip() + "\n")
        if verb == "join" and rest.strip():
            self._go_to(rest.strip())
        elif verb == "who":
            self._asked_who.append(False)

    # ── to another room ────────────────────────────────────────────────────────────────────

    def _go_to(self, room: str) -> None:
        """It is as with a text: it counts until we are there. The server does all in order, so the
        answer to a /who tells where we are after it.
        """
        self._kept_out = ""
        folded = fold(room_name(room))
        if folded != fold(self.room):
            self.unheard += 1
            self._going = folded
            self._asked_who.append(True)
            self._send("/who\n")

    @property
    def _moving(self) -> bool:
        return any(self._asked_who)

    def _settles(self, line: str) -> bool:
        """Whether it answers our own /who: then it is known where we are, and so what waits for
        that can be said, or not.
        """
        if not self._asked_who or not isinstance(reading(line), Company):
            return False
        if not self._asked_who.popleft():
            return False
        self._kept_out, self._going = self._going, ""
        self._say_held()
        return True

    def _check_here(self) -> None:
        """Raises Unsupported if what is meant for another room would be said in this one."""
        if self._kept_out:
            raise Unsupported(
                f"You are not in {self._kept_out}. /join {self.room} goes on in {self.room}."
            )

    def _say_held(self) -> None:
        while self._held and not self._moving:
            line = self._held.popleft()
            try:
                if line.startswith("/") and not line.startswith("//"):
                    self.command(line)
                else:
                    self.say(line.removeprefix("/"))
            except Unsupported as error:
                self._refused += 1
                self._told.append(Notice(str(error)))

    def _send(self, *texts: str) -> None:
        self._to_send += b"".join(map(self._encode, texts))

    def own_messages(self) -> Sequence[Message]:
        """The server sends back what we say; this is what could not be said."""
        told, self._told = self._told, []
        return told

    def ping(self) -> bool:
        """There is no such thing: TCP asks."""
        return False

    def finish(self, words: str) -> bool:
        """trio-chat takes the end of the stream for it; the tutorial's server knows no last word,
        and neither has a place for ``words``.
        """
        return self.framed

    def _unframed(self, data: bytes) -> list[bytes]:
        """The tutorial's server glues; what it tells us alone can be told apart."""
        self.admitted = self.admitted or bool(data)
        connected = self._encode(CONNECTED)
        before, found, rest = data.partition(connected) if not self._tutorial else (data, b"", b"")
        self._tutorial = self._tutorial or bool(found)
        pieces = [*before.split(b"\n"), found, *rest.split(b"\n")]
        return [piece for piece in pieces if piece]

    def _understand(self, line: str) -> Message:
        """What a line tells us. Raises NotAdmitted if it tells why we may not come in."""
        notice = Notice(line.removeprefix("*** "))
        self.farewell = ""
        match heard := reading(line):
            case Welcome():
                self.admitted = not (self._wanted and self.framed)
                return notice
            case InRoom(room, nick):
                self.room, self.nick = room, nick
                self._arrive()
                return notice
            case Replay(count):
                self._earlier = count
                return notice
            case Notice(text) if text.startswith(_ASKED) and self._may_answer:
                self._send(self._password + "\n")
                self._answered = True  # it is right or wrong the first time
                return notice
            case NearNick() | Notice() if self._try_another(heard, notice.text):
                return notice
            case NearNick(why) | Notice(why) if line.startswith("***") and not self.admitted:
                # A near nickname is a refusal too: whoever runs us has chosen another.
                raise NotAdmitted(why)
            case Notice(text) if text.startswith(UNKNOWN_COMMAND) and line.startswith("***"):
                self._refused += 1
                return notice
            case NearNick() | Company() | Topic() | Kicked():
                return notice
            case Notice(text) if text.endswith(GOODBYE):
                self.farewell = text.removesuffix(GOODBYE)
                return notice
            case Said() if self._earlier:
                self._earlier -= 1
                return Earlier(replace(heard, room=self.room))
            case Said(to=""):
                self._hear(heard)
                return replace(heard, room=self.room)
            case Said():
                self._hear(heard)
                return heard
            case Joined() | Left() | TopicSet():
                return replace(heard, room=self.room)
            case Renamed(self.nick, to):
                self.nick = to
                return heard
            case _:
                return heard

    @property
    def _may_answer(self) -> bool:
        return bool(self._password) and not (self._answered or self.admitted)

    def _try_another(self, heard: Heard, why: str) -> bool:
        """Whether we are not in yet, and the server says that it has no place for our nickname, but
        has given us another one, or lets us say one.
        """
        if self.admitted or not why.startswith(f"The nickname {self.nick} "):
            return False
        if not self._nicks.next(""):
            return False
        if not isinstance(heard, NearNick):
            self.nick, self._answered = self._nicks.nick, False
            self._send(self.nick + "\n")
        return True

    def _arrive(self) -> None:
        """We are in a room; or, if it is not where we want to be at first, we go on to there."""
        if fold(self.room) == self._going:
            self._going, self.unheard = "", max(0, self.unheard - 1)
        if not self.admitted and fold(self.room) != fold(self._wanted):
            self._send(f"/join {self._wanted}\n")
        else:
            self.admitted = True

    def _hear(self, said: Said) -> None:
        if self.framed and said.nick == self.nick:
            self.unheard = max(0, self.unheard - 1)

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")


def _text(line: bytes | None, encoding: str) -> str:
    return "*** A line was too long." if line is None else line.decode(encoding, "replace")


def _lines(text: str) -> Sequence[str]:
    return [line for line in text.split("\n") if line.strip()]
