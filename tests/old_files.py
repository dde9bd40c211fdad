"""Files of earlier versions, as their own servers have written them (storage/make_fixture.py)."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

FIXTURES = Path(__file__).parent / "storage" / "fixtures"

#: When the newest of them was written, about (unix seconds).
WRITTEN = 1_796_003_700


def versions() -> list[int]:
    return sorted(int(file.stem.removeprefix("version-")) for file in FIXTURES.glob("*.sql"))


def write_old(path: Path, version: int, written: float = WRITTEN) -> None:
    """Write a file of this version, changed last at that moment."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FIXTURES / f"version-{version}.sql").read_text())
    path.chmod(0o600)
    os.utime(path, (written, written))
