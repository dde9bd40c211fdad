"""Clients of ours in a room that is renamed, with a server of ours."""

import trio_chat
from chats import next_of
from trio_chat import RoomRenamed, Said


async def test_who_is_in_a_room_that_is_renamed_goes_on_there(port):
    async with (
        trio_chat.open_chat(port=port, nick="al", rooms=["#old", "#more"]) as al,
        trio_chat.open_chat(port=port, nick="bo", rooms=["#old"]) as bo,
    ):
        await al.say("before")
        await al.command("/rename new better")
        for chat in (al, bo):
            told = await next_of(chat, RoomRenamed)
            assert isinstance(told, RoomRenamed)
            assert (told.room, told.nick, told.to, told.why) == ("#old", "al", "#new", "better")
            assert chat.room == "#new"
            assert {member.nick for member in chat.members()} == {"al", "bo"}
        await bo.say("after")
        heard = await next_of(al, Said)
        assert isinstance(heard, Said)
        assert (heard.room, heard.text) == ("#new", "after")
        assert [said.text for said in await al.history(limit=10)] == ["before", "after"]
