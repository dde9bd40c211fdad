"""``trio-chat history export``, beside a server that goes on writing."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from peers import running, settings
from processes import run
from trio_chat.errors import CannotOpenStore
from trio_chat.storage.sqlite.export import export

STORE = "TRIO_CHAT_HISTORY__STORE"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[str]:
    """The file of a server that is running, in which something has been said."""
    path = str(tmp_path / "chat.db")
    async with running(settings(history={"store": path})) as house:
        alice = await house.connect("alice")
        await alice.send(b"hi \x1b[2J there\n/me waves\nswordfish\n/remove last\n")
        await alice.send(b"/topic tea\n/join #attic\nup here\n")
        await alice.until("alice: up here")
        bob = await house.connect("bob")
        await bob.send(b"/nick rob\n/quit\n")
        await bob.rest()
        yield path


async def test_all_rooms_as_text(store: str) -> None:
    done = await run("history", "export", fresh=True, **{STORE: store})
    assert (done.code, done.err) == (0, "")
    assert [line.split(" ", 2)[2] for line in done.out.splitlines()] == [
        "#lobby alice joined!",
        "#lobby alice: hi \u241b[2J there",
        "#lobby * alice waves",
        "#lobby *** alice removed a message of their own.",
        "#lobby *** alice set the topic: tea",
        "#attic alice joined!",
        "#lobby alice left!",
        "#attic alice: up here",
        "#lobby bob joined!",
        "#lobby *** bob is now rob.",
        "#lobby rob left!",
    ]


async def test_a_day_before_all_days_of_computers_is_one_too(store: str) -> None:
    everything = await run("history", "export", **{STORE: store})
    since = await run("history", "export", "--since", "1960-01-01", **{STORE: store})
    assert (since.code, since.err) == (0, "")
    assert since.out == everything.out


async def test_one_room_as_json_since_a_moment(store: str) -> None:
    everything = await run("history", "export", "-f", "jsonl", "-r", "#LOBBY", **{STORE: store})
    found = [json.loads(line) for line in everything.out.splitlines()]
    assert [line["type"] for line in found] == [
        *("joined", "said", "said", "redacted", "topic", "left"),
        *("joined", "renamed", "left"),
    ]
    said = found[1]
    assert {name: said[name] for name in ("room", "nick", "text")} == {
        "room": "#lobby",
        "nick": "alice",
        "text": "hi \x1b[2J there",
    }
    removed = found[3]
    assert (removed["nick"], removed["author"], removed["msgid"] > said["id"]) == (
        *("alice", "alice"), True,
    )  # fmt: skip
    assert "swordfish" not in everything.out
    assert [line["id"] for line in found] == sorted({line["id"] for line in found})
    since = ["--since", said["time"], "-r", "#lobby", "-f", "jsonl"]
    rest = await run("history", "export", *since, **{STORE: store})
    kept = [json.loads(text) for text in rest.out.splitlines()]
    assert kept == [line for line in found if line["time"] >= said["time"]]


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["--room", "#nowhere"], 73, "the history has no room #nowhere; it has: #attic"),
        (["--since", "yesterday"], 78, "--since yesterday: must be a date"),
        (["--since", "0001-01-01"], 78, "--since 0001-01-01: must be a date"),
        (["--format", "xml"], 78, "--format xml: must be text or jsonl"),
        (["--set", "history.store=memory:"], 78, "history.store=memory: "),
        (["--set", "history.store=/nowhere/chat.db"], 73, "there is no history in /nowhere"),
    ],
)
async def test_what_cannot_be_exported(
    store: str, arguments: list[str], code: int, why: str
) -> None:
    done = await run("history", "export", *arguments, **{STORE: store})
    assert (done.code, done.out, done.err.count("\n")) == (code, "", 1)
    assert f"trio-chat: {why}" in done.err


async def test_of_a_history_without_rooms_none_can_be_exported(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with running(settings(history={"store": str(path)})):
        pass
    with pytest.raises(CannotOpenStore, match="the history has no rooms"):
        next(export(path, rooms=["#tea"], since=0))


async def test_what_was_said_in_private_is_not_exported(tmp_path: Path) -> None:
    path = str(tmp_path / "chat.db")
    async with running(settings(history={"store": path})) as house:
        alice, bob = await house.people("alice", "bob")
        await alice.send(b"/msg bob psst\nloud\n")
        await bob.until("alice: loud")
        with trio.fail_after(30):
            done = await run("history", "export", **{STORE: path})
    assert "loud" in done.out
    assert "psst" not in done.out
