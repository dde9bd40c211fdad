"""What was said before, as clients ask for it: CHATHISTORY, MARKREAD, SEARCH."""

from collections.abc import AsyncIterator, Sequence

import pytest

from irc_peers import IrcPeer, irc_peer, irc_people, lead, settings
from peers import House, running
from trio_chat.protocols.irc.info import HISTORY_MAX
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.storage.memory import MemoryLog

CAPS = "batch server-time message-tags draft/chathistory"
ALL = f"{CAPS} labeled-response echo-message account-tag extended-join"
UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
SECRET, OTHER = "alice-has-this-secret", "bobby-has-this-secret"


class Clock:
    """Each message is said at a moment of its own, unless it is stopped."""

    def __init__(self) -> None:
        self.now, self.step = 1_700_000_000.0, 1.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def house(clock: Clock) -> AsyncIterator[House]:
    log = MemoryLog(per_room=10_000, total_bytes=100_000_000, rooms=1000, clock=clock)
    chosen = settings(limits=UNLIMITED, history={"replay": 0})
    async with running(chosen, log) as running_house:
        yield running_house


def read(lines: Sequence[str]) -> list[Message]:
    return [message for line in lines if (message := parse(line))]


def inside(lines: Sequence[str], kind: str = "chathistory", *params: str) -> list[str]:
    """What is in the one batch that these lines are, without the batch's tag."""
    start, *lines, end = lines
    opened, closed = read([start, end])
    assert (opened.command, opened.params[1:]) == ("BATCH", (kind, *params))
    name = opened.params[0].removeprefix("+")
    assert (closed.command, *closed.params) == ("BATCH", f"-{name}")
    assert all(line.startswith((f"@batch={name};", f"@batch={name} ")) for line in lines)
    bare = [line.removeprefix(f"@batch={name}").removeprefix(";").lstrip() for line in lines]
    return [line if line.startswith(":") else f"@{line}" for line in bare]


def texts(lines: Sequence[str]) -> list[str]:
    return [message.params[-1] for message in read(lines)]


async def recall(peer: IrcPeer, asked: str) -> list[str]:
    """What CHATHISTORY answers."""
    target = asked.split()[1]
    await peer.news()
    return inside(await peer.news(f"CHATHISTORY {asked}"), "chathistory", target)


async def ten(house: House) -> tuple[IrcPeer, list[str]]:
    """Alice, and ten lines as she saw them live."""
    alice = await irc_peer(house, "alice", *ALL.split())
    lines = [line for n in range(10) for line in await alice.news(f"PRIVMSG #lobby :{n}")]
    assert texts(lines) == [str(n) for n in range(10)]
    return alice, lines


def references(line: str) -> list[str]:
    """The two ways to refer to a message."""
    [message] = read([line])
    return [f"msgid={message.tags['msgid']}", f"timestamp={message.tags['time']}"]


# ── which messages ─────────────────────────────────────────────────────────────────────────────

SPANS = [
    ("LATEST #lobby * 3", range(7, 10)),
    ("LATEST #lobby * 200", range(10)),
    ("LATEST #lobby * 99999999999999999999", range(10)),
    ("LATEST #lobby {6} 2", range(8, 10)),
    ("LATEST #lobby {6} 20", range(7, 10)),
    ("LATEST #lobby {9} 20", range(0)),
    ("BEFORE #lobby {3} 20", range(3)),
    ("BEFORE #lobby {3} 2", range(1, 3)),
    ("BEFORE #lobby {0} 2", range(0)),
    ("AFTER #lobby {6} 20", range(7, 10)),
    ("AFTER #lobby {3} 2", range(4, 6)),
    ("AFTER #lobby {9} 2", range(0)),
    ("AROUND #lobby {5} 1", range(5, 6)),
    ("AROUND #lobby {5} 2", range(4, 6)),
    ("AROUND #lobby {5} 5", range(3, 8)),
    ("AROUND #lobby {0} 4", range(4)),
    ("AROUND #lobby {9} 4", range(7, 10)),
    ("AROUND #lobby {5} 200", range(10)),
    ("BETWEEN #lobby {2} {7} 200", range(3, 7)),
    ("BETWEEN #lobby {7} {2} 200", range(3, 7)),
    ("BETWEEN #lobby {2} {7} 2", range(3, 5)),
    ("BETWEEN #lobby {7} {2} 2", range(5, 7)),
    ("BETWEEN #lobby {4} {5} 2", range(0)),
    ("BETWEEN #lobby {4} {4} 2", range(0)),
    ("latest #lobby * 1", range(9, 10)),
]


