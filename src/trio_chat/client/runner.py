"""A client in many rooms as a program: a front end, and a chat that is kept up.

Messages go one way and requests the other, in bounded memory channels. A text that is said while
there is no connection waits for the next one, as what was on its way when the last was lost.
"""

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Protocol

import trio

from trio_chat.client import requests
from trio_chat.client.channels import put, waiting
from trio_chat.client.connection import Remote
from trio_chat.client.reconnecting import ReconnectingConnection
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, NotAdmitted, Unsupported
from trio_chat.protocols.client import Message, Unlinked
from trio_chat.protocols.irc.text import room_name
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.settings import Settings
from trio_chat.settings.checks import check_key, check_room

# Requests that have not been dealt with. Then the front end waits, or does not take more.
_ASKED = 1000

# Messages that have come and are not shown yet. Then the server waits, and in the end counts us
# among those that read too slowly.
_MESSAGES = 1000

#: How long a person waits to be let go. What does not get through by then stays in the
#: ``ResumeState``.
LEAVE_TIMEOUT = 10.0  # seconds


#: Where a front end hears messages, and where it asks for something.
MessageChannel = trio.MemoryReceiveChannel[Message]
RequestChannel = trio.MemorySendChannel[requests.Request]


class FrontEnd(Protocol):
    """What the person or program at our side sees and wants."""

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        """Show messages until their channel is closed. To send Leave, or to close ``asked``, ends
        the chat.
        """


async def run_chat(
    settings: Settings,
    nick: str,
    front_end: FrontEnd,
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
    asked_to, asked = trio.open_memory_channel[requests.Request](_ASKED)
    messages, messages_of = trio.open_memory_channel[Message](_MESSAGES)
    failed: ChatError | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_run, front_end, messages_of, asked_to)
        with messages, asked:
            try:
                state = state or resume_state_of(settings)
                await ChatRunner(settings, nick, asked, messages, state, patience).run()
            except ChatError as error:
                failed = error
    if failed:
        raise failed


async def _run(front_end: FrontEnd, messages: MessageChannel, asked: RequestChannel) -> None:
    with messages, asked:
        await front_end.run(messages, asked)


