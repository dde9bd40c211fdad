"""What operators ask of the server itself: its connections, its log, its settings."""

import logging
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from admin_socket import ask, texts, user
from irc_peers import irc_peer
from irc_peers import settings as irc_settings
from peers import House, running, settings
from trio_chat.core.commands import ListConnections
from trio_chat.core.views import Connections, Refused, Reloaded
from trio_chat.server.transport import Link
from trio_chat.settings import Settings
from trio_chat.settings.described import all_settings
from trio_chat.settings.reload import TAKEN, needs_restart, reloaded

SETTINGS = {setting.name: setting for setting in all_settings(Settings)}

NEED_A_RESTART = {
    *("host", "port", "server.listen", "server.proxies", "server.lobby", "server.key"),
    *("irc.server_name", "irc.network", "irc.cloak", "limits.keepalive"),
    *("history.store", "history.days", "history.per_room", "history.total_bytes"),
    *(
        "history.memory_bytes",
        "history.cache_bytes",
        "history.on_failure",
        "ops.admin",
        "ops.listen",
    ),
    *("nodes.through", "nodes.password", "nodes.password_command", "nodes.name"),
    *("nodes.lease", "nodes.patience", "nodes.keep"),
}


def with_another(name: str) -> Settings:
    """The default settings, but for this one."""
    section, _, field = name.rpartition(".")
    old = Settings()
    if not section:
        return old.model_copy(update={field: "another"})
    changed = getattr(old, section).model_copy(update={field: "another"})
    return old.model_copy(update={section: changed})


# ── settings ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SETTINGS)
def test_each_setting_is_taken_or_stays_as_it_is_until_a_restart(name: str) -> None:
    old, new = Settings(), with_another(name)
    needs = name in NEED_A_RESTART
    assert reloaded(old, new) == (old if needs else new, [name] if needs else [])


def test_what_is_taken_is_a_setting_of_the_server() -> None:
    assert TAKEN.isdisjoint(NEED_A_RESTART)
    assert {*SETTINGS} >= TAKEN
    assert {name for name in SETTINGS if needs_restart(name)} == NEED_A_RESTART


async def test_what_needs_a_restart_counts_for_nobody_before() -> None:
    tea = settings(server={"lobby": "#tea", "contact": "us@example.org"}, limits={"line_bytes": 99})
    async with running() as house:
        for _ in range(2):  # as long as it is so
            assert house.server.reload(tea) == ["server.lobby"]
        alice = await house.connect()
        await alice.send(b"alice\n" + 100 * b"x" + b"\n")
        assert "You are alice in #lobby" in await alice.until("longer than 99 bytes")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (
            Reloaded("Done, but.", restart=("host",)),
            {"type": "reloaded", "text": "Done, but.", "restart": ["host"]},
        ),
        (Refused("No."), {"type": "refused", "text": "No.", "code": "other"}),
    ],
)
async def test_who_reloads_is_told_what_has_come_of_it(
    house: House, path: Path, answer: Reloaded | Refused, told: object
) -> None:
    house.server.operations.on_reload = lambda: answer
    assert await ask(path, "reload") == [told]


# ── the log ────────────────────────────────────────────────────────────────────────────────


