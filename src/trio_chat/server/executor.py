"""Carries out what one connection's session asks for, one run after the other.

Several messages may be under way while the next are read (``_ahead``, at most ``_RUN``); any other
command, and a refusal, first waits until they have been shown (``catch_up``).
"""

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NoReturn

import trio

from trio_chat.core.commands import (
    BlockAccount,
    CheckInvitation,
    ClearMetadata,
    ComeBack,
    Confidential,
    DropAccount,
    DropKey,
    EndDevice,
    Enter,
    ExplainLimits,
    Join,
    Leave,
    ListInvitations,
    LogIn,
    LogOut,
    Look,
    LookAround,
    MakeInvitation,
    OfServer,
    Operate,
    Prefer,
    Prove,
    Quit,
    Remove,
    Report,
    Request,
    Say,
    SetMetadata,
    Subscribe,
    UnblockAccount,
    UseInvitation,
    Watch,
)
from trio_chat.core.decide import Outcome, Outcomes, Told
from trio_chat.core.denials import operators_only, too_fast
from trio_chat.core.events import Arrived, Attached, Joined, Looked
from trio_chat.core.explain import explain
from trio_chat.core.names import fold
from trio_chat.core.queries import ListDevices, LookUp, Query
from trio_chat.core.realm import BLOCKS_MAX
from trio_chat.core.refusals import Code
from trio_chat.core.views import (
    AnotherNick,
    AwayReply,
    Challenge,
    NewKey,
    Notice,
    Recalled,
    Refused,
    Repeated,
    Unheard,
)
from trio_chat.core.words import also_in, parting
from trio_chat.errors import Fenced, Unavailable
from trio_chat.protocols.session import Ask, Handled, Says, Session
from trio_chat.server.audience import Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.credentials import Credentials
from trio_chat.server.lifetime import Lifetime
from trio_chat.server.pace import Pace
from trio_chat.server.passwords import identity
from trio_chat.server.prices import price
from trio_chat.server.responder import Responder
from trio_chat.server.ring import not_kept
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source
from trio_chat.server.transport import Link

logger = logging.getLogger(__name__)

# The most messages of one client that are under way: other tasks wait while they are decided and
# appended, and the client itself until they have been shown.
_RUN = 128

# Requests of which the log of accounts keeps all that comes of them.
_KEPT = SetMetadata | ClearMetadata | BlockAccount | UnblockAccount | Prefer

_NOT_NOW = "Nobody can be let in just now. Try again in a minute."
_NO_LIMITS = "There are no limits on you just now."

# Refusals after which nobody can try another nickname.
_FINAL = (Code.BANNED_FROM_CHAT, Code.LOCKED, Code.TOO_MANY_DEVICES)


