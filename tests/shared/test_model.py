"""Any interleaving of the nodes' calls, against a model of what the functions do."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines import RedisServer, asking, fresh, keep, lose, stream
from trio_chat.settings.engine import Address
from trio_chat.storage.shared.connection import Engine
from trio_chat.storage.shared.records import ZERO, Append

pytestmark = pytest.mark.programs

NODES, ROOMS = ["a", "b"], ["#x", "#y"]


@dataclass(frozen=True)
class Wish:
    """An append. What is expected is one of the last barriers known, the newest being 0."""

    room: str
    tokens: Sequence[str]
    known: int
    barrier: bool
    also: bool


@dataclass
class Model:
    """What all nodes agree on."""

    log: list[tuple[str, str]] = field(default_factory=list)  # id, text
    barriers: dict[str, list[str]] = field(default_factory=lambda: {room: [""] for room in ROOMS})
    tokens: dict[str, str] = field(default_factory=dict)

    def expected(self, room: str, known: int) -> str:
        return self.barriers[room][-1 - min(known, len(self.barriers[room]) - 1)]


wishes = st.builds(
    Wish,
    st.sampled_from(ROOMS),
    st.lists(st.sampled_from(["", "", "t", "u", "v"]), min_size=1, max_size=3),
    st.sampled_from([0, 0, 0, 1, 2]),
    st.booleans(),
    st.booleans(),
)
flushes = st.tuples(st.sampled_from(NODES), st.lists(wishes, min_size=1, max_size=4), st.booleans())


class Run:
    """A chat of two nodes, whose calls are checked one after the other."""

    def __init__(self, server: RedisServer, address: Address, raw: Engine) -> None:
        self.server, self.address, self.raw = server, address, raw
        self.model, self.flushes, self.texts = Model(), dict.fromkeys(NODES, 0), 0
        for node in NODES:
            raw.call("enrol", node, node, "60000", ZERO, "chat")

    def flush(self, node: str, wishes: Sequence[Wish], *, again: bool) -> None:
        appends = [self.append_of(wish) for wish in wishes]
        self.flushes[node] += 1
        reply = self.ask(node, appends)
        if again:
            assert self.ask(node, appends) == reply
        for append, line in zip(appends, reply.split("\n")[1:], strict=True):
            self.check(append, line)

    def append_of(self, wish: Wish) -> Append:
        also = ROOMS[1 - ROOMS.index(wish.room)] if wish.also and wish.barrier else ""
        self.texts += 1
        return Append(
            wish.room,
            [(token, f"{self.texts} {n}".encode()) for n, token in enumerate(wish.tokens)],
            expect=self.model.expected(wish.room, wish.known),
            barrier=wish.barrier,
            also=also,
            also_expect=self.model.expected(also, wish.known) if also else "",
        )

    def ask(self, node: str, appends: Sequence[Append]) -> str:
        words = [word for append in appends for word in append.words()]
        return str(self.raw.call("append", node, str(self.flushes[node]), "9999", *words).decode())

    def check(self, append: Append, line: str) -> None:
        barriers = self.model.barriers
        for room, expect in ((append.room, append.expect), (append.also, append.also_expect)):
            if room and barriers[room][-1] > expect:
                assert line == f"!{barriers[room][-1]}"
                return
        for (token, text), id in zip(append.records, line.split(" "), strict=True):
            if token in self.model.tokens:
                assert id == f"={self.model.tokens[token]}"
                continue
            assert not self.model.log or id > self.model.log[-1][0]
            self.model.log.append((id, text.decode()))
            if token:
                self.model.tokens[token] = id
            for room in filter(None, (append.room, append.also)):
                if append.barrier:
                    barriers[room].append(id)

    def stream(self) -> list[list[str]]:
        return stream(self.server, self.address)

    def check_stream(self) -> None:
        entries = self.stream()
        assert [(id, values[-1]) for id, *values in entries] == self.model.log
        assert [values[0] for _, *values in entries] == [str(n) for n in range(1, len(entries) + 1)]


@given(st.lists(flushes, max_size=12))
def test_one_order_no_token_twice_and_conflicts_where_they_must_be(
    engine: RedisServer, calls: Sequence[tuple[str, Sequence[Wish], bool]]
) -> None:
    address = fresh(engine)
    raw = asking(address)
    run = Run(engine, address, raw)
    for node, wishes, again in calls:
        run.flush(node, wishes, again=again)
    run.check_stream()
    raw.close()


@given(
    st.lists(flushes, max_size=5),
    st.lists(flushes, min_size=1, max_size=5),
    st.lists(flushes, max_size=5),
    st.lists(st.integers(0, 40), min_size=2, max_size=2),
)
def test_order_goes_on_as_if_nothing_had_been_lost(
    engine: RedisServer,
    before: Sequence[tuple[str, Sequence[Wish], bool]],
    lost: Sequence[tuple[str, Sequence[Wish], bool]],
    after: Sequence[tuple[str, Sequence[Wish], bool]],
    seen: Sequence[int],
) -> None:
    """One node has seen all, and the other one some; they give it back in any order."""
    address = fresh(engine)
    raw = asking(address)
    run = Run(engine, address, raw)
    for node, wishes, again in before:
        run.flush(node, wishes, again=again)
    kept = keep(engine, address)
    for node, wishes, again in lost:
        run.flush(node, wishes, again=again)
    entries = run.stream()
    lose(engine, address, kept)
    raw.info = {"run_id": "two"}
    for node, number in zip(NODES, (min(seen[0], len(entries)), len(entries)), strict=True):
        words = [word for entry in entries[:number] for word in entry]
        assert raw.call("heal", node, "9999", ZERO, "1", *words) == b"ok"
    run.check_stream()
    for node, wishes, again in after:
        run.flush(node, wishes, again=again)
    run.check_stream()
    raw.close()
