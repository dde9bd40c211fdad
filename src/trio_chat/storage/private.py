"""Files that only their user may read."""

import logging
import os
import pwd
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


def reason(error: OSError, path: Path) -> str:
    """Why a file cannot be had, in words; also whose it is if it is another user's."""
    why = (error.strerror or str(error)).lower()
    there = nearest(path)
    if not isinstance(error, PermissionError) or (owner := there.stat().st_uid) == os.geteuid():
        return why
    return f"{why}. {there} belongs to {user_name(owner)}, and you are {user_name(os.geteuid())}"


def nearest(path: Path) -> Path:
    """The file, or the nearest folder above it that is there and can be seen."""
    return next(each for each in (path, *path.absolute().parents) if os.path.exists(each))


def user_name(uid: int) -> str:
    """The name of a user of this machine, or their number."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


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
