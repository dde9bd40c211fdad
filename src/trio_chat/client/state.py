"""The terminal client's saved state: a JSON file for each server.

It holds what was typed and the secret that proves who we are, so nobody else may read it. It is
written to another file first, which then takes its place, so it is always whole. One program at a
time has it; a second one for the same server reads it but saves nothing. That one makes a new
secret, since the server would take two with the same secret for one person, and end the older
connection.
"""

import fcntl
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import TypeAdapter

from trio_chat.client.files import make_folder, open_private, write_private
from trio_chat.client.model.saved_state import SavedState
from trio_chat.protocols.unacked import new_token

# The version of the file's format. A file of a newer version is left alone.
_VERSION = 1

_SAVED = TypeAdapter(SavedState)

# A larger file cannot be ours.
_LARGEST = 64 * 1024 * 1024  # bytes


class State:
    """``kept`` was saved last; ``notes`` are lines for the person."""

    def __init__(self, path: Path | None, kept: SavedState = SavedState(), *notes: str) -> None:  # noqa: B008
        self.kept = kept if kept.secret else replace(kept, secret=new_token())
        self.notes = notes
        self._path = path
        self._saved: SavedState | None = None

    @property
    def lasts(self) -> bool:
        """Whether anything will be saved."""
        return self._path is not None

    def save(self, kept: SavedState) -> str:
        """Write the state if it has changed, and wait for the disk. Returns a sentence if that has
        failed.
        """
        if self._path is None or kept == self._saved:
            return ""
        try:
            content = {"version": _VERSION, **asdict(kept)}
            write_private(self._path, json.dumps(content, indent=1))
        except OSError as error:
            return f"Nothing was saved: {self._path} cannot be written: {error.strerror}."
        self._saved = kept
        return ""


@contextmanager
def open_state(directory: Path | None, server: str) -> Iterator[State]:
    """Open the state for a server (its address, such as ``localhost:55555``), and lock it. Without
    a directory nothing is saved. Never fails: the notes tell what went wrong.
    """
    with ExitStack() as stack:
        yield _open(directory / _file_name(server), stack) if directory else State(None)


def _open(path: Path, stack: ExitStack) -> State:
    try:
        make_folder(path.parent)
        lock = open(f"{path}.lock", "a", opener=open_private)  # noqa: SIM115 - the stack closes it
        stack.enter_context(lock)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return _load(path)
    except BlockingIOError:
        return _second(path)
    except OSError as error:
        why = f"{path} cannot be used: {error.strerror}"
        return State(None, SavedState(), f"Nothing will be saved: {why}.")


def _load(path: Path) -> State:
    try:
        return State(path, _read(path))
    except FileNotFoundError:
        return State(path)
    except _TooNew:
        note = f"Nothing will be saved: {path} was written by a newer trio-chat."
        return State(None, SavedState(), note)
    except _Damaged:
        aside = path.with_suffix(".damaged")
        path.replace(aside)
        note = f"The saved state cannot be read, so it starts afresh. The old file is {aside}."
        return State(path, SavedState(), note)


def _second(path: Path) -> State:
    """Read the state for a second program, which leaves queued texts to the first."""
    kept = SavedState()
    with suppress(OSError, _TooNew, _Damaged):
        kept = replace(_read(path), secret="", unsent=())
    note = "Another trio-chat of yours is using this server, so this one will save nothing."
    return State(None, kept, note)


def _file_name(server: str) -> str:
    """Make a readable name, unique for each address."""
    digest = hashlib.sha256(server.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9.-]+', '_', server)[:80]}-{digest[:8]}.json"


# ── reading a file that may be damaged ─────────────────────────────────────────────────────────


class _Damaged(Exception):
    """The file is not as we write it."""


class _TooNew(Exception):
    """The file is of a newer version."""


def _read(path: Path) -> SavedState:
    """Raises OSError, _TooNew and _Damaged."""
    with open(path, "rb") as file:
        data = file.read(_LARGEST + 1)
    try:
        content = json.loads(data) if len(data) <= _LARGEST else {}
        version = content["version"]
        if type(version) is int and version > _VERSION:
            raise _TooNew
        if not content["secret"]:
            raise _Damaged
        return _SAVED.validate_python(content)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _Damaged from error
