"""A connection that is reopened when it is lost, for the library and for our own front ends.

There is no task in the background: each ``step`` waits for something to come or to be sent, or
makes the next attempt to connect. So errors come out of the call. Requests without a connection go
into the ``ResumeState``, from which the next one goes on.

A chat that is at several addresses is tried at one after the other, each once in an attempt, and we
stay where we are let in. Once that connection is lost, the next attempt begins with the one after.
"""

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import inf

import trio

from trio_chat.client.backoff import STEADY, backoff
from trio_chat.client.connection import DEFAULT_ROOM, Connection, connect
from trio_chat.client.dial import Remote
from trio_chat.core.views import Notice
from trio_chat.errors import (
    CannotConnect,
    ChatError,
    ConnectionLost,
    LoginFailed,
    NotAdmitted,
    NotTrusted,
    Uninvited,
)
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import PLAIN_LOGIN, ClientSession, Message, Requests, Unlinked
from trio_chat.protocols.irc.client.offline import Offline
from trio_chat.protocols.irc.client.sasl import Account
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.irc.text import room_name
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.resume_state import ResumeState

#: Errors that somebody has to look at. A wrong password would be wrong again, and might lock the
#: account; no invitation becomes good again; and another certificate may be somebody's who waits
#: for us to come.
FINAL = (LoginFailed, NotTrusted, Uninvited)

_CLOSED = "the server closed the connection"


