"""Reads files of settings: one that the person has named, or ``.env`` in the current folder.

People enter folders whose ``.env`` they have not read: it may be a stranger's, as in a clone. So,
unless it is named, only HARMLESS settings are taken from it, and no variables are expanded: a value
like ``${AWS_SECRET_ACCESS_KEY}`` would send a secret away as a nickname.
"""

import codecs
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dotenv.main import resolve_variables
from dotenv.parser import Binding, parse_stream

from trio_chat.errors import SettingsError
from trio_chat.storage.private import reason

FOLDER_FILE = Path(".env")

# Settings that may come from a folder: no secret, no command, nothing that lets others in or shows
# their addresses, nothing that moves or deletes history. A new setting is not among them until
# somebody has thought about it. Where a client connects is, but then no secret is sent there.
HARMLESS = (
    *("host", "port", "encoding", "limits.*", "log.*", "screen.*"),
    *("server.lobby", "server.room_modes", "server.greeting_delay", "server.shutdown_grace"),
    *("irc.server_name", "irc.network", "irc.motd"),
    *("history.replay", "history.memory_bytes", "history.cache_bytes"),
    *("client.nick", "client.protocol", "client.room", "client.retry", "client.plain"),
    *("client.typing", "client.state", "client.json_lines", "client.rooms_back"),
)

# The exception: it lifts the other limits.
_HARMFUL = ("limits.exempt",)

# The beginning of our names, also in the ways that people misspell it.
_OURS = re.compile(r"TRIO[-_.]CHAT[-_.]", re.IGNORECASE)


@dataclass(frozen=True)
class EnvFile:
    """The variables of a file and the numbers of their ``lines``, and whether the person has named
    it. The path is None if there is no file.
    """

    path: Path | None
    named: bool
    variables: Mapping[str, str]
    lines: Mapping[str, int] = field(default_factory=dict)


def is_harmless(setting: str) -> bool:
    """Whether a file that nobody has named may set this."""
    if setting in _HARMFUL:
        return False
    return any(fnmatchcase(setting, pattern) for pattern in HARMLESS)


def is_ours(name: str) -> bool:
    """Whether a variable of this name is meant for us."""
    return _OURS.match(name) is not None


def read_env_file(named: Path | None) -> EnvFile:
    """Read the named file, or else the folder's, if it has one. Raises SettingsError."""
    if named is not None:
        return _named(named)
    data = _of_folder()
    if data is None or not _speaks_of_us(data):
        return EnvFile(None, False, {})
    lines = [line for line in _lines(FOLDER_FILE, data) if line.is_ours]
    _refuse_unreadable(FOLDER_FILE, lines)
    return EnvFile(FOLDER_FILE, False, dict(_pairs(lines)), _numbers(lines))


def _named(file: Path) -> EnvFile:
    """Read all of a file, which may be readable only once, as ``<(pass show chat)`` is."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise SettingsError(f"cannot read the settings in {file}: {reason(error, file)}") from error
    lines = list(_lines(file, data))
    _refuse_unreadable(file, lines)
    resolved = resolve_variables(_pairs(lines), override=True)
    return EnvFile(file, True, {n: value or "" for n, value in resolved.items()}, _numbers(lines))


def _of_folder() -> bytes | None:
    """Read the folder's file; None if it is missing or no file, such as a virtualenv."""
    try:
        return FOLDER_FILE.read_bytes() if FOLDER_FILE.is_file() else None
    except OSError:
        return None


def _speaks_of_us(data: bytes) -> bool:
    """Whether our names occur in it, even in UTF-16, which we cannot read."""
    return _OURS.search(data.replace(b"\0", b"").decode("latin-1")) is not None


class _Line(NamedTuple):
    """A statement, and the number of the line where it begins."""

    number: int
    binding: Binding

    @property
    def is_ours(self) -> bool:
        if self.binding.key:
            return is_ours(self.binding.key)
        return _OURS.search(self.binding.original.string) is not None


def _lines(file: Path, data: bytes) -> Iterator[_Line]:
    """Parse a file, whose lines for other programs need not be UTF-8. Raises SettingsError for
    UTF-16.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SettingsError(f"cannot read the settings in {file}: not UTF-8")
    text, number = data.decode("utf-8-sig", "surrogateescape"), 1
    for binding in parse_stream(io.StringIO(text)):
        statement = binding.original.string
        blank = statement[: len(statement) - len(statement.lstrip())]
        yield _Line(number + _newlines(blank), binding)
        number += _newlines(statement)


def _newlines(text: str) -> int:
    """Count line ends; the parser may split a CR from its LF."""
    return len(re.findall(r"\n|\r(?=[^\n])", text))


def _refuse_unreadable(file: Path, lines: Iterable[_Line]) -> None:
    """Raise SettingsError for the first line that cannot be read, without showing it: it may hold
    a password.
    """
    for line in lines:
        name, value = line.binding.key, line.binding.value
        if line.binding.error or (name and value is None):
            raise SettingsError(f"{file}, line {line.number}: not NAME=VALUE")
        if not _is_utf_8(f"{name}{value}"):
            raise SettingsError(f"{file}, line {line.number}: not UTF-8")


def _pairs(lines: Iterable[_Line]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line.binding.key and line.binding.value is not None:
            yield line.binding.key, line.binding.value


def _numbers(lines: Iterable[_Line]) -> Mapping[str, int]:
    return {line.binding.key: line.number for line in lines if line.binding.key}


def _is_utf_8(text: str) -> bool:
    """Whether the decoded bytes were UTF-8; a NUL is a sign of UTF-16."""
    return not any("\udc80" <= char <= "\udcff" or char == "\0" for char in text)
