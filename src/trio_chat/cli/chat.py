"""``trio-chat client``: the client as a process, on a terminal or in a pipe."""

import getpass
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import trio

from trio_chat.cli.configure import load
from trio_chat.cli.exits import OUTPUT_GONE, exit_on_error
from trio_chat.client.intents import Intent
from trio_chat.client.pipe import OutputGone, Pipe
from trio_chat.client.rooms import talk_in_rooms
from trio_chat.client.talk import FrontEnd, talk
from trio_chat.client.text import coloured_text, dated_text, plain_text
from trio_chat.core.names import near_nick
from trio_chat.errors import SettingsError
from trio_chat.protocols.client import Message
from trio_chat.settings import Settings


def run_client(
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    debug: bool,
) -> None:
    """Chat until the input ends or the person leaves."""
    with exit_on_error(debug=debug):
        _refuse_passwords(assignments)
        settings = load(options, assignments, env_file).settings
        _open_standard_streams()
        if not settings.client.json_lines and _steerable() and os.isatty(2):
            sys.exit(_full_screen(settings))
        try:
            code = trio.run(_main, settings, restrict_keyboard_interrupt_to_checkpoints=True)
        except* OutputGone:
            code = OUTPUT_GONE
        sys.exit(code)


def _refuse_passwords(assignments: Sequence[str]) -> None:
    if any(assignment.startswith("client.password=") for assignment in assignments):
        raise SettingsError(
            "client.password: on the command line everybody on this machine can read it; "
            "put TRIO_CHAT_CLIENT__PASSWORD into the environment or a file"
        )


def _full_screen(settings: Settings) -> int:
    """Returns the exit code."""
    from trio_chat.client.model import Model
    from trio_chat.client.tui.app import show

    nick = _nick(settings)

    async def network(
        news: trio.MemorySendChannel[Message], wanted: trio.MemoryReceiveChannel[Intent]
    ) -> None:
        await talk_in_rooms(settings, nick, _Screen(news, wanted))

    return show(Model(nick, offset=_offset), network, settings.screen)


class _Screen:
    """What the network tells goes to the screen, and what is wanted there to the network."""

    def __init__(
        self, news: trio.MemorySendChannel[Message], wanted: trio.MemoryReceiveChannel[Intent]
    ) -> None:
        self._news, self._wanted = news, wanted

    async def run(
        self, messages: trio.MemoryReceiveChannel[Message], intents: trio.MemorySendChannel[Intent]
    ) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._want, intents)
            async with messages, self._news:
                async for message in messages:
                    await self._news.send(message)
            nursery.cancel_scope.cancel("the chat has ended")

    async def _want(self, intents: trio.MemorySendChannel[Intent]) -> None:
        async with intents, self._wanted:
            async for intent in self._wanted:
                await intents.send(intent)


def _offset(moment: float) -> float:
    """Seconds by which local time is ahead of UTC then."""
    offset = datetime.fromtimestamp(moment).astimezone().utcoffset()
    return offset.total_seconds() if offset else 0.0


def _nick(settings: Settings) -> str:
    return settings.client.nick or near_nick(_account(), lambda nick: False)


async def _main(settings: Settings) -> int:
    """Returns the exit code."""
    nick = _nick(settings)
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
            await _talk_in_json(settings, nick)
        else:
            await talk(settings, nick, _front_end(settings))
        nursery.cancel_scope.cancel("the chat has ended")
    return code


async def _talk_in_json(settings: Settings, nick: str) -> None:
    from trio_chat.client.objects.pipe import ObjectPipe

    front_end = ObjectPipe(settings.client.room, retry=settings.client.retry)
    await talk_in_rooms(settings, nick, front_end)


def _front_end(settings: Settings) -> FrontEnd:
    if not _steerable():
        return Pipe(plain_text)
    from trio_chat.client.terminal import Terminal

    return Terminal(_terminal_text())


def _steerable() -> bool:
    """Whether there is a person, and a terminal on which the cursor can be moved."""
    return os.isatty(0) and os.isatty(1) and os.environ.get("TERM", "") not in ("", "dumb")


def _terminal_text() -> Callable[[Message], str]:
    """See no-color.org: any value but the empty one means no colour."""
    return dated_text if os.environ.get("NO_COLOR") else coloured_text


def _account() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # no name for this user id
        return "guest"


def _open_standard_streams() -> None:
    """Started with one of them closed, the first socket would take its place."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
