"""irc-framework, which web clients are made with, over TCP and over WebSocket. Needs npm."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest
import trio

from irc_clients import INSTALLING, KEPT, PROGRAMS
from peers import running, settings
from processes import Output, end

pytestmark = pytest.mark.programs

PACKAGES = ["irc-framework@4.14.0", "ws@8.18.0"]


def modules() -> Path:
    """A folder with the packages, installed unless they are there already."""
    folder = Path(KEPT) / "-".join(PACKAGES)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            command = ["npm", "install", "--silent", "--no-fund", "--no-audit", "--ignore-scripts"]
            command += ["--prefix", str(folder), *PACKAGES]
            subprocess.run(command, check=True, timeout=INSTALLING, stdin=subprocess.DEVNULL)
            (folder / "done").touch()
    return folder / "node_modules"


@pytest.mark.parametrize("how", ["tcp", "web"])
async def test_it_talks_and_stays(how: str) -> None:
    environment = os.environ | {"NODE_PATH": str(await trio.to_thread.run_sync(modules))}
    async with running(settings(limits={"ping": 1})) as house, trio.open_nursery() as nursery:
        nettie, out = await house.connect("nettie"), Output()
        command = ["node", str(PROGRAMS / "irc_framework.js"), str(house.port), how]
        process = await trio.lowlevel.open_process(command, env=environment, stdout=subprocess.PIPE)
        nursery.start_soon(out.collect, process.stdout)
        try:
            await nettie.until(f"{how}: it is {how} 👋\n")
            for _ in range(3):  # it would be given up by then if it answered no PING
                await out.until("pong\n")
            await nettie.send(b"you there?\n")
            await nettie.until(f"{how}: {how} is\n")
            await out.until("heard nettie you there?\n")
            await nettie.send(b"go\n")
            await nettie.until(f"{how} left!\n")
            await out.until("closed\n")
        finally:
            await end(process)
