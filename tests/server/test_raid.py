"""A raid: guests flood from many networks; one lock and three bans, and members talk on."""

import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from certificates import issue, trusting
from clocks import Clock
from irc_peers import IrcPeer, settings
from peers import PATIENCE, House, running
from stores import memory_log
from trio_chat.server.transport import Link

PROXY, HOME, ELSEWHERE, OUT = "192.0.2.1", "198.51.100.7", "203.0.113.9", "198.18.99.1"
MEMBERS = ("alice", "bob", "carol", "dave", "erin")
PASSWORD = "correct-horse"

# Four raiders come from each of fifty networks; the bans are about 41 of these.
NETWORKS = [
    *(f"198.18.{n}" for n in range(20)),
    *(f"198.19.{n}" for n in range(20)),
    *(f"100.{64 + n}.0" for n in range(10)),
]
BANS = ("198.18.0.0/16", "198.19.0.0/16", "100.64.0.0/24")
BANNED = 164

RAID = "PRIVMSG #lobby :RAID"
LINES = 5  # of each raider in a flood
IS_LOCKED = "This chat is locked until 2023-11-14 22:24 UTC (raid): only people with an account"
IS_BANNED = "You are banned from this chat until 2023-11-14 23:14 UTC (raid), ban 1."


@pytest.mark.slow
async def test_one_lock_and_three_bans_end_a_raid(tmp_path: Path, mock_clock: MockClock) -> None:
    mock_clock.rate = 1
    async with raided(tmp_path) as raid:
        op = await raid.come_home("boss")
        await op.news("OPER boss sesame")
        await raid.flood("before", let_through=1000)
        await lock_while_they_flood(raid, op)
        told = await raid.flood("locked", let_through=0)
        assert all(lines.count(f"{IS_LOCKED} may speak.") == LINES for lines in told)
        await ban_most(raid, op)
        await raid.flood("locked and banned", let_through=0)
        await let_in_members_alone(raid)
        await end_by_themselves(raid, op, mock_clock)


async def lock_while_they_flood(raid: "Raid", op: "Member") -> None:
    """When the lock comes, of each raider no more than what is under way still comes after it."""
    over = trio.Event()

    async def go_on(raider: Raider) -> None:
        while not over.is_set():
            await raider.ask(RAID)

    async with trio.open_nursery() as nursery:
        for raider in raid.raiders:
            nursery.start_soon(go_on, raider)
        op.heard.clear()
        while len(op.of_raiders()) < 500:
            await op.news()
        await op.news("LOCK 10m raid")
        over.set()
    await raid.talk()
    for member in raid.members:
        [lock] = [at for at, line in enumerate(member.heard) if ":boss locked this chat" in line]
        after = [line for line in member.heard[lock:] if RAID in line]
        assert len(after) == len({*after})


async def ban_most(raid: "Raid", op: "Member") -> None:
    """The operator is told whom the bans hit, and those are disconnected."""
    op.heard.clear()
    for network in BANS:
        await op.news(f"UBAN ADD {network} DURATION 1h raid")
    hits = [line.partition(" It hits ")[2].split() for line in op.heard if " It hits " in line]
    assert [int(number) for number, *_ in hits] == [80, 80, 4]
    banned, raid.raiders = raid.raiders[:BANNED], raid.raiders[BANNED:]
    for raider in banned:
        assert "You are banned from this chat until 2023-11-14 23:14 UTC (raid)" in (
            await raider.rest()
        )


async def let_in_members_alone(raid: "Raid") -> None:
    assert f"{IS_LOCKED} are let in." in await raid.come("guest", ELSEWHERE).rest()
    assert IS_BANNED in await raid.come("again", OUT).rest()
    erin = raid.members.pop()
    await erin.peer.say("QUIT")
    await erin.peer.rest()
    await raid.talk()
    raid.members.append(await raid.come_home("erin", f"PASS erin:{PASSWORD}"))
    await raid.talk()


async def end_by_themselves(raid: "Raid", op: "Member", clock: MockClock) -> None:
    clock.jump(601)
    await op.peer.until(":This chat is open again.")
    await raid.flood("open again", let_through=180)
    await op.news("LOCK")
    await raid.flood("locked again", let_through=0)
    await op.news("LOCK OFF")
    await raid.flood("opened", let_through=180)
    assert " 001 guest " in await raid.come("guest", ELSEWHERE).ask()
    assert IS_BANNED in await raid.come("again", OUT).rest()
    clock.jump(3000)
    await op.peer.until(":Ban 3 has expired: network 100.64.0.0/24.")
    assert " 001 again " in await raid.come("again", OUT).ask()


