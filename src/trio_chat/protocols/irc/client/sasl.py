"""Our login to an IRC server (ircv3.net, "sasl"): SCRAM-SHA-256, or PLAIN (RFC 4616) where nobody
on the way can read it.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

from trio_chat.core.letters import continued
from trio_chat.errors import LoginFailed
from trio_chat.protocols.irc.info import PLAIN, SASL_CHUNK
from trio_chat.protocols.scram import SCRAM, ScramClient, ScramError

# What /token makes.
_KEY = re.compile("[0-9a-f]{32}")

# No challenge is longer, and a server must not make us keep any more.
_CHALLENGE_MAX = 4_096


@dataclass(frozen=True)
class Account:
    """An account on a server. ``secure`` is whether the connection keeps its password from
    everybody on the way.
    """

    name: str
    password: str = field(repr=False)
    secure: bool


# Takes challenges and gives responses, the first challenge being empty; returns once the server has
# proved all that it has to.
_Exchange = Generator[bytes, bytes, None]


def _none() -> _Exchange:
    raise ScramError("it asks out of turn")
    yield b""


def _plain(account: Account) -> _Exchange:
    yield f"\0{account.name}\0{account.password}".encode()


def _scram(client: ScramClient) -> _Exchange:
    challenge = yield client.first()
    final = yield client.prove(challenge)
    client.check(final)
    yield b""


class Login:
    """One login, which ``waits`` until it begins: ``begin`` it, give it each AUTHENTICATE of the
    server's, and send what it returns. Of the mechanisms that both ends have, the safest comes
    first; the others are for servers that do not tell which they have.
    """

    def __init__(self, account: Account, nonce: str) -> None:
        self._account, self._nonce = account, nonce
        self._left = [SCRAM, *([PLAIN] if account.secure else [])]
        self._exchange = _none()
        self._begun = False  # whether the server has taken the mechanism
        self._challenge = ""
        self.waits, self.is_done = True, False

    @property
    def is_under_way(self) -> bool:
        return not (self.waits or self.is_done)

    def begin(self, offered: str) -> str:
        """Return the mechanism to ask for. ``offered`` are the server's, separated by commas; empty
        if it does not tell. Raises LoginFailed.
        """
        self.waits = False
        names = offered.upper().split(",")
        if offered:
            self._left = [name for name in self._left if name in names]
        if self._left:
            return self._next()
        if PLAIN in names:
            raise self._failed(f"the server only takes {PLAIN}, and this connection is in clear")
        raise self._failed(f"the server takes neither {SCRAM} nor {PLAIN}, only {offered}")

    def _next(self) -> str:
        name = self._left.pop(0)
        self._exchange, self._begun = self._exchange_by(name), False
        return name

    def _exchange_by(self, mechanism: str) -> _Exchange:
        if mechanism == PLAIN:
            return _plain(self._account)
        try:
            client = ScramClient(self._account.name, self._account.password, self._nonce)
        except ValueError as error:
            raise self._failed(str(error)) from None
        return _scram(client)

    def answer(self, chunk: str) -> Sequence[str]:
        """Return the parameters of our next lines AUTHENTICATE. Raises LoginFailed."""
        self._challenge += chunk.removeprefix("+")
        if len(self._challenge) > _CHALLENGE_MAX:
            raise self._failed("the server asks too much")
        if len(chunk) == SASL_CHUNK:
            return ()
        challenge, self._challenge = self._challenge, ""
        try:
            return _chunks(self._respond(b64decode(challenge, validate=True)))
        except (ScramError, ValueError) as error:
            raise self._distrusted(str(error)) from None

    def _respond(self, challenge: bytes) -> bytes:
        try:
            response = self._exchange.send(challenge) if self._begun else next(self._exchange)
        except StopIteration:
            raise ScramError("it asks for more than there is") from None
        self._begun = True
        return response

    def succeeded(self) -> Sequence[str]:
        """Handle the server's word that we are logged in. Raises LoginFailed if it has not proved
        that it knows the password, as SCRAM wants it: anybody could say that word.
        """
        if not self._begun:
            raise self._distrusted("it did not ask for a password")
        try:
            self._exchange.send(b"")
        except StopIteration:
            self.is_done = True
            return ()
        except ScramError as error:
            raise self._distrusted(str(error)) from None
        else:
            raise self._distrusted("it did not wait for the end")

    def refused(self, why: str) -> str:
        """Return the mechanism to ask for next, if the server has refused the last one before it
        began, or if it may be a key of trio-chat's, which only PLAIN can show. Raises LoginFailed
        if it has refused us.
        """
        if self._left and (not self._begun or _KEY.fullmatch(self._account.password)):
            return self._next()
        raise self._failed(why)

    def _distrusted(self, why: str) -> LoginFailed:
        return self._failed(f"the server does not log people in as it should: {why}")

    def _failed(self, why: str) -> LoginFailed:
        return LoginFailed(f"cannot log in as {self._account.name}: {continued(why)}")


def _chunks(response: bytes) -> Sequence[str]:
    """Cut a response; one that fills its last chunk is followed by a "+"."""
    text = b64encode(response).decode()
    chunks = [text[start : start + SASL_CHUNK] for start in range(0, len(text), SASL_CHUNK)]
    return chunks if len(text) % SASL_CHUNK else [*chunks, "+"]
