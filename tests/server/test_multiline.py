"""Messages of several lines on a real server: who knows them, who does not, and what is kept."""

from collections.abc import AsyncIterator

import pytest

from irc_peers import IrcPeer, irc_peer, irc_people, settings
from peers import House, running
from trio_chat.protocols.irc.message import Message, parse

CAPS = "batch draft/multiline message-tags server-time"
ALL = f"{CAPS} echo-message labeled-response draft/chathistory soju.im/search"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


def batch(*lines: str, target: str = "#lobby", tags: str = "", inner: str = "PRIVMSG") -> list[str]:
    texts = [f"@batch=1 {inner} {target} :{line}" for line in lines]
    return [f"{tags}BATCH +1 draft/multiline {target}", *texts, "BATCH -1"]


def outline(lines: list[str]) -> list[tuple[str, str]]:
    """Of each line its command, and the last parameter; of BATCH only the sign."""
    found: list[Message] = [message for line in lines if (message := parse(line))]
    return [(m.command, m.params[0][:1] if m.command == "BATCH" else m.params[-1]) for m in found]


BATCH = [("BATCH", "+"), ("PRIVMSG", "a"), ("PRIVMSG", ""), ("PRIVMSG", "b"), ("BATCH", "-")]


async def test_one_message_to_everybody_in_their_own_way(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=ALL)
    old = await irc_peer(house, "old", "message-tags")
    carol = await house.connect("carol")
    for peer in (alice, bob, old):
        await peer.news()
    echo = await alice.news(*batch("a", "", "b", tags="@label=x "))
    assert outline(echo) == BATCH
    assert echo[0].startswith("@label=x;")
    assert not any("label=" in line for line in echo[1:])
    told = await bob.news()
    assert outline(told) == BATCH
    assert parse(told[0]).tags["msgid"] == parse(echo[0]).tags["msgid"]  # type: ignore[union-attr]
    assert outline(await old.news()) == [("PRIVMSG", "a"), ("PRIVMSG", "b")]
    await bob.say("PRIVMSG carol :end")
    assert (await carol.until("bob -> carol: end\n")).endswith(
        "alice: a\nalice: b\nbob -> carol: end\n"
    )


async def test_no_line_looks_like_somebody_elses(house: House) -> None:
    alice, _ = await irc_people(house, "alice", "bob", caps=CAPS)
    carol = await house.connect("carol")
    await alice.news(*batch("x", "bob: y", "*** z", "\x1b[2J", "\x01ACTION w\x01"))
    await alice.news(*batch("x", "bob: y", "*** z", "\x1b[2J"))
    await alice.news(*batch("\x01ACTION waves", "*** twice\x01"))
    await alice.news(*batch("x", "y", target="carol"))
    told = await carol.until("alice -> carol: y\n")
    assert told.endswith(
        "alice: x\nalice: bob: y\nalice: *** z\nalice: ␛[2J\n"
        "* alice waves\n* alice *** twice\nalice -> carol: x\nalice -> carol: y\n"
    )
    assert "w\n" not in told


