"""The certificates that a person trusts: a line for each server, which they may read and remove.

chat.example.org:55555 SHA256:2cf24dba… 2026-11-28
"""

import fcntl
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from trio_chat.client.files import make_folder, open_private, write_private
from trio_chat.settings.pins import read_pin, shown_pin
from trio_chat.settings.places import Address

_HEAD = "# The servers' certificates that you trust: HOST:PORT, the pin, and since when.\n"


class DamagedPins(Exception):
    """A line of the file is neither a comment nor a server with its pin; the text says which one.

    ``of_server``: it is about the server that was asked for, so that one is not unknown.
    """

    def __init__(self, place: str, *, of_server: bool = False) -> None:
        super().__init__(f"{place} is no server with its pin")
        self.of_server = of_server


class Pins:
    """``path`` need not exist. A file that is damaged is never written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, address: Address) -> str:
        """The pin of a server; empty if it is not known. Raises OSError, and DamagedPins if that
        cannot be told.
        """
        lines = self._lines()
        for line in lines:
            if _is_of(line, address):
                return _pin_in(line)
        self._check(lines, address)
        return ""

    def keep(self, address: Address, pin: str, day: str) -> None:
        """Trust this certificate of a server and no other, from this day on. Raises OSError and
        DamagedPins.
        """
        make_folder(self.path.parent)
        with self._locked():
            lines = self._lines()
            self._check(lines, address)
            others = [line for line in lines if not _is_of(line, address)]
            new = f"{_key(address)} {shown_pin(pin)} {day}\n"
            write_private(self.path, "".join([*(others or [_HEAD]), new]))

    def _check(self, lines: Sequence[str], address: Address) -> None:
        """Raise DamagedPins about the line of this server, if it has a damaged one, or the first
        one that is damaged.
        """
        damaged = [number for number, line in enumerate(lines) if _is_damaged(line)]
        of_it = [number for number in damaged if _names(lines[number], address)]
        if damaged:
            number = (of_it or damaged)[0] + 1
            raise DamagedPins(f"line {number} of {self.path}", of_server=bool(of_it))

    def _lines(self) -> list[str]:
        try:
            text = self.path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return []
        return [f"{line}\n" for line in text.splitlines()]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let no other program change the file between our reading and writing it."""
        with open(f"{self.path}.lock", "a", opener=open_private) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _key(address: Address) -> str:
    """An address as one word: names of hosts are the same in capitals, and paths have blanks."""
    return re.sub(r"\s", "%20", str(address)) if address.unix_path else str(address).lower()


def _names(line: str, address: Address) -> bool:
    return line.split()[:1] == [_key(address)]


def _is_of(line: str, address: Address) -> bool:
    return _names(line, address) and bool(_pin_in(line))


def _is_damaged(line: str) -> bool:
    """Whether it means nothing, or has bytes that would not be written again as they are."""
    means_nothing = bool(line.strip()) and not (line.startswith("#") or _pin_in(line))
    return means_nothing or "\N{REPLACEMENT CHARACTER}" in line


def _pin_in(line: str) -> str:
    try:
        return read_pin(line.split()[1])
    except (IndexError, ValueError):
        return ""
