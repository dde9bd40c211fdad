"""One connection, from its first byte to its last.

The connection's task is the reader: it feeds the session, and lets an ``Executor`` carry out what
the session asks for. It ends when the peer has finished, asks to leave, or breaks a rule; then what
still waits for the peer is sent, and the link is closed.
"""

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Self

import trio

from trio_chat.core.devices import node_named, node_of
from trio_chat.core.events import Event
from trio_chat.core.room import Person
from trio_chat.core.views import ConnectionView, Notice
from trio_chat.protocols.admin import AdminSession
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.plain.server import PlainSession
from trio_chat.protocols.session import Dialect, Session
from trio_chat.protocols.sniff import Spoken
from trio_chat.server.addresses import is_among, is_local
from trio_chat.server.audience import Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.door import Entered
from trio_chat.server.executor import Executor
from trio_chat.server.lifetime import Lifetime
from trio_chat.server.opening import open_up
from trio_chat.server.outbox import Outbox
from trio_chat.server.passes import LEAVING
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source

# The time that a peer has to answer when somebody else wants its nickname, whose it is.
_ANSWER = 3.0  # seconds

# The silence between two reads after which a peer is idle. One that is not costs no new context of
# its lifetime for each read.
_BUSY = 0.1  # seconds

_DAY = 86_400  # seconds


