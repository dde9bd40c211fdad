"""A client's connection: the library.

There is no task in the background. Who iterates over the chat reads, who says something writes;
so errors come out where the call is, and all of it is cancelled with the caller's own tasks.
"""

import math
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Literal

import trio

from trio_chat.errors import CannotConnect, ConnectionLost, NotAdmitted, Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.client import (
    PATIENCE,
    ClientSession,
    Message,
    RoomsClientSession,
    spoken_by,
)
from trio_chat.protocols.irc.client.one import IrcClientSession
from trio_chat.protocols.irc.client.rooms import RoomsSession
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.plain.rooms import PlainRoomsSession
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.settings import (
    Address,
    check_encoding,
    check_nick,
    check_password,
    check_place,
    check_room,
)

_READ = 64 * 1024  # bytes

# How long to wait for a server to answer at all, and then for it to let us in: it may be busy
# with somebody else, as the tutorial's server is with everybody.
_CONNECT_TIMEOUT = 15.0  # seconds
_ADMIT_TIMEOUT = 30.0  # seconds

_LEAVE_TIMEOUT = 10.0  # seconds; a room of the tutorial's without a pause must not keep us

# A link that is cut somewhere says nothing. So after a silence we ask for a sign of life, and give
# the answer the time that it takes on the slowest of links.
_QUIET = 20.0  # seconds
_ANSWER = 10.0  # seconds


#: Where plain is spoken, it stands for the room in which the server puts newcomers.
DEFAULT_ROOM = "#lobby"


