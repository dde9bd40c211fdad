"""Clients of ours, and messages that are removed, with a server of ours."""

import trio_chat
from chats import next_of
from trio_chat import Acknowledged, Redacted


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
