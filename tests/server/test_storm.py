"""Very many people at once."""

import os
import resource
from collections.abc import Iterator

import pytest
import trio

from peers import House, running, settings

PEOPLE = 500


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Both ends of each connection are ours: more than the 1024 files that many systems allow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


async def visit(house: House) -> None:
    """Come and go; afterwards the server has seen to everybody who came before."""
    visitor = await house.connect("visitor")
    await visitor.send(b"/quit\n")
    await visitor.rest()
    await trio.aclose_forcefully(visitor.stream)


async def enter_and_say_a_line(house: House, number: int, heard: list[list[str]]) -> None:
    peer = await house.connect()
    await peer.send(b"n%d\nline %d\n" % (number, number))
    while peer.received.count(b": line ") < PEOPLE:
        data = await peer.stream.receive_some(65536)
        assert data, "closed too early"
        peer.received += data
    lines = peer.received.decode().splitlines()
    heard.append([line for line in lines if ": line " in line])


@pytest.mark.slow
async def test_hundreds_say_a_line_each_and_all_hear_all_in_the_same_order() -> None:
    async with running(settings(history={"replay": PEOPLE})) as house:
        await visit(house)
        tasks = trio.lowlevel.current_statistics().tasks_living
        files = open_files()
        heard: list[list[str]] = []
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                for number in range(PEOPLE):
                    nursery.start_soon(enter_and_say_a_line, house, number, heard)
        assert len(set(heard[0])) == PEOPLE
        assert all(lines == heard[0] for lines in heard)
        for peer in house.peers:
            await trio.aclose_forcefully(peer.stream)
        house.peers.clear()
        with trio.fail_after(60):
            alone = await house.connect("last")
            while True:
                await alone.send(b"/who\n")
                if (await alone.until("last\n")).endswith("*** In #lobby (1): last\n"):
                    break
            await alone.send(b"/quit\n")
            await alone.rest()
            await trio.aclose_forcefully(alone.stream)
            await visit(house)
            while trio.lowlevel.current_statistics().tasks_living > tasks or open_files() > files:
                await trio.lowlevel.checkpoint()
