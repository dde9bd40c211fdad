"""The way of requests round the ring: judged, appended, shown.

A request is decided, appended to the log, comes out of the log's tail to the broadcaster, is
applied, and shown. Whoever made it waits here until it has been shown.
"""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace

import trio

from trio_chat.core.admission import spend
from trio_chat.core.chat import Chat
from trio_chat.core.commands import Confidential, Request
from trio_chat.core.decide import Outcome, Outcomes, Told
from trio_chat.core.denials import box_full
from trio_chat.core.events import (
    NOWHERE,
    REALM,
    AccountDropped,
    AccountMade,
    AccountReset,
    Banned,
    Entry,
    Event,
    InvitationRevoked,
    InvitationUsed,
    KeyDropped,
    Killed,
    Locked,
    OfRealm,
    OperatorDropped,
    PasswordSet,
    Redacted,
    RoomRenamed,
    Said,
    Signalled,
    ToldToOthers,
    Unbanned,
    Unlocked,
)
from trio_chat.core.limits import is_exempt
from trio_chat.core.logs import is_barrier, log_of
from trio_chat.core.names import fold, is_private
from trio_chat.core.redaction import unknown_message
from trio_chat.core.refusals import Code
from trio_chat.core.renaming import taken
from trio_chat.core.room import Person
from trio_chat.core.views import (
    AwayReply,
    BanEffect,
    LockEffect,
    Metadata,
    Notice,
    Refused,
    Repeated,
    Unheard,
)
from trio_chat.core.words import account_or_user
from trio_chat.errors import BoxFull, Conflict, Fenced, Gone, Taken, Unavailable
from trio_chat.protocols.audit import sentence
from trio_chat.server.audience import Subscriber
from trio_chat.server.counts import Counts
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.pending import Pending
from trio_chat.server.progress import Progress
from trio_chat.storage.base import START, Log, Move, Secret

logger = logging.getLogger(__name__)

# How long it waits until it tries again to store what must happen.
_AGAIN = 1.0  # seconds

# What operators of the server do to others.
_OF_OPERATORS = (
    Banned | Unbanned | Locked | Unlocked | Killed | AccountReset | AccountDropped
    | OperatorDropped | InvitationRevoked
)  # fmt: skip

# Answers that are told besides an event, and not without it.
_BESIDES = AwayReply | Unheard | Metadata | Notice | BanEffect | LockEffect