@pytest.mark.parametrize("way", [0, 1], ids=["msgid", "timestamp"])
async def test_spans(house: House, way: int) -> None:
    """What comes is, to the letter, what came live."""
    alice, lines = await ten(house)
    named = [references(line)[way] for line in lines]
    for asked, wanted in SPANS:
        assert await recall(alice, asked.format(*named)) == [lines[n] for n in wanted], asked


async def test_moments_may_be_far_away(house: House) -> None:
    alice, lines = await ten(house)
    long_ago = {"BEFORE": [], "AROUND": lines[:3], "AFTER": lines[:3]}
    far_off = {"BEFORE": lines[-3:], "AROUND": lines[-1:], "AFTER": []}
    years = dict.fromkeys(["0001", "1969", "1970"], long_ago)
    years |= dict.fromkeys(["2285", "2287", "9999"], far_off)
    for year, answers in years.items():
        for name, wanted in answers.items():
            asked = f"{name} #lobby timestamp={year}-06-30T12:00:60.000Z 3"
            assert await recall(alice, asked) == wanted, asked


async def test_messages_of_one_moment_are_none_before_it_and_none_after(
    house: House, clock: Clock
) -> None:
    alice = await irc_peer(house, "alice", *ALL.split())
    [before] = await alice.news("PRIVMSG #lobby :before")
    clock.step = 0
    at = await alice.news(*(f"PRIVMSG #lobby :{n}" for n in range(5)))
    clock.step = 1
    [after] = await alice.news("PRIVMSG #lobby :after")
    [moment] = {references(line)[1] for line in (*at, before)}  # the clock stood still since then
    assert await recall(alice, f"BEFORE #lobby {moment} 9") == []
    assert await recall(alice, f"AFTER #lobby {moment} 9") == [after]
    assert await recall(alice, f"AFTER #lobby {references(at[2])[0]} 9") == [*at[3:], after]
    assert await recall(alice, f"AROUND #lobby {moment} 9") == [before, *at, after]


async def test_not_more_than_the_most_come_at_a_time(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split())
    await alice.news(*(f"PRIVMSG #lobby :{n}" for n in range(300)))
    lines = await recall(alice, "LATEST #lobby * 1000")
    assert texts(lines) == [str(n) for n in range(300 - HISTORY_MAX, 300)]


@pytest.mark.parametrize("forwards", [True, False])
async def test_paging_finds_each_message_once(house: House, forwards: bool) -> None:
    """Over some thousands, with what else happened in between."""
    alice = await irc_peer(house, "alice", *CAPS.split(), "draft/event-playback")
    for n in range(0, 3000, 500):
        await alice.news(*(f"PRIVMSG #lobby :{m}" for m in range(n, n + 500)))
        await alice.news(f"TOPIC #lobby :{n}")
    found: list[Message] = []
    asked = "AFTER #lobby timestamp=1970-01-01T00:00:00.000Z" if forwards else "LATEST #lobby *"
    while some := read(await recall(alice, f"{asked} 137")):
        found = [*found, *some] if forwards else [*some, *found]
        edge = (found[-1] if forwards else found[0]).tags["msgid"]
        asked = f"{'AFTER' if forwards else 'BEFORE'} #lobby msgid={edge}"
    said = [message.params[1] for message in found if message.command == "PRIVMSG"]
    assert said == [str(n) for n in range(3000)]
    assert [m.params[1] for m in found if m.command == "TOPIC"] == [
        str(n) for n in range(0, 3000, 500)
    ]
    ids = [message.tags["msgid"] for message in found]
    assert len(set(ids)) == len(ids)


