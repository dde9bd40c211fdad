"""Two nodes at one port, by sockets that share it (SO_REUSEPORT), as systemd opens them."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio

from admin_socket import ask
from peers import Peer
from processes import running_server
from shared.test_exits import at, variables
from trio_chat.settings.engine import Address

pytestmark = pytest.mark.programs

PEOPLE = 32  # the kernel sends all of them to one node once in two thousand million times


def opened(port: int = 0) -> socket.socket:
    """A socket that listens at a port together with others."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sock.bind(("127.0.0.1", port))
    sock.listen(PEOPLE)
    return sock


@asynccontextmanager
async def node(folder: Path, sock: socket.socket, address: Address) -> AsyncIterator[None]:
    """A node that is passed its socket; it has its key in common with those in folders beside."""
    places = {
        "TRIO_CHAT_SERVER__KEY": str(folder.parent / "key"),
        "TRIO_CHAT_OPS__ADMIN": str(folder / "admin"),
    }
    await trio.Path(folder).mkdir()
    async with running_server(
        passed=[sock], **variables(folder, at(address), name=folder.name), **places
    ):
        yield


async def test_both_have_people(tmp_path: Path, address: Address) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    with opened() as one, opened(port := one.getsockname()[1]) as two:
        async with node(a, one, address), node(b, two, address), AsyncExitStack() as stack:
            people = []
            for number in range(PEOPLE):
                stream = await stack.enter_async_context(
                    await trio.open_tcp_stream("127.0.0.1", port)
                )
                people.append(Peer(stream))
                await people[-1].send(f"p{number}\n".encode())
                await people[-1].until("/help for more.\n")
            await people[0].send(b"hello\n")
            for one_of_them in people:
                await one_of_them.until("p0: hello\n")
            # So both nodes know of all of them.
            nodes = [node for person in await ask(a / "admin", "who") for node in person["nodes"]]
            assert len(nodes) == PEOPLE
            assert len({*nodes}) == 2
