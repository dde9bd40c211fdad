"""Events as servers that share an order tell them to each other, with all that goes with them.

A record is JSON; fields that a node does not know it passes over, so nodes of two versions may
share an order. What opens an account is sealed by the key that all of them have: those who read the
engine's memory, or its file, learn no verifier.
"""

import json
import secrets
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from trio_chat.core.checkpoint import Checkpoint
from trio_chat.core.events import Event, Said
from trio_chat.errors import CannotOpenStore, SettingsError
from trio_chat.storage.base import Move, Secret
from trio_chat.storage.codec import (
    Unreadable,
    decode,
    decode_state,
    encode,
    encode_rest,
    encode_state,
    with_rest,
)
from trio_chat.storage.typed_json import Unsound, from_json, to_json

_NONCE = 12  # bytes, as AES-GCM has them

# What a seal is for: a checkpoint is no verifier.
_CHECKPOINT = b"checkpoint"


@dataclass(frozen=True, slots=True)
class Told:
    """An event, and what goes with it, as for ``Log.append``."""

    event: Event
    by: str = ""
    secret: Secret | None = None
    redact: str = ""
    move: Move | None = None


class Wire:
    """Writes and reads records, with the ``key`` of the chat (32 bytes)."""

    def __init__(self, key: bytes) -> None:
        self._seal = AESGCM(blake2b(key, digest_size=32, person=b"trio-chat wire").digest())

    def write(self, told: Told) -> bytes:
        """The record of an event."""
        event, record = told.event, dict[str, Any](event=encode(told.event))
        if isinstance(event, Said):
            record |= {"text": event.text, "token": event.token}
        if told.by:
            record["by"] = told.by
        if rest := encode_rest(event):
            record["rest"] = rest
        if secret := told.secret:
            record["secret"] = [secret.account, self._sealed(secret)]
        if told.redact:
            record["redact"] = told.redact
        if move := told.move:
            record["move"] = [move.to, encode_state(move.state)]
        return _json(record).encode()

    def read(self, data: bytes) -> Told:
        """The event of a record. Raises Unreadable."""
        try:
            record = json.loads(data)
            event = decode(record["event"], record.get("text", ""), record.get("token", ""))
            if rest := record.get("rest"):
                event = with_rest(event, rest)
            secret, move = record.get("secret"), record.get("move")
            return Told(
                event,
                str(record.get("by", "")),
                self._opened(*secret) if secret else None,
                str(record.get("redact", "")),
                Move(move[0], decode_state(move[1])) if move else None,
            )
        except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
            raise Unreadable(type(error).__name__) from error

    def seal_checkpoint(self, checkpoint: Checkpoint) -> bytes:
        """Write a checkpoint, for those who have the key."""
        data = zlib.compress(to_json(checkpoint).encode())
        nonce = secrets.token_bytes(_NONCE)
        return nonce + self._seal.encrypt(nonce, data, _CHECKPOINT)

    def open_checkpoint(self, sealed: bytes) -> Checkpoint:
        """Read a checkpoint. Raises CannotOpenStore, and SettingsError if the key is another."""
        try:
            data = self._seal.decrypt(sealed[:_NONCE], sealed[_NONCE:], _CHECKPOINT)
            return from_json(Checkpoint, zlib.decompress(data))
        except InvalidTag as error:
            raise SettingsError(
                "server.key: the other servers of this chat have another key: copy the file from "
                "one of them"
            ) from error
        except (Unsound, zlib.error) as error:
            raise CannotOpenStore(
                "This server cannot read what the others have left for it: are they newer?"
            ) from error

    def _sealed(self, secret: Secret) -> str:
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._seal.encrypt(nonce, secret.verifier.encode(), secret.account.encode())
        return b64encode(nonce + sealed).decode()

    def _opened(self, account: str, sealed: str) -> Secret:
        data = b64decode(sealed)
        try:
            verifier = self._seal.decrypt(data[:_NONCE], data[_NONCE:], account.encode())
        except InvalidTag as error:
            raise ValueError("it was sealed by another key") from error
        return Secret(account, verifier.decode())


_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
