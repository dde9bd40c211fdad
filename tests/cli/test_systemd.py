"""``trio-chat server`` as a service of systemd: what it tells the manager, and is passed by it."""

import os
import resource
import signal
import socket
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trio
import trio.testing

from http_peers import get
from managers import manager
from netcat import converse, guest, netcat
from processes import IMPATIENT, run, running, running_server
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


async def test_it_says_that_it_drains(tmp_path: Path, abstract: str) -> None:
    admin, told = {"TRIO_CHAT_OPS__ADMIN": f"{tmp_path}/admin"}, {"NOTIFY_SOCKET": abstract}
    async with (
        manager(abstract) as systemd,
        running("server", "--port", "0", constants=SOON, **told, **admin) as server,
    ):
        port = int((await server.out.line()).rpartition(":")[2])
        async with guest(port, "al"):
            await run("admin", "drain", "600", **admin)
            await systemd.until(is_status("draining: 1 person in 1 room, 1 connection"))
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
    server: Any = SimpleNamespace(
        status=SimpleNamespace(figures=(0, 0, 0), state="ok", node="", store_settled=settled.wait)
    )

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


async def test_the_settings_of_the_service_are_right() -> None:
    path = Path(__file__).parents[2] / "packaging" / "trio-chat.env"
    done = await run("config", "--check", "--env-file", str(path))
    assert (done.code, done.out, done.err) == (0, "", "")


# ── sockets that it is passed ──────────────────────────────────────────────────────────────


def listening(family: int, address: Any) -> socket.socket:
    """A socket as systemd opens one."""
    sock = socket.socket(family)
    sock.bind(address)
    sock.listen()
    return sock


def for_both(port: int = 0) -> socket.socket:
    """For IPv4 and IPv6, as ListenStream= with nothing but a port makes it."""
    return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)


async def test_the_sockets_that_it_is_passed_take_the_place_of_its_own(tmp_path: Path) -> None:
    path, elsewhere = tmp_path / "chat", tmp_path / "elsewhere"
    with (
        listening(socket.AF_INET, ("127.0.0.1", 0)) as tcp,
        listening(socket.AF_UNIX, str(path)) as unix,
    ):
        port = tcp.getsockname()[1]
        own = ("--host", "192.0.2.1", "--set", f"server.listen=unix:{elsewhere}")
        names = {"LISTEN_FDNAMES": "chat:chat"}
        async with running("server", *own, passed=[tcp, unix], **names) as server:
            assert await server.out.line() == f"trio-chat is listening on 127.0.0.1:{port}"
            assert await server.out.line() == f"trio-chat is listening on unix:{path}"
            assert f"'nc 127.0.0.1 {port}'" in await server.out.line()
            assert not elsewhere.exists()
            async with guest(port, "al") as al, guest(str(path), "bo") as bo:
                await bo.send("hello\n")
                await al.until("bo: hello\n")
            server.process.terminate()
            assert await server.ended() == 0
        assert path.exists()  # it is the manager's


async def test_operators_come_by_the_socket_that_is_named_for_them(tmp_path: Path) -> None:
    path = str(tmp_path / "passed")
    own = ("--set", f"ops.admin={tmp_path}/own")
    names = {"LISTEN_FDNAMES": "admin"}
    with listening(socket.AF_UNIX, path) as admin:
        async with running_server(*own, passed=[admin], **names) as server:
            assert "al: hello\n" in await converse(server.port, "al\nhello\n")
            assert not (tmp_path / "own").exists()
            asked = await run("admin", "--set", f"ops.admin={path}", "announce", "tea is ready")
            assert (asked.code, asked.err) == (0, "")


