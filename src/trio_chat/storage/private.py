"""Files that only their user may read."""

import logging
import os
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)


def opener(path: str, flags: int) -> int:
    """An opener for ``open``: a file that it makes can be read by its user alone."""
    return os.open(path, flags, 0o600)


def warn_if_shared(path: Path, what: str) -> None:
    """Log a warning if others may read a file. Raises OSError."""
    if path.stat().st_mode & 0o077:
        logger.warning(
            "others on this machine may read %s: chmod 600 %s",
            what,
            path,
            extra={"event": "readable-by-others", "path": str(path)},
        )


def make_whole(path: Path, content: bytes) -> None:
    """Make a file appear whole or not at all, unless there is one by then. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = opener(str(draft), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with suppress(FileExistsError):  # of several servers the first one wins
            os.link(draft, path)
    finally:
        os.unlink(draft)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder are on the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
