"""SCRAM-SHA-256 (RFC 5802 and 7677), both ends: a login that does not send the password.

Client                                      Server
  ``ScramClient.first()``            ─▶       ``ScramServer.receive_first``: who it is
  ``ScramClient.prove``              ◀─       ``ScramServer.challenge``, from the stored verifier
    derives the keys, as slow as the
    verifier's iterations want it    ─▶       ``ScramServer.check``: the proof is right
  ``ScramClient.check``: it is the   ◀─         its own proof
    server that has the verifier

The server keeps a ``Verifier``, from which nobody can log in. Nonces come from outside, so all of
this is deterministic. There is no channel binding, and nobody logs in on behalf of another.
"""

import binascii
import hashlib
import hmac
import re
import stringprep
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass, field

#: The name of the mechanism.
SCRAM = "SCRAM-SHA-256"

#: The iterations that a client lets a server ask for: fewer make guessing cheap (RFC 7677, 4), and
#: more would only keep it busy; these take half a second.
ITERATIONS_LEAST, ITERATIONS_MOST = 4_096, 2_000_000

# Characters of a client's nonce: with it, a server's challenge still fits a line of IRC.
_NONCE_MOST = 256

# "n": no channel binding; and no other identity to act as.
_GS2_HEADER = "n,,"

# Nothing that is a value has a NUL in it (RFC 5802, section 7).
_NONCE = r"r=(?P<nonce>[!-+\--~]+)"
_EXTENSIONS = r"(?:,[A-Za-z]=[^,]*)*"  # optional ones, which may be ignored
_CLIENT_FIRST = re.compile(
    rf"(?P<gs2>[ny],(?:a=(?P<as>[^,\0]+))?,)(?P<bare>n=(?P<name>[^,\0]+),{_NONCE}{_EXTENSIONS})"
)
_SERVER_FIRST = re.compile(rf"{_NONCE},s=(?P<salt>[^,]+),i=(?P<count>[0-9]{{1,9}}){_EXTENSIONS}")
_CLIENT_FINAL = re.compile(
    rf"(?P<bare>c=(?P<bound>[^,]+),{_NONCE}{_EXTENSIONS}),p=(?P<proof>[^,]+)"
)


class ScramError(Exception):
    """The other end has broken the rules, or has not proved what it had to; the text says what."""


@dataclass(frozen=True, slots=True)
class Verifier:
    """The stored form of a password. Keep it secret all the same: it lets one guess at leisure, and
    pose as this server.
    """

    salt: bytes
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def prepare(password: str) -> bytes:
    """Make the same bytes of passwords that look the same: SASLprep (RFC 4013) without the check of
    writing direction, which only refuses, and with letters that are newer than its Unicode 3.2,
    such as emoji, as they are. Raises ValueError for control characters and the like.
    """
    mapped = (_mapped(char) for char in password)
    text = unicodedata.ucd_3_2_0.normalize("NFKC", "".join(mapped))
    if not text or any(_is_prohibited(char) for char in text):
        raise ValueError("a password has at least one character, and none that cannot be seen")
    return text.encode()


def _mapped(char: str) -> str:
    if stringprep.in_table_b1(char):  # commonly mapped to nothing
        return ""
    return " " if stringprep.in_table_c12(char) else char


def _is_prohibited(char: str) -> bool:
    tables = (
        *(stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4),
        *(stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7),
        *(stringprep.in_table_c8, stringprep.in_table_c9),
    )
    return any(is_in(char) for is_in in tables)


def make_verifier(password: str, iterations: int, salt: bytes) -> Verifier:
    """Derive what a server stores of a password; slow on purpose. Raises ValueError."""
    salted = hashlib.pbkdf2_hmac("sha256", prepare(password), salt, iterations)
    return Verifier(
        salt, iterations, hashlib.sha256(_client_key(salted)).digest(), _server_key(salted)
    )


def check_password(verifier: Verifier, password: str) -> bool:
    """Return whether this is the password, as slowly as the verifier was made."""
    try:
        made = make_verifier(password, verifier.iterations, verifier.salt)
    except ValueError:
        return False
    return hmac.compare_digest(made.stored_key, verifier.stored_key)


def _client_key(salted: bytes) -> bytes:
    return hmac.digest(salted, b"Client Key", "sha256")


