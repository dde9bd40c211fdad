"""The front end of programs: requests come on standard input, and what is told goes to standard
output, an object of JSON a line.
"""

from contextlib import suppress

import trio

from trio_chat.client.delivery import Delivery
from trio_chat.client.intents import Intent, Quit, Resend, SayTo
from trio_chat.client.objects.json_messages import Error, Object, Unlinked, json_line, object_of
from trio_chat.client.objects.json_requests import BadRequest, read_request
from trio_chat.client.pipe import LINE_BYTES, InputLines, print_each
from trio_chat.client.runner import last_words
from trio_chat.core.names import fold
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, NotAdmitted
from trio_chat.protocols import client
from trio_chat.protocols.client import MAYBE_LOST, Failed, Message

# Objects that are not printed yet. Then the chat waits, and the input too.
_UNPRINTED = 1000


class ObjectPipe:
    """``room`` is the target of requests that name none, and if it does not let us in at first, the
    chat ends. Unless it is to ``retry``, it ends with the connection, too. ``misread`` counts lines
    of the input that were no requests.
    """

    def __init__(self, room: str, *, retry: bool) -> None:
        self._room, self._retry = room, retry
        self._home = fold(room)  # until we are in it
        self._words = ""  # that the server has said last
        self._delivery = Delivery()
        self.misread = 0

    @property
    def unsaid(self) -> int:
        """How many texts have failed, and have not arrived since."""
        return self._delivery.unsaid

    async def run(
        self,
        messages: trio.MemoryReceiveChannel[Message],
        intents: trio.MemorySendChannel[Intent],
    ) -> None:
        """Until the input has ended or the chat has. Raises OutputGone, NotAdmitted if we are not
        let into the room, and ConnectionLost if it is lost for good, or not known what has become
        of all that was said.
        """
        objects, objects_of = trio.open_memory_channel[Object](_UNPRINTED)
        error: ChatError | None = None
        async with trio.open_nursery() as printing:
            printing.start_soon(print_each, objects_of, json_line)
            # An error is kept until everything that came before it has been printed.
            with objects:
                async with trio.open_nursery() as reading:
                    reading.start_soon(self._read, intents, objects)
                    error = await self._tell(messages, objects)
                    reading.cancel_scope.cancel("the chat has ended")
        if error:
            raise error

    # ── what is told ───────────────────────────────────────────────────────────────────────

    async def _tell(
        self,
        messages: trio.MemoryReceiveChannel[Message],
        objects: trio.MemorySendChannel[Object],
    ) -> ChatError | None:
        """Until the chat has ended. Returns why it has not ended well, if so."""
        error: ChatError | None = None
        async for message in messages:
            self._delivery.note(message)
            if isinstance(message, client.Unlinked) and not self._retry:
                error = ConnectionLost(message.why)
                await objects.send(Unlinked(type="unlinked", why=message.why))
                break
            await objects.send(object_of(message))
            if error := self._kept_out(message):
                break
        if left := sorted(self._delivery.open):
            why = f"it is not known what has become of {len(left)} of our messages"
            error = error or ConnectionLost(why)
        for token in left:
            await objects.send(object_of(Failed(token, MAYBE_LOST)))
        return error

    def _kept_out(self, message: Message) -> NotAdmitted | None:
        """Why the room has not let us in, if that is what a message tells. Where plain is spoken,
        the words for it come just before.
        """
        match message:
            case client.InRoom(room) if fold(room) == self._home:
                self._home = ""
            case Notice(text, refusal=True) if self._home and fold(message.room) == self._home:
                return NotAdmitted(text, about="room")
            case Notice(text):
                self._words = text
            case client.OutOfRoom(room, why) if fold(room) == self._home:
                return NotAdmitted(why or self._words or f"{room} has not let us in", about="room")
        return None

    # ── what is asked for ──────────────────────────────────────────────────────────────────

    async def _read(
        self, intents: trio.MemorySendChannel[Intent], objects: trio.MemorySendChannel[Object]
    ) -> None:
        """Until a request ends the chat, or the input does. That the chat has ended by itself is
        noticed by who tells.
        """
        number, words = 0, None
        with suppress(trio.BrokenResourceError):
            async for line in InputLines():
                number += 1
                try:
                    intent = self._intent(line)
                except BadRequest as error:
                    self.misread += 1
                    await objects.send(Error(type="error", text=str(error), line=number))
                    continue
                if intent and (words := last_words(intent)) is not None:
                    break
                if intent:
                    await self._want(intent, intents)
            await self._delivery.until_known()
            await intents.send(Quit(words or ""))

    def _intent(self, line: bytes | None) -> Intent | None:
        """None for a blank line. Raises BadRequest."""
        if line is None:
            raise BadRequest(f"The line has more than {LINE_BYTES} bytes.")
        if not line.strip():
            return None
        intent = read_request(line).intent(self._room)
        if isinstance(intent, Resend) and not self._delivery.has_failed(intent.token):
            raise BadRequest("No text with this token has failed.")
        return intent

    async def _want(self, intent: Intent, intents: trio.MemorySendChannel[Intent]) -> None:
        """Without a connection, nothing could be answered."""
        delivery = self._delivery
        await delivery.until(lambda: delivery.linked and not delivery.full)
        if isinstance(intent, Resend) and not delivery.has_failed(intent.token):
            return  # it has arrived after all
        if isinstance(intent, SayTo | Resend):
            delivery.begin(intent.token)
        await intents.send(intent)
