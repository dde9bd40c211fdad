"""The least that a chat server can do in Python: each line is sent on to everybody as it is.

No nicknames, no limits, nobody too slow: a slow reader stops it. With ``--batch`` it first reads
all that waits, and then sends it on as one piece.
"""

import select
import socket
import sys

READ = 64 * 1024  # bytes


class Server:
    def __init__(self, *, batch: bool) -> None:
        self._batch = batch
        self._epoll = select.epoll()
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._epoll.register(self._listening, select.EPOLLIN)
        self._clients: dict[int, socket.socket] = {}
        self._begun: dict[int, bytes] = {}  # what of a line has come

    def run(self) -> None:
        print(self._listening.getsockname()[1], flush=True)
        while True:
            waiting = b""
            for fd, _ in self._epoll.poll():
                if fd == self._listening.fileno():
                    self._accept()
                elif self._batch:
                    waiting += self._receive(fd)
                else:
                    for line in self._receive(fd).splitlines(keepends=True):
                        self._broadcast(line)
            if waiting:
                self._broadcast(waiting)

    def _broadcast(self, data: bytes) -> None:
        for client in self._clients.values():
            client.send(data)

    def _receive(self, fd: int) -> bytes:
        """The lines that have ended."""
        try:
            data = self._clients[fd].recv(READ)
        except ConnectionError:
            data = b""
        if not data:
            self._clients.pop(fd).close()
            self._begun.pop(fd, None)
            return b""
        lines, end, rest = (self._begun.pop(fd, b"") + data).rpartition(b"\n")
        if rest:
            self._begun[fd] = rest
        return lines + end

    def _accept(self) -> None:
        client, _ = self._listening.accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        self._epoll.register(client, select.EPOLLIN)


if __name__ == "__main__":
    Server(batch="--batch" in sys.argv).run()