async def test_much_history_reaches_who_reads_slowly() -> None:
    """More than may wait for anybody: it is looked up as it is read."""
    limits = UNLIMITED | {"outbox_bytes": 262_144}
    async with running(settings(limits=limits)) as house:
        alice = await irc_peer(house, "alice", *CAPS.split())
        tags = "+x=" + "y" * 4000
        await alice.news(*(f"@{tags} PRIVMSG #lobby :{n}" for n in range(200)))
        await alice.say(*["CHATHISTORY LATEST #lobby * 200"] * 20)
        bob = await irc_peer(house, "bob")
        await bob.news("PRIVMSG #lobby :here")
        lines = await alice.news()
        batches = [line for line in lines if line.startswith("@batch=")]
        assert len(batches) == 20 * 200
        assert sum("BATCH -" in line for line in lines) == 20


# ── what comes with them ───────────────────────────────────────────────────────────────────────


async def test_what_was_not_said_comes_to_who_asked_for_it(house: House) -> None:
    alice = await irc_peer(house, "alice", *ALL.split(), "draft/event-playback")
    bob = await irc_peer(house, "bob", "account-tag", "echo-message", rooms="")
    await lead(house, "alice")
    live = await alice.news()
    await bob.news("AWAY :out", "JOIN #lobby", "PRIVMSG #lobby :hello", "NOTICE #lobby :note")
    live += await alice.news("TOPIC #lobby :tea", "MODE #lobby +v bob", "KICK #lobby bob :out")
    await bob.news("JOIN #lobby", "PART #lobby :bye", "JOIN #lobby", "CAP REQ message-tags")
    await bob.news("@+draft/react=tea TAGMSG #lobby", "@+typing=active TAGMSG #lobby", "NICK rob")
    await bob.say("QUIT :so long")
    live += (await alice.until(" QUIT :Quit: so long\r\n")).split("\r\n")[:-1]
    live = [line for line in live if "+typing" not in line]
    lines = await recall(alice, "LATEST #lobby * 200")
    assert read(lines)[0].command == "JOIN"  # her own, which she saw before she knew the names
    assert lines[1:] == live
    assert [m.command for m in read(live)] == [
        *("MODE", "JOIN", "PRIVMSG", "NOTICE", "TOPIC", "MODE", "KICK", "JOIN", "PART", "JOIN"),
        *("TAGMSG", "NICK", "QUIT"),
    ]
    await alice.news("CAP REQ :-draft/event-playback away-notify")
    assert await recall(alice, "LATEST #lobby * 200") == [
        line
        for line in live
        if parse(line).command in ("PRIVMSG", "NOTICE")  # type: ignore[union-attr]
    ]
    await alice.news("CAP REQ :draft/event-playback")
    assert "AWAY" not in [m.command for m in read(await recall(alice, "LATEST #lobby * 200"))]


