"""Errors as one line and an exit code (from sysexits.h where one fits)."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from trio_chat.cli.journal import error_mark
from trio_chat.errors import (
    CannotConnect,
    CannotListen,
    CannotOpenStore,
    ChatError,
    ConnectionLost,
    DamagedStore,
    LoginFailed,
    NotAdmitted,
    NotDone,
    NotReady,
    NotSaid,
    NotTrusted,
    ScreenFailed,
    SettingsError,
    Uninvited,
)
from trio_chat.protocols.clean import clean
from trio_chat.settings.described import variable

_Error = TypeVar("_Error", NotAdmitted, ChatError, OSError)

EXIT_CODES: dict[type[ChatError], int] = {
    NotReady: 1,  # what containers take for unhealthy
    NotSaid: 65,  # EX_DATAERR: some of the input was not delivered
    NotDone: 65,  # a command was refused
    DamagedStore: 65,
    CannotConnect: 69,  # EX_UNAVAILABLE
    ConnectionLost: 69,
    ScreenFailed: 70,  # EX_SOFTWARE
    CannotListen: 71,  # EX_OSERR
    CannotOpenStore: 73,  # EX_CANTCREAT
    NotAdmitted: 77,  # EX_NOPERM
    LoginFailed: 77,
    Uninvited: 77,
    NotTrusted: 77,
    SettingsError: 78,  # EX_CONFIG
}
# Hints on how to fix what an error is about.
ADVICE = {
    "host": " (--host)",
    "port": " (--port)",
    "ops.listen": " (ops.listen)",
    "ops.admin": " (ops.admin)",
    "password": f". Set {variable('client.password')}",
    "account": (
        f". To log in to an account, set {variable('client.account')} and "
        f"{variable('client.account_password')}"
    ),
    "irc": ". Our client logs in only where it speaks IRC (--protocol irc)",
    "protocol": ". Try --protocol plain",
    "tls": (
        ". TLS may have another port there, or somebody in between lets none through: ask its "
        "operator. '--set client.tls=off' goes there in clear, for all on the way to read"
    ),
    "pin": "; if so, --pin trusts it",
    "room": ". In a shell --room tea says so, as # begins a comment there",
    "server": ". 'trio-chat server' starts one",
    "replace": ", or use --replace",
    "debug": "; --debug shows where",
}

# The same for servers whose pin is known, perhaps from this file.
ADVICE_ON_PINS = {
    "changed": (
        ", as a link of 'trio-chat invite' has it. If it is, use such a link, or if {} has "
        "a line of that server, remove it and compare as you are asked"
    ),
    "pinned": (
        ". Somebody in between may let no TLS through: ask its operator. If it speaks clear text "
        "only from now on, use no link with a pin, and remove its line from {}, if it has one"
    ),
}

CANNOT_WRITE = 74  # EX_IOERR
INTERRUPTED = 130  # as a shell reports SIGINT
OUTPUT_GONE = 141  # as a shell reports SIGPIPE


@contextmanager
def exit_on_error(*, debug: bool) -> Iterator[None]:
    """End the program with a line and a code for known errors; others give a traceback."""
    code = 0
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except* ChatError as group:
        error = first_error(group)
        if debug:
            traceback.print_exception(error)
        for line in _with_advice(error).splitlines():
            _say(clean(line))
        code = EXIT_CODES.get(type(error), 1)
    except* KeyboardInterrupt:
        code = INTERRUPTED
    except* BrokenPipeError:
        drop_output()
        code = OUTPUT_GONE
    except* OSError as failed:
        drop_output()
        if debug:
            traceback.print_exception(failed)
        _say(_of_system(first_error(failed)))
        code = CANNOT_WRITE
    if code:
        sys.exit(code)


def _say(line: str) -> None:
    print(f"{error_mark()}trio-chat: {line}", file=sys.stderr)


def _of_system(error: OSError) -> str:
    why = (error.strerror or "input or output error").lower()
    return clean(f"{error.filename}: {why}") if error.filename else why


def _with_advice(error: ChatError) -> str:
    advice = _advice(error.about)
    told = str(error).removesuffix(".") if advice.startswith(".") else str(error)
    return told + advice


def _advice(about: str) -> str:
    if about not in ADVICE_ON_PINS:
        return ADVICE.get(about, "")
    from trio_chat.cli.certificates import pins_file  # slow to load, and seldom needed

    return ADVICE_ON_PINS[about].format(pins_file())


def drop_output() -> None:
    """Drop buffered output that nobody reads, so that flushing it at exit does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def first_error(error: _Error | BaseExceptionGroup[_Error]) -> _Error:
    """The first error in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
