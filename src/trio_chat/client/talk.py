"""The client as a program: a front end that reads and writes, and a chat that is kept up.

Two tasks of the front end and two of the connection, joined by bounded memory channels: lines go
one way, messages the other.
"""

import math
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Literal, Protocol

import trio

from trio_chat.client.connection import Chat, open_chat
from trio_chat.core.events import Notice
from trio_chat.errors import (
    CannotConnect,
    ChatError,
    ConnectionLost,
    NotAdmitted,
    NotSaid,
    Unsupported,
)
from trio_chat.protocols.client import Message
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.settings import Settings

# Lines read ahead of what has been sent. Then the input waits.
_LINES = 100

# Messages that have come and are not printed yet. Then the server waits, and in the end counts us
# among those that read too slowly.
_MESSAGES = 1000

_FIRST_RETRY = 1.0  # seconds
_LAST_RETRY = 30.0  # seconds: at most this between two attempts, but for the jitter

#: A connection that has lasted so many seconds was a good one: the next is tried soon again.
STEADY = 60.0


class FrontEnd(Protocol):
    """What the person or program at our side sees and writes."""

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        """Send the lines of the input, and close the channel at its end."""
        ...

    async def write(self, messages: trio.MemoryReceiveChannel[Message]) -> None:
        """Show messages until the channel is closed, and return when all of them are shown."""
        ...


async def talk(settings: Settings, nick: str, front_end: FrontEnd) -> None:
    """Chat until the input ends. Raises ChatError when the server cannot be had or is lost, or
    something of the input was not said.
    """
    lines_to, lines = trio.open_memory_channel[str](_LINES)
    messages, messages_of = trio.open_memory_channel[Message](_MESSAGES)
    failed: ChatError | None = None
    async with trio.open_nursery() as writing:
        writing.start_soon(front_end.write, messages_of)
        async with trio.open_nursery() as reading:
            reading.start_soon(front_end.read, lines_to)
            # An error is kept until everything that came before it has been shown.
            with messages:
                try:
                    await Talk(settings, nick, lines, messages).run()
                except ChatError as error:
                    failed = error
            reading.cancel_scope.cancel("the chat has ended")
    if failed:
        raise failed


class Talk:
    """``lines`` are what to say, ``messages`` takes what is heard."""

    def __init__(
        self,
        settings: Settings,
        nick: str,
        lines: trio.MemoryReceiveChannel[str],
        messages: trio.MemorySendChannel[Message],
    ) -> None:
        self._settings, self._nick = settings, nick
        self._lines, self._messages = lines, messages
        self._state = resume_state_of(settings)
        self._last_words = ""
        self._unsaid = 0  # texts that are refused or lost, for good
        self._said_all = False
        self._been_in = False

    async def run(self) -> None:
        """Keep a connection up until everything is said, and everything heard. Raises NotSaid if
        something was refused.
        """
        waits = backoff()
        done = False
        while not done:
            since = math.inf
            try:
                async with self._open() as chat:
                    since = trio.current_time()
                    await self._converse(chat)
                done = self._said_all
                if not done:
                    raise ConnectionLost("the server closed the connection")
            except (CannotConnect, ConnectionLost, NotAdmitted) as error:
                if not self._goes_on_after(error):
                    raise
                # A server that lets us in and goes at once is as good as none.
                if trio.current_time() - since >= STEADY:
                    waits = backoff()
                wait = next(waits)
                await self._messages.send(Notice(f"{error}. Trying again in {wait:.0f} s."))
                await trio.sleep(wait)
        if self._unsaid:
            raise NotSaid.of(messages=self._unsaid)

    def _goes_on_after(self, error: ChatError) -> bool:
        if not self._settings.client.retry:
            return False
        # Once we have been in, it is our own old connection that has our nickname.
        if isinstance(error, NotAdmitted) and not self._been_in:
            return False
        if not self._said_all or self._state.unacked or self._state.waiting:
            return True
        # All of ours has arrived; if the server is there still, it has more of what others said.
        return isinstance(error, ConnectionLost) and self._been_in

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Chat]:
        opened: Chat | None = None
        try:
            near = not (self._settings.client.nick or self._been_in)
            async with open_as_set(self._settings, self._nick, self._state, near=near) as opened:
                self._been_in = True
                yield opened
        finally:
            self._unsaid += opened.unsaid if opened else 0

    async def _converse(self, chat: Chat) -> None:
        """Speak and listen until the server closes the connection. Raises ConnectionLost."""
        lost: ConnectionLost | None = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._speak, chat)
                async for message in chat:
                    await self._messages.send(message)
                nursery.cancel_scope.cancel("the server has closed the connection")
        except* ConnectionLost as group:
            lost = ConnectionLost(str(group.exceptions[0]))
        finally:
            self._nick = chat.nick
        if lost:
            await self._tell_what_is_lost(chat.doubtful)
            raise lost

    async def _tell_what_is_lost(self, messages: int) -> None:
        if messages:
            what = "our last message" if messages == 1 else f"our last {messages} messages"
            await self._messages.send(Notice(f"Maybe {what} did not arrive."))

    async def _speak(self, chat: Chat) -> None:
        """What is cut off in the middle of it stays in the state, and so is said on the next
        connection. That it is cut off is noticed by who listens.
        """
        with suppress(ConnectionLost):
            await self._say_all(chat)

    async def _say_all(self, chat: Chat) -> None:
        async for line in self._lines:
            command, _, rest = spelled_out(line).strip().partition(" ")
            if command.lower() == "/quit":
                self._last_words = rest.strip()
                break
            await self._say(chat, line)
        self._said_all = True
        await chat.finish(self._last_words)

    async def _say(self, chat: Chat, line: str) -> None:
        """A slash begins a command; two of them, a text that begins with one."""
        try:
            if line.startswith("/") and not line.startswith("//"):
                await chat.command(line)
            else:
                await chat.say(line.removeprefix("/"))
        except Unsupported as error:
            self._unsaid += 1
            await self._messages.send(Notice(str(error)))


def open_as_set(
    settings: Settings,
    nick: str,
    state: ResumeState,
    rooms: Literal["one", "many"] = "one",
    *,
    near: bool = False,
) -> AbstractAsyncContextManager[Chat]:
    """A connection as the settings want it. ``near`` is for those who have given no nickname, until
    they are in: after that it is their own old connection that has theirs.
    """
    return open_chat(
        settings.host,
        settings.port,
        nick=nick,
        near=near,
        encoding=settings.encoding,
        protocol=settings.client.protocol,
        room=settings.client.room,
        password=settings.client.password.get_secret_value(),
        state=state,
        rooms=rooms,
    )


def resume_state_of(settings: Settings) -> ResumeState:
    """Of somebody who begins, and whom the server may know."""
    secret = settings.client.identity.get_secret_value()
    return ResumeState(secret=secret) if secret else ResumeState()


def backoff() -> Iterator[float]:
    """How long to wait before each next attempt, in seconds: ever longer, and never in step."""
    wait = _FIRST_RETRY
    while True:
        yield wait * random.uniform(0.5, 1.5)  # noqa: S311 - nobody gains by guessing it
        wait = min(2 * wait, _LAST_RETRY)
