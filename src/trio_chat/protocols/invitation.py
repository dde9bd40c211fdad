"""Invitations to a chat: what a token says, signed by the server that made it.

Nothing is kept of a token before it is used, so whoever has the server's key can make one. Written
it is 43 characters of base64url: more than any nickname has.
"""

import hmac
import re
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from trio_chat.core.commands import (
    ListInvitations,
    MakeInvitation,
    OfInvitation,
    RevokeInvitation,
    UseInvitation,
)
from trio_chat.core.names import NICK_MAX

_LABEL = b"invitation"
_FIELDS = struct.Struct(">8sIHBx")  # id, expiry, uses, flags, and a byte for later forms
_MAC = 16  # bytes of the signature
_OPERATOR, _FIRST = 1, 2
_LENGTH = 43  # characters of a token
_TOKEN = re.compile(rf"[A-Za-z0-9_-]{{{_LENGTH}}}")
_DAMAGED = re.compile(rf"[A-Za-z0-9_-]{{{NICK_MAX + 1},}}")
_SHOWN = re.compile(
    r"(?:/+\s*invitation\s+|\S*\binvite=)?([a-z0-9_-]{43})(?:&\S*)?", re.IGNORECASE | re.ASCII
)

ID_BYTES = 8


class NotValid(ValueError):
    """A token that lets nobody in; the text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """The right of so many people (``uses``) to come in until it ``expires``, in unix seconds.

    ``id`` is 16 hexadecimal digits. The account of an ``operator`` invitation's user becomes an
    operator's; one for the ``first`` is good only as long as there is no operator.
    """

    id: str
    expires: int
    uses: int = 1
    operator: bool = False
    first: bool = False


def is_token(text: str) -> bool:
    """Whether a text looks like the token of an invitation, whoever made it."""
    return _TOKEN.fullmatch(text) is not None


def is_damaged(text: str) -> bool:
    """Whether a text may be a part of a token, or one with something after it: so long a word of
    these letters that it is no nickname.
    """
    return not is_token(text) and _DAMAGED.fullmatch(text) is not None


def shown_token(text: str) -> str:
    """The token that is all that a line says: alone, in a link, or after the command; or empty."""
    found = _SHOWN.fullmatch(text)
    return found[1] if found else ""


def is_link(text: str) -> bool:
    """Whether a token that a line shows is in a link, as people give it to each other."""
    return "invite=" in text


def is_id(text: str) -> bool:
    """Whether a text can be the id of an invitation."""
    return re.fullmatch("[0-9a-f]{16}", text) is not None


#: How people write what ``read_request`` reads; in a list of commands, where it has to be short;
#: what it does there, and what they are told who have ended one.
FORMS = "TOKEN|[PEOPLE] [DAYS]|list|revoke TOKEN|revoke ID"
ARGUMENTS = "TOKEN|N|list|revoke ID"
DOES = "use an invitation; or invite N people"
REVOKED = "That invitation is revoked."


def read_request(text: str) -> OfInvitation | RevokeInvitation | None:
    """Read what somebody wants of invitations; None if it is none of ``FORMS``."""
    words = text.split()
    match [word.lower() for word in words[:1]], words[1:]:
        case _, [] if token := shown_token(text.strip()):
            return UseInvitation(token)
        case ["list"], []:
            return ListInvitations()
        case ["revoke"], [id] if is_id(id):
            return RevokeInvitation(id)
        case ["revoke"], [token] if is_token(token):
            return RevokeInvitation(_decode(token)[:ID_BYTES].hex())
    if len(words) <= 2 and all(word.isascii() and word.isdigit() for word in words):
        return MakeInvitation(*(int(word[:9]) for word in words))
    if len(words) == 1 and (is_link(text) or is_damaged(text)):
        return UseInvitation(text)  # as far as the server can tell what is wrong with it
    return None


def usage(text: str, command: str) -> str:
    """Tell somebody how to say ``command``, for this is not how."""
    is_word = len(text.split()) == 1 and text.lower() != "revoke"
    why = f"That is no invitation, which has {_LENGTH} characters. " if is_word else ""
    return f"{why}Usage: {command} {FORMS}"


def write_token(key: bytes, invitation: Invitation) -> str:
    """The token of an invitation, signed with the server's key."""
    flags = _OPERATOR * invitation.operator | _FIRST * invitation.first
    fields = _FIELDS.pack(bytes.fromhex(invitation.id), invitation.expires, invitation.uses, flags)
    return _encode(fields + _sign(key, fields))


def read_token(key: bytes, token: str, now: float) -> Invitation:
    """Read a token that this key has signed, ``now`` in unix seconds. Raises NotValid."""
    if not is_token(token):
        word = token.rpartition("invite=")[2].partition("&")[0]
        size = f"one has {_LENGTH} characters, and this has {len(word)}"
        raise NotValid(f"That is no invitation to this chat: {size}. Copy all of it.")
    written = _decode(token)
    fields, signature = written[:-_MAC], written[-_MAC:]
    # The last letter has two bits to spare: without this, four tokens would be one.
    if not hmac.compare_digest(signature, _sign(key, fields)) or _encode(written) != token:
        raise NotValid("That is no invitation to this chat.")
    id, expires, uses, flags = _FIELDS.unpack(fields)
    if now >= expires:
        raise NotValid("That invitation has expired. Ask for a new one.")
    operator, first = bool(flags & _OPERATOR), bool(flags & _FIRST)
    return Invitation(id.hex(), expires, uses, operator, first)


def _encode(written: bytes) -> str:
    return urlsafe_b64encode(written).decode().rstrip("=")


def _decode(token: str) -> bytes:
    return urlsafe_b64decode(token + "=")


def _sign(key: bytes, fields: bytes) -> bytes:
    return hmac.digest(hmac.digest(key, _LABEL, "sha256"), fields, "sha256")[:_MAC]
