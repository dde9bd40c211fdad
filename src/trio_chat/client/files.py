"""Files that only their owner may read, and that are always whole."""

import os
import tempfile
from pathlib import Path


def make_folder(path: Path) -> None:
    path.mkdir(parents=True, exist_ok=True, mode=0o700)


def open_private(path: str, flags: int) -> int:
    """An opener for ``open``."""
    return os.open(path, flags, 0o600)


def write_private(path: Path, text: str) -> None:
    """Write another file first, which then takes its place, and wait for the disk."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # with mode 0600
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
