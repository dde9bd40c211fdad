"""What a connection leaves behind: nothing that only the collector of garbage would find."""

import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest
import trio
import trio.testing
from websockets.frames import Opcode

from browsers import Socket, frame
from certificates import Hand, issue, secured
from peers import House, Peer, running, settings
from trio_chat.server.garbage import look_now, looking_once
from trio_chat.server.transport import Link

PLAIN, IRC = b"ann\n", b"NICK ann\r\nUSER a 0 * :Ann\r\nJOIN #den\r\nPRIVMSG #den :hello\r\n"
LIMITS = {
    "connections_per_address": 2, "outbox_bytes": 262_144, "registration": 20, "ping": 20,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    gc.collect()
    gc.freeze()  # as conftest has done; a server that ends undoes it
    gc.disable()
    yield
    gc.enable()
    gc.freeze()


def ours_in_garbage() -> set[str]:
    """The names of the server's types of which something is garbage; other tests leave some of the
    client's.
    """
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        types = {type(found) for found in gc.garbage}
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    rooms = ("trio_chat.server", "trio_chat.core", "trio_chat.protocols")
    return {
        kind.__qualname__
        for kind in types
        if kind.__module__.startswith(rooms) and ".client" not in kind.__module__
    }


async def come(house: House, hello: bytes) -> Peer:
    peer = await house.link()
    await peer.send(hello)
    await peer.until("ann")
    await trio.testing.wait_all_tasks_blocked()
    return peer


async def quit_(house: House, hello: bytes) -> None:
    peer = await come(house, hello)
    await peer.send(b"QUIT :bye\r\n" if hello is IRC else b"/quit\n")
    await peer.rest()


async def hang_up(house: House, hello: bytes) -> None:
    peer = await come(house, hello)
    await peer.stream.send_eof()
    await peer.rest()


async def vanish(house: House, hello: bytes) -> None:
    await trio.aclose_forcefully((await come(house, hello)).stream)
    await trio.sleep(5)


async def say_nothing(house: House, hello: bytes) -> None:
    await (await house.link()).rest()


async def speak_http(house: House, hello: bytes) -> None:
    peer = await house.link()
    await peer.send(b"GET / HTTP/1.1\r\n\r\n")
    await peer.rest()


async def close_socket(house: House, hello: bytes) -> None:
    """A browser chats, and closes its WebSocket; another one breaks it."""
    for last in (frame(Opcode.CLOSE, b"\x03\xe9"), b"\xff"):
        peer = await house.link()
        await peer.stream.send_all(Socket().written())
        lines = [frame(Opcode.TEXT, line) for line in (b"NICK ann", b"USER a 0 * :Ann")]
        await peer.stream.send_all(b"".join([*lines, frame(Opcode.PING, b""), last]))
        async for _ in peer.stream:
            pass


async def answer_no_ping(house: House, hello: bytes) -> None:
    peer = await come(house, hello)
    if hello is IRC:
        await peer.rest()


async def read_nothing(house: House, hello: bytes) -> None:
    ours, theirs = trio.testing.lockstep_stream_pair()
    house.server.take(Link(theirs, "10.0.0.2"))
    await ours.send_all(hello)
    asking = b"LIST\r\n" if hello is IRC else b"/help\n"
    with trio.move_on_after(30), suppress(trio.BrokenResourceError):
        while True:
            await ours.send_all(asking * 100)
            await trio.sleep(0.1)
    await trio.aclose_forcefully(ours)


async def come_in_vain(house: House, hello: bytes) -> None:
    first, second = await house.link(), await house.link()
    await (await house.link()).rest()
    for peer in (first, second):
        await trio.aclose_forcefully(peer.stream)


async def stay_to_the_end(house: House, hello: bytes) -> None:
    peer = await come(house, hello)
    house.server.stop()
    await peer.rest()
    await house.server.stopped.wait()


async def quit_tls(house: House, hello: bytes) -> None:
    peer = await secured(house, address="127.0.0.1")
    await peer.send(hello + (b"QUIT :bye\r\n" if hello is IRC else b"/quit\n"))
    await peer.rest()


async def break_tls(house: House, hello: bytes) -> None:
    peer, hand = await house.link(), Hand()
    await hand.shake(peer.stream)
    await peer.send(hand.seal(hello) + bytes(50))
    await peer.stream.receive_some()
    with suppress(trio.BrokenResourceError):
        await peer.rest()


async def stop_in_the_handshake(house: House, hello: bytes) -> None:
    peer = await house.link()
    await peer.send(b"\x16\x03\x01")
    await peer.rest()


async def speak_no_tls(house: House, hello: bytes) -> None:
    for garbage in (b"\x16" * 100, hello):
        peer = await house.link(address="203.0.113.9")
        await peer.send(garbage)
        await peer.rest()


ENDS = [
    quit_, hang_up, vanish, say_nothing, speak_http, close_socket, answer_no_ping, read_nothing,
    come_in_vain, quit_tls, break_tls, stop_in_the_handshake, speak_no_tls, stay_to_the_end,
]  # fmt: skip


def test_what_has_been_found_alive_is_not_looked_at_again():
    class Thing: ...

    with looking_once():
        alive = Thing()
        circle = Thing()
        circle.circle = circle
        gone = weakref.ref(circle)
        del circle
        gc.collect()
        assert gone() is None
        assert not any(found is alive for found in gc.get_objects())
    assert any(found is alive for found in gc.get_objects())


@pytest.mark.parametrize("hello", [PLAIN, IRC], ids=["plain", "irc"])
async def test_of_an_ended_connection_nothing_is_left_for_the_collector(
    hello, autojump_clock, tmp_path
):
    async with running(settings(limits=LIMITS, tls=issue(tmp_path).settings)) as house:
        gc.collect()
        for end in ENDS:
            await end(house, hello)
            await trio.sleep(60)
            assert ours_in_garbage() == set(), end.__name__


def test_new_objects_are_looked_at_when_a_crowd_goes_but_only_by_a_server() -> None:
    def is_frozen() -> bool:
        new: list[object] = []
        look_now()
        return not any(found is new for found in gc.get_objects())

    assert not is_frozen()
    with looking_once():
        assert is_frozen()
