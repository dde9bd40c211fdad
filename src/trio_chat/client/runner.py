"""The client as a program: a front end, and a chat that is kept up.

Messages go one way and requests the other, in bounded memory channels. Texts wait while there is no
connection, and those that were on their way when it was lost are resent.
"""

import math
import platform
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from typing import Protocol

import trio

from trio_chat.client import requests
from trio_chat.client.channels import put, waiting
from trio_chat.client.dial import Remote
from trio_chat.client.reconnecting import FINAL, ReconnectingConnection
from trio_chat.client.tls import uses_tls
from trio_chat.core.letters import cut
from trio_chat.core.names import LABEL_MAX
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, NotAdmitted, Unsupported
from trio_chat.protocols.client import Message, Unlinked
from trio_chat.protocols.irc.text import room_name
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.settings import Settings
from trio_chat.settings.checks import check_key, check_room
from trio_chat.settings.pins import each_pin

# Requests not dealt with. Beyond that the front end waits, or takes no more.
_ASKED = 1000

# Messages not shown yet. Beyond that the server waits, until it drops us as a slow reader.
_MESSAGES = 1000

# Commands that wait until we are in for the first time. Any more are refused.
_EARLY = 100

#: How long leaving may take. What does not get through by then stays in the ``ResumeState``.
LEAVE_TIMEOUT = 10.0  # seconds


#: The front end's ends of the channels.
MessageChannel = trio.MemoryReceiveChannel[Message]
RequestChannel = trio.MemorySendChannel[requests.Request]


class FrontEnd(Protocol):
    """The person's or program's side."""

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        """Show messages until their channel is closed. Sending Leave, or closing ``asked``, ends
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
    """Chat until the front end ends it. Raises ChatError if the server never lets us in; once it
    has, a lost connection is reopened, unless LoginFailed, NotTrusted or Uninvited are raised then.
    What could not be sent stays in the ``state``.

    ``patience`` is how many seconds the last words may take, with all that is queued before them.
    If it is endless, and with ``client.retry``, a connection that is lost meanwhile is reopened for
    what is left to be sent, and what others have said.
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
    """Carries out the requests in ``asked``, and sends ``messages``."""

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
        self._early: list[requests.SlashCommand] = []
        self._news = trio.Event()
        self._connection = ReconnectingConnection(
            _remotes(settings),
            nick,
            near=not settings.client.nick,
            rooms=[room_name(settings.client.room)] if settings.client.room else [],
            state=state,
            hear=self._hear,
            goes_on_after=self._goes_on_after,
        )

    async def run(self) -> None:
        """Run until the front end ends it. Raises ChatError if we have never been in or cannot come
        back; what was heard by then is shown.
        """
        try:
            failed = await self._keep_up()
        finally:
            await self._put_off()
        await self._show()
        if failed:
            raise failed

    async def _keep_up(self) -> ChatError | None:
        """Return the error with which it ended, if we have never been in or cannot come back."""
        failed: ChatError | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._do_all)
            try:
                while await self._step():
                    await self._ask_early()
            except ChatError as error:
                failed = error
            nursery.cancel_scope.cancel("the chat has ended")
        if failed and not self._connection.been_in:
            return failed
        # Then nobody else tells that it has not ended well.
        if why := str(failed or self._connection.undelivered):
            self._hear([Unlinked(why, 0)])
        return failed if isinstance(failed, FINAL) else None

    def _goes_on_after(self, error: ChatError) -> bool:
        """Whether to try again: once we have been in, even if our nickname is taken, since our own
        old connection may have it. Before that, a server that refuses us will do so again.
        """
        if self._connection.words is not None:
            return self._retry and math.isinf(self._patience)
        return self._connection.been_in or (self._retry and not isinstance(error, NotAdmitted))

    async def _put_off(self) -> None:
        """Keep requests that nobody has got to for the next time."""
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
        """Make a step once all is shown. An attempt to connect takes time, so our own messages are
        shown meanwhile.
        """
        await self._show()
        if self._connection.current:
            return await self._connection.step(lambda: bool(self._state.heard))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._show_meanwhile)
            failed = await self._attempt()
            nursery.cancel_scope.cancel("one at a time shows what is heard")
        if failed:
            raise failed
        return not self._connection.over

    async def _attempt(self) -> ChatError | None:
        """Return the error, as a nursery would wrap it."""
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
        """Show what was heard. If this is cancelled, the next call shows the rest."""
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
        """Carry out requests. Returns the last words if one of them ends the chat."""
        for request in together:
            if (words := last_words(request)) is not None:
                return words
            if _is_reconnect(request):
                await self._connection.reconnect()
            elif isinstance(request, requests.SlashCommand) and self._is_early:
                self._early.append(request)
            else:
                self._ask(request)
        return None

    @property
    def _is_early(self) -> bool:
        """Whether the server has not answered yet whether it lets us in: a command that is typed
        while we start can wait for that.
        """
        is_open = not (self._connection.been_in or self._state.lost)
        return is_open and len(self._early) < _EARLY

    async def _ask_early(self) -> None:
        if self._early and (self._connection.been_in or self._state.lost):
            early, self._early = self._early, []
            for request in early:
                self._ask(request)
            with suppress(ConnectionLost):
                await self._connection.push()

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
        await self._connection.finish(words)
        await trio.sleep(self._patience)
        self._connection.give_up("the server takes too long")


def resume_state_of(settings: Settings, *, comes_back: bool = True) -> ResumeState:
    """Make the state of a new chat. A client that does not come back has no secret: a room would
    wait for its operator in vain.
    """
    secret = settings.client.identity.get_secret_value()
    if secret:
        return ResumeState(secret=secret, device=device())
    return ResumeState() if comes_back else ResumeState(secret="")


def device() -> str:
    """What people call this machine."""
    return cut(" ".join(platform.node().partition(".")[0].split()), LABEL_MAX) or "a device"


def _remotes(settings: Settings) -> Sequence[Remote]:
    """The addresses of the chat, each with its pin."""
    addresses, client = settings.addresses, settings.client
    shown = client.invitation.get_secret_value()
    return [
        Remote(
            address.host,
            address.port,
            encoding=settings.encoding,
            protocol=client.protocol,
            tls=uses_tls(client.tls, address, pin),
            pin=pin,
            password=shown or client.password.get_secret_value(),
            account=client.account,
            account_password=client.account_password.get_secret_value(),
            rooms_back=client.rooms_back,
        )
        for address, pin in zip(addresses, each_pin(client.pin, len(addresses)), strict=True)
    ]


def _is_reconnect(request: requests.Request) -> bool:
    return (
        isinstance(request, requests.SlashCommand)
        and spelled_out(request.line).strip() == "/reconnect"
    )


def last_words(request: requests.Request) -> str | None:
    """Return the words of a request that ends the chat; None for any other."""
    match request:
        case requests.Leave(words):
            return words
        case requests.SlashCommand(line):
            command, _, words = spelled_out(line).strip().partition(" ")
            return words.strip() if command.lower() == "/quit" else None
    return None