async def test_who_asks_how_it_is_comes_by_the_socket_that_is_named_for_that(
    tmp_path: Path,
) -> None:
    path = tmp_path / "passed"
    names = {"LISTEN_FDNAMES": "ops:chat"}
    with (
        listening(socket.AF_UNIX, str(path)) as ops,
        listening(socket.AF_INET, ("127.0.0.1", 0)) as chat,
    ):
        own = ("--set", f"ops.listen=unix:{tmp_path}/own")
        async with running("server", *own, passed=[ops, chat], **names) as server:
            await server.out.until(f"listening on 127.0.0.1:{chat.getsockname()[1]}\n")
            assert await get(path, "/readyz") == (200, "ok\n")
            assert not (tmp_path / "own").exists()


async def test_a_passed_socket_that_others_can_reach_is_safe(tmp_path: Path) -> None:
    """They come by TLS and an invitation, though its own address would be on this machine."""
    keep = ("--set", f"history.store={tmp_path}/chat.db")
    with for_both() as sock:
        port = sock.getsockname()[1]
        async with running("server", *keep, passed=[sock]) as server:
            assert await server.out.line() == f"trio-chat is listening on [::]:{port}"
            told = await server.out.until("Its certificate is SHA256:")
            invite = f"trio-chat invite --host :: --port {port} --set {keep[1]}"
            assert f"To invite somebody: {invite}\n" in told
            made = await run(*invite.split()[1:])
            assert made.err == ""
            assert f":{port}?pin=" in made.out
            assert "invite=" in made.out
            assert "invitation" in await converse(port, "al\n")
            await server.err.until('"connected from 127.0.0.1"')  # and not ::ffff:127.0.0.1


@pytest.mark.parametrize(
    ("kind", "name"), [("datagrams", "chat"), ("deaf", "chat"), ("file", ""), ("tcp", "admin")]
)
async def test_a_passed_socket_of_another_kind_is_an_error(
    tmp_path: Path, kind: str, name: str
) -> None:
    with ExitStack() as stack:
        passed: Any = stack.enter_context(
            {
                "datagrams": lambda: socket.socket(type=socket.SOCK_DGRAM),
                "deaf": socket.socket,
                "file": lambda: (tmp_path / "file").open("w"),
                "tcp": lambda: listening(socket.AF_INET, ("127.0.0.1", 0)),
            }[kind]()
        )
        async with running("server", passed=[passed], LISTEN_FDNAMES=name) as server:
            assert await server.ended() == 78
    assert server.err.text.startswith(f"trio-chat: the socket {name or 3} that was passed by ")
    assert server.err.text.count("\n") == 1


async def test_sockets_for_another_process_are_not_its_own() -> None:
    meant = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "chat"}
    async with running_server(**meant) as server:
        assert "al: hello\n" in await converse(server.port, "al\nhello\n")


@pytest.mark.slow
async def test_while_it_is_started_again_nobody_is_refused_and_nothing_is_lost(
    tmp_path: Path,
) -> None:
    """Behind a socket that stays."""
    keep = ("server", "--set", f"history.store={tmp_path}/chat.db")
    with listening(socket.AF_INET, ("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        join = ("client", "--port", f"{port}", "--nick", "al", "--retry")
        async with running(*join, constants=IMPATIENT) as al:
            for number, ends in enumerate([signal.SIGTERM, signal.SIGKILL]):
                async with running(*keep, passed=[sock]) as server, guest(port, "bo"):
                    await al.write(f"during {number}\n")
                    await al.out.until(f"al: during {number}\n")
                    server.process.send_signal(ends)
                    await server.ended()
                await al.write(f"after {number}\n")
                async with netcat(port) as cy:
                    await cy.send("cy\n")
                    async with running(*keep, passed=[sock]) as server:
                        await al.out.until(f"al: after {number}\n")
                        await cy.until(f"al: after {number}\n")
                        server.process.send_signal(ends)
                        await server.ended()
            async with running(*keep, passed=[sock]):
                await al.end_input()
                assert await al.ended() == 0
        said = [f"al: {when} {number}" for number in range(2) for when in ("during", "after")]
        assert [line for line in al.out.text.splitlines() if line.startswith("al: ")] == said