async def test_the_level_of_the_log_is_changed_until_settings_are_read_again(
    house: House, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    [told] = await ask(path, "log DEBUG")
    before = told["was"]
    assert told["text"] == (
        f"The log's level is debug until the settings are read again. It was {before}."
    )
    await ask(path, "kill bob spam")
    assert "refused: " in caplog.text
    [told] = await ask(path, "log error")
    assert (told["type"], told["level"], told["was"]) == ("log", "error", "debug")
    caplog.clear()
    await texts(path, "log")
    assert caplog.text == ""
    house.server.reload(house.server.settings)
    assert await texts(path, "log") == [f"The log's level is {before}."]


async def test_the_level_of_the_log_goes_with_the_server(path: Path) -> None:
    async with running(admin=path):
        await ask(path, "log error")
        assert not logging.getLogger("trio_chat.x").isEnabledFor(logging.WARNING)
    assert logging.getLogger("trio_chat.x").isEnabledFor(logging.WARNING)


async def test_no_such_level(house: House, path: Path) -> None:
    [refused] = await ask(path, "log loud")
    assert refused == {
        "type": "refused",
        "text": "The log has these levels: debug, info, warning, error.",
        "code": "bad_command",
    }


def logged(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    """What was logged of such an event."""
    return [r.__dict__ for r in caplog.records if getattr(r, "event", "") == event]


async def test_what_operators_do_to_others_is_logged_as_warnings_for_the_audit(
    house: House, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await house.people("alice", "bob")
    await ask(path, "uban 192.0.2.0/24 2h spam", "uban del 1", "lock 10m", "lock off")
    await ask(
        path, "kill bob enough", "#lobby kick alice spam", "log warning", "drain", "drain off"
    )
    done = logged(caplog, "moderated")
    assert [one["action"] for one in done] == ["banned", "unbanned", "locked", "unlocked", "killed"]
    assert {one["by"] for one in done} == {user()}
    assert done[-1]["message"] == f"chat.local ({user()}) disconnected bob: enough"
    others = ("repaired", "log-level", "draining", "draining-ended")
    done += [one for event in others for one in logged(caplog, event)]
    assert len(done) == 9
    assert {(one["audit"], one["levelname"]) for one in done} == {(True, "WARNING")}


async def test_an_operator_who_ends_themselves_is_logged_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(irc_settings()) as house:
        boss = await irc_peer(house, "boss")
        await boss.say("OPER boss sesame", "KILL boss :enough of me")
        await boss.rest()
    [done] = logged(caplog, "moderated")
    assert (done["action"], done["audit"]) == ("killed", True)


async def test_what_people_do_themselves_is_nothing_for_the_audit(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await house.connect("alice")
    await alice.send(b"/register correct-horse\n/account delete alice\n/quit\n")
    await alice.rest()
    assert "operator" not in caplog.text
    assert [r for r in caplog.records if getattr(r, "audit", False)] == []


@pytest.mark.slow
async def test_who_has_gone_and_why_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    limits = {"outbox_bytes": 2**18, "messages_per_second": 10**6, "message_burst": 10**6}
    async with running(settings(limits=limits)) as house:
        bob = await house.connect("bob")
        ours, theirs = trio.testing.lockstep_stream_pair()
        house.server.take(Link(theirs, "192.0.2.7"))
        await house.take_in(ours, "alice")
        await bob.send(100 * (3000 * b"x" + b"\n") + b"/quit\n")
        await bob.rest()
        while not logged(caplog, "disconnected")[1:]:
            await trio.lowlevel.checkpoint()
    [slow] = logged(caplog, "too-slow")
    assert (slow["nick"], slow["bytes"], slow["levelname"]) == ("alice", 2**18, "WARNING")
    gone = {(one["nick"], one["reason"]) for one in logged(caplog, "disconnected")}
    assert gone == {("bob", "quit"), ("alice", "reads too slowly")}


# ── connections ────────────────────────────────────────────────────────────────────────────


async def test_all_connections_are_listed_with_what_is_known_of_them(
    house: House, path: Path
) -> None:
    await house.connect("alice")
    await irc_peer(house, "carol")
    await house.connect()
    alice, carol, nobody, here = await ask(path, "connections")
    assert [one["nick"] for one in (alice, carol, nobody, here)] == ["alice", "carol", "", ""]
    assert [one["protocol"] for one in (alice, carol, nobody, here)] == [
        "plain", "irc", "plain", "admin",
    ]  # fmt: skip
    assert [one["number"] for one in (alice, carol, nobody, here)] == [1, 2, 3, 4]
    assert alice.items() >= {
        "type": "connection", "address": "127.0.0.1", "tls": False, "waiting": 0,
    }.items()  # fmt: skip
    assert 0 <= alice["heard"] < 50
    assert alice["text"].startswith(
        f"[1] alice by plain from 127.0.0.1 since {alice['since'][:10]} "
    )
    assert nobody["text"].startswith("[3] - by plain from 127.0.0.1 since ")


async def test_what_waits_for_somebody_who_does_not_read_is_listed(
    house: House, path: Path
) -> None:
    [bob] = await house.people("bob")
    ours, theirs = trio.testing.lockstep_stream_pair()
    house.server.take(Link(theirs, "192.0.2.7"))
    await house.take_in(ours, "alice")
    await bob.send(b"hello\n")
    await bob.until("bob: hello\n")
    [alice] = [one for one in await ask(path, "connections") if one["nick"] == "alice"]
    assert (alice["address"], alice["waiting"]) == ("192.0.2.7", len("bob: hello\n"))
    assert alice["text"].endswith(" s ago, 11 bytes waiting")


@pytest.mark.slow
async def test_thousands_of_connections_are_listed_in_parts(house: House, path: Path) -> None:
    for number in range(2000):
        await house.link(address=f"127.0.0.{number % 2 + 1}")
    await trio.testing.wait_all_tasks_blocked()
    parts = [*house.server.operations.answer(ListConnections())]
    assert {len(part.connections) for part in parts} == {50}
    assert [part.more for part in parts] == 39 * [True] + [False]
    told = await ask(path, "connections")
    assert {one["number"] for one in told} == {*range(1, 2002)}


async def test_a_list_without_end_holds_nobody_up(house: House, path: Path) -> None:
    house.server._shared.operate = lambda command: repeat(Connections((), more=True))
    alice, bob = await house.people("alice", "bob")
    async with await trio.open_unix_socket(str(path)) as stream:
        await stream.send_all(b"connections\n")
        while not house.server._shared.turns.locked():
            await trio.lowlevel.checkpoint()
        await bob.send(b"hello\n")
        await alice.until("bob: hello\n")


# ── figures ────────────────────────────────────────────────────────────────────────────────


async def test_how_the_server_is_stands_in_one_object(house: House, path: Path) -> None:
    await house.people("alice", "bob")
    carol = await irc_peer(house, "carol", rooms="#tea")
    await carol.news("PRIVMSG #tea :hello", "PRIVMSG bob :psst", "PRIVMSG nobody :psst")
    await house.connect()
    [told] = await ask(path, "stats")
    version = told.pop("version")
    text = told.pop("text")
    for name in ("since", "memory", "stored", "late"):  # differ each time
        assert told.pop(name) or name == "late"
    assert told == {
        "type": "stats",
        "node": "",
        "state": "ok",
        "locked": False,
        "people": 3,
        "rooms": 2,
        "connections": {"plain": 2, "irc": 1, "admin": 1, "unknown": 1},
        "messages": {"rooms": 1, "private": 1},
        "refused": {"no_such_nick": 1},
        "waiting": 0,
        "failing": False,
        "level": told["level"],
    }
    lines = [line.split("  ", 1) for line in text.splitlines()]
    assert {len(f"{name}  ") for name, _ in lines} <= {*range(5, 15)}
    facts = {name: fact.strip() for name, fact in lines}
    assert facts["version"] == version
    assert facts["state"] == "ok"
    assert facts["connections"] == "5: 2 plain, 1 irc, 1 admin, 1 unknown"
    assert facts["messages"] == "1 in rooms, 1 in private"
    assert facts["refused"] == "1: 1 no_such_nick"


async def test_what_is_not_as_usual_is_told(house: House, path: Path) -> None:
    await house.connect("alice")
    await ask(path, "lock 10m", "drain 600", "log error")
    [told] = await ask(path, "stats")
    assert (told["state"], told["locked"], told["level"]) == ("draining", True, "error")
    assert "draining, and locked" in told["text"]
