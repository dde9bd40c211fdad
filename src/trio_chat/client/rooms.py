"""A client in many rooms as a program: a front end, and a chat that is kept up.

Messages go one way and intents the other, in bounded memory channels. A text that is said while
there is no connection waits for the next one, as what was on its way when the last was lost.
"""

import math
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import fields
from typing import Protocol

import trio

from trio_chat.client.backoff import STEADY, backoff
from trio_chat.client.connection import (
    DEFAULT_ROOM,
    Connection,
    Server,
    irc_session,
    open_connection,
    plain_session,
)
from trio_chat.client.intents import (
    AskHistory,
    Intent,
    JoinRoom,
    MarkRead,
    PartRoom,
    Quit,
    Resend,
    RunCommand,
    SayTo,
    SendRaw,
    SetAway,
    SetTyping,
)
from trio_chat.core.events import Notice
from trio_chat.errors import CannotConnect, ChatError, ConnectionLost, NotAdmitted, Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import ClientSession, Message, Requests, Unlinked
from trio_chat.protocols.irc.client.offline import Offline
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.settings import Settings, check_key, check_room

# Intents that have not been dealt with. Then the front end waits, or does not take more.
_INTENTS = 1000

# Messages that have come and are not shown yet. Then the server waits, and in the end counts us
# among those that read too slowly.
_MESSAGES = 1000

#: How long a person waits to be let go. What does not get through by then stays in the
#: ``ResumeState``.
LEAVE_TIMEOUT = 10.0  # seconds


class RoomsFrontEnd(Protocol):
    """What the person or program at our side sees and wants."""

    async def run(
        self,
        messages: trio.MemoryReceiveChannel[Message],
        intents: trio.MemorySendChannel[Intent],
    ) -> None:
        """Show messages until their channel is closed. To send Quit, or to close ``intents``, ends
        the chat.
        """
        ...


async def talk_in_rooms(
    settings: Settings,
    nick: str,
    front_end: RoomsFrontEnd,
    state: ResumeState | None = None,
    *,
    patience: float = LEAVE_TIMEOUT,
) -> None:
    """Chat until the front end ends it. Raises ChatError if the server does not let us in at all;
    after that a connection is tried again and again. What could not be sent stays in the ``state``.

    ``patience`` is how many seconds the last words may take, with all that is to be said before
    them. Without an end to it, and with ``client.retry``, a connection that is cut before that is
    opened again: for what is left to be said, and what others have said meanwhile.
    """
    intents_to, intents = trio.open_memory_channel[Intent](_INTENTS)
    messages, messages_of = trio.open_memory_channel[Message](_MESSAGES)
    failed: ChatError | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, front_end, messages_of, intents_to)
        with messages, intents:
            try:
                state = state or resume_state_of(settings)
                await RoomsTalk(settings, nick, intents, messages, state, patience).run()
            except ChatError as error:
                failed = error
    if failed:
        raise failed


async def _run(
    front_end: RoomsFrontEnd,
    messages: trio.MemoryReceiveChannel[Message],
    intents: trio.MemorySendChannel[Intent],
) -> None:
    with messages, intents:
        await front_end.run(messages, intents)


