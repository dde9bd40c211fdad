"""Browsers for tests: lines of IRC in WebSocket messages, and requests of HTTP."""

from collections.abc import Iterator, Sequence

import trio
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from irc_peers import IrcPeer
from peers import House
from trio_chat.core.commands import Quit
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.session import Ask, Run
from trio_chat.protocols.web.files import load_files
from trio_chat.protocols.web.session import WebSession
from trio_chat.protocols.web.site import Site

TEXT, BINARY = "text.ircv3.net", "binary.ircv3.net"


def get(path: str = "/", *headers: str, method: str = "GET", host: str = "localhost") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    return "".join(line + "\r\n" for line in (*lines, "")).encode()


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    """A frame of up to 125 bytes, or 64 KiB, that is masked by zeros: the same each time."""
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return bytes([fin << 7 | opcode]) + size + bytes(4) + data


class Socket:
    """The client's end of a WebSocket, without I/O."""

    def __init__(
        self, *subprotocols: str, host: str = "localhost", path: str = "/", origin: str = ""
    ) -> None:
        uri, offered = parse_uri(f"ws://{host}{path}"), list(subprotocols or [TEXT])
        self.protocol = ClientProtocol(uri, subprotocols=offered, origin=origin or None)
        self.protocol.send_request(self.protocol.connect())

    def written(self) -> bytes:
        """What is to be sent."""
        return b"".join(self.protocol.data_to_send())

    def says(self, *lines: str) -> bytes:
        """These lines, as a client writes them."""
        for line in lines:
            self.protocol.send_text(line.encode())
        return self.written()

    def reads(self, data: bytes) -> list[str]:
        """The lines in what the server has sent, each a message."""
        self.protocol.receive_data(data)
        return list(self._lines())

    def _lines(self) -> Iterator[str]:
        for event in self.protocol.events_received():
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                yield bytes(event.data).decode()
            elif isinstance(event, Response):
                assert event.status_code == 101, event


class Stream(trio.abc.HalfCloseableStream):
    """Lines of IRC to and from a server by way of a WebSocket."""

    def __init__(self, raw: trio.abc.HalfCloseableStream, socket: Socket) -> None:
        self.raw, self.socket = raw, socket

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        lines = bytes(data).decode().split("\r\n")
        await self.raw.send_all(self.socket.says(*filter(None, lines)))

    async def wait_send_all_might_not_block(self) -> None:
        await self.raw.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        while data := await self.raw.receive_some(max_bytes):
            if lines := self.socket.reads(bytes(data)):
                return "".join(line + "\r\n" for line in lines).encode()
        return b""

    async def send_eof(self) -> None:
        await self.raw.send_eof()

    async def aclose(self) -> None:
        await self.raw.aclose()


async def web_peer(house: House, nick: str = "", *caps: str, rooms: str = "#lobby") -> IrcPeer:
    """A client of IRC over a WebSocket; with a nickname it is in these rooms."""
    raw, socket = (await house.connect()).stream, Socket()
    await raw.send_all(socket.written())
    socket.reads(bytes(await raw.receive_some(65536)))
    peer = IrcPeer(Stream(raw, socket))
    if nick:
        opening = [f"CAP REQ :{' '.join(caps)}"] if caps else []
        opening += [f"NICK {nick}", f"USER {nick} 0 * :{nick.title()}", "CAP END", f"JOIN {rooms}"]
        lines = await peer.news(*opening)
        assert any(f" 001 {nick} " in line for line in lines), lines
    return peer


def site(*, hosts: Sequence[str] = (), origins: Sequence[str] = ()) -> Site:
    return Site(load_files(), frozenset(hosts), frozenset(origins))


def web_session(where: Site | None = None, *, secure: bool = False) -> WebSession:
    info = ServerInfo("chat.local", "trio-chat", "1", "today")
    irc = IrcSession(info, lambda: 0.0, private=True)
    return WebSession(irc, where or site(), lambda: 0.0, secure=secure)


def opened(*subprotocols: str) -> tuple[Socket, WebSession]:
    """Both ends of a WebSocket that has been opened."""
    socket, session = Socket(*subprotocols), web_session()
    session.receive_data(socket.written())
    assert not has_ended(runs(session))
    assert socket.reads(session.data_to_send()) == []
    return socket, session


def runs(session: WebSession) -> list[Run]:
    """All that it asks for now."""
    return list(iter(session.next_run, None))


def has_ended(found: Sequence[Run]) -> bool:
    return any(isinstance(run, Ask) and isinstance(run.command, Quit) for run in found)
