"""One connection of a client's, from the first byte to the last.

There is no task in the background. Whoever waits for something reads, who says something writes;
so errors come out where the call is, and all of it is cancelled with the caller's own tasks.
"""

import math
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import trio

from trio_chat.errors import CannotConnect, ConnectionLost, NotAdmitted
from trio_chat.protocols.client import (
    PATIENCE,
    ClientSession,
    Message,
    spoken_by,
)
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.settings.places import Address

_READ = 64 * 1024  # bytes

# How long to wait for a server to answer at all, and then for it to let us in: it may be busy
# with somebody else, as the tutorial's server is with everybody.
_CONNECT_TIMEOUT = 15.0  # seconds
_ADMIT_TIMEOUT = 30.0  # seconds

# A link that is cut somewhere says nothing. So after a silence we ask for a sign of life, and give
# the answer the time that it takes on the slowest of links.
_QUIET = 20.0  # seconds
_ANSWER = 10.0  # seconds


#: Where plain is spoken, it stands for the room in which the server puts newcomers.
DEFAULT_ROOM = "#lobby"


class Connection:
    """To a server, with the session that speaks its language. What is heard is handed to ``hear``.

    An IRC server that has been silent for half a minute, and does not answer, counts as lost.
    """

    def __init__(
        self,
        stream: trio.SocketStream,
        session: ClientSession,
        hear: Callable[[Sequence[Message]], None],
    ) -> None:
        self.session = session
        self._stream, self._hear = stream, hear
        self._sending = trio.Lock()
        self._ended = False  # we say nothing more
        self._closed = False  # and neither does the server
        self._receiving = trio.CancelScope()
        self._silence = 0.0  # seconds that we have waited for the server since it said something
        self._asked = False  # whether we have asked for a sign of life
        self._torn = False  # whether something has been sent in part

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self.session.nick

    async def push(self) -> None:
        """Once the session was asked for something: send what may be sent now; the rest goes out
        while somebody reads.

        What we ourselves know of it is heard in any case, even if the connection is lost now.
        """
        self._hear_ourselves()
        await self._send()
        if self.session.waiting:
            self._receiving.cancel("there is something to be sent")

    async def finish(self, words: str = "") -> None:
        """Say nothing more. What is still to come can be read, and then the end.

        ``words`` are what the others are told as we leave, if the protocol has a place for them.
        """
        self._ended, self._silence = True, 0.0
        with_eof = self.session.finish(words)
        await self._send()
        if with_eof:
            with _lost_if_broken():
                await self._stream.send_eof()
        self._receiving.cancel("there is less to wait for")

    async def close(self) -> None:
        """Without a word. What is known of what was on its way stays to be heard."""
        self._hear([*self.session.own_messages(), *self.session.cut()])
        with trio.CancelScope(shield=True):  # it does not wait
            await trio.aclose_forcefully(self._stream)

    async def enter(self, data: bytes) -> None:
        """Shake hands: return once we are in. Raises NotAdmitted or ConnectionLost.

        ``data`` is what the server has said by itself.
        """
        self._hear(self.session.receive_data(data))
        await self._send()
        with trio.move_on_after(_ADMIT_TIMEOUT):
            while not self.session.admitted:
                if not await self.receive():
                    raise ConnectionLost("the server closed the connection before it let us in")
            return
        raise NotAdmitted(f"the server did not let us in within {_ADMIT_TIMEOUT:g} seconds")

    def reset(self) -> None:
        """All has been said, and this is to be closed: a close leaves a thread of the tutorial's
        server spinning, and only a reset ends it.
        """
        if not self.session.framed:
            self._stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def receive(self) -> bool:
        """Wait until something has come, or been due to be sent; False if nothing comes any more.

        One task at a time may do so.
        """
        if not self._sending.locked():
            self._check_whole()
        data = await self._read()
        if data:
            self._silence, self._asked = 0.0, False
            self._hear(self.session.receive_data(data))
        await self._send()
        return data is not None

    async def _read(self) -> bytes | None:
        """What comes next; None at the end, and after our last word when all is silent.

        Nothing if it is time to send something, or ``_receiving`` was cancelled.
        """
        began = trio.current_time()
        quiet_until = began + self._patience() - self._silence
        self._receiving = trio.CancelScope(deadline=min(quiet_until, self.session.due))
        try:
            with self._receiving, _lost_if_broken():
                data = bytes(await self._stream.receive_some(_READ))
                self._closed = not data
                return data or None
        finally:
            self._silence += trio.current_time() - began
        return b"" if trio.current_time() < quiet_until else self._on_silence()

    def _patience(self) -> float:
        """For how many seconds of silence there is nothing to be done."""
        if self._ended and not self.session.waiting:
            return self.session.silence
        if not self.session.admitted:
            return math.inf
        return _QUIET + _ANSWER if self._asked else _QUIET

    def _on_silence(self) -> bytes | None:
        """There is."""
        if self._ended and not self.session.waiting:
            return None
        if self._asked:
            raise ConnectionLost(f"the server has been silent for {_QUIET + _ANSWER:g} seconds")
        self._asked = self.session.ping()
        if not self._asked:
            self._silence = 0.0  # only TCP can tell
        return b""

    def _hear_ourselves(self) -> None:
        """Whoever waits for the server hears what it will not send us."""
        if own := self.session.own_messages():
            self._hear(own)
            self.interrupt("there is something to be heard")

    def interrupt(self, why: str) -> None:
        """Let whoever waits for the server look again."""
        self._receiving.cancel(why)

    async def _send(self) -> None:
        """Send what may be sent now."""
        async with self._sending:
            self._check_whole()
            data = self.session.data_to_send(trio.current_time())
            self._hear_ourselves()
            if data:
                self._torn = True
                with _lost_if_broken():
                    await self._stream.send_all(data)
                self._torn = False

    def _check_whole(self) -> None:
        """Who was cancelled while he sent something has sent a part of it."""
        if self._torn:
            raise ConnectionLost("something was cut off while it was sent")


