"""Clients of ours, and messages that are removed, with a server of ours."""

import pytest

import trio_chat
from chats import next_of
from front_ends import Wire
from trio_chat import Acknowledged, Linked, Redacted, RemovedMeanwhile, Said, Unlinked


async def test_everybody_is_told_which_message_and_it_is_in_no_history(port):
    async with (
        trio_chat.open_chat(port=port, nick="al", rooms=["#tea"]) as al,
        trio_chat.open_chat(port=port, nick="bo", rooms=["#tea"]) as bo,
    ):
        msgids = []
        for text in ("keep", "first", "second"):
            await al.say(text)
            msgids.append((await next_of(al, Acknowledged)).msgid)
        for command, msgid, why in (
            ("/remove last", msgids[2], ""),
            ("/remove last al a typo", msgids[1], "a typo"),
        ):
            await al.command(command)
            for chat in (al, bo):
                told = await next_of(chat, Redacted)
                assert (told.room, told.nick, told.author) == ("#tea", "al", "al")
                assert (told.msgid, told.why) == (msgid, why)
        assert [said.text for said in await bo.history("#tea", limit=10)] == ["keep"]


async def test_in_private_both_are_told(port):
    async with (
        trio_chat.open_chat(port=port, nick="al") as al,
        trio_chat.open_chat(port=port, nick="bo") as bo,
    ):
        await al.say("psst", to="bo")
        acknowledged = await next_of(al, Acknowledged)
        await al.command("/remove last", "bo")
        for chat in (al, bo):
            told = await next_of(chat, Redacted)
            assert (told.room, told.to, told.msgid) == ("", "bo", acknowledged.msgid)


@pytest.fixture
async def wire(nursery, port) -> Wire:
    wire = Wire(port)
    await nursery.start(wire.run)
    return wire


@pytest.mark.slow
async def test_who_was_cut_off_is_told_of_it_among_much_else_that_happened(port, wire):
    """More than a page is about somebody who comes and goes."""
    async with (
        trio_chat.open_chat(port=port, nick="al", rooms=["#tea"]) as al,
        trio_chat.open_chat(port=port, nick="cy", rooms=["#tea"]) as cy,
        trio_chat.open_chat(port=wire.port, nick="bo", rooms=["#tea"], retry=True) as bo,
    ):
        await al.say("oops")
        msgid = (await next_of(al, Acknowledged)).msgid
        assert (await next_of(bo, Said)).msgid == msgid
        wire.up = False
        wire.hang_up()
        await next_of(bo, Unlinked)
        await al.command("/remove last al a typo")
        await next_of(al, Redacted)
        for _ in range(120):
            await cy.raw("PART #tea")
            await cy.raw("JOIN #tea")
        await cy.say("the end", to="#tea")
        await next_of(cy, Acknowledged)
        wire.up = True
        await next_of(bo, Linked)
        told = await next_of(bo, RemovedMeanwhile | Said)
        assert (told.room, told.nick, told.msgid, told.why) == ("#tea", "al", msgid, "a typo")
        assert (await next_of(bo, Said)).text == "the end"
