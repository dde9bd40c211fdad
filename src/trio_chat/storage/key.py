"""The server's own secret: 32 random bytes, in a file that is its user's alone.

Everything that must be secret and the same after a restart is derived from it, as the cloak of
addresses is. It is no part of the history, so a copy of the history does not give it away; but a
backup has it with it (sqlite/brought.py).
"""

import logging
import secrets
from contextlib import suppress
from pathlib import Path

from trio_chat.errors import CannotOpenStore, SettingsError
from trio_chat.storage.private import make_whole, reason, warn_if_shared

logger = logging.getLogger(__name__)

_BYTES = 32


def new_key() -> bytes:
    """A new key, for a server that keeps nothing."""
    return secrets.token_bytes(_BYTES)


def kept_key(path: Path, *, first: bool = True) -> bytes:
    """The key in this file, in hexadecimal digits; a new one if there is no such file.

    A new key is logged unless this is the ``first`` start with its history, because the old one
    must have been lost. Raises CannotOpenStore if the key cannot be read or made, or if the file
    holds none.
    """
    try:
        if not path.exists():
            make_whole(path, f"{new_key().hex()}\n".encode("ascii"))
            if not first:
                logger.warning(
                    "the server's key was not in %s: there is a new one, and bans on addresses "
                    "no longer apply. If there is a backup of it, put that there and start again",
                    path,
                    extra={"event": "key-new", "path": str(path)},
                )
        warn_if_shared(path, "the server's key")
    except OSError as error:
        raise CannotOpenStore(
            f"cannot keep the server's key in {path}: {reason(error, path)}"
        ) from error
    return read_key(path)


def need_key(path: Path) -> None:
    """See that this file is there, as the other servers of the chat have it. Raises SettingsError,
    and CannotOpenStore if it cannot be seen.
    """
    try:
        is_there = path.exists()
    except OSError as error:
        raise CannotOpenStore(
            f"cannot read the server's key in {path}: {reason(error, path)}"
        ) from error
    if not is_there:
        raise SettingsError(
            f"server.key: {path} is not there, and the other servers of this chat have a key: copy "
            "the file from one of them"
        )


def read_key(path: Path) -> bytes:
    """The key in this file. Raises CannotOpenStore if it cannot be read, or is none."""
    try:
        digits = path.read_bytes().strip()
    except OSError as error:
        raise CannotOpenStore(
            f"cannot read the server's key in {path}: {reason(error, path)}"
        ) from error
    with suppress(ValueError):
        if len(key := bytes.fromhex(digits.decode("ascii"))) == _BYTES:
            return key
    raise CannotOpenStore(
        f"{path} holds no key ({2 * _BYTES} hexadecimal digits): put a backup in its place, or "
        "remove it, and bans on addresses no longer apply"
    )
