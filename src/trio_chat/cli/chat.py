"""``trio-chat client``: the client as a process, on a terminal or in a pipe."""

import getpass
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import trio

from trio_chat.cli.certificates import is_interactive, with_pin
from trio_chat.cli.configure import load
from trio_chat.cli.exits import OUTPUT_GONE, exit_on_error, first_error
from trio_chat.cli.login import with_login
from trio_chat.cli.password_command import with_passwords
from trio_chat.cli.trust import for_client
from trio_chat.client.line_mode import run_lines
from trio_chat.client.pipe import OutputGone, Pipe
from trio_chat.client.runner import resume_state_of, run_chat
from trio_chat.client.text import (
    COLOURS_16,
    COLOURS_256,
    coloured_text,
    dated_text,
    piped_text,
)
from trio_chat.core.names import alternate_nick
from trio_chat.errors import LoginFailed, NotAdmitted, NotSaid
from trio_chat.protocols.client import Message
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.settings import Settings

# So often a person may try the password.
_TRIES = 3


def run_client(
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    debug: bool,
) -> None:
    """Chat until the input ends or the person leaves."""
    with exit_on_error(debug=debug):
        settings = with_passwords(with_pin(for_client(load(options, assignments, env_file))))
        _open_standard_streams()
        sys.exit(_chat(settings))


def _chat(settings: Settings) -> int:
    """Chat; ask a person for their account if they are not let in without, or not any more."""
    asked, wrong = settings, 0
    while True:
        refused: NotAdmitted | None = None
        code = 0
        try:
            code = _chat_as(asked)
        except* NotAdmitted as group:
            refused = first_error(group)
            wrong = wrong + 1 if isinstance(refused, LoginFailed) else 0
            may_ask = refused.about == "account" or (asked is not settings and 0 < wrong < _TRIES)
            if not (may_ask and is_interactive(settings)):
                raise
        if refused is None:
            return code
        asked = with_login(settings, refused, _nick(settings))


def _chat_as(settings: Settings) -> int:
    return _on_screen(settings) if _has_screen(settings) else _in_lines(settings)


def _on_screen(settings: Settings) -> int:
    from trio_chat.cli.screen import run_screen

    return run_screen(_content(settings), partial(_nick, settings))


def _in_lines(settings: Settings) -> int:
    try:
        code = trio.run(_main, settings, restrict_keyboard_interrupt_to_checkpoints=True)
    except* OutputGone:
        code = OUTPUT_GONE
    return code


def _nick(settings: Settings, account: str = "") -> str:
    """The nickname that was asked for, or that of one's ``account``, or else of the system's."""
    client = settings.client
    name = client.account or account or _user()
    return client.nick or alternate_nick(name, lambda nick: False)


def _content(settings: Settings) -> Settings:
    """Insist on no nickname: a person is told who they are, and can log in if it is theirs."""
    client = settings.client.model_copy(update={"nick": ""})
    return settings.model_copy(update={"client": client})


async def _main(settings: Settings) -> int:
    """Talk until the chat ends; returns the exit code."""
    code = 0

    async def leave_on_signal() -> None:
        nonlocal code
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGHUP) as signals:
            async for number in signals:
                code = 128 + number
                nursery.cancel_scope.cancel(signal.Signals(number).name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(leave_on_signal)
        if settings.client.json_lines:
            await _talk_in_json(settings, _nick(settings))
        elif os.isatty(0):
            await _talk_as_known(settings)
        else:
            await _talk_in_lines(settings, _nick(settings))
        nursery.cancel_scope.cancel("the chat has ended")
    return code


async def _talk_as_known(settings: Settings) -> None:
    """A person comes as who they were last time, as on the full screen."""
    from trio_chat.cli.device import known  # slow to load, and of no use to programs

    with known(settings) as state:
        await _talk_in_lines(_content(settings), _nick(settings, state.account), state)


async def _talk_in_lines(settings: Settings, nick: str, state: ResumeState | None = None) -> None:
    front_end = Pipe(_terminal_text() if os.isatty(1) else piped_text)
    await run_lines(settings, nick, front_end, state)
    if front_end.dropped:
        raise NotSaid.of(lines=front_end.dropped)


async def _talk_in_json(settings: Settings, nick: str) -> None:
    from trio_chat.client.objects.pipe import ObjectPipe

    retry = settings.client.retry
    state = resume_state_of(settings, comes_back=retry)
    front_end = ObjectPipe(settings.client.room, state, retry=retry)
    try:
        await run_chat(settings, nick, front_end, state)
    except NotAdmitted as error:
        await front_end.tell(error)
        raise
    front_end.check()


def _has_screen(settings: Settings) -> bool:
    """Whether the person wants one, and the terminal can move its cursor."""
    lines = settings.client.json_lines or settings.client.plain
    return not lines and all(map(os.isatty, range(3))) and not _is_dumb()


def _is_dumb() -> bool:
    return os.environ.get("TERM", "") in ("", "dumb")


def _terminal_text() -> Callable[[Message], str]:
    """Choose the colours. Any value of NO_COLOR but the empty one means none (no-color.org)."""
    if _is_dumb() or os.environ.get("NO_COLOR"):
        return dated_text
    many = "256" in os.environ["TERM"] or bool(os.environ.get("COLORTERM"))
    return partial(coloured_text, colours=COLOURS_256 if many else COLOURS_16)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the user id has no name
        return "guest"


def _open_standard_streams() -> None:
    """Open those that are closed, or the first socket would take their place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
