"""The chat, its log and the people who listen here, joined: the one way in for all that happens.

A request goes round the ring: it is decided, appended to the log, comes out of the log's tail to
the broadcaster, is applied, and shown. Whoever made it waits here until it has been shown; so
everything that one person sees is in order, and nobody can be faster than the system.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

import trio

from trio_chat.core.apply import is_barrier, log_of
from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Confidential,
    DropAccount,
    DropKey,
    Enter,
    Join,
    Kick,
    Kill,
    Leave,
    LogIn,
    LogOut,
    LookUp,
    MarkRead,
    Regain,
    Register,
    Rename,
    Request,
    Say,
)
from trio_chat.core.decide import Outcomes, nobody, parting_words
from trio_chat.core.events import (
    NOWHERE,
    PEOPLE,
    REALM,
    AccountDropped,
    AccountMade,
    Arrived,
    Change,
    Departed,
    Entry,
    Event,
    KeyDropped,
    OfRealm,
    PasswordSet,
    Renamed,
    Said,
    UserModesSet,
)
from trio_chat.core.names import composed, fold, is_private, room_problem
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import note_seen
from trio_chat.core.room import Person
from trio_chat.core.views import Answer, AwayReply, Notice, Refused, Repeated
from trio_chat.errors import Conflict, Unavailable
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.server.archive import Archive
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.progress import Progress
from trio_chat.server.realm_log import RealmLog
from trio_chat.storage.base import START, Log, Secret

logger = logging.getLogger(__name__)

# How long it may take until a nickname is free whose holder is disconnected.
_TAKE_OVER = 5.0  # seconds

# Outcomes that are not events.
_ANSWERS = Refused | AwayReply | Repeated


class Hub:
    """Carries requests round the ring, for all connections of this server.

    ``max_rooms`` and ``room_modes`` are those of ``OpenLogs``, ``reserved`` nicknames that nobody
    gets.

    Call ``start`` once, before anything else, and run a Broadcaster. Once ``finish`` has been
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
    ) -> None:
        self.chat, self._log = chat, log
        self.nicknames = Nicknames(reserved, chat.realm)
        self.progress = Progress()
        self.logs = OpenLogs(chat, log, self.progress, max_rooms=max_rooms, room_modes=room_modes)
        self._archive = Archive(chat, log)
        self._realm = RealmLog(chat.realm, log)
        self.subscribers: dict[str, Subscriber] = {}
        self.audiences = Audiences(chat, self.subscribers)
        self._last_placed = START
        self._under_way = 0  # requests that have been taken and not yet shown
        self._stopping = False
        self._idle = trio.Event()

    async def start(self) -> None:
        """Take up the realm, and begin to follow the logs that no room has."""
        await self._realm.open()
        await self._log.follow(PEOPLE, await self._log.end(PEOPLE))

    async def finish(self) -> None:
        """Take no more requests, and wait until those under way have been shown."""
        self._stopping = True
        if self._under_way:
            await self._idle.wait()
        with suppress(trio.BrokenResourceError):
            await self.progress.until_shown(self._last_placed)

    async def save(self) -> None:
        """Save, when the server stops, what would otherwise have to be read from the logs."""
        await self._realm.save()
        await self.logs.save_rooms()

    def ended(self) -> None:
        """Note that nothing is shown any more; called when the broadcaster ends."""
        self._stopping = True
        self.progress.end()

    # ── people come and go ─────────────────────────────────────────────────────────────────

    async def admit(
        self, subscriber: Subscriber, enter: Enter
    ) -> Sequence[Arrived | Refused | Notice]:
        """Let somebody in under the nickname they want, or if ``enter.near`` one like it.

        A known person who comes again takes their nickname over: the connection that holds it is
        ended.
        """
        await self._be_open()
        with self._request():
            nick, who = composed(enter.nick), self.chat.realm.who
            subscriber.key = enter.secret
            account, identity = who(enter.secret)
            refused = await self._claim(subscriber, nick, account, identity)
            if refused and not enter.near:
                return [refused]
            notices: list[Notice] = []
            if refused:
                nick = self.nicknames.claim_near(subscriber, nick)
                why = f"{refused.why} You are {nick} for now; /nick changes that."
                notices.append(Notice(why))
            account, identity = who(enter.secret)  # again, for that may have taken a while
            origin = replace(enter.origin, account=account)
            arrived = Arrived(nick, subscriber.user_id, origin, identity, secure=enter.secure)
            subscriber.nick = nick
            self.subscribers[subscriber.user_id] = subscriber
            await self._happen(arrived)
            return [*notices, arrived]

    def stop_showing(self, subscriber: Subscriber) -> str:
        """Show somebody nothing any more; returns the id up to which they were shown everything."""
        self.audiences.moves(subscriber.user_id)
        self.subscribers.pop(subscriber.user_id, None)
        return self.progress.last_shown

    async def depart(
        self, subscriber: Subscriber, why: str, words: str = "", *, seen: str = ""
    ) -> None:
        """See somebody off, whether they were let in or not. They are shown nothing any more.

        ``words`` are their own, for those who stay; without them others are told ``why``. ``seen``
        is the id up to which they have read everything, empty if that is not known.
        """
        self.stop_showing(subscriber)
        if subscriber.nick and not self._stopping:
            with self._request(), suppress(trio.BrokenResourceError):
                person = self.chat.people.get(subscriber.user_id)
                nick, origin = (
                    (person.nick, person.origin) if person else (subscriber.nick, NOWHERE)
                )
                rooms = tuple(person.rooms) if person else ()
                why = parting_words(self.chat, person, why, words) if person else why
                departed = Departed(nick, subscriber.user_id, why, origin, rooms, seen)
                await self._happen(departed)
                await self.logs.close_unheard(person.identity if person else "")
        self.nicknames.keep_only(subscriber, "")

    async def _claim(
        self, subscriber: Subscriber, nick: str, account: str, identity: str
    ) -> Refused | None:
        """Claim a nickname, also from another connection of the same person that has gone."""
        refused = self.nicknames.claim(subscriber, nick, account)
        if refused and identity and await self._take_over(subscriber, nick, identity):
            return self.nicknames.claim(subscriber, nick, account)
        return refused

    async def _take_over(self, subscriber: Subscriber, nick: str, identity: str) -> bool:
        """End the same person's other connection, if that holds the nickname, and wait for it.

        One that has shown the same secret is the same device, which has come again. Any other is
        asked whether it is still there.
        """
        person = self.chat.person(nick)
        if person is None or person.user_id == subscriber.user_id or person.identity != identity:
            return False
        if holder := self.subscribers.get(person.user_id):
            same_device = subscriber.key and holder.key == subscriber.key
            if not same_device and await holder.is_there():
                return False
            holder.end("connected again", "You have connected again. Goodbye!")
        with trio.move_on_after(_TAKE_OVER):
            await self.nicknames.until_free(nick)
        return True

    def write_to(self, subscriber: Subscriber, dialect: Dialect, own: OwnDialect | None) -> None:
        """Write to a subscriber in these dialects from now on."""
        subscriber.own = own
        if subscriber.dialect is not dialect:
            self.audiences.moves(subscriber.user_id)
            subscriber.dialect = dialect

    def all_read(self, subscriber: Subscriber) -> None:
        """Note that somebody has read everything they were shown before the end."""
        if person := self.chat.people.get(subscriber.user_id):
            for name in person.rooms:
                note_seen(self.chat.rooms[name], person, self.progress.last_shown)

    # ── what they ask ──────────────────────────────────────────────────────────────────────

    async def look_up(self, subscriber: Subscriber, query: LookUp) -> Answer:
        """Answer a look-up from the log, as far as they may read it."""
        await self._be_open()
        with self._request():
            person = self.chat.people[subscriber.user_id]
            try:
                answer = await self._archive.look_up(person, query)
            except Unavailable as error:
                return _not_kept(error)
            if isinstance(query, MarkRead):
                self._tell_elsewhere(person, answer)
            return answer

    def _tell_elsewhere(self, person: Person, answer: Answer) -> None:
        """Tell the other connections of the same person."""
        for user_id in self.chat.same(person.identity):
            if user_id != person.user_id and (other := self.subscribers.get(user_id)):
                other.outbox.post(other.dialect.render(answer))

    def kill(self, by: str, kill: Kill) -> Refused | None:
        """Disconnect somebody at an operator's request."""
        person = self.chat.person(kill.nick)
        if person is None or (subscriber := self.subscribers.get(person.user_id)) is None:
            return nobody(kill.nick)
        words = f"Killed ({by} ({kill.why}))"
        subscriber.end(words, words)
        return None

    async def make_operator(self, subscriber: Subscriber) -> Event:
        """Make somebody an operator of this server, whose password has been checked."""
        await self._be_open()
        with self._request():
            person = self.chat.people[subscriber.user_id]
            changes = (Change(True, "o"),)
            event = UserModesSet(person.nick, changes, person.user_id, person.origin)
            await self._happen(event)
            return event

    async def submit(
        self, subscriber: Subscriber, request: Request | Confidential, verifier: str = ""
    ) -> Outcomes:
        """Carry out a request. Returns what has become of it, when all of that has been shown.

        Whoever submits a confidential one has made sure that it may be; the ``verifier`` of a new
        password is kept together with what becomes of it.
        """
        await self._be_open()
        with self._request():
            match request:
                case Join(room) if not room_problem(room):
                    return await self._join(subscriber, request)
                case Rename(nick):
                    return await self._rename(subscriber, Rename(composed(nick)))
                case Register() | LogIn() | LogOut() | DropAccount():
                    return await self._change_identity(subscriber, request, verifier)
                case DropKey():
                    outcomes = await self._pursue(subscriber, request)
                    self._end_those_with_key(subscriber, outcomes)
                    return outcomes
                case Leave() | Kick():
                    outcomes = await self._pursue(subscriber, request)
                    await self.logs.close_unheard()
                    return outcomes
                case _:
                    return await self._pursue(subscriber, request, verifier)

    async def say(self, subscriber: Subscriber, says: Sequence[Say]) -> tuple[Outcomes, str]:
        """Append a run of messages to one room, without waiting until they are shown.

        Returns what has become of them, and the id to wait for with ``progress.until_shown``.
        """
        await self._be_open()
        with self._request():
            return await self._decide_and_append(subscriber, says)

    async def _join(self, subscriber: Subscriber, join: Join) -> Outcomes:
        log = fold(join.room)
        if refused := await self.logs.charge(subscriber, log):
            return [refused]
        try:
            async with self.logs.in_use(log, composed(join.room)):
                return await self._pursue(subscriber, join)
        except Unavailable as error:  # a new room, and nothing of it can be stored
            return [_not_kept(error)]

    async def _rename(self, subscriber: Subscriber, rename: Rename) -> Outcomes:
        person = self.chat.people[subscriber.user_id]
        account = person.origin.account
        identity = person.identity if account else ""
        if refused := await self._claim(subscriber, rename.nick, account, identity):
            return [refused]
        outcomes = await self._pursue(subscriber, rename)
        for outcome in outcomes:
            if isinstance(outcome, Renamed):
                subscriber.nick = outcome.to
        self.nicknames.keep_only(subscriber, subscriber.nick)
        return outcomes

    async def _change_identity(
        self,
        subscriber: Subscriber,
        request: Register | LogIn | LogOut | DropAccount,
        verifier: str,
    ) -> Outcomes:
        """Let somebody be known as somebody else, with all that hangs on that.

        Their conversations go on in other logs, what they have read is noted for the account, and
        they are given what it has in their rooms. Who has left an account loses its nickname.
        """
        person = self.chat.people[subscriber.user_id]
        before = person.identity
        outcomes = await self._pursue(subscriber, request, verifier)
        if person.identity == before:
            return outcomes
        await self.logs.close_unheard(before)
        if person.origin.account:
            with suppress(Unavailable):
                await self._archive.keep_marks(person)
            for room in tuple(person.rooms):
                await self._pursue(subscriber, Regain(room))
        if self.nicknames.is_owned(person.nick, person.origin.account):
            near = self.nicknames.claim_near(subscriber, person.nick)
            return [*outcomes, *await self._rename(subscriber, Rename(near))]
        return outcomes

    def _end_those_with_key(self, subscriber: Subscriber, outcomes: Outcomes) -> None:
        """End the connections that have shown a key which was dropped, but for the person's own."""
        dropped = {event.key for event in outcomes if isinstance(event, KeyDropped)}
        for other in [*self.subscribers.values()]:
            if other.key in dropped and other is not subscriber:
                other.end("its key was dropped", "You were logged out from elsewhere. Goodbye!")

    async def _pursue(
        self, subscriber: Subscriber, request: Request | Confidential, verifier: str = ""
    ) -> Outcomes:
        repair = self.chat.is_repair(subscriber.user_id, request)
        outcomes, last = await self._decide_and_append(subscriber, [request], verifier=verifier)
        if repair and last != START:
            logger.warning("as an operator of the server: %s", repair)
        await self.progress.until_shown(last)
        for event in outcomes:
            if isinstance(event, OfRealm):
                await self._realm.note_change()
            elif not isinstance(event, _ANSWERS):
                await self.logs.note_change(event)
        return outcomes

    async def _decide_and_append(
        self,
        subscriber: Subscriber,
        requests: Sequence[Request | Confidential],
        *,
        verifier: str = "",
        in_turn: bool = False,
    ) -> tuple[Outcomes, str]:
        """Judge requests and append their events, again if a barrier came in between.

        Returns what has become of them and the id of the last event. All requests concern one log.
        People who are barriers for each other, as all who enter a room with a limit are, take turns
        after a second Conflict: otherwise only one of them would get on each time.
        """
        conflicts = 0
        while True:
            # Nothing waits between the judgement and ``expect`` in _append: so the barrier that is
            # named there is the one by which it was judged.
            outcomes: list[Event | Refused | AwayReply | Repeated] = []
            for request in requests:
                outcomes += self.chat.decide(subscriber.user_id, request)
            events = [event for event in outcomes if not isinstance(event, _ANSWERS)]
            if not events:
                return outcomes, START
            log = log_of(events[0])
            try:
                if is_private(log):
                    # Kept open until it is shown: nobody is a member who would keep it open.
                    async with self.logs.in_use(log):
                        entries = await self._append(events)
                        await self.progress.until_shown(entries[-1].id)
                else:
                    entries = await self._append(events, verifier)
            except Conflict as conflict:
                # Judged before the barrier is applied, it would only meet the same Conflict again.
                await self.progress.until_shown(conflict.barrier)
                conflicts += 1
            except Unavailable as error:
                return [
                    outcome if isinstance(outcome, _ANSWERS) else _not_kept(error, outcome)
                    for outcome in outcomes
                ], START
            else:
                # If everybody has left the room meanwhile, it may be closed: then nobody is shown
                # this, and to wait for that would be to wait for ever.
                is_followed = log in (PEOPLE, REALM) or log in self.chat.rooms
                last = max(entry.id for entry in entries) if is_followed else START
                return _found_again(outcomes, entries), last
            use = self.logs.use(log)
            if conflicts > 1 and not in_turn and use and is_barrier(events[-1]):
                async with use.turn:
                    return await self._decide_and_append(subscriber, requests, in_turn=True)

    async def _append(self, events: Sequence[Event], verifier: str = "") -> Sequence[Entry]:
        """Give events of one log their places."""
        log, last = log_of(events[0]), events[-1]
        secret = None
        if log == REALM:
            expect, secret = self.chat.realm.barrier, _secret(last, verifier)
        else:
            expect = self.chat.rooms[log].state.barrier if log in self.chat.rooms else ""
        entries = await self._log.append(
            log, events, expect=expect, barrier=is_barrier(last), secret=secret
        )
        self._last_placed = max(self._last_placed, entries[-1].id)
        return entries

    async def _happen(self, event: Event) -> None:
        """Give an event its place, and wait until it has been shown."""
        entries = await self._append([event])
        await self.progress.until_shown(entries[-1].id)

    async def _be_open(self) -> None:
        """Let whoever asks for something wait to be cancelled, once ``finish`` has begun."""
        if self._stopping:
            await trio.sleep_forever()

    @contextmanager
    def _request(self) -> Iterator[None]:
        """Count a request as under way, for ``finish``."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            if self._stopping and not self._under_way:
                self._idle.set()


def _secret(event: Event, verifier: str) -> Secret | None:
    """What is kept together with an event, so that neither is there without the other."""
    match event:
        case AccountMade(name):
            return Secret(fold(name), verifier, new=True)
        case PasswordSet(name):
            return Secret(fold(name), verifier)
        case AccountDropped(name):
            return Secret(fold(name), "")
    return None


def _not_kept(error: Unavailable, event: Event | None = None) -> Refused:
    """The refusal of what the store cannot keep; a message's names its room."""
    room = event.room if isinstance(event, Said) and not is_private(event.room) else ""
    return Refused(str(error), Code.UNAVAILABLE, (room,) if room else ())


def _found_again(outcomes: Outcomes, entries: Sequence[Entry]) -> Outcomes:
    """The outcomes, with entries that the log had already in place of events that repeat them."""
    appended = iter(entries)
    return [
        outcome
        if isinstance(outcome, _ANSWERS) or (entry := next(appended)).event is outcome
        else Repeated(entry)
        for outcome in outcomes
    ]
