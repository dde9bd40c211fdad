"""systemd's journal, which is told the level of a line by what the line begins with (sd-daemon(3)).

The journal takes that away again, and shows and filters lines by it.
"""

import logging
import os

_STDERR = 2

# The levels of syslog(3).
_PRIORITIES = ((logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6), (logging.DEBUG, 7))


def is_journal(number: int) -> bool:
    """Whether a descriptor is the stream to the journal that systemd has opened for us."""
    try:
        found = os.fstat(number)
    except OSError:
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def mark(level: int) -> str:
    """The beginning of a line of this level."""
    return f"<{next((p for known, p in _PRIORITIES if level >= known), 7)}>"


def error_mark() -> str:
    """The beginning of an error on standard error; nothing where that is not the journal."""
    return mark(logging.ERROR) if is_journal(_STDERR) else ""