async def test_it_is_one_entry_of_the_history(house: House) -> None:
    """Which comes as a batch in the batch, or as lines of which the first has the id."""
    alice = await irc_peer(house, "alice", *ALL.split())
    await alice.news("PRIVMSG #lobby :before", *batch("tea", "", "milk"), "PRIVMSG #lobby :after")
    lines = await alice.news("CHATHISTORY LATEST #lobby * 2")
    found = [message for line in lines if (message := parse(line))]
    outer, inner = found[0].params[0][1:], found[1].params[0][1:]
    assert [(m.command, m.params[-1], m.tags.get("batch")) for m in found] == [
        ("BATCH", "#lobby", None),
        ("BATCH", "#lobby", outer),
        ("PRIVMSG", "tea", inner),
        ("PRIVMSG", "", inner),
        ("PRIVMSG", "milk", inner),
        ("BATCH", f"-{inner}", outer),
        ("PRIVMSG", "after", outer),
        ("BATCH", f"-{outer}", None),
    ]
    assert not any("batch=" in line.partition(";")[2] for line in lines)
    searched = await alice.news("SEARCH text=milk")
    assert [text for _, text in outline(searched) if text in ("tea", "milk")] == ["tea", "milk"]
    old = await irc_peer(house, "old", "batch", "message-tags", "draft/chathistory")
    told = await old.news("CHATHISTORY LATEST #lobby * 2")
    assert outline(told)[1:-1] == [("PRIVMSG", "tea"), ("PRIVMSG", "milk"), ("PRIVMSG", "after")]
    assert ["msgid=" in line for line in told[1:-1]] == [True, False, True]
    carol = await house.connect("carol")
    assert "alice: tea\nalice: milk\nalice: after\n" in await carol.until("after\n")
    await carol.send(b"/search milk\n")
    found_plain = await carol.until("milk\n")
    assert found_plain.count("alice: tea\n") == 1


async def test_what_is_sent_again_appears_once(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=ALL)
    tags = "@+trio-chat/id=0123456789abcdef "
    first = await alice.news(*batch("a", "", "b", tags=tags))
    again = await alice.news(*batch("a", "", "b", tags=tags))
    assert outline(again) == outline(first) == BATCH
    assert parse(again[0]).tags["msgid"] == parse(first[0]).tags["msgid"]  # type: ignore[union-attr]
    labelled = await alice.news(*batch("a", "", "b", tags=f"{tags[:-1]};label=x "))
    assert outline(labelled) == BATCH
    assert ["label=x" in line for line in labelled] == [True, *[False] * (len(BATCH) - 1)]
    assert outline(await bob.news()) == BATCH


@pytest.mark.parametrize(
    ("target", "answer"),
    [("#nowhere", " 404 alice #nowhere :"), ("nobody", " 401 alice nobody :")],
)
async def test_what_cannot_be_said_is_refused_as_any_message(
    house: House, target: str, answer: str
) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split(), "labeled-response")
    [refused] = await alice.news(*batch("a", "b", target=target, tags="@label=x "))
    assert refused.startswith("@label=x;")
    assert answer in refused
    assert await alice.news(*batch("a", "b", target=target, inner="NOTICE")) == []


async def test_who_is_refused_a_batch_can_go_on(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    refused = await alice.news(
        "BATCH +1 draft/multiline #lobby", "@batch=1 PRIVMSG bob :x", "BATCH -1"
    )
    assert [line.split(" FAIL ")[1].split(" :")[0] for line in refused] == [
        "BATCH MULTILINE_INVALID_TARGET #lobby bob"
    ]
    await alice.news(*batch("a", "", "b"))
    assert outline(await bob.news()) == BATCH


async def test_it_outlives_the_server(tmp_path: object) -> None:
    chosen = settings(history={"store": f"{tmp_path}/chat.db"})
    async with running(chosen) as house:
        alice = await irc_peer(house, "alice", *ALL.split())
        lines = batch("a ", "b", "c")
        lines[2] = lines[2].replace("batch=1", "batch=1;draft/multiline-concat")
        live = await alice.news(*lines)
    async with running(chosen) as house:
        alice = await irc_peer(house, "alice", *ALL.split())
        told = await alice.news("CHATHISTORY LATEST #lobby * 1")
        assert outline(told)[1:-1] == outline(live)
        assert "draft/multiline-concat" in told[3]


async def test_much_in_few_lines_is_read_slowly() -> None:
    """Each line of a batch counts, as if it were said by itself."""
    limits = {"messages_per_second": 1000.0, "message_burst": 20}
    async with running(settings(limits=limits)) as house:
        alice: IrcPeer = await irc_peer(house, "alice", *CAPS.split())
        await alice.say(*batch(*["x"] * 30), "PRIVMSG #lobby :end", "PING done")
        assert "You are sending too fast" in await alice.until("PONG chat.local :done\r\n")
