"""``trio-chat server`` as a service of systemd: what it tells the manager."""

import os
import resource
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from managers import manager
from netcat import guest
from processes import running, running_server
from trio_chat.cli.serve import _allow_files
from trio_chat.cli.systemd import Manager

SOON = {"trio_chat.cli.systemd._STATUS_EVERY": 0.02}


def is_status(text: str) -> Any:
    return lambda told: told.get("STATUS") == text


@pytest.fixture
def abstract() -> str:
    return f"@trio-chat-{os.getpid()}"


async def test_it_says_when_it_is_ready_how_many_are_here_and_that_it_stops(tmp_path: Path) -> None:
    command, address = ("server", "--port", "0"), f"{tmp_path}/notify"
    async with (
        manager(address) as systemd,
        running(*command, constants=SOON, NOTIFY_SOCKET=address) as server,
    ):
        assert await systemd.hear() == {"READY": "1"}
        port = int((await server.out.line()).rpartition(":")[2])
        assert await systemd.hear() == {"STATUS": "0 people in 0 rooms, 0 connections"}
        async with guest(port, "al"):
            await systemd.until(is_status("1 person in 1 room, 1 connection"))
            async with guest(port, "bo") as bo:
                await bo.send("/join #tea\n")
                await systemd.until(is_status("2 people in 2 rooms, 2 connections"))
            await systemd.until(is_status("1 person in 1 room, 1 connection"))
            server.process.terminate()
            await systemd.until(lambda told: told == {"STOPPING": "1"})
        assert await server.ended() == 0


@pytest.mark.parametrize("line", ["TRIO_CHAT_LIMITS__LINE_BYTES=100\n", "broken\n"])
async def test_it_says_when_it_reads_its_settings_and_has_read_them(
    tmp_path: Path, line: str, abstract: str
) -> None:
    """Also if they are wrong: then the old ones stay in force."""
    path = tmp_path / "settings.env"
    path.write_text("")
    async with (
        manager(abstract) as systemd,
        running_server("--env-file", str(path), NOTIFY_SOCKET=abstract) as server,
    ):
        assert await systemd.hear() == {"READY": "1"}
        path.write_text(line)
        server.process.send_signal(signal.SIGHUP)
        *_, told = await systemd.until(lambda told: "RELOADING" in told)
        assert told.keys() == {"RELOADING", "MONOTONIC_USEC"}
        assert int(told["MONOTONIC_USEC"]) > 0
        assert await systemd.hear() == {"READY": "1"}


async def test_its_heart_beats_also_with_a_full_disk(tmp_path: Path, abstract: str) -> None:
    store = f"history.store={tmp_path}/chat.db"
    watched = {"NOTIFY_SOCKET": abstract, "WATCHDOG_USEC": "20000"}
    beat = {"WATCHDOG": "1"}
    async with (
        manager(abstract) as systemd,
        running_server("--set", store, **watched) as server,
        guest(server.port, "al") as al,
    ):
        await systemd.until(lambda told: told == beat)
        _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, hard))
        await al.send("hello\n")
        await al.until("This cannot be stored now")
        for _ in range(3):
            await systemd.until(lambda told: told == beat)


async def test_who_is_not_watched_sends_no_beats(tmp_path: Path, abstract: str) -> None:
    async with manager(abstract) as systemd:
        watch = {"NOTIFY_SOCKET": abstract, "WATCHDOG_USEC": "20000", "WATCHDOG_PID": "1"}
        async with running_server(**watch) as server:
            server.process.terminate()
            heard = await systemd.until(lambda told: "STOPPING" in told)
        assert not any("WATCHDOG" in told for told in heard)


async def test_a_store_that_hangs_stops_its_heart(tmp_path: Path) -> None:
    environment = {"NOTIFY_SOCKET": f"{tmp_path}/notify", "WATCHDOG_USEC": "2"}
    settled, beats = trio.Event(), trio.Event()
    server: Any = SimpleNamespace(figures=(0, 0, 0), store_settled=settled.wait)

    async def hear() -> None:
        await systemd.until(lambda told: "WATCHDOG" in told)
        beats.set()

    async with manager(environment["NOTIFY_SOCKET"]) as systemd:
        with Manager(environment) as told:
            assert environment == {}
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hear)
                nursery.start_soon(told.watch, server)
                await trio.testing.wait_all_tasks_blocked()
                assert not beats.is_set()
                settled.set()
                await beats.wait()
                nursery.cancel_scope.cancel()


async def test_a_manager_that_has_gone_disturbs_nobody(tmp_path: Path) -> None:
    gone = {"NOTIFY_SOCKET": f"{tmp_path}/nobody", "WATCHDOG_USEC": "20000"}
    async with running_server(**gone) as server, guest(server.port, "al") as al:
        await al.send("hello\n")
        await al.until("al: hello\n")
        server.process.send_signal(signal.SIGHUP)
        await server.err.until("settings reloaded")
        server.process.terminate()
        assert await server.ended() == 0
    assert '"error"' not in server.err.text


def test_a_limit_of_open_files_that_may_not_be_raised_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As behind a filter of system calls."""

    def forbid(*_: object) -> None:
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", forbid)
    _allow_files(2000)
    assert [record.getMessage() for record in caplog.records] == [
        "only 1024 files may be open, which limits the connections"
    ]
