"""Bans of rooms on a running server: in both dialects, and until their time is up."""

import re
from collections.abc import AsyncIterator

import pytest

from irc_peers import IrcPeer, irc_peer, settings
from peers import House, Peer, running
from trio_chat.settings import Settings


def chosen(**sections: dict[str, object]) -> Settings:
    accounts = {"guests": "open", "registration": "open"}
    return settings(accounts=accounts, **sections)  # type: ignore[arg-type]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(chosen(tls={"clear": "anyone"})) as it:
        yield it


async def come(house: House, nick: str, address: str = "unix", room: str = "#tea") -> IrcPeer:
    return await irc_peer(house, nick, rooms=room, address=address)


def undated(lines: list[str]) -> list[str]:
    """Without the moments at which bans end."""
    return [re.sub(r" until 20\d\d-\d\d-\d\d \d\d:\d\d UTC", " until then", line) for line in lines]


async def plain(house: House, nick: str, address: str = "unix") -> Peer:
    """Somebody on plain, in #tea."""
    peer = await house.link(nick, address)
    await peer.send(b"/join #tea\n")
    await peer.until("/help for more.\n")
    return peer


# ── commands ───────────────────────────────────────────────────────────────────────────────────


async def test_on_irc_somebody_is_banned_for_some_time_with_a_reason(house: House) -> None:
    al = await come(house, "al")
    bob = await come(house, "bob", "192.0.2.1")
    await al.news()
    assert undated(await al.news("BAN #tea bob 2h :no more spam")) == [
        ":al!al@unix MODE #tea +b *!*@192.0.2.1",
        ":chat.local NOTICE #tea :al banned *!*@192.0.2.1 (bob) until then (no more spam).",
        ":al!al@unix KICK #tea bob :no more spam",
    ]
    *_, kicked, told = await bob.news()
    assert kicked == ":al!al@unix KICK #tea bob :no more spam"
    banned = told.partition(" :")[2]
    assert banned.startswith("You are banned from #tea until 20")
    assert banned.endswith(" UTC (no more spam). Ask its operators.")
    assert await bob.news("JOIN #tea") == [f":chat.local 474 bob #tea :{banned}"]
    [listed] = await al.news("BANS #tea")
    assert listed.startswith(":chat.local NOTICE al :Ban 1: *!*@192.0.2.1 (bob) may not come in ")
    assert listed.endswith(", by al: no more spam")
    [entry, _] = await al.news("MODE #tea b")
    assert entry.startswith(":chat.local 367 al #tea *!*@192.0.2.1 al ")
    assert await al.news("UNBAN #tea 1") == [":al!al@unix MODE #tea -b *!*@192.0.2.1"]
    assert await al.news("BANS #tea") == [":chat.local NOTICE al :#tea has no bans."]
    assert any(" JOIN " in line for line in await bob.news("JOIN #tea"))


async def test_on_irc_somebody_is_muted(house: House) -> None:
    al, bob = await come(house, "al"), await come(house, "bob")
    await al.news()
    assert undated(await al.news("MUTE #tea bob 10m")) == [
        ":al!al@unix MODE #tea +b m:bob!*@*",
        ":chat.local NOTICE #tea :al muted bob!*@* until then.",
    ]
    *_, told = await bob.news("PRIVMSG #tea :hi")
    assert told.startswith(":chat.local 404 bob #tea :You may not speak in #tea until 20")
    [told] = await bob.news("NICK rob")
    assert ":You cannot change your nickname now. You may not speak in #tea until 20" in told
    assert " 435 bob rob #tea " in told
    await al.news("UNBAN #tea bob")
    assert await bob.news("PRIVMSG #tea :hi") == [":al!al@unix MODE #tea -b m:bob!*@*"]


