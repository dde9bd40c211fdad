"""Readers of connections, and an epoll of our own that wakes them."""

import select
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing

from peers import running, settings
from trio_chat.server.poller import PolledLink, Poller, open_poller
from trio_chat.server.transport import Link, SocketLink


def needed(poller: Poller | None) -> Poller:
    assert poller is not None
    return poller


@asynccontextmanager
async def polling() -> AsyncIterator[Poller]:
    """A poller that runs."""
    with open_poller() as poller:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(needed(poller).run)
            yield needed(poller)
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def pair(poller: Poller | None) -> AsyncIterator[tuple[PolledLink, socket.socket]]:
    ours, theirs = socket.socketpair()
    with theirs:
        link = PolledLink(ours, "unix", keepalive=60, poller=needed(poller))
        try:
            yield link, theirs
        finally:
            await link.aclose()


async def test_bytes_and_the_end_that_come_together() -> None:
    async with polling() as poller, pair(poller) as (link, theirs):
        theirs.sendall(b"bye")
        theirs.shutdown(socket.SHUT_WR)
        with trio.fail_after(5):
            assert await link.receive() == b"bye"
            assert link.has_finished()
            assert await link.receive() == b""
            assert await link.receive() == b""


async def test_an_end_that_comes_while_the_reader_waits() -> None:
    async with polling() as poller, pair(poller) as (link, theirs), trio.open_nursery() as n:

        async def end() -> None:
            await trio.testing.wait_all_tasks_blocked()
            assert not link.has_finished()
            theirs.close()

        n.start_soon(end)
        with trio.fail_after(5):
            assert await link.receive() == b""


async def test_who_waits_after_it_was_woken_does_not_wait() -> None:
    """What there is to do may come up just before it waits."""
    ours, theirs = socket.socketpair()
    memory, _ = trio.testing.memory_stream_pair()
    async with polling() as poller, pair(poller) as (polled, _):
        with theirs:
            links = (polled, SocketLink(ours, "unix", keepalive=60), Link(memory, "memory"))
            for link in links:
                link.wake()
                with trio.fail_after(5):
                    await link.readable()
                assert link.receive_now() is None
                with trio.move_on_after(0.01) as waiting:  # once
                    await link.readable()
                assert waiting.cancelled_caught
            await links[1].aclose()


async def test_nothing_comes_of_a_closed_socket_that_another_process_still_has() -> None:
    ours, theirs = socket.socketpair()
    async with polling() as poller, pair(poller) as (other, others):
        with theirs, ours.dup():  # as fork gives it to a child
            await PolledLink(ours, "unix", keepalive=60, poller=poller).aclose()
            theirs.sendall(b"more")
            others.sendall(b"hello")
            with trio.fail_after(5):
                assert await other.receive() == b"hello"


async def test_more_than_one_read() -> None:
    async with polling() as poller, pair(poller) as (link, theirs):
        sent = bytes(range(256)) * 600  # 153,600 bytes: two reads and a half
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 500_000)
        theirs.sendall(sent)
        received = b""
        with trio.fail_after(5):
            while len(received) < len(sent):
                received += await link.receive()
        assert received == sent


async def test_a_reader_that_was_cancelled_can_read_again() -> None:
    async with polling() as poller, pair(poller) as (link, theirs):
        with trio.move_on_after(0) as scope:
            await link.receive()
        assert scope.cancelled_caught
        theirs.sendall(b"late")
        await trio.testing.wait_all_tasks_blocked()  # it comes while nobody waits
        with trio.fail_after(5):
            assert await link.receive() == b"late"


async def test_what_has_come_is_there_before_the_poller_tells() -> None:
    with open_poller() as poller:
        async with pair(poller) as (link, theirs):
            assert link.receive_now() is None
            theirs.sendall(b"hello")
            assert link.receive_now() == b"hello"
            assert link.receive_now() is None
            theirs.close()
            assert link.receive_now() == b""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
async def test_a_link_tells_what_its_peer_has_not_got() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    with theirs, open_poller() as poller:
        link = PolledLink(ours, "127.0.0.1", keepalive=60, poller=needed(poller))
        with suppress(BlockingIOError):
            while link.write_now(bytes(65536)):
                pass
        assert link.unacknowledged() > 0
        theirs.setblocking(False)
        with trio.fail_after(5):
            while link.unacknowledged():
                with suppress(BlockingIOError):
                    theirs.recv(65536)
                await trio.lowlevel.checkpoint()
        await link.aclose()


async def test_a_broken_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    async with polling() as poller:
        link = PolledLink(ours, "127.0.0.1", keepalive=60, poller=needed(poller))
        theirs.close()  # resets it
        with trio.fail_after(5), pytest.raises(trio.BrokenResourceError):
            await link.receive()
        await link.aclose()


async def test_a_crowd_is_woken_over_several_passes() -> None:
    """Three hundred hang up in the same moment; no pass of the loop runs more than 256 of them."""
    passes: list[int] = [0]

    class Count(trio.abc.Instrument):
        def after_io_wait(self, timeout: float) -> None:
            passes.append(0)

    async def read(link: PolledLink) -> None:
        await link.receive()
        passes[-1] += 1

    async with polling() as poller, trio.open_nursery() as nursery:
        links, ends = [], []
        for _ in range(300):
            ours, theirs = socket.socketpair()
            links.append(PolledLink(ours, "unix", keepalive=60, poller=needed(poller)))
            ends.append(theirs)
            nursery.start_soon(read, links[-1])
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.add_instrument(Count())
        for end in ends:
            end.close()
        await trio.testing.wait_all_tasks_blocked()
        assert [number for number in passes if number] == [256, 44]
        for link in links:
            await link.aclose()


async def test_a_system_without_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(select, "epoll")
    async with running(settings()) as house:
        ann, _ = await house.people("ann", "bob")
        await ann.send(b"hello\n")
        await ann.until("hello")