class RoomsTalk:
    """``intents`` are what is wanted, ``messages`` takes what is heard."""

    def __init__(
        self,
        settings: Settings,
        nick: str,
        intents: trio.MemoryReceiveChannel[Intent],
        messages: trio.MemorySendChannel[Message],
        state: ResumeState,
        patience: float = LEAVE_TIMEOUT,
    ) -> None:
        self._settings, self._nick, self._state = settings, nick, state
        self._patience = patience
        self._intents, self._messages = intents, messages
        self._been_in = False
        self._over = False  # whether the front end has ended it
        self._last_words: str | None = None

    async def run(self) -> None:
        """Until the front end ends it. Raises ChatError if we have never been in."""
        try:
            await self._keep_up()
        finally:
            self._put_off()
        with suppress(trio.BrokenResourceError):  # nobody is there any more whom we could tell
            await self._show(self._state.heard)

    async def _keep_up(self) -> None:
        waits = backoff()
        while not self._over:
            began = trio.current_time()
            why = await self._until_cut()
            if self._over:
                break
            # A server that lets us in and goes at once is as good as none.
            if trio.current_time() - began >= STEADY:
                waits = backoff()
            wait = next(waits)
            self._state.heard.append(Unlinked(why, wait))
            with trio.move_on_after(wait):
                await self._do_without()

    def _put_off(self) -> None:
        """What was wanted and nobody has got to is for the next time."""
        offline = Offline(self._state)
        with suppress(trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
            while True:
                self._ask_later(offline, self._intents.receive_nowait())

    async def _until_cut(self) -> str:
        """One connection. Returns why it has ended."""
        errors: list[BaseException] = []
        try:
            async with trio.open_nursery() as nursery:
                without, ended = trio.CancelScope(), trio.Event()
                nursery.start_soon(self._meanwhile, without, ended, nursery.cancel_scope)
                near = not (self._settings.client.nick or self._been_in)
                async with _open(self._settings, self._nick, self._state, near=near) as chat:
                    without.cancel("there is a connection")
                    await ended.wait()  # one at a time shows what is heard
                    self._been_in = True
                    await self._converse(chat, nursery.cancel_scope)
        except* (CannotConnect, ConnectionLost, NotAdmitted) as group:
            errors = _leaves(group)
        except* trio.BrokenResourceError:  # nobody is there any more whom we could tell something
            self._over = True
        if errors and not self._goes_on_after(errors[0]):
            raise errors[0]
        if errors and self._last_words is not None and self._insists:
            self._over = False
        elif errors and self._over:  # then nobody else tells that it has not ended well
            self._state.heard.append(Unlinked(str(errors[0]), 0))
        return str(errors[0]) if errors else "the server closed the connection"

    def _goes_on_after(self, error: BaseException) -> bool:
        """Once we have been in, even if our nickname is taken: by our own old connection. Before,
        a server that does not let us in will not do so the next time.
        """
        if self._over or self._been_in:
            return True
        return self._settings.client.retry and not isinstance(error, NotAdmitted)

    @property
    def _insists(self) -> bool:
        return self._settings.client.retry and math.isinf(self._patience)

    # ── with a connection ──────────────────────────────────────────────────────────────────

    async def _converse(self, chat: Connection, attempt: trio.CancelScope) -> None:
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._do_all, chat, attempt)
                async for message in chat:
                    self._state.heard.appendleft(message)
                    await self._show(self._state.heard)
                nursery.cancel_scope.cancel("the server has closed the connection")
        finally:
            self._nick = chat.nick

    async def _do_all(self, chat: Connection, attempt: trio.CancelScope) -> None:
        """That the connection is lost is noticed by who listens."""
        with suppress(ConnectionLost):
            if self._last_words is not None:  # that did not get through
                await self._finish(chat, self._last_words, attempt)
                return
            async for first in self._intents:
                for intent in self._with_waiting(first):
                    if (words := last_words(intent)) is not None:
                        await self._finish(chat, words, attempt)
                        return
                    if _is_reconnect(intent):
                        attempt.cancel("somebody wants another connection")
                        return
                    self._ask(chat.session, intent)
                await chat.push()
            await self._finish(chat, "", attempt)

    def _with_waiting(self, intent: Intent) -> Iterator[Intent]:
        """What waits is sent together."""
        yield intent
        with suppress(trio.WouldBlock, trio.EndOfChannel):
            while True:
                yield self._intents.receive_nowait()

    def _ask(self, requests: Requests, intent: Intent) -> None:
        try:
            if isinstance(intent, JoinRoom):
                check_room(intent.room)
                check_key(intent.key)
            values = [getattr(intent, field.name) for field in fields(intent)]
            getattr(requests, _METHODS[type(intent)])(*values)
        except (Unsupported, ValueError) as error:
            room = intent.room if isinstance(intent, JoinRoom) else ""
            self._state.heard.append(Notice(str(error), room=room, refusal=True))

    async def _finish(self, chat: Connection, words: str, attempt: trio.CancelScope) -> None:
        self._over, self._last_words = True, words
        await chat.finish(words)
        await trio.sleep(self._patience)
        attempt.cancel("the server takes too long")

    # ── without one ────────────────────────────────────────────────────────────────────────

    async def _meanwhile(
        self, scope: trio.CancelScope, ended: trio.Event, attempt: trio.CancelScope
    ) -> None:
        """While an attempt is made."""
        with scope:
            await self._do_without()
            attempt.cancel("nobody wants it any more")
        ended.set()

    async def _do_without(self) -> None:
        """What is to be done later goes into the state. Returns when the front end has ended it, or
        wants another connection.
        """
        offline = Offline(self._state)
        await self._show(self._state.heard)
        async for intent in self._intents:
            if last_words(intent) is not None:
                break
            if _is_reconnect(intent):
                return
            self._ask_later(offline, intent)
            await self._show(self._state.heard)
        self._over = True

    def _ask_later(self, offline: Offline, intent: Intent) -> None:
        if last_words(intent) is not None:
            return
        self._ask(offline, intent)
        self._state.heard.extend(offline.own_messages())

    async def _show(self, heard: deque[Message]) -> None:
        """What has come together, together. If it is cancelled, what is not shown will be shown by
        who comes next.
        """
        while heard:
            try:
                self._messages.send_nowait(heard[0])
            except trio.WouldBlock:
                await self._messages.send(heard[0])
            heard.popleft()


