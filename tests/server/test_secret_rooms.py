"""A room with +s is for outsiders as if it were not there, whatever they ask."""

import re
from collections.abc import Iterator, Sequence

import pytest

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, running
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.protocols.irc.verbs import VERBS

UNLIMITED = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}

# Who enters a room that is not there makes it; and a wrong password, or the end, ends it all.
NOT_ASKED = {"JOIN", "OPER", "PASS", "QUIT"}

FORMS = [
    "{verb} {room}",
    "{verb} @{room}",
    "{verb} {room} bob",
    "{verb} bob {room}",
    "{verb} {room} :some text",
    "{verb} @{room} :some text",
    "{verb} {room} bob :why",
    "{verb} {room},#open bob,bob :why",
    "{verb} {room} +o bob",
    "{verb} {room} +b",
    "{verb} {room} b",
    "{verb} {room} %tcnuhs,1",
    "{verb} + {room}",
    "@+x=y {verb} {room}",
]

MORE = [
    "CHATHISTORY LATEST {room} * 5",
    "CHATHISTORY BEFORE {room} timestamp=2030-01-01T00:00:00.000Z 5",
    "SEARCH in={room};text=hidden",
    "SEARCH text=hidden",
    "MARKREAD {room} timestamp=2020-01-01T00:00:00.000Z",
    "PRIVMSG #open,{room} :x",
    "LIST >0",
    "NAMES #open,{room}",
    "KNOCK {room}",
    "BATCH +1 draft/multiline {room}\r\n@batch=1 PRIVMSG {room} :a\r\nBATCH -1",
]


def lines() -> Iterator[str]:
    for verb in sorted(VERBS.keys() - NOT_ASKED):
        for form in FORMS:
            yield form.replace("{verb}", verb)
    yield from MORE


async def answers(peer: IrcPeer, line: str, room: str) -> Sequence[str]:
    """Without tags, and without what is another each time; and as if it were about #room."""
    await peer.news("JOIN #open")  # the line before may have left it
    heard = await peer.news(line.replace("{room}", room))
    read = [message for text in heard if (message := parse(text))]
    return [_text(message).replace(room, "#room") for message in read]


def _text(message: Message) -> str:
    params = () if message.command in ("317", "391") else message.params
    return re.sub(r"^BATCH ([+-])b\d+", r"BATCH \1b", " ".join([message.command, *params]))


async def rooms(house: House, modes: str) -> None:
    """bob in #open and #Secret, who has said something there; not #secret, as others spell it."""
    bob = await irc_peer(house, "bob", rooms="#open,#Secret")
    await bob.news(f"MODE #Secret {modes}", "PRIVMSG #Secret :hidden", "TOPIC #Secret :hidden")


@pytest.mark.parametrize(
    "modes", ["+s-n", *(pytest.param(m, marks=pytest.mark.slow) for m in ("+smi", "+sb-n *!*@*"))]
)
async def test_whatever_is_asked_of_it_is_answered_as_if_it_were_not_there(modes: str) -> None:
    async with running(settings(limits=UNLIMITED)) as house:
        await rooms(house, modes)
        alice = await irc_peer(house, "alice", *CAPS, rooms="#open")
        for line in lines():
            secret, none = [await answers(alice, line, room) for room in ("#secret", "#absent")]
            assert secret == none, line


async def test_plain_people_see_no_difference_either() -> None:
    async with running(settings(limits=UNLIMITED)) as house:
        await rooms(house, "+s")
        carol = await house.connect("carol")
        for form in ("/rooms", "/search hidden in:{}", "/search in:{}", "/msg {} hi", "/who {}"):
            heard = []
            for room in ("#secret", "#absent"):
                await carol.send(f"{form.format(room)}\n/me asked\n".encode())
                heard.append((await carol.until("* carol asked\n")).replace(room, "#room"))
            assert heard[0] == heard[1], form
