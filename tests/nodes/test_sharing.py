"""Nodes that share an engine, each with a file of its own."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

import engines
from engines import fresh, the_engine
from owners import PASSWORD
from peers import Peer, settings
from real_nodes import agree, node, texts
from trio_chat.app import open_log
from trio_chat.core.events import Said
from trio_chat.errors import CannotOpenStore, SettingsError
from trio_chat.settings.engine import Address

pytestmark = pytest.mark.programs


@pytest.fixture
def address() -> Address:
    return fresh(the_engine())


async def tell(peer: Peer, line: str, answer: str) -> str:
    await peer.send(f"{line}\n".encode())
    return await peer.until(answer)


async def heard_by(peer: Peer, number: int) -> Sequence[str]:
    """So many lines that say by whom they are."""
    heard: list[str] = []
    while len(heard) < number:
        line = await peer.until("\n")
        heard += [line] if " by " in line else []
    return heard


async def test_all_see_everybody_and_everything_in_one_order(
    address: Address, tmp_path: Path
) -> None:
    async with node(address, tmp_path / "a.db") as a, node(address, tmp_path / "b.db") as b:
        alice = await a.connect("alice")
        bob = await b.connect("bob")
        await alice.until("bob joined!\n")

        async def talk(peer: Peer, nick: str) -> None:
            for number in range(50):
                await peer.send(f"{number} by {nick}\n".encode())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(talk, alice, "alice")
            nursery.start_soon(talk, bob, "bob")
        heard = [await heard_by(peer, 100) for peer in (alice, bob)]
        assert heard[0] == heard[1]
        await tell(bob, "/who", "In #lobby (2): alice, bob\n")
        await tell(bob, "/msg alice psst", "bob -> alice: psst\n")
        await alice.until("bob -> alice: psst\n")
        await agree(a, b)


async def test_a_node_that_starts_finds_the_chat_as_it_is(address: Address, tmp_path: Path) -> None:
    async with node(address, tmp_path / "a.db") as a:
        alice = await a.connect("alice")
        await tell(alice, f"/register {PASSWORD}", "Your nickname is yours now.")
        await tell(alice, "/topic green tea", "alice set the topic: green tea\n")
        await tell(alice, "hello", "alice: hello\n")
        async with node(address, tmp_path / "b.db") as b:
            bob = await b.connect()
            await bob.send(b"bob\n")
            shown = await bob.until("alice: hello\n")
            assert shown.count("hello") == 1
            assert "one other person is here" in shown
            assert "green tea" in shown
            told = await tell(bob, f"/login alice {PASSWORD}", "You are logged in as alice")
            assert "hello" not in told
            await agree(a, b)


async def test_the_people_of_a_node_that_is_gone_leave_and_may_come_to_another(
    address: Address, tmp_path: Path
) -> None:
    async with node(address, tmp_path / "a.db") as a:
        alice = await a.connect("alice")
        async with node(address, tmp_path / "b.db") as b:
            await b.connect("bob")
            await alice.until("bob joined!\n")
        await alice.until("bob left!\n")
        await a.connect("bob")
        async with node(address, tmp_path / "b.db") as b:
            await agree(a, b)


async def test_while_the_engine_is_away_people_are_refused_and_can_read(tmp_path: Path) -> None:
    with engines.running(tmp_path / "redis", "--appendonly", "yes") as engine:
        address = fresh(engine)
        async with (
            node(address, tmp_path / "a.db", patience=1) as a,
            node(address, tmp_path / "b.db", patience=1) as b,
        ):
            alice, bob = await a.connect("alice"), await b.connect("bob")
            await tell(alice, "before", "alice: before\n")
            engine.kill()
            await tell(alice, "meanwhile", "does not answer")
            assert "before" in await tell(alice, "/history", "before")
            await tell(alice, "/search before", "alice: before\n")
            await tell(await a.connect(), "carol", "Nobody can be let in")
            await trio.aclose_forcefully(bob.stream)
            engine.start()
            await alice.until("bob left!\n")
            await tell(alice, "after", "alice: after\n")
            await agree(a, b)
            assert (await texts(a))[-1] == "after"


async def test_nothing_is_lost_while_the_engine_is_away_for_a_moment(tmp_path: Path) -> None:
    journal = ("--appendonly", "yes", "--appendfsync", "always")
    with engines.running(tmp_path / "redis", *journal) as engine:
        address = fresh(engine)
        async with node(address, tmp_path / "a.db") as a, node(address, tmp_path / "b.db") as b:
            alice, bob = await a.connect("alice"), await b.connect("bob")
            heard: dict[str, Sequence[str]] = {}

            async def hear(peer: Peer, nick: str) -> None:
                heard[nick] = await heard_by(peer, 200)

            async with trio.open_nursery() as nursery:
                nursery.start_soon(hear, alice, "alice")
                nursery.start_soon(hear, bob, "bob")
                for number in range(100):
                    await alice.send(f"{number} by alice\n".encode())
                    await bob.send(f"{number} by bob\n".encode())
                    if number % 40 == 20:
                        engine.kill()
                        engine.start()
            assert heard["alice"] == heard["bob"]
            assert len({*heard["alice"]}) == 200
            await agree(a, b)


async def test_operators_are_told_of_the_nodes(tmp_path: Path) -> None:
    with engines.running(tmp_path / "redis") as engine:
        address = fresh(engine)
        async with node(address, tmp_path / "a.db") as a, node(address, tmp_path / "b.db") as b:
            await a.connect("alice")
            await b.people("bob", "carol")
            status = a.server.status
            await engines.until(lambda: (status.node, b.server.status.node) == ("a", "b"))
            await engines.until(lambda: len(status.nodes().nodes) == 2)  # type: ignore[union-attr]
            told = status.nodes()
            assert told is not None
            found = {one.name: (one.people, one.connections, one.is_this) for one in told.nodes}
            assert found == {"a": (1, 1, True), "b": (2, 2, False)}
            assert (told.is_up, status.state) == (True, "ok")
            assert status.stats().node == "a"
            assert status.values()["trio_chat_engine_up"] == 1
            engine.kill()
            await engines.until(lambda: status.state == "engine-away")
            assert status.values()["trio_chat_engine_up"] == 0
            engine.start()


async def test_nodes_have_one_key(address: Address, tmp_path: Path) -> None:
    async with node(address, tmp_path / "a.db") as a:
        await tell(await a.connect("alice"), "hello", "alice: hello\n")
        await engines.until(lambda: the_engine().redis.exists(f"{{{address.name}}}checkpoint") == 1)
        with pytest.raises(ExceptionGroup) as failed:
            async with node(address, tmp_path / "b.db", key=b"\1" * 32):
                pass
        assert failed.group_contains(SettingsError, match="another key")


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of the chat since the last time, each with its level."""
    found = [
        f"{record.levelname} {record.getMessage()}"
        for record in caplog.records
        if getattr(record, "event", "").startswith("chat-")
    ]
    caplog.clear()
    return found


