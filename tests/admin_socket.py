"""An operator on the operators' socket, for tests."""

import json
import os
import pwd
from pathlib import Path
from typing import Any

import trio

from peers import Peer


async def ask(path: Path, *lines: str) -> list[dict[str, Any]]:
    """The objects that a server answers these lines with."""
    async with await trio.open_unix_socket(str(path)) as stream:
        await stream.send_all("".join(f"{line}\n" for line in lines).encode())
        await stream.send_eof()
        return [json.loads(told) for told in (await Peer(stream).rest()).splitlines()]


async def texts(path: Path, *lines: str) -> list[str]:
    """Only the sentences in them."""
    return [told["text"] for told in await ask(path, *lines)]


def user() -> str:
    """The name of the user who runs the tests."""
    return pwd.getpwuid(os.geteuid()).pw_name
