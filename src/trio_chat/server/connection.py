"""One connection, from its first byte to its last.

The connection's task is the reader. It feeds the session, and carries out what the session asks
for, one run after the other. It ends when the peer has finished, asks to leave, or breaks a rule;
then what still waits for the peer is sent, and the link is closed.

What a peer is told stays in order. Several messages may be under way while the next are read
(``_ahead``, at most ``_RUN``); but a reply, a refusal or any other command first waits until they
have been shown (``_catch_up``), and what the session has to say goes out before the run that
follows (``_flush``).
"""

import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import trio

from trio_chat.core.commands import (
    CheckInvitation,
    ClearMetadata,
    Confidential,
    Enter,
    ExplainLimits,
    ListInvitations,
    MakeInvitation,
    Operate,
    Prove,
    Quit,
    Reload,
    Report,
    Say,
    SetMetadata,
    Subscribe,
    UseInvitation,
    Watch,
)
from trio_chat.core.decide import Outcome, Outcomes, Told
from trio_chat.core.denials import operators_only, too_fast
from trio_chat.core.events import Arrived, Joined
from trio_chat.core.explain import explain
from trio_chat.core.queries import LookUp, Query
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.views import (
    AllMetadata,
    AnotherNick,
    Answer,
    AwayReply,
    Bans,
    Challenge,
    Members,
    NewKey,
    Notice,
    People,
    Refused,
    Repeated,
    Rooms,
)
from trio_chat.core.words import parting, waiting
from trio_chat.protocols.admin import AdminSession
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.plain.server import PlainSession
from trio_chat.protocols.session import Ask, Handled, Says, Session
from trio_chat.protocols.sniff import Spoken
from trio_chat.server.addresses import is_local
from trio_chat.server.audience import Subscriber
from trio_chat.server.credentials import Credentials
from trio_chat.server.door import Entered
from trio_chat.server.fair_queue import Flow
from trio_chat.server.opening import open_up
from trio_chat.server.outbox import Outbox
from trio_chat.server.passes import LEAVING
from trio_chat.server.passwords import identity
from trio_chat.server.prices import price
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source
from trio_chat.server.token_bucket import TokenBucket
from trio_chat.storage.base import START

logger = logging.getLogger(__name__)

# The most messages of one client that are under way: other tasks wait while they are decided and
# appended, and the client itself until they have been shown.
_RUN = 128

# The piece of an answer that is posted at a time: a quarter of the smallest outbox.
_PIECE = 64 * 1024  # bytes

# Time for a departure to be stored and shown while everything around it is being cancelled.
_PARTING = 5.0  # seconds

# The time that a peer has to answer when somebody else wants its nickname, whose it is.
_ANSWER = 3.0  # seconds

_TOO_FAST = "You are sending too fast: from now on, {:g} messages a second."
_TOO_MUCH = "Your address is sending a lot: its connections take turns for now."

_SLOWED = "You have been sending too fast: for another {}, only {:g} messages a second."
_NO_LIMITS = "There are no limits on you just now."

_DAY = 86_400  # seconds

# Refusals after which nobody can try another nickname.
_FINAL = (Code.BANNED_FROM_CHAT, Code.LOCKED)