class Chat:
    """A chat that we have been let in to; get one from ``open_chat``.

    Iterate over it for what is said and done, our own messages included: where the server sends
    them back, as most do, that one comes means that everybody has it. The iteration ends when the
    server closes the connection, and with ConnectionLost if an IRC server has been silent for half
    a minute and does not answer. One task may iterate; any number may say something. Whoever does
    not iterate for minutes may be taken for gone by an IRC server.
    """

    def __init__(
        self, stream: trio.SocketStream, session: ClientSession, heard: deque[Message]
    ) -> None:
        self._stream, self._session, self._heard = stream, session, heard
        self._sending, self._reading = trio.Lock(), trio.Lock()
        self._ended = False  # we say nothing more
        self._closed = False  # and neither does the server
        self._receiving = trio.CancelScope()
        self._silence = 0.0  # seconds that we have waited for the server since it said something
        self._asked = False  # whether we have asked for a sign of life

    @property
    def nick(self) -> str:
        """The nickname that we have now."""
        return self._session.nick

    @property
    def room(self) -> str:
        """The room that we are in; empty if we are in none, or the server has none."""
        return self._session.room

    @property
    def doubtful(self) -> int:
        """Once the connection is lost: how many of our messages may be lost with it for good."""
        return self._session.doubtful

    @property
    def unsaid(self) -> int:
        """How many of our messages were refused, could not be sent, were cut, or may be lost, and
        will not be sent again: known once the chat has ended. With many rooms, each of them comes
        as Failed instead.
        """
        return self._session.unsaid

    async def say(self, text: str) -> None:
        """Say ``text`` in the room; each line of it is a message of its own.

        Returns when all of it has been sent: that takes a while if much of what was said before
        has not come back yet, or if the server does not want more at once. What comes in the
        meantime waits to be iterated over.

        Raises ConnectionLost, and Unsupported if we are in no room. If it is cancelled, part of it
        may have been sent: end the chat then.
        """
        _check_texts(text=text)
        self._session.say(text)
        await self._speak()

    async def tell(self, nick: str, text: str) -> None:
        """Say ``text`` to one person only. Raises ValueError if nobody can be called ``nick``."""
        _check_texts(nick=nick, text=text)
        if len(nick.split()) != 1 or "," in nick or nick.startswith(":"):
            raise ValueError(f"{nick!r} cannot be a nickname")
        for line in text.splitlines():
            await self.command(f"/msg {nick} {line}")

    async def join(self, room: str, key: str = "") -> None:
        """Go to another room, for which is what we say from now on. That we are there, or why not,
        comes out of the iteration. With many rooms, it is one more.

        Raises ValueError if this can be no room, or no key of one.
        """
        _check_texts(room=room, key=key)
        check_room(room)
        if key and (len(key.split()) != 1 or key.startswith(":") or "," in key):
            raise ValueError("the key of a room is one word, without a comma")
        if isinstance(self._session, RoomsClientSession):
            self._session.join(room, key)
            await self._push()
        else:
            await self.command(f"/join {room} {key}".rstrip())

    async def command(self, line: str, target: str = "") -> None:
        """Send one of the commands that /help lists. Raises Unsupported if the server has none.

        With many rooms, ``target`` is the room or person that it is about; what is wrong with it
        comes out of the iteration.
        """
        _check_texts(line=line, target=target)
        if isinstance(self._session, RoomsClientSession):
            self._session.command(line, target)
            await self._push()
        else:
            self._session.command(line)
            await self._speak()

    @property
    def _rooms(self) -> RoomsClientSession:
        if not isinstance(self._session, RoomsClientSession):
            raise Unsupported("This is a chat in one room.")
        return self._session

    async def _push(self) -> None:
        """Send what may be sent now; the rest goes out while somebody iterates.

        What we ourselves know of it is heard in any case, even if the connection is lost now.
        """
        self._hear_ourselves()
        await self._send()
        if self._session.waiting:
            self._receiving.cancel("there is something to be sent")

    async def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """Say ``text`` to a room or a person: several lines are one message if the server takes
        that, else one each. Sent comes out of the iteration for each message, and Acknowledged or
        Failed once that is known. Does not wait for that.

        ``token`` is by what they call it: 16 to 56 ASCII letters, digits, ``-`` or ``_`` that
        nobody guesses, or random ones if it is empty. What becomes of a second line, or the rest of
        a long one, is called ``<token>-2`` and so on. Of what is said with the same token again
        with the same ``state``, trio-chat shows only the first.
        """
        _check_texts(target=target, text=text, token=token)
        self._rooms.say_to(target, text, action, token)
        await self._push()

    async def resend(self, token: str) -> None:
        """Send again what has failed."""
        self._rooms.resend(token)
        await self._push()

    async def part(self, room: str, why: str = "") -> None:
        """Leave one of many rooms."""
        self._rooms.part(room, why)
        await self._push()

    async def history(self, target: str, before_msgid: str, limit: int) -> None:
        """Ask for the messages before this one, or for the last ones if it is empty: they come as
        Earlier, and then PageEnd.
        """
        self._rooms.history(target, before_msgid, limit)
        await self._push()

    async def mark_read(self, target: str, time: str) -> None:
        """We have read all up to this time (ISO 8601); without one, ask until when that is."""
        self._rooms.mark_read(target, time)
        await self._push()

    async def typing(self, target: str, active: bool) -> None:
        """Tell the others that we are typing, or have stopped."""
        self._rooms.typing(target, active)
        await self._push()

    async def away(self, text: str) -> None:
        """Say that we are away; without a text, that we are back. Raises Unsupported where plain is
        spoken.
        """
        self._rooms.away(text)
        await self._push()

    async def raw(self, line: str) -> None:
        """Send a line of IRC as it is. Raises Unsupported where plain is spoken."""
        self._rooms.raw(line)
        await self._push()

    async def finish(self, words: str = "") -> None:
        """Say nothing more. The iteration goes on with what is still to come, and then ends.

        ``words`` are what the others are told as we leave, if the protocol has a place for them.
        """
        self._ended, self._silence = True, 0.0
        with_eof = self._session.finish(words)
        await self._send()
        if with_eof:
            with _lost_if_broken():
                await self._stream.send_eof()
        self._receiving.cancel("there is less to wait for")

    def _cut(self) -> None:
        """The connection has ended: what is known of what was on its way stays to be heard."""
        if isinstance(self._session, RoomsClientSession):
            self._heard.extend(self._session.cut())

    def __aiter__(self) -> AsyncIterator[Message]:
        return self

    async def __anext__(self) -> Message:
        while not self._heard:
            if not await self._receive(lambda: bool(self._heard)) and not self._heard:
                raise StopAsyncIteration
        return self._heard.popleft()

    async def _enter(self, data: bytes) -> None:
        """Shake hands: return once we are in. Raises NotAdmitted or ConnectionLost.

        ``data`` is what the server has said by itself.
        """
        self._heard.extend(self._session.receive_data(data))
        await self._send()
        with trio.move_on_after(_ADMIT_TIMEOUT):
            while not self._session.admitted:
                if not await self._receive(lambda: self._session.admitted):
                    raise ConnectionLost("the server closed the connection before it let us in")
            return
        raise NotAdmitted(f"the server did not let us in within {_ADMIT_TIMEOUT:g} seconds")

    async def _speak(self) -> None:
        """Send what we have to say, and wait while it is more than may be sent at once."""
        await self._send()
        if self._session.waiting:
            self._receiving.cancel("there is something to be sent")
        while self._session.waiting:
            if not await self._receive(lambda: not self._session.waiting):
                raise ConnectionLost("the server closed the connection")

    async def _leave(self) -> None:
        """Let the server have all that we said, and hear what it still has for us."""
        # trio-chat ends the connection once it has read all of ours, however slowly it lets us.
        with trio.move_on_after(math.inf if self._session.framed else _LEAVE_TIMEOUT):
            if not (self._ended or self._closed):
                await self.finish()
            while await self._receive(lambda: False):
                self._heard.clear()
        if why := self._session.undelivered:
            raise ConnectionLost(why)

    async def _receive(self, done: Callable[[], bool]) -> bool:
        """Wait until something has come, or been due to be sent; False if nothing comes any more.

        Whoever waits for something reads, one at a time. So it may have come when it is our turn:
        ``done`` tells.
        """
        async with self._reading:
            if done():
                return True
            data = await self._read()
            if data:
                self._silence, self._asked = 0.0, False
                self._heard.extend(self._session.receive_data(data))
        await self._send()
        return data is not None

    async def _read(self) -> bytes | None:
        """What comes next; None at the end, and after our last word when all is silent.

        Nothing if it is time to send something, or ``_receiving`` was cancelled.
        """
        began = trio.current_time()
        quiet_until = began + self._patience() - self._silence
        self._receiving = trio.CancelScope(deadline=min(quiet_until, self._session.due))
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
        if self._ended and not self._session.waiting:
            return self._session.silence
        if not self._session.admitted:
            return math.inf
        return _QUIET + _ANSWER if self._asked else _QUIET

    def _on_silence(self) -> bytes | None:
        """There is."""
        if self._ended and not self._session.waiting:
            return None
        if self._asked:
            raise ConnectionLost(f"the server has been silent for {_QUIET + _ANSWER:g} seconds")
        self._asked = self._session.ping()
        if not self._asked:
            self._silence = 0.0  # only TCP can tell
        return b""

    def _hear_ourselves(self) -> None:
        """Whoever waits for the server hears what it will not send us."""
        if own := self._session.own_messages():
            self._heard.extend(own)
            self._receiving.cancel("there is something to be heard")

    async def _send(self) -> None:
        """Send what may be sent now."""
        async with self._sending:
            data = self._session.data_to_send(trio.current_time())
            self._hear_ourselves()
            if data:
                with _lost_if_broken():
                    await self._stream.send_all(data)


