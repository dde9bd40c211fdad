"""Puts the parts together: the one place beside the command line that knows which log is used."""

import trio

from trio_chat.server.server import Server
from trio_chat.settings import Settings
from trio_chat.storage.memory import MemoryLog


def make_server(settings: Settings) -> Server:
    """A server with the log that the settings ask for."""
    history = settings.history
    log = MemoryLog(
        per_room=history.per_room, total_bytes=history.total_bytes, rooms=settings.limits.rooms
    )
    return Server(settings, log)


async def serve(
    settings: Settings | None = None,
    *,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a chat server in the caller's nursery, until it is cancelled or stopped.

    ``server = await nursery.start(serve, settings)`` gives the running server: ``server.addresses``
    says where it listens, ``server.stop()`` ends it gracefully. Without settings they are read from
    the environment. Raises CannotListen if an address cannot be had.
    """
    await make_server(settings or Settings()).run(task_status=task_status)