class Ring:
    """Judges requests by the chat and gives their events a place in the log.

    Once ``finish`` has been called, whoever asks for something waits until they are cancelled.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        progress: Progress,
        logs: OpenLogs,
        counts: Counts,
    ) -> None:
        self._chat, self._log, self._progress = chat, log, progress
        self._logs, self._counts = logs, counts
        self._last_placed = START
        self._under_way = 0  # requests that have been taken and not yet shown
        # By ids and identities: changes of who somebody is, or of whether they are here. What is
        # said in private to or by them waits for these.
        self.changing = Pending()
        self.told = Pending()  # by ids: what is being said to somebody in private
        self._limiting: trio.Event | None = None  # set when a limit counts that is being set
        self.is_stopping = False
        self._idle = trio.Event()

    async def finish(self) -> None:
        """Take no more requests, and wait until those under way have been shown."""
        self.is_stopping = True
        if self._under_way:
            await self._idle.wait()
        with suppress(trio.BrokenResourceError):
            await self._progress.until_shown(self._last_placed)

    def ended(self) -> None:
        """Note that nothing is shown any more; called when the broadcaster ends."""
        self.is_stopping = True
        self._progress.end()

    @asynccontextmanager
    async def request(self) -> AsyncIterator[None]:
        """Take a request, which is under way as long as the context lasts. Once ``finish`` has
        begun, whoever asks for something waits here to be cancelled.
        """
        if self.is_stopping:
            await trio.sleep_forever()
        self._under_way += 1  # not by ``under_way``: two generators a message would cost 1 µs more
        try:
            yield
        finally:
            self._end()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Let something be under way that has to happen also once ``finish`` has begun."""
        self._under_way += 1
        try:
            yield
        finally:
            self._end()

    def _end(self) -> None:
        self._under_way -= 1
        if self.is_stopping and not self._under_way:
            self._idle.set()

    @contextmanager
    def limiting(self) -> Iterator[None]:
        """Let what others ask meanwhile wait until a ban or the lock counts that is being set."""
        self._limiting = event = trio.Event()
        try:
            yield
        finally:
            event.set()
            if self._limiting is event:
                self._limiting = None

    async def _be_limited(self, user_id: str) -> None:
        """Wait for a limit that is being set, unless it cannot be about somebody.

        Not for one after the other: an operator who sets many holds up nobody for long.
        """
        if self._limiting is None:
            return
        person = self._chat.people.get(user_id)
        if person and not is_exempt(self._chat, person):
            await self._limiting.wait()

    async def pursue(
        self,
        subscriber: Subscriber,
        request: Request | Confidential,
        verifier: str = "",
        *,
        outsider: Person | None = None,
    ) -> Outcomes:
        """Carry out a request of somebody's; of the ``outsider`` if they are not in the chat."""
        asker = outsider or subscriber.stand_in(self._chat)
        repair = self._chat.is_repair(subscriber.user_id, request, outsider=asker)
        outcomes, last = await self.decide_and_append(
            subscriber, [request], verifier=verifier, outsider=outsider
        )
        if repair and last != START:
            logger.warning(
                "as an operator of the server: %s",
                repair,
                extra={"event": "repaired", "audit": True},
            )
        events = [outcome for outcome in outcomes if not isinstance(outcome, Told)]
        for event in events:
            _log(event)  # before they are shown, which may end whoever asked
        await self._progress.until_shown(last)
        return outcomes

    async def decide_and_append(
        self,
        subscriber: Subscriber,
        requests: Sequence[Request | Confidential],
        *,
        verifier: str = "",
        outsider: Person | None = None,
        in_turn: bool = False,
    ) -> tuple[Outcomes, str]:
        """Judge requests and append their events, again if a barrier came in between.

        Returns what has become of them and the id of the last event. All requests concern one log.
        People who are barriers for each other, as all who enter a room with a limit are, take turns
        after a second Conflict: otherwise only one of them would get on each time.
        """
        conflicts = 0
        while True:
            await self._be_limited(subscriber.user_id)
            # Nothing waits between the judgement and ``expect`` in _append: so the barrier that is
            # named there is the one by which it was judged.
            asker = outsider or subscriber.stand_in(self._chat)
            outcomes = self._judge(subscriber, requests, asker)
            events = [event for event in outcomes if not isinstance(event, Told)]
            if not events:
                return outcomes, START
            log, first = log_of(events[0]), events[0]
            try:
                if is_private(log):
                    if isinstance(first, Said | Signalled):
                        await self._settle(first)
                        if self._judge(subscriber, requests, asker) != outcomes:
                            continue
                    with self.told.under_way(getattr(first, "to_id", "")):
                        entries = await self._append(events, verifier, subscriber)
                        await self._progress.until_shown(entries[-1].id)
                else:
                    entries = await self._append(events, verifier, subscriber)
            except Conflict as conflict:
                # Judged before the barrier is applied, it would only meet the same Conflict again.
                await self._progress.until_shown(conflict.barrier)
                await self._logs.be_open(log)
                conflicts += 1
            except Gone:
                return [unknown_message()], START
            except BoxFull as full:
                return [box_full(getattr(first, "to", ""), by_sender=full.by_sender)], START
            except Taken:
                assert isinstance(first, RoomRenamed)  # noqa: S101 - for the type checker
                return [taken(first.room, first.to)], START
            except Unavailable as error:
                return [
                    outcome if isinstance(outcome, Told) else not_kept(error, outcome)
                    for outcome in outcomes
                    if not isinstance(outcome, _BESIDES)
                ], START
            else:
                last = max(entry.id for entry in entries)
                return _found_again(outcomes, entries), last
            use = self._logs.use(log)
            if conflicts > 1 and not in_turn and use and is_barrier(events[-1]):
                async with use.turn:
                    return await self.decide_and_append(
                        subscriber, requests, verifier=verifier, outsider=outsider, in_turn=True
                    )

    def _judge(
        self,
        subscriber: Subscriber,
        requests: Sequence[Request | Confidential],
        asker: Person | None,
    ) -> Outcomes:
        outcomes: list[Outcome] = []
        for request in requests:
            outcomes += self._chat.decide(subscriber.user_id, request, outsider=asker)
        return outcomes

    async def _settle(self, told: Said | Signalled) -> None:
        """Wait while one of the two who talk comes, goes, or becomes somebody else."""
        two = (told.user_id, told.to_id, *told.room.split(","))
        while self.changing.concerns(*two):
            await self.changing.until_over(*two)

    async def _append(
        self, events: Sequence[Event], verifier: str, by: Subscriber
    ) -> Sequence[Entry]:
        """Give events of one log their places; they are the doing of ``by``."""
        if self._is_alone(by) and not isinstance(events[-1], ToldToOthers):
            return await self._place(events, verifier)
        return await self._place(events, verifier, by.id)

    def _is_alone(self, subscriber: Subscriber) -> bool:
        """Whether a connection is the first and only one of its owner's."""
        person = self._chat.people.get(subscriber.user_id)
        return subscriber.id == subscriber.user_id and (person is None or len(person.devices) == 1)

    async def _place(
        self, events: Sequence[Event], verifier: str = "", by: str = ""
    ) -> Sequence[Entry]:
        log, last = log_of(events[0]), events[-1]
        secret = None
        if log == REALM:
            expect, secret = self._chat.realm.barrier, _secret(last, verifier)
        else:
            room = self._chat.rooms.get(log)
            expect = room.state.barrier if room else self._progress.last_shown
        redact = last.msgid if isinstance(last, Redacted) else ""
        move = self._move(last) if isinstance(last, RoomRenamed) else None
        began = time.perf_counter()
        entries = await self._log.append(
            log, events, expect=expect, barrier=is_barrier(last), secret=secret, redact=redact,
            move=move, by=by,
        )  # fmt: skip
        self._counts.appends.note(time.perf_counter() - began)
        self._last_placed = max(self._last_placed, entries[-1].id)
        return entries

    def _move(self, renamed: RoomRenamed) -> Move | None:
        """The move of a room's log, if it has another name from now on by which to find it."""
        old, new = fold(renamed.room), fold(renamed.to)
        if old == new:
            return None
        state = replace(self._chat.rooms[old].state_now(), name=renamed.to)
        return Move(new, state, self._progress.last_shown)

    async def spend(self, used: InvitationUsed) -> Refused | None:
        """Count the use of an invitation; or say why it lets nobody in any more."""
        async with self.request():
            while isinstance(found := spend(self._chat.realm, used), InvitationUsed):
                try:
                    if await self.has_happened(found):
                        return None
                except Unavailable as error:
                    return not_kept(error)
        return found

    async def use_reset(self, name: str, key: str, now: int) -> bool:
        """Use up the key by which an operator has let the owner of an account in; False if there is
        none ``now`` (unix milliseconds). Raises Unavailable.
        """
        realm = self._chat.realm
        async with self.request():
            while (account := realm.account(name)) and realm.resets(account, key, now):
                if await self.has_happened(KeyDropped(account.name, key)):
                    return True
        return False

    async def record(self, event: OfRealm) -> None:
        """Keep what has been decided elsewhere in the log of accounts, for the audit."""
        try:
            while not await self.has_happened(event):
                pass
        except Unavailable as error:
            logger.warning(
                "not recorded: %s", error, extra={"event": "not-stored", "reason": str(error)}
            )

    async def has_happened(self, event: Event) -> bool:
        """Let an event of the server's own happen; False if a barrier came before it, by which it
        has to be judged again. Raises Unavailable.
        """
        try:
            await self.happen(event)
        except Conflict as conflict:
            await self._progress.until_shown(conflict.barrier)
            return False
        return True

    async def insist(self, attempt: Callable[[], Awaitable[None]]) -> None:
        """Do something that must happen, such as that somebody has gone: again and again while it
        cannot be stored. Raises Fenced.
        """
        while True:
            try:
                return await attempt()
            except Fenced:
                raise
            except Unavailable:
                await trio.sleep(_AGAIN)

    async def happen(self, *events: Event, by: str = "") -> None:
        """Give events of one log their places, and wait until they have been shown. They are the
        doing of the connection ``by``, if of one.
        """
        entries = await self._place(events, by=by)
        await self._progress.until_shown(entries[-1].id)


def _log(event: Event) -> None:
    """Log what an operator of the server has done to others."""
    if not isinstance(event, _OF_OPERATORS):
        return
    if nick := event.nick if isinstance(event, Killed) else event.by:
        by = account_or_user(nick, getattr(event, "origin", NOWHERE)) or nick
        action = type(event).__name__.lower()
        logger.warning(
            "%s",
            sentence(event),
            extra={"event": "moderated", "audit": True, "action": action, "by": by},
        )


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


def not_kept(error: Unavailable, event: Event | None = None) -> Refused:
    """The refusal of what the store cannot keep; a message's names its room.

    Raises Fenced if this node takes part in the chat no more: another one may keep it.
    """
    if isinstance(error, Fenced):
        raise error
    room = event.room if isinstance(event, Said) and not is_private(event.room) else ""
    return Refused(str(error), Code.UNAVAILABLE, (room,) if room else ())


def _found_again(outcomes: Outcomes, entries: Sequence[Entry]) -> Outcomes:
    """The outcomes, with entries that the log had already in place of events that repeat them."""
    appended = iter(entries)
    return [
        outcome
        if isinstance(outcome, Told) or (entry := next(appended)).event is outcome
        else Repeated(entry)
        for outcome in outcomes
    ]