class ChatRunner:
    """``asked`` are what is wanted, ``messages`` takes what is heard."""

    def __init__(
        self,
        settings: Settings,
        nick: str,
        asked: trio.MemoryReceiveChannel[requests.Request],
        messages: trio.MemorySendChannel[Message],
        state: ResumeState,
        patience: float = LEAVE_TIMEOUT,
    ) -> None:
        self._retry, self._patience, self._state = settings.client.retry, patience, state
        self._asked, self._messages = asked, messages
        self._news = trio.Event()
        self._connection = ReconnectingConnection(
            _remote(settings),
            nick,
            near=not settings.client.nick,
            rooms=[room_name(settings.client.room)] if settings.client.room else [],
            state=state,
            hear=self._hear,
            goes_on_after=self._goes_on_after,
        )

    async def run(self) -> None:
        """Run until the front end ends it. Raises ChatError if we have never been in; what was
        heard by then is shown.
        """
        try:
            failed = await self._keep_up()
        finally:
            await self._put_off()
        await self._show()
        if failed:
            raise failed

    async def _keep_up(self) -> ChatError | None:
        """Return the error with which it ended, if we have never been in."""
        failed: ChatError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._do_all)
            try:
                while await self._step():
                    pass
            except ChatError as error:
                failed = error
            nursery.cancel_scope.cancel("the chat has ended")
        if failed and not self._connection.been_in:
            return failed
        # Then nobody else tells that it has not ended well.
        if why := str(failed or self._connection.undelivered):
            self._hear([Unlinked(why, 0)])
        return None

    def _goes_on_after(self, error: ChatError) -> bool:
        """Once we have been in, even if our nickname is taken: by our own old connection. Before,
        a server that does not let us in will not do so the next time.
        """
        if self._connection.words is not None:
            return self._retry and math.isinf(self._patience)
        return self._connection.been_in or (self._retry and not isinstance(error, NotAdmitted))

    async def _put_off(self) -> None:
        """What was wanted and nobody has got to is for the next time."""
        await self._connection.close()
        for request in waiting(self._asked):
            if last_words(request) is None:
                self._ask(request)
                await self._connection.push()

    # ── what is heard ──────────────────────────────────────────────────────────────────────

    def _hear(self, messages: Sequence[Message]) -> None:
        self._state.heard.extend(messages)
        self._news.set()

    async def _step(self) -> bool:
        """Nothing more is read before all is shown. An attempt takes time: what we tell ourselves
        meanwhile is shown at once.
        """
        await self._show()
        if self._connection.link:
            return await self._connection.step(lambda: bool(self._state.heard))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._show_meanwhile)
            failed = await self._attempt()
            nursery.cancel_scope.cancel("one at a time shows what is heard")
        if failed:
            raise failed
        return not self._connection.over

    async def _attempt(self) -> ChatError | None:
        """A nursery would wrap it."""
        try:
            await self._connection.step(lambda: False)
        except ChatError as error:
            return error
        return None

    async def _show_meanwhile(self) -> None:
        while True:
            self._news = trio.Event()
            await self._show()
            await self._news.wait()

    async def _show(self) -> None:
        """What has come together, together. If it is cancelled, what is not shown will be shown by
        who comes next.
        """
        heard = self._state.heard
        try:
            while heard:
                await put(self._messages, heard[0])
                heard.popleft()
        except trio.BrokenResourceError:
            self._connection.give_up("nobody is there any more whom we could tell")

    # ── what is wanted ─────────────────────────────────────────────────────────────────────

    async def _do_all(self) -> None:
        words: str | None = None
        async for first in self._asked:
            words = await self._do(chain([first], waiting(self._asked)))
            with suppress(ConnectionLost):  # whoever makes a step notices it
                await self._connection.push()
            if words is not None:
                break
        await self._finish(words or "")

    async def _do(self, together: Iterable[requests.Request]) -> str | None:
        """Returns the last words, if they end it."""
        for request in together:
            if (words := last_words(request)) is not None:
                return words
            if _is_reconnect(request):
                await self._connection.reconnect()
            else:
                self._ask(request)
        return None

    def _ask(self, request: requests.Request) -> None:
        try:
            if isinstance(request, requests.Join):
                check_room(request.room)
                check_key(request.key)
            requests.ask(self._connection.requests, request)
        except (Unsupported, ValueError) as error:
            room = request.room if isinstance(request, requests.Join) else ""
            self._connection.tell([Notice(str(error), room=room, refusal=True)])

    async def _finish(self, words: str) -> None:
        if not self._connection.is_in:
            self._connection.give_up("nobody wants it any more")
            return
        with suppress(ConnectionLost):
            await self._connection.finish(words)
        await trio.sleep(self._patience)
        self._connection.give_up("the server takes too long")


def resume_state_of(settings: Settings, *, comes_back: bool = True) -> ResumeState:
    """Of somebody who begins, and whom the server may know. Who does not come back need not be
    known again: a room would wait for its operator in vain.
    """
    secret = settings.client.identity.get_secret_value()
    return ResumeState() if comes_back and not secret else ResumeState(secret=secret)


def _remote(settings: Settings) -> Remote:
    return Remote(
        settings.host,
        settings.port,
        encoding=settings.encoding,
        protocol=settings.client.protocol,
        password=settings.client.password.get_secret_value(),
    )


def _is_reconnect(request: requests.Request) -> bool:
    return (
        isinstance(request, requests.SlashCommand)
        and spelled_out(request.line).strip() == "/reconnect"
    )


def last_words(request: requests.Request) -> str | None:
    """Those with which the front end ends it; None if it does not."""
    match request:
        case requests.Leave(words):
            return words
        case requests.SlashCommand(line):
            command, _, words = spelled_out(line).strip().partition(" ")
            return words.strip() if command.lower() == "/quit" else None
    return None
