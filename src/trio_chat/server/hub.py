"""The chat, its log and the people who listen here, joined: the one way in for all that happens.

A request goes round the ring: it is decided, appended to the log, comes out of the log's tail to
the broadcaster, is applied, and shown. Whoever made it waits here until it has been shown; so all
that one person sees is in order, and nobody can be faster than the system.
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.commands import Enter, Join, Kick, Kill, Leave, Query, Rename, Request, Say
from trio_chat.core.effects import after, is_barrier, is_for_all, log_of
from trio_chat.core.events import (
    NOWHERE,
    PEOPLE,
    Absent,
    Answer,
    Arrived,
    Change,
    Departed,
    Entry,
    Event,
    Notice,
    Refused,
    Renamed,
    UserModesSet,
)
from trio_chat.core.judge import Outcomes, nobody
from trio_chat.core.names import fold, is_private, near_nick, nick_problem, room_problem
from trio_chat.core.refusals import Code
from trio_chat.core.room import RoomState
from trio_chat.errors import Conflict
from trio_chat.protocols.session import Dialect
from trio_chat.server.audience import Audiences, Listener
from trio_chat.storage.base import START, Log

_PAGE = 100  # entries read at a time when a room is opened


@dataclass(slots=True)
class _Use:
    """How many need a log to be open; and what to wait for while one of them opens or closes it."""

    count: int = 0
    busy: trio.Event | None = None

    @contextmanager
    def changing(self) -> Iterator[None]:
        self.busy = event = trio.Event()
        try:
            yield
        finally:
            self.busy = None
            event.set()


class Hub:
    """``max_rooms`` is the most rooms that are open at a time; those with somebody in them are.
    ``room_modes`` are the modes that a new one has.
    """

    def __init__(self, chat: Chat, log: Log, *, max_rooms: int, room_modes: str = "") -> None:
        self.chat, self._log = chat, log
        self.max_rooms, self.room_modes = max_rooms, room_modes
        self.listeners: dict[str, Listener] = {}
        self.audiences = Audiences(chat, self.listeners)
        self._names: set[str] = set()  # folded nicknames in use, or about to be
        self._uses: dict[str, _Use] = {}
        self._conversations: dict[str, set[str]] = {}  # a name's open logs of rooms of two
        self._last_shown = self._last_placed = START
        self._progress = trio.Event()
        self._under_way = 0  # requests taken on and not yet shown
        self._stopping = self._ended = False
        self._idle = trio.Event()

    async def start(self) -> None:
        """Begin to follow the log of people. Call it once, before anything else."""
        last = await self._log.history(PEOPLE, limit=1)
        await self._log.follow(PEOPLE, last[-1].id if last else START)

    async def finish(self) -> None:
        """Take no more requests, and wait until those under way have been shown."""
        self._stopping = True
        if self._under_way:
            await self._idle.wait()
        with suppress(trio.BrokenResourceError):
            await self.until_shown(self._last_placed)

    def shown(self, id: str) -> None:
        """The broadcaster has shown everything up to this id: those who wait for it go on."""
        self._last_shown = id
        waiting, self._progress = self._progress, trio.Event()
        waiting.set()

    def ended(self) -> None:
        """Nothing is shown any more: those who wait for it get ``trio.BrokenResourceError``."""
        self._stopping = self._ended = True
        self._progress.set()

    # ── people come and go ─────────────────────────────────────────────────────────────────

    async def admit(self, listener: Listener, enter: Enter) -> Sequence[Arrived | Refused | Notice]:
        """Let somebody in under the nickname they want, or under a near one if that will do."""
        await self._be_open()
        with self._request():
            nick, refused = enter.nick, await self._claim(listener, enter.nick)
            if refused and not enter.near:
                return [refused]
            notices: list[Notice] = []
            if refused:
                nick = await self._claim_near(listener, nick)
                why = f"{refused.why} You are {nick} for now; /nick changes that."
                notices.append(Notice(why))
            arrived = Arrived(nick, listener.who, enter.origin)
            listener.nick = nick
            self.listeners[listener.who] = listener
            await self._append([arrived])
            return [*notices, arrived]

    async def depart(self, listener: Listener, why: str) -> None:
        """See somebody off, whether they were let in or not. They are shown nothing any more."""
        self.listeners.pop(listener.who, None)
        self.audiences.forget()
        if listener.nick and not self._stopping:
            with self._request(), suppress(trio.BrokenResourceError):
                person = self.chat.people.get(listener.who)
                nick, origin = (person.nick, person.origin) if person else (listener.nick, NOWHERE)
                await self._append([Departed(nick, listener.who, why, origin)])
                await self._close_unheard(listener.nick)
        await self._keep_only(listener, "")

    async def _claim(self, listener: Listener, nick: str) -> Refused | None:
        """Reserve a nickname that nobody has and nobody is about to have."""
        if problem := nick_problem(nick):
            return Refused(problem, Code.BAD_NICK, (nick,))
        name = fold(nick)
        if name in listener.names:
            return None
        if name not in self._names:
            self._names.add(name)
            listener.names += (name,)
            if await self._log.claim(name) == self._log.node:
                return None
            await self._give_back(listener, name)
        return Refused(f"The nickname {nick} is taken.", Code.NICK_TAKEN, (nick,))

    async def _claim_near(self, listener: Listener, wanted: str) -> str:
        tried: set[str] = set()

        def taken(nick: str) -> bool:
            return fold(nick) in self._names or fold(nick) in tried

        while await self._claim(listener, nick := near_nick(wanted, taken)):
            tried.add(fold(nick))
        return nick

    async def _keep_only(self, listener: Listener, nick: str) -> None:
        """Give back all nicknames but this one."""
        for name in listener.names:
            if name != fold(nick):
                await self._give_back(listener, name)

    async def _give_back(self, listener: Listener, name: str) -> None:
        listener.names = tuple(other for other in listener.names if other != name)
        self._names.remove(name)
        await self._log.release(name)

    def write_to(self, listener: Listener, dialect: Dialect) -> None:
        """From now on in this dialect."""
        if listener.dialect is not dialect:
            listener.dialect = dialect
            self.audiences.forget()

    # ── what they ask ──────────────────────────────────────────────────────────────────────

    def answer(self, listener: Listener, query: Query) -> Answer:
        return self.chat.answer(listener.who, query)

    def kill(self, by: str, kill: Kill) -> Refused | None:
        """Cut somebody off whom an operator does not want here."""
        person = self.chat.person(kill.nick)
        if person is None or (listener := self.listeners.get(person.who)) is None:
            return nobody(kill.nick)
        words = f"Killed ({by} ({kill.why}))"
        listener.end(words, words)
        return None

    async def make_operator(self, listener: Listener) -> Event:
        """Of this server."""
        await self._be_open()
        with self._request():
            person = self.chat.people[listener.who]
            changes = (Change(True, "o"),)
            event = UserModesSet(person.nick, changes, person.who, person.origin)
            await self._append([event])
            return event

    async def submit(self, listener: Listener, requests: Sequence[Request]) -> Outcomes:
        """What became of the requests, in their order; all that happened has been shown.

        There may be several only if all go to the same log, as a run of Say to one room does.
        """
        await self._be_open()
        with self._request():
            match requests[0]:
                case Join(room) if not room_problem(room):
                    if refused := self._too_many_rooms(fold(room)):
                        return [refused]
                    async with self._in_use(fold(room), room):
                        return await self._pursue(listener, requests)
                case Rename(nick):
                    return await self._rename(listener, nick)
                case Leave() | Kick():
                    outcomes = await self._pursue(listener, requests)
                    await self._close_unheard()
                    return outcomes
                case _:
                    return await self._pursue(listener, requests)

    async def say(self, listener: Listener, says: Sequence[Say]) -> tuple[Outcomes, str]:
        """As ``submit``, for a run of Say to one room; but it need not have been shown yet.

        The id is what to wait for with ``until_shown``.
        """
        await self._be_open()
        with self._request():
            return await self._decide_and_append(listener, says)

    def is_shown(self, id: str) -> bool:
        return id <= self._last_shown

    async def until_shown(self, id: str) -> None:
        """Wait until everything up to this id has been shown."""
        while self._last_shown < id:
            if self._ended:
                raise trio.BrokenResourceError("nothing is shown any more")
            await self._progress.wait()

    async def _rename(self, listener: Listener, nick: str) -> Outcomes:
        if refused := await self._claim(listener, nick):
            return [refused]
        outcomes = await self._pursue(listener, [Rename(nick)])
        for outcome in outcomes:
            if isinstance(outcome, Renamed):
                listener.nick = nick
                await self._close_unheard(outcome.nick)
        await self._keep_only(listener, listener.nick)
        return outcomes

    async def _pursue(self, listener: Listener, requests: Sequence[Request]) -> Outcomes:
        outcomes, last = await self._decide_and_append(listener, requests)
        await self.until_shown(last)
        return outcomes

    async def _decide_and_append(
        self, listener: Listener, requests: Sequence[Request]
    ) -> tuple[Outcomes, str]:
        """And once more if a barrier came in between. The id is that of the last event."""
        while True:
            outcomes: list[Event | Refused | Absent] = []
            for request in requests:
                outcomes += self.chat.decide(listener.who, request)
            events = [event for event in outcomes if not isinstance(event, Refused | Absent)]
            try:
                if not events:
                    return outcomes, START
                if is_private(log_of(events[0])):
                    async with self._in_use(log_of(events[0])):
                        await self._append(events)
                        return outcomes, START
                return outcomes, await self._place(events)
            except Conflict as conflict:
                await self.until_shown(conflict.barrier)

    async def _append(self, events: Sequence[Event]) -> None:
        """Give events of one log their places, and wait until they have been shown."""
        await self.until_shown(await self._place(events))

    async def _place(self, events: Sequence[Event]) -> str:
        """Give events of one log their places; returns the last one's id."""
        log, last = log_of(events[0]), events[-1]
        expect = self.chat.rooms[log].state.barrier if log in self.chat.rooms else ""
        ids = await self._log.append(log, events, expect=expect, barrier=is_barrier(last))
        self._last_placed = max(self._last_placed, ids[-1])
        return ids[-1]

    async def _be_open(self) -> None:
        """Once ``finish`` has begun, whoever asks for something waits to be cut off."""
        if self._stopping:
            await trio.sleep_forever()

    @contextmanager
    def _request(self) -> Iterator[None]:
        """Count what is under way, for ``finish``."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._stopping and not self._under_way:
                self._idle.set()

    # ── logs are opened and closed ─────────────────────────────────────────────────────────

    @asynccontextmanager
    async def _in_use(self, log: str, name: str = "") -> AsyncIterator[None]:
        """See to it that a log is followed, and its room open, as long as this lasts.

        The last one to leave closes it, if nobody hears of it any more. ``name`` is what a room
        that nobody has been in before is called.
        """
        use = self._uses.setdefault(log, _Use())
        use.count += 1
        try:
            while use.busy is not None or not self._is_open(log):
                if use.busy is not None:
                    await use.busy.wait()
                else:
                    with use.changing():
                        await self._open(log, name)
            yield
        finally:
            try:
                if use.count == 1 and self._is_open(log) and not self.chat.is_heard(log):
                    with use.changing():
                        await self._close(log, use)
            finally:
                use.count -= 1
                if not use.count:
                    del self._uses[log]

    def _is_open(self, log: str) -> bool:
        name = log.partition(",")[0]
        return log in self.chat.rooms or log in self._conversations.get(name, ())

    async def _open(self, log: str, name: str) -> None:
        if is_private(log):
            last = await self._log.history(log, limit=1)
            await self._log.follow(log, last[-1].id if last else START)
            for name in log.split(","):
                self._conversations.setdefault(name, set()).add(log)
            return
        at, saved = await self._log.snapshot(log)
        state = saved or RoomState(name, flags=frozenset(self.room_modes))
        while page := await self._log.history(log, after=at, limit=_PAGE):
            for entry in page:
                state = after(state, entry)
            at = page[-1].id
        recent = await self._recent(log)
        await self._log.follow(log, at)
        self.chat.open_room(state, recent)

    async def _recent(self, room: str) -> Sequence[Entry]:
        """What was said last, oldest first: as much as a newcomer is shown."""
        recent: list[Entry] = []
        before = ""
        while len(recent) < self.chat.replay:
            page = await self._log.history(room, before=before, limit=_PAGE)
            if not page:
                break
            recent[:0] = [entry for entry in page if is_for_all(entry.event)]
            before = page[0].id
        return recent

    async def _close(self, log: str, use: _Use) -> None:
        """Close it, unless somebody comes while its state is being saved."""
        if room := self.chat.rooms.get(log):
            await self._log.save(log, self._last_shown, room.state)
        if use.count > 1:
            return
        if is_private(log):
            for name in set(log.split(",")):
                self._conversations[name].remove(log)
                if not self._conversations[name]:
                    del self._conversations[name]
        else:
            self.chat.close_room(log)
        await self._log.unfollow(log)

    async def _close_unheard(self, nick: str = "") -> None:
        """Close the rooms that nobody is in now, and the conversations of a name that is free."""
        for log in (*self.chat.empty, *self._conversations.get(fold(nick), ())):
            async with self._in_use(log):
                pass

    def _too_many_rooms(self, room: str) -> Refused | None:
        if room in self.chat.rooms:
            return None
        about_to_open = {log for log in self._uses if not is_private(log)} - self.chat.rooms.keys()
        if len(self.chat.rooms) + len(about_to_open) < self.max_rooms:
            return None
        why = f"There are {self.max_rooms} rooms, and that is the most."
        return Refused(why, Code.TOO_MANY_ROOMS, (room,))
