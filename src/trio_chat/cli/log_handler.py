"""A logging handler that never blocks, whatever happens to its output.

A pipe that nobody reads, a stopped terminal or a slow disk must not stop the chat. So lines go into
a bounded queue, and a thread writes them. Lines that do not fit are dropped, and their number is
logged as soon as there is room again.

To wake the thread takes longer than to make a line, and then it takes turns with trio's at being
the one that runs. So a line after a rest is written at once, and those that follow soon together.
"""

import logging
import os
import select
import threading
from collections import deque
from collections.abc import Iterator

#: The most bytes that wait: some 40,000 lines, far more than any healthy burst.
WAITING_MAX = 4 * 1024 * 1024  # bytes

#: How long the end of the program waits for lines that are not yet written.
_LAST_WORDS = 1.0  # seconds

# The time in which lines are gathered after a write.
_GATHER = 0.05  # seconds

# Bytes per write: a Linux pipe holds no more (pipe(7)), so a longer write would only wait.
_AT_ONCE = 64 * 1024


class BackgroundHandler(logging.Handler):
    """Writes lines to the file descriptor ``number``, which stays open; at most ``waiting_max``
    bytes wait.

    ``flush`` waits for up to a second until everything is written; ``logging.shutdown`` calls it at
    the end of the program.
    """

    def __init__(self, number: int, *, waiting_max: int = WAITING_MAX) -> None:
        super().__init__()
        self._number, self._waiting_max = number, waiting_max
        self._lines: deque[bytes] = deque()
        self._size = self._dropped = 0
        self._writing = self._hurries = self._closed = False
        self._changed = threading.Condition()
        # A daemon, since it may block for ever and must not keep the program alive.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self._line(record)
        except Exception:  # noqa: BLE001  (a bad log call must not end what it reports on)
            self.handleError(record)
            return
        with self._changed:
            if self._size + len(line) > self._waiting_max:
                self._dropped += 1
            else:
                self._lines.append(line)
                self._size += len(line)
                if len(self._lines) == 1:
                    self._changed.notify_all()

    def flush(self) -> None:
        with self._changed:
            self._hurries = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not (self._lines or self._writing), _LAST_WORDS)
            self._hurries = False

    def close(self) -> None:
        """Take nothing more; the thread ends when it has written what waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return f"{self.format(record)}\n".encode(errors="backslashreplace")

    def _run(self) -> None:
        for data in self._batches():
            for begin in range(0, len(data), _AT_ONCE):
                write_all(self._number, data[begin : begin + _AT_ONCE])

    def _batches(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._hurries or self._closed, _GATHER)
                self._changed.wait_for(lambda: self._lines or self._closed)
                if not self._lines:
                    return
                data = b"".join(self._lines) + self._of_dropped()
                self._lines.clear()
                self._size = self._dropped = 0
                self._writing = True
            yield data

    def _of_dropped(self) -> bytes:
        """A line on the dropped ones, which came after all that wait: the queue was full."""
        if not self._dropped:
            return b""
        what = "%d log lines were dropped here: nobody read them in time"
        record = logging.LogRecord(
            __name__, logging.WARNING, "", 0, what, (self._dropped,), exc_info=None
        )
        record.__dict__.update(event="lines-dropped", number=self._dropped)
        return self._line(record)


def write_all(number: int, data: bytes) -> None:
    """Write everything, however long that takes, and drop it on failure: there is nobody to tell.

    This bypasses ``sys.stderr``, whose lock could block the end of the program.
    """
    while data:
        try:
            data = data[os.write(number, data) :]
        except BlockingIOError:  # made so by another process that shares it
            select.select([], [number], [])
        except OSError:
            return
