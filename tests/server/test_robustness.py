"""Nobody can hurt anybody: odd bytes, slow readers, cut connections; over real sockets."""

import socket
import struct
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import trio
import trio.testing

from peers import House, Peer, running, settings
from trio_chat.storage import memory

UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings(limits=UNLIMITED)) as running_house:
        yield running_house


def reset(peer: Peer) -> None:
    """Close with a reset (RST), as a peer that crashes does."""
    assert isinstance(peer.stream, trio.SocketStream)
    peer.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.stream.socket.close()


async def test_every_byte_in_every_position(house: House) -> None:
    alice, bob = await house.people("alice", "bob")
    for byte in range(256):
        for line in (b"%cxx\n", b"x%cx\n", b"xx%c\n"):
            await bob.send(line % byte)
        await bob.send(b"end of %d\n" % byte)
        text = await alice.until(f"bob: end of {byte}\n")
        assert all(c.isprintable() or c == "\n" for c in text)


@pytest.mark.parametrize("byte", [*range(0, 256, 15), 0x16])
async def test_any_byte_as_the_first(house: House, byte: int) -> None:
    peer = await house.connect()
    await peer.send(bytes([byte]) + b"q\nhello\n")
    await peer.stream.send_eof()
    assert "hello\n" in await peer.rest()
    await house.connect("alice")


async def test_all_bytes_as_a_nickname(house: House) -> None:
    peer = await house.connect()
    await peer.send(bytes(b for b in range(256) if b not in b"\n") + b"\nhello\n")
    text = await peer.until("hello\n")
    assert all(c.isprintable() or c == "\n" for c in text)


async def test_what_a_hostile_sender_sends_is_harmless(house: House) -> None:
    alice, mallory = await house.people("alice", "mallory")
    hostile = [
        "\x1b[2J\x1b]0;title\x07",
        "\x9b31m",
        "bob: hi\ralice: forged",
        "\u202eevil\u202c \u2066x\u2069 \u200f",
        "zero\u200bwidth\ufeff\u2060",
        "a\x00b\x08\x7f",
        "line\u2028paragraph\u2029next\x85",
    ]
    harmless = ["é", "e\u0301", "漢字", "👩‍👩‍👧", "مرحبا", "नमस्ते", "❤️‍🔥"]
    for text in (*hostile, *harmless):
        await mallory.send(text.encode() + b"\n")
    await mallory.send(b"end\n")
    lines = (await alice.until("mallory: end\n")).splitlines()
    assert len(lines) == len(hostile) + len(harmless) + 1
    assert all(line.startswith("mallory: ") for line in lines)
    assert not set("".join(lines)) & {chr(c) for c in (*range(32), *range(0x7F, 0xA0))}
    assert not set("".join(lines)) & set("\u202e\u202c\u2066\u2069\u200f\u200b\ufeff\u2060")
    assert lines[len(hostile) : -1] == [f"mallory: {text}" for text in harmless]


async def test_hostile_nicknames_and_topics_are_harmless(house: House) -> None:
    alice, mallory = await house.people("alice", "mallory")
    await mallory.send("/nick \x1b[2J\n/nick al\u200bice\n/nick *\n/nick a:b\n".encode())
    await mallory.send(b"/topic \x1b]0;x\x07\n/join #\x1b[1m\nend\n")
    text = await alice.until("mallory: end\n")
    assert text == "*** mallory set the topic: \u241b]0;x\u2407\nmallory: end\n"


@pytest.mark.slow
async def test_a_reader_that_never_reads_costs_the_others_nothing(house: House) -> None:
    """20 MB go to a room in which one never reads; the others get all of it."""
    talker, reader, _sleeper = await house.people("talker", "reader", "sleeper")
    line = b"x" * 4000
    rounds, run = 40, 125
    assert rounds * run * len(line) == 20_000_000
    for n in range(rounds):
        await talker.send((line + b"\n") * run + b"/me %d\n" % n)
        for peer in (talker, reader):
            text = await peer.until(f"* talker {n}\n")
            assert text.count("x" * 4000) == run
    await reader.send(b"/who\n")
    assert await reader.until("\n") == "*** In #lobby (2): reader, talker\n"
    assert "sleeper left!\n" in reader.received.decode()


async def test_a_slow_reader_that_comes_back_is_told(house: House) -> None:
    talker, sleeper = await house.people("talker", "sleeper")
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def talk() -> None:
            while "sleeper left!" not in talker.received.decode():
                await talker.send((b"x" * 4000 + b"\n") * 100 + b"/me talks\n")
                await talker.until("* talker talks\n")

    text = await sleeper.rest()
    assert text.endswith(
        "*** You read too slowly: more than 1048576 bytes were waiting. Goodbye!\n"
    )
    lines = text.splitlines()
    assert set(lines[:-1]) <= {"talker: " + "x" * 4000, "* talker talks"}


async def test_a_reset_is_a_departure(house: House) -> None:
    alice, bob = await house.people("alice", "bob")
    reset(bob)
    assert await alice.until("\n") == "bob left!\n"


async def test_a_reset_before_the_nickname_is_nothing(house: House) -> None:
    for _ in range(20):
        reset(await house.connect())
    await house.connect("alice")


async def test_ten_megabytes_without_a_newline(house: House) -> None:
    alice, bob = await house.people("alice", "bob")

    async def send() -> None:
        with suppress(trio.BrokenResourceError):
            for _ in range(160):
                await bob.stream.send_all(b"x" * 65536)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        assert await bob.until("Goodbye!\n") == (
            "*** That was longer than 4096 bytes, and was not sent.\n"
            "*** More than 1048576 bytes came without a newline. Goodbye!\n"
        )
    assert await alice.until("\n") == "bob left!\n"


@pytest.mark.parametrize(
    ("opening", "answer"),
    [
        (b"GET / HTTP/3\r\nHost: x\r\n\r\n", "HTTP/1.1 400 "),
        (b"POST / HTTP/1.1\r\nHost: x\r\n\r\nNICK x\r\n", "HTTP/1.1 400 "),
        (b"\x16\x03\x01\x02\x00\x01\x00", "\x15\x03\x01"),
    ],
)
async def test_other_protocols_are_refused_in_their_own_words(
    house: House, opening: bytes, answer: str
) -> None:
    peer = await house.connect()
    await peer.send(opening)
    assert (await peer.rest()).startswith(answer)


async def test_a_fault_in_one_connection_ends_that_one_alone(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    alice, bob = await house.people("alice", "bob")

    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patch:
        patch.setattr(memory.MemoryLog, "snapshot", broken)
        await bob.send(b"/join somewhere\n")
        assert await alice.until("\n") == "bob left!\n"
    await alice.send(b"all is well\n")
    assert await alice.until("\n") == "alice: all is well\n"
    await trio.testing.wait_all_tasks_blocked()
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == [
        "failed"
    ]
