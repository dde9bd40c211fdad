"""Files that only their user may read."""

import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)


def opener(path: str, flags: int) -> int:
    """An opener for ``open``: a file that it makes can be read by its user alone."""
    return os.open(path, flags, 0o600)


def warn_if_shared(path: Path, what: str) -> None:
    """Log a warning if others may read a file. Raises OSError."""
    if path.stat().st_mode & 0o077:
        logger.warning("others on this machine may read %s: chmod 600 %s", what, path)