def _server_key(salted: bytes) -> bytes:
    return hmac.digest(salted, b"Server Key", "sha256")


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def _base64(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeError):
        raise ScramError("bad base64") from None


def _read(pattern: re.Pattern[str], data: bytes) -> re.Match[str]:
    try:
        found = pattern.fullmatch(data.decode())
    except UnicodeDecodeError:
        raise ScramError("not UTF-8") from None
    if found is None:
        raise ScramError("not as RFC 5802 has it")
    return found


class ScramClient:
    """The end that knows the password: ``first``, ``prove``, ``check``, in this order."""

    def __init__(self, name: str, password: str, nonce: str) -> None:
        self._bare = f"n={name.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        self._password, self._nonce = prepare(password), nonce
        self._signature = b""

    def first(self) -> bytes:
        return f"{_GS2_HEADER}{self._bare}".encode()

    def prove(self, challenge: bytes) -> bytes:
        """Answer the server's challenge; slow, as it derives the keys. Raises ScramError."""
        found = _read(_SERVER_FIRST, challenge)
        nonce, iterations = found["nonce"], int(found["count"])
        if not nonce.startswith(self._nonce) or nonce == self._nonce:
            raise ScramError("the nonce is not ours")
        if not ITERATIONS_LEAST <= iterations <= ITERATIONS_MOST:
            raise ScramError(f"{iterations} iterations are too few or too many")
        salted = hashlib.pbkdf2_hmac("sha256", self._password, _base64(found["salt"]), iterations)
        final = f"c={b64encode(_GS2_HEADER.encode()).decode()},r={nonce}"
        auth = ",".join((self._bare, found[0], final)).encode()
        self._signature = hmac.digest(_server_key(salted), auth, "sha256")
        key = _client_key(salted)
        proof = _xor(key, hmac.digest(hashlib.sha256(key).digest(), auth, "sha256"))
        return f"{final},p={b64encode(proof).decode()}".encode()

    def check(self, final: bytes) -> None:
        """Check the server's own proof. Raises ScramError."""
        signature = b"v=" + b64encode(self._signature)
        if not self._signature or not hmac.compare_digest(final.partition(b",")[0], signature):
            raise ScramError("the server does not know the password either")


class ScramServer:
    """The end that has a verifier: ``receive_first``, ``challenge``, ``check``, in this order.

    Nobody learns from it which names there are, if the caller gives a made-up verifier, always the
    same, for a name that it does not know.
    """

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce
        self._gs2 = self._bare = self._challenge = ""

    def receive_first(self, data: bytes) -> str:
        """Return the name of who wants to log in. Raises ScramError."""
        found = _read(_CLIENT_FIRST, data)
        self._gs2, self._bare = found["gs2"], found["bare"]
        self._nonce = found["nonce"] + self._nonce
        if re.search("=(?!2C|3D)", found["name"]) or found["as"] not in (None, found["name"]):
            raise ScramError("a bare = in the name, or another one to act as")
        if len(found["nonce"]) > _NONCE_MOST:
            raise ScramError(f"a nonce of more than {_NONCE_MOST} characters")
        return found["name"].replace("=2C", ",").replace("=3D", "=")

    def challenge(self, verifier: Verifier) -> bytes:
        self._verifier = verifier
        salt = b64encode(verifier.salt).decode()
        self._challenge = f"r={self._nonce},s={salt},i={verifier.iterations}"
        return self._challenge.encode()

    def check(self, data: bytes) -> bytes:
        """Check the client's proof, and return ours. Raises ScramError."""
        found = _read(_CLIENT_FINAL, data)
        if found["nonce"] != self._nonce or _base64(found["bound"]) != self._gs2.encode():
            raise ScramError("not an answer to this challenge")
        auth = ",".join((self._bare, self._challenge, found["bare"])).encode()
        signature = hmac.digest(self._verifier.stored_key, auth, "sha256")
        proof = _base64(found["proof"])
        if len(proof) != len(signature):
            raise ScramError("a proof has 32 bytes")
        key = hashlib.sha256(_xor(proof, signature)).digest()
        if not hmac.compare_digest(key, self._verifier.stored_key):
            raise ScramError("the password is wrong")
        return b"v=" + b64encode(hmac.digest(self._verifier.server_key, auth, "sha256"))