class ReconnectingConnection:
    """``servers`` are the addresses of the chat, at least one. ``hear`` takes the messages.
    ``goes_on_after`` tells whether to try again after an error; if not, ``step`` raises it.

    ``rooms`` are those to enter first, and ``home`` is the first of them. ``words`` are our last
    words, once given. It is ``over`` when nothing comes any more; if something has not got through
    by then, ``undelivered`` says so in a sentence.
    """

    def __init__(
        self,
        servers: Sequence[Remote],
        nick: str,
        *,
        near: bool,
        rooms: Sequence[str],
        state: ResumeState,
        hear: Callable[[Sequence[Message]], None],
        goes_on_after: Callable[[ChatError], bool],
    ) -> None:
        self.rooms, self.home = rooms, rooms[0] if rooms else ""
        self.session: ClientSession | None = None
        self.current: Connection | None = None  # with this session
        self.plain = False  # whether it is spoken
        self.been_in = False
        self.words: str | None = None
        self.over = False
        self.undelivered = ""
        self._servers = deque(servers)  # from the one where we are, or that comes next
        self._last = servers[0].address  # that has let us in, or was to
        self._nick, self._near, self._state = nick, near, state
        self._hear, self._goes_on_after = hear, goes_on_after
        self._offline = Offline(state)
        self._turn = trio.Lock()
        self._attempt = trio.CancelScope()
        self._waits, self._since, self._not_before = backoff(), inf, -inf

    @property
    def nick(self) -> str:
        """The nickname that we have now, or had last."""
        return self.session.nick if self.session else self._nick

    @property
    def is_in(self) -> bool:
        """Whether there is a connection, and the server has let us in."""
        return self.current is not None and self.current.session.admitted

    # ── what we want ───────────────────────────────────────────────────────────────────────

    @property
    def requests(self) -> Requests:
        """Takes requests; ``push`` afterwards."""
        return self.session or self._offline

    def join(self, room: str, key: str) -> None:
        """Enter a room. Where plain is spoken, it is our home from now on. Raises Unsupported."""
        self.requests.join(room, key)
        if self.plain:
            self.home = room_name(room)

    def part(self, room: str, why: str) -> None:
        """Leave a room, and have no home if it was that."""
        if self._state.names.same(room, self.home):
            self.home = ""
        self.requests.part(room, why)

    def renamed(self, room: str, to: str) -> None:
        """Note that a room has another name."""
        if self._state.names.same(room, self.home):
            self.home = to

    async def push(self) -> None:
        """Send what may be sent now; the rest goes out with the next steps. Raises ConnectionLost
        only if we do not try again: otherwise the next step notices it.
        """
        if not self.current:
            self._hear(self.requests.own_messages())
            return
        try:
            await self.current.push()
        except ConnectionLost as error:
            if not self._goes_on_after(error):
                raise

    def tell(self, messages: Sequence[Message]) -> None:
        """Hear messages of our own, and wake the reader for them."""
        self._hear(messages)
        if self.current:
            self.current.interrupt("there is something to be heard")

    @property
    def waiting(self) -> bool:
        """Whether something is queued."""
        return self.session.waiting if self.session else bool(self._state.unsent)

    @property
    def left_to_do(self) -> bool:
        """Whether something is queued, or on its way and may have to be resent."""
        return bool(self._state.unacked or self._state.unsent)

    async def finish(self, words: str) -> None:
        """Say nothing more; steps read on until it is over, and notice a connection that is lost
        now.
        """
        self.words = words
        if self.current and self.is_in:
            with suppress(ConnectionLost):
                await self.current.finish(words)
        elif not self.left_to_do:
            self.give_up("there is nothing left to be said")

    def give_up(self, why: str) -> None:
        """End it: the present step returns. ``close`` afterwards."""
        self.over = True
        self._attempt.cancel(why)

    # ── what comes ─────────────────────────────────────────────────────────────────────────

    async def step(self, done: Callable[[], bool]) -> bool:
        """Wait until something has come or happened; False if nothing comes any more.

        Callers make steps one at a time, so what one waits for may have come when it is its turn:
        ``done`` tells. Raises ChatError.
        """
        async with self._turn:
            if done():
                return True
            if self.over:
                return False
            with trio.CancelScope() as self._attempt:
                await self._read_or_connect()
            return not self.over

    async def _read_or_connect(self) -> None:
        try:
            if self.current is None:
                await trio.sleep_until(self._not_before)
                await self._connect()
            elif not await self.current.receive():
                await self._on_end(self.current)
        except (CannotConnect, ConnectionLost, NotAdmitted, NotTrusted) as error:
            goes_on = not isinstance(error, FINAL) and self._goes_on_after(error)
            left, farewell = self.left_to_do, self.session.farewell if self.session else ""
            if self.current:
                self._servers.rotate(-1)
            await self.close()
            if not goes_on:
                self.over, self.undelivered = True, str(error) if left else ""
                raise
            self._try_later(str(error), farewell)

    async def _on_end(self, connection: Connection) -> None:
        """Handle the end of a connection. Raises ConnectionLost if we go on."""
        why = connection.session.undelivered
        error = ConnectionLost(why or _CLOSED)
        if (self.words is None or why) and self._goes_on_after(error):
            raise error
        self.over, self.undelivered = True, why
        if self.words is not None:
            connection.reset()
        await self.close()

    def _try_later(self, why: str, farewell: str = "") -> None:
        """Wait before the next attempt. If the server has told its reason by a ``farewell``, that
        was heard already.
        """
        # A server that lets us in and goes at once is as good as none.
        if trio.current_time() - self._since >= STEADY:
            self._waits = backoff()
        self._since = inf
        wait = next(self._waits)
        self._not_before = trio.current_time() + wait
        self._state.lost = farewell or why
        self._hear([Unlinked(why, wait)])

    async def reconnect(self) -> None:
        """Drop the connection and try soon, or now if there is none: somebody wants it who may know
        that the server is back.
        """
        self._attempt.cancel("somebody wants another connection")
        async with self._turn:
            if self.current:
                await self.close()
                self._try_later(_CLOSED)
            else:
                self._not_before = -inf

    # ── a connection ───────────────────────────────────────────────────────────────────────

    async def _connect(self) -> None:
        """Try each address once, until one lets us in. Raises the error of the last."""
        failures: list[ChatError] = []
        again = self.been_in
        while len(failures) < len(self._servers):
            try:
                await self._connect_to(self._servers[0])
            except (LoginFailed, Uninvited):  # as we would be anywhere else
                raise
            except (CannotConnect, ConnectionLost, NotAdmitted, NotTrusted) as error:
                failures.append(error)
                self._servers.rotate(-1)
            else:
                self._tell_where(failures, again=again)
                return
        raise _of_all(failures)

    def _tell_where(self, failures: Sequence[ChatError], *, again: bool) -> None:
        """Tell which address it is, if it is another one than last time; and why not another one,
        if that is news, or for somebody to look at.
        """
        here, last = self._servers[0].address, self._last
        if here != last:
            self._last = here
            why = _whys([one for one in failures if not again or isinstance(one, NotTrusted)])
            because = f"{why[:1].upper()}{why[1:]}. " if why else ""
            self._hear([Notice(f"{because}Connected{' again,' if again else ''} to {here}.")])

    async def _connect_to(self, server: Remote) -> None:
        self.current, data = await connect(server, self._new_session, self._hear)
        try:
            await self.current.enter(data)
            self.been_in, self._since = True, trio.current_time()
            if self.words is not None:
                await self.current.finish(self.words)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        current, self.current = self.current, None
        self._nick, self.session = self.nick, None
        if current:
            await current.close()

    def _new_session(self, plain: bool) -> ClientSession:
        if not self.been_in:
            self._want_rooms(plain)
        nick = Alternates(self._nick, allowed=self._near and not self.been_in)
        server = self._servers[0]
        encoding, password = server.encoding, server.password
        account = self._account()
        if plain and account:
            raise NotAdmitted(PLAIN_LOGIN)
        if plain:
            self.session = PlainClientSession(
                nick, only_room=self.home or DEFAULT_ROOM,
                encoding=encoding, password=password, state=self._state,
            )  # fmt: skip
        else:
            self.session = IrcClientSession(
                nick, encoding=encoding, password=password, account=account, state=self._state,
                secure=server.is_private, rooms_back=server.rooms_back,
            )  # fmt: skip
        return self.session

    def _account(self) -> Account | None:
        server = self._servers[0]
        if not server.account or self._state.logged_out:
            return None
        return Account(server.account, server.account_password, secure=server.is_private)

    def _want_rooms(self, plain: bool) -> None:
        """Note our first rooms; a plain server decides which is the first, unless one is named."""
        if plain and len(self.rooms) > 1:
            raise ValueError(one_at_a_time(self.rooms))
        self.plain = self._offline.one_room = plain
        if plain and [*self.rooms] == [DEFAULT_ROOM]:
            self.rooms, self.home = (), ""
        for room in self.rooms:
            self._state.rooms.setdefault(room, (room, ""))


def _of_all(failures: Sequence[ChatError]) -> ChatError:
    """The error of an attempt in which all addresses failed. An address whose certificate is not
    trusted is passed over, as long as there is another one.
    """
    last = next((e for e in reversed(failures) if not isinstance(e, NotTrusted)), failures[-1])
    if len(failures) == 1 or isinstance(last, NotTrusted):
        return last
    return type(last)(_whys(failures), about=last.about)


def _whys(failures: Sequence[ChatError]) -> str:
    """All reasons, each once: the servers of one chat may all have the same."""
    return "; ".join(dict.fromkeys(str(error).rstrip(".") for error in failures))


def one_at_a_time(rooms: Sequence[str]) -> str:
    """Say why we cannot be in all of these rooms."""
    return f"plain is spoken there, so we can be in one room at a time, not in {', '.join(rooms)}"
