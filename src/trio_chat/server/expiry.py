"""The end of bans, the chat's and those of open rooms, and of the lock.

It is an event like any other, which one task submits when it is due. The log and what is told know
only the clock on the wall, which may be set. So the task looks at it at least once a minute, and at
once when the server starts.
"""

import trio

from trio_chat.core.moderation import next_end
from trio_chat.core.room_bans import next_end_in
from trio_chat.server.hub import Hub

# The seconds between two looks at the clock: the most, and the least if the store fails.
_MOST, _LEAST = 60.0, 1.0


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
        with trio.move_on_after(_pause(hub)):
            await hub.moderated.wait()
        await hub.expire()


def _pause(hub: Hub) -> float:
    """The seconds until there is something to do, or the clock is to be looked at."""
    ends = (next_end(hub.chat.realm), next_end_in(hub.chat.rooms.values()))
    end = min(filter(None, ends), default=0)
    return max(_LEAST, min(_MOST, (end - hub.now()) / 1000)) if end else _MOST