class Connection:
    """A peer that has come in, and the person it speaks for; ``source`` is where it comes from.

    An ``outsider`` is an operator who is not in the chat. The outbox reports to it
    (``outbox.Owner``).

    Its task is in its context as long as the peer talks: ``register`` first, and until it
    ``is_over``, ``attend`` whenever it is ``readable``. At the end of the context the person
    departs, and the peer is sent what waits for it; the link is left open, and ``reason`` says why
    it ended.
    """

    __slots__ = (
        "_answered", "_entered", "_executor", "_handed_on", "_has_ended", "_hub", "_is_hearing",
        "_is_whole", "_lifetime", "_limits", "_link", "_lost", "_pinged", "_protocol",
        "_shared", "_shown", "_since", "_subscriber", "counts_for", "nick", "refusals",
    )  # fmt: skip

    def __init__(
        self,
        entered: Entered,
        shared: Shared,
        source: Source,
        *,
        user_id: str,
        outsider: Person | None = None,
    ) -> None:
        self._link, self._shared = entered.link, shared
        self._entered = entered
        self._handed_on = entered.handed_on
        self._hub = shared.hub
        self._since = self._hub.now()
        self._limits = limits = shared.settings.limits
        session = PlainSession(
            encoding=shared.settings.encoding,
            line_bytes=limits.line_bytes,
            lobby=shared.settings.server.lobby,
            question=shared.admission.question(shared.settings),
        )
        self._lifetime = Lifetime(entered.link)
        self.counts_for = None if outsider else source  # operators count for none
        self._protocol = ""  # as soon as it is known
        self.refusals = 0  # requests that were refused, once it has ended
        self.nick = ""  # the last one, once it has ended
        self._lost = self._has_ended = False
        self._shown = ""  # the id up to which the peer was shown everything, once it has departed
        self._is_whole = True  # as long as the peer is sent all that it is to be sent
        self._pinged = self._is_hearing = False
        self._answered: trio.Event | None = None  # for those who ask whether it is there
        outbox = Outbox(
            entered.link, shared.drains, self, self._hub.counts, max_bytes=limits.outbox_bytes
        )
        self._subscriber = Subscriber(
            user_id,
            outbox,
            session.dialect,
            end=self._lifetime.finish,
            source=source.name,
            outsider=outsider,
            is_there=self.is_there,
            address=entered.link.peer,
            on_renamed=self.on_renamed,
            on_done=self.on_done,
            has_all=self.has_all,
        )
        self._executor = Executor(
            session,
            self._subscriber,
            entered.link,
            self._lifetime,
            shared,
            source,
            is_secure=self._is_secure,
            is_private=self._is_private,
            is_here=self._is_here,
        )

    @property
    def is_over(self) -> bool:
        """Whether nothing more is to be heard of the peer."""
        return self._lifetime.is_over

    @property
    def ending(self) -> Ending:
        """Why it ended."""
        return self._lifetime.ending

    @property
    def reason(self) -> str:
        """Why it ended, for the log."""
        return self._lifetime.reason

    def view(self, now: float) -> ConnectionView:
        """How it stands now, for operators of the server."""
        subscriber, session = self._subscriber, self._session
        person = self._hub.chat.people.get(subscriber.user_id)
        return ConnectionView(
            int(subscriber.id.rpartition("-")[2]),
            person.nick if person else "",
            self._link.peer,
            session.protocol,
            self._is_secure,
            self._since,
            now - self._lifetime.heard_at,
            subscriber.outbox.size,
            node_named(self._hub.chat, node_of(subscriber.id)),
        )

    @property
    def _session(self) -> Session:
        return self._executor.session

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
    def _is_here(self) -> bool:
        """Whether the peer is on this machine, and no proxy, which may have come for others."""
        is_proxy = is_among(self._link.peer, self._shared.settings.server.proxies)
        return is_local(self._link.peer) and not (is_proxy or self._handed_on)

    def tell(self, notice: Notice, written: dict[Dialect, bytes]) -> None:
        """Tell the peer something, if it is somebody in the chat; ``written`` is what it is in
        each dialect in which it has been told so far.
        """
        dialect = self._subscriber.dialect
        if self._subscriber.user_id in self._hub.chat.people:
            if dialect not in written:
                written[dialect] = dialect.render(notice)
            self._subscriber.outbox.answer(written[dialect])

    def stop(self, words: str) -> None:
        """End the connection because the server stops, with these last words."""
        self._session.server_stops()
        self._lifetime.finish(Ending.STOPPED, "the server stops", words)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        is_lost = isinstance(error, trio.BrokenResourceError)
        if is_lost:
            self.on_lost()
        try:
            await self._depart()
            if error is None or is_lost:
                await self._part()
        finally:
            self.refusals, self.nick = self._session.refusals, self._subscriber.nick
            if self._protocol:
                self._hub.counts.connections[self._protocol] -= 1
            # The subscriber and its outbox know the connection. Now that it does not know them any
            # more, all of this goes at once, and not when a collector of garbage finds it.
            del self._subscriber, self._executor
        return is_lost

    async def register(self) -> None:
        """Hear what the peer says until it is let in. Raises trio.BrokenResourceError."""
        with self._lifetime:
            self._lifetime.allow(self._limits.registration)
            pieces = await self._open_up()
            self._protocol = self._session.protocol
            self._hub.counts.connections[self._protocol] += 1
            for data in pieces:
                await self._hear(data)
            while not self._lifetime.is_let_in:
                await self._link.readable()
                await self._hear(self._link.receive_now())
        if not self._lifetime.is_let_in:
            self._on_silence()

    def readable(self) -> Awaitable[None]:
        """Wait until there is something to ``attend`` to. Raises trio.BrokenResourceError."""
        return self._link.readable()

    async def attend(self) -> None:
        """Hear what has come, and what follows as long as the peer is busy. Raises
        trio.BrokenResourceError.
        """
        if self.is_over:
            return
        before = self._lifetime.heard_at
        with self._lifetime:
            await self._hear(self._link.receive_now())
            while 0 < self._lifetime.heard_at - before < _BUSY:
                before = self._lifetime.heard_at
                await self._link.readable()
                await self._hear(self._link.receive_now())

    def has_all(self) -> bool:
        """Whether the peer's system has acknowledged all that the peer was to be sent."""
        outbox = self._subscriber.outbox
        return self._is_whole and not outbox.waits and not self._link.unacknowledged()

    def _note_got(self) -> None:
        """Note, at a sign of life, what the peer has got."""
        if self._subscriber.sent and self.has_all():
            self._hub.box.got(self._subscriber)

    async def _hear_end(self) -> None:
        self._has_ended = True
        # Of a peer that can be asked, only an answer counts: another system may stand between us,
        # and end in order what it could not hand on.
        if self._link.is_direct and not self._session.has_ping:
            self._note_got()
        await self._shared.passes.wait(LEAVING)
        self._session.receive_eof()
        await self._executor.run()
        await self._executor.catch_up()
        self._lifetime.said_goodbye = True
        await self._executor.end(Ending.PEER, "closed by the peer")

    async def _depart(self) -> None:
        """Tell the others that the peer has gone. It happens even if all of this is cancelled."""
        subscriber, lifetime, departures = self._subscriber, self._lifetime, self._hub.departures
        async with departures.leaving(subscriber) as self._shown:
            seen = self._shown if lifetime.said_goodbye and not subscriber.outbox.waits else ""
            try:
                await self._shared.passes.wait(LEAVING)
            finally:
                await departures.depart(
                    subscriber, lifetime.reason, lifetime.parting_words, seen=seen
                )

    async def _part(self) -> None:
        """Say the last words, and end our side of the link."""
        outbox = self._subscriber.outbox
        self._session.farewell(self._lifetime.last_words, self._lifetime.refused)
        await outbox.finish(self._session.data_to_send())
        if not self._lost:
            if not outbox.waits:
                self._hub.departures.all_read(self._subscriber, self._shown)
            has_answered = await self._link.finish()
            if not self._has_ended and (has_answered or self._lifetime.said_goodbye):
                self._note_got()

    async def _hear(self, data: bytes | None) -> None:
        """Carry out what has come: bytes, nothing (None), or the peer's end (empty); and what
        follows from what the same person does elsewhere.
        """
        if data is None or self._executor.following:
            await self._executor.follow()  # first, as that was before
        if data is None:
            return
        if not data:
            await self._hear_end()
            return
        now, passes = trio.current_time(), self._shared.passes
        if passes.is_full(now):
            await passes.wait()
            now = trio.current_time()
        self._lifetime.heard_at, self._pinged, self._is_hearing = now, False, True
        if self._answered is not None:
            self._answered.set()
            self._answered = None
        self._note_got()
        executor = self._executor
        executor.session.receive_data(data)
        await executor.run()
        self._is_hearing = False

    async def is_there(self) -> bool:
        """Ask the peer whether it is still there, or its system if its protocol has no question.

        One that is busy with us is there.
        """
        if self._is_hearing:
            return True
        if not self._executor.ping():
            return await self._link.answers(_ANSWER)
        if self._answered is None:
            self._answered = trio.Event()
        answered = self._answered
        with trio.move_on_after(_ANSWER):
            await answered.wait()
        return answered.is_set()

    def look_after(self, now: float) -> None:
        """Send a PING to a peer that has long been silent, or give it up; called now and then."""
        silent = now - self._lifetime.heard_at
        if silent > _BUSY and self._lifetime.is_entered:
            self._link.wake()  # to wait outside
        if self._pinged and silent > 2 * self._limits.ping:
            reason = f"Ping timeout: {silent:.0f} seconds"
            self._lifetime.finish(Ending.PING, reason, "You did not answer a PING.")
        elif not self._pinged and silent > self._limits.ping:
            self._pinged = self._executor.ping()

    def _on_silence(self) -> None:
        limit = self._limits.registration
        words = f"You gave no nickname within {limit:g} seconds. Goodbye!"
        self._lifetime.finish(Ending.SILENT, "no nickname", words)

    # ── its first bytes ────────────────────────────────────────────────────────────────────

    async def _open_up(self) -> Sequence[bytes]:
        """Find out which protocol the peer speaks; returns what it has said."""
        outbox, entered, executor = self._subscriber.outbox, self._entered, self._executor
        del self._entered
        if (source := self.counts_for) is None:
            executor.session = AdminSession(self._limits.line_bytes)
            self._lifetime.let_in()
            return (entered.first,)
        opened = await open_up(
            entered, self._shared.settings, lambda: outbox.answer(executor.session.greeting())
        )
        if opened.asks_for_page and (page := self._shared.page):
            irc = IrcSession(self._shared.irc, self._hub.clock, private=self._is_private)
            forwarded = self._handed_on is not None
            executor.session = page.session(
                irc,
                self._hub.clock,
                secure=self._is_secure,
                local=is_local(self._link.peer) and not forwarded,
                forwarded=forwarded,
                is_full=partial(self._shared.sources.is_full, source),
            )
        elif opened.refusal:
            outbox.answer(opened.asked + opened.refusal)
            await executor.end(Ending.REFUSED, f"speaks {opened.spoken.name}")
        elif opened.spoken is Spoken.IRC:
            outbox.answer(opened.asked)
            executor.session = IrcSession(
                self._shared.irc, self._hub.clock, sts=self._sts(), private=self._is_private
            )
        return opened.pieces

    def _sts(self) -> str:
        """The value of the capability by which a client learns to speak TLS from now on."""
        duration = self._shared.settings.tls.sts_days * _DAY
        if not duration or is_local(self._link.peer):
            return ""
        return f"duration={duration}" if self._is_secure else f"port={self._shared.port}"

    # ── what others report ─────────────────────────────────────────────────────────────────

    def on_renamed(self, room: str, to: str) -> None:
        """The hub reports that a room of theirs has another name."""
        self._session.room_renamed(room, to)

    def on_done(self, event: Event) -> None:
        """The hub reports what the same person has done on another connection."""
        executor = self._executor
        executor.following = [*executor.following, *executor.session.done_elsewhere(event)]
        self._link.wake()  # to send what the session says to it as well

    def on_lost(self) -> None:
        """The outbox reports that the peer has gone."""
        self._lost, self._is_whole = True, False
        self._lifetime.finish(Ending.PEER, "connection lost")

    def on_slow(self) -> None:
        """The outbox reports that the peer reads too slowly."""
        self._is_whole, limit = False, self._limits.outbox_bytes
        self._session.overruns()
        self._lifetime.finish(
            Ending.SLOW,
            "reads too slowly",
            f"You read too slowly: more than {limit} bytes were waiting. Goodbye!",
        )
