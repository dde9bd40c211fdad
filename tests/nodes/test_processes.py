"""Nodes that are processes: what people notice if one is killed, sleeps, or is stopped in order."""

import random
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, contextmanager
from pathlib import Path
from typing import Protocol

import pytest
import trio

from engines import fresh, the_engine
from peers import Peer
from processes import IMPATIENT, Running, running, running_server
from soak import test_nodes as soak
from trio_chat.settings.engine import Address

pytestmark = pytest.mark.programs

OF_CLIENTS = ("--retry", "--plain", "-n")


@pytest.fixture
def address() -> Address:
    return fresh(the_engine())


@pytest.fixture
def lease() -> int:
    return 2  # seconds


@pytest.fixture
async def a(address: Address, tmp_path: Path, lease: int) -> AsyncIterator[Running]:
    async with node(address, tmp_path / "a.db", lease) as server:
        yield server


@pytest.fixture
async def b(address: Address, tmp_path: Path, lease: int, a: Running) -> AsyncIterator[Running]:
    async with node(address, tmp_path / "b.db", lease) as server:
        yield server


def node(address: Address, file: Path, lease: int) -> AbstractAsyncContextManager[Running]:
    return running_server(
        TRIO_CHAT_HISTORY__STORE=str(file),
        TRIO_CHAT_NODES__NAME=file.stem,
        TRIO_CHAT_NODES__THROUGH=f"unix:{address.path}?{address.name}",
        TRIO_CHAT_NODES__LEASE=str(lease),
        TRIO_CHAT_OPS__ADMIN="",  # they have their key in common, and the folder
    )


class Come(Protocol):
    async def __call__(self, server: Running, nick: str) -> Peer: ...


@pytest.fixture
async def come(a: Running, b: Running) -> AsyncIterator[Come]:
    """Somebody comes to a node in plain, and stays to the end of the test."""
    async with AsyncExitStack() as stack:

        async def enter(server: Running, nick: str) -> Peer:
            stream = await trio.open_tcp_stream("127.0.0.1", server.port)
            return await Peer(await stack.enter_async_context(stream)).enter(nick)

        yield enter


@contextmanager
def asleep(server: Running) -> Iterator[None]:
    server.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.process.send_signal(signal.SIGCONT)


async def test_who_was_on_a_killed_node_goes_on_at_another(
    a: Running, b: Running, come: Come
) -> None:
    """Under the same nickname, and what was said is there once."""
    alice = await come(b, "alice")
    link = f"127.0.0.1:{a.port},127.0.0.1:{b.port}"
    async with running("client", link, *OF_CLIENTS, "bob", constants=IMPATIENT) as bob:
        await alice.until("bob joined!\n")
        await bob.write("one\n")
        await bob.out.until("one")
        a.process.kill()
        await bob.write("two\n")
        await alice.until("bob left!\n")
        await alice.until("bob joined!\n")
        await alice.until("bob: two\n")
        await alice.send(b"three\n")
        await bob.out.until("alice: three")
        await bob.end_input()
        assert await bob.ended() == 0
    seen = alice.received.decode()
    assert [seen.count(f"bob: {text}\n") for text in ("one", "two")] == [1, 1]


async def test_a_node_that_slept_for_too_long_lets_its_people_go(
    a: Running, b: Running, come: Come
) -> None:
    """What they said meanwhile is said to nobody; then the node is there again."""
    bob, alice = await come(a, "bob"), await come(b, "alice")
    await bob.until("alice joined!\n")
    with asleep(a):
        await bob.send(b"too late\n")
        await alice.until("bob left!\n")
        await alice.send(b"where is he?\n")
        await alice.until("where is he?\n")
    assert "too late" not in await bob.rest()
    await a.out.until("in a browser.\n")  # that was its first life
    await a.out.until("listening on 127.0.0.1:")
    a.port = int(await a.out.line())
    again = await come(a, "bob")
    await alice.until("bob joined!\n")
    await again.send(b"here\n")
    await alice.until("bob: here\n")
    assert "too late" not in alice.received.decode()
    assert again.received.decode().count("where is he?\n") == 1, (
        again.received.decode(),
        alice.received.decode(),
        a.err.text,
    )


@pytest.mark.parametrize("lease", [60])
async def test_a_node_that_slept_for_a_moment_goes_on(a: Running, b: Running, come: Come) -> None:
    bob, alice = await come(a, "bob"), await come(b, "alice")
    await bob.until("alice joined!\n")
    with asleep(a):
        await bob.send(b"in time\n")
        await alice.send(b"are you there?\n")
        await alice.until("are you there?\n")
    await alice.until("bob: in time\n")
    await bob.until("bob: in time\n")
    assert "bob left" not in alice.received.decode()


async def test_nothing_is_lost_while_all_are_restarted_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await soak.happens(soak.NodeRestarted(tmp_path, random.Random(3)), 3, monkeypatch)
