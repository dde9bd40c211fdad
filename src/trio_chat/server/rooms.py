"""Requests for which a room has to be open: to enter it, rename it, ban people from it, repair it
while nobody is there, and to say what keeps somebody out.
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from trio_chat.core.accounts import account_of
from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Join,
    LiftRoomBan,
    Remove,
    RenameRoom,
    SetModes,
    SetRoomBan,
    SetTopic,
)
from trio_chat.core.decide import Outcome, Outcomes
from trio_chat.core.events import PlaceSet
from trio_chat.core.explain import explain_room
from trio_chat.core.names import composed, fold, room_problem
from trio_chat.core.preferences import ROOMS
from trio_chat.core.queries import ShowMasks, ShowModes, ShowTopic
from trio_chat.core.refusals import Code
from trio_chat.core.renaming import taken
from trio_chat.core.views import Refused
from trio_chat.errors import Unavailable
from trio_chat.server.archive import Archive
from trio_chat.server.audience import Subscriber
from trio_chat.server.expiry import Expiry
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring, not_kept
from trio_chat.storage.base import Log

# What operators of the server can do to rooms that nobody is in.
_OF_EMPTY_ROOMS = (
    SetTopic, SetModes, SetRoomBan, LiftRoomBan, RenameRoom, Remove,
    ShowTopic, ShowModes, ShowMasks,
)  # fmt: skip


class Rooms:
    """Opens rooms for what is asked of them.

    A ban whose time was up while its room was closed ends when the room is opened.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        ring: Ring,
        logs: OpenLogs,
        archive: Archive,
        expiry: Expiry,
    ) -> None:
        self._chat, self._log, self._ring = chat, log, ring
        self._logs, self._archive, self._expiry = logs, archive, expiry

    @asynccontextmanager
    async def _open(self, log: str, name: str) -> AsyncIterator[None]:
        """Keep a room open as long as the context lasts, without bans whose time is up."""
        was_open = log in self._chat.rooms
        async with self._logs.in_use(log, composed(name)):
            if not was_open:
                await self._expiry.opened(log)
            yield

    @asynccontextmanager
    async def opened(self, subscriber: Subscriber, command: object) -> AsyncIterator[None]:
        """Open, as long as the context lasts, a room that nobody is in, for an operator of the
        server who does something to it, or looks at what is set there.
        """
        name = ""
        if isinstance(command, _OF_EMPTY_ROOMS) and subscriber.person(self._chat).is_operator:
            name = command.target if isinstance(command, Remove) else command.room
        log = fold(name)
        is_closed = name and log not in self._chat.rooms and not room_problem(name)
        if is_closed and await self._log.knows(log):
            async with self._open(log, name):
                yield
        else:
            yield

    async def join(self, subscriber: Subscriber, join: Join) -> Outcomes:
        """Let somebody into a room, which may be new."""
        log = fold(join.room)
        is_first = not subscriber.person(self._chat).first_entered(log)
        if refused := await self._logs.charge(subscriber, log):
            return [refused]
        try:
            async with self._open(log, join.room):
                outcomes = await self._ring.pursue(subscriber, join)
                if join.back and any(_keeps_out(outcome) for outcome in outcomes):
                    await self._forget_place(subscriber, log)
        except Unavailable as error:  # a new room, and nothing of it can be stored
            return [not_kept(error)]
        if not is_first:
            return outcomes
        return [*outcomes, *await self._archive.reports_in(log, subscriber.person(self._chat))]

    async def _forget_place(self, subscriber: Subscriber, log: str) -> None:
        """Let an account be where it was no more, as it is kept out of there."""
        if room := self._chat.rooms.get(log):
            account = subscriber.person(self._chat).origin.account
            await self._ring.happen(PlaceSet(room.state.name, account, gone=True))

    async def places(self, subscriber: Subscriber) -> tuple[Sequence[str], Collection[str]]:
        """The rooms where the account of somebody was, if they are to come back there; none if that
        cannot be read. And (folded) those in which they are.
        """
        person, rooms = subscriber.person(self._chat), list[str]()
        account = account_of(self._chat, person)
        if account and account.prefers(ROOMS):
            with suppress(Unavailable):
                rooms = [*await self._log.places(fold(account.name))]
        return rooms, person.rooms

    async def rename(self, subscriber: Subscriber, request: RenameRoom) -> Outcomes:
        """Rename a room. Nobody can open one of the new name meanwhile, nor close this one."""
        request = replace(request, to=composed(request.to))
        old, new = fold(request.room), fold(request.to)
        if old == new or old not in self._chat.rooms or new in self._chat.rooms:
            return await self._ring.pursue(subscriber, request)
        async with self._logs.in_use(old):
            with self._logs.kept_free(new) as is_free:
                if not is_free:
                    return [taken(request.room, request.to)]
                outcomes = await self._ring.pursue(subscriber, request)
        await self._logs.close_empty()
        return outcomes

    async def ban(self, subscriber: Subscriber, request: SetRoomBan) -> Outcomes:
        """Set a ban of a room."""
        outcomes = await self._ring.pursue(subscriber, request)
        self._expiry.look()
        await self._logs.close_empty()
        return outcomes

    async def explain(self, subscriber: Subscriber, room: str) -> Sequence[str]:
        """What somebody may not do in a room, a sentence each; nobody need be in it.

        Nothing tells a room that there is not from one that would let them in.
        """
        async with self._ring.request():
            return await self._explain(subscriber, room)

    async def _explain(self, subscriber: Subscriber, room: str) -> Sequence[str]:
        log, person, limits = fold(room), subscriber.person(self._chat), list[str]()
        if problem := room_problem(room):
            return [problem]
        try:
            if log in self._chat.rooms or await self._log.knows(log):
                if refused := await self._logs.charge(subscriber, log):
                    return [refused.why]
                async with self._open(log, room):
                    limits = [*explain_room(self._chat, person, self._chat.rooms[log])]
        except Unavailable as error:
            return [str(error)]
        if limits or log in person.rooms:
            return limits or [f"There are no limits on you in {room}."]
        return [f"You are not in {room}, and nothing that you may know of keeps you out."]


def _keeps_out(outcome: Outcome) -> bool:
    """Whether a room lets somebody in no more who was there before."""
    here = (Code.ALREADY_IN_ROOM, Code.UNAVAILABLE)
    return isinstance(outcome, Refused) and outcome.code not in here