async def test_hints_name_the_command_that_the_client_can_send(house: House) -> None:
    al = await come(house, "al")
    ours = await irc_peer(house, "bob", "trio-chat/identity", rooms="#tea")
    await al.news("MODE #tea +o bob")
    await ours.news()
    why = "There is no ban 9 in #tea."
    assert await al.news("UNBAN #tea 9") == [
        f":chat.local NOTICE al :UNBAN: {why} /quote BANS #tea lists them."
    ]
    assert await ours.news("UNBAN #tea 9") == [
        f":chat.local NOTICE bob :UNBAN: {why} /bans lists them."
    ]


async def test_our_own_client_is_told_all_of_an_entry(house: House) -> None:
    al = await irc_peer(house, "al", "trio-chat/identity", rooms="#tea", link=True)
    await al.news("BAN #tea a:bob 2h :no spam", "MUTE #tea cat!*@*")
    first, second, end = await al.messages("MODE #tea +b")
    assert (first.params[1:4], first.params[5], first.params[-1]) == (
        ("#tea", "a:bob", "al"),
        "1",
        "no spam",
    )
    assert int(first.params[6]) - int(first.params[4]) in (7200, 7201)
    assert second.params[-4:] == ("2", "0", "*", "")
    assert end.command == "368"

    await come(house, "eve", "192.0.2.1")
    await al.news("MUTE #tea eve")
    *_, third, _ = await al.messages("MODE #tea +b")
    assert (third.params[2], third.params[-2]) == ("m:*!*@192.0.2.1", "eve")


async def test_all_that_a_ban_leads_to_answers_its_label(house: House) -> None:
    al = await irc_peer(house, "al", "batch", "labeled-response", rooms="#tea", link=True)
    await come(house, "bob")
    await al.news()
    told = await al.news("@label=x MUTE #tea bob 1h", "@label=y BAN #tea bob")
    assert undated(told) == [
        "@label=x :chat.local BATCH +b1 labeled-response",
        "@batch=b1 :al!al@memory MODE #tea +b m:bob!*@*",
        "@batch=b1 :chat.local NOTICE #tea :al muted bob!*@* until then.",
        ":chat.local BATCH -b1",
        "@label=y :chat.local BATCH +b2 labeled-response",
        "@batch=b2 :al!al@memory MODE #tea +b bob!*@*",
        "@batch=b2 :al!al@memory KICK #tea bob al",
        ":chat.local BATCH -b2",
    ]


async def test_the_other_operators_learn_the_end_and_the_reason_and_nobody_else(
    house: House,
) -> None:
    al, bob, cat = await come(house, "al"), await come(house, "bob"), await come(house, "cat")
    await al.news("MODE #tea +o bob")
    for peer in (bob, cat):
        await peer.news()
    await al.news("BAN #tea dan!*@* 2h :no more spam")
    mode = ":al!al@unix MODE #tea +b dan!*@*"
    assert await cat.news() == [mode]
    assert undated(await bob.news()) == [
        mode,
        ":chat.local NOTICE #tea :al banned dan!*@* until then (no more spam).",
    ]
    line = await plain(house, "eve")
    await al.news("MODE #tea +o eve", "BAN #tea dan!*@* 3h")
    said = await line.until("for 3h (no more spam).\n")
    assert said.count("banned dan!*@*") == 1  # it is in words there anyway


async def test_who_reads_our_tags_learns_the_end_and_the_reason_with_the_mode(
    house: House,
) -> None:
    al = await irc_peer(house, "al", "message-tags", rooms="#tea", link=True)
    mode, again = await al.news(r"BAN #tea dan!*@* 2h :no more; spam")
    tags, _, rest = mode.partition(" ")
    assert rest == ":al!al@memory MODE #tea +b dan!*@*"
    assert {r"trio-chat/seconds=7200", r"trio-chat/why=no\smore\:\sspam"} < {*tags[1:].split(";")}
    assert again.startswith("@trio-chat/again :chat.local NOTICE #tea :al banned dan!*@* until 20")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("BAN #tea", " 461 bob BAN :Not enough parameters"),
        ("BAN #tea :  ", "NOTICE bob :BAN: Usage: BAN room nickname|mask [time] [why]"),
        ("BAN #tea al", " 482 bob #tea :Only an operator of #tea may do that."),
        ("UNBAN #tea 1", " 482 bob #tea :Only an operator of #tea may do that."),
        ("BANS #nowhere", " 403 bob #nowhere :There is nobody in #nowhere."),
        ("MUTE nowhere al", " 403 bob nowhere :There is nobody in nowhere."),
    ],
)
async def test_what_cannot_be_done_is_refused(house: House, line: str, told: str) -> None:
    await come(house, "al")
    bob = await come(house, "bob")
    [answer] = await bob.news(line)
    assert answer.endswith(told)


