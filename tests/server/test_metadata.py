"""METADATA on a running server: what clients are told and what is kept."""

from pathlib import Path

import pytest

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.info import METADATA

PASSWORD = "correct-horse"
REFUSED = "Only operators of this server may do that."
CANNOT = "cannot be a key: it has 1 to 50 of a-z, 0-9 and _./-."


async def client(house: House, nick: str, *caps: str, rooms: str = "#tea") -> IrcPeer:
    """A client that knows metadata."""
    return await irc_peer(house, nick, METADATA, "batch", *caps, rooms=rooms)


async def told(peer: IrcPeer, *lines: str) -> list[str]:
    """What somebody is told, without the names of the server and of batches."""
    found = await peer.news(*lines)
    return [line.partition(":chat.local ")[2] or line for line in found]


@pytest.fixture
async def house():  # type: ignore[no-untyped-def]
    async with running(settings()) as it:
        yield it


def test_the_capability_tells_the_limits() -> None:
    assert CAPS[METADATA] == "before-connect,max-subs=50,max-keys=20,max-value-bytes=300"


async def test_what_is_set_is_answered_and_told_to_who_has_subscribed(house: House) -> None:
    alice, bob = await client(house, "alice"), await client(house, "bob")
    eve = await irc_peer(house, "eve", rooms="#tea")
    await told(bob)
    assert await told(bob, "METADATA * SUB color display-name", "METADATA * SUBS") == [
        "770 bob color display-name",
        "774 bob #tea",
        "BATCH +b1 metadata-subs",
        "772 bob color display-name",
        "BATCH -b1",
    ]
    await told(alice)
    await told(eve)
    assert await told(alice, "METADATA * SET color :dark red") == [
        "761 alice alice color * :dark red"
    ]
    assert await told(bob) == ["761 * alice color * :dark red"]
    assert await told(alice, "METADATA #tea SET color blue", "METADATA #tea CLEAR") == [
        "761 alice #tea color * :blue",
        "BATCH +b1 metadata #tea",
        "766 alice #tea color :Key is not set",
        "BATCH -b1",
    ]
    assert await told(bob) == [
        "761 * #tea color * :blue",
        "766 * #tea color :Key is not set",
    ]
    assert await told(bob, "METADATA * UNSUB color nothing") == ["771 bob color nothing"]
    assert await told(alice, "METADATA alice SET color") == [
        "766 alice alice color :Key is not set"
    ]
    assert await told(bob) == []
    assert await told(eve) == []


async def test_look_ups_come_in_batches_and_failures_with_their_codes(house: House) -> None:
    alice, bob = await client(house, "alice"), await client(house, "bob")
    await told(alice, "METADATA * SET color red")
    assert await told(bob, "METADATA Alice GET color Bad none color", "METADATA * LIST") == [
        "BATCH +b1 metadata alice",
        f"FAIL METADATA INVALID_KEY Bad :Bad {CANNOT}",
        "761 bob alice color * :red",
        "766 bob alice none :Key is not set",
        "BATCH -b1",
        "BATCH +b2 metadata bob",
        "BATCH -b2",
    ]
    fails = [
        ("METADATA nobody LIST", "INVALID_TARGET nobody :Nobody here is called nobody."),
        ("METADATA #none LIST", "INVALID_TARGET #none :There is nobody in #none."),
        ("METADATA #none SET a b", "INVALID_TARGET #none :You are not in #none."),
        ("METADATA alice SET a b", f"KEY_NO_PERMISSION alice a :{REFUSED}"),
        ("METADATA alice CLEAR", f"KEY_NO_PERMISSION alice * :{REFUSED}"),
        (
            "METADATA #tea SET a b",
            "KEY_NO_PERMISSION #tea a :Only an operator of #tea may do that.",
        ),
        ("METADATA * SET A b", f"INVALID_KEY A :A {CANNOT}"),
        (f"METADATA * SET a {'x' * 301}", "INVALID_VALUE a :A value has at most 300 bytes."),
        ("METADATA * FLY", "SUBCOMMAND_INVALID FLY :Invalid subcommand"),
        ("METADATA * SUB A", f"INVALID_KEY A :A {CANNOT}"),
    ]
    for line, fail in fails:
        assert await told(bob, line) == [f"FAIL METADATA {fail}"]
    assert await told(bob, "METADATA * SET") == ["461 bob METADATA :Not enough parameters"]
    keys = [f"k{number}" for number in range(52)]
    assert (await told(bob, f"METADATA * SUB {' '.join(keys)}"))[0] == (
        "FAIL METADATA TOO_MANY_SUBS k50 :There are at most 50"
    )


@pytest.mark.parametrize("line", ["SET A b", f"SET a {'x' * 301}", "SET k20 x", "SUB A"])
async def test_what_cannot_be_set_is_refused_alike_before_one_is_let_in(
    house: House, line: str
) -> None:
    some = [f"METADATA * SET k{number} x" for number in range(20)]
    newcomer = await house.connect()
    early = IrcPeer(newcomer.stream)
    asked = [*some, f"METADATA * {line}"]
    before = (await told(early, f"CAP REQ :{METADATA}", *asked))[-1]
    after = (await told(await client(house, "alice"), *asked))[-1]
    assert before.startswith("FAIL METADATA ")
    assert before == after.replace("alice", "*")


