"""The client as a library: a chat in many rooms that survives lost connections.

There is no task in the background. A call that waits for something reads, or reconnects, one at a
time: the iteration, a ``say``, a ``history``. So errors come out of the call, and everything is
cancelled with the caller's own tasks.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import KW_ONLY, dataclass, field, fields
from math import inf
from typing import Literal

import trio

from trio_chat.client.connection import DEFAULT_ROOM, Connection
from trio_chat.client.dial import Remote
from trio_chat.client.members import Members
from trio_chat.client.reconnecting import ReconnectingConnection, one_at_a_time
from trio_chat.client.tls import uses_tls
from trio_chat.core.events import RoomRenamed, Said
from trio_chat.core.fact import fact
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, Unsupported
from trio_chat.protocols.client import (
    Earlier,
    Happening,
    Member,
    PageEnd,
    Stamped,
)
from trio_chat.protocols.client import Message as Told
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, room_name
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import check_token
from trio_chat.settings.checks import (
    check_account,
    check_encoding,
    check_key,
    check_nick,
    check_password,
    check_room,
)
from trio_chat.settings.pins import each_pin, read_pins
from trio_chat.settings.places import check_addresses, check_other, check_place, each_address

_ARRIVE_TIMEOUT = 30.0  # seconds; until we know which rooms have let us in

# Messages that nobody has taken yet. A program that never iterates loses the older half, and is
# told so: waiting for it would be for ever.
_HEARD_MAX = 10_000

_LEAVE_TIMEOUT = 10.0  # seconds; a room of the tutorial's without a pause must not keep us

_TOO_MUCH = f"Messages are missing here: more than {_HEARD_MAX:,} were waiting."

_ENDED = "the chat has ended"


@fact
class Incoming(Stamped):
    """A message said just now, or while we were cut off: it can be answered."""

    _: KW_ONLY
    chat: "Chat" = field(repr=False, compare=False)

    async def reply(self, text: str) -> None:
        """Say ``text`` where this was said: in the room, or in private to its sender. As
        ``Chat.say``.
        """
        own = self.nick == self.chat.nick  # from another program of ours
        await self.chat.say(text, to=self.room or (self.to if own else self.nick))


#: What comes out of the iteration.
Message = Incoming | Happening


@dataclass(eq=False)
class _Page:
    """A page of history, ``asked_of`` a connection; dropped once nobody ``waits`` for it."""

    target: str
    asked_of: Connection | None = None
    found: list[Stamped] = field(default_factory=list)
    over: bool = False
    waits: bool = True


class Chat:
    """A chat that we are in; get one from ``open_chat``.

    Iterate over it for messages. What others say is Incoming; what was said before we came is
    wrapped in Earlier. Our own texts come as Sent, and later as Acknowledged or Failed. One task
    may iterate, a second one gets trio.BusyResourceError; any number may say something. An IRC
    server may drop a program that neither iterates nor says anything for minutes. If 10,000
    messages wait, the older half is dropped, and a Notice in its place says so.
    """

    def __init__(
        self,
        servers: Sequence[Remote],
        nick: str,
        *,
        near: bool = False,
        rooms: Sequence[str] = (),
        retry: bool = False,
        state: ResumeState,
    ) -> None:
        self._state, self._retry = state, retry
        self._connection = ReconnectingConnection(
            servers, nick, near=near, rooms=rooms, state=state, hear=self._hear,
            goes_on_after=self._goes_on_after,
        )  # fmt: skip
        self._members = Members(state.names)
        self._iterating = False
        self._pages: list[_Page] = []

    # ── what is known ──────────────────────────────────────────────────────────────────────

    @property
    def nick(self) -> str:
        """The nickname that we have now, or had last."""
        return self._connection.nick

    @property
    def room(self) -> str:
        """The room that ``say`` uses if no target is given: the first that we wanted to be in, or
        else the first that we are in; empty if there is none. Where plain is spoken, the one that
        we are in.
        """
        if self._connection.home:
            return self._connection.home
        here = self._connection.session.room if self._connection.session else ""
        return here or next((name for name, _ in self._state.rooms.values()), "")

    def members(self, room: str | None = None) -> Sequence[Member]:
        """The people in a room, as far as they are known; without one, in ``Chat.room``. Raises
        ValueError if nothing can be called ``room``.
        """
        return self._members.of(self.room if room is None else room_name(_check_target(room=room)))

    @property
    def unsaid(self) -> int:
        """How many of our messages were refused, may be lost, or wait to be said."""
        return len(self._state.failed) + len(self._state.unacked) + self._state.unsaid

    # ── what we say and do ─────────────────────────────────────────────────────────────────

    async def say(
        self, text: str, to: str | None = None, *, action: bool = False, token: str = ""
    ) -> None:
        """Say ``text`` to a room or a person; without either, in ``Chat.room``. To answer a
        message, use its ``reply``: in private it has no room. Several lines are one message if the
        server takes that, else one each.

        Returns when all of it has been sent: that takes a while if much of what was said before has
        not arrived yet, if the server does not want more at once, or if the connection is lost and
        is tried again. What comes in the meantime waits to be iterated over. If this is cancelled,
        it is said all the same, as long as somebody iterates.

        ``token`` is its name in Sent, Acknowledged and Failed: 16 to 56 ASCII letters, digits,
        ``-`` or ``_`` that nobody guesses, or random ones if it is empty. A second line, or the
        rest of a long one, has the token ``<token>-2`` and so on. Of several messages with the same
        token, trio-chat shows only the first.

        Raises ValueError if nothing can be called ``to`` or ``token``, Unsupported if we are in no
        room or nothing could be seen of the text, and ConnectionLost.
        """
        _check_texts(text=text, token=token)
        target = self._here() if to is None else _check_target(to=to)
        if token:
            check_token(token)
        if not text.strip() or is_invisible(text):
            raise Unsupported(INVISIBLE)
        self._connection.requests.say_to(target, text, action, token)
        await self._send()

    def _here(self) -> str:
        if not self.room:
            raise Unsupported("You are not in a room.")
        return self.room

    async def tell(self, nick: str, text: str) -> None:
        """Say ``text`` to one person only. Raises ValueError if nobody can be called ``nick``."""
        _check_texts(nick=nick, text=text)
        if is_room(nick) or not nick:
            raise ValueError(f"{nick!r} cannot be a nickname")
        await self.say(text, to=nick)

    async def resend(self, token: str) -> None:
        """Resend a text that has failed."""
        _check_texts(token=token)
        self._connection.requests.resend(token)
        await self._send()

    async def join(self, room: str, key: str = "") -> None:
        """Enter one more room. Whether we are in, and if not, why, comes out of the iteration.
        Where plain is spoken, this leaves the room that we are in.

        Raises ValueError if this can be no room, or no key of one; Unsupported if we are there.
        """
        _check_texts(room=room, key=key)
        check_room(room)
        check_key(key)
        self._connection.join(room, key)
        await self._send()

    async def part(self, room: str, why: str = "") -> None:
        """Leave a room."""
        _check_texts(room=room, why=why)
        self._connection.part(room_name(check_room(room)), why)
        await self._send()

    async def history(
        self, room: str | None = None, *, limit: int = 50, before: str = ""
    ) -> Sequence[Stamped]:
        """Fetch the last messages in a room, or with a person, before the one with the id
        ``before``: the oldest first, at most ``limit``, and no more than the server gives at once
        (200, if it is trio-chat). Without a room, those of ``Chat.room``.

        Waits for the answer, also over a lost connection if that is tried again; what comes in the
        meantime waits to be iterated over. Empty where the server keeps nothing, and where plain is
        spoken. Raises ConnectionLost, Unsupported if we are in no room, and ValueError if nothing
        can be called ``room`` or ``limit`` is less than 1.
        """
        _check_texts(before=before)
        if not isinstance(limit, int) or isinstance(limit, bool):
            raise TypeError(f"limit is a number (int), not {_kind(limit)}")
        if limit < 1:
            raise ValueError(f"limit is 1 or more, not {limit}")
        page = _Page(self._here() if room is None else _check_target(room=room))
        self._pages.append(page)
        try:
            while not page.over:
                if self._may_ask(page):
                    await self._ask(page, limit, before)
                if not await self._go_on(lambda: page.over or self._may_ask(page)):
                    raise ConnectionLost(_ENDED)
        finally:
            page.waits = False
        return page.found

    def _may_ask(self, page: _Page) -> bool:
        """Whether to ask on this connection; once on each."""
        return self._connection.is_in and page.asked_of is not self._connection.current

    async def _ask(self, page: _Page, limit: int, before: str) -> None:
        page.asked_of, page.found = self._connection.current, []
        self._connection.requests.history(page.target, before, limit)
        await self._connection.push()

    async def command(self, line: str, target: str | None = None) -> None:
        """Do one of the commands that /help lists, in a room or to a person; without either, in
        ``Chat.room``. Its answer, or what is wrong with it, comes out of the iteration.
        Raises ValueError if ``line`` does not begin with a slash, or nothing can be called
        ``target``.
        """
        _check_texts(line=line)
        if not line.startswith("/"):
            raise ValueError(f"a command begins with a slash, not as {line[:20]!r}")
        target = self.room if target is None else _check_target(target=target)
        self._connection.requests.command(line, target)
        await self._send()

    async def typing(self, target: str, active: bool) -> None:
        """Tell the others in a room, or a person, that we are typing, or have stopped. Raises
        ValueError if nothing can be called ``target``.
        """
        self._connection.requests.typing(_check_target(target=target), active)
        await self._send()

    async def mark_read(self, target: str, time: str) -> None:
        """Note that all has been read up to this time (ISO 8601); without one, ask up to when: that
        comes as MarkedRead. Raises ValueError if nothing can be called ``target``.
        """
        _check_texts(time=time)
        self._connection.requests.mark_read(_check_target(target=target), time)
        await self._connection.push()

    async def away(self, text: str) -> None:
        """Say that we are away; without a text, that we are back. Raises Unsupported where plain is
        spoken.
        """
        _check_texts(text=text)
        self._connection.requests.away(text)
        await self._send()

    async def raw(self, line: str) -> None:
        """Send a line of IRC as it is. Raises Unsupported where plain is spoken, and while there is
        no connection.
        """
        _check_texts(line=line)
        self._connection.requests.raw(line)
        await self._send()

    async def finish(self, words: str = "") -> None:
        """Say nothing more. The iteration goes on with what is still to come, and then ends.

        ``words`` are what the others are told as we leave, if the protocol has a place for them.
        """
        _check_texts(words=words)
        await self._connection.finish(words)

    # ── what comes ─────────────────────────────────────────────────────────────────────────

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        if self._iterating:
            raise trio.BusyResourceError("another task iterates over the chat")
        heard, self._iterating = self._state.heard, True
        try:
            while not heard:
                if not await self._go_on(lambda: bool(heard)) and not heard:
                    raise StopAsyncIteration
        finally:
            self._iterating = False
        message = heard.popleft()
        return self._incoming(message) if isinstance(message, Said) else message

    def _incoming(self, said: Said) -> Incoming:
        values = {f.name: getattr(said, f.name) for f in fields(said)}
        return Incoming(**values, chat=self)

    def _hear(self, messages: Sequence[Told]) -> None:
        for message in messages:
            self._members.update(message)
            if isinstance(message, RoomRenamed):
                self._connection.renamed(message.room, message.to)
            if not self._is_of_page(message):
                self._state.heard.append(message)
        self._drop_some()

    def _drop_some(self) -> None:
        heard = self._state.heard
        if len(heard) > _HEARD_MAX:
            while len(heard) > _HEARD_MAX // 2:
                heard.popleft()
            heard.appendleft(Notice(_TOO_MUCH))

    def _is_of_page(self, message: Told) -> bool:
        """Whether somebody has asked for it, and so it is none of the iteration."""
        match message:
            case Earlier(said, time, asked=True):
                target = said.room or (said.to if said.nick == self.nick else said.nick)
                if page := self._page(target):
                    page.found.append(_stamped(said, time))
                return page is not None
            case PageEnd(target):
                if page := self._page(target):
                    page.over = True
                    self._pages.remove(page)
                return page is not None
        return False

    def _page(self, target: str) -> _Page | None:
        """The one of which the next answer about this is."""
        same = self._state.names.same
        self._pages = [p for p in self._pages if p.waits or p.asked_of is self._connection.current]
        asked = (p for p in self._pages if p.asked_of and p.asked_of is self._connection.current)
        pages = (p for p in asked if same(p.target, target))
        return next(pages, None)

    # ── the connection ─────────────────────────────────────────────────────────────────────

    async def _send(self) -> None:
        """Return when all of ours is sent. Raises ConnectionLost."""
        await self._connection.push()
        while self._connection.waiting:
            if not await self._go_on(lambda: not self._connection.waiting):
                raise ConnectionLost(_ENDED)

    async def _go_on(self, done: Callable[[], bool]) -> bool:
        """Make a step. A connection that is lost once all is said is no error if we could have
        another one.
        """
        try:
            return await self._connection.step(done)
        except ConnectionLost:
            if self._comes_back and self._is_done:
                return False
            raise

    def _goes_on_after(self, error: ChatError) -> bool:
        return self._comes_back and not self._is_done

    @property
    def _comes_back(self) -> bool:
        """A server that has never let us in will not do so the next time."""
        return self._retry and self._connection.been_in

    @property
    def _is_done(self) -> bool:
        return self._connection.words is not None and not self._connection.left_to_do

    async def _arrive(self) -> None:
        """Connect, and wait until it is known where we are. Raises ChatError."""
        self._state.required = self._connection.rooms
        await self._go_on(lambda: False)
        self._state.required = ()  # from now on it is told if we are out of one
        with trio.move_on_after(_ARRIVE_TIMEOUT):
            while not self._has_arrived() and await self._go_on(self._has_arrived):
                pass

    def _has_arrived(self) -> bool:
        return self._connection.session is not None and self._connection.session.arrived

    async def _leave(self) -> None:
        """Let the server have all that we said. What is heard meanwhile stays in the ``state``, for
        a program that comes back.
        """
        if self._connection.words is None and not self._connection.over:
            await self.finish()
        # trio-chat ends the connection once it has read all of ours, however slowly it lets us.
        framed = self._connection.session is None or self._connection.session.framed
        with trio.move_on_after(inf if framed else _LEAVE_TIMEOUT):
            while await self._go_on(lambda: False):
                pass
        if why := self._connection.undelivered:
            raise ConnectionLost(why)


def open_chat(
    host: str = "127.0.0.1",
    port: int = 55555,
    *,
    others: Sequence[str] = (),
    nick: str,
    near: bool = False,
    encoding: str = "utf-8",
    protocol: Literal["auto", "plain", "irc"] = "auto",
    rooms: Sequence[str] = (DEFAULT_ROOM,),
    tls: Literal["auto", "on", "off"] = "auto",
    pin: str = "",
    password: str = "",
    account: str = "",
    account_password: str = "",
    retry: bool = False,
    state: ResumeState | None = None,
) -> AbstractAsyncContextManager[Chat]:
    """Connect to a chat server and enter ``rooms`` under a nickname; leave at the end of the block.
    If it is ``near``, it need not be that one: a similar one is taken if somebody has it.

    ``host`` is a name, an address, or ``unix:PATH``. ``others`` are more addresses of the same
    chat, as HOST, HOST:PORT or [IPV6]:PORT, each without a port with that of the first. They are
    tried in turn when a connection cannot be made; with ``retry`` also when it is lost. Then a
    Notice tells at which of them we are. ``protocol`` is what to speak: found out by
    listening for a moment, unless it is said. Where plain is spoken one is in one room at a time,
    and the server decides which is the first, unless it is another one than ``#lobby``.

    ``tls`` is whether to speak TLS: with every server but those on this machine (``auto``), or
    ``on`` or ``off``.
    ``pin`` is the SHA-256 of the server's certificate (hexadecimal digits or base64): then it is
    that one and no other. Without, it has to be one that this system trusts. With ``others`` it is
    one pin for all, or one for each with commas between them.

    ``password`` is the server's, if it has one, or an invitation. ``account`` is ours there, to
    which we log in with ``account_password`` before anybody sees us (SASL, on IRC). The password
    itself is sent only over TLS or to this machine, if at all; a proof that we know it does
    elsewhere.

    With ``retry``, a connection that is lost is tried again, for ever and ever more rarely, by who
    waits for something: the iteration goes on. It tells Unlinked, and then what was said meanwhile,
    each message once and in order, as far as an IRC server keeps it. What we had to say is said:
    with trio-chat all of it arrives, and nothing twice. With other servers, and where plain is
    spoken, what may not have arrived is Failed. Without it, the iteration ends when the server
    closes the connection, and with ConnectionLost when it is lost.

    What fails at first is raised, also with ``retry``: CannotConnect, NotTrusted (another
    certificate; also later, since it is not tried again), NotAdmitted (the nickname is
    taken, the server is full, a room does not let us in, or does not answer within 30 seconds),
    LoginFailed and Uninvited (each a NotAdmitted that is raised later, too, since it is not tried
    again),
    ConnectionLost; and ValueError or TypeError, at once, if an argument can be right for no server.
    Several rooms where plain is spoken are a ValueError once that is known.

    If the block ends well, all that was said has reached the server when this returns: with
    ``retry`` that may take until there is a server again. Without it, this raises ConnectionLost if
    the server ends the chat before that.

    ``state`` is for programs that end and come back: with the same one, the next chat goes on where
    this one has ended, as over a lost connection. One chat at a time may have it: a
    second one is a ValueError as its block begins.
    """
    _check_texts(host=host, nick=nick, encoding=encoding, password=password)
    _check_texts(account=account, account_password=account_password, pin=pin)
    if not isinstance(state, ResumeState | None):
        raise TypeError(f"state is a ResumeState or None, not {_kind(state)}")
    check_place(host, port)
    check_nick(nick)
    try:
        check_encoding(encoding)
    except ValueError as error:
        raise ValueError(f"encoding {encoding!r}: {error}") from None
    check_password(password)
    _check_account(account, account_password)
    pin = _check_pin(pin)
    if tls not in ("auto", "on", "off"):
        raise ValueError(f"tls {tls!r} is none of auto, on, off")
    if protocol not in ("auto", "plain", "irc"):
        raise ValueError(f"protocol {protocol!r} is none of auto, plain, irc")
    names = _check_rooms(rooms)
    if protocol == "plain" and len(names) > 1:
        raise ValueError(one_at_a_time(names))
    addresses = each_address(host, port, _check_others(others))
    servers = [
        Remote(
            at.host, at.port, encoding=encoding, protocol=protocol,
            tls=uses_tls(tls, at, its_pin), pin=its_pin, password=password,
            account=account, account_password=account_password,
        )
        for at, its_pin in zip(addresses, each_pin(pin, len(addresses)), strict=True)
    ]  # fmt: skip
    # Who does not come back need not be known again: a room would be kept for them in vain.
    known = state or (ResumeState() if retry else ResumeState(secret=""))
    return _open(Chat(servers, nick, near=near, rooms=names, retry=retry, state=known))


@asynccontextmanager
async def _open(chat: Chat) -> AsyncIterator[Chat]:
    with chat._state.lent():
        try:
            await chat._arrive()
            yield chat
            await chat._leave()
        finally:
            await chat._connection.close()


def _check_pin(pin: str) -> str:
    try:
        return read_pins(pin)
    except ValueError as error:
        raise ValueError(f"pin {pin!r}: {error}") from None


def _check_others(others: object) -> Sequence[str]:
    if isinstance(others, str) or not isinstance(others, Iterable):
        raise TypeError(f"others is a list of texts (str), not {_kind(others)}")
    written = list(others)
    for other in written:
        _check_texts(others=other)
    try:
        return check_addresses(tuple(map(check_other, written)))
    except ValueError as error:
        raise ValueError(f"others {written!r}: {error}") from None


def _check_account(account: str, password: str) -> None:
    if bool(account) != bool(password):
        raise ValueError("account and account_password need each other")
    if account:
        check_account(account)
    check_password(password)


def _check_rooms(rooms: object) -> Sequence[str]:
    if isinstance(rooms, str) or not isinstance(rooms, Iterable):
        raise TypeError(f"rooms is a list of texts (str), not {_kind(rooms)}")
    names = list(rooms)
    for name in names:
        _check_texts(room=name)
    return [room_name(check_room(name)) for name in names]


def _check_target(**given: str) -> str:
    """A room or a person. Raises ValueError; above all for the room of a private message, which
    is empty: to speak in another room instead would publish the answer.
    """
    _check_texts(**given)
    [(name, target)] = given.items()
    if not target:
        raise ValueError(f"{name} is empty; to answer a message, use its reply()")
    if len(target.split()) != 1 or "," in target or target.startswith(":"):
        kind = "room" if is_room(target) else "nickname"
        raise ValueError(f"{name} {target!r} cannot be a {kind}: that is one word without commas")
    return target


def _check_texts(**values: object) -> None:
    """Raises TypeError; it does not show the value, which may be a password."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is a text (str), not {_kind(value)}")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _stamped(said: Said, time: str) -> Stamped:
    if isinstance(said, Stamped):
        return said
    return Stamped(said.room, said.nick, said.text, action=said.action, to=said.to, time=time)
