"""What single steps of trio-chat cost: ``python -m benchmarks.micro``.

Each step is repeated for a while, in several rounds; the median round counts. Compare figures of
one machine only, before and after a change.
"""

import gc
import socket
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from benchmarks.machine import on_core, two_cores
from trio_chat.core.chat import Chat
from trio_chat.core.commands import Say
from trio_chat.core.events import Arrived, Entry, Joined, Said
from trio_chat.core.room_state import RoomState
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.server import PlainDialect, PlainSession
from trio_chat.server.counts import Counts
from trio_chat.server.outbox import Outbox
from trio_chat.server.transport import SocketLink

ROUNDS = 9
_ROUND = 0.05  # seconds
_TEXT = "The quick brown fox jumps over the lazy dog, and then once more."  # 64 characters
_CJK = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳云腾致雨露结为霜"


def nanoseconds(step: Callable[[], object], operations: int) -> float:
    """The time of one operation, of which ``step`` does so many."""
    times = []
    gc.collect()
    gc.disable()
    try:
        for _ in range(ROUNDS):
            done, began = 0, time.perf_counter()
            while (took := time.perf_counter() - began) < _ROUND:
                step()
                done += operations
            times.append(took / done)
    finally:
        gc.enable()
    return statistics.median(times) * 1e9


def lines() -> Iterator[tuple[str, float]]:
    text = _TEXT.encode() + b"\n"
    buffer, many = LineBuffer(4096), text * 1000
    yield (
        "LineBuffer.feed, 1,000 lines at once: a line",
        nanoseconds(lambda: buffer.feed(many), 1000),
    )
    yield "LineBuffer.feed, a line at a time: a line", nanoseconds(lambda: buffer.feed(text), 1)
    pieces = [text[i : i + 1] for i in range(len(text))]

    def trickle() -> None:
        for piece in pieces:
            buffer.feed(piece)

    yield "LineBuffer.feed, a byte at a time: a byte", nanoseconds(trickle, len(pieces))


def rendering() -> Iterator[tuple[str, float]]:
    dialect = PlainDialect("utf-8")
    for name, text in (("ASCII", _TEXT), ("CJK", _CJK)):
        many = [Said("#lobby", "alice", text) for _ in range(1000)]

        def render(many: list[Said] = many) -> None:
            for said in many:
                dialect.render(said)

        yield (
            f"PlainDialect.render, {len(text)} characters {name}: a message",
            nanoseconds(render, len(many)),
        )


def sessions() -> Iterator[tuple[str, float]]:
    session = PlainSession(encoding="utf-8", line_bytes=4096, lobby="#lobby")
    session.receive_data(b"alice\n")
    session.next_run()
    session.done(Arrived("alice", "1"))
    session.done(Joined("#lobby", "alice", "1"))
    for number in (1, 64):
        data = (_TEXT.encode() + b"\n") * number

        def converse(data: bytes = data) -> None:
            session.receive_data(data)
            while session.next_run():
                pass

        name = f"PlainSession, {number} in a read: bytes to a command"
        yield name, nanoseconds(converse, number)


def chats() -> Iterator[tuple[str, float]]:
    chat = Chat(replay=20)
    chat.open_room(RoomState("#lobby"))
    chat.apply(Entry("", "1", Arrived("alice", "1")))
    chat.apply(Entry("#lobby", "2", Joined("#lobby", "alice", "1")))
    say = Say("#lobby", _TEXT)
    [said] = chat.decide("1", say)
    assert isinstance(said, Said)  # noqa: S101 - for the type checker
    entry = Entry("#lobby", "3", said)
    yield "Chat.decide: a message", nanoseconds(lambda: chat.decide("1", say), 1)
    yield "Chat.apply: a message", nanoseconds(lambda: chat.apply(entry), 1)


async def outboxes() -> list[tuple[str, float]]:
    """A post is mostly the kernel's work; so the same without an outbox stands beside it."""
    data = b"alice: " + _TEXT.encode() + b"\n"
    rows = []
    for name, make in (("Unix", socket.socketpair), ("TCP", _tcp_pair)):
        with _pair(make) as (ours, theirs):
            rows.append((f"socket.send, {name}: a message", _posting(ours.send, data, theirs)))
        async with trio.open_nursery() as nursery:
            with _pair(make) as (ours, theirs):
                link = SocketLink(ours, "127.0.0.1", keepalive=60)
                outbox = Outbox(link, nursery, _Nobody(), Counts(), max_bytes=1 << 20)
                rows.append(
                    (f"Outbox.post, {name}, idle: a message", _posting(outbox.post, data, theirs))
                )
    return rows


class _Nobody:
    def on_lost(self) -> None:
        raise AssertionError("the peer is gone")

    def on_slow(self) -> None:
        raise AssertionError("the peer is slow")


def _posting(post: Callable[[bytes], object], data: bytes, peer: socket.socket) -> float:
    """The peer reads at the end of each step: little enough to leave it out of the account."""

    def step() -> None:
        for _ in range(100):
            post(data)
        peer.recv(1 << 20)

    return nanoseconds(step, 100)


def _tcp_pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        theirs = socket.create_connection(listening.getsockname())
        ours, _ = listening.accept()
    ours.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return ours, theirs


@contextmanager
def _pair(
    make: Callable[[], tuple[socket.socket, socket.socket]],
) -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = make()
    with ours, theirs:
        yield ours, theirs


def main() -> None:
    with on_core(two_cores().server):
        for group in (lines, rendering, sessions, chats):
            for name, cost in group():
                print(f"{cost:10,.0f} ns  {name}", flush=True)
        for name, cost in trio.run(outboxes):
            print(f"{cost:10,.0f} ns  {name}", flush=True)


if __name__ == "__main__":
    main()
