"""Clients in a process of their own: ``python -m benchmarks.far PORT NUMBER AT_ONCE HOW``.

They connect over sockets, so many at once, over TLS if HOW begins with ``tls``, and register with
IRC; then ``registered`` is printed. Told to by a line of input, they enter ``#big`` and print
``joined``. From then on they read as fast as they can, and understand nothing: what that would cost
them is not what is measured.
"""

import selectors
import socket
import ssl
import sys
from collections.abc import Iterable
from typing import NoReturn

_READ = 65_536
_PATIENCE = 20.0  # seconds

#: What ends a welcome: ERR_NOMOTD or RPL_ENDOFMOTD.
WELCOMED = (b" 422 ", b" 376 ")


class Far:
    """A client; it speaks TLS if there is a context."""

    def __init__(self, port: int, context: ssl.SSLContext | None, hello: bytes) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out) if context else None
        self._hello, self._read = hello, b""
        if self._tls:
            self._shake(self._tls)

    def begin(self) -> None:
        """Say hello, to the server or to TLS."""
        self.sock.setblocking(False)
        self._send(b"" if self._tls else self._hello)

    def say(self, line: bytes) -> None:
        self._read = b""
        self._send(line)

    def hears(self, *markers: bytes) -> bool:
        """Whether one of these has come, now that there is something to read."""
        data = self.sock.recv(_READ)
        if not data:
            raise ConnectionError("cut off")
        if self._tls is None:
            self._read += data
        else:
            self._in.write(data)
            if self._hello and self._shake(self._tls):
                self._tls.write(self._hello)
                self._hello = b""
            self._send(b"")
            self._open(self._tls)
        return any(marker in self._read for marker in markers)

    def _send(self, data: bytes) -> None:
        if self._tls and data:
            self._tls.write(data)
        if data := self._out.read() if self._tls else data:
            self.sock.sendall(data)

    @staticmethod
    def _shake(tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _open(self, tls: ssl.SSLObject) -> None:
        try:
            while True:
                self._read += tls.read(_READ)
        except ssl.SSLWantReadError:
            pass


def trusting_all() -> ssl.SSLContext:
    """The context of clients that take any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def until_all_hear(clients: Iterable[Far], *markers: bytes) -> None:
    """Read until each has been told one of these since it spoke last."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        while selector.get_map():
            events = selector.select(_PATIENCE)
            if not events:
                raise TimeoutError(f"{len(selector.get_map())} are not answered")
            for key, _ in events:
                if key.data.hears(*markers):
                    selector.unregister(key.fileobj)


def read_on(clients: Iterable[Far]) -> NoReturn:
    """Read all that comes, and forget it."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client.sock, selectors.EVENT_READ, client)
        while True:
            for key, _ in selector.select():
                key.data.sock.recv(_READ)


def _main(port: int, number: int, at_once: int, how: str) -> None:
    context = trusting_all() if how.startswith("tls") else None
    letters = how[0] + how[-1]  # no more: ngIRCd takes nicknames of nine letters at most
    names = [f"{letters}{n:05}" for n in range(number)]
    caps = "CAP REQ :no-implicit-names echo-message"
    hellos = [f"{caps}\r\nNICK {n}\r\nUSER {n} 0 * :x\r\nCAP END\r\n".encode() for n in names]
    clients: list[Far] = []
    for first in range(0, number, at_once):
        wave = [Far(port, context, hello) for hello in hellos[first : first + at_once]]
        for client in wave:
            client.begin()
        until_all_hear(wave, *WELCOMED)
        clients += wave
    print("registered", flush=True)
    sys.stdin.readline()
    for client in clients:
        client.say(b"JOIN #big\r\n")
    until_all_hear(clients, b" JOIN ")
    print("joined", flush=True)
    read_on(clients)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