def open_chat(
    host: str = "127.0.0.1",
    port: int = 55555,
    *,
    nick: str,
    near: bool = False,
    encoding: str = "utf-8",
    protocol: Literal["auto", "plain", "irc"] = "auto",
    room: str = DEFAULT_ROOM,
    password: str = "",
    state: ResumeState | None = None,
    rooms: Literal["one", "many"] = "one",
) -> AbstractAsyncContextManager[Chat]:
    """Connect to a chat server and enter under a nickname; leave at the end of the block. If it is
    ``near``, it need not be that one: a similar one is taken if somebody has it.

    ``host`` is a name, an address, or ``unix:PATH``. ``protocol`` is what to speak: found out by
    listening for a moment, unless it is said. ``room`` is where to go; where plain is spoken the
    server decides that, unless it is another one than ``#lobby``. ``password`` is the server's, if
    it has one.

    ``state`` is for coming back: give the same ``ResumeState`` to each next ``open_chat`` after the
    connection was lost. Then what was said meanwhile comes out of the iteration first, each message
    once, as far as an IRC server keeps it; we are in the room where we were; and what we had to say
    is on its way, so never say it again. With trio-chat all of it arrives, and nothing twice; with
    other servers a Notice tells what may not have arrived.

    ``rooms="many"`` is for programs that show many rooms at once: ``say_to`` and what follows it in
    ``Chat`` are for that, and ``room`` may be empty. Whatever is known is a message of its own
    then: ``trio_chat.protocols.client`` has all of them. Where plain is spoken one is in one room
    at a time, and not all of it is known; with the tutorial's server there is only one room, which
    is called ``room``, or ``#lobby``.

    Raises ValueError or TypeError at once if an argument can be right for no server; CannotConnect,
    NotAdmitted (the nickname is taken, the server is full) and ConnectionLost. If the block ends
    well, all that was said has reached the server when this returns; if the server ends the chat
    before that, this raises ConnectionLost.
    """
    _check_texts(host=host, nick=nick, encoding=encoding, room=room, password=password)
    if not isinstance(state, ResumeState | None):
        raise TypeError(f"state is a ResumeState or None, not {_kind(state)}")
    check_place(host, port)
    check_nick(nick)
    if room or rooms == "one":
        check_room(room)
    check_encoding(encoding)
    check_password(password)
    _check_choice("protocol", protocol, ("auto", "plain", "irc"))
    _check_choice("rooms", rooms, ("one", "many"))
    return _open_chat(
        Address(host, port), Alternates(nick, allowed=near), encoding=encoding, protocol=protocol,
        room=room, password=password, many=rooms == "many",
        state=ResumeState() if state is None else state,
    )  # fmt: skip


