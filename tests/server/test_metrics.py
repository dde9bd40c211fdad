"""The figures that those who run a server are told: they are true, and none comes from people."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from admin_socket import ask
from disks import disk_full
from http_peers import get, http_peer
from irc_peers import irc_peer
from peers import House, Peer, running, settings
from scrapes import Samples, scrape
from stores import open_file
from trio_chat.server.health import Health, open_health
from trio_chat.server.loop_lag import LoopLag
from trio_chat.server.metrics import METRICS
from trio_chat.settings.places import Address

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ops"


@asynccontextmanager
async def measured(path: Path, **sections: dict[str, Any]) -> AsyncIterator[House]:
    health = Health()
    async with (
        open_health(health, [Address(f"unix:{path}")], keepalive=60),
        running(settings(**sections), health=health, admin=path.with_name("admin")) as house,
    ):
        yield house


@pytest.fixture
async def house(path: Path) -> AsyncIterator[House]:
    async with measured(path) as house:
        yield house


def risen(before: Samples, after: Samples) -> dict[str, float]:
    """What has changed of our own figures that count."""
    return {
        name: value - before[name]
        for name, value in after.items()
        if name.startswith("trio_chat_") and "_total" in name and value != before[name]
    }


async def until(path: Path, name: str, value: float) -> Samples:
    """Scrape until a sample has this value."""
    while (found := await scrape(path))[name] != value:
        await trio.lowlevel.checkpoint()
    return found


# Those of servers that are one chat with others.
OF_NODES = {"trio_chat_nodes", "trio_chat_node_behind_entries", "trio_chat_engine_up"}


async def test_all_figures_are_told_and_documented(house: House, path: Path) -> None:
    _, text = await get(path, "/metrics")
    told = dict(re.findall(r"^# TYPE (\w+) (\w+)$", text, re.M))
    kinds = {name: metric.kind for name, metric in METRICS.items()}
    assert told == {name: kind for name, kind in kinds.items() if name not in OF_NODES}
    row = r"^\| `(\w+)(?:\{(\w+)\})?` \| (gauge|counter|histogram) \|"
    rows = re.findall(row, OPERATIONS, re.M)
    assert {name: kind for name, _, kind in rows} == kinds
    labels = {name: metric.label for name, metric in METRICS.items()}
    assert {name: label for name, label, _ in rows} == labels


async def test_who_is_here_by_what_they_speak(house: House, path: Path) -> None:
    await house.people("alice", "bob")
    carol = await irc_peer(house, "carol")
    await carol.say("JOIN #tea")
    await carol.until("JOIN #tea")
    await house.connect()
    now = await until(path, 'trio_chat_connections{dialect="unknown"}', 1)
    assert now["trio_chat_people"] == 3
    assert now["trio_chat_rooms"] == 2
    assert now['trio_chat_connections{dialect="plain"}'] == 2
    assert now['trio_chat_connections{dialect="irc"}'] == 1
    assert now['trio_chat_connections{dialect="web"}'] == 0
    for peer in house.peers:
        await peer.stream.aclose()
    now = await until(path, "trio_chat_people", 0)
    gone = await until(path, 'trio_chat_disconnects_total{reason="peer"}', 4)
    assert {gone[name] for name in now if name.startswith("trio_chat_connections")} == {0}


async def test_what_is_said_is_counted_once_and_shown_to_each(house: House, path: Path) -> None:
    alice, bob, carol = await house.people("alice", "bob", "carol")
    await alice.send(b"/msg bob hi\n")
    await bob.until("hi\n")
    await alice.until("hi\n")
    before, read = await scrape(path), [len(peer.received) for peer in (alice, bob, carol)]
    await alice.send(b"hello\nhello\n")
    for peer in (alice, bob, carol):
        await peer.until("hello\nalice: hello\n")
    after = await scrape(path)
    assert before['trio_chat_messages_total{kind="private"}'] == 1
    assert risen(before, after) == {
        'trio_chat_messages_total{kind="room"}': 2,
        "trio_chat_deliveries_total": 6,
        "trio_chat_bytes_sent_total": sum(
            len(peer.received) - size for peer, size in zip((alice, bob, carol), read, strict=True)
        ),
    }
    appended = 'trio_chat_append_seconds_bucket{le="+Inf"}'
    assert after[appended] == after["trio_chat_append_seconds_count"] > before[appended]


@pytest.mark.slow
async def test_all_bytes_that_a_peer_gets_are_counted(house: House, path: Path) -> None:
    carol = await irc_peer(house, "carol")
    await carol.say("JOIN #tea", "NAMES #tea", "NOSUCH", "PRIVMSG #tea :one", "QUIT :bye")
    await carol.rest()
    after = await until(path, 'trio_chat_disconnects_total{reason="peer"}', 1)
    assert after["trio_chat_bytes_sent_total"] == len(carol.received)


async def test_what_is_refused_is_told_by_its_reason(
    path: Path, autojump_clock: trio.testing.MockClock
) -> None:
    async with measured(path, limits={"connections": 1}) as house:
        alice = await house.connect("alice")
        before = await scrape(path)
        await alice.send(b"/msg nobody hi\n/join bad,name\n")
        await alice.until("bad,name")
        await (await house.connect()).rest()
        after = await scrape(path)
    refused = {name: n for name, n in risen(before, after).items() if "refused" in name}
    assert refused == {
        'trio_chat_refused_total{code="no_such_nick"}': 1,
        'trio_chat_refused_total{code="bad_room"}': 1,
        'trio_chat_refused_total{code="too_many_connections"}': 1,
    }


async def test_a_wrong_password_of_an_operator_is_refused_as_all_else_is(
    house: House, path: Path
) -> None:
    carol = await irc_peer(house, "carol")
    await carol.say("OPER root wrong")
    await carol.until(" 464 ")
    assert (await scrape(path))['trio_chat_refused_total{code="wrong_password"}'] == 1


@pytest.mark.slow
async def test_why_connections_end(path: Path) -> None:
    limits = {"registration": 0.01, "guess_burst": 1}
    async with measured(path, limits=limits) as house:
        await (await house.connect()).rest()
        await until(path, 'trio_chat_disconnects_total{reason="silent"}', 1)
    async with measured(path) as house:
        alice, bob = await house.people("alice", "bob")
        await ask(path.with_name("admin"), "kill bob spam")
        await bob.rest()
        await until(path, 'trio_chat_disconnects_total{reason="killed"}', 1)
        await ask(path.with_name("admin"), "uban alice!*@* spam")
        await alice.rest()
        await until(path, 'trio_chat_disconnects_total{reason="banned"}', 1)
        page = await http_peer(house.port)
        async with page.stream:
            await page.send(b"BREW /coffee HTTP/1.1\r\n\r\n")
            await page.rest()
        await until(path, 'trio_chat_disconnects_total{reason="refused"}', 1)


async def talk(talker: Peer, text: str = "enough") -> None:
    """Say 40 kB and a text."""
    await talker.send((b"x" * 4000 + b"\n") * 10 + text.encode() + b"\n")
    await talker.until(f"{text}\n")


async def until_some_waits(path: Path, talker: Peer) -> Samples:
    while not (now := await scrape(path))["trio_chat_outbox_waiting"]:
        await talk(talker)
    return now


@pytest.mark.slow
async def test_what_waits_for_slow_readers(path: Path) -> None:
    limits = {"messages_per_second": 1e6, "message_burst": 10**6, "outbox_bytes": 2**18}
    async with measured(path, limits=limits) as house:
        talker, sleeper = await house.people("talker", "sleeper")
        now = await until_some_waits(path, talker)
        assert now["trio_chat_outbox_waiting"] == 1
        assert 0 < now["trio_chat_outbox_bytes"] <= 2**18
        while not now['trio_chat_disconnects_total{reason="slow"}']:
            await talk(talker)
            now = await scrape(path)
        assert now["trio_chat_outbox_waiting"] == now["trio_chat_outbox_bytes"] == 0
        del sleeper


async def test_what_a_reader_takes_up_waits_no_more(path: Path) -> None:
    limits = {"messages_per_second": 1e6, "message_burst": 10**6}
    async with measured(path, limits=limits) as house:
        talker, sleeper = await house.people("talker", "sleeper")
        await until_some_waits(path, talker)
        await talk(talker, "the last")
        await sleeper.until("talker: the last\n")
        assert (await until(path, "trio_chat_outbox_waiting", 0))["trio_chat_outbox_bytes"] == 0


async def test_a_full_disk_is_told(path: Path) -> None:
    health = Health()
    async with (
        open_health(health, [Address(f"unix:{path}")], keepalive=60),
        open_file(path.with_name("chat.db")) as log,
        running(settings(), log, health=health) as house,
    ):
        alice = await house.connect("alice")
        before = await scrape(path)
        assert before["trio_chat_store_failing"] == 0
        assert before["trio_chat_store_bytes"] > 0
        with disk_full():
            await alice.send(b"hello\n")
            await alice.until("This cannot be stored now")
            assert (await scrape(path))["trio_chat_store_failing"] == 1
        assert before["trio_chat_intake_places_free"] == 1024


async def test_the_process_is_told_of(house: House, path: Path) -> None:
    now = await scrape(path)
    assert now["process_cpu_seconds_total"] > 0
    assert 2**20 < now["process_resident_memory_bytes"] < 2**32
    assert 3 < now["process_open_fds"] < now["process_max_fds"]
    assert [name for name in now if name.startswith("trio_chat_build_info")] == [
        'trio_chat_build_info{version="0.1.0"}'
    ]


async def test_it_tells_of_the_process_before_there_is_a_server(path: Path) -> None:
    async with open_health(Health(), [Address(f"unix:{path}")], keepalive=60):
        assert 'trio_chat_build_info{version="0.1.0"}' in await scrape(path)


async def test_nothing_that_people_choose_is_in_it(house: House, path: Path) -> None:
    chosen = "zanzibar"
    carol = await irc_peer(house, chosen)
    await carol.say(
        f"JOIN #{chosen}", f"PRIVMSG #{chosen} :{chosen}", f"{chosen} x", f"QUIT :{chosen}"
    )
    await carol.rest()
    _, text = await get(path, "/metrics")
    assert chosen not in text
    assert "127.0.0.1" not in text


class Untouched(dict[Any, Any]):
    """Knows how many it holds, and must not be looked through."""

    def __iter__(self) -> Any:
        raise AssertionError("it was looked through")

    items = keys = values = __iter__


async def test_a_scrape_looks_at_nobody(house: House, path: Path) -> None:
    await house.people("alice", "bob")
    server = house.server
    chat, connections = server._hub.chat, server._connections
    people, subscribers = chat.people, server._hub.subscribers
    try:
        chat.people = Untouched(people)
        server._connections = Untouched(connections)
        server._hub.subscribers = Untouched(subscribers)
        assert (await scrape(path))["trio_chat_people"] == 2
    finally:
        chat.people, server._connections = people, connections
        server._hub.subscribers = subscribers


async def test_the_longest_hold_of_all_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    monkeypatch.setattr("trio_chat.server.loop_lag.perf_counter", lambda: clock)
    lag = LoopLag()
    with lag.installed():
        for seconds in (0.25, 0.5, 0.125):
            await trio.lowlevel.checkpoint()
            clock += seconds
        await trio.lowlevel.checkpoint()
        assert lag.take() == 0.5
        assert lag.take() == 0.0
    assert lag.take() is None
