"""A client's connection where plain is spoken: to be greeted and let in, to frame, and to leave.

It talks with trio-chat, which frames by newlines and says who speaks, and with the tutorial's
server, which does neither: there, whatever one read returns is one message, and who speaks is
what the speaker puts in front. The first thing that a server says of the chat tells which it is.

Both greet with ``NICK``, but trio-chat only those who do not speak first. So a client that is not
greeted soon speaks first, and thereby is known to frame by newlines from the start.
"""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.events import Joined, Kicked, Left, Renamed, Said, TopicSet
from trio_chat.core.names import fold
from trio_chat.core.views import Notice, Topic
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import LINE_BYTES, Earlier, Message
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
)

# After our last word. trio-chat closes the connection by itself; the tutorial's server never does.
_SILENCE = 5.0  # seconds
_SILENCE_UNFRAMED = 1.0  # seconds


#: How trio-chat begins to say that it does not know a command.
UNKNOWN_COMMAND = "There is no command /"

# How trio-chat asks for a password.
_ASKED = "This chat has a password."


class PlainLink:
    """``room`` is where we are, if the server has any; ``wanted`` is where it has to let us in.
    ``farewell`` is why the server ends the connection, if that was the last that it said.
    """

    def __init__(
        self, nick: str | Alternates, *, encoding: str, password: str = "", wanted: str = ""
    ) -> None:
        self._nicks = nick if isinstance(nick, Alternates) else Alternates(nick, allowed=False)
        self.nick, self.room = self._nicks.nick, ""
        self.admitted = False
        self.framed = False
        self.farewell = ""
        self._wanted = wanted
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

    def _send(self, *texts: str) -> None:
        self._to_send += b"".join(map(self._encode, texts))

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

    def _understand(self, line: str, heard: Heard) -> Message:
        """What a line tells us, read as ``heard``. Raises NotAdmitted if we may not come in."""
        notice = Notice(line.removeprefix("*** "))
        self.farewell = ""
        match heard:
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
            case NearNick() | Company() | Topic() | Kicked():
                return notice
            case Notice(text) if text.endswith(GOODBYE):
                self.farewell = text.removesuffix(GOODBYE)
                return notice
            case Said() if self._earlier:
                self._earlier -= 1
                return Earlier(replace(heard, room=self.room))
            case Said(to="") | Joined() | Left() | TopicSet():
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
        """We are in a room; maybe not yet in the one where we have to be."""
        there = not self._wanted or fold(self.room) == fold(self._wanted)
        self.admitted = self.admitted or there

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")


def _text(line: bytes | None, encoding: str) -> str:
    return "*** A line was too long." if line is None else line.decode(encoding, "replace")
