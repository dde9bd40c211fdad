"""The files of the page: a table that is made once, so nothing outside it can be asked for. All are
in ``static/`` but ``words.js``, which is made of tables of ours.
"""

import gzip
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from trio_chat.protocols.command_table import COMMAND_TABLE
from trio_chat.protocols.emoji import COMMON
from trio_chat.protocols.slashes import ALIASES

FOLDER = Path(__file__).parent / "static"

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}

# What the page is called, in its title and its heading, until a server gives it another name.
_TITLE = b">trio-chat<"


@dataclass(frozen=True, slots=True)
class File:
    """A file of this media ``type``, as it is and compressed (gzip); ``tag`` names its content."""

    type: str
    data: bytes
    compressed: bytes
    tag: str


@dataclass(frozen=True, slots=True)
class Files:
    """The files by their paths; ``build`` names the content of all of them."""

    by_path: Mapping[str, File]
    build: str


@cache
def load_files(title: str = "trio-chat") -> Files:
    """The files of the page, with its title, made once. ``index.html`` is at ``/``."""
    titled = f">{html.escape(title)}<".encode()
    found = {}
    for path in sorted(FOLDER.rglob("*")):
        if path.suffix in _TYPES:
            data = path.read_bytes()
            if path.suffix == ".html":
                data = data.replace(_TITLE, titled)
            name = path.relative_to(FOLDER).as_posix()
            found["/" if name == "index.html" else f"/{name}"] = _file(path.suffix, data)
    found["/words.js"] = _file(".js", _words())
    tags = "".join(file.tag for file in found.values())
    return Files(found, _digest(tags.encode()))


def _words() -> bytes:
    """The tables that the page has in common with the terminal client, as a module."""
    emoji = " ".join(f"{name} {picture}" for name, picture in COMMON.items())
    tables = {"COMMANDS": COMMAND_TABLE, "ALIASES": ALIASES, "EMOJI": emoji}
    lines = (
        f"export const {name} = {json.dumps(table, ensure_ascii=False, separators=(',', ':'))};\n"
        for name, table in tables.items()
    )
    return "".join(lines).encode()


def _file(suffix: str, data: bytes) -> File:
    return File(_TYPES[suffix], data, gzip.compress(data, mtime=0), _digest(data))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
