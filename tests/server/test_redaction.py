"""Messages that are removed, on a running server: told to those who heard them, and gone."""

import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from irc_peers import IrcPeer, irc_peer, irc_people, lead, settings
from peers import House, running
from trio_chat.protocols.irc.message import Message
from trio_chat.storage.memory import MemoryLog

CAPS = "message-tags echo-message batch draft/chathistory draft/message-redaction"
UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
NEVER = "1700000000000-000000"


@pytest.fixture(params=["memory:", "chat.db"])
async def house(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[House]:
    store = "memory:" if request.param == "memory:" else str(tmp_path / request.param)
    async with running(settings(history={"store": store})) as running_house:
        yield running_house


async def say(peer: IrcPeer, text: str, target: str = "#lobby") -> str:
    """The id of a message that somebody says, who is shown it."""
    messages = await peer.messages(f"PRIVMSG {target} :{text}")
    return messages[-1].tags["msgid"]


def told(messages: list[Message]) -> list[list[str]]:
    return [[m.command, *m.params] for m in messages if m.command in ("REDACT", "FAIL", "NOTICE")]


async def recalled(peer: IrcPeer, target: str = "#lobby") -> list[str]:
    found = await peer.messages(f"CHATHISTORY LATEST {target} * 50")
    return [m.params[-1] for m in found if m.command == "PRIVMSG"]


async def test_everybody_there_is_told_in_their_own_way(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    old = await irc_peer(house, "old")
    plain = await house.connect("plain")
    id = await say(alice, "oops")
    await plain.until("alice: oops\n")
    for peer in (bob, old):
        await peer.news()
    assert told(await alice.messages(f"REDACT #lobby {id} :a typo")) == [
        ["REDACT", "#lobby", id, "a typo"]
    ]
    [message] = [m for m in await bob.messages() if m.command == "REDACT"]
    assert message.source.startswith("alice!")
    assert message.tags["msgid"] > id
    sentence = "alice removed a message of their own (a typo)."
    assert [line for line in await old.news() if "NOTICE" in line] == [
        f":chat.local NOTICE #lobby :{sentence}"
    ]
    await plain.until(f"*** {sentence}\n")


async def test_it_is_gone_from_all_that_can_be_asked_for(house: House) -> None:
    [alice] = await irc_people(house, "alice", caps=f"{CAPS} soju.im/search")
    await say(alice, "before")
    id = await say(alice, "swordfish")
    await alice.news(f"REDACT #lobby {id}")
    assert await recalled(alice) == ["before"]
    assert not [line for line in await alice.news("SEARCH text=swordfish") if "PRIVMSG" in line]
    around = await alice.news(f"CHATHISTORY AROUND #lobby msgid={id} 10")
    assert "swordfish" not in repr(around)
    newcomer = await house.connect("carl")
    assert "swordfish" not in newcomer.received.decode()
    await newcomer.send(b"/history\n/search swordfish\n")
    shown = await newcomer.until("*** Nothing was found.\n")
    assert "alice: before" in shown
    assert "swordfish" not in shown


async def test_in_private_both_are_told(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    old = await irc_peer(house, "old")
    id = await say(alice, "oops", "bob")
    await bob.news()
    assert told(await bob.messages(f"REDACT alice {id}")) == [
        ["FAIL", "REDACT", "REDACT_FORBIDDEN", "alice", id,
         "Only its author may remove that message."],
    ]  # fmt: skip
    assert told(await alice.messages(f"REDACT bob {id}")) == [["REDACT", "bob", id]]
    assert told(await bob.messages()) == [["REDACT", "bob", id]]
    assert await recalled(bob, "alice") == []
    id = await say(alice, "oops", "old")
    await alice.news(f"REDACT old {id} :sorry")
    sentence = "alice removed a message of their own (sorry)."
    assert f":chat.local NOTICE old :{sentence}" in await old.news()


async def test_whose_client_does_not_know_redact_can_remove_as_well(house: House) -> None:
    boss, old = await irc_peer(house, "boss"), await irc_peer(house, "old")
    await boss.news("OPER boss sesame")
    for line, sentence in (
        ("REMOVE #lobby last", "old removed a message of their own."),
        ("REMOVE #lobby last boss :too loud", "Only its author and the operators of the room may"),
    ):
        await old.news("PRIVMSG #lobby :oops")
        await boss.news("PRIVMSG #lobby :hello")
        assert sentence in " ".join(await old.news(line))
    removed = await boss.news("REMOVE #lobby last old :spam")
    assert ":chat.local NOTICE #lobby :A message of old's was removed by boss (spam)." in removed
    assert "Usage: REPORT" in " ".join(await old.news("REPORT #lobby last"))


async def test_topics_are_removed_like_messages(house: House) -> None:
    """The one that is set now goes from the room as well."""
    alice = await irc_peer(house, "alice", f"{CAPS} draft/event-playback", rooms="#tea")
    bob = await house.connect("bob")
    await bob.send(b"/join #tea\n/topic cod\n/topic trout\n")
    await bob.until("set the topic: trout\n")
    topics = [m for m in await alice.messages() if m.command == "TOPIC"]
    cod = topics[0].tags["msgid"]
    assert told(await alice.messages(f"REDACT #tea {cod} :no fish")) == [
        ["REDACT", "#tea", cod, "no fish"]
    ]
    await bob.until("*** A topic of bob's was removed by alice (no fish).\n")
    assert "cod" not in repr(await alice.news("CHATHISTORY LATEST #tea * 50", "AUDIT #tea"))
    await bob.send(b"/topic\n/remove topic\n/topic\n/remove topic\n")
    shown = await bob.until("to remove.\n")
    assert shown.splitlines() == [
        "*** The topic of #tea: trout",
        "*** bob removed the topic.",
        "*** bob removed a topic of their own.",
        "*** Removed in #tea: trout",
        "*** #tea has no topic.",
        "*** There is no topic of #tea to remove.",
    ]
    assert "trout" not in repr(await alice.news("CHATHISTORY LATEST #tea * 50", "AUDIT #tea"))
    await alice.news("TOPIC #tea :plaice", "MODE #tea +t")
    await bob.send(b"/remove topic\n")
    await bob.until("*** Only its author and the operators of the room may remove that message.\n")
    assert "plaice" in repr(await alice.news("REMOVE #tea topic :why not"))
    assert "plaice" not in repr(await alice.news("TOPIC #tea", "AUDIT #tea"))


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("#nowhere {id}", ["INVALID_TARGET", "#nowhere"]),
        ("#hall {id}", ["INVALID_TARGET", "#hall"]),
        ("nobody {id}", ["INVALID_TARGET", "nobody"]),
        ("#lobby {hall}", ["UNKNOWN_MSGID", "#lobby", "{hall}"]),
        ("#lobby {private}", ["UNKNOWN_MSGID", "#lobby", "{private}"]),
        ("alice {private}", ["UNKNOWN_MSGID", "alice", "{private}"]),
        (f"#lobby {NEVER}", ["UNKNOWN_MSGID", "#lobby", NEVER]),
        ("#lobby nonsense", ["UNKNOWN_MSGID", "#lobby", "nonsense"]),
        ("#lobby {id}", ["REDACT_FORBIDDEN", "#lobby", "{id}"]),
    ],
)
async def test_what_one_may_not_read_is_unknown(house: House, line: str, fault: list[str]) -> None:
    alice, bob, carl = await irc_people(house, "alice", "bob", "carl", caps=CAPS)
    await alice.news("JOIN #hall")
    ids = {"id": await say(alice, "1"), "hall": await say(alice, "2", "#hall")}
    ids["private"] = await say(alice, "3", "carl")
    await bob.news()
    [[fail, verb, *rest, _]] = told(await bob.messages(f"REDACT {line.format(**ids)}"))
    assert [fail, verb, *rest] == ["FAIL", "REDACT", *(word.format(**ids) for word in fault)]
    assert told(await carl.messages()) == []


async def test_it_takes_the_capability_and_two_parameters(house: House) -> None:
    alice, old = await irc_peer(house, "alice", *CAPS.split()), await irc_peer(house, "old")
    assert any(" 421 " in line for line in await old.news(f"REDACT #lobby {NEVER}"))
    assert any(" 461 " in line for line in await alice.news("REDACT #lobby"))


async def test_of_two_who_remove_it_at_once_one_does(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    await lead(house, "bob")
    id = await say(alice, "oops")
    for peer in (alice, bob):
        await peer.news()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(alice.say, f"REDACT #lobby {id}")
        nursery.start_soon(bob.say, f"REDACT #lobby {id}")
    first = [told(await peer.messages()) for peer in (alice, bob)]
    found = [told(await alice.messages()) + first[0], told(await bob.messages()) + first[1]]
    assert sorted(sum(one[0] == "FAIL" for one in each) for each in found) == [0, 1]
    assert [[one for one in each if one[0] == "REDACT"] for each in found] == [
        [["REDACT", "#lobby", id]]
    ] * 2


async def test_a_message_sent_again_after_it_was_removed_is_known(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split(), secret="alice-has-this-secret")
    line = f"@+trio-chat/id={'t' * 16} PRIVMSG #lobby :oops"
    [message] = await alice.messages(line)
    id = message.tags["msgid"]
    await alice.news(f"REDACT #lobby {id}")
    [again] = await alice.news(line)
    assert "PRIVMSG: That was already sent, and was not sent again" in again
    assert await recalled(alice) == []


async def test_time_runs_out_for_the_author_and_not_for_operators() -> None:
    """The message was said two days ago, by the clock of its log."""
    log = MemoryLog(
        per_room=100, total_bytes=100_000, rooms=10, clock=lambda: time.time() - 2 * 86_400
    )
    async with running(settings(), log) as house:
        [alice] = await irc_people(house, "alice", caps=CAPS)
        id = await say(alice, "oops")
        assert told(await alice.messages(f"REDACT #lobby {id}")) == [
            ["FAIL", "REDACT", "REDACT_WINDOW_EXPIRED", "#lobby", id, "86400",
             "A message can be removed for 24 hours; that one is older."],
        ]  # fmt: skip
        await lead(house, "alice")
        await alice.news()
        assert told(await alice.messages(f"REDACT #lobby {id}")) == [["REDACT", "#lobby", id]]


# ── whatever is said and removed in whatever order ─────────────────────────────────────────────

WAYS = ["PRIVMSG #lobby :{}", "NOTICE #lobby :{}", "PRIVMSG #lobby :\x01ACTION {}\x01",
        "@+x={} PRIVMSG #lobby :{}", "PRIVMSG bob :{}", "PRIVMSG @#lobby :{}"]  # fmt: skip
STEPS = st.lists(
    st.tuples(st.sampled_from(WAYS), st.none() | st.integers(0, 5), st.booleans()),
    min_size=1,
    max_size=8,
)


async def asked(house: House, alice: IrcPeer, ids: Iterable[str], words: Iterable[str]) -> str:
    """All that can be learned by asking, by who was there and by newcomers."""
    new = await irc_peer(house, "new", "message-tags", link=True)
    plain = await house.link("plain")
    await plain.send(b"/history\n/search swordfish\n/topic\n")
    told = [new.received.decode(), await plain.until("*** #lobby has no topic.\n")]
    told += [plain.received.decode()]
    for target in ("#lobby", "bob"):
        told += await alice.news(f"CHATHISTORY LATEST {target} * 50")
        for id in ids:
            told += await alice.news(f"CHATHISTORY AROUND {target} msgid={id} 50")
    for word in words:
        told += await alice.news(f"SEARCH text={word}")
    return "\n".join(told)


@given(steps=STEPS)
@hypothesis.settings(max_examples=10)
def test_no_reply_has_what_was_removed(
    steps: list[tuple[str, int | None, bool]],
) -> None:
    """Each step says something, perhaps removes a message, and perhaps sends that again."""

    async def run(folder: str) -> None:
        chosen = settings(limits=UNLIMITED, history={"store": f"{folder}/chat.db"})
        async with running(chosen) as house:
            caps = f"{CAPS} soju.im/search draft/event-playback"
            await irc_peer(house, "bob", link=True, rooms="")
            alice = await irc_peer(house, "alice", *caps.split(), link=True)
            there: dict[str, tuple[str, str]] = {}
            gone: dict[str, str] = {}
            for number, (way, which, again) in enumerate(steps):
                word = f"swordfish{number}x"
                line = way.format(word, word)
                token = f"@+trio-chat/id={number:016};" if line.startswith("@") else ""
                line = token + line[1:] if token else f"@+trio-chat/id={number:016} {line}"
                messages = [m for m in await alice.messages(line) if "msgid" in m.tags]
                there[messages[-1].tags["msgid"]] = word, line
                if which is not None:
                    id = [*there][which % len(there)]
                    gone[id], line = there.pop(id)
                    target = "bob" if " bob :" in line else "#lobby"
                    told = await alice.messages(f"REDACT {target} {id}")
                    assert [m.command for m in told if m.command != "PONG"] == ["REDACT"]
                    if again:
                        assert gone[id] not in repr(await alice.news(line))
            learned = await asked(house, alice, gone, gone.values())
            assert [word for word in gone.values() if word in learned] == []
            shown = [word for word, line in there.values() if "@#lobby" not in line]
            assert [word for word in shown if word not in learned] == []

    with TemporaryDirectory() as folder:
        trio.run(run, folder)


# ── plain ──────────────────────────────────────────────────────────────────────────────────────


async def test_plain_people_remove_their_last_message(house: House) -> None:
    alice, bob = await house.people("alice", "bob")
    await alice.send(b"first\nsecond\nthird\n")
    await bob.until("alice: third\n")
    await bob.send(b"mine\n")
    await alice.until("bob: mine\n")
    await alice.send(b"/remove last\n/remove last alice too late\n")
    for peer in (alice, bob):
        await peer.until("*** alice removed a message of their own.\n")
        await peer.until("*** alice removed a message of their own (too late).\n")
    await bob.send(b"/history\n")
    shown = await bob.until("bob: mine\n")
    assert [line.split("alice: ")[1] for line in shown.splitlines() if "alice: " in line] == [
        "first"
    ]


async def test_plain_people_remove_what_they_said_last_in_private_too(house: House) -> None:
    alice, bob = await house.people("alice", "bob")
    await alice.send(b"hello\n/msg bob swordfish\n/remove last private BOB\n/remove last\n")
    removed = "*** alice removed a message of their own.\n"
    await alice.until(removed + "*** Removed in private with bob: swordfish\n")
    await alice.until(removed + "*** Removed in #lobby: hello\n")
    assert "alice -> bob: swordfish\n" in await bob.until(removed)
    await bob.until(removed)


async def test_who_removes_the_last_message_is_told_how_it_began(house: House) -> None:
    plain = await house.connect("plain")
    [alice] = await irc_people(house, "alice", caps=CAPS)
    await say(alice, "x" * 40)
    await lead(house, "plain")
    await plain.send(b"/remove last alice\n")
    await plain.until(f"*** Removed in #lobby: {'x' * 30}\u2026\n")
    await say(alice, "oops")
    assert told(await alice.messages("REMOVE #lobby last"))[-1][-1] == "Removed in #lobby: oops"
    id = await say(alice, "again")
    assert "again" not in repr(told(await alice.messages(f"REDACT #lobby {id}")))


async def test_plain_operators_remove_those_of_others(house: House) -> None:
    alice, bob = await house.people("alice", "bob")
    await alice.send(b"BUY\n")
    await bob.until("alice: BUY\n")
    await bob.send(b"/remove last alice\n")
    await bob.until("*** Only its author and the operators of the room may remove that message.\n")
    await lead(house, "bob")
    await bob.send(b"/remove last ALICE spam\n")
    for peer in (alice, bob):
        await peer.until("*** A message of alice's was removed by bob (spam).\n")


REFUSED = [
    ("/remove last", "bob has said nothing there lately."),
    ("/remove last nobody", "nobody has said nothing there lately."),
    (f"/remove {NEVER}", "There is no such message."),
    ("/remove alice", "/remove takes last, last NAME, last private NAME, topic, or the id"),
    ("/remove", "Usage: /remove last|last NAME|last private NAME|topic|ID [WHY]"),
]


@pytest.mark.parametrize(("line", "why"), REFUSED)
async def test_what_there_is_not_cannot_be_removed(house: House, line: str, why: str) -> None:
    _, bob = await house.people("alice", "bob")
    await bob.send(f"{line}\n".encode())
    assert why in await bob.until("\n")
