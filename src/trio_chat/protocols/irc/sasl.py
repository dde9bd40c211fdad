"""Logins by AUTHENTICATE (ircv3.net, "sasl"): PLAIN (RFC 4616) and SCRAM-SHA-256 (RFC 7677).

The client names a mechanism; then its messages come in base64, in chunks of 400 characters, of
which a shorter one is the last. They may come before registration and after it, and again.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable

from trio_chat.core.commands import LogIn, Prove
from trio_chat.core.views import Challenge, Refused
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.caps import mechanisms
from trio_chat.protocols.irc.info import PLAIN, SASL_CHUNK
from trio_chat.protocols.irc.message import Message, body
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

_LONGEST = 3 * SASL_CHUNK  # characters of a message

Asks = Iterable[Ask]


class Sasl:
    """The logins of one client. ``private`` says that nobody on the way can read what it sends."""

    __slots__ = ("_chunks", "_mechanisms", "_out", "_take")

    def __init__(self, out: ReplyBuffer, *, private: bool) -> None:
        self._out, self._mechanisms = out, mechanisms(private=private)
        self._chunks = ""  # of a message that is not complete yet
        self._take: Callable[[bytes], Asks] | None = None  # the next message of a login under way

    def authenticate(self, message: Message) -> Asks:
        """Read AUTHENTICATE: a mechanism, a chunk of a message, or ``*``, which gives up."""
        param = message.params[0]
        if param == "*":
            self._fail(n.ERR_SASLABORTED, "SASL authentication aborted")
        elif self._take is None:
            self._begin(param.upper())
        elif len(param) > SASL_CHUNK:
            self._fail(n.ERR_SASLTOOLONG, "SASL message too long")
        elif len(self._chunks) + len(param) > _LONGEST:
            self._fail()
        else:
            self._chunks += param.removeprefix("+") if len(param) == 1 else param
            if len(param) < SASL_CHUNK:
                return self._complete(self._take)
        return ()

    def give_up(self) -> None:
        """End a login that the client has not brought to its end before its registration."""
        if self._take is not None:
            self._fail(n.ERR_SASLABORTED, "SASL authentication aborted")

    def _begin(self, mechanism: str) -> None:
        if mechanism not in self._mechanisms:
            names = ",".join(self._mechanisms)
            self._out.last_param(n.RPL_SASLMECHS, names, "are available SASL mechanisms")
            self._fail()
            return
        self._take = self._plain if mechanism == PLAIN else self._scram_first
        self._tell("+")

    def _complete(self, take: Callable[[bytes], Asks]) -> Asks:
        chunks, self._chunks = self._chunks, ""
        try:
            return take(b64decode(chunks.encode("ascii"), validate=True))
        except (binascii.Error, UnicodeError):
            self._fail()
            return ()

    def _plain(self, data: bytes) -> Asks:
        """Read ``[whom to act as] NUL name NUL password``. Nobody acts as somebody else."""
        act_as, *others = data.decode().split("\0")
        if len(others) != 2 or not all(others) or act_as not in ("", others[0]):
            self._fail()
            return ()
        self._take, (name, password) = None, others
        return [Ask(LogIn(name, password), on_refused=self._refused)]

    def _scram_first(self, data: bytes) -> Asks:
        return [self._prove(data, first=True)]

    def _scram(self, data: bytes) -> Asks:
        return [self._prove(data)]

    def _prove(self, data: bytes, *, first: bool = False) -> Ask:
        self._take = None
        return Ask(Prove(data, first), self._challenge, self._refused)

    def _challenge(self, challenge: Challenge) -> None:
        self._take = self._scram
        self._tell(b64encode(challenge.message).decode())

    def _tell(self, message: str) -> None:
        """Send AUTHENTICATE without a source, as most servers do: bots look for that."""
        self._out.lines([body("AUTHENTICATE", message)])

    def _refused(self, refused: Refused) -> None:
        self._fail(n.ERR_SASLFAIL, refused.why)

    def _fail(
        self, numeric: str = n.ERR_SASLFAIL, text: str = "SASL authentication failed"
    ) -> None:
        self._take, self._chunks = None, ""
        self._out.error(numeric, text)
