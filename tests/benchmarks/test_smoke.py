"""The benchmarks run, and their checker notices what a server could do wrong."""

import os
import re
import select
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from benchmarks.load import Latencies, Rate, Result, Room, Window
from benchmarks.transcript import Failed, Transcript

from benchmarks import inside, scenarios

ROOT = Path(__file__).parents[2]
MESSAGES = 6

pytestmark = [
    pytest.mark.skipif(not hasattr(select, "epoll"), reason="needs Linux"),
    pytest.mark.slow,
]


def test_a_quick_run_names_the_servers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "loaded", "names", "--quick", "--no-write"]
    done = subprocess.run(
        [*command, "--servers", "trio-chat,c-loop"],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = re.findall(r"^\| (\S+) +\| +[\d.]+ \| +\d+% / \d+% \|", done.stdout, re.MULTILINE)
    assert rows == ["trio-chat", "c-loop"]
    assert re.search(r"^\| 10 ask NAMES at once \| +[\d.]+ \|", done.stdout, re.MULTILINE)
    assert list(tmp_path.iterdir()) == []


def test_what_runs_in_one_process_has_a_place_in_the_report() -> None:
    assert [one.__name__ for one in inside.SCENARIOS] == list(scenarios.INSIDE)


# ── the checker ────────────────────────────────────────────────────────────────────────────────

Lines = list[bytes]


def shown(sender: int, text: bytes) -> bytes:
    return b"s%d: " % sender + text + b"\n"


def transcript(senders: int = 1, aside: str = "") -> Transcript:
    pattern = re.compile(aside.encode()) if aside else None
    return Transcript(shown, senders=senders, text_bytes=20, aside=pattern)


class Rig:
    """A room whose members read what a test has written for them beforehand."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._epoll = stack.enter_context(select.epoll())

    def pair(self) -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        self._stack.enter_context(ours)
        self._stack.enter_context(theirs)
        ours.setblocking(False)
        return ours, theirs

    def run(
        self, *members: Lines, script: Transcript | None = None, messages: int = MESSAGES
    ) -> Result:
        script = script or transcript()
        ours = []
        for lines in members:
            member, server = self.pair()
            self._epoll.register(member, select.EPOLLIN)
            server.sendall(b"".join(lines))
            ours.append(member)
        senders = [self.pair()[0] for _ in range(3)]
        room = Room(self._epoll, ours, senders, lambda s, text: text, script, patience=0.1)
        return room.run(Window(MESSAGES), messages=messages)


@pytest.fixture
def rig() -> Iterator[Rig]:
    with ExitStack() as stack:
        yield Rig(stack)


def all_lines() -> Lines:
    script = transcript()
    return [script.line(number) for number in range(MESSAGES)]


def lose(lines: Lines) -> Lines:
    return lines[:3] + lines[4:]


def lose_the_last(lines: Lines) -> Lines:
    return lines[:-1]


def double(lines: Lines) -> Lines:
    return [*lines[:4], lines[3], *lines[4:]]


def double_the_last(lines: Lines) -> Lines:
    return [*lines, lines[-1]]


def reorder(lines: Lines) -> Lines:
    return [*lines[:2], lines[3], lines[2], *lines[4:]]


def corrupt(lines: Lines) -> Lines:
    return [*lines[:3], lines[3].replace(b".", b",", 1), *lines[4:]]


def cut(lines: Lines) -> Lines:
    return [*lines[:3], lines[3][:-1], *lines[4:]]


FAULTS = {
    lose: "lost or out of order: message 4 came where 3 was due",
    lose_the_last: "nothing came",
    double: "doubled: message 3 came again",
    double_the_last: "doubled: message 5 came again",
    reorder: "lost or out of order: message 3 came where 2 was due",
    corrupt: "changed",
    cut: "changed",
}


def test_what_arrives_whole_and_in_order_is_counted(rig: Rig) -> None:
    result = rig.run(all_lines(), all_lines(), all_lines())
    assert (result.messages, result.deliveries) == (MESSAGES, 3 * MESSAGES)
    assert result.latencies.total == 3 * MESSAGES


@pytest.mark.parametrize(("spoil", "verdict"), FAULTS.items(), ids=[f.__name__ for f in FAULTS])
def test_what_goes_wrong_for_everybody_is_noticed(
    rig: Rig, spoil: Callable[[Lines], Lines], verdict: str
) -> None:
    with pytest.raises(Failed, match=verdict):
        rig.run(spoil(all_lines()), spoil(all_lines()))


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize(("spoil", "verdict"), FAULTS.items(), ids=[f.__name__ for f in FAULTS])
def test_what_goes_wrong_for_one_member_is_noticed(
    rig: Rig, spoil: Callable[[Lines], Lines], verdict: str, place: int
) -> None:
    members = [all_lines() for _ in range(3)]
    members[place] = spoil(members[place])
    with pytest.raises(Failed, match=verdict):
        rig.run(*members)


def test_what_nobody_said_is_noticed(rig: Rig) -> None:
    with pytest.raises(Failed, match="made up"):
        rig.run(all_lines(), all_lines(), messages=MESSAGES - 1)


def test_a_member_who_is_cut_off_is_noticed(rig: Rig) -> None:
    member, server = rig.pair()
    server.close()
    script = transcript()
    rig._epoll.register(member, select.EPOLLIN)
    room = Room(rig._epoll, [member], [rig.pair()[0]], lambda s, text: text, script, patience=0.1)
    with pytest.raises(Failed, match="cut off"):
        room.run(Window(1), messages=1)


def test_senders_may_be_interleaved_but_each_keeps_its_order(rig: Rig) -> None:
    script = transcript(senders=3)
    order = [1, 4, 0, 2, 3, 5]  # message n is from sender n % 3
    lines = [script.line(number) for number in order]
    assert rig.run(lines, lines, script=script).messages == MESSAGES
    assert script.order == order


def test_a_sender_out_of_order_is_noticed_among_others(rig: Rig) -> None:
    script = transcript(senders=3)
    lines = [script.line(number) for number in [1, 0, 2, 3, 5, 4]]
    lines[0], lines[5] = lines[5], lines[0]
    with pytest.raises(Failed, match="message 4 came where 1 was due"):
        rig.run(lines, lines, script=script)


def test_members_who_see_different_orders_are_noticed(rig: Rig) -> None:
    script = transcript(senders=3)
    one, other = [0, 1, 2, 3, 4, 5], [1, 0, 2, 3, 4, 5]
    with pytest.raises(Failed, match="lost or out of order"):
        rig.run([script.line(n) for n in one], [script.line(n) for n in other], script=script)


def test_lines_of_the_servers_own_are_not_counted(rig: Rig) -> None:
    script = transcript(aside=r"\w+ left!\n")
    lines = all_lines()
    lines[2:2] = [b"bob left!\n", b"carol left!\n"]
    assert rig.run(lines, lines, script=script).deliveries == 2 * MESSAGES
    beginning = len(b"".join(lines[:4]))
    assert [script.count(beginning + more) for more in (0, script.length)] == [2, 3]


# ── the figures ────────────────────────────────────────────────────────────────────────────────


def test_percentiles_are_of_deliveries() -> None:
    latencies = Latencies()
    latencies.add(0.001, 99)
    latencies.add(0.5)
    assert latencies.percentile(50) == pytest.approx(0.001, abs=2e-5)
    assert latencies.percentile(99) == pytest.approx(0.001, abs=2e-5)
    assert latencies.percentile(100) == pytest.approx(0.5, abs=2e-5)


def test_an_open_loop_does_not_wait_for_answers_and_counts_from_when_it_was_due() -> None:
    rate = Rate(10.0)
    assert rate.allowed(0.0, 0, 0) == 1
    assert rate.allowed(0.95, 1, 0) == 9
    assert rate.due(0.95, 3) == pytest.approx(0.3)
    assert rate.pause(0.95, 10) == pytest.approx(0.05)
