"""Nothing that an IRC client sends hurts anybody: not the server, not others, not even itself."""

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from irc_peers import IrcPeer, cheap_hash, irc_peer, settings
from peers import House, running
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.protocols.irc.verbs import VERBS
from trio_chat.server import credentials

UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
OPERATORS = {"operators": f"root={cheap_hash('secret')}"}


class Watched(House):
    """With a bystander in a room that nobody else knows of. Hypothesis would find a name that is
    written here.
    """

    bystander: IrcPeer

    async def client(self, stage: str) -> IrcPeer:
        """Before registration; or after it; or as an operator of the server."""
        if stage == "before":
            peer = await irc_peer(self)
            await peer.say("NICK :")  # or it would not be taken for an IRC client
            return peer
        peer = await irc_peer(self, "mallory", *CAPS, rooms="#a,#b")
        if stage == "operator":
            assert "MODE mallory +o" in "".join(await peer.news("OPER root secret"))
        return peer


@pytest.fixture
async def house(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    """Afterwards no fault has been logged, and the bystander has seen nothing. Passwords may be
    wrong as often as one likes.
    """
    monkeypatch.setattr(credentials, "_WRONG_PASSWORDS", 1_000_000)
    async with running(settings(limits=UNLIMITED, irc=OPERATORS)) as running_house:
        watched = Watched(running_house.server)
        watched.peers = running_house.peers
        watched.bystander = await irc_peer(watched, "bystander", *CAPS, rooms=f"#{uuid4().hex}")
        yield watched
        assert await watched.bystander.news() == []
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


def good(line: str) -> Message:
    """A line as it may be sent, read."""
    tags, _, body = line.partition(" ") if line.startswith("@") else ("", "", line)
    assert len(body.encode()) <= 510, line
    assert len(tags.encode()) < 8191, line
    assert not {*"\r\n\0"} & {*line}, line
    message = parse(line)
    assert message is not None, line
    assert message.command.isalnum(), line
    return message


async def answers(peer: IrcPeer, lines: Sequence[bytes]) -> None:
    """Send all of it, each line with a PING behind it; every answer is a good line."""
    await peer.say(*(line + b"\r\nPING after-%d" % n for n, line in enumerate(lines)))
    received = await peer.until(f":after-{len(lines) - 1}\r\n")
    messages = [good(line) for line in received.split("\r\n")[:-1]]
    pongs = [m.params[1] for m in messages if m.command == "PONG" and "after-" in m.params[1]]
    assert pongs == [f"after-{n}" for n in range(len(lines))]


# ── each command, with parameters as nobody expects them ───────────────────────────────────────

WORDS = [
    b"#a", b"mallory", b"nobody", b"*", b"0", b"+b", b"-k", b"%", b"a,b,,c", b"#a,#a,#c,", b"@#a",
    b"+@#a", b"#", b"$", b"L", b"+", b"302", b"99999999999999999999", b"\x01", "ä漢👩".encode(),
    b"msgid=1700000000000-000000", b"timestamp=2023-11-14T22:13:20.123Z", b"LATEST", b"TARGETS",
    b"timestamp=0000-00-00T00:00:00.000Z", b"text=a;from=;in=#a;limit=5", b"after=x;text=\\",
    b"\xff\xfe", b"a\rb", b"a\0b", b"%tcuihsnfdlaor,1", b"u<1", b"C>0", b"T<", b"#\xcc\x80",
]  # fmt: skip
LISTS = [
    b"",
    b" ",
    b" :",
    b" : ",
    b" ::",
    b" : a b ",
    b" a" * 30,
    b" " * 100 + b"x",
    b" #a" + b" " + b"x" * 480,
    b" #a +" + b"bklov" * 40 + b" x" * 100,
    b" #a +bbb-k+l x y :z z",
    b" #a +k-b :x y",
    b" mallory +" + b"iwBo" * 50,
    b" + " + b",".join(b"nick%d" % n for n in range(60)),
    b" #a," + b",".join(b"#%d" % n for n in range(90)),
    b" #a :" + "漢".encode() * 160,
    b" :" + "👩".encode() * 120,
    b" " + b"#" * 500,
    b" #a mallory,mallory,nobody,mallory,x,y :" + b"x" * 300,
    *(b" AROUND #a " + word + b" 3" for word in WORDS),
    *(b" BETWEEN mallory " + word + b" " + word + b" 99999999999999999999" for word in WORDS),
    *(b" TARGETS timestamp=9999-12-31T23:59:60.999Z " + word + b" 3" for word in WORDS),
    *(b' text="a;limit=' + word for word in WORDS),
    *(b" " + word for word in WORDS),
    *(b" #a " + word for word in WORDS),
    *(b" mallory :" + word for word in WORDS),
    *(b" " + word + b" x 0 :" + word for word in WORDS),
]


# What operators of the server do with these, others see and feel.
MODERATING = {"KILL", "UBAN", "KLINE", "DLINE", "LOCK"}


@pytest.mark.parametrize(
    ("stage", "verb"),
    [
        pytest.param(stage, verb, marks=[pytest.mark.slow] if stage != "after" else [])
        for stage in ("before", "after", "operator")
        for verb in sorted(VERBS.keys() - {"QUIT"} - (MODERATING if stage == "operator" else set()))
    ],
)
async def test_commands_with_parameters_that_nobody_expects(
    house: Watched, verb: str, stage: str
) -> None:
    peer = await house.client(stage)
    begin = verb.encode()
    limit = 510 - len(begin)
    lines = [begin + rest[:limit] for rest in LISTS]
    lines += [begin + b" #a :" + b"x" * (limit - 5), begin + b" " + b"x" * (limit - 1)]
    lines += [begin + b" " + b"x" * limit, begin + b" #a :" + b"x" * 9000]
    lines += [b"@label=%d;+x=%s %s %s" % (n, w, begin, w) for n, w in enumerate(WORDS)]
    lines += [b"@+x=" + b"\\" * 4090 + b" " + begin + b" #a :x", b"@" + b"t;" * 2047 + b" " + begin]
    lines += [b"@" + b"t" * 4095 + b" " + begin, b":source " + begin + b" #a x y z"]
    await answers(peer, lines)


@pytest.mark.parametrize("why", [b"", b" :", b" " + b"x" * 505, b" :a\rb", b" x y"])
@pytest.mark.parametrize("stage", ["before", "after"])
async def test_the_ways_to_go(house: Watched, stage: str, why: bytes) -> None:
    """Each has a last line, and others in the room hear of it in one."""
    witness = await irc_peer(house, "witness", rooms="#a")
    peer = await house.client(stage)
    await witness.news()
    await peer.say(b"QUIT" + why)
    *_, error, end = (await peer.rest()).split("\r\n")
    assert (good(error).command, end) == ("ERROR", "")
    if stage == "after":
        departed = good((await witness.until("\r\n")).removesuffix("\r\n"))
        assert (departed.command, departed.nick) == ("QUIT", "mallory")
    assert await witness.news() == []


async def test_kill_with_parameters_that_nobody_expects(house: Watched) -> None:
    peer = await house.client("operator")
    await answers(peer, [b"KILL" + rest.replace(b"mallory", b"nobody")[:506] for rest in LISTS])


@pytest.mark.parametrize("verb", sorted(MODERATING - {"KILL"}))
async def test_moderation_with_parameters_that_nobody_expects(
    caplog: pytest.LogCaptureFixture, verb: str
) -> None:
    """It hits others, and never the operator. What was set can be lifted."""
    async with running(settings(limits=UNLIMITED, irc=OPERATORS)) as house:
        peer = await Watched.client(house, "operator")  # type: ignore[arg-type]
        begins = [verb.encode(), *([b"UBAN ADD"] if verb == "UBAN" else [])]
        await answers(
            peer, [begin + rest[: 510 - len(begin)] for begin in begins for rest in LISTS]
        )
        await answers(peer, [b"LOCK OFF", *(b"UBAN DEL %d" % number for number in range(1, 500))])
        [none] = await peer.messages("UBAN LIST")
        assert none.params[1:] == ("*", "End of server ban list")
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("why", [b"x", b":", b":a b", b"x" * 490, ":漢".encode() * 100, b":\r"])
@pytest.mark.parametrize("victim", [b"victim", b"mallory"])
async def test_the_last_words_to_who_is_killed(house: Watched, victim: bytes, why: bytes) -> None:
    """Operators may hit themselves."""
    other = await irc_peer(house, "victim", rooms="#a")
    peer = await house.client("operator")
    await other.news()
    await peer.say(b"KILL %s %s" % (victim, why))
    *lines, end = (await (other if victim == b"victim" else peer).rest()).split("\r\n")
    assert ([good(line).command for line in lines][-1], end) == ("ERROR", "")
    left = peer if victim == b"victim" else other
    seen = map(good, (await left.until(" QUIT ") + await left.until("\r\n")).split("\r\n")[:-1])
    [departed] = [line for line in seen if line.command != "NOTICE"]
    assert (departed.command, departed.nick) == ("QUIT", victim.decode())


# ── anything ───────────────────────────────────────────────────────────────────────────────────

words = st.sampled_from(WORDS) | st.binary(max_size=20)
commands = st.sampled_from(sorted(VERBS.keys() - {"QUIT"} - MODERATING)).map(str.encode)
sensible = st.builds(
    lambda tags, command, params, last: (
        tags + b" ".join([command, *params]) + (b" :" + last if last is not None else b"")
    ),
    st.sampled_from(
        [
            b"",
            b"@label=x ",
            b"@+trio-chat/id=0123456789abcdef;label=y ",
            b"@+typing=active ",
            b"@a;b=;c=\\s\\",
            b":x!y@z ",
            b"@ ",
        ]
    ),
    commands,
    st.lists(words, max_size=4),
    st.none() | words | st.binary(max_size=200),
)
lines = (sensible | st.binary(max_size=80)).map(lambda line: line.replace(b"\n", b""))
_GOING = (b"QUIT", b"WEBIRC", b"PROXY", *map(str.encode, MODERATING))


def made(count: int, batch: int = 25) -> list[list[bytes]]:
    """So many lines in batches, as hypothesis makes them."""
    batches: list[list[bytes]] = []

    @hypothesis_settings(
        max_examples=count // batch,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(lines, min_size=batch, max_size=batch))
    def collect(some: list[bytes]) -> None:
        batches.append([line for line in some if not any(w in line.upper() for w in _GOING)])

    collect()
    return batches


@pytest.mark.slow
async def test_thousands_of_lines(house: Watched) -> None:
    peers = [await house.client(stage) for stage in ("before", "operator")]
    batches = made(3000)
    assert sum(map(len, batches)) > 2500
    for n, batch in enumerate(batches):
        if n % 20 == 0:  # the last one has been let in by now
            peers[0] = await house.client("before")
        await answers(peers[n % 2], batch)
