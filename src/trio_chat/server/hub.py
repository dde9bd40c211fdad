"""The chat, its log and the people who listen here, joined: the one way in for all that happens.

A request goes round the ring: it is decided, appended to the log, comes out of the log's tail to
the broadcaster, is applied, and shown. Whoever made it waits here until it has been shown; so all
that one person sees is in order, and nobody can be faster than the system.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Enter,
    Join,
    Kick,
    Kill,
    Leave,
    LookUp,
    MarkRead,
    Query,
    Rename,
    Request,
    Say,
)
from trio_chat.core.effects import after, is_barrier, log_of
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
    Repeated,
    Said,
    UserModesSet,
)
from trio_chat.core.judge import Outcomes, nobody, parting_words
from trio_chat.core.lookalikes import RESERVED, all_looks, looks
from trio_chat.core.names import composed, fold, is_private, near_nick, nick_problem, room_problem
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import note_seen
from trio_chat.core.room import Person, Room, RoomState
from trio_chat.errors import Conflict, Unavailable
from trio_chat.protocols.session import Dialect
from trio_chat.server.archive import Archive
from trio_chat.server.audience import Audiences, Listener
from trio_chat.server.shares import Shares
from trio_chat.storage.base import START, Log

logger = logging.getLogger(__name__)

# How long a nickname may take to come free when whoever has it is cut off.
_TAKE_OVER = 5.0  # seconds

# Changes of a room after which its state is saved, though it is open.
_UNSAVED = 100

# Outcomes that are no events.
_ANSWERS = Refused | Absent | Repeated


@dataclass(slots=True)
class _Use:
    """How many need a log to be open; and what to wait for while one of them opens or closes it.

    ``turn`` has whoever of them was judged in vain and would be a barrier for the others.
    """

    count: int = 0
    busy: trio.Event | None = None
    turn: trio.Lock = field(default_factory=trio.Lock)

    @contextmanager
    def changing(self) -> Iterator[None]:
        self.busy = event = trio.Event()
        try:
            yield
        finally:
            self.busy = None
            event.set()


class Hub:
    """``max_rooms`` is the most rooms that are open at a time; those with somebody in them are. The
    ``lobby`` is not among them. ``room_modes`` are the modes that a new one has. ``clock`` gives
    unix time in seconds.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        *,
        max_rooms: int,
        lobby: str = "",
        room_modes: str = "",
        reserved: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.chat, self._log, self._clock = chat, log, clock
        self.max_rooms, self.room_modes = max_rooms, room_modes
        self._lobby = fold(lobby)
        self._shares = Shares()  # of rooms, by who has opened them
        self._archive = Archive(chat, log, clock)
        self.listeners: dict[str, Listener] = {}
        self.audiences = Audiences(chat, self.listeners)
        self._looks: set[str] = set()  # of nicknames in use, or about to be
        self._reserved = all_looks((*RESERVED, *reserved))
        self._given_back = trio.Event()
        self._uses: dict[str, _Use] = {}
        self._conversations: dict[str, set[str]] = {}  # an identity's open logs of rooms of two
        self._last_shown = self._last_placed = START
        self._progress = trio.Event()
        self._unsaved: dict[str, int] = {}  # changes of open rooms since their state was saved
        self._under_way = 0  # requests taken on and not yet shown
        self._stopping = self._ended = False
        self._idle = trio.Event()

    async def start(self) -> None:
        """Begin to follow the log of people. Call it once, before anything else."""
        await self._log.follow(PEOPLE, await self._end_of(PEOPLE))

    async def finish(self) -> None:
        """Take no more requests, and wait until those under way have been shown."""
        self._stopping = True
        if self._under_way:
            await self._idle.wait()
        with suppress(trio.BrokenResourceError):
            await self.until_shown(self._last_placed)

    def shown(self, id: str) -> None:
        """The broadcaster has shown everything up to this id: those who wait for it go on."""
        self._last_shown = max(id, self._last_shown)
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
            nick = composed(enter.nick)
            refused = await self._claim(listener, nick)
            if refused and await self._take_over(enter):
                refused = await self._claim(listener, nick)
            if refused and not enter.near:
                return [refused]
            notices: list[Notice] = []
            if refused:
                nick = await self._claim_near(listener, nick)
                why = f"{refused.why} You are {nick} for now; /nick changes that."
                notices.append(Notice(why))
            arrived = Arrived(nick, listener.who, enter.origin, enter.secret)
            listener.nick = nick
            self.listeners[listener.who] = listener
            await self._happen(arrived)
            return [*notices, arrived]

    async def depart(
        self, listener: Listener, why: str, words: str = "", *, up_to_date: bool = False
    ) -> None:
        """See somebody off, whether they were let in or not. They are shown nothing any more.

        ``words`` are theirs, for those who stay; others are told ``why``.
        ``up_to_date`` says that they have read all that they were shown.
        """
        self.listeners.pop(listener.who, None)
        self.audiences.forget()
        if listener.nick and not self._stopping:
            with self._request(), suppress(trio.BrokenResourceError):
                person = self.chat.people.get(listener.who)
                nick, origin = (person.nick, person.origin) if person else (listener.nick, NOWHERE)
                rooms = tuple(person.rooms) if person else ()
                why = parting_words(self.chat, person, why, words) if person else why
                departed = Departed(nick, listener.who, why, origin, rooms, up_to_date)
                await self._happen(departed)
                await self._close_unheard(person.identity if person else "")
        await self._keep_only(listener, "")

    async def _take_over(self, enter: Enter) -> bool:
        """Whether the nickname was held by themselves, on a connection that they have lost; if so,
        that ends, and the nickname is free.
        """
        person = self.chat.person(enter.nick)
        if person is None or not person.is_known or person.identity != enter.secret:
            return False
        if holder := self.listeners.get(person.who):
            holder.end("has come again", "You have come again. Goodbye!")
        with trio.move_on_after(_TAKE_OVER):
            while not looks(enter.nick).isdisjoint(self._looks):
                await self._given_back.wait()
        return True

    async def _claim(self, listener: Listener, nick: str) -> Refused | None:
        """Reserve a nickname, and with it all that looks like it, if nobody has such a one and
        nobody is about to have it.
        """
        if problem := nick_problem(nick):
            return Refused(problem, Code.BAD_NICK, (nick,))
        wanted = looks(nick) - {*listener.looks}
        if self._is_taken(wanted):
            return Refused(f"The nickname {nick} is taken.", Code.NICK_TAKEN, (nick,))
        self._looks |= wanted
        listener.looks += tuple(wanted)
        for look in wanted:
            if await self._log.claim(look) != self._log.node:
                await self._keep_only(listener, listener.nick)
                return Refused(f"The nickname {nick} is taken.", Code.NICK_TAKEN, (nick,))
        return None

    def _is_taken(self, wanted: Collection[str]) -> bool:
        return not (self._looks.isdisjoint(wanted) and self._reserved.isdisjoint(wanted))

    async def _claim_near(self, listener: Listener, wanted: str) -> str:
        tried: set[str] = set()

        def taken(nick: str) -> bool:
            return self._is_taken(looks(nick)) or nick in tried

        while await self._claim(listener, nick := near_nick(wanted, taken)):
            tried.add(nick)
        return nick

    async def _keep_only(self, listener: Listener, nick: str) -> None:
        """Give back all that looks like other nicknames than this one."""
        given_back = {*listener.looks} - (looks(nick) if nick else set())
        listener.looks = tuple(look for look in listener.looks if look not in given_back)
        self._looks -= given_back
        for look in given_back:
            await self._log.release(look)
        freed, self._given_back = self._given_back, trio.Event()
        freed.set()

    def write_to(self, listener: Listener, dialect: Dialect) -> None:
        """From now on in this dialect."""
        if listener.dialect is not dialect:
            listener.dialect = dialect
            self.audiences.forget()

    # ── what they ask ──────────────────────────────────────────────────────────────────────

    def answer(self, listener: Listener, query: Query) -> Answer:
        return self.chat.answer(listener.who, query)

    async def look_up(self, listener: Listener, query: LookUp) -> Answer:
        """Something in the log, if they may read it."""
        await self._be_open()
        with self._request():
            person = self.chat.people[listener.who]
            try:
                answer = await self._archive.look_up(person, query)
            except Unavailable as error:
                return _not_kept(error)
            if isinstance(query, MarkRead):
                self._tell_elsewhere(person, answer)
            return answer

    def _tell_elsewhere(self, person: Person, answer: Answer) -> None:
        """To the other connections of the same person."""
        for who in self.chat.by_identity.get(person.identity, ()):
            if who != person.who and (other := self.listeners.get(who)):
                other.outbox.post(other.dialect.render(answer))

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
            await self._happen(event)
            return event

    async def submit(self, listener: Listener, requests: Sequence[Request]) -> Outcomes:
        """What became of the requests, in their order; all that happened has been shown.

        There may be several only if all go to the same log, as a run of Say to one room does.
        """
        await self._be_open()
        with self._request():
            match requests[0]:
                case Join(room) if not room_problem(room):
                    return await self._join(listener, composed(room), requests)
                case Rename(nick):
                    return await self._rename(listener, composed(nick))
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

    async def _join(self, listener: Listener, room: str, requests: Sequence[Request]) -> Outcomes:
        if refused := await self._too_many_rooms(listener, fold(room)):
            return [refused]
        try:
            async with self._in_use(fold(room), room):
                return await self._pursue(listener, requests)
        except Unavailable as error:  # a new room, of which nothing can be kept
            return [_not_kept(error)]

    async def _rename(self, listener: Listener, nick: str) -> Outcomes:
        if refused := await self._claim(listener, nick):
            return [refused]
        outcomes = await self._pursue(listener, [Rename(nick)])
        for outcome in outcomes:
            if isinstance(outcome, Renamed):
                listener.nick = nick
        await self._keep_only(listener, listener.nick)
        return outcomes

    async def _pursue(self, listener: Listener, requests: Sequence[Request]) -> Outcomes:
        repair = self.chat.is_repair(listener.who, requests[0])
        outcomes, last = await self._decide_and_append(listener, requests)
        if repair and last != START:
            logger.warning("as an operator of the server: %s", repair)
        await self.until_shown(last)
        await self._save_now_and_then(outcomes)
        return outcomes

    async def _save_now_and_then(self, outcomes: Outcomes) -> None:
        """The state of an open room, so that of its changes not all have to be kept for ever."""
        for event in outcomes:
            if isinstance(event, _ANSWERS) or not is_barrier(event):
                continue
            log = log_of(event)
            self._unsaved[log] = self._unsaved.get(log, 0) + 1
            if self._unsaved[log] >= _UNSAVED and (room := self.chat.rooms.get(log)):
                self._unsaved[log] = 0
                await self._save(log, room, room.state.barrier or START, self._log.save)

    async def _decide_and_append(
        self, listener: Listener, requests: Sequence[Request], *, in_turn: bool = False
    ) -> tuple[Outcomes, str]:
        """And once more if a barrier came in between. The id is that of the last event.

        Those who are barriers for each other, as all who enter a room with a limit are, take turns
        then: else only one of them would get on each time.
        """
        conflicts = 0
        while True:
            outcomes: list[Event | Refused | Absent | Repeated] = []
            for request in requests:
                outcomes += self.chat.decide(listener.who, request)
            events = [event for event in outcomes if not isinstance(event, _ANSWERS)]
            if not events:
                return outcomes, START
            log = log_of(events[0])
            try:
                if is_private(log):
                    async with self._in_use(log):
                        entries = await self._append(events)
                        await self.until_shown(entries[-1].id)
                else:
                    entries = await self._append(events)
            except Conflict as conflict:
                await self.until_shown(conflict.barrier)
                conflicts += 1
            except Unavailable as error:
                return [
                    outcome if isinstance(outcome, _ANSWERS) else _not_kept(error, outcome)
                    for outcome in outcomes
                ], START
            else:
                # If everybody has left the room meanwhile, it may have been closed before that.
                is_followed = log == PEOPLE or log in self.chat.rooms
                last = max(entry.id for entry in entries) if is_followed else START
                return _found_again(outcomes, entries), last
            if conflicts > 1 and not in_turn and log in self._uses and is_barrier(events[-1]):
                async with self._uses[log].turn:
                    return await self._decide_and_append(listener, requests, in_turn=True)

    async def _append(self, events: Sequence[Event]) -> Sequence[Entry]:
        """Give events of one log their places."""
        log, last = log_of(events[0]), events[-1]
        expect = self.chat.rooms[log].state.barrier if log in self.chat.rooms else ""
        entries = await self._log.append(log, events, expect=expect, barrier=is_barrier(last))
        self._last_placed = max(self._last_placed, entries[-1].id)
        return entries

    async def _happen(self, event: Event) -> None:
        """Give an event its place, and wait until it has been shown."""
        entries = await self._append([event])
        await self.until_shown(entries[-1].id)

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
                    if not self._is_open(log):
                        self._shares.give_back(log)

    def _is_open(self, log: str) -> bool:
        identity = log.partition(",")[0]
        return log in self.chat.rooms or log in self._conversations.get(identity, ())

    async def _open(self, log: str, name: str) -> None:
        at = await self._end_of(log)
        if is_private(log):
            await self._log.follow(log, at)
            for identity in log.split(","):
                self._conversations.setdefault(identity, set()).add(log)
            return
        state = await self._state(log, name)
        recent = await self._log.history(log, limit=self.chat.replay, said=True)
        await self._log.follow(log, at)
        self.chat.open_room(state, recent)

    async def _state(self, room: str, name: str) -> RoomState:
        saved, state = await self._log.snapshot(room)
        if state is None:
            now = int(self._clock() * 1000)
            state = RoomState(name, created=now, flags=frozenset(self.room_modes))
            await self._log.save(room, START, state)
        for entry in await self._log.barriers(room, after=saved):
            state = after(state, entry)
        return state

    async def _end_of(self, log: str) -> str:
        last = await self._log.history(log, limit=1)
        return last[-1].id if last else START

    async def _close(self, log: str, use: _Use) -> None:
        """Close it, unless somebody comes while its state is being saved."""
        if room := self.chat.rooms.get(log):
            await self._save(log, room, self._last_shown, self._log.close)
        if use.count > 1:
            return
        if is_private(log):
            for identity in {*log.split(",")}:
                self._conversations[identity].remove(log)
                if not self._conversations[identity]:
                    del self._conversations[identity]
        else:
            self.chat.close_room(log)
            self._unsaved.pop(log, None)
        await self._log.unfollow(log)

    async def _save(
        self, log: str, room: Room, id: str, save: Callable[[str, str, RoomState], Awaitable[None]]
    ) -> None:
        with suppress(Unavailable):  # it can be worked out from the room's log as well
            await save(log, id, replace(room.state, left={**room.left}))

    def all_read(self, listener: Listener) -> None:
        """Somebody has read all that was shown to them before the end."""
        if person := self.chat.people.get(listener.who):
            for name in person.rooms:
                note_seen(self.chat.rooms[name], person, self._last_shown)

    async def save_rooms(self) -> None:
        """Keep what is remembered of those who were in the rooms at the end."""
        async with trio.open_nursery() as nursery:
            for log, room in self.chat.rooms.items():
                if room.left:
                    nursery.start_soon(self._save, log, room, self._last_shown, self._log.save)

    async def _close_unheard(self, identity: str = "") -> None:
        """Close the rooms that nobody is in now, and the conversations of somebody who has gone.

        What is in use, whoever is the last to use it closes; what has been closed meanwhile, stays
        so.
        """
        for log in (*self.chat.empty, *self._conversations.get(identity, ())):
            if log not in self._uses and self._is_open(log):
                async with self._in_use(log):
                    pass

    async def _too_many_rooms(self, listener: Listener, room: str) -> Refused | None:
        """Charge a room that is to be opened to whoever opens it, or say why they cannot.

        Others may have opened all that there are: nobody shall be kept out of where they were
        before. So of rooms that the log knows there are as many again.
        """
        if room == self._lobby or room in self.chat.rooms or room in self._uses:
            return None
        whose = (listener.source, listener.who)
        if self._shares.may_take(*whose, self.max_rooms) or (
            self._shares.may_take(*whose, 2 * self.max_rooms) and await self._log.knows(room)
        ):
            self._shares.take(room, *whose)
            return None
        if len(self._shares) >= self.max_rooms:
            why = f"There are {self.max_rooms} rooms, and that is the most."
        else:
            number = self._shares.of(listener.source)
            why = f"From your address {number} rooms are open, and no more are left for others."
        return Refused(why, Code.TOO_MANY_ROOMS, (room,))


def _not_kept(error: Unavailable, event: Event | None = None) -> Refused:
    """Told of the room, if it was said in one."""
    room = event.room if isinstance(event, Said) and not is_private(event.room) else ""
    return Refused(str(error), Code.UNAVAILABLE, (room,) if room else ())


def _found_again(outcomes: Outcomes, entries: Sequence[Entry]) -> Outcomes:
    """The outcomes, with what was in the log already instead of what was not appended for that."""
    appended = iter(entries)
    return [
        outcome
        if isinstance(outcome, _ANSWERS) or (entry := next(appended)).event is outcome
        else Repeated(entry)
        for outcome in outcomes
    ]