class Executor(Responder):
    """Carries out what the ``session`` of a connection asks for.

    It acts for the ``subscriber``, and charges their ``source``. It does not know the connection,
    so both are free as soon as that forgets it.
    """

    __slots__ = ("_credentials", "_is_secure", "_pace", "_source", "_warned", "following")

    def __init__(
        self,
        session: Session,
        subscriber: Subscriber,
        link: Link,
        lifetime: Lifetime,
        shared: Shared,
        source: Source,
        *,
        is_secure: bool,
        is_private: bool,
        is_here: bool,
    ) -> None:
        super().__init__(session, subscriber, link, lifetime, shared)
        self.following: Sequence[Ask] = ()
        self._source, self._is_secure = source, is_secure
        self._pace = Pace(shared.settings.limits, source.lines)
        self._credentials = Credentials(
            shared, subscriber, source, is_private=is_private, is_here=is_here
        )
        self._warned: tuple[str, ...] = ()  # of whom they have blocked; no list, for most are none

    async def run(self) -> None:
        """Carry out everything that has come, and send what the session has to say."""
        while (run := self.session.next_run()) is not None:
            if isinstance(run, Says):
                await self._say(run)
                continue
            cost = self._price(run)
            if (wait := self._pace.charge(cost)) is not None:
                await self._slow_down(wait, cost)
            if isinstance(run, Ask):
                await self._do(run)
        await self.follow()

    async def follow(self) -> None:
        """Carry out what follows from what the same person does on other connections."""
        while self.following:
            first, *self.following = self.following
            await self._do(first)
        await self._flush()

    def _price(self, run: Ask | Handled) -> int:
        if isinstance(run, Ask):
            return price(self._hub.chat, self._subscriber.user_id, run.command)
        return 1

    async def _say(self, run: Says) -> None:
        """Submit messages, as many together as neither pace nor limits hold back."""
        await self._flush()
        some: list[Say] = []
        for say in run.messages:
            wait = self._pace.charge(1)
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
            await self.catch_up()
        try:
            outcomes, last = await self._hub.say(self._subscriber, says)
        except Fenced:
            await _end_unanswered()
        self._last_said = max(self._last_said, last)  # START, if nothing has come of it
        self._ahead += len(says)
        for outcome in outcomes:
            # A refusal must not overtake the messages that were said before it.
            if isinstance(outcome, Refused):
                await self.catch_up()
            if isinstance(outcome, Refused | AwayReply | Repeated):
                self._reply(outcome)

    async def _slow_down(self, wait: float, cost: int) -> None:
        """Wait for pace and turn, without reading: a flood stays where it comes from."""
        if not self._pace.is_slowed:
            self._pace.is_slowed = True
            why = self._pace.why_slow(wait, cost, is_muted=self._is_limited())
            self.session.reply(Notice(why))
            if self._source.may_note("slowed down", trio.current_time()):
                logger.info("slowed down: it writes too fast", extra={"event": "slowed-down"})
        await self._flush()
        self._ask_if_hung_up()
        await trio.sleep(wait)
        with self._lifetime.time_out():
            await self._pace.take_turn(cost, self._shared.drains)

    def _is_limited(self) -> bool:
        """Whether a ban of the server, or its lock, mutes the peer."""
        person = self._hub.chat.people.get(self._subscriber.user_id)
        return person is not None and person.limit is not None

    async def _do(self, ask: Ask) -> None:
        await self.catch_up()
        try:
            await self._carry_out(ask)
        except Fenced:
            await _end_unanswered()
        except Unavailable as error:
            if self._subscriber.user_id not in self._hub.chat.people and isinstance(
                ask.command, Enter | LogIn
            ):  # nobody knows whether they have come: they can come again
                await self._turn_away(Refused(_NOT_NOW, Code.UNAVAILABLE), "could not be let in")
            self._reply(not_kept(error), ask)

    async def _carry_out(self, ask: Ask) -> None:
        match ask.command:
            case Enter() as enter:
                await self._enter(enter, ask)
            case Quit() as quit:
                await self._quit(quit)
            case Operate() as operate:
                await self._operate(operate)
            case command if isinstance(command, OfServer):
                await self._operate_server(command, ask)
            case UseInvitation(token):
                await self._be_invited(token, ask)
            case CheckInvitation(token):
                self._reply(self._shared.admission.check(token), ask)
            case MakeInvitation() | ListInvitations() as command:
                person = self._subscriber.person(self._hub.chat)
                self._reply(self._shared.admission.answer(person, command), ask)
            case ExplainLimits(room):
                await self._explain(room, ask)
            case Watch() | Subscribe() as interest:
                self._take_interest(interest)
            case Report() if wait := self._source.complain(trio.current_time()):
                self._reply(too_fast(math.ceil(wait)), ask)
            case command if isinstance(command, _KEPT) and (
                wait := self._source.describe(trio.current_time())
            ):
                self._reply(too_fast(math.ceil(wait)), ask)
            case command if isinstance(command, Prove | Confidential):
                await self._confide(command, ask)
            case command if isinstance(command, LookUp):
                await self._look_up(command, ask)
            case ListDevices():
                await self._answer(ListDevices(self._subscriber.id), ask)
            case command if isinstance(command, Query):
                await self._answer(command, ask)
            case LookAround():
                await self._look_around(ask)
            case ComeBack(room):
                await self._come_back(room, ask)
            case EndDevice(number):
                self._reply(await self._hub.devices.end(self._subscriber, number), ask)
            case request:
                await self._submit(request, ask)

    async def _submit(self, request: Request | Remove | Report, ask: Ask) -> None:
        await self._flush()
        for outcome in await self._hub.submit(self._subscriber, request):
            if isinstance(request, Report) and isinstance(outcome, Refused):
                self._source.complained_in_vain()
            await self._follow(outcome, ask)
        if isinstance(request, LogOut | DropKey | DropAccount):
            await self._settle(ask)
            await self._see_out()

    async def _quit(self, quit: Quit) -> None:
        self._lifetime.said_goodbye = True
        self._lifetime.parting_words = quit.words
        await self.end(Ending.PEER, "quit", quit.why)

    def _take_interest(self, interest: Watch | Subscribe) -> None:
        chat, id = self._hub.chat, self._subscriber.id
        match interest:
            case Watch(nicks, on):
                (chat.watch if on else chat.unwatch)(id, nicks)
            case Subscribe(keys, on):
                (chat.subscribers.add if on else chat.subscribers.remove)(id, keys)

    async def _look_around(self, ask: Ask) -> None:
        """Let a connection look at all rooms where its owner is."""
        for room in [*self._subscriber.person(self._hub.chat).rooms]:
            await self._do(replace(ask, command=Look(self._hub.chat.name(room))))

    async def _come_back(self, otherwise: str, ask: Ask) -> None:
        """Bring somebody into the rooms where their account was, at the pace of their source."""
        rooms, here = await self._hub.rooms.places(self._subscriber)
        for room in [room for room in rooms if fold(room) not in here]:
            join = Join(room, back=True)
            cost = price(self._hub.chat, self._subscriber.user_id, join)
            await self._pace.take_turn(cost, self._shared.drains)
            await self._do(Ask(join, on_refused=self._not_back))
        if self.session.one_room and otherwise:
            last = next((room for room in reversed(rooms) if fold(room) in here), otherwise)
            await self._do(replace(ask, command=Join(last)))
        known = {*map(fold, rooms)}
        if fold(otherwise) in here and fold(otherwise) not in known and not known.isdisjoint(here):
            await self._do(Ask(Leave(otherwise)))
        if self.session.one_room:
            self._tell_hidden()

    def _tell_hidden(self) -> None:
        """Tell somebody who is shown one room at a time in which others they are."""
        chat = self._hub.chat
        person = self._subscriber.person(chat)
        device = person.device(self._subscriber.id)
        if hidden := [chat.name(room) for room in person.rooms if not device.shows(room)]:
            self.session.reply(Notice(also_in(hidden)))

    def _not_back(self, refused: Refused) -> None:
        if refused.code is not Code.ALREADY_IN_ROOM:
            self._refuse(refused)

    async def _explain(self, room: str, ask: Ask) -> None:
        """Tell the peer what it may not do in a room, or just now if none is named."""
        if room:
            await self._flush()
            limits = await self._hub.rooms.explain(self._subscriber, room)
        else:
            limits = [*self._limits_in_force()] or [_NO_LIMITS]
        self._reply(Notice("\n".join(limits)), ask)

    def _limits_in_force(self) -> Iterator[str]:
        """What the peer may not do just now, a sentence each."""
        chat = self._hub.chat
        yield from explain(chat, chat.people[self._subscriber.user_id])
        if (slowed := self._pace.in_force()) and not self._is_limited():  # or that has been said
            yield slowed

    async def _enter(self, enter: Enter, ask: Ask) -> None:
        enter = self._introduced(enter)
        await self._flush()
        with self._in_line():
            refused = await self._credentials.may_enter(enter)
        if refused:
            await self._turn_away(refused, "not let in")
        for outcome in await self._hub.arrivals.admit(self._subscriber, enter):
            if isinstance(outcome, Refused) and outcome.code in _FINAL:
                await self._turn_away(outcome, "kept out")
            if isinstance(outcome, Arrived | Attached):
                nick = outcome.nick
                logger.info("admitted as %s", nick, extra={"event": "admitted", "nick": nick})
                self._lifetime.let_in()
            await self._follow(outcome, ask)
        await self._promote(ask)
        await self._hand_over()

    def _introduced(self, enter: Enter) -> Enter:
        """What somebody says who comes in, with what is known of their connection."""
        user, name = enter.origin.user or "plain", enter.origin.name or enter.nick
        host = self._shared.cloak.host(self._link.peer)
        origin = replace(enter.origin, user=user, host=host, name=name)
        secret = identity(enter.secret) if enter.secret else ""
        return replace(
            enter, origin=origin, secret=secret, secure=self._is_secure,
            client=self.session.client, one_room=self.session.one_room,
        )  # fmt: skip

    async def _hand_over(self) -> None:
        """Show somebody who has come, or logged in, what was said to them while they were not here.

        If their connection ends before all of it has been posted, none of it was sent. A client
        that asks for it is sent it then (``_look_up``), if ever.
        """
        if self.session.dialect.asks_for_missed:
            return
        if missed := await self._hub.box.missed(self._subscriber):
            await self._flush()
            self._reply(missed)
            await self._flush()
            self._hub.box.sent(self._subscriber, missed.entries)

    async def _see_out(self) -> None:
        """End the connection of somebody whom nothing but the account they have left has let in."""
        if refused := self._credentials.outstayed():
            await self.end(Ending.ACCOUNT, "has left the account", parting(refused.why))

    async def _promote(self, ask: Ask) -> None:
        """Make an operator of the server of somebody whose account is one's."""
        await self._flush()
        if event := await self._hub.operators.promote(self._subscriber):
            await self._follow(event, ask)
            await self._tell_of_reports()

    async def _look_up(self, command: LookUp, ask: Ask) -> None:
        """Answer a look-up. As the answer may be long, those before it must have been sent first.

        So peers who ask for much get it as fast as they read, and are not taken for slow readers.
        """
        await self._flush()
        await self._until_sent()
        answer = await self._hub.look_up(self._subscriber, command)
        self._reply(answer, ask)
        if isinstance(answer, Recalled):
            await self._flush()
            await self._hub.box.recalled(self._subscriber, answer.entries)

    async def _answer(self, query: Query, ask: Ask) -> None:
        """Answer a query. Each part of a long answer goes out as it is worked out, so it fits what
        was shown before and after.
        """
        user_id, outsider = self._subscriber.user_id, self._subscriber.stand_in(self._hub.chat)
        async with self._hub.rooms.opened(self._subscriber, query):
            await self._answer_in_parts(
                self._hub.chat.answer(user_id, query, outsider=outsider), ask
            )

    async def _follow(self, outcome: Outcome | AnotherNick, ask: Ask) -> None:
        """Tell what has become of a command, and do what follows from it."""
        if isinstance(outcome, Unheard) and not self._is_news(outcome):
            return
        if isinstance(outcome, Told | AnotherNick):
            self._reply(outcome, ask)
            return
        for following in self.session.done(outcome):
            await self._do(following)
        if (
            isinstance(outcome, Joined | Looked)
            and not _is_back(outcome)
            and (told := self._credentials.tell_in(outcome.room))
        ):
            self._reply(told)

    def _is_news(self, unheard: Unheard) -> bool:
        """Whether somebody writes to this one for the first time here."""
        is_news = fold(unheard.nick) not in self._warned
        if is_news:
            self._warned = (*self._warned, fold(unheard.nick))[-BLOCKS_MAX:]
        return is_news

    async def _be_invited(self, token: str, ask: Ask) -> None:
        await self._flush()
        if told := await self._credentials.be_invited(token):
            self._reply(told, ask)
        await self._promote(ask)

    async def _confide(self, request: Prove | Confidential, ask: Ask) -> None:
        await self._flush()
        answer: Outcomes | NewKey | Challenge
        with self._in_line():
            if isinstance(request, Prove):
                answer = await self._credentials.prove(request)
            else:
                answer = await self._credentials.confide(request)
        await self._tell(answer, ask)

    async def _tell(self, answer: Outcomes | NewKey | Challenge, ask: Ask) -> None:
        if isinstance(answer, NewKey | Challenge):
            self._reply(answer, ask)
            return
        for outcome in answer:
            await self._follow(outcome, ask)
        await self._settle(ask)
        await self._promote(ask)
        if isinstance(ask.command, LogIn | Prove):
            await self._hand_over()

    async def _settle(self, ask: Ask) -> None:
        """Tell somebody who they are from now on, and then let all follow that hangs on that."""
        if self._subscriber.unsettled is not None:
            await self._flush()
            for outcome in await self._hub.settle(self._subscriber):
                await self._follow(outcome, ask)

    # ── operators ──────────────────────────────────────────────────────────────────────────

    async def _operate(self, operate: Operate) -> None:
        with self._in_line():
            refused = await self._credentials.may_operate(operate)
        if not refused:
            await self._flush()
            self.session.done(await self._hub.operators.make(self._subscriber, operate.name))
            await self._tell_of_reports()
            return
        self._refuse(refused)
        if self._credentials.are_too_many:
            await self.end(
                Ending.REFUSED, "too many wrong passwords", "Too many wrong passwords. Goodbye!"
            )

    async def _tell_of_reports(self) -> None:
        person = self._subscriber.person(self._hub.chat)
        for notice in await self._hub.archive.waiting_reports(person):
            self._reply(notice)

    async def _operate_server(self, command: OfServer, ask: Ask) -> None:
        await self._flush()
        if self._subscriber.person(self._hub.chat).is_operator:
            await self._answer_in_parts(self._shared.operate(command), ask)
        else:
            self._reply(operators_only(), ask)


def _is_back(outcome: Joined | Looked) -> bool:
    return isinstance(outcome, Joined) and outcome.back


async def _end_unanswered() -> NoReturn:
    """Wait for the end of the connection, as this node takes part in the chat no more. What has no
    answer clients send again, to another node; a refusal they would take for the last word.
    """
    await trio.sleep_forever()
