"""What HTTP says, for tests: requests over real sockets, and the state of what answers."""

from pathlib import Path

import trio

from peers import Peer


async def http_peer(place: Path | int) -> Peer:
    """A peer at a Unix socket, or at a port of this machine."""
    if isinstance(place, Path):
        return Peer(await trio.open_unix_socket(str(place)))
    return Peer(await trio.open_tcp_stream("127.0.0.1", place))


async def get(place: Path | int, path: str) -> tuple[int, str]:
    """The status and the body of a response."""
    peer = await http_peer(place)
    async with peer.stream:
        await peer.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head, _, body = (await peer.rest()).partition("\r\n\r\n")
    return int(head.split(" ")[1]), body
