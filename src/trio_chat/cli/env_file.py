"""Reads files of settings: one that the person has named, or ``.env`` of the current folder.

Whoever enters a folder has not read its ``.env``: it may be a stranger's, as in a clone. So, unless
it is named, it is believed what is HARMLESS and nothing else. It is read as it stands, too: a value
like ``${AWS_SECRET_ACCESS_KEY}`` would put into a nickname what the folder must not know.
"""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from dotenv.main import resolve_variables
from dotenv.parser import Binding, parse_stream

from trio_chat.errors import SettingsError
from trio_chat.settings import PREFIX

FOLDER_FILE = Path(".env")

# What may come from a folder. No secret, no command, nothing that lets others in or shows their
# addresses, nothing by which history is kept elsewhere or deleted. A new setting is not among these
# before somebody has thought about it. Where a client goes is; but then no secret goes there.
HARMLESS = (
    *("host", "port", "encoding", "limits.*", "log.*", "screen.*"),
    *("server.lobby", "server.room_modes", "server.greeting_delay", "server.shutdown_grace"),
    *("irc.server_name", "irc.network", "irc.motd"),
    *("history.replay", "history.memory_bytes", "history.cache_bytes"),
    *("client.nick", "client.protocol", "client.room", "client.retry", "client.plain"),
    *("client.typing", "client.state", "client.json_lines"),
)


# Of these, whom no limit of speed holds for is not.
_HARMFUL = ("limits.exempt",)


@dataclass(frozen=True)
class EnvFile:
    """The variables of a file, and whether the person has named it; no path if there is none."""

    path: Path | None
    named: bool
    variables: Mapping[str, str]


def is_harmless(setting: str) -> bool:
    """Whether a file that nobody has named may set this."""
    if setting in _HARMFUL:
        return False
    return any(fnmatchcase(setting, pattern) for pattern in HARMLESS)


def read_env_file(named: Path | None) -> EnvFile:
    """The named file, or else that of the folder, if it has one. Raises SettingsError."""
    if named is not None:
        return EnvFile(named, True, _named(named))
    data = _of_folder()
    if data is None or not _speaks_of_us(data):
        return EnvFile(None, False, {})
    lines = [line for line in _lines(FOLDER_FILE, data) if line.is_ours]
    return EnvFile(FOLDER_FILE, False, dict(_pairs(FOLDER_FILE, lines)))


def _named(file: Path) -> Mapping[str, str]:
    """It may be anything that can be read once, as ``<(pass show chat)``."""
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SettingsError(f"cannot read the settings in {file}: {reason}") from error
    pairs = _pairs(file, _lines(file, data))
    return {name: value or "" for name, value in resolve_variables(pairs, override=True).items()}


def _of_folder() -> bytes | None:
    """None if there is no such file, or something else of that name, such as a virtualenv."""
    try:
        return FOLDER_FILE.read_bytes() if FOLDER_FILE.is_file() else None
    except OSError:
        return None


def _speaks_of_us(data: bytes) -> bool:
    """Also in UTF-16, in which we cannot read it."""
    return PREFIX.encode() in data.replace(b"\0", b"").upper()


class _Line(NamedTuple):
    """A statement of a file, and the number of the line in which it begins."""

    number: int
    binding: Binding

    @property
    def is_ours(self) -> bool:
        if self.binding.key:
            return self.binding.key.upper().startswith(PREFIX)
        return PREFIX in self.binding.original.string.upper()


def _lines(file: Path, data: bytes) -> Iterator[_Line]:
    """What is not UTF-8 may be another program's."""
    if b"\0" in data:
        raise SettingsError(f"cannot read the settings in {file}: it is not UTF-8")
    text, number = data.decode("utf-8-sig", "surrogateescape"), 1
    for binding in parse_stream(io.StringIO(text)):
        statement = binding.original.string
        blank = statement[: len(statement) - len(statement.lstrip())]
        yield _Line(number + _newlines(blank), binding)
        number += _newlines(statement)


def _newlines(text: str) -> int:
    """A CR that the parser has taken without its LF is counted with that."""
    return len(re.findall(r"\n|\r(?=[^\n])", text))


def _pairs(file: Path, lines: Iterable[_Line]) -> Iterator[tuple[str, str]]:
    """Names and values. Raises SettingsError for the first line that cannot be read; which is not
    shown, for there may be a password in it.
    """
    for line in lines:
        name, value = line.binding.key, line.binding.value
        if line.binding.error or (line.is_ours and name and value is None):
            raise SettingsError(f"{file}, line {line.number}: it is not NAME=VALUE")
        if line.is_ours and not f"{name}{value}".isascii() and not _is_utf_8(f"{name}{value}"):
            raise SettingsError(f"{file}, line {line.number}: it is not UTF-8")
        if name and value is not None:
            yield name, value


def _is_utf_8(text: str) -> bool:
    """Whether it was, before it was decoded."""
    return not any("\udc80" <= char <= "\udcff" for char in text)