async def test_what_was_said_to_operators_alone_is_no_history(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    await bob.news("PRIVMSG @#lobby :for operators", "PRIVMSG #lobby :for all")
    assert texts(await recall(alice, "LATEST #lobby * 9")) == ["for all"]


@pytest.mark.parametrize(
    ("caps", "line"),
    [
        ("", ":alice!alice@127.0.0.1 PRIVMSG #lobby :x"),
        ("server-time", "@time={time} :alice!alice@127.0.0.1 PRIVMSG #lobby :x"),
        ("message-tags", "@msgid={msgid};+a=b :alice!alice@127.0.0.1 PRIVMSG #lobby :x"),
    ],
)
async def test_without_batches_the_lines_come_alone(house: House, caps: str, line: str) -> None:
    bob = await irc_peer(house, "bob", "message-tags", "server-time")
    alice = await irc_peer(house, "alice", "draft/chathistory", *caps.split())
    await alice.news("@+a=b PRIVMSG #lobby :x")
    said = (await bob.messages())[-1]
    assert await alice.news("CHATHISTORY LATEST #lobby * 9") == [line.format(**said.tags)]
    assert await alice.news(f"CHATHISTORY AFTER #lobby msgid={said.tags['msgid']} 9") == []


async def test_a_batch_has_no_tags_without_the_capabilities_for_them(house: House) -> None:
    alice = await irc_peer(house, "alice", "draft/chathistory", "batch")
    await alice.news("PRIVMSG #lobby :x")
    assert inside(await alice.news("CHATHISTORY LATEST #lobby * 9"), "chathistory", "#lobby") == [
        ":alice!alice@127.0.0.1 PRIVMSG #lobby :x"
    ]


async def test_the_label_is_on_the_batch(house: House) -> None:
    alice, lines = await ten(house)
    start, *found, end = await alice.news("@label=L CHATHISTORY LATEST #lobby * 9")
    assert read([start])[0].tags["label"] == "L"
    assert not [line for line in (*found, end) if "label" in line]
    assert len(found) == 9
    assert inside(await alice.news(f"CHATHISTORY AFTER #lobby {references(lines[-1])[0]} 9"),
                  "chathistory", "#lobby") == []  # fmt: skip
    [fail] = await alice.messages("@label=L CHATHISTORY LATEST #elsewhere * 9")
    assert (fail.command, fail.tags["label"]) == ("FAIL", "L")


async def test_nothing_is_played_back_to_who_can_ask_for_it() -> None:
    async with running(settings()) as house:
        await irc_people(house, "alice")
        alice = await irc_peer(house, "bob")
        await alice.news("PRIVMSG #lobby :before")
        carol = await irc_peer(house, "carol", *CAPS.split(), rooms="")
        commands = [message.command for message in await carol.messages("JOIN #lobby")]
        assert commands == ["JOIN", "353", "366"]
        dave = await irc_peer(house, "dave", "batch", "server-time", rooms="")
        commands = [message.command for message in await dave.messages("JOIN #lobby")]
        assert commands == ["JOIN", "BATCH", "PRIVMSG", "BATCH", "353", "366"]


async def test_the_room_is_called_as_it_is(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split(), rooms="#Lobby")
    start, end = await alice.messages("CHATHISTORY LATEST #LOBBY * 9")
    assert start.params[2] == "#Lobby"
    assert end.command == "BATCH"


async def test_somebody_is_called_as_the_question_does(house: House) -> None:
    await irc_peer(house, "bob")
    alice = await irc_peer(house, "alice", *CAPS.split())
    await alice.news("PRIVMSG bob :hi")
    start, *_ = await alice.messages("CHATHISTORY LATEST BOB * 9")
    assert start.params[2] == "BOB"


# ── who may read it ────────────────────────────────────────────────────────────────────────────


async def refused(peer: IrcPeer, target: str) -> bool:
    answer = await peer.news(f"CHATHISTORY LATEST {target} * 9")
    failed = f"FAIL CHATHISTORY INVALID_TARGET LATEST {target} :Messages could not be retrieved"
    return answer == [f":chat.local {failed}"] or answer[0].endswith(failed)


async def test_only_members_may_read_what_was_said_in_a_room(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split(), rooms="#den")
    bob = await irc_peer(house, "bob", *CAPS.split())
    await alice.news("PRIVMSG #den :secret")
    assert await refused(bob, "#den")
    assert await refused(bob, "#nowhere")
    await bob.news("JOIN #den")
    assert texts(await recall(bob, "LATEST #den * 9")) == ["secret"]
    await alice.news("KICK #den bob")
    await bob.news()
    assert await refused(bob, "#den")
    await bob.news("JOIN #den", "PART #den")
    assert await refused(bob, "#den")


async def test_a_conversation_is_read_by_the_two_and_nobody_else(house: House) -> None:
    alice, bob, eve = await irc_people(house, "alice", "bob", "eve", caps=ALL)
    for peer in (alice, bob, eve):
        await peer.news()
    live = await alice.news("PRIVMSG bob :one", "NOTICE bob :two")
    live += await bob.news("PRIVMSG alice :three")
    live = [line for line in live if "bob :one" not in line or line in live[:1]]
    assert await recall(alice, "LATEST bob * 9") == await recall(bob, "LATEST alice * 9")
    assert texts(await recall(alice, "LATEST bob * 9")) == ["one", "two", "three"]
    assert await recall(eve, "LATEST alice * 9") == []
    assert await recall(alice, "LATEST eve * 9") == []


async def test_who_takes_a_nickname_reads_nothing_of_who_had_it(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=CAPS)
    await alice.news("PRIVMSG bob :secret")
    await bob.say("QUIT")
    await bob.rest()
    other = await irc_peer(house, "bob", *CAPS.split())
    assert await recall(other, "LATEST alice * 9") == []
    assert await recall(alice, "LATEST bob * 9") == []  # the conversation with who is bob now
    await other.news("NICK bobby")
    await alice.news()
    assert texts(await recall(alice, "LATEST bob * 9")) == ["secret"]


async def test_who_comes_again_reads_on(house: House) -> None:
    alice = await irc_peer(house, "alice", *CAPS.split(), secret=SECRET)
    bob = await irc_peer(house, "bob", *CAPS.split(), secret=OTHER)
    await alice.news("PRIVMSG bob :one")
    await bob.news("PRIVMSG alice :two")
    for peer in (alice, bob):
        await peer.say("QUIT")
        await peer.rest()
    again = await irc_peer(house, "alice", *CAPS.split(), secret=SECRET)
    assert texts(await recall(again, "LATEST bob * 9")) == ["one", "two"]
    stranger = await irc_peer(house, "bob", *CAPS.split())
    assert await recall(stranger, "LATEST alice * 9") == []


async def test_nobody_who_was_never_talked_with(house: House) -> None:
    alice, _ = await irc_people(house, "alice", "bob", caps=CAPS)
    for target in ("carol", "a,b", "~x,~y", "*", "#"):
        assert await refused(alice, target)
    assert await recall(alice, "LATEST bob * 9") == []


# ── TARGETS ────────────────────────────────────────────────────────────────────────────────────


async def targets(peer: IrcPeer, asked: str) -> list[str]:
    lines = inside(await peer.news(f"CHATHISTORY TARGETS {asked}"), "draft/chathistory-targets")
    found = read(lines)
    assert [(m.command, m.params[0]) for m in found] == [("CHATHISTORY", "TARGETS")] * len(found)
    return [" ".join(message.params[1:]) for message in found]


async def test_targets(house: House) -> None:
    alice = await irc_peer(house, "alice", *ALL.split(), rooms="#One,#two,#empty")
    bob = await irc_peer(house, "bob", *ALL.split(), rooms="#two,#other")
    carol = await house.connect("carol")
    await alice.news()
    said = await alice.news("PRIVMSG #two :x", "PRIVMSG #One :x", "PRIVMSG carol :x")
    await bob.news("PRIVMSG #other :x")
    said += await bob.news("PRIVMSG alice :x")
    await alice.news("TOPIC #two :it is of no matter what was not said")
    times = [message.tags["time"] for message in read(said)]
    names = [f"{name} {at}" for name, at in zip(("#two", "#One", "carol"), times, strict=False)]
    begin, end = "timestamp=1970-01-01T00:00:00.000Z", "timestamp=2200-01-01T00:00:00.000Z"
    at = [f"timestamp={time}" for time in times]
    assert [n.split()[0] for n in await targets(alice, f"{begin} {end} 9")] == [
        *("#two", "#One", "carol", "bob")
    ]
    assert await targets(alice, f"{begin} {end} 2") == names[:2]
    assert [n.split()[0] for n in await targets(alice, f"{end} {begin} 2")] == ["carol", "bob"]
    assert await targets(alice, f"{at[0]} {at[2]} 9") == names[1:2]
    assert await targets(alice, f"{at[2]} {at[0]} 9") == names[1:2]
    assert await targets(alice, f"{begin} {at[0]} 9") == []
    await carol.send(b"/nick caro\n")
    await carol.until("caro.\n")
    assert [n.split()[0] for n in await targets(alice, f"{begin} {end} 9")] == [
        *("#two", "#One", "caro", "bob")
    ]
    await carol.send(b"/quit\n")
    await carol.rest()
    assert "carol" in " ".join(await targets(alice, f"{begin} {end} 9"))


# ── what cannot be answered ────────────────────────────────────────────────────────────────────

STAMP = "timestamp=2023-11-14T22:13:20.123Z"
BAD = [
    ("", "INVALID_PARAMS * :Unknown command"),
    ("NONSENSE #lobby * 10", "INVALID_PARAMS NONSENSE :Unknown command"),
    (":a b", "INVALID_PARAMS a :Unknown command"),
    ("LATEST", "INVALID_PARAMS LATEST :Insufficient parameters"),
    ("LATEST #lobby", "INVALID_PARAMS LATEST :Insufficient parameters"),
    ("latest #lobby *", "INVALID_PARAMS latest :Insufficient parameters"),
    ("LATEST #lobby * 10 10", "INVALID_PARAMS LATEST :Too many parameters"),
    (f"BETWEEN #lobby {STAMP} 10", "INVALID_PARAMS BETWEEN :Insufficient parameters"),
    (f"TARGETS {STAMP} 10", "INVALID_PARAMS TARGETS :Insufficient parameters"),
    (f"TARGETS #lobby {STAMP} {STAMP} 9", "INVALID_PARAMS TARGETS :Too many parameters"),
    ("LATEST #lobby * 0", "INVALID_PARAMS LATEST 0 :Invalid limit"),
    ("LATEST #lobby * -1", "INVALID_PARAMS LATEST -1 :Invalid limit"),
    ("LATEST #lobby * ten", "INVALID_PARAMS LATEST ten :Invalid limit"),
    ("LATEST #lobby * :", "INVALID_PARAMS LATEST * :Invalid limit"),
    ("LATEST #lobby * ²", "INVALID_PARAMS LATEST ² :Invalid limit"),
    ("BEFORE #lobby * 10", "INVALID_PARAMS BEFORE * :Invalid message reference"),
    ("BEFORE #lobby 5 10", "INVALID_PARAMS BEFORE 5 :Invalid message reference"),
    ("BEFORE #lobby msgid= 10", "INVALID_PARAMS BEFORE msgid= :Invalid msgid"),
    ("BEFORE #lobby msgid=x 10", "INVALID_PARAMS BEFORE msgid=x :Invalid msgid"),
    ("BEFORE #lobby timestamp=x 10", "INVALID_PARAMS BEFORE timestamp=x :Invalid timestamp"),
    ("BEFORE #lobby seq=1 10", "INVALID_MSGREFTYPE BEFORE #lobby seq=1 :"),
    (f"TARGETS msgid=1 {STAMP} 10", "INVALID_MSGREFTYPE TARGETS * msgid=1 :"),
    ("LATEST #nowhere * 10", "INVALID_TARGET LATEST #nowhere :Messages could not be retrieved"),
    ("LATEST : * 10", "INVALID_PARAMS LATEST :Insufficient parameters"),
]


async def test_errors(house: House) -> None:
    alice = await irc_peer(house, "alice", "draft/chathistory")
    for asked, answer in BAD:
        [line] = await alice.news(f"CHATHISTORY {asked}")
        assert line.startswith(f":chat.local FAIL CHATHISTORY {answer}"), asked


@pytest.mark.parametrize("command", ["CHATHISTORY LATEST #lobby * 9", "MARKREAD #lobby",
                                     "SEARCH text=x"])  # fmt: skip
async def test_capabilities_must_be_negotiated(house: House, command: str) -> None:
    alice = await irc_peer(house, "alice")
    name = command.split()[0]
    assert await alice.news(command) == [f":chat.local 421 alice {name} :Unknown command"]


async def test_the_tokens_tell_what_there_is(house: House) -> None:
    peer = await irc_peer(house)
    lines = await peer.news("NICK alice", "USER a 0 * :A\r\nPING")
    tokens = " ".join(lines)
    assert f" CHATHISTORY={HISTORY_MAX} " in tokens
    assert " MSGREFTYPES=msgid,timestamp " in tokens


# ── MARKREAD ───────────────────────────────────────────────────────────────────────────────────

MARK = "MARKREAD #lobby timestamp=2020-01-01T00:00:00.001Z"
EARLIER = "MARKREAD #lobby timestamp=2020-01-01T00:00:00.000Z"


async def test_what_was_read_is_told_on_coming_in_before_the_names(house: House) -> None:
    alice = await irc_peer(house, "alice", "draft/read-marker", rooms="")
    told = await alice.news("JOIN #lobby")
    assert [line.split()[1] for line in told] == ["JOIN", "MARKREAD", "353", "366"]
    assert told[1] == ":chat.local MARKREAD #lobby *"
    assert await alice.news(MARK, EARLIER, "MARKREAD #LOBBY") == [
        f":chat.local {MARK}",
        f":chat.local {MARK}",
        f":chat.local {MARK.replace('#lobby', '#LOBBY')}",
    ]
    await alice.news("PART #lobby", "CAP REQ :no-implicit-names")
    assert [line.split(" ", 1)[1] for line in await alice.news("JOIN #lobby")][1:] == [MARK]


async def test_nobody_has_read_what_is_still_to_come(house: House) -> None:
    alice = await irc_peer(house, "alice", "draft/read-marker")
    [marked] = await alice.messages("MARKREAD bob timestamp=9999-01-01T00:00:00.000Z")
    assert "timestamp=2" in marked.params[1]


async def test_markers_are_ones_own(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps="draft/read-marker")
    await alice.news(MARK, "MARKREAD bob timestamp=2020-01-01T00:00:00.000Z")
    assert await bob.news("MARKREAD #lobby", "MARKREAD bob") == [
        ":chat.local MARKREAD #lobby *",
        ":chat.local MARKREAD bob *",
    ]


async def test_the_other_connections_of_one_person_are_told(house: House) -> None:
    caps = ("draft/read-marker", "server-time")
    alice = await irc_peer(house, "alice", *caps, secret=SECRET)
    phone = await irc_peer(house, "phone", "draft/read-marker", secret=SECRET)
    old = await irc_peer(house, "old", secret=SECRET)
    bob = await irc_peer(house, "bob", *caps, secret=OTHER)
    for peer in (alice, phone, old, bob):
        await peer.news()
    await alice.news(MARK)
    assert await phone.news() == [f":chat.local {MARK}"]
    assert await old.news() == await bob.news() == []
    await alice.say("QUIT")
    await alice.rest()
    again = await irc_peer(house, "alice", "draft/read-marker", secret=SECRET)
    assert await again.news("MARKREAD #lobby") == [f":chat.local {MARK}"]


async def test_what_somebody_unknown_has_read_goes_with_their_connection(house: House) -> None:
    alice = await irc_peer(house, "alice", "draft/read-marker")
    assert await alice.news(MARK, "MARKREAD #lobby") == [f":chat.local {MARK}"] * 2
    await alice.say("QUIT")
    await alice.rest()
    other = await irc_peer(house, "alice", "draft/read-marker")
    assert await other.news("MARKREAD #lobby") == [":chat.local MARKREAD #lobby *"]


BAD_MARKS = [
    ("", "NEED_MORE_PARAMS :Missing parameters"),
    (":", "NEED_MORE_PARAMS :Missing parameters"),
    ("#lobby *", "INVALID_PARAMS #lobby * :Invalid parameters"),
    ("#lobby :", "INVALID_PARAMS #lobby * :Invalid parameters"),
    ("#lobby 2020-01-01T00:00:00.000Z",
     "INVALID_PARAMS #lobby 2020-01-01T00:00:00.000Z :Invalid parameters"),
    ("#lobby timestamp=2020-13-01T00:00:00.000Z",
     "INVALID_PARAMS #lobby timestamp=2020-13-01T00:00:00.000Z :Invalid parameters"),
    ("#lobby timestamp=2020-01-01", "INVALID_PARAMS #lobby timestamp=2020-01-01 :"),
    ("a!b", "INVALID_PARAMS a!b :Invalid parameters"),
    ("# timestamp=2020-01-01T00:00:00.000Z", "INVALID_PARAMS # :Invalid parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "answer"), BAD_MARKS, ids=[asked for asked, _ in BAD_MARKS])
async def test_markers_that_make_no_sense(house: House, asked: str, answer: str) -> None:
    alice = await irc_peer(house, "alice", "draft/read-marker")
    [line] = await alice.news(f"MARKREAD {asked}")
    assert line.startswith(f":chat.local FAIL MARKREAD {answer}")


# ── SEARCH ─────────────────────────────────────────────────────────────────────────────────────

FINDING = f"{CAPS} soju.im/search echo-message labeled-response"


async def find(peer: IrcPeer, asked: str) -> list[str]:
    await peer.news()
    return inside(await peer.news(f"SEARCH {asked}"), "soju.im/search")


async def test_search(house: House) -> None:
    alice = await irc_peer(house, "alice", *FINDING.split(), rooms="#a,#b")
    bob = await irc_peer(house, "bob", *FINDING.split(), rooms="#a,#c")
    await alice.news()
    said = ["PRIVMSG #a :green tea", "PRIVMSG #c :tea in c", "PRIVMSG alice :Tea, too"]
    live = await bob.news(*said)
    await alice.news()
    live += await alice.news("PRIVMSG #b :black tea", "NOTICE #a :coffee", "PRIVMSG bob :coffee?")
    green, in_c, too, black, coffee, asked = live
    at = [parse(line).tags["time"] for line in live]  # type: ignore[union-attr]
    assert await find(alice, "text=tea") == [green, too, black]
    assert await find(bob, "text=tea") == [green, in_c, too]
    assert await find(alice, "text=tea;limit=1") == [black]
    assert await find(alice, "text=tea;in=#A") == [green]
    assert await find(alice, "text=tea;in=bob") == [too]
    assert await find(alice, "in=bob") == [too, asked]
    assert await find(alice, "text=tea;from=BOB") == [green, too]
    assert await find(alice, "from=bob") == [green, too]
    assert await find(alice, "from=bob;limit=1") == [too]
    assert await find(alice, f"after={at[2]};before={at[4]}") == [too, black, coffee]
    assert await find(alice, f"text=tea;after={at[2]}") == [too, black]
    assert await find(alice, f"text=tea;before={at[2]}") == [green, too]
    assert await find(alice, r"text=green\stea") == [green]
    assert await find(alice, ":text=green tea") == [green]
    assert await find(alice, "text=milk") == []
    assert await find(alice, "text=!!!") == []
    assert await find(alice, "text=tea;in=#b;from=bob") == []
    start, *_ = await alice.messages("@label=L SEARCH text=tea")
    assert (start.command, start.tags["label"]) == ("BATCH", "L")


async def test_nobody_finds_what_they_may_not_read(house: House) -> None:
    alice = await irc_peer(house, "alice", *FINDING.split(), rooms="#a")
    bob = await irc_peer(house, "bob", *FINDING.split(), rooms="#b")
    eve = await irc_peer(house, "eve", *FINDING.split(), rooms="#a,#b")
    await alice.news("PRIVMSG #a :needle", "PRIVMSG eve :needle", "PRIVMSG @#a :needle")
    assert await find(bob, "text=needle") == await find(bob, "from=alice") == []
    for target in ("#a", "#nowhere", "carol"):
        why = f"There is nothing in the history of {target} that you may read."
        [line] = await bob.news(f"SEARCH text=needle;in={target}")
        assert line.endswith(f" :chat.local FAIL SEARCH INVALID_PARAMS in :{why}")
    assert await find(bob, "text=needle;in=alice") == []
    assert len(await find(eve, "text=needle")) == 2
    await eve.news("PART #a")
    assert len(await find(eve, "text=needle")) == len(await find(eve, "from=alice")) == 1


async def test_search_finds_the_newest_by_somebody_far_back(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=FINDING)
    live = await alice.news(*(f"PRIVMSG #lobby :{n}" for n in range(150)))
    await bob.news(*(f"PRIVMSG #lobby :{n}" for n in range(1200)))
    assert await find(alice, "from=alice;limit=3") == live[-3:]
    assert await find(alice, "from=alice;limit=1000") == live[-100:]


BAD_SEARCHES = [
    ("", "There is nothing to search for"),
    (":", "There is nothing to search for"),
    ("text=x;color=red;size=1", "color size :Unknown attributes"),
    ("text=x;limit=0", "0 :Invalid limit"),
    ("text=x;limit=", "* :Invalid limit"),
    ("text=x;after=yesterday", "after :Invalid timestamp"),
    ("text=x;before=timestamp=2020-01-01T00:00:00.000Z", "before :Invalid timestamp"),
]


@pytest.mark.parametrize(("asked", "why"), BAD_SEARCHES, ids=[a for a, _ in BAD_SEARCHES])
async def test_searches_that_make_no_sense(house: House, asked: str, why: str) -> None:
    alice = await irc_peer(house, "alice", "soju.im/search")
    [line] = await alice.news(f"SEARCH {asked}")
    assert line.startswith(":chat.local FAIL SEARCH INVALID_PARAMS ")
    assert line.endswith(why)
