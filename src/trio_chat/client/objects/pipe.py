"""The front end for programs: requests on standard input, messages on standard output, one JSON
object a line.
"""

from contextlib import suppress

import trio

from trio_chat.client import requests
from trio_chat.client.channels import put
from trio_chat.client.delivery import Delivery
from trio_chat.client.objects.json_messages import Error, json_line
from trio_chat.client.objects.json_requests import BadRequest, read_request
from trio_chat.client.pipe import LINE_BYTES, InputLines, print_each, print_text
from trio_chat.client.runner import MessageChannel, RequestChannel, last_words
from trio_chat.core.views import Notice
from trio_chat.errors import ChatError, ConnectionLost, NotAdmitted, NotSaid
from trio_chat.protocols import client
from trio_chat.protocols.client import MAYBE_LOST, Failed, Message
from trio_chat.protocols.irc.text import room_name
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import not_confirmed

_Told = trio.MemorySendChannel[Message | Error]

# Objects not printed yet. Beyond that the chat waits, and the input too.
_UNPRINTED = 1000


class ObjectPipe:
    """``room`` is the target of requests that name none, and has to let us in at first. Without
    ``retry`` the chat ends with the connection.
    """

    def __init__(self, room: str, state: ResumeState, *, retry: bool) -> None:
        self._room, self._retry, self._state = room, retry, state
        state.required = [room_name(room)] if room else []
        self._delivery = Delivery(retry=retry)
        self._has_asked = False  # for more than texts, which waits until we are in
        self._misread = 0  # lines of the input that were no requests
        self._failed: ChatError | None = None

    def check(self) -> None:
        """Raise ConnectionLost if the chat has ended badly or the outcome of a text is unknown,
        NotSaid if something was refused.
        """
        if self._failed:
            raise self._failed
        if self._delivery.unsaid or self._misread:
            raise NotSaid.of(messages=self._delivery.unsaid, lines=self._misread)

    async def tell(self, error: NotAdmitted) -> None:
        """Print why the room does not let us in, once all else is printed. Raises OutputGone."""
        if self._delivery.been_in:
            await print_text(json_line(Notice(str(error), room=self._room)) + "\n")

    async def run(self, messages: MessageChannel, asked: RequestChannel) -> None:
        """Run until the input or the chat has ended. Raises OutputGone."""
        objects, objects_of = trio.open_memory_channel[Message | Error](_UNPRINTED)
        async with trio.open_nursery() as printing:
            printing.start_soon(print_each, objects_of, json_line)
            with objects:
                async with trio.open_nursery() as reading:
                    reading.start_soon(self._read, asked, objects)
                    reading.start_soon(self._delivery.send_again, asked)
                    await self._tell(messages, objects)
                    reading.cancel_scope.cancel("the chat has ended")

    # ── messages ───────────────────────────────────────────────────────────────────────────

    async def _tell(self, messages: MessageChannel, objects: _Told) -> None:
        """Print messages until the chat has ended."""
        async for message in messages:
            if isinstance(message, client.InRoom) and self._state.requires(message.room):
                self._state.required = ()  # from now on OutOfRoom tells
            self._delivery.note(message)
            if isinstance(message, client.Unlinked) and not self._retry:
                self._failed = ConnectionLost(message.why)
                await objects.send(client.Unlinked(message.why, 0))
                break
            if not self._delivery.puts_off(message):
                await put(objects, message)
        if left := sorted(self._delivery.open):
            why = not_confirmed(len(left))
            self._failed = self._failed or ConnectionLost(why)
        for token in left:
            await objects.send(Failed(token, MAYBE_LOST))

    # ── requests ───────────────────────────────────────────────────────────────────────────

    async def _read(self, asked: RequestChannel, objects: _Told) -> None:
        """Read requests until one of them, or the end of the input, ends the chat. If it ends by
        itself, ``_tell`` notices.
        """
        number, words = 0, None
        with suppress(trio.BrokenResourceError):
            async for line in InputLines():
                number += 1
                try:
                    request = self._request(line)
                except BadRequest as error:
                    self._misread += 1
                    await objects.send(Error(str(error), number))
                    continue
                if request and (words := last_words(request)) is not None:
                    break
                if request:
                    await self._want(request, asked)
            await self._delivery.until_known()
            await self._delivery.until(lambda: not (self._has_asked and self._state.required))
            await asked.send(requests.Leave(words or ""))

    def _request(self, line: bytes | None) -> requests.Request | None:
        """Read a line; None if it is blank. Raises BadRequest."""
        if line is None:
            raise BadRequest(f"The line has more than {LINE_BYTES} bytes.")
        if not line.strip():
            return None
        request = read_request(line, self._room)
        if self._is_in_vain(request):
            raise BadRequest("No text with this token has failed.")
        return request

    def _is_in_vain(self, request: requests.Request) -> bool:
        """Whether it would resend a text that has not failed."""
        failed = self._delivery.has_failed
        return isinstance(request, requests.ResendText) and not failed(request.token)

    async def _want(self, request: requests.Request, asked: RequestChannel) -> None:
        """Hand a request on, once there is a connection over which it can be answered."""
        delivery = self._delivery
        await delivery.until(lambda: delivery.linked and not delivery.full)
        if self._is_in_vain(request):
            return  # it has arrived after all
        if isinstance(request, requests.Say | requests.ResendText):
            delivery.begin(request.token)
        else:
            self._has_asked = True
        await put(asked, request)