async def test_people_on_plain_have_the_same_commands(house: House) -> None:
    al, bob = await plain(house, "al"), await plain(house, "bob")
    await al.send(b"/mute bob 1d12h too loud\n/bans\n")
    await bob.until("*** al muted bob!*@* for 1d12h (too loud).\n")
    await al.until("*** Mute 1: bob!*@* may not speak until 20")
    assert (await al.until("\n")).endswith(", by al: too loud\n")
    await bob.send(b"hello\n/why\n/ban al\n")
    await bob.until("*** You may not speak in #tea until 20")
    await bob.until("*** You may not speak in #tea until 20")
    await bob.until("*** Only an operator of #tea may do that.\n")
    await al.send(b"/unmute bob\n/bans\n/op bob\n/deop bob\n/voice bob\n/devoice bob\n")
    await al.until("*** #tea has no bans.\n")
    assert await bob.until("-v bob.\n") == (
        "*** al lifted the mute on bob!*@*.\n"
        "*** al set mode +o bob.\n*** al set mode -o bob.\n"
        "*** al set mode +v bob.\n*** al set mode -v bob.\n"
    )
    await al.send(b"/ban bob\n/ban al\n/ban nobody\n/ban\n")
    await bob.until("*** al banned bob!*@*.\n*** al kicked bob out of #tea.\nbob left!\n")
    await bob.until("*** You are banned from #tea. Ask its operators.\n")
    await al.until("*** You cannot ban yourself.\n*** Nobody here is called nobody, and ")
    await al.until("*** Usage: /ban NAME|MASK [2h] [WHY]\n")


async def test_who_bans_everybody_is_told_how_to_undo_it(house: House) -> None:
    al, bob = await plain(house, "al"), await plain(house, "bob")
    await al.send(b"/ban *\n")
    await al.until(
        "*** al banned *!*@*.\n"
        "*** It fits the only other person in #tea; it does nothing to operators.\n"
        "*** Nobody is removed, but they may not speak. /unban *!*@* undoes it.\n"
    )
    await al.send(b"/unban *!*@*\n")
    await bob.until("*** al lifted the ban on *!*@*.\n")
    await bob.send(b"hello\n")
    await al.until("bob: hello\n")


async def test_why_explains_a_room_that_one_is_kept_out_of(house: House) -> None:
    """Also if nobody is in it; a room that is not there looks like one that is open."""
    al, bob = await come(house, "al"), await plain(house, "bob", "192.0.2.1")
    await al.news("REGISTER * * correct-horse", "MODE #tea +o al", "BAN #tea bob 2h :spam")
    for left in (False, True):
        if left:
            await al.news("PART #tea")
            assert house.server._hub.chat.room("#tea") is None
        await bob.send(b"/why tea\n")
        assert await bob.until("(spam). Ask its operators.\n")
    await bob.send(b"/why #nowhere\n/why #a,b\n")
    await bob.until("You are not in #nowhere, and nothing that you may know of keeps you out.\n")
    await bob.until("cannot be a room")
    told = await (await come(house, "eve", "192.0.2.1", "#hall")).news("WHY #tea", "WHY #hall")
    assert "You are banned from #tea until " in told[0]
    assert "There are no limits on you in #hall." in told[1]
