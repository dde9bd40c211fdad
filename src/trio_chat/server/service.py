"""The socket of the server's operators: on it, root and the user that runs the server are one.

Those who may read the server's files may run it, so the kernel is asked who comes, and nobody for a
password. An operator who comes this way is no person of the chat: in no room, in no list, known to
their own connection alone. Others see the server's name as that of who did something.
"""

import logging
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import trio

from trio_chat.core.events import Origin
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.views import Refused
from trio_chat.errors import CannotListen
from trio_chat.protocols.admin import AdminDialect
from trio_chat.server.listeners import Listener, open_listeners
from trio_chat.server.transport import SocketLink
from trio_chat.settings.places import Address
from trio_chat.storage.private import reason, user_name

logger = logging.getLogger(__name__)

_ROOT = 0

_NOT_FOR_YOU = Refused(
    "Only root and the user that runs the server are operators here.", Code.NOT_AN_OPERATOR
)

_CAN_TELL = hasattr(socket, "SO_PEERCRED")  # whether this system tells who comes


@asynccontextmanager
async def open_service(
    path: Path | None,
    *,
    required: bool,
    keepalive: float,
    passed: Sequence[socket.socket] = (),
) -> AsyncIterator[Sequence[Listener]]:
    """Listen at the operators' socket as long as the context lasts, or with those that were
    ``passed``; nowhere without a ``path`` or any of these.

    Raises CannotListen if it is ``required`` and cannot be had; otherwise that is logged.
    """
    async with AsyncExitStack() as stack:
        listeners: Sequence[Listener] = ()
        try:
            if passed:
                opening = open_listeners((), None, keepalive=keepalive, passed=passed)
                listeners = await stack.enter_async_context(opening)
            elif path:
                listeners = await stack.enter_async_context(_open(path, keepalive))
        except CannotListen as error:
            if required:
                raise
            logger.warning(
                "'trio-chat admin' cannot be used: %s (ops.admin)",
                error,
                extra={"event": "admin-unavailable", "reason": str(error)},
            )
        yield listeners


@asynccontextmanager
async def _open(path: Path, keepalive: float) -> AsyncIterator[Sequence[Listener]]:
    place = Address(f"unix:{path}")
    if not _CAN_TELL:
        raise CannotListen(f"cannot listen on {place}: this system does not tell who comes")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {place}: {reason(error, path)}", about="ops.admin"
        ) from error
    async with open_listeners(
        [place], None, keepalive=keepalive, private=True, setting="ops.admin"
    ) as listeners:
        yield listeners


def operator(uid: int, server_name: str, user_id: str) -> Person | None:
    """The operator that a user of this system is; None if they are none."""
    if uid not in (_ROOT, os.geteuid()):
        return None
    origin = Origin(user=user_name(uid), host=server_name, name="an operator of this server")
    return Person(user_id, server_name, origin, user_id, modes="o")


async def turn_away(link: SocketLink) -> None:
    """Tell somebody who is no operator that this socket is not for them."""
    logger.warning(
        "turned away from the operators' socket: user %d",
        link.uid,
        extra={"event": "admin-refused", "audit": True, "user": str(link.uid)},
    )
    with suppress(trio.BrokenResourceError):
        await link.send_all(AdminDialect().render(_NOT_FOR_YOU))
        await link.finish()
