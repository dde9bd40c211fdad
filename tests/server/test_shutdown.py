"""How the server stops: what anybody has seen reaches everybody, and nobody holds it up."""

from contextlib import suppress

import pytest
import trio
import trio.testing

from peers import House, running, settings
from trio_chat.storage.memory import MemoryLog

UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
GOODBYE = "*** The server is shutting down. Goodbye!\n"


async def read_to_the_end(house: House, texts: dict[int, str]) -> None:
    async def read(number: int) -> None:
        texts[number] = await house.peers[number].rest()
        await trio.aclose_forcefully(house.peers[number].stream)

    async with trio.open_nursery() as nursery:
        for number in range(len(house.peers)):
            nursery.start_soon(read, number)


async def test_all_that_anybody_saw_reaches_everybody_and_a_sleeper_delays_nothing() -> None:
    async with running(settings(limits=UNLIMITED, server={"shutdown_grace": 30})) as house:
        await house.people(*(f"n{number}" for number in range(100)))
        talker, sleeper = await house.connect("talker"), house.peers.pop(0)
        flood = b"".join(b"%d " % n + b"x" * 2000 + b"\n" for n in range(5000))
        texts: dict[int, str] = {}
        with trio.fail_after(25):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(read_to_the_end, house, texts)

                @nursery.start_soon
                async def talk() -> None:
                    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                        await talker.stream.send_all(flood)  # until the server stops reading

                while b"talker: 200 " not in house.peers[0].received:
                    await trio.lowlevel.checkpoint()
                house.server.stop()
                await house.server.stopped.wait()
        said = [
            [line for line in text.splitlines() if line.startswith("talker: ")]
            for text in texts.values()
        ]
        assert all(text.endswith(GOODBYE) for text in texts.values())
        assert all(lines == said[0] for lines in said)
        assert len(said[0]) > 200
        house.peers.append(sleeper)


async def test_nothing_to_wait_for_is_not_waited_for(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(settings(server={"shutdown_grace": 300})) as house:
        alice, nameless = await house.link("alice"), await house.link()
        house.server.stop()
        assert await alice.rest() == GOODBYE
        assert (await nameless.rest()).endswith(GOODBYE)
        for peer in (alice, nameless):
            await peer.stream.aclose()
        began = trio.current_time()
        await house.server.stopped.wait()
        assert trio.current_time() - began < 1


async def test_whoever_does_not_hang_up_is_hung_up_on(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with running(settings(server={"shutdown_grace": 300})) as house:
        alice = await house.link("alice")
        began = trio.current_time()
        house.server.stop()
        await house.server.stopped.wait()
        assert trio.current_time() - began < 2
        assert await alice.rest() == GOODBYE


async def test_what_hangs_is_cut_off_when_the_grace_is_over(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(*args: object, **how: object) -> None:
        await trio.sleep_forever()

    async with running(settings(server={"shutdown_grace": 300})) as house:
        alice = await house.link("alice")
        monkeypatch.setattr(MemoryLog, "history", hang)
        await alice.send(b"/history\n")
        await trio.testing.wait_all_tasks_blocked()
        began = trio.current_time()
        house.server.stop()
        await house.server.stopped.wait()
        assert 299 < trio.current_time() - began < 310


async def test_nobody_is_let_in_once_it_stops() -> None:
    async with running() as house:
        house.server.stop()
        await house.server.stopped.wait()
        try:
            stream = await trio.open_tcp_stream("127.0.0.1", house.port)
        except OSError:
            return
        await trio.aclose_forcefully(stream)
        raise AssertionError("somebody still listens")


async def test_cancelling_stops_at_once() -> None:
    with trio.fail_after(2):
        async with running(settings(limits=UNLIMITED)) as house:
            talker, _sleeper = await house.people("talker", "sleeper")
            for n in range(5):
                await talker.send((b"x" * 4000 + b"\n") * 100 + b"/me %d\n" % n)
                await talker.until(f"talker {n}\n")


@pytest.mark.parametrize("passes", range(20))
async def test_cancelling_does_not_wait_for_a_room_that_closes(passes: int) -> None:
    with trio.fail_after(2):
        async with running() as house:
            alice = await house.connect("alice")
            await trio.aclose_forcefully(alice.stream)
            for _ in range(passes):
                await trio.lowlevel.checkpoint()


async def test_a_server_can_follow_another_on_the_same_port() -> None:
    port = 0
    for _ in range(3):
        chosen = settings().model_copy(update={"port": port})
        async with running(chosen) as house:
            port = house.port
            alice = await house.connect("alice")
            house.server.stop()
            assert await alice.rest() == GOODBYE
            await trio.aclose_forcefully(alice.stream)
            await house.server.stopped.wait()
