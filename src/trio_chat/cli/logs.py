"""The log on standard error: for people on a terminal, JSON lines for everything else."""

import json
import logging
import sys
from datetime import UTC, datetime

from trio_chat.protocols.clean import clean
from trio_chat.server.server import connection_number
from trio_chat.settings import LogSettings


def set_up_logging(settings: LogSettings) -> None:
    """Send the log of everything to standard error. Can be called again with other settings."""
    on_terminal = sys.stderr.isatty()
    text = settings.format == "text" or (settings.format == "auto" and on_terminal)
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_connection)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    logging.basicConfig(handlers=[handler], level=settings.level.upper(), force=True)


def _add_connection(record: logging.LogRecord) -> bool:
    record.connection = connection_number.get()
    return True


class TextFormatter(logging.Formatter):
    """``12:01:02 info    [7] admitted as alice``: time, level, connection, what happened."""

    def format(self, record: logging.LogRecord) -> str:
        origin = f"[{number}] " if (number := getattr(record, "connection", 0)) else ""
        time = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        lines = [f"{time} {record.levelname.lower():7} {origin}{record.getMessage()}"]
        if record.exc_info:
            lines += self.formatException(record.exc_info).split("\n")
        return "\n".join(map(clean, lines))


class JsonFormatter(logging.Formatter):
    """One object a line: time (UTC, RFC 3339), level, logger, message, connection, exception."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if number := getattr(record, "connection", 0):
            fields["connection"] = number
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