async def test_whether_a_node_begins_a_chat_or_joins_one_is_logged(
    address: Address, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    begins, joins = (
        f"begins the chat {address.name} on the engine",
        f"joins the chat {address.name}",
    )
    async with node(address, tmp_path / "a.db") as a:
        assert told(caplog) == [f"INFO {begins}, with an empty history"]
        await tell(await a.connect("alice"), "hello", "alice: hello\n")
        async with node(address, tmp_path / "b.db"):
            assert told(caplog) == [f"INFO {joins} (other servers there: 1)"]
    the_engine().redis.delete(*the_engine().redis.keys(f"{{{address.name}}}*"))
    async with node(address, tmp_path / "a.db"):
        assert told(caplog) == [f"WARNING {begins} with the history of {tmp_path}/a.db"]


async def test_a_file_that_does_not_reach_to_the_others_is_refused(
    address: Address, tmp_path: Path
) -> None:
    alone = settings(history={"store": str(tmp_path / "a.db")})
    async with open_log(alone) as log:
        await log.append("#lobby", [Said("#lobby", "alice", "long ago")])
    async with node(address, tmp_path / "a.db") as a:
        assert await texts(a) == ["long ago"]
        with pytest.raises(ExceptionGroup) as failed:
            async with node(address, tmp_path / "b.db"):
                pass
        assert failed.group_contains(CannotOpenStore, match="trio-chat history backup")


async def test_a_node_that_starts_knows_what_has_happened_since_the_checkpoint(
    address: Address, tmp_path: Path
) -> None:
    async with node(address, tmp_path / "a.db") as a:
        alice, bob = await a.people("alice", "bob")
        await engines.until(lambda: the_engine().redis.exists(f"{{{address.name}}}checkpoint") == 1)
        await bob.send(b"/quit\n")
        await alice.until("bob left!\n")
        async with node(address, tmp_path / "b.db") as b:
            assert b.server._hub.chat.person("bob") is None
            await b.connect("bob")
