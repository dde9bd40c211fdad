"""The outbox: straight to the socket while it can, in order always, never more than its bound."""

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.server.counts import Counts
from trio_chat.server.outbox import Outbox, post_to
from wires import Failures, Wire


@pytest.fixture
def failures() -> Failures:
    return Failures()


def outbox(wire: Wire, nursery: trio.Nursery, failures: Failures, max_bytes: int = 1000) -> Outbox:
    return Outbox(wire, nursery, failures, Counts(), max_bytes=max_bytes)


async def read(wire: Wire, count: int) -> bytes:
    data = b""
    with trio.fail_after(5):
        while len(data) < count:
            data += await wire.far_end.receive_some(100)
    return data


async def test_an_idle_socket_is_written_to_at_once(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=100)
        box = outbox(wire, nursery, failures)
        box.post(b"one")
        box.post(b"two")
        assert wire.direct == [b"one", b"two"]
        assert not nursery.child_tasks


async def test_of_many_each_gets_it_as_far_as_it_takes_it(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        takes, waits, takes_some, lost, has_left = wires = [Wire(room=n) for n in (9, 0, 3, 9, 9)]
        boxes = [outbox(wire, nursery, failures) for wire in wires]
        lost.broken = True
        await boxes[-1].finish()
        post_to(boxes, b"first ")
        post_to(boxes, b"second")
        assert failures.lost == 1
        assert [bytes(wire.arrived) for wire in (takes, lost, has_left)] == [b"first sec", b"", b""]
        assert await read(takes, 3) == b"ond"
        assert await read(waits, 12) == b"first second"
        assert bytes(takes_some.arrived) + await read(takes_some, 9) == b"first second"


async def test_what_does_not_fit_follows_in_order(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=5)
        box = outbox(wire, nursery, failures)
        box.post(b"0123456789")
        wire.room = 100
        box.post(b"abc")  # the socket would take it now, but it is not its turn
        assert b"".join(wire.direct) + await read(wire, 8) == b"0123456789abc"


async def test_after_a_backlog_the_socket_is_written_to_directly_again(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=0)
        box = outbox(wire, nursery, failures)
        box.post(b"backlog")
        assert await read(wire, 7) == b"backlog"
        await trio.testing.wait_all_tasks_blocked()
        assert not nursery.child_tasks
        wire.room = 100
        box.post(b"direct")
        assert wire.direct == [b"direct"]


async def test_too_much_is_reported_and_not_kept(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=0)
        box = outbox(wire, nursery, failures, max_bytes=100)
        for _ in range(10):
            box.post(b"x" * 10)
        assert failures.slow == 0
        box.post(b"y")
        assert failures.slow == 1
        nursery.start_soon(box.finish, b"bye")
        assert await read(wire, 103) == b"x" * 100 + b"bye"


async def test_finish_sends_what_waits_and_then_the_last_words(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=3)
        box = outbox(wire, nursery, failures)
        box.post(b"hello")
        nursery.start_soon(box.finish, b" bye")
        await trio.testing.wait_all_tasks_blocked()
        box.post(b"too late")
        nursery.start_soon(box.finish, b"and later")
        assert b"".join(wire.direct) + await read(wire, 6) == b"hello bye"
    assert wire.direct == [b"hel"]


async def test_an_idle_outbox_finishes_with_its_last_words(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=100)
        await outbox(wire, nursery, failures).finish(b"bye")
        assert wire.direct == [b"bye"]


async def test_a_finished_outbox_gives_up_on_a_peer_that_takes_nothing(
    failures: Failures, autojump_clock: trio.testing.MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        box = outbox(Wire(room=0), nursery, failures)
        box.post(b"never read")
        await trio.sleep(100)  # while it is open, there is no hurry
        assert nursery.child_tasks
        began = trio.current_time()
        await box.finish()
        assert not nursery.child_tasks
        assert trio.current_time() - began < 2


async def test_finishing_can_be_cut_off(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        box = outbox(Wire(room=0), nursery, failures)
        box.post(b"never read")
        with trio.CancelScope() as scope:
            scope.cancel()
            await box.finish(b"bye")
        await trio.testing.wait_all_tasks_blocked()
        assert not nursery.child_tasks


async def test_a_finished_outbox_is_patient_with_a_peer_that_reads_slowly(
    failures: Failures, autojump_clock: trio.testing.MockClock
) -> None:
    data = bytes(range(256)) * 1000
    async with trio.open_nursery() as nursery:
        wire = Wire(room=0)
        box = outbox(wire, nursery, failures, max_bytes=len(data))
        for n in range(0, len(data), 1000):
            box.post(data[n : n + 1000])
        nursery.start_soon(box.finish)
        received = b""
        while len(received) < len(data):
            received += await wire.far_end.receive_some(40_000)
            await trio.sleep(0.5)
    assert received == data


async def test_a_lost_peer_is_reported(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=100)
        box = outbox(wire, nursery, failures)
        wire.broken = True
        box.post(b"x")
        box.post(b"y")
        assert failures.lost == 1


async def test_a_peer_lost_with_a_backlog_is_reported(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=0)
        box = outbox(wire, nursery, failures)
        box.post(b"x")
        await trio.testing.wait_all_tasks_blocked()
        await wire.far_end.aclose()
    assert failures.lost == 1
    box.post(b"y")


async def test_nothing_follows_what_was_cut_off(failures: Failures) -> None:
    async with trio.open_nursery() as nursery:
        wire = Wire(room=0)
        box = outbox(wire, nursery, failures)
        box.post(b"cut off")
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    wire.room = 100
    box.post(b"more")
    assert wire.direct == []


@given(
    posts=st.lists(st.binary(min_size=1, max_size=50), max_size=30),
    room=st.integers(0, 300),
    pauses=st.sets(st.integers(0, 29)),
)
def test_all_posts_arrive_whole_and_in_order(
    posts: list[bytes], room: int, pauses: set[int]
) -> None:
    async def run() -> None:
        async with trio.open_nursery() as nursery:
            wire = Wire(room=room)
            box = outbox(wire, nursery, Failures(), max_bytes=10_000)

            @nursery.start_soon
            async def receive() -> None:
                while True:
                    wire.arrived += await wire.far_end.receive_some(7)

            for number, post in enumerate(posts):
                box.post(post)
                if number in pauses:
                    await trio.testing.wait_all_tasks_blocked()
                    wire.room += 20
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        assert wire.arrived == b"".join(posts)

    trio.run(run)
