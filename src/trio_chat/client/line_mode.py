"""The client as a program that reads and writes lines, in one room at a time."""

import math
from contextlib import suppress
from itertools import chain
from typing import Protocol

import trio

from trio_chat.client import requests
from trio_chat.client.channels import put, waiting
from trio_chat.client.delivery import Delivery
from trio_chat.client.one_room import OneRoom
from trio_chat.client.runner import (
    MessageChannel,
    RequestChannel,
    last_words,
    resume_state_of,
    run_chat,
)
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, NotSaid, Unsupported
from trio_chat.protocols.client import Message, Unlinked
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import not_confirmed
from trio_chat.settings import Settings

_Told = trio.MemorySendChannel[Message]

# Lines read ahead. Beyond that the input waits.
_LINES = 100

# Messages not printed yet. Beyond that the chat waits, until the server drops us as a slow reader.
_UNPRINTED = 1000

# How long a server may take to tell whether we are in a room, once it has dealt with all texts
# before.
_ANSWER = 30.0  # seconds


class LineFrontEnd(Protocol):
    """The person's or program's side: lines in, messages out."""

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        """Send the lines of the input, and close the channel at its end."""

    async def write(self, messages: MessageChannel) -> None:
        """Show messages until the channel is closed, and return when all of them are shown."""


async def run_lines(
    settings: Settings, nick: str, front_end: LineFrontEnd, state: ResumeState | None = None
) -> None:
    """Chat until the input ends; without a ``state``, as somebody new. Raises ChatError if the
    server cannot be reached or is lost, or some of the input was not said.
    """
    state = state or resume_state_of(settings, comes_back=settings.client.retry)
    lines = Lines(settings, front_end, state)
    await run_chat(settings, nick, lines, state, patience=math.inf)
    lines.check()


class Lines:
    """Joins a chat in many rooms with a front end that knows one room. Without ``client.retry``
    the chat ends with the connection.
    """

    def __init__(self, settings: Settings, front_end: LineFrontEnd, state: ResumeState) -> None:
        self._retry = settings.client.retry
        self._front_end, self._state = front_end, state
        self._room = OneRoom(settings.client.room)
        self._require_room()
        self._delivery = Delivery(retry=self._retry)
        self._unsaid = 0  # lines that were no message, or not for the room where we are
        self._failed: ChatError | None = None

    def check(self) -> None:
        """Raise ConnectionLost if the chat has ended badly, NotSaid if something was refused."""
        if self._failed:
            raise self._failed
        if unsaid := self._unsaid + self._room.refused + self._delivery.unsaid:
            raise NotSaid.of(messages=unsaid)

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        """Run until the input or the chat has ended. Whatever was heard by then is shown."""
        lines_to, lines = trio.open_memory_channel[str](_LINES)
        told, told_of = trio.open_memory_channel[Message](_UNPRINTED)
        async with trio.open_nursery() as writing:
            writing.start_soon(self._front_end.write, told_of)
            with told:
                async with trio.open_nursery() as speaking:
                    speaking.start_soon(self._front_end.read, lines_to)
                    speaking.start_soon(self._speak, lines, asked, told)
                    speaking.start_soon(self._move, asked)
                    speaking.start_soon(self._delivery.send_again, asked)
                    await self._hear(messages, told)
                    speaking.cancel_scope.cancel("the chat has ended")

    # ── what is heard ──────────────────────────────────────────────────────────────────────

    async def _hear(self, messages: MessageChannel, told: _Told) -> None:
        """Show messages until the chat has ended."""
        async for first in messages:
            together = [first, *waiting(messages)]
            lost = self._lost(together)
            puts_off = self._delivery.puts_off
            heard = [m for m in together if m is not lost and not puts_off(m)]
            for message in self._room.hear(heard):
                await put(told, message)
            self._require_room()
            for message in together:
                self._delivery.note(message)
            if lost:
                self._failed = ConnectionLost(lost.why)
                return
        if left := len(self._delivery.open):
            self._failed = ConnectionLost(not_confirmed(left))

    def _require_room(self) -> None:
        self._state.required = [self._room.home] if self._room.home else []

    def _lost(self, messages: list[Message]) -> Unlinked | None:
        """Return the message with which the chat ends badly."""
        if self._retry:
            return None
        return next((message for message in messages if isinstance(message, Unlinked)), None)

    # ── what is said ───────────────────────────────────────────────────────────────────────

    async def _speak(
        self, lines: trio.MemoryReceiveChannel[str], asked: RequestChannel, told: _Told
    ) -> None:
        """Say the lines, and leave. If the chat ends by itself, ``_hear`` notices."""
        with suppress(trio.BrokenResourceError):
            words = await self._do_all(lines, asked, told)
            await self._until_there(told)
            await self._delivery.until_known()
            await asked.send(requests.Leave(words))

    async def _do_all(
        self, lines: trio.MemoryReceiveChannel[str], asked: RequestChannel, told: _Told
    ) -> str:
        """Do what the lines say until one of them, or their end, ends the chat. Returns the last
        words.
        """
        async for first in lines:
            for line in chain([first], waiting(lines)):
                await self._until_there(told)
                if (words := last_words(requests.SlashCommand(line, ""))) is not None:
                    return words
                await self._do(line, asked, told)
        return ""

    async def _do(self, line: str, asked: RequestChannel, told: _Told) -> None:
        try:
            wanted = self._room.read(line)
        except Unsupported as error:
            self._unsaid += 1
            wanted = Notice(str(error))
        if isinstance(wanted, Notice):
            await put(told, wanted)
        elif wanted:
            if isinstance(wanted, requests.Say):
                self._delivery.begin(wanted.token)
            await put(asked, wanted)

    async def _until_there(self, told: _Told) -> None:
        """Wait until there is a connection, we know in which room we are, and not too much is on
        its way.
        """
        room, delivery = self._room, self._delivery
        if delivery.linked and not (room.moving or delivery.full):
            return
        await delivery.until(lambda: delivery.linked and not (room.moving and delivery.open))
        with trio.move_on_after(_ANSWER) as patience:
            await delivery.until(lambda: not room.moving or not delivery.linked)
        if patience.cancelled_caught:
            for message in room.give_up():
                await told.send(message)
        await delivery.until(lambda: delivery.linked and not (room.moving or delivery.full))

    async def _move(self, asked: RequestChannel) -> None:
        """Send the requests that follow from where we are."""
        room = self._room
        with suppress(trio.BrokenResourceError):
            while True:
                await self._delivery.until(lambda: bool(room.asked))
                await asked.send(room.asked.popleft())
