"""The client's end of the plain dialect.

It talks with trio-chat, which frames by newlines and says who speaks, and with the tutorial's
server, which does neither: there, whatever one read returns is one message, and who speaks is
what the speaker puts in front. The first thing that a server says of the chat tells which it is.

Both greet with ``NICK``, but trio-chat only those who do not speak first. So a client that is not
greeted soon speaks first, and thereby is known to frame by newlines from the start.
"""

import math
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
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import LINE_BYTES, ClientSession, Earlier, Message
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import (
    CONNECTED,
    GOODBYE,
    GREETING,
    Company,
    InRoom,
    NearNick,
    Replay,
    Welcome,
    reading,
)

# After our last word. trio-chat closes the connection by itself; the tutorial's server never does.
_SILENCE = 5.0  # seconds
_SILENCE_UNFRAMED = 1.0  # seconds


# How trio-chat asks for a password.
_ASKED = "This chat has a password."


class PlainClientSession(ClientSession):
    """``unheard`` counts what we have said and the server has not sent back; ``farewell`` is why it
    ends the connection, if that was the last that it said.
    """

    def __init__(self, nick: str, *, encoding: str, password: str = "") -> None:
        self.nick, self.room = nick, ""
        self.admitted = False
        self.framed = False
        self.unheard = 0
        self.farewell = ""
        self._encoding, self._password = encoding, password
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
        return [self._understand(line) for line in self._texts(data)]

    def _texts(self, data: bytes) -> Sequence[str]:
        """What the server says, line by line or, without lines, piece by piece."""
        data = self._without_greeting(data)
        # Slow to greet, the tutorial's server has taken our newline for a part of our nickname.
        self._tutorial = self._tutorial or data.startswith(self._encode(self.nick + "\n"))
        self.framed = self.framed or (b"\n" in data and not self._tutorial)
        lines = self._lines.feed(data) if self.framed else self._unframed(data)
        return [_text(line, self._encoding) for line in lines]

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
        return False

    @property
    def due(self) -> float:
        return math.inf

    @property
    def doubtful(self) -> int:
        """No line says that it is one that has come before, so nothing can be sent again."""
        return max(0, self.unheard)

    def say(self, text: str) -> None:
        """Blank lines are no messages."""
        if not self.framed:
            self._send(*(f"{self.nick}: {line}" for line in _lines(text)))
            return
        lines = [f"/{line}" if line.startswith("/") else line for line in _lines(text)]
        self.unheard += len(lines)
        self._send(*(line + "\n" for line in lines))

    def command(self, line: str) -> None:
        if not self.framed:
            raise Unsupported("This server knows no commands.")
        self._send(" ".join(_lines(line)) + "\n")

    def _send(self, *texts: str) -> None:
        self._to_send += b"".join(map(self._encode, texts))

    def own_messages(self) -> Sequence[Message]:
        """None: the server sends back what we say."""
        return ()

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
                self.admitted = True
                return notice
            case InRoom(room, nick):
                self.room, self.nick = room, nick
                return notice
            case Replay(count):
                self._earlier = count
                return notice
            case Notice(text) if text.startswith(_ASKED) and self._password and not self.admitted:
                self._send(self._password + "\n")
                self._password = ""  # it is right or wrong the first time
                return notice
            case NearNick(why) | Notice(why) if line.startswith("***") and not self.admitted:
                # A near nickname is a refusal too: whoever runs us has chosen another.
                raise NotAdmitted(why)
            case NearNick() | Company() | Topic() | Kicked():
                return notice
            case Notice(text) if text.endswith(GOODBYE):
                self.farewell = text.removesuffix(GOODBYE)
                return notice
            case Said() if self._earlier:
                self._earlier -= 1
                return Earlier(replace(heard, room=self.room))
            case Said(to=""):
                self.unheard -= heard.nick == self.nick
                return replace(heard, room=self.room)
            case Joined() | Left() | TopicSet():
                return replace(heard, room=self.room)
            case Renamed(self.nick, to):
                self.nick = to
                return heard
            case _:
                return heard

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")


def _text(line: bytes | None, encoding: str) -> str:
    return "*** A line was too long." if line is None else line.decode(encoding, "replace")


def _lines(text: str) -> Sequence[str]:
    return [line for line in text.split("\n") if line.strip()]
