"""The address for those who run the server: it answers whatever becomes of the chat."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from disks import disk_full, held
from http_peers import get, http_peer
from peers import PATIENCE, House, settings
from peers import running as running_with
from stores import open_file
from trio_chat.app import serve
from trio_chat.core.commands import Drain, EndDrain
from trio_chat.errors import CannotListen, CannotOpenStore
from trio_chat.server import health, transport
from trio_chat.server.health import Health, open_health
from trio_chat.settings import OpsSettings, Settings
from trio_chat.settings.places import Address

OK = (200, "ok\n")


def chosen(path: Path, **sections: dict[str, Any]) -> Settings:
    own = OpsSettings(admin="", listen=f"unix:{path}")  # type: ignore[arg-type]
    return settings(**sections).model_copy(update={"ops": own})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ops"


@asynccontextmanager
async def running(chosen: Settings) -> AsyncIterator[House]:
    """A server as the command runs it."""
    async with trio.open_nursery() as nursery:
        house = House(await nursery.start(serve, chosen))
        try:
            yield house
        finally:
            nursery.cancel_scope.cancel()
            with trio.CancelScope(shield=True):
                for peer in house.peers:
                    await trio.aclose_forcefully(peer.stream)


async def test_it_tells_that_it_lives_and_is_ready(path: Path) -> None:
    async with running(chosen(path)):
        assert await get(path, "/healthz") == OK
        assert await get(path, "/readyz") == OK
    assert not await trio.Path(path).exists()


async def test_it_tells_that_the_server_drains(path: Path) -> None:
    async with running(chosen(path)) as house:
        await house.connect("alice")
        [*house.server.operations.answer(Drain(600))]
        assert await get(path, "/readyz") == (503, "draining\n")
        assert await get(path, "/healthz") == OK
        [*house.server.operations.answer(EndDrain())]
        assert await get(path, "/readyz") == OK


async def test_by_default_it_tells_nobody() -> None:
    async with running(settings()) as house:
        status, _ = await get(house.port, "/readyz")
        assert status == 404  # of the page


async def test_it_answers_before_there_is_a_server(path: Path) -> None:
    async with open_health(Health(), [Address(f"unix:{path}")], keepalive=60):
        assert await get(path, "/healthz") == OK
        assert await get(path, "/readyz") == (503, "starting\n")


async def test_it_answers_while_the_server_stops(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "LINGER", PATIENCE)  # for somebody who does not hang up
    async with running(chosen(path, server={"shutdown_grace": 300})) as house:
        alice = await house.connect("alice")
        house.server.stop()
        await alice.until("Goodbye!\n")
        assert await get(path, "/readyz") == (503, "stopping\n")
        assert await get(path, "/healthz") == OK
        await alice.stream.aclose()
        with trio.fail_after(PATIENCE):
            await house.server.stopped.wait()


async def test_it_answers_while_the_chat_is_full(
    path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with running(chosen(path, limits={"connections": 1})) as house:
        await house.connect("alice")
        assert "The server is full" in await (await house.connect()).rest()
        assert await get(path, "/readyz") == OK


async def test_an_address_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CannotListen, match=r"cannot listen on unix:/.*/nowhere/ops: no such file"):
        await serve(chosen(tmp_path / "nowhere" / "ops"))


async def test_what_else_fails_comes_out_as_it_is(path: Path, tmp_path: Path) -> None:
    history = {"store": str(tmp_path)}
    with pytest.raises(CannotOpenStore):
        await serve(chosen(path, history=history))
    assert not await trio.Path(path).exists()


@pytest.mark.parametrize(("address", "is_told"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104
async def test_who_can_read_it_is_logged(
    caplog: pytest.LogCaptureFixture, address: str, is_told: bool
) -> None:
    caplog.set_level(logging.INFO)
    async with open_health(Health(), [Address(address, 0)], keepalive=60):
        assert f"answering GET /healthz, /readyz and /metrics at {address}:" in caplog.text
    assert ("can read its health and metrics" in caplog.text) is is_told


# ── the store ──────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def with_file(path: Path, on_failure: str = "refuse") -> AsyncIterator[House]:
    """A server with its history in a file, for which it may wait for long."""
    health, at = Health(), Address(f"unix:{path}")
    file, own = path.with_name("chat.db"), settings(history={"on_failure": on_failure})
    async with (
        open_health(health, [at], keepalive=60),
        open_file(file, busy=PATIENCE, refuse=on_failure == "refuse", clock=time.time) as log,
        running_with(own, log, health=health) as house,
    ):
        yield house


async def test_a_full_disk_makes_it_unready_until_there_is_space_again(path: Path) -> None:
    async with with_file(path) as house:
        alice = await house.connect("alice")
        with disk_full():
            await alice.send(b"hello\n")
            await alice.until("This cannot be stored now")
            assert await get(path, "/readyz") == (503, "store-failing\n")
            await house.server.status.store_settled()
            assert await get(path, "/readyz") == (503, "store-failing\n")
            assert await get(path, "/healthz") == OK
            await house.server.status.store_settled()
        await get(path, "/readyz")  # nobody says anything, but it tries by itself
        await house.server.status.store_settled()
        assert await get(path, "/readyz") == OK


async def test_a_full_disk_does_not_matter_to_who_goes_on_without_it(path: Path) -> None:
    async with with_file(path, on_failure="continue") as house:
        alice = await house.connect("alice")
        with disk_full():
            await alice.send(b"hello\n")
            await alice.until("alice: hello\n")
            assert await get(path, "/readyz") == OK


async def test_a_store_that_hangs_makes_it_unready_and_it_lives(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trio_chat.server.status._HANGS", 0.0)
    async with with_file(path) as house:
        alice = await house.connect("alice")
        await house.server.status.store_settled()
        with held(path.with_name("chat.db")):
            await alice.send(b"hello\n")
            while await get(path, "/readyz") == OK:
                pass
            assert await get(path, "/readyz") == (503, "store-hanging\n")
            assert await get(path, "/healthz") == OK
        await alice.until("alice: hello\n")


# ── strangers ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def asked(path: Path) -> AsyncIterator[Path]:
    async with open_health(Health(), [Address(f"unix:{path}")], keepalive=60):
        yield path


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"POST /readyz HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000, 405),
        (b"GET /" + b"x" * 1_000_000, 431),
        (b"\x00" * 1_000_000, 405),
    ],
    ids=["POST", "huge", "junk"],
)
async def test_a_stranger_is_told_at_once(asked: Path, said: bytes, status: int) -> None:
    peer = await http_peer(asked)
    async with peer.stream, trio.open_nursery() as nursery:
        nursery.start_soon(peer.send, said)
        assert f"HTTP/1.1 {status} " in await peer.until("\r\n\r\n")
    assert await get(asked, "/healthz") == OK


async def test_who_says_nothing_is_told_in_the_end(
    asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PATIENCE", 0.01)
    for said in (b"", b"GET /readyz HTTP/1.1\r\n"):
        peer = await http_peer(asked)
        async with peer.stream:
            await peer.send(said)
            assert (await peer.rest()).startswith("HTTP/1.1 408 ")


async def test_who_hangs_up_is_forgotten(asked: Path) -> None:
    for said in (b"", b"GET /rea"):
        peer = await http_peer(asked)
        async with peer.stream:
            await peer.send(said)
    assert await get(asked, "/healthz") == OK


async def test_many_who_say_nothing_keep_nobody_out(asked: Path) -> None:
    """Eight may wait; those who have waited longest make room for the next ones."""
    async with AsyncExitStack() as stack:
        silent = [await http_peer(asked) for _ in range(20)]
        for peer in silent:
            await stack.enter_async_context(peer.stream)
        for peer in silent[:12]:
            assert (await peer.rest()).startswith("HTTP/1.1 503 ")
        assert await get(asked, "/healthz") == OK
        assert (await silent[12].rest()).startswith("HTTP/1.1 503 ")
        for peer in silent[13:]:
            await peer.send(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert (await peer.rest()).endswith("\r\n\r\nok\n")


async def test_a_request_that_fails_ends_alone(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    failing = Health()
    failing.ready = fail
    async with open_health(failing, [Address(f"unix:{path}")], keepalive=60):
        peer = await http_peer(path)
        async with peer.stream:
            await peer.send(b"GET /readyz HTTP/1.1\r\n\r\n")
            assert await peer.rest() == ""
        assert await get(path, "/healthz") == OK
    assert "failed to answer a request" in caplog.text
