"""The server as a whole: its tasks, its connections, and how it stops."""

import hmac
import itertools
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.names import fold
from trio_chat.core.networks import network_of
from trio_chat.errors import ChatError
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.server.accounts import Accounts
from trio_chat.server.addresses import is_local, networks
from trio_chat.server.admission import Admission, new_token
from trio_chat.server.broadcaster import Broadcaster
from trio_chat.server.certificate import Certificate
from trio_chat.server.cloak import Cloak
from trio_chat.server.connection import Connection
from trio_chat.server.door import Door
from trio_chat.server.draining import Draining
from trio_chat.server.entrance import Entrance
from trio_chat.server.health import Health
from trio_chat.server.hub import Hub
from trio_chat.server.links import link_to, own_addresses
from trio_chat.server.listeners import (
    NONE_PASSED,
    Listener,
    Sockets,
    accept_all,
    open_listeners,
)
from trio_chat.server.metrics import version
from trio_chat.server.neighbours import Neighbours
from trio_chat.server.operations import Operations, forget_log_level
from trio_chat.server.own_certificate import use_own
from trio_chat.server.page import Page
from trio_chat.server.poller import open_poller
from trio_chat.server.service import open_service
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Sources
from trio_chat.server.status import Status
from trio_chat.server.transport import Link, SocketLink
from trio_chat.settings import Settings
from trio_chat.settings.places import Address
from trio_chat.settings.reload import reloaded
from trio_chat.settings.values import AUTO
from trio_chat.storage.base import Log, Membership

logger = logging.getLogger(__name__)

_OWNER_DAYS = 7  # that the owner's first link lasts

_WATCH = 60.0  # seconds between two looks at the files of the certificate

_LOOK = 5.0  # seconds between two looks for connections that have long been silent
_AT_ONCE = 100  # are looked at before others may run: if all get a PING, that takes a millisecond

_TASK = "connection "  # begins the names of the tasks that serve one, before its number

_Link = TypeVar("_Link", bound=Link)
_LetIn = Callable[[_Link, str], Awaitable[Connection | None]]


def connection_number() -> int:
    """The number of the connection that the running task serves, for the log; 0 in all others.

    The task's name tells it: a context variable would take 0.2 KiB of each connection.
    """
    if not trio.lowlevel.in_trio_task():
        return 0
    name = trio.lowlevel.current_task().name
    return int(name.removeprefix(_TASK)) if name.startswith(_TASK) else 0


# The last words for those who are here when the server stops.
_STOPS = "The server is shutting down. Goodbye!"
_STARTS_ANEW = (
    "This server has lost touch with the others of its chat: connect again, and all is well. "
    "Goodbye!"
)


