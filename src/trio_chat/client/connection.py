"""A client's connection: the library.

There is no task in the background. Who iterates over the chat reads, who says something writes;
so errors come out where the call is, and all of it is cancelled with the caller's own tasks.
"""

import math
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import trio

from trio_chat.errors import CannotConnect, ConnectionLost, NotAdmitted
from trio_chat.protocols.clean import clean
from trio_chat.protocols.plain.client import PATIENCE, Message, PlainClientSession
from trio_chat.settings import Address

_READ = 64 * 1024  # bytes

# How long to wait for a server to answer at all, and then for it to let us in: it may be busy
# with somebody else, as the tutorial's server is with everybody.
_CONNECT_TIMEOUT = 15.0  # seconds
_ADMIT_TIMEOUT = 30.0  # seconds

_LEAVE_TIMEOUT = 10.0  # seconds; a room of the tutorial's without a pause must not keep us

# After our last word, how long a silence means that nothing more is coming. trio-chat closes the
# connection by itself; the tutorial's server never does.
_SILENCE = 5.0  # seconds
_SILENCE_UNFRAMED = 1.0  # seconds


class Chat:
    """A chat that we have been let in to; get one from ``open_chat``.

    Iterate over it for what is said and done, our own messages included: that the server sends
    one back means that everybody has it. The iteration ends when the server closes the connection.
    One task may iterate; any number may say something.
    """

    def __init__(self, stream: trio.SocketStream, session: PlainClientSession) -> None:
        self._stream, self._session = stream, session
        self._heard: deque[Message] = deque()
        self._sending = trio.Lock()
        self._ended = False
        self._receiving = trio.CancelScope()

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self._session.nick

    @property
    def room(self) -> str:
        """The room that we are in; empty if the server has none."""
        return self._session.room

    async def say(self, text: str) -> None:
        """Say ``text`` in the room; each line of it is a message of its own.

        Raises ConnectionLost. If it is cancelled, part of it may have been sent: end the chat then.
        """
        await self._send(self._session.say(text))

    async def tell(self, nick: str, text: str) -> None:
        """Say ``text`` to one person only."""
        for line in text.splitlines():
            await self.command(f"/msg {nick} {line}")

    async def join(self, room: str) -> None:
        """Go to another room. That we are there, or why not, comes out of the iteration."""
        await self.command(f"/join {room}")

    async def command(self, line: str) -> None:
        """Send one of the commands that /help lists. Raises Unsupported if the server has none."""
        await self._send(self._session.command(line))

    async def finish(self) -> None:
        """Say nothing more. The iteration goes on with what is still to come, and then ends."""
        self._ended = True
        self._receiving.deadline = self._deadline()
        if self._session.framed:
            with _lost_if_broken():
                await self._stream.send_eof()

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        while not self._heard:
            if not await self._receive():
                raise StopAsyncIteration
        return self._heard.popleft()

    async def _enter(self) -> None:
        """Shake hands: return once we are in. Raises NotAdmitted or ConnectionLost."""
        data = b""
        with trio.move_on_after(PATIENCE) as patience:
            data = await self._read()
        if trio.current_time() >= patience.deadline:  # even if it has come: it has come late
            self._session.speak_first()
        await self._hear(data)
        with trio.move_on_after(_ADMIT_TIMEOUT):
            while not self._session.admitted:
                if not await self._receive():
                    raise ConnectionLost("the server closed the connection before it let us in")
            return
        raise NotAdmitted(f"the server did not let us in within {_ADMIT_TIMEOUT:g} seconds")

    async def _leave(self) -> None:
        """Let the server have all that we said, and hear what it still has for us."""
        # trio-chat ends the connection once it has read all of ours, however slowly it lets us.
        with trio.move_on_after(math.inf if self._session.framed else _LEAVE_TIMEOUT):
            if not self._ended:
                await self.finish()
            while await self._receive():
                self._heard.clear()
        if self._session.farewell and self._session.unheard > 0:
            missing = f"{self._session.unheard} of our messages did not come back"
            raise ConnectionLost(f"{self._session.farewell} {missing}")

    async def _receive(self) -> bool:
        """Wait for something from the server; False if nothing comes any more."""
        if data := await self._read():
            await self._hear(data)
        return bool(data)

    async def _read(self) -> bytes:
        """What comes next; nothing at the end, and after our last word when all is silent."""
        self._receiving = trio.CancelScope(deadline=self._deadline())
        with self._receiving, _lost_if_broken():
            return bytes(await self._stream.receive_some(_READ))
        return b""

    async def _hear(self, data: bytes) -> None:
        self._heard.extend(self._session.receive_data(data))
        if reply := self._session.data_to_send():
            await self._send(reply)

    def _deadline(self) -> float:
        if not self._ended:
            return math.inf
        silence = _SILENCE if self._session.framed else _SILENCE_UNFRAMED
        return trio.current_time() + silence

    async def _send(self, data: bytes) -> None:
        async with self._sending:
            with _lost_if_broken():
                await self._stream.send_all(data)


@asynccontextmanager
async def open_chat(
    host: str = "127.0.0.1", port: int = 55555, *, nick: str, encoding: str = "utf-8"
) -> AsyncIterator[Chat]:
    """Connect to a chat server and enter under a nickname; leave at the end of the block.

    ``host`` is a name, an address, or ``unix:PATH``. Raises CannotConnect, NotAdmitted (the
    nickname is taken, the server is full) and ConnectionLost. If the block ends well, all that was
    said has reached the server when this returns; if the server ends the chat before that, this
    raises ConnectionLost.
    """
    if not nick.strip() or nick != clean(nick).strip():
        raise NotAdmitted(f"{nick!r} cannot be a nickname")
    stream = await _connect(Address(host, port))
    async with stream:
        session = PlainClientSession(nick, encoding=encoding)
        chat = Chat(stream, session)
        await chat._enter()
        yield chat
        await chat._leave()
        if not session.framed:
            # A close leaves a thread of the tutorial's server spinning; only a reset ends it.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _connect(address: Address) -> trio.SocketStream:
    try:
        with trio.fail_after(_CONNECT_TIMEOUT):
            if path := address.unix_path:
                return await trio.open_unix_socket(path)
            return await trio.open_tcp_stream(address.host, address.port)
    except trio.TooSlowError:
        why = f"no answer within {_CONNECT_TIMEOUT:g} seconds"
    except (socket.gaierror, UnicodeError):
        why = f"there is no host of the name {address.host} (--host)"
    except OSError as error:
        why = _why(error)
    raise CannotConnect(f"cannot connect to {address}: {why}")


def _why(error: OSError) -> str:
    """trio tells of several attempts at once; the first that failed has the reason."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    reason = cause if isinstance(cause, OSError) else error
    if isinstance(reason, ConnectionRefusedError | FileNotFoundError):
        return "no server is running there. 'trio-chat server' starts one"
    return (reason.strerror or str(reason)).lower()


@contextmanager
def _lost_if_broken() -> Iterator[None]:
    try:
        yield
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise ConnectionLost("the connection to the server was lost") from error
