"""Whatever the devices of two people do at once: in the end all of a person's show the same."""

from dataclasses import dataclass, field

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st

from irc_peers import IrcPeer, irc_peer
from irc_peers import settings as server_settings
from peers import House, running
from sasl import by_plain
from trio_chat.protocols.irc.message import Message

PASSWORD = "correct-horse"
ROOMS = ["#a", "#b", "#c"]
OWNERS = ["al", "al", "al", "bo", "bo", "bo"]  # of the devices
CAPS = (
    "echo-message message-tags server-time batch draft/chathistory draft/read-marker multi-prefix"
)
MODES = ["+v al", "-v al", "+v bo", "-o bo"]
STAMP = "timestamp=2026-01-0{}T00:00:00.000Z"

LINES = st.one_of(
    st.builds("PRIVMSG {} :{}".format, st.sampled_from([*ROOMS, "al", "bo"]), st.integers(0, 99)),
    st.builds("{} {}".format, st.sampled_from(["JOIN", "JOIN", "PART"]), st.sampled_from(ROOMS)),
    st.builds("MODE {} {}".format, st.sampled_from(ROOMS), st.sampled_from(MODES)),
    st.builds("KICK {} {}".format, st.sampled_from(ROOMS), st.sampled_from(["al", "bo"])),
    st.builds("TOPIC {} :{}".format, st.sampled_from(ROOMS), st.integers(0, 9)),
    st.builds("MARKREAD {} {}".format, st.sampled_from(ROOMS), st.integers(1, 9).map(STAMP.format)),
    st.sampled_from(["NICK al", "NICK al_", "NICK bo", "NICK bo_", "QUIT"]),
)  # fmt: skip


@dataclass
class Device:
    """What a client of IRC knows: of each room its members' prefixes, topic, marker and texts."""

    peer: IrcPeer
    nick: str = ""
    members: dict[str, dict[str, str]] = field(default_factory=dict)
    topics: dict[str, str] = field(default_factory=dict)
    markers: dict[str, str] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)  # by msgid

    async def catch_up(self, *lines: str) -> None:
        for message in await self.peer.messages(*lines):
            self.hear(message)

    def hear(self, message: Message) -> None:
        who, params = message.source.partition("!")[0], message.params
        match message.command, params:
            case "001", (nick, *_):
                self.nick = nick
            case "JOIN", (room, *_) if who == self.nick:
                self.members[room] = {who: ""}
            case "JOIN", (room, *_) if room in self.members:
                self.members[room][who] = ""
            case "353", (_, _, room, names) if room in self.members:
                self.members[room] |= {
                    n.lstrip("@+"): n[: -len(n.lstrip("@+"))] for n in names.split()
                }
            case ("PART", (room, *_)) | ("KICK", (room, _, *_)) if room in self.members:
                # Who removes somebody as they leave is told of it from outside.
                gone = who if message.command == "PART" else params[1]
                self.members[room].pop(gone, None)
                if gone == self.nick:
                    del self.members[room]
                    self.topics.pop(room, None)
            case "QUIT", _:
                for members in self.members.values():
                    members.pop(who, None)
            case "NICK", (nick,):
                for members in self.members.values():
                    if who in members:
                        members[nick] = members.pop(who)
                self.nick = nick if who == self.nick else self.nick
            case "MODE", (room, letters, *names) if room in self.members:
                for (sign, letter), name in zip(signed(letters), names, strict=False):
                    self.mode(self.members[room], name, sign, {"o": "@", "v": "+"}[letter])
            case ("TOPIC", (room, topic)) | ("332", (_, room, topic)):
                self.topics[room] = topic
            case "MARKREAD", (target, marker):
                self.markers[target] = marker
            case "PRIVMSG", (target, text):
                where = target if target[0] == "#" else "private"
                self.texts.setdefault(where, {})[message.tags["msgid"]] = text

    @staticmethod
    def mode(members: dict[str, str], name: str, sign: str, prefix: str) -> None:
        if name not in members:  # they have left while it was on its way
            return
        has = members[name].replace(prefix, "")
        members[name] = "".join(sorted(has + prefix, key="@+".index)) if sign == "+" else has

    def state(self) -> object:
        rooms = {r: dict(sorted(members.items())) for r, members in sorted(self.members.items())}
        markers = {r: self.markers.get(r) for r in rooms}
        return self.nick, rooms, {r: t for r, t in self.topics.items() if r in rooms}, markers


def signed(letters: str) -> list[tuple[str, str]]:
    """The changes of a MODE line."""
    sign, found = "+", []
    for letter in letters:
        if letter in "+-":
            sign = letter
        else:
            found.append((sign, letter))
    return found


async def device(house: House, owner: str) -> Device:
    one = Device(await irc_peer(house, link=True))
    await one.peer.news("CAP REQ sasl", f"NICK {owner}")
    await by_plain(one.peer, owner, PASSWORD)
    await one.catch_up(f"CAP REQ :{CAPS}", "USER x 0 * :x", "CAP END")
    return one


async def at_once(house: House, script: list[tuple[int, str]], *, always_on: bool) -> None:
    for name in ("al", "bo"):
        first = await irc_peer(house, name, link=True, rooms="#a,#b")
        await first.news(f"REGISTER * * {PASSWORD}")
        if always_on:
            await first.news("NS SET ALWAYS-ON ON")
        await first.say("QUIT")
        await first.rest()
    devices = [await device(house, owner) for owner in OWNERS]
    await devices[0].catch_up("JOIN #a,#b")
    await devices[3].catch_up("JOIN #a,#b")
    gone = {number for number, line in script if line == "QUIT"}
    async with trio.open_nursery() as nursery:
        for number, one in enumerate(devices):
            lines = [line for by, line in script if by == number]
            nursery.start_soon(one.peer.say, *lines)
    here = [(number, one) for number, one in enumerate(devices) if number not in gone]
    for _ in range(2):  # what the last one to catch up has led to, all others have to hear
        for _, one in here:
            await one.catch_up()
    fresh = {owner: await device(house, owner) for owner in ("al", "bo")}
    for number, one in here:
        await one.catch_up()
        other = fresh[OWNERS[number]]
        await other.catch_up()
        assert one.state() == other.state()
        for room in other.members:
            compare(one.texts.get(room, {}), other.texts.get(room, {}))
    for owner in ("al", "bo"):
        private = [one.texts.get("private", {}) for n, one in here if OWNERS[n] == owner]
        assert all(one == private[0] for one in private)
    await come_back(house, [*[one for _, one in here], *fresh.values()], fresh)


async def come_back(house: House, here: list[Device], before: dict[str, Device]) -> None:
    """After all have gone, both are in the same rooms again."""
    for one in here:
        await one.peer.say("QUIT")
        await one.peer.rest()
    for owner, last in before.items():
        again = await device(house, owner)
        await again.catch_up()
        assert again.members.keys() == last.members.keys()


def compare(shown: dict[str, str], afresh: dict[str, str]) -> None:
    """What a device was shown as it was said is what one that comes later is shown of it."""
    since = min(afresh, default="~")
    assert {id: text for id, text in shown.items() if id >= since} == afresh


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(script=st.lists(st.tuples(st.integers(0, 5), LINES), max_size=25), always_on=st.booleans())
def test_all_devices_of_a_person_agree(script: list[tuple[int, str]], always_on: bool) -> None:
    async def run() -> None:
        chosen = server_settings(
            limits={"message_burst": 1000, "messages_per_second": 1000},
            history={"replay": 100},
        )
        async with running(chosen) as house:
            await at_once(house, script, always_on=always_on)

    trio.run(run, clock=trio.testing.MockClock(rate=1))