class Raider(Link):
    """The server's end of a raider's link, which no socket is behind."""

    def __init__(self, source: str) -> None:
        self.peer, self.write_now = PROXY, self._keep
        self._told, self._answered, self._closed = bytearray(), trio.Event(), trio.Event()
        self._sent, self._fed = header(source).encode(), trio.Event()

    def send(self, *lines: str) -> None:
        self._sent += "".join(f"{line}\r\n" for line in lines).encode()
        self._fed.set()

    async def ask(self, *lines: str) -> str:
        """Say something; returns all that is new, up to the answer to a PING."""
        self._answered = trio.Event()
        self.send(*lines, "PING raid")
        with trio.fail_after(PATIENCE):
            await self._answered.wait()
        return self._take()

    async def rest(self) -> str:
        """What it is told until the server closes."""
        with trio.fail_after(PATIENCE):
            await self._closed.wait()
        return self._take()

    def _take(self) -> str:
        told, self._told = self._told.decode(), bytearray()
        return told

    def _keep(self, data: bytes) -> int:
        self._told += data
        if b"PONG chat.local :raid\r\n" in data:
            self._answered.set()
        return len(data)

    async def send_all(self, data: bytes) -> None:
        self._keep(data)
        await trio.lowlevel.checkpoint()

    def readable(self) -> Awaitable[None]:
        return self._fed.wait()

    def wake(self) -> None:
        self._fed.set()

    def receive_now(self) -> bytes | None:
        data, self._sent, self._fed = self._sent, b"", trio.Event()
        return data or None

    async def finish(self) -> None:
        await trio.lowlevel.checkpoint()

    async def aclose(self) -> None:
        self._closed.set()
        await trio.lowlevel.checkpoint()


class Member:
    """Somebody who comes over TLS, and all lines that they have heard."""

    def __init__(self, peer: IrcPeer) -> None:
        self.peer = peer
        self.heard: list[str] = []

    async def news(self, *lines: str) -> None:
        self.heard += await self.peer.news(*lines)

    def of_raiders(self) -> list[str]:
        return [line for line in self.heard if RAID in line]


class Raid:
    """The server's lobby: five members, two hundred raiders, and who else comes."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.members: list[Member] = []
        self.raiders: list[Raider] = []

    def come(self, nick: str, source: str) -> Raider:
        """A guest, who is not waited for."""
        guest = Raider(source)
        self.house.server.take(guest)
        guest.send(*hello(nick))
        return guest

    async def come_home(self, nick: str, *first: str) -> Member:
        """Somebody over TLS, who may say a password."""
        raw = await self.house.link(address=PROXY)
        await raw.send(header(HOME).encode())
        stream = trio.SSLStream(raw.stream, trusting(), server_hostname="localhost")
        peer = IrcPeer(stream)  # type: ignore[arg-type]
        await peer.say(*first, *hello(nick))
        await peer.until(" 366 ")
        return Member(peer)

    async def flood(self, when: str, *, let_through: int) -> list[str]:
        """Let all raiders flood, and members talk on; returns what each raider is told."""
        for member in self.members:
            member.heard.clear()
        began = time.process_time()
        told = await ask(self.raiders, *[RAID] * LINES)
        cpu = time.process_time() - began
        await self.talk()
        heard = [len(member.of_raiders()) for member in self.members]
        assert heard == [let_through] * 5
        said = len(self.raiders) * LINES
        print(f"{when}: {let_through:,} of {said:,} lines let through, {cpu * 1e3:.0f} ms of CPU")
        return told

    async def talk(self) -> None:
        """Let each member say something, which all others hear."""
        said = f"PRIVMSG #lobby :message at {trio.current_time()}"
        for member in self.members:
            await member.news(said)
        for member in self.members:
            await member.news()
            heard = [line for line in member.heard if said in line]
            assert len(heard) == len(self.members) - 1


async def ask(raiders: Sequence[Raider], *lines: str) -> list[str]:
    """All say the same at once; returns what each is told."""
    told = []

    async def say(raider: Raider) -> None:
        told.append(await raider.ask(*lines))

    async with trio.open_nursery() as nursery:
        for raider in raiders:
            nursery.start_soon(say, raider)
    return told


def header(source: str) -> str:
    return f"PROXY TCP4 {source} 192.0.2.1 40000 443\r\n"


def hello(nick: str) -> tuple[str, str, str]:
    return f"NICK {nick}", f"USER {nick} 0 * :{nick}", "JOIN #lobby"


@asynccontextmanager
async def raided(tmp_path: Path) -> AsyncIterator[Raid]:
    """A server behind a proxy, open to guests, in whose lobby all of them are."""
    chosen = settings(
        accounts={"guests": "open", "registration": "open"},
        server={"proxies": PROXY},
        tls={**issue(tmp_path / "tls").settings, "clear": "anyone"},
        limits={"ping": 7200},
    )
    clock = Clock()
    async with memory_log(clock, tmp_path) as log, running(chosen, log, clock=clock) as house:
        raid = Raid(house)
        for nick in MEMBERS:
            raid.members.append(member := await raid.come_home(nick))
            await member.peer.say(f"NS REGISTER {PASSWORD}")
            await member.peer.until("You are now logged in")
        for number in range(4 * len(NETWORKS)):
            source = f"{NETWORKS[number // 4]}.{number % 4 + 1}"
            raid.raiders.append(raid.come(f"r{number}", source))
        await ask(raid.raiders)
        yield raid
