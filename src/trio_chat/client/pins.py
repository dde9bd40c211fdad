"""The certificates that a person trusts: a line for each server, which they may read and remove.

chat.example.org:55555 SHA256:2cf24dba… 2026-11-28
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trio_chat.client.files import make_folder, open_private, write_private
from trio_chat.settings.pins import read_pin, shown_pin
from trio_chat.settings.places import Address

_HEAD = "# The servers' certificates that you trust: HOST:PORT, the pin, and since when.\n"


class Pins:
    """``path`` need not exist. Lines that it cannot read are left as they are."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def of(self, address: Address) -> str:
        """The pin of a server; empty if it is not known. Raises OSError."""
        for line in self._lines():
            if _is_of(line, address):
                return _pin_in(line)
        return ""

    def keep(self, address: Address, pin: str, day: str) -> None:
        """Trust this certificate of a server and no other, from this day on. Raises OSError."""
        make_folder(self.path.parent)
        with self._locked():
            others = [line for line in self._lines() if not _is_of(line, address)]
            new = f"{_key(address)} {shown_pin(pin)} {day}\n"
            write_private(self.path, "".join([*(others or [_HEAD]), new]))

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
    """An address as one word: names of hosts are the same in capitals."""
    return str(address) if address.unix_path else str(address).lower()


def _is_of(line: str, address: Address) -> bool:
    return line.split(" ")[0] == _key(address) and bool(_pin_in(line))


def _pin_in(line: str) -> str:
    try:
        return read_pin(line.split()[1])
    except (IndexError, ValueError):
        return ""
