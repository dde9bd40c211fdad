"""``trio-chat admin``: commands for a server that runs, over the socket of its operators."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio

from trio_chat.app import admin_socket
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.trust import for_server
from trio_chat.errors import CannotConnect, ConnectionLost, NotAdmitted, NotDone, SettingsError
from trio_chat.protocols.clean import clean, clean_lines
from trio_chat.settings import Settings

_GONE = "the server has gone before it answered"

_PROMPT = "admin> "


def run_admin(
    words: Sequence[str],
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    room: str,
    json_lines: bool,
    debug: bool,
) -> None:
    """Send a command, or each line of the input, and print the answers.

    Ends at the first that is refused; only somebody at a terminal may go on.
    """
    with exit_on_error(debug=debug):
        path = _socket(for_server(load(options, assignments, env_file)))
        words, json_lines = _words(words, json_lines=json_lines)
        about = f"{room if room.startswith('#') else f'#{room}'} " if room else ""
        if words:
            _carry_out(path, about + " ".join(words), json_lines=json_lines)
            return
        at_terminal = sys.stdin.isatty()
        for line in _typed() if at_terminal else sys.stdin:
            if not line.strip():
                continue
            try:
                _carry_out(path, about + line.strip(), json_lines=json_lines)
            except NotDone as refused:
                if not at_terminal:
                    raise
                print(clean(str(refused)))


def _words(words: Sequence[str], *, json_lines: bool) -> tuple[Sequence[str], bool]:
    """The words of a command, and whether to print objects: that may also stand at its end."""
    return (words[:-1], True) if words[-1:] == ["--json"] else (words, json_lines)


def _socket(settings: Settings) -> Path:
    if path := admin_socket(settings):
        return path
    raise SettingsError("this server has no socket for operators: set ops.admin to a path")


def _typed() -> Iterator[str]:
    print("help lists the commands; Ctrl-D ends this.")
    while True:
        try:
            yield input(_PROMPT)
        except EOFError:
            print()
            return


def _carry_out(path: Path, line: str, *, json_lines: bool) -> None:
    """Send a command and print its answer. Raises NotDone if it was refused, and NotAdmitted if we
    are no operator.
    """
    if "\n" in line:
        raise NotDone("a command is one line")
    refused = code = ""
    for told in trio.run(_ask, path, line):
        if told["type"] == "refused" and not refused:
            refused, code = told["text"], told["code"]
        if json_lines:
            print(json.dumps(told))
        elif told["type"] != "refused":
            print(clean_lines(told["text"]))
    sys.stdout.flush()
    if code == "not_an_operator":
        raise NotAdmitted(refused)
    if refused:
        is_roomless = code == "no_such_room" and not line.startswith("#")
        raise NotDone(refused, about="room" if is_roomless else "")


async def _ask(path: Path, line: str) -> list[dict[str, Any]]:
    """Send a line to the server, and wait for all of its answer."""
    try:
        stream = await trio.open_unix_socket(str(path))
    except PermissionError as error:
        raise NotAdmitted(f"{path} is for root and for the user that runs the server") from error
    except OSError as error:
        raise CannotConnect(f"no server listens at {path}", about="server") from error
    async with stream:
        data = b""
        try:
            with suppress(trio.BrokenResourceError):  # it does not listen to us, but says why
                await stream.send_all(f"{line}\n".encode(errors="replace"))
                await stream.send_eof()
            async for piece in stream:
                data += piece
        except trio.BrokenResourceError as error:
            if b'"refused"' not in data:
                raise ConnectionLost(_GONE) from error
    if not data:  # each command has an answer
        raise ConnectionLost(_GONE)
    try:
        return [json.loads(told) for told in data.splitlines()]
    except ValueError as error:
        raise ConnectionLost(_GONE) from error