def _check_texts(**values: object) -> None:
    """Raises TypeError; it does not show the value, which may be a password."""
    for name, value in values.items():
        if not isinstance(value, str):
            raise TypeError(f"{name} is a text (str), not {_kind(value)}")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _check_choice(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"{name} {value!r} is none of {', '.join(choices)}")


@asynccontextmanager
async def _open_chat(
    address: Address,
    nick: Alternates,
    *,
    encoding: str,
    protocol: str,
    room: str,
    password: str,
    state: ResumeState,
    many: bool,
) -> AsyncIterator[Chat]:
    stream = await _connect(address)
    async with stream:
        data, late = (b"", True) if protocol == "irc" else await _greeting(stream)
        chosen = protocol if protocol != "auto" else spoken_by(data)
        session = _session(
            chosen == "plain", many, nick,
            room=room, encoding=encoding, password=password, state=state,
        )  # fmt: skip
        if late and isinstance(session, PlainClientSession):
            session.speak_first()
        chat = Chat(stream, session, state.heard)
        try:
            await chat._enter(data)
            yield chat
            await chat._leave()
        finally:
            chat._cut()
        if not session.framed:
            # A close leaves a thread of the tutorial's server spinning; only a reset ends it.
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def _greeting(stream: trio.SocketStream) -> tuple[bytes, bool]:
    """What the server says by itself, and whether we have waited for that too long."""
    data = b""
    with trio.move_on_after(PATIENCE) as patience, _lost_if_broken():
        while spoken_by(data) is None and (more := await stream.receive_some(_READ)):
            data += more
    # Even if something has come: it may have come late.
    return data, trio.current_time() >= patience.deadline


def _session(
    plain: bool,
    many: bool,
    nick: Alternates,
    *,
    room: str,
    encoding: str,
    password: str,
    state: ResumeState,
) -> ClientSession:
    wanted = "" if room == DEFAULT_ROOM else room
    if plain and many:
        return PlainRoomsSession(
            nick, only_room=room or DEFAULT_ROOM, wanted=wanted,
            encoding=encoding, password=password, state=state,
        )  # fmt: skip
    if plain:
        return PlainClientSession(nick, encoding=encoding, password=password, room=wanted)
    if many:
        rooms = [room] if room else []
        return RoomsSession(nick, rooms=rooms, encoding=encoding, password=password, state=state)
    return IrcClientSession(nick, room=room, encoding=encoding, password=password, state=state)


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
        why, about = f"there is no host of the name {address.host}", "host"
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
