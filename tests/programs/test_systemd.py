"""With the programs of systemd, and its judgement of our units; needs Debian's systemd.

No manager is started: one sets up the machine that it finds.
"""

import os
import re
import shlex
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
import trio

from netcat import converse
from processes import PATIENCE, Output, free_port, running_server

pytestmark = pytest.mark.programs

PACKAGING = Path(__file__).parents[2] / "packaging"
PROGRAM = Path(sys.executable).with_name("trio-chat")


async def test_a_server_that_the_first_guest_wakes() -> None:
    with free_port() as port, trio.fail_after(3 * PATIENCE):
        command = ["systemd-socket-activate", "--fdname=chat", f"--listen=127.0.0.1:{port}"]
        server = [str(PROGRAM), "server", "--port", "1", "--set", "history.store=memory:"]
        process = await trio.lowlevel.open_process([*command, *server], stderr=subprocess.PIPE)
        assert process.stderr
        told = Output()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(told.collect, process.stderr)
            try:
                await told.until("Listening on ")
                script = rf"printf 'bob\nhello\n' | nc -q1 127.0.0.1 {port}"
                done = await trio.run_process(["sh", "-c", script], capture_stdout=True)
                assert done.stdout.decode().splitlines()[-1] == "bob: hello"
            finally:
                process.terminate()
                assert await process.wait() == 0


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """Our units, as if the program was where they say."""
    for name in (
        *("trio-chat.service", "trio-chat.socket"),
        *("trio-chat-backup.service", "trio-chat-backup.timer"),
    ):
        text = (PACKAGING / name).read_text()
        (tmp_path / name).write_text(text.replace("/opt/trio-chat/bin/trio-chat", str(PROGRAM)))
    return sorted(tmp_path.iterdir())


def systemd(program: str, *arguments: str | Path) -> str:
    """What a program of systemd says that is content with what it is given."""
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_units_have_no_mistakes(units: list[Path]) -> None:
    assert systemd("systemd-analyze", "verify", "--man=no", *units) == ""


def test_the_services_may_do_little(units: list[Path]) -> None:
    services = [unit for unit in units if unit.suffix == ".service"]
    assert len(services) == 2
    for service in services:
        systemd("systemd-analyze", "security", "--offline=true", "--threshold=20", service)


async def test_the_backup_of_the_service_is_made(units: list[Path], tmp_path: Path) -> None:
    """Its command, as systemd reads it, with other places."""
    [unit] = [unit for unit in units if unit.name == "trio-chat-backup.service"]
    [command] = re.findall("^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)
    for ours, theirs in (("$$", "$"), ("%%", "%"), ("/var/lib/trio-chat-backups", str(tmp_path))):
        command = command.replace(ours, theirs)
    env = {"TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db")}
    async with running_server(**env) as server:
        await converse(server.port, "al\nhello\n")
        command = command.replace("--env-file /etc/trio-chat.env ", "")
        for _ in range(2):
            done = await trio.run_process(shlex.split(command), env={**os.environ, **env})
            assert done.returncode == 0
    assert await trio.Path(tmp_path / f"chat-{datetime.now().astimezone():%u}.db").exists()


def test_the_user_of_the_service_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    systemd("systemd-sysusers", f"--root={tmp_path}", PACKAGING / "trio-chat.sysusers.conf")
    [user] = (tmp_path / "etc/passwd").read_text().splitlines()
    assert user.startswith("trio-chat:")
    assert "/var/lib/trio-chat:" in user