async def test_labels_go_on_the_answers(house: House) -> None:
    alice = await client(house, "alice", "labeled-response", "message-tags")
    [value] = await alice.messages("@label=a METADATA * SET color red")
    assert (value.command, value.tags["label"]) == ("761", "a")
    start, value, end = await alice.messages("@label=b METADATA * GET color")
    assert (start.command, start.tags["label"], end.command) == ("BATCH", "b", "BATCH")
    assert value.tags["batch"] == start.params[0][1:]
    [start, end] = await alice.messages("@label=c METADATA #tea SYNC")
    assert (start.params[1:], start.tags["label"]) == (("metadata", "#tea"), "c")
    [fail] = await alice.messages("@label=d METADATA nobody SYNC")
    assert (fail.command, fail.tags["label"]) == ("FAIL", "d")


async def test_a_newcomer_is_told_what_is_there(house: House) -> None:
    alice = await client(house, "alice")
    await told(alice, "METADATA * SET color red", "METADATA #tea SET color green")
    bob = await client(house, "bob", rooms="")
    joined = await told(bob, "METADATA * SUB color", "JOIN #tea")
    assert joined[-3:] == [
        "366 bob #tea :End of /NAMES list",
        "761 bob #tea color * :green",
        "761 bob alice color * :red",
    ]
    assert await told(bob, "METADATA #tea SYNC", "METADATA alice SYNC") == [
        "BATCH +b1 metadata #tea",
        "761 bob #tea color * :green",
        "761 bob alice color * :red",
        "BATCH -b1",
        "BATCH +b2 metadata alice",
        "761 bob alice color * :red",
        "BATCH -b2",
    ]
    whois = await told(bob, "WHOIS alice")
    assert whois[-2:] == ["760 bob alice color * :red", "318 bob alice :End of /WHOIS list"]


async def test_of_people_who_are_watched_it_is_told(house: House) -> None:
    alice, bob = await client(house, "alice", rooms=""), await client(house, "bob", rooms="")
    await told(alice, "METADATA * SET color red", "METADATA * SET other x")
    assert await told(bob, "METADATA * SUB color", "MONITOR + alice,nobody") == [
        "770 bob color",
        "730 bob :alice!alice@127.0.0.1",
        "731 bob :nobody",
        "761 bob alice color * :red",
    ]
    await told(alice, "METADATA * SET color blue")
    assert await told(bob) == ["761 * alice color * :blue"]


async def test_it_may_be_set_before_one_is_let_in(house: House) -> None:
    peer = IrcPeer((await house.connect()).stream)
    early = [f"CAP REQ :{METADATA} batch", "METADATA * SUB color", "METADATA * SET color red"]
    early += ["METADATA * SET a b", "METADATA * SET a", "METADATA * GET color", "METADATA bob LIST"]
    assert await told(peer, *early) == [
        f"CAP * ACK :{METADATA} batch",
        "770 * color",
        "761 * * color * :red",
        "761 * * a * :b",
        "766 * * a :Key is not set",
        "BATCH +b1 metadata *",
        "761 * * color * :red",
        "BATCH -b1",
        "FAIL METADATA INVALID_TARGET bob :You have not registered",
    ]
    welcome = await told(peer, "NICK bob", "USER b 0 * :B", "CAP END")
    begin = welcome.index("BATCH +metadata metadata bob")
    assert welcome[begin + 1 : begin + 3] == ["761 * bob color * :red", "BATCH -metadata"]
    assert any(line.startswith("422 ") for line in welcome[begin:])
    alice = await client(house, "alice")
    await told(peer, "JOIN #tea")
    await told(alice, "METADATA * SET color green")
    assert "761 * alice color * :green" in await told(peer)


async def test_without_the_capability_there_is_no_metadata(house: House) -> None:
    alice = await irc_peer(house, "alice", rooms="")
    assert await told(alice, "METADATA * LIST") == ["421 alice METADATA :Unknown command"]
    bob = await client(house, "bob")
    await told(bob, "METADATA * SUB color", f"CAP REQ -{METADATA}")
    carol = await client(house, "carol")
    await told(bob)
    await told(carol, "METADATA * SET color red")
    assert await told(bob) == []


async def test_an_account_and_a_room_keep_it_over_a_restart(tmp_path: Path) -> None:
    kept = settings(history={"store": str(tmp_path / "chat.db")})
    async with running(kept) as house:
        alice = await client(house, "alice")
        await told(alice, f"NS REGISTER {PASSWORD}", "METADATA * SET color red")
        await told(alice, "METADATA #tea SET color green", "METADATA #tea SET url x")
        await told(alice, "METADATA #tea SET url")
    async with running(kept) as house:
        bob = await irc_peer(house, "bob", METADATA, "batch", rooms="")
        await told(bob, f"NS IDENTIFY alice {PASSWORD}", "JOIN #tea")
        assert await told(bob, "METADATA * LIST", "METADATA #tea LIST") == [
            "BATCH +b1 metadata bob",
            "761 bob bob color * :red",
            "BATCH -b1",
            "BATCH +b2 metadata #tea",
            "761 bob #tea color * :green",
            "BATCH -b2",
        ]


async def test_from_one_address_it_is_set_only_so_often() -> None:
    limits = {"exempt": "", "metadata_per_hour": 2}
    async with running(settings(limits=limits)) as house:
        alice, bob = await client(house, "alice"), await client(house, "bob")
        await told(alice)
        assert len(await told(alice, "METADATA * SET a x")) == 1
        await told(bob, "METADATA * CLEAR")
        [fail] = await told(alice, "METADATA * SET a y")
        start = "FAIL METADATA RATE_LIMITED * a 1800 :Too many requests like that"
        assert fail.startswith(start)
        assert await told(bob, "METADATA alice GET a") == [
            "BATCH +b2 metadata alice",
            "761 bob alice a * :x",
            "BATCH -b2",
        ]
