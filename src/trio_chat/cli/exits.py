"""What goes wrong, as one line and an exit code (sysexits.h where one fits)."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from trio_chat.errors import (
    CannotConnect,
    CannotListen,
    ChatError,
    ConnectionLost,
    NotAdmitted,
    SettingsError,
)

EXIT_CODES: dict[type[ChatError], int] = {
    CannotConnect: 69,  # EX_UNAVAILABLE
    ConnectionLost: 69,
    CannotListen: 71,  # EX_OSERR
    NotAdmitted: 77,  # EX_NOPERM
    SettingsError: 78,  # EX_CONFIG
}
INTERRUPTED = 130  # as a shell reports SIGINT
OUTPUT_GONE = 141  # as a shell reports SIGPIPE


@contextmanager
def exit_on_error(*, debug: bool) -> Iterator[None]:
    """End the program with a line and a code for what we know; all else is a traceback."""
    code = 0
    try:
        yield
    except* ChatError as group:
        error = _first(group)
        if debug:
            traceback.print_exception(error)
        for line in str(error).splitlines():
            print(f"trio-chat: {line}", file=sys.stderr)
        code = EXIT_CODES.get(type(error), 1)
    except* KeyboardInterrupt:
        code = INTERRUPTED
    if code:
        sys.exit(code)


def _first(error: ChatError | BaseExceptionGroup[ChatError]) -> ChatError:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
