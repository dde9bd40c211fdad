"""The chat, its log and the people who listen here, joined: the one way in for all that happens.

A request goes round the ring: it is decided, appended to the log, comes out of the log's tail to
the broadcaster, is applied, and shown. Whoever made it waits here until it has been shown; so
everything that one person sees is in order, and nobody can be faster than the system.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from trio_chat.core.chat import Chat
from trio_chat.core.checkpoint import restore
from trio_chat.core.commands import (
    Confidential,
    DropAccount,
    DropKey,
    Join,
    Kick,
    Leave,
    LockChat,
    LogIn,
    LogOut,
    Look,
    MakeKey,
    Prefer,
    Register,
    Remove,
    Rename,
    RenameRoom,
    Report,
    Request,
    Say,
    SetBan,
    SetPassword,
    SetRoomBan,
)
from trio_chat.core.decide import Outcomes
from trio_chat.core.names import composed, room_problem
from trio_chat.core.queries import LookUp
from trio_chat.core.views import Answer
from trio_chat.errors import Unavailable
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.server.absent import Absent
from trio_chat.server.archive import Archive
from trio_chat.server.arrivals import Arrivals
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.server.box import Box
from trio_chat.server.consequences import Consequences
from trio_chat.server.counts import Counts
from trio_chat.server.departures import Departures
from trio_chat.server.devices import Devices
from trio_chat.server.expiry import Expiry
from trio_chat.server.identities import Identities
from trio_chat.server.logins import Logins
from trio_chat.server.marks import Marks
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.operators import Operators
from trio_chat.server.past_messages import PastMessages
from trio_chat.server.progress import Progress
from trio_chat.server.ring import Ring, not_kept
from trio_chat.server.rooms import Rooms
from trio_chat.server.snapshots import Snapshots
from trio_chat.storage.base import START, Log

# Requests of which it matters by which connection of somebody's they are made.
_VIA = (
    Join | Look | Leave | SetPassword | MakeKey | DropKey | DropAccount | Prefer | Register | LogIn
)

_Asked = TypeVar("_Asked", bound=Request | Confidential | Remove | Report)


class Hub:
    """Carries requests round the ring, for all connections of this server.

    ``max_rooms`` and ``room_modes`` are those of ``OpenLogs``, ``reserved`` nicknames that nobody
    gets; ``clock`` gives unix time in seconds.

    Call ``start`` once, before anything else, and run a Broadcaster. Once ``ring.finish`` has been
    called, whoever asks for something waits until they are cancelled.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        *,
        max_rooms: int,
        room_modes: str = "",
        reserved: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.chat, self._log, self.clock = chat, log, clock
        self.progress = Progress()
        self.applied = START  # the id of the last entry that has changed the state
        self.nicknames = Nicknames(reserved, chat, self.progress)
        self.snapshots = Snapshots(chat, log)
        self.logs = OpenLogs(
            chat,
            log,
            self.progress,
            self.snapshots,
            self.now,
            max_rooms=max_rooms,
            room_modes=room_modes,
        )
        self.subscribers: dict[str, Subscriber] = {}
        self.audiences = Audiences(chat, self.subscribers)
        self.counts = Counts()
        self.ring = Ring(chat, log, self.progress, self.logs, self.counts)
        self._marks = Marks(chat, log, self.ring)
        self.archive = Archive(chat, log, self._marks, self.now)
        self.absent = Absent(chat, log, self.ring, self.logs, self.nicknames)
        self.devices = Devices(chat, self.ring, self.audiences, self.subscribers)
        self.consequences = Consequences(chat, self.logs, self.audiences, self.subscribers)
        self.identities = Identities(
            chat, self.ring, self.nicknames, self._marks, self.logs, self.subscribers
        )
        self.expiry = Expiry(chat, self.ring, self.logs, self.now)
        self.rooms = Rooms(chat, log, self.ring, self.logs, self.archive, self.expiry)
        self._past_messages = PastMessages(chat, self.ring, self.archive, self.now)
        self.operators = Operators(chat, self.ring)
        self.box = Box(chat, log, self.audiences)
        self.arrivals = Arrivals(
            chat, self.ring, self.nicknames, self.identities, self.devices, self.subscribers
        )
        self.departures = Departures(
            chat, self.ring, self.progress, self.logs, self.devices, self.box
        )
        self._logins = Logins(
            chat, self.identities, self.devices, self.departures, self.consequences
        )

    async def start(self) -> None:
        """Take up the chat where it is, or where this node left the realm. Raises Unavailable."""
        membership = self._log.membership
        self.chat.nodes = membership.names if membership else {}
        if membership and (found := await membership.checkpoint()):
            restore(self.chat, found)
            self.applied = found.id
        else:
            self.applied = membership.begin if membership else self._log.newest
            await self.snapshots.restore_realm(self.applied)
        self.progress.shown(self.applied)

    async def save(self) -> None:
        """Save, when the server stops, what would otherwise have to be read from the logs, or is in
        none: up to where those who were here have read.
        """
        await self.box.put_away()
        self.departures.note_read()
        await self.snapshots.save_all(self.progress.last_shown)

    def write_to(self, subscriber: Subscriber, dialect: Dialect, own: OwnDialect | None) -> None:
        """Write to a subscriber in these dialects from now on."""
        subscriber.own = own
        if subscriber.dialect is not dialect:
            self.audiences.moves(subscriber.id)
            subscriber.dialect = dialect

    async def look_up(self, subscriber: Subscriber, query: LookUp) -> Answer:
        """Answer a look-up from the log, as far as they may read it."""
        async with self.ring.request():
            person = subscriber.person(self.chat)
            try:
                return await self.archive.look_up(person, query, subscriber.id)
            except Unavailable as error:
                return not_kept(error)

    async def close_empty(self) -> None:
        """Close the rooms that nobody is in, or needs here."""
        async with self.ring.request():
            await self.logs.close_empty()

    def now(self) -> int:
        """The moment by the clock on the wall, in unix milliseconds."""
        return int(self.clock() * 1000)

    def would_be(self, subscriber: Subscriber, request: Register | SetPassword) -> Outcomes:
        """What would become of a request, were it judged now."""
        newcomer = None
        if subscriber.user_id not in self.chat.people and isinstance(request, Register):
            newcomer = self.identities.newcomer(subscriber, request.nick, request.secret)
        return self.chat.decide(subscriber.user_id, _via(subscriber, request), outsider=newcomer)

    async def submit(
        self,
        subscriber: Subscriber,
        request: Request | Confidential | Remove | Report,
        verifier: str = "",
    ) -> Outcomes:
        """Carry out a request. Returns what has become of it, when all of that has been shown.

        Whoever submits a confidential one has made sure that it may be; the ``verifier`` of a new
        password is kept together with what becomes of it.
        """
        async with self.ring.request(), self.rooms.opened(subscriber, request):
            return await self._carry_out(subscriber, request, verifier)

    async def _carry_out(
        self,
        subscriber: Subscriber,
        request: Request | Confidential | Remove | Report,
        verifier: str,
    ) -> Outcomes:
        request = _via(subscriber, request)
        match request:
            case LogIn():
                return await self._logins.log_in(subscriber, request, verifier)
            case LogOut():
                return await self._logins.log_out(subscriber, request)
            case Join(room) if not room_problem(room):
                return await self.rooms.join(subscriber, request)
            case RenameRoom():
                return await self.rooms.rename(subscriber, request)
            case Rename(nick):
                return await self.identities.rename(subscriber, Rename(composed(nick)))
            case Register() if subscriber.user_id not in self.chat.people:
                return await self.identities.register(subscriber, request, verifier)
            case Register() | DropKey() | DropAccount():
                return await self.identities.change(subscriber, request, verifier)
            case Report():
                return await self._past_messages.report(subscriber, request)
            case Remove():
                return await self._past_messages.remove(subscriber, request)
            case SetBan() | LockChat() if subscriber.person(self.chat).is_operator:
                with self.ring.limiting():
                    outcomes = await self.ring.pursue(subscriber, request)
                self.expiry.look()
                return outcomes
            case SetRoomBan():
                return await self.rooms.ban(subscriber, request)
            case Leave() | Kick():
                outcomes = await self.ring.pursue(subscriber, request)
                await self.logs.close_empty()
                return outcomes
            case _:
                return await self.ring.pursue(subscriber, request, verifier)

    async def settle(self, subscriber: Subscriber) -> Outcomes:
        """Do what hangs on who somebody is, whom ``submit`` has let become somebody else."""
        async with self.ring.request():
            return await self.identities.settle(subscriber)

    async def say(self, subscriber: Subscriber, says: Sequence[Say]) -> tuple[Outcomes, str]:
        """Append a run of messages to one room, without waiting until they are shown.

        Returns what has become of them, and the id to wait for with ``progress.until_shown``.
        """
        async with self.ring.request():
            return await self.ring.decide_and_append(subscriber, says)


def _via(subscriber: Subscriber, request: _Asked) -> _Asked:
    """A request that says by which connection of somebody's it is made, if that matters."""
    if not isinstance(request, _VIA) or subscriber.id == subscriber.user_id:
        return request
    return replace(request, via=subscriber.id)
