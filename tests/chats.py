"""What a test waits for from a client of ours, as a library."""

import trio

import trio_chat
from processes import PATIENCE


async def next_of(chat: trio_chat.Chat, kind: type) -> trio_chat.Message:
    """The next message of this kind."""
    with trio.fail_after(PATIENCE):
        async for message in chat:
            if isinstance(message, kind):
                return message
    raise AssertionError("the chat has ended")
