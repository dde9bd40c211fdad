"""What many ask for at the same time: each is judged by what the others have changed."""

import trio

from irc_peers import IrcPeer, irc_peer, irc_people, settings
from peers import running


async def all_say(peers: list[IrcPeer], *lines: str) -> list[list[str]]:
    """Each says one of the lines, or all the only one, before any of them hears anything; what each
    hears until that has been dealt with."""
    said = lines if len(lines) > 1 else lines * len(peers)
    for peer, line in zip(peers, said, strict=True):
        await peer.say(line)
    heard: dict[int, list[str]] = {}

    async def listen(index: int, peer: IrcPeer) -> None:
        heard[index] = await peer.news()

    async with trio.open_nursery() as nursery:
        for index, peer in enumerate(peers):
            nursery.start_soon(listen, index, peer)
    return [heard[index] for index in range(len(peers))]


async def names(peer: IrcPeer, room: str) -> list[str]:
    return [
        name
        for line in await peer.news(f"NAMES {room}")
        if " 353 " in line
        for name in line.split(" :")[1].split()
    ]


async def test_a_room_never_holds_more_than_its_limit():
    async with running(settings()) as house:
        [op, *crowd] = await irc_people(house, "op", *(f"c{number}" for number in range(20)))
        await op.news("JOIN #few", "MODE #few +l 3")
        answers = await all_say(crowd, "JOIN #few")
        assert len(await names(op, "#few")) == 3
        assert sum(any(" 471 " in line for line in lines) for lines in answers) == 18
        # Whoever leaves makes room for exactly one, a second time as well.
        inside = [peer for peer, lines in zip(crowd, answers, strict=True)
                  if not any(" 471 " in line for line in lines)]  # fmt: skip
        await inside[0].news("PART #few")
        await all_say([peer for peer in crowd if peer not in inside], "JOIN #few")
        assert len(await names(op, "#few")) == 3


async def test_a_room_is_shut_for_those_on_their_way():
    async with running(settings()) as house:
        op, eve, ann, bob = await irc_people(house, "op", "eve", "ann", "bob")
        await op.news("JOIN #den")
        answers = await all_say(
            [op, eve, ann, bob], "MODE #den +i", "JOIN #den", "JOIN #den", "JOIN #den"
        )
        log = [line for line in answers[0] if line.startswith(":") and "#den" in line]
        shut = next(index for index, line in enumerate(log) if " MODE #den +i" in line)
        assert not any(" JOIN " in line for line in log[shut:])


async def test_a_list_holds_what_it_may_and_no_more():
    async with running(settings()) as house:
        one, other = await irc_people(house, "one", "other")
        await one.news("JOIN #den")
        await other.news("JOIN #den")
        await one.news("MODE #den +o other")
        for first in range(0, 99, 11):
            masks = [f"n{number}" for number in range(first, first + 11)]
            await one.news(f"MODE #den +{'b' * 11} {' '.join(masks)}")
        answers = await all_say([one, other], "MODE #den +bb x y", "MODE #den +bb z w")
        assert sum(line.count(" 478 ") for lines in answers for line in lines) == 3
        assert len([line for line in await one.news("MODE #den b") if " 367 " in line]) == 100


async def test_of_two_keys_one_is_the_last():
    async with running(settings()) as house:
        one, other, eve = await irc_people(house, "one", "other", "eve")
        await one.news("JOIN #den")
        await other.news("JOIN #den")
        await one.news("MODE #den +o other")
        [_, lines] = await all_say([one, other], "MODE #den +k first", "MODE #den +k second")
        lines += await other.news()  # what the first has set may have come after their own
        last = [line.split()[-1] for line in lines if " MODE #den +k " in line][-1]
        assert any(" JOIN " in line for line in await eve.news(f"JOIN #den {last}"))


async def test_who_was_sent_out_says_nothing_afterwards():
    async with running(settings()) as house:
        op, eve = await irc_people(house, "op", "eve")
        await op.news("JOIN #den")
        await eve.news("JOIN #den")
        await op.news()
        heard, _ = await all_say([op, eve], "KICK #den eve", "PRIVMSG #den :hello")
        kicked = next(index for index, line in enumerate(heard) if " KICK " in line)
        assert not any(" PRIVMSG " in line for line in heard[kicked:])


async def test_of_many_who_come_first_one_leads():
    async with running(settings()) as house:
        crowd = await irc_people(house, *(f"c{number}" for number in range(10)))
        await all_say(crowd, "JOIN #new")
        found = await names(crowd[0], "#new")
        assert len(found) == 10
        assert len([name for name in found if name.startswith("@")]) == 1


async def test_a_nickname_goes_to_one_of_those_who_want_it():
    async with running(settings()) as house:
        crowd = await irc_people(house, *(f"c{number}" for number in range(10)))
        heard = await all_say(crowd, "NICK Bob")
        assert sum(any(" 433 " in line for line in lines) for lines in heard) == 9
        eve = await irc_peer(house, "eve")
        assert any(" 311 eve Bob " in line for line in await eve.news("WHOIS bob"))


async def test_nicknames_that_look_alike_are_one():
    async with running(settings()) as house:
        crowd = await irc_people(house, *(f"c{number}" for number in range(5)))
        heard = await all_say(
            crowd, "NICK alice", "NICK aIice", "NICK a1ice", "NICK ɑlice", "NICK ᴀlice"
        )
        assert sum(any(" 433 " in line for line in lines) for lines in heard) == 4
        winner = next(
            peer for peer, lines in zip(crowd, heard, strict=True)
            if not any(" 433 " in line for line in lines)
        )  # fmt: skip
        assert any(" NICK " in line for line in await winner.news("NICK Alice"))  # their own
        await winner.news("NICK bob")
        others = [peer for peer in crowd if peer is not winner]
        assert any(" NICK " in line for line in await others[0].news("NICK aIice"))


async def test_names_that_speak_for_the_server_are_nobodys():
    async with running(settings()) as house:
        [eve] = await irc_people(house, "eve")
        for nick in ("NickServ", "servıces", "ADMIN", "trio-chat", "trlo-chat"):
            found = any(" 433 " in line for line in await eve.news(f"NICK {nick}"))
            assert found is (nick != "trlo-chat")