class Server:
    """A chat server that runs in the caller's nursery: ``await nursery.start(server.run)``.

    ``log`` is a store that is open; ``key`` is the server's own secret, by which it cloaks
    addresses; ``own_certificate`` is the file of the certificate that it makes for itself, if that
    is to be kept; ``admin`` is the path of the operators' socket, if there is one; ``sockets``
    listen already, in place of what the settings and ``admin`` say; ``health`` answers those who
    ask how it is; ``clock`` gives unix time in seconds. Once it is started, ``operations`` carries
    out what operators ask of it.
    Cancelling it stops it at once; ``stop()`` lets everybody read what is on its way to them.
    """

    def __init__(
        self,
        settings: Settings,
        log: Log,
        key: bytes,
        *,
        own_certificate: Path | None = None,
        clock: Callable[[], float] = time.time,
        admin: Path | None = None,
        sockets: Sockets = NONE_PASSED,
        health: Health | None = None,
    ) -> None:
        self.settings = settings
        self.addresses: Sequence[Address] = ()
        self._log, self._key, self._clock = log, key, clock
        self._started = clock()
        chat = Chat(
            replay=_replay(settings),
            rooms_each=settings.limits.rooms_each,
            lobby=settings.server.lobby,
            redact_hours=settings.rooms.redact_hours,
        )
        self._hub = Hub(
            chat,
            log,
            max_rooms=settings.limits.rooms,
            room_modes=settings.server.room_modes,
            reserved=(settings.irc.server_name, settings.irc.network),
            clock=clock,
        )
        self._page = _page(settings)
        self._accounts = Accounts(
            self._hub, log, settings.accounts, hmac.digest(key, b"accounts", "sha256")
        )
        self._sources = Sources(settings.limits)
        self._proxies = settings.server.proxies
        chat.proxies = tuple(at for at in networks(self._proxies) if not at.is_loopback)
        self._own_certificate, self._certificate = own_certificate, Certificate()
        self._reloaded = trio.Event()
        self._admin, self._sockets = admin, sockets
        self._health = health or Health()
        self._connections: dict[Connection, None] = {}  # the oldest first
        self.status = Status(
            self._hub, log, self._connections, lambda: self.settings, self._phase, self._started
        )
        self._health.ready, self._health.figures = self.status.ready, self.status.values
        self._entrance: Entrance
        self._let_in: _LetIn[Link]
        self._let_operator_in: _LetIn[SocketLink]
        self.operations: Operations
        self._draining: Draining
        self._numbers = itertools.count(1)
        self._handlers: trio.Nursery
        self._drains: trio.Nursery
        self._admission: Admission
        self._shared: Shared
        self._leftovers: ExitStack
        self._is_started = False
        self._stop = trio.Event()
        self.stopped = trio.Event()
        #: Whether it has stopped because the other nodes of its chat think that it is gone: then
        #: another one is to be started in its place.
        self.starts_anew = False
        self._neighbours: Neighbours | None = None

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the certificate, in hexadecimal digits; empty if no TLS is spoken."""
        return self._certificate.fingerprint

    @property
    def is_public(self) -> bool:
        """Whether others reach it: it listens beyond this machine, or proxies connect for them."""
        return bool(self._proxies) or not all(is_local(at.host) for at in self.addresses)

    def _phase(self) -> str:
        """A word for what it does while it does not let people in; otherwise nothing."""
        if self._stop.is_set():
            return "stopping"
        if not self._is_started:
            return "starting"
        return "draining" if self._draining.is_on else ""

    @property
    def question(self) -> str:
        """The question that guests have to answer to be let in; empty if there is none."""
        return self._admission.question(self.settings)

    @property
    def lacks_an_operator(self) -> bool:
        """Whether others can reach it, and no account is an operator's, although one could be."""
        if not self.is_public or self._admission.unregistered(invited=True):
            return False
        return not self._hub.chat.has_operator()

    def link(self, token: str = "") -> str:
        """A link to this server, with an invitation if there is one."""
        return link_to(self.settings, self.addresses, self.fingerprint, token=token)

    def invite_owner(self) -> str:
        """A link for the owner, whose account becomes the first operator's."""
        token = new_token(
            self._key, self._clock(), uses=1, days=_OWNER_DAYS, operator=True, first=True
        )
        return self.link(token)

    def stop(self) -> None:
        """Stop accepting, say goodbye to everybody, send what waits for them, and end."""
        self._stop.set()

    async def until_stopping(self) -> None:
        """Wait until somebody stops it, or it is drained."""
        await self._stop.wait()

    def reload(self, settings: Settings) -> Sequence[str]:
        """Go on with other settings, as far as they can change; returns the names of those that
        need a restart.
        """
        settings, waiting = reloaded(self.settings, settings)
        self.settings = self._shared.settings = settings
        forget_log_level()
        self._accounts.settings = self._admission.settings = settings.accounts
        self._set_rules(settings)
        self._warn_of_operators()
        self._page = self._shared.page = _page(settings)
        self._admission.web = settings.web
        self._shared.irc = self._info()
        self._sources.reload(settings.limits)
        self._hub.logs.max_rooms = settings.limits.rooms
        self._hub.logs.room_modes = settings.server.room_modes
        self._hub.chat.replay = _replay(settings)
        self._hub.chat.rooms_each = settings.limits.rooms_each
        self._hub.chat.redact_hours = settings.rooms.redact_hours
        self._reloaded.set()
        return waiting

    async def run(
        self, *, task_status: trio.TaskStatus["Server"] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Listen and serve until ``stop``. Reports itself as started once it listens.

        Raises CannotListen if an address cannot be had; and SettingsError or CannotOpenStore if the
        certificate that is set, or our own, cannot.
        """
        places = self.settings.listened
        keepalive = self.settings.limits.keepalive
        with ExitStack() as self._leftovers, open_poller() as poller:
            self._leftovers.callback(forget_log_level)
            async with (
                open_listeners(
                    places, poller, keepalive=keepalive, passed=self._sockets.chat
                ) as listeners,
                open_service(
                    self._admin,
                    required=self.settings.ops.admin != AUTO,
                    keepalive=keepalive,
                    passed=self._sockets.admin,
                ) as service,
            ):
                self.addresses = [listener.address for listener in listeners]
                own = map(network_of, own_addresses(self.addresses))
                self._hub.chat.own = frozenset(filter(None, own))
                self._use_certificate()
                async with trio.open_nursery() as self._drains:
                    if poller:
                        self._drains.start_soon(poller.run)
                    await self._start()
                    self._is_started = True
                    task_status.started(self)
                    await self._serve(listeners, service)
                    await self._leave()
                    self._drains.cancel_scope.cancel("all connections have ended")
        self.stopped.set()

    async def _leave(self) -> None:
        """Let those be gone who are still here, and save all; of a lost node nothing is wanted."""
        with (
            trio.move_on_after(self.settings.server.shutdown_grace),
            suppress(trio.BrokenResourceError),
        ):
            if self._neighbours:
                await self._neighbours.leave()
            await self._hub.save()

    def _use_certificate(self) -> None:
        """Show the certificate that is set, or else our own: beyond this machine it is made if need
        be, and on it clear text will do. Raises SettingsError and CannotOpenStore.
        """
        if self.settings.tls.certificate:
            self._certificate.use(*self.settings.tls.files)
            return
        if self._own_certificate is None and self.is_public:
            folder = self._leftovers.enter_context(TemporaryDirectory(prefix="trio-chat-"))
            self._own_certificate = Path(folder) / "certificate.pem"
        if (own := self._own_certificate) and (self.is_public or own.exists()):
            use_own(self._certificate, own, self.settings.server.public_name, self.addresses)

    async def _watch_certificate(self) -> None:
        told = ""
        while True:
            with trio.move_on_after(_WATCH):
                await self._reloaded.wait()
            reloaded, self._reloaded = self._reloaded.is_set(), trio.Event()
            try:
                if reloaded and self.settings.tls.certificate:
                    await self._certificate.renew(*self.settings.tls.files)
                elif reloaded:
                    self._use_certificate()
                else:
                    await self._certificate.look()
            except ChatError as error:
                if reloaded or str(error) != told:
                    logger.error(
                        "the old certificate stays in force: %s",
                        error,
                        extra={"event": "certificate-refused", "reason": str(error)},
                    )
                told = str(error)
            else:
                told = ""

    async def _start(self) -> None:
        """Start everything but the listeners."""
        await self._hub.start()
        self._admission = Admission(
            self._hub,
            self._key,
            self.settings.accounts,
            is_public=self.is_public,
            web=self.settings.web,
            link=self.link,
            clock=self._clock,
        )
        self._set_rules(self.settings)
        self._warn_of_operators()
        port = next((at.port for at in self.addresses if at.port), 0)
        door = Door(self._certificate, port, proxies=self._proxies)
        connections = self._connections.keys()
        self._draining = Draining(connections, self._sources, self._drains, self.stop)
        self.operations = Operations(
            connections, self._draining, lambda: self.settings, self.status.stats, self.status.nodes
        )
        self._shared = Shared(
            self._hub,
            self._accounts,
            self._drains,
            self.settings,
            self._info(),
            self._admission,
            Cloak(hmac.digest(self._key, b"cloak", "sha256") if self.settings.irc.cloak else None),
            self._sources,
            port,
            self.operations.answer,
            self._page,
        )
        self._entrance = Entrance(door, self._draining, self._shared, self._health)
        # Bound once: each connection keeps the one that has let it in.
        self._let_in, self._let_operator_in = self._entrance.let_in, self._entrance.let_operator_in
        self._drains.start_soon(self._shared.passes.give)
        self._drains.start_soon(self._look_after_the_silent)
        self._drains.start_soon(self._watch_certificate)
        self._drains.start_soon(self._hub.box.tidy)
        self._drains.start_soon(Broadcaster(self._hub, self._log, self._be_lost).run)
        if membership := self._log.membership:
            await self._catch_up(membership)
        await self._drains.start(self._hub.expiry.run)
        await self._hub.absent.bring()
        self._drains.start_soon(self._hub.absent.see_off)
        self._drains.start_soon(self._hub.departures.see_off)
        if membership:
            self._neighbours = Neighbours(self._hub, self._log, membership)
            self._drains.start_soon(self._neighbours.run)
            self._drains.start_soon(self._stop_when_lost, membership)

    async def _catch_up(self, membership: Membership) -> None:
        """Wait until the state is that of the others when this node came, or it is lost again: by
        an older one people would be here who have left, and let in who have been banned.
        """
        async with trio.open_nursery() as nursery:

            async def give_up() -> None:
                await membership.lost.wait()
                nursery.cancel_scope.cancel("this node is lost")

            nursery.start_soon(give_up)
            await self._hub.progress.until_shown(membership.end)
            nursery.cancel_scope.cancel("this node has caught up")

    async def _stop_when_lost(self, membership: Membership) -> None:
        await membership.lost.wait()
        self._be_lost()

    def _be_lost(self) -> None:
        """Stop, as the others think that this node is gone, and let nobody ask for anything more:
        where the people are let go by others, they are not in the chat any more.
        """
        if self.starts_anew:
            return
        self.starts_anew = True
        why = self._log.membership.why if self._log.membership else ""
        logger.warning("%s", why, extra={"event": "node-lost", "reason": why})
        for connection in self._connections:
            connection.stop(_STARTS_ANEW)
        self.stop()

    def _set_rules(self, settings: Settings) -> None:
        chat = self._hub.chat
        chat.operators = frozenset(map(fold, settings.accounts.operators))
        chat.accounts_only = settings.accounts.guests == "closed"
        chat.is_open = self._admission.uninvited() is None
        chat.contact = settings.server.contact

    def _warn_of_operators(self) -> None:
        for name in self._hub.chat.unregistered_operators():
            logger.warning(
                "accounts.operators names %s, which is no account yet: register it on this "
                "machine, or with an invitation for operators",
                name,
                extra={"event": "operator-missing", "account": name},
            )

    def _info(self) -> ServerInfo:
        return server_info(
            self.settings,
            self._started,
            account_required=self._admission.uninvited() is not None,
            registration=self._registration(),
            build=self._page.build if self._page else "",
        )

    def _registration(self) -> str | None:
        """The value of IRC's capability to register; None where nobody can."""
        admission, password = self._admission, self.settings.server.password
        if admission.unregistered(invited=True):
            return None
        needs_more = password or admission.uninvited() or admission.unregistered(invited=False)
        return "" if needs_more else "before-connect"

    async def _serve(self, listeners: Sequence[Listener], service: Sequence[Listener]) -> None:
        async with trio.open_nursery() as self._handlers:
            async with trio.open_nursery() as doors:
                for listener in listeners:
                    doors.start_soon(accept_all, listener, self.take)
                for listener in service:
                    doors.start_soon(accept_all, listener, self._take_operator)
                await self._stop.wait()
                doors.cancel_scope.cancel("the server stops")
            self._entrance.shut()
            for listener in (*listeners, *service):
                await listener.aclose()
            grace = self.settings.server.shutdown_grace
            self._handlers.cancel_scope.deadline = trio.current_time() + grace
            await self._hub.ring.finish()
            for connection in self._connections:
                connection.stop(_STARTS_ANEW if self.starts_anew else _STOPS)

    async def _look_after_the_silent(self) -> None:
        """Send PINGs from one task for all: a timer for each connection would cost memory."""
        while True:
            pause = min(_LOOK, self.settings.limits.ping / 4)
            due = trio.current_time() + pause
            await trio.sleep_until(due)
            now = trio.current_time()
            self.status.late = now - due
            if now > due + pause:  # we stood still, so what they have said is still to be read
                continue
            for number, connection in enumerate(list(self._connections), 1):
                if connection in self._connections:  # it may have ended while others ran
                    connection.look_after(now)
                if number % _AT_ONCE == 0:
                    await trio.lowlevel.checkpoint()

    def take(self, link: Link) -> None:
        """Serve a link that has been accepted, to its end, and close it."""
        self._serve_one(link, self._let_in)

    def _take_operator(self, link: SocketLink) -> None:
        self._serve_one(link, self._let_operator_in)

    def _serve_one(self, link: _Link, let_in: _LetIn[_Link]) -> None:
        number = next(self._numbers)
        user_id = f"{self._log.node}-{number}"
        self._handlers.start_soon(self._handle, link, user_id, let_in, name=f"{_TASK}{number}")

    async def _handle(self, link: _Link, user_id: str, let_in: _LetIn[_Link]) -> None:
        """Let somebody in, serve the connection, and close it. An error ends this one, and no
        other.

        Most connections wait in here, so it has few names, and awaits the link itself: a coroutine
        in between takes 0.2 KiB of each.
        """
        connection = None
        try:
            if connection := await let_in(link, user_id):
                self._connections[connection] = None
                async with connection:
                    await connection.register()
                    while not connection.is_over:
                        await connection.readable()
                        await connection.attend()
        except* Exception:
            logger.exception("failed", extra={"event": "failed"})
        finally:
            if connection:
                del self._connections[connection]
                self._entrance.see_off(connection)
            await link.aclose()


def server_info(
    settings: Settings,
    started: float,
    *,
    account_required: bool = False,
    registration: str | None = "before-connect",
    build: str = "",
) -> ServerInfo:
    """The facts that IRC clients are told of a server ``started`` then (unix time in seconds)."""
    return ServerInfo(
        settings.irc.server_name,
        settings.irc.network,
        version=f"trio-chat-{version()}",
        created=time.strftime("%Y-%m-%d at %H:%M:%S UTC", time.gmtime(started)),
        motd=settings.irc.motd.splitlines(),
        rooms_each=settings.limits.rooms_each,
        account_required=account_required,
        registration=registration,
        build=build,
    )


def _page(settings: Settings) -> Page | None:
    return Page(settings) if settings.web.enabled else None


def _replay(settings: Settings) -> int:
    """The number of messages that a newcomer is shown: no more than are kept of a room."""
    return min(settings.history.replay, settings.history.per_room)
