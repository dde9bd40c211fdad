"""The server as a whole: its tasks, its connections, and how it stops."""

import errno
import itertools
import logging
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.events import Notice
from trio_chat.protocols.plain.server import plain_dialect
from trio_chat.server.broadcaster import Broadcaster
from trio_chat.server.connection import Connection
from trio_chat.server.doors import Doors
from trio_chat.server.hub import Hub
from trio_chat.server.links import Link
from trio_chat.server.listeners import Listener, open_listeners
from trio_chat.settings import Address, Settings
from trio_chat.storage.base import Log

logger = logging.getLogger(__name__)

#: The number of the connection that the running task serves, for the log; 0 in all other tasks.
connection_number: ContextVar[int] = ContextVar("connection_number", default=0)

# To tell somebody for whom there is no place that there is none.
_TURNING_AWAY = 2.0  # seconds

# What accept() fails with when there are too many open files, or too little memory for one more.
_NO_MORE_FILES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS})
_UNTIL_SOME_CLOSE = 0.1  # seconds


class Server:
    """A chat server that runs in the caller's nursery: ``await nursery.start(server.run)``.

    Cancelling it stops it at once; ``stop()`` lets everybody read what is on its way to them.
    """

    def __init__(self, settings: Settings, log: Log) -> None:
        self.settings = settings
        self.addresses: Sequence[Address] = ()
        self._log = log
        self._hub = Hub(Chat(replay=settings.history.replay), log, max_rooms=settings.limits.rooms)
        self._doors = Doors(settings.limits)
        self._connections: set[Connection] = set()
        self._numbers = itertools.count(1)
        self._handlers: trio.Nursery
        self._drains: trio.Nursery
        self._stop = trio.Event()
        self.stopped = trio.Event()

    def stop(self) -> None:
        """Stop accepting, say goodbye to everybody, send what waits for them, and end."""
        self._stop.set()

    def reload(self, settings: Settings) -> None:
        """Go on with other settings: those that can change. New connections see all of them."""
        self.settings = settings
        self._doors.limits = settings.limits
        self._hub.max_rooms = settings.limits.rooms
        self._hub.chat.replay = settings.history.replay

    async def run(
        self, *, task_status: trio.TaskStatus["Server"] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen and serve until ``stop``. Reports itself as started once it listens.

        Raises CannotListen if an address cannot be had.
        """
        places = (Address(self.settings.host, self.settings.port), *self.settings.server.listen)
        async with (
            open_listeners(places, keepalive=self.settings.limits.keepalive) as listeners,
            trio.open_nursery() as self._drains,
        ):
            await self._hub.start()
            self._drains.start_soon(Broadcaster(self._hub, self._log).run)
            self.addresses = [listener.address for listener in listeners]
            task_status.started(self)
            await self._serve(listeners)
            self._drains.cancel_scope.cancel("all connections have ended")
        self.stopped.set()

    async def _serve(self, listeners: list[Listener]) -> None:
        async with trio.open_nursery() as self._handlers:
            async with trio.open_nursery() as doors:
                for listener in listeners:
                    doors.start_soon(self._accept, listener)
                await self._stop.wait()
                doors.cancel_scope.cancel("the server stops")
            for listener in listeners:
                await listener.aclose()
            grace = self.settings.server.shutdown_grace
            self._handlers.cancel_scope.deadline = trio.current_time() + grace
            await self._hub.finish()
            for connection in self._connections:
                connection.finish("the server stops", "The server stops. Goodbye!")

    async def _accept(self, listener: Listener) -> None:
        """As trio.serve_listeners does, but for what it would keep of each connection in memory."""
        while True:
            try:
                link = await listener.accept()
            except OSError as error:
                if error.errno not in _NO_MORE_FILES:
                    raise
                logger.warning("cannot accept a connection: %s", error.strerror)
                await trio.sleep(_UNTIL_SOME_CLOSE)
            else:
                self.take(link)

    def take(self, link: Link) -> None:
        """Serve a link that has been accepted, to its end, and close it."""
        self._handlers.start_soon(self._handle, link, name="connection")

    async def _handle(self, link: Link) -> None:
        """Raises nothing but Cancelled: an error ends its own connection and no other."""
        if why_not := self._doors.enter(link.peer):
            await self._turn_away(link, why_not)
            return
        number = next(self._numbers)
        who = f"{self._log.node}-{number}"
        connection = Connection(link, self._hub, self._drains, self.settings, who=who)
        connection_number.set(number)
        logger.info("connected from %s", link.peer)
        self._connections.add(connection)
        try:
            await connection.serve()
        except* Exception:
            logger.exception("failed")
        finally:
            self._connections.remove(connection)
            self._doors.leave(link.peer)
            logger.info(
                "disconnected: %s (%d requests refused)", connection.reason, connection.refusals
            )
            await link.aclose()

    async def _turn_away(self, link: Link, why: str) -> None:
        logger.warning("turned away %s: %s", link.peer, why)
        try:
            with trio.move_on_after(_TURNING_AWAY), suppress(trio.BrokenResourceError):
                words = plain_dialect(self.settings.encoding).render(Notice(why))
                await link.send_all(words)
                await link.finish()
        finally:
            await link.aclose()
