"""The log on standard error: for people on a terminal, JSON lines for everything else.

Each record has an ``event`` beside its sentence, and fields about it (FIELDS), by ``extra=``.
docs/logs.md lists them all. systemd's journal is told the level of each line (sd-daemon(3)).

It may contain text from strangers. Characters that control a terminal, or hide or reverse text, are
escaped, so that they are visible and cannot forge a line.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from trio_chat.cli.journal import is_journal, mark
from trio_chat.cli.log_handler import BackgroundHandler
from trio_chat.protocols.clean import clean
from trio_chat.server.server import connection_number
from trio_chat.settings import LogSettings

_STDERR = 2

_to_json = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder each time

#: The fields that a record may have; their order in JSON. ``audit`` marks what operators do, or
#: somebody who would be one.
FIELDS = (
    *("event", "audit", "action", "nick", "account", "by", "user", "peer", "reason", "code"),
    *("number", "bytes", "seconds", "path", "node"),
)


def set_up_logging(settings: LogSettings) -> None:
    """Log to standard error. May be called again with other settings."""
    text = settings.format == "text" or (settings.format == "auto" and os.isatty(_STDERR))
    formatter = TextFormatter() if text else JsonFormatter()
    handler = _handler()
    handler.setFormatter(JournalFormatter(formatter) if is_journal(_STDERR) else formatter)
    logging.getLogger().setLevel(settings.level.upper())
    # Records need not say where they come from: their events do (Logging HOWTO, Optimization).
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


@contextmanager
def logged_first() -> Iterator[None]:
    """Let what is logged in the context be written before anything that is said of its end."""
    try:
        yield
    finally:
        _handler().flush()


def _handler() -> BackgroundHandler:
    """The program's only handler, kept when the settings change."""
    root = logging.getLogger()
    for handler in root.handlers:
        if isinstance(handler, BackgroundHandler):
            return handler
    handler = BackgroundHandler(_STDERR)
    handler.addFilter(_add_connection)
    root.addHandler(handler)
    return handler


def _add_connection(record: logging.LogRecord) -> bool:
    record.connection = connection_number()
    return True


class JournalFormatter(logging.Formatter):
    """Begins each line of another formatter with the level of its record: ``<6>``. The journal
    takes that away again.
    """

    def __init__(self, of: logging.Formatter) -> None:
        super().__init__()
        self._of = of

    def format(self, record: logging.LogRecord) -> str:
        begin = mark(record.levelno)
        return "\n".join(f"{begin}{line}" for line in self._of.format(record).split("\n"))


class TextFormatter(logging.Formatter):
    """``12:01:02 info    [7] admitted as alice``: time, level, connection, what happened."""

    def format(self, record: logging.LogRecord) -> str:
        origin = f"[{number}] " if (number := getattr(record, "connection", 0)) else ""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        lines = [f"{time} {record.levelname.lower():7} {origin}{record.getMessage()}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).split("\n")
        return "\n".join(clean(_visible(line, _in_text)) for line in lines)


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC, RFC 3339), level, logger, message, FIELDS, connection,
    exception.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        known = record.__dict__
        fields |= {name: known[name] for name in FIELDS if known.get(name, "") != ""}
        if number := getattr(record, "connection", 0):
            fields["connection"] = number
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return _visible(_to_json(fields), _in_json)


def _visible(text: str, escaped: Callable[[str], str]) -> str:
    """Escape what is not visible: controls (also C1 and DEL), whatever reverses text, line
    separators, surrogates and unassigned characters.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escaped(char) for char in text)


def _in_text(char: str) -> str:
    return ascii(char)[1:-1]


def _in_json(char: str) -> str:
    return json.dumps(char)[1:-1]