_METHODS: dict[type, str] = {
    AskHistory: "history",
    JoinRoom: "join",
    MarkRead: "mark_read",
    PartRoom: "part",
    Resend: "resend",
    RunCommand: "command",
    SayTo: "say_to",
    SendRaw: "raw",
    SetAway: "away",
    SetTyping: "typing",
}


def resume_state_of(settings: Settings) -> ResumeState:
    """Of somebody who begins, and whom the server may know."""
    secret = settings.client.identity.get_secret_value()
    return ResumeState(secret=secret) if secret else ResumeState()


def _open(
    settings: Settings, nick: str, state: ResumeState, *, near: bool
) -> AbstractAsyncContextManager[Connection]:
    """A connection as the settings want it. ``near`` is for those who have given no nickname, until
    they are in: after that it is their own old connection that has theirs.
    """
    client = settings.client
    server = Server(
        settings.host,
        settings.port,
        encoding=settings.encoding,
        protocol=client.protocol,
        password=client.password.get_secret_value(),
    )
    room, nicks = client.room, Alternates(nick, allowed=near)

    def new_session(plain: bool) -> ClientSession:
        known = (nicks, server, state)
        if plain:
            wanted = "" if room == DEFAULT_ROOM else room
            return plain_session(*known, only_room=room or DEFAULT_ROOM, wanted=wanted)
        return irc_session(*known, rooms=[room] if room else [])

    return open_connection(server, new_session, state)


def _is_reconnect(intent: Intent) -> bool:
    return isinstance(intent, RunCommand) and spelled_out(intent.line).strip() == "/reconnect"


def last_words(intent: Intent) -> str | None:
    """Those with which the front end ends it; None if it does not."""
    match intent:
        case Quit(words):
            return words
        case RunCommand(line):
            command, _, words = spelled_out(line).strip().partition(" ")
            return words.strip() if command.lower() == "/quit" else None
    return None


def _leaves(group: BaseExceptionGroup[ChatError]) -> list[BaseException]:
    found: list[BaseException] = []
    for error in group.exceptions:
        found += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return found
