"""Passwords, kept so that nobody can log in who reads what is kept.

Those in the settings are scrypt hashes (RFC 7914). Those of accounts are SCRAM verifiers, written
as RFC 5803 has it: a client can prove that it knows the password without telling it.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

from trio_chat.protocols.scram import SCRAM, Verifier, check_password, make_verifier

# 16 MiB and some 50 ms for each attempt (RFC 7914, section 2: N is 2 to the 14th, r is 8).
_COST, _BLOCK, _PARALLEL = 14, 8, 1
_BYTES = 32

_SALT = 16  # bytes of a verifier's salt


def hash_password(text: str) -> str:
    """The text to put into the settings: the method, its cost, a random salt, and the hash."""
    salt = secrets.token_bytes(16)
    return f"scrypt:{_COST}:{_encode(salt)}:{_encode(_scrypt(text, salt, _COST))}"


def is_password(text: str, hashed: str) -> bool:
    """Whether ``hashed`` was made of this password. Slow on purpose."""
    _, cost, salt, expected = hashed.split(":")
    found = _scrypt(text, base64.urlsafe_b64decode(salt), int(cost))
    return hmac.compare_digest(found, base64.urlsafe_b64decode(expected))


def stand_in(hashes: Iterable[str]) -> str:
    """A hash that no password fits, and that takes as long to check as ``hashes``.

    It is checked for names that do not exist, so that the time of an answer does not give them
    away.
    """
    costs = [int(hashed.split(":")[1]) for hashed in hashes]
    nothing = bytes(_BYTES)
    return f"scrypt:{max(costs, default=_COST)}:{_encode(nothing)}:{_encode(nothing)}"


def new_verifier(password: str, iterations: int) -> str:
    """The verifier of a password, with a salt of its own, as text. Slow on purpose."""
    made = make_verifier(password, iterations, secrets.token_bytes(_SALT))
    salt, stored, server = map(_standard, (made.salt, made.stored_key, made.server_key))
    return f"{SCRAM}${iterations}:{salt}${stored}:{server}"


def opens(verifier: str, password: str, iterations: int) -> bool:
    """Whether a verifier is of this password. Slow on purpose, even if there is none (empty): then
    as slow as with so many iterations, so that the time of an answer does not tell.
    """
    found, nothing = read_verifier(verifier), bytes(_BYTES)
    if found is None:
        check_password(Verifier(nothing, iterations, nothing, nothing), password)
        return False
    return check_password(found, password)


def read_verifier(text: str) -> Verifier | None:
    """The verifier that was written so; None if there is none, or it is damaged."""
    try:
        _, counted, keys = text.split("$")
        count, salt = counted.split(":")
        stored, server = map(base64.b64decode, keys.split(":"))
        return Verifier(base64.b64decode(salt), int(count), stored, server)
    except ValueError:
        return None


def nobodys_verifier(key: bytes, name: str, iterations: int) -> Verifier:
    """A verifier that no password fits, always the same for a name: so nobody learns from the
    challenge that there is no account of that name. ``key`` is the server's own secret.
    """
    salt, stored, server = (
        hmac.digest(key, f"{use} {name}".encode(), "sha256")
        for use in ("salt", "stored key", "server key")
    )
    return Verifier(salt[:_SALT], iterations, stored, server)


def identity(secret: str) -> str:
    """The identity of whoever knows a secret. The secret is random, so it needs no salt."""
    return "~" + hashlib.sha256(secret.encode()).hexdigest()[:32]


def _scrypt(text: str, salt: bytes, cost: int) -> bytes:
    return hashlib.scrypt(
        text.encode(),
        salt=salt,
        n=1 << cost,
        r=_BLOCK,
        p=_PARALLEL,
        maxmem=1 << (cost + 11),
        dklen=_BYTES,
    )


def _standard(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()
