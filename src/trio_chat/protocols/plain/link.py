"""A client's plain connection: greeting, nickname and password, framing, and leaving.

trio-chat ends each line with a newline and says who speaks. The tutorial's server does neither:
what one read returns is one message, and its text begins with the speaker's name. The first thing
that a server says of the chat tells which one it is.

Both greet with ``NICK``, but trio-chat greets only those who do not speak first. So a client that
is not greeted soon speaks first, which also tells trio-chat that it sends newlines.
"""

from collections.abc import Sequence

from trio_chat.errors import NotAdmitted, Uninvited
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import LINE_BYTES, LOCKED, OWNED, UNINVITED
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import (
    ASK_FOR_INVITATION,
    ASK_TO_UNLOCK,
    CONNECTED,
    GOODBYE,
    GREETING,
)

# After our last words. trio-chat closes the connection by itself; the tutorial's server never does.
_SILENCE = 5.0  # seconds
_SILENCE_UNFRAMED = 1.0  # seconds

# What an error is about that only those are spared who log in, which nobody can here.
_ELSEWHERE = "irc"

# The beginnings of trio-chat's requests for a password or an invitation.
_ASKED = tuple(question.partition(".")[0] for question in (ASK_TO_UNLOCK, ASK_FOR_INVITATION))


class PlainLink:
    """``room`` is where we are, if the server has rooms. ``farewell`` is the server's reason for
    ending the connection, if it gave one last.
    """

    def __init__(self, nick: str | Alternates, *, encoding: str, password: str = "") -> None:
        self._nicks = nick if isinstance(nick, Alternates) else Alternates(nick, allowed=False)
        self.nick, self.room = self._nicks.nick, ""
        self.admitted = False
        self.framed = False
        self.farewell = ""
        self._encoding, self._password = encoding, password
        self._answered = False  # whether we have sent the password, for this nickname
        self._lines = LineBuffer(LINE_BYTES)
        self._introduced = False
        self._greeted = False
        self._tutorial = False  # known by how it lets us in
        self._to_send = b""

    def speak_first(self) -> None:
        """Send our nickname unasked, with a newline, as no greeting has come."""
        if not self._introduced:
            self._introduced = True
            self._send(self.nick + "\n")

    @property
    def silence(self) -> float:
        return _SILENCE if self.framed else _SILENCE_UNFRAMED

    def _texts(self, data: bytes) -> Sequence[str]:
        """Cut what the server says into lines, or into pieces if it has no lines."""
        data = self._without_greeting(data)
        # The tutorial's server was slow to greet, and took our newline for part of our nickname.
        self._tutorial = self._tutorial or data.startswith(self._encode(self.nick + "\n"))
        self.framed = self.framed or (b"\n" in data and not self._tutorial)
        lines = self._lines.feed(data) if self.framed else self._unframed(data)
        return [_text(line, self._encoding) for line in lines]

    def _without_greeting(self, data: bytes) -> bytes:
        """Answer the greeting, once. Nicknames may begin like it, too."""
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
        """Plain has no PING: only TCP can tell."""
        return False

    def finish(self, words: str) -> None:
        """Tell trio-chat that we leave; the tutorial's server knows nothing like it. Neither has a
        place for ``words``.
        """
        if self.framed:
            self._send("/quit\n")

    def _unframed(self, data: bytes) -> list[bytes]:
        """Cut a piece where the tutorial's server may have glued messages together."""
        self.admitted = self.admitted or bool(data)
        connected = self._encode(CONNECTED)
        before, found, rest = data.partition(connected) if not self._tutorial else (data, b"", b"")
        self._tutorial = self._tutorial or bool(found)
        pieces = [*before.split(b"\n"), found, *rest.split(b"\n")]
        return [piece for piece in pieces if piece]

    def _answers_server(self, text: str, *, near: bool) -> bool:
        """Hear a sentence of the server's; ``near`` if it has given us a nickname near ours.

        Returns whether we know the answer, so that nobody else need hear it. Raises NotAdmitted if
        it refuses us.
        """
        if text.startswith(_ASKED) and self._may_answer:
            self._send(self._password + "\n")
            self._answered = True  # it is right or wrong the first time
            return True
        if text.startswith(_ASKED) and not (self._password or self.admitted):
            if text.startswith(_ASKED[0]):
                raise Uninvited(LOCKED, about="password")
            raise Uninvited(UNINVITED, about=_ELSEWHERE)
        if self._try_another(text, near=near):
            return False
        if not self.admitted and text.startswith(f"{self.nick} is somebody's: "):
            raise NotAdmitted(OWNED.format(self.nick), about=_ELSEWHERE)
        if not self.admitted:
            # A near nickname is a refusal too: whoever runs us has chosen another.
            if "an account" in text:
                raise NotAdmitted(text.rstrip("."), about=_ELSEWHERE)
            raise Uninvited(text) if "invitation" in text else NotAdmitted(text)
        if text.endswith(GOODBYE):
            self.farewell = text.removesuffix(GOODBYE)
        return False

    @property
    def _may_answer(self) -> bool:
        return bool(self._password) and not (self._answered or self.admitted)

    def _try_another(self, why: str, *, near: bool) -> bool:
        """Try another nickname, if the server refuses ours and asks again or has given us one."""
        if self.admitted or not why.startswith(f"The nickname {self.nick} "):
            return False
        if not self._nicks.next(""):
            return False
        if not near:
            self.nick, self._answered = self._nicks.nick, False
            self._send(self.nick + "\n")
        return True

    def _encode(self, text: str) -> bytes:
        return text.encode(self._encoding, "replace")


def _text(line: bytes | None, encoding: str) -> str:
    return "*** A line was too long." if line is None else line.decode(encoding, "replace")