class Connection:
    """A peer that has come in, and the person it speaks for; ``source`` is where it comes from.

    An ``outsider`` is an operator who is not in the chat. Run ``serve`` in one task. The outbox
    reports to it (``outbox.Owner``).
    """

    def __init__(
        self,
        entered: Entered,
        shared: Shared,
        source: Source,
        *,
        user_id: str,
        outsider: Person | None = None,
    ) -> None:
        self._link, self._shared, self._source = entered.link, shared, source
        self._entered = entered
        self._handed_on = entered.handed_on
        self._hub = shared.hub
        self._limits = limits = shared.settings.limits
        self._bucket = TokenBucket(rate=limits.messages_per_second, burst=limits.message_burst)
        self._flow = Flow()
        self._session: Session = PlainSession(
            encoding=shared.settings.encoding,
            line_bytes=limits.line_bytes,
            lobby=shared.settings.server.lobby,
            question=shared.admission.question(shared.settings),
        )
        self._reading = trio.CancelScope()
        self.reason = "cut off"  # why it ended, for the log
        self._finished = False
        self._last_words = self._parting_words = ""
        self._lost = self._said_goodbye = False
        self._slowed = False
        self._heard_at = trio.current_time()
        self._pinged = self._is_hearing = False
        self._answered: trio.Event | None = None  # for those who ask whether it is there
        self._ahead, self._last_said = 0, START  # messages under way, and the id of the last one
        outbox = Outbox(entered.link, shared.drains, self, max_bytes=limits.outbox_bytes)
        self._subscriber = Subscriber(
            user_id,
            outbox,
            self._session.dialect,
            end=self.finish,
            source=source.name,
            outsider=outsider,
            is_there=self.is_there,
            address=entered.link.peer,
            on_renamed=self.on_renamed,
        )
        self._credentials = Credentials(
            shared, self._subscriber, source, is_private=self._is_private
        )

    @property
    def _is_secure(self) -> bool:
        handed_on = self._handed_on
        return self._link.seal is not None or bool(handed_on and handed_on.is_secure)

    @property
    def _is_private(self) -> bool:
        """Whether nobody on the way can read what the peer sends."""
        if self._handed_on:
            return self._handed_on.is_private
        return self._is_secure or is_local(self._link.peer)

    @property
    def refusals(self) -> int:
        """The number of requests that were refused."""
        return self._session.refusals

    def finish(self, reason: str, last_words: str = "") -> None:
        """End the connection: stop reading, send what waits and then the last words, close.

        ``reason`` is for the server's log, ``last_words`` are for the peer. Only the first call
        counts.
        """
        if not self._finished:
            self._finished = True
            self.reason, self._last_words = reason, last_words
            self._reading.cancel(reason)

    def stop(self) -> None:
        """End the connection because the server stops."""
        self._session.server_stops()
        self.finish("the server stops", "The server is shutting down. Goodbye!")

    async def serve(self) -> None:
        """Talk with the peer to the end. The link is left open; ``reason`` says why it ended."""
        try:
            try:
                with self._reading:
                    self._reading.deadline = trio.current_time() + self._limits.registration
                    await self._converse()
                if self._reading.cancelled_caught:
                    self._on_silence()
            except trio.BrokenResourceError:
                self.on_lost()
            finally:
                await self._depart()
            await self._part()
        finally:
            # The subscriber and its outbox know the connection. Now that it does not know them any
            # more, all of this goes at once, and not when a collector of garbage finds it.
            del self._subscriber, self._credentials

    async def _converse(self) -> None:
        for data in await self._open_up():
            await self._hear(data)
        while data := await self._link.receive():
            await self._hear(data)
        await self._shared.passes.wait(LEAVING)
        self._session.receive_eof()
        await self._obey()
        await self._catch_up()
        self._said_goodbye = True
        self.finish("closed by the peer")

    async def _depart(self) -> None:
        """Tell the others that the peer has gone. It happens even if all of this is cancelled."""
        shown = self._hub.stop_showing(self._subscriber)
        seen = shown if self._said_goodbye and not self._subscriber.outbox.waits else ""
        try:
            await self._shared.passes.wait(LEAVING)
        finally:
            with trio.move_on_after(_PARTING, shield=True):
                await self._hub.depart(
                    self._subscriber, self.reason, self._parting_words, seen=seen
                )

    async def _part(self) -> None:
        """Say the last words, and end our side of the link."""
        outbox = self._subscriber.outbox
        self._session.farewell(self._last_words)
        await outbox.finish(self._session.data_to_send())
        if not self._lost:
            if not outbox.waits:
                self._hub.all_read(self._subscriber)
            await self._link.finish()

    async def _hear(self, data: bytes) -> None:
        now, passes = trio.current_time(), self._shared.passes
        if passes.is_full(now):
            await passes.wait()
            now = trio.current_time()
        self._heard_at, self._pinged, self._is_hearing = now, False, True
        if self._answered is not None:
            self._answered.set()
            self._answered = None
        self._session.receive_data(data)
        await self._obey()
        self._is_hearing = False

    async def is_there(self) -> bool:
        """Ask the peer whether it is still there, or its system if its protocol has no question.

        One that is busy with us is there.
        """
        if self._is_hearing:
            return True
        if not self._ping():
            return await self._link.answers(_ANSWER)
        if self._answered is None:
            self._answered = trio.Event()
        answered = self._answered
        with trio.move_on_after(_ANSWER):
            await answered.wait()
        return answered.is_set()

    def look_after(self, now: float) -> None:
        """Send a PING to a peer that has long been silent, or give it up; called now and then."""
        silent = now - self._heard_at
        if self._pinged and silent > 2 * self._limits.ping:
            self.finish(f"Ping timeout: {silent:.0f} seconds", "You did not answer a PING.")
        elif not self._pinged and silent > self._limits.ping:
            self._pinged = self._ping()

    def _ping(self) -> bool:
        """Send a PING; returns whether the peer's protocol has one."""
        self._session.ping()
        data = self._session.data_to_send()
        self._subscriber.outbox.post(data)
        return bool(data)

    # ── reading ────────────────────────────────────────────────────────────────────────────

    async def _open_up(self) -> Sequence[bytes]:
        """Find out which protocol the peer speaks; returns what it has said."""
        outbox, entered = self._subscriber.outbox, self._entered
        del self._entered
        if self._subscriber.outsider:
            self._session, self._reading.deadline = AdminSession(self._limits.line_bytes), math.inf
            return ()
        opened = await open_up(
            entered, self._shared.settings, lambda: outbox.post(self._session.greeting())
        )
        if opened.asks_for_page and (page := self._shared.page):
            irc = IrcSession(self._shared.irc, self._hub.clock, private=self._is_private)
            forwarded = self._handed_on is not None
            self._session = page.session(
                irc,
                self._hub.clock,
                secure=self._is_secure,
                local=is_local(self._link.peer) and not forwarded,
                forwarded=forwarded,
            )
        elif opened.refusal:
            outbox.post(opened.asked + opened.refusal)
            await self._end(f"speaks {opened.spoken.name}")
        elif opened.spoken is Spoken.IRC:
            outbox.post(opened.asked)
            self._session = IrcSession(
                self._shared.irc, self._hub.clock, sts=self._sts(), private=self._is_private
            )
        return opened.pieces

    def _sts(self) -> str:
        """The value of the capability by which a client learns to speak TLS from now on."""
        duration = self._shared.settings.tls.sts_days * _DAY
        if not duration or is_local(self._link.peer):
            return ""
        return f"duration={duration}" if self._is_secure else f"port={self._shared.port}"

    # ── doing what they ask ────────────────────────────────────────────────────────────────

    async def _obey(self) -> None:
        """Carry out everything that has come."""
        while (run := self._session.next_run()) is not None:
            if isinstance(run, Says):
                await self._say(run)
                continue
            cost = self._price(run)
            if (wait := self._charge(cost)) is not None:
                await self._slow_down(wait, cost)
            if isinstance(run, Ask):
                await self._do(run)
        await self._flush()

    def _price(self, run: Ask | Handled) -> int:
        if isinstance(run, Ask):
            return price(self._hub.chat, self._subscriber.user_id, run.command)
        return 1

    def _charge(self, cost: int) -> float | None:
        """Charge so many lines. Returns the seconds to wait for the connection's pace, before
        waiting for a turn; None if there is no need to wait for either.
        """
        wait = self._bucket.take(trio.current_time(), cost)
        if wait or not self._source.lines.at_once(self._flow, cost):
            return wait
        self._slowed = False
        return None

    async def _say(self, run: Says) -> None:
        """Submit messages, as many together as neither pace nor limits hold back."""
        await self._flush()
        some: list[Say] = []
        for say in run.messages:
            wait = self._charge(1)
            if some and (wait is not None or len(some) == _RUN):
                await self._submit_run(some)
                some = []
            if wait is not None:
                await self._slow_down(wait, 1)
            some.append(say)
        await self._submit_run(some)

    async def _submit_run(self, says: Sequence[Say]) -> None:
        """Submit messages; what follows soon goes out with them."""
        if self._hub.progress.is_shown(self._last_said):
            self._ahead = 0
        if self._ahead + len(says) > _RUN:
            await self._catch_up()
        outcomes, last = await self._hub.say(self._subscriber, says)
        self._last_said = max(self._last_said, last)  # START, if nothing has come of it
        self._ahead += len(says)
        for outcome in outcomes:
            # A refusal must not overtake the messages that were said before it.
            if isinstance(outcome, Refused):
                await self._catch_up()
            if isinstance(outcome, Refused | AwayReply | Repeated):
                self._reply(outcome)

    async def _catch_up(self) -> None:
        """Wait until everything that was said has been shown."""
        if self._ahead:
            await self._hub.progress.until_shown(self._last_said)
            self._ahead = 0

    async def _slow_down(self, wait: float, cost: int) -> None:
        """Wait for pace and turn, without reading: a flood stays where it comes from."""
        if not self._slowed:
            self._session.reply(
                Notice(_TOO_FAST.format(self._limits.messages_per_second) if wait else _TOO_MUCH)
            )
        self._slowed = True
        await self._flush()
        self._ask_if_hung_up()
        await trio.sleep(wait)
        if not self._source.lines.at_once(self._flow, cost):
            with self._time_out():
                await self._source.lines.wait(self._flow, cost, self._shared.drains)
        self._heard_at = trio.current_time()  # it was not silent: nobody listened

    def _ask_if_hung_up(self) -> None:
        """Send something to a peer that has ended its side, to learn whether it is still there.

        It may still listen, as a pipe does; or it may have gone, and its flood would be worked off
        for a long time. If it has gone, sending fails.
        """
        if self._link.has_finished():
            self._ping()

    async def _do(self, ask: Ask) -> None:
        await self._catch_up()
        match ask.command:
            case Enter() as enter:
                await self._enter(enter, ask)
            case Quit(why, words):
                self._said_goodbye = True
                self._parting_words = words
                await self._end("quit", why)
            case Operate() as operate:
                await self._operate(operate)
            case Reload():
                self._reload()
            case UseInvitation(token):
                await self._flush()
                self._reply(await self._credentials.be_invited(token), ask)
                await self._promote(ask)
            case CheckInvitation(token):
                self._reply(self._shared.admission.check(token), ask)
            case MakeInvitation() | ListInvitations() as command:
                person = self._subscriber.person(self._hub.chat)
                self._reply(self._shared.admission.answer(person, command), ask)
            case ExplainLimits(room) if room:
                await self._flush()
                limits = await self._hub.explain(self._subscriber, room)
                self._reply(Notice("\n".join(limits)), ask)
            case ExplainLimits():
                self._reply(Notice("\n".join(self._limits_in_force()) or _NO_LIMITS), ask)
            case Watch(nicks, on):
                watch = self._hub.chat.watch if on else self._hub.chat.unwatch
                watch(self._subscriber.user_id, nicks)
            case Subscribe(keys, on):
                subscribers = self._hub.chat.subscribers
                (subscribers.add if on else subscribers.remove)(self._subscriber.user_id, keys)
            case Report() if wait := self._source.complaints.try_take(trio.current_time()):
                self._reply(too_fast(math.ceil(wait)), ask)
            case SetMetadata() | ClearMetadata() if wait := self._source.describe(
                trio.current_time()
            ):
                self._reply(too_fast(math.ceil(wait)), ask)
            case Prove() as prove:
                with self._time_out():
                    answer = await self._credentials.prove(prove)
                await self._tell(answer, ask)
            case command if isinstance(command, Confidential):
                await self._confide(command, ask)
            case command if isinstance(command, LookUp):
                await self._look_up(command, ask)
            case command if isinstance(command, Query):
                await self._answer(command, ask)
            case request:
                await self._flush()
                for outcome in await self._hub.submit(self._subscriber, request):
                    if isinstance(request, Report) and isinstance(outcome, Refused):
                        self._source.complaints.give_back()
                    await self._follow(outcome, ask)

    def _limits_in_force(self) -> Iterator[str]:
        """What the peer may not do just now, a sentence each."""
        chat = self._hub.chat
        yield from explain(chat, chat.people[self._subscriber.user_id])
        seconds = self._bucket.owes(trio.current_time())
        if self._slowed and seconds:
            yield _SLOWED.format(waiting(seconds), self._limits.messages_per_second)

    async def _enter(self, enter: Enter, ask: Ask) -> None:
        user, name = enter.origin.user or "plain", enter.origin.name or enter.nick
        host = self._shared.cloak.host(self._link.peer)
        origin = replace(enter.origin, user=user, host=host, name=name)
        secret = identity(enter.secret) if enter.secret else ""
        enter = replace(enter, origin=origin, secret=secret, secure=self._is_secure)
        with self._time_out():
            refused = await self._credentials.may_enter(enter)
        if refused:
            self._session.reply(refused)
            await self._end("not let in", parting(refused.why))
        for outcome in await self._hub.admit(self._subscriber, enter):
            if isinstance(outcome, Refused) and outcome.code in _FINAL:
                self._session.reply(outcome)
                await self._end("kept out", parting(outcome.why))
            if isinstance(outcome, Arrived):
                logger.info("admitted as %s", outcome.nick)
                self._reading.deadline = math.inf
            await self._follow(outcome, ask)
        await self._promote(ask)

    async def _promote(self, ask: Ask) -> None:
        """Make an operator of the server of somebody whose account is one's."""
        await self._flush()
        if event := await self._hub.promote(self._subscriber):
            await self._follow(event, ask)
            await self._tell_of_reports()

    async def _flush(self) -> None:
        """Send what the session has to say, after everything said before it has been shown.

        From then on the peer is written to in the session's dialect.
        """
        session, subscriber = self._session, self._subscriber
        data = session.data_to_send()
        # What was said before is still written in the old dialect, and comes before this.
        if data or session.dialect is not subscriber.dialect:
            await self._catch_up()
        self._hub.write_to(subscriber, session.dialect, session.own)
        while len(data) > _PIECE:
            end = session.cut(data, _PIECE)
            subscriber.outbox.post(data[:end])
            data = data[end:]
            await self._until_sent()
        if data:
            subscriber.outbox.post(data)

    async def _look_up(self, command: LookUp, ask: Ask) -> None:
        """Answer a look-up. As the answer may be long, those before it must have been sent first.

        So peers who ask for much get it as fast as they read, and are not taken for slow readers.
        """
        await self._flush()
        await self._until_sent()
        self._reply(await self._hub.look_up(self._subscriber, command), ask)

    async def _answer(self, query: Query, ask: Ask) -> None:
        """Answer a query, part by part if it is long: others have their turns in between.

        Each part goes out as it is worked out, so it fits what was shown before and after.
        """
        user_id, outsider = self._subscriber.user_id, self._subscriber.outsider
        async with self._hub.opened(self._subscriber, query):
            for part in self._hub.chat.answer(user_id, query, outsider=outsider):
                self._reply(part, ask)
                if isinstance(part, Members | People | Rooms | AllMetadata | Bans) and part.more:
                    await self._flush()
                    await self._until_sent()
                    async with self._shared.turns:  # handed on once in each pass of the loop
                        pass

    async def _until_sent(self) -> None:
        await self._subscriber.outbox.until_sent()
        self._heard_at = trio.current_time()  # it was not silent: nobody listened

    async def _follow(self, outcome: Outcome | AnotherNick, ask: Ask) -> None:
        """Tell what has become of a command, and do what follows from it."""
        if isinstance(outcome, Told | AnotherNick):
            self._reply(outcome, ask)
            return
        for following in self._session.done(outcome):
            await self._do(following)
        if isinstance(outcome, Joined) and (told := self._credentials.tell_in(outcome.room)):
            self._reply(told)

    def _reply(self, answer: Answer, ask: Ask | None = None) -> None:
        tell = ask.on_answer if ask else None
        if isinstance(answer, Refused):
            # Not in words: they may repeat a password that was typed in the wrong place.
            what = type(ask.command) if ask else Say
            logger.debug("refused: %s, %s", what.__name__, answer.code.name)
            tell = ask.on_refused if ask else None
        (tell or self._session.reply)(answer)

    async def _confide(self, request: Confidential, ask: Ask) -> None:
        await self._flush()
        with self._time_out():
            answer = await self._credentials.confide(request)
        await self._tell(answer, ask)

    async def _tell(self, answer: Outcomes | NewKey | Challenge, ask: Ask) -> None:
        if isinstance(answer, NewKey | Challenge):
            self._reply(answer, ask)
            return
        for outcome in answer:
            await self._follow(outcome, ask)
        await self._promote(ask)

    # ── operators ──────────────────────────────────────────────────────────────────────────

    async def _operate(self, operate: Operate) -> None:
        with self._time_out():
            refused = await self._credentials.may_operate(operate)
        if not refused:
            await self._flush()
            self._session.done(await self._hub.make_operator(self._subscriber, operate.name))
            await self._tell_of_reports()
            return
        self._session.reply(refused)
        if self._credentials.are_too_many:
            await self._end("too many wrong passwords", "Too many wrong passwords. Goodbye!")

    async def _tell_of_reports(self) -> None:
        for notice in await self._hub.waiting_reports(self._subscriber):
            self._reply(notice)

    def _reload(self) -> None:
        if self._subscriber.person(self._hub.chat).is_operator:
            self._shared.reload()
        else:
            self._session.reply(operators_only())

    @contextmanager
    def _time_out(self) -> Iterator[None]:
        """Stop the clocks of registration and silence: the peer is not to blame for this wait."""
        began, deadline = trio.current_time(), self._reading.deadline
        self._reading.deadline = math.inf
        try:
            yield
        finally:
            self._heard_at = now = trio.current_time()
            self._reading.deadline = deadline + now - began

    # ── the end ────────────────────────────────────────────────────────────────────────────

    async def _end(self, reason: str, last_words: str = "") -> None:
        await self._flush()
        self.finish(reason, last_words)
        await trio.lowlevel.checkpoint()  # the cancellation takes effect here

    def on_renamed(self, room: str, to: str) -> None:
        """The hub reports that a room of theirs has another name."""
        self._session.room_renamed(room, to)

    def on_lost(self) -> None:
        """The outbox reports that the peer has gone."""
        self._lost = True
        self.finish("connection lost")

    def on_slow(self) -> None:
        """The outbox reports that the peer reads too slowly."""
        limit = self._limits.outbox_bytes
        self.finish(
            "reads too slowly",
            f"You read too slowly: more than {limit} bytes were waiting. Goodbye!",
        )

    def _on_silence(self) -> None:
        limit = self._limits.registration
        self.finish("no nickname", f"You gave no nickname within {limit:g} seconds. Goodbye!")
