"""The end of bans, the chat's and those of open rooms, and of the lock.

It is an event like any other, which one task submits when it is due. The log and what is told know
only the clock on the wall, which may be set, or go on while the machine sleeps. So the task looks
at it every second while anything has an end, and at once when the server starts.
"""

import math

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.moderation import has_end
from trio_chat.server.hub import Hub

# The seconds between two looks at the clock: nobody notices that a ban lasts for so long more.
_BETWEEN = 1.0


async def expire(
    hub: Hub,
    *,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """End what has to end, until cancelled.

    It counts as started when all has ended whose time was up by then.
    """
    await hub.expire()
    task_status.started()
    while True:
        with trio.move_on_after(_BETWEEN if _has_end(hub.chat) else math.inf):
            await hub.moderated.wait()
        await hub.expire()


def _has_end(chat: Chat) -> bool:
    """Whether the lock, or any ban, is for some time."""
    return has_end(chat.realm) or any(room.lists.end for room in chat.rooms.values())
