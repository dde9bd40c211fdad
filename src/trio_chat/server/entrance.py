"""Lets connections in, and sees them off: who is kept out is told why, and all is logged."""

import logging
from contextlib import suppress

import trio

from trio_chat.core.limits import refuse_banned
from trio_chat.core.views import Refused
from trio_chat.protocols.forwarded import may_be_request
from trio_chat.server.connection import Connection
from trio_chat.server.counts import Ending
from trio_chat.server.door import Door, Entered, Introduced, NoEntry
from trio_chat.server.draining import Draining
from trio_chat.server.health import Health
from trio_chat.server.service import operator, turn_away
from trio_chat.server.shared import Shared
from trio_chat.server.sources import Source
from trio_chat.server.transport import Link, SocketLink

logger = logging.getLogger(__name__)

# So many are told at a time that there is no place for them; all others are closed without a word.
_TURNED_AWAY = 100


class Entrance:
    """Lets links in by the ``door``, as far as bans, limits and ``draining`` allow. ``health``
    answers those who ask at the operators' socket how the server is.
    """

    def __init__(self, door: Door, draining: Draining, shared: Shared, health: Health) -> None:
        self._door, self._draining = door, draining
        self._shared, self._health = shared, health
        self._turned_away = 0  # connections that are being told why

    def shut(self) -> None:
        """Let nobody in any more: the server stops."""
        self._draining.forget()
        self._door.shut()

    async def let_in(self, link: Link, user_id: str) -> Connection | None:
        """Let a link in, and count it for its source; None if there is no way in for it."""
        if (introduced := await self._introduce(link)) is None:
            return None
        source = self._shared.sources.of(link.peer, trio.current_time())
        if refused := self._refused(link):
            over_tls = source.may_be_told(trio.current_time())
            await self._turn_away(link, introduced.first, source, refused, over_tls=over_tls)
            return None
        if why_not := self._shared.sources.enter(source, trio.current_time()):
            await self._turn_away(link, introduced.first, source, why_not)
            return None
        connection = None
        try:
            connection = await self._enter(link, introduced, source, user_id)
        finally:
            if not connection:
                self._shared.sources.leave(source, trio.current_time())
        return connection

    def _refused(self, link: Link) -> Refused | None:
        """Why nobody who comes from there, or at all, is let in just now."""
        chat = self._shared.hub.chat
        if ban := chat.realm.bans.at_door(link.peer):
            return refuse_banned(chat, ban)
        return self._draining.refusal()

    async def let_operator_in(self, link: SocketLink, user_id: str) -> Connection | None:
        """Let somebody in by the operators' socket, however many others there are. Whoever asks
        there how the server is gets an answer, and no line in its log.
        """
        person = operator(link.uid, self._shared.settings.irc.server_name, user_id)
        if person is None:
            await turn_away(link)
            return None
        try:
            first = await self._door.first(link)
        except (NoEntry, trio.BrokenResourceError):
            return None
        if may_be_request(first):
            await self._health.answer(link, first)
            return None
        user = person.origin.user
        logger.info(
            "connected to the operators' socket: %s",
            user,
            extra={"event": "admin-connected", "audit": True, "user": user},
        )
        source, entered = Source(link.peer, self._shared.settings.limits), Entered(link, first)
        return Connection(entered, self._shared, source, user_id=user_id, outsider=person)

    async def _introduce(self, link: Link) -> Introduced | None:
        """Learn where a connection comes from; None if a proxy does not say."""
        try:
            return await self._door.introduce(link)
        except (NoEntry, trio.BrokenResourceError) as why:
            now = trio.current_time()
            if self._shared.sources.of(link.peer, now).may_report(now):
                logger.warning(
                    "turned away the proxy %s: %s",
                    link.peer,
                    why,
                    extra={"event": "proxy-refused", "peer": link.peer, "reason": str(why)},
                )
            return None

    async def _enter(
        self, link: Link, introduced: Introduced, source: Source, user_id: str
    ) -> Connection | None:
        """Bring a link through the door; None if that fails."""
        try:
            entered = await self._door.enter(link, self._shared.settings, introduced)
        except (NoEntry, trio.BrokenResourceError) as why:
            if source.may_note("not connected", trio.current_time()):
                logger.info(
                    "not connected from %s: %s",
                    link.peer,
                    why,
                    extra={"event": "not-connected", "peer": link.peer, "reason": str(why)},
                )
            return None
        logger.info(
            "connected from %s%s",
            link.peer,
            entered.how,
            extra={"event": "connected", "peer": link.peer},
        )
        return Connection(entered, self._shared, source, user_id=user_id)

    async def _turn_away(
        self,
        link: Link,
        first: bytes,
        source: Source,
        refused: Refused,
        *,
        over_tls: bool = False,
    ) -> None:
        self._shared.hub.counts.refused[refused.code] += 1
        if source.may_report(trio.current_time()):
            logger.warning(
                "turned away %s: %s",
                link.peer,
                refused.why,
                extra={"event": "turned-away", "peer": link.peer, "reason": refused.why},
            )
        self._turned_away += 1
        try:
            if self._turned_away <= _TURNED_AWAY:
                with suppress(NoEntry, trio.BrokenResourceError):
                    await self._door.refuse(
                        link, refused, self._shared.settings, first, over_tls=over_tls
                    )
        finally:
            self._turned_away -= 1

    def see_off(self, connection: Connection) -> None:
        """Count and log that a connection has ended."""
        if connection.counts_for:
            self._shared.sources.leave(connection.counts_for, trio.current_time())
        self._shared.hub.counts.endings[connection.ending] += 1
        reason, nick = connection.reason, connection.nick
        if connection.ending is Ending.SLOW:
            most = self._shared.settings.limits.outbox_bytes
            logger.warning(
                "too slow: more than %d bytes were waiting for %s",
                most,
                nick or "a peer",
                extra={"event": "too-slow", "nick": nick, "bytes": most},
            )
        logger.info(
            "disconnected: %s (%d requests refused)",
            reason,
            connection.refusals,
            extra={"event": "disconnected", "nick": nick, "reason": reason},
        )