@dataclass(frozen=True)
class Remote:
    """A server that we call: where it is, and what is to be known to talk with it. ``protocol`` is
    ``plain`` or ``irc``; found out by listening for a moment, if it is ``auto``.
    """

    host: str
    port: int
    encoding: str = "utf-8"
    protocol: str = "auto"
    password: str = field(default="", repr=False)


#: Makes the session of a connection, told whether plain is spoken.
NewSession = Callable[[bool], ClientSession]


async def connect(
    server: Remote,
    new_session: NewSession,
    hear: Callable[[Sequence[Message]], None],
) -> tuple[Connection, bytes]:
    """Call the server; returns what it has said by itself, too, with which to ``enter``. Whoever
    gets the connection closes it. Raises CannotConnect and ConnectionLost.
    """
    stream = await _connect(Address(server.host, server.port))
    try:
        protocol = server.protocol
        data, late = (b"", True) if protocol == "irc" else await _greeting(stream)
        chosen = protocol if protocol != "auto" else spoken_by(data)
        session = new_session(chosen == "plain")
        if late and isinstance(session, PlainClientSession):
            session.speak_first()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return Connection(stream, session, hear), data


async def _greeting(stream: trio.SocketStream) -> tuple[bytes, bool]:
    """What the server says by itself, and whether we have waited for that too long."""
    data = b""
    with trio.move_on_after(PATIENCE) as patience, _lost_if_broken():
        while spoken_by(data) is None and (more := await stream.receive_some(_READ)):
            data += more
    # Even if something has come: it may have come late.
    return data, trio.current_time() >= patience.deadline


async def _connect(address: Address) -> trio.SocketStream:
    try:
        with trio.fail_after(_CONNECT_TIMEOUT):
            if path := address.unix_path:
                return await trio.open_unix_socket(path)
            stream = await trio.open_tcp_stream(address.host, address.port)
            _let_tcp_ask(stream)
            return stream
    except trio.TooSlowError:
        why, about = f"no answer within {_CONNECT_TIMEOUT:g} seconds", ""
    except (socket.gaierror, UnicodeError):
        why, about = f"there is no host named {address.host}", "host"
    except OSError as error:
        why, about = _why(error)
    raise CannotConnect(f"cannot connect to {address}: {why}", about=about)


def _let_tcp_ask(stream: trio.SocketStream) -> None:
    """So that a dead link is noticed as soon where the protocol has no PING, or we cannot send."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    options = {
        "TCP_KEEPIDLE": int(_QUIET),
        "TCP_KEEPINTVL": int(_ANSWER / 2),
        "TCP_KEEPCNT": 2,
        "TCP_USER_TIMEOUT": int((_QUIET + _ANSWER) * 1000),  # milliseconds
    }
    for name, value in options.items():
        if hasattr(socket, name):  # each system has its own of these
            stream.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _why(error: OSError) -> tuple[str, str]:
    """And what would help. trio tells of several attempts at once; the first has the reason."""
    cause = error.__cause__
    while isinstance(cause, BaseExceptionGroup):
        cause = cause.exceptions[0]
    reason = cause if isinstance(cause, OSError) else error
    if isinstance(reason, ConnectionRefusedError | FileNotFoundError):
        return "no server is running there", "server"
    return (reason.strerror or str(reason)).lower(), ""


@contextmanager
def _lost_if_broken() -> Iterator[None]:
    try:
        yield
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        raise ConnectionLost("the connection to the server was lost") from error
