"""HAProxy in front of servers: whoever comes by it comes from where they really are, and to a
server that is ready.
"""

import logging
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
import trio

from admin_socket import ask
from certificates import Files, issue, trusting
from peers import House, Peer, running, settings
from processes import PATIENCE, free_port
from trio_chat.server.health import Health, open_health
from trio_chat.settings.places import Address

pytestmark = pytest.mark.programs

HAPROXY = "/usr/sbin/haproxy"

# It is given the socket that it listens on.
FRONT = """\
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend chat
  bind fd@{listener}
  default_backend chat
backend chat
"""

# It asks all the time whether the server is there.
CONFIGURATION = f"""{FRONT}
  server chat 127.0.0.1:{{port}} {{sends}} check inter 200
"""

# It sends everybody to the first server, or to the second while that is not ready.
OF_TWO = f"""{FRONT}
  option httpchk GET /readyz
  default-server send-proxy-v2 check inter 100 fall 1 rise 1
  server one 127.0.0.1:{{ports[0]}} port {{asked[0]}}
  server two 127.0.0.1:{{ports[1]}} port {{asked[1]}} backup
"""

# The proxy itself comes from 127.0.0.1.
SOURCE = "127.0.0.77"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def house(files: Files) -> AsyncIterator[House]:
    chosen = settings(
        server={"proxies": "127.0.0.1"}, tls=files.settings, accounts={"guests": "open"}
    )
    async with running(chosen) as it:
        yield it


@contextmanager
def haproxy(folder: Path, configuration: str = CONFIGURATION, **how: object) -> Iterator[int]:
    """A proxy with this configuration; the port that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        file, fd = folder / "haproxy.cfg", listener.fileno()
        file.write_text(configuration.format(listener=fd, **how))
        command = [HAPROXY, "-db", "-f", file]
        with subprocess.Popen(command, pass_fds=[fd], stderr=subprocess.DEVNULL) as process:
            try:
                yield listener.getsockname()[1]
            finally:
                process.kill()


@pytest.mark.parametrize("sends", ["send-proxy", "send-proxy-v2"])
async def test_people_come_by_haproxy_in_clear_and_over_tls(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture, sends: str
) -> None:
    caplog.set_level(logging.INFO)
    with haproxy(tmp_path, port=house.port, sends=sends) as port, trio.fail_after(PATIENCE):
        stream = await trio.open_tcp_stream("127.0.0.1", port, local_address=SOURCE)
        alice = await house.take_in(stream, "alice")
        raw = await trio.open_tcp_stream("127.0.0.1", port, local_address=SOURCE)
        secure = trio.SSLStream(raw, trusting(), server_hostname="localhost")
        bob: Peer = await house.take_in(secure, "bob")
        await bob.send(b"hello\n")
        await alice.until("bob: hello\n")
    assert f"connected from {SOURCE}\n" in caplog.text
    assert f"connected from {SOURCE} over TLS\n" in caplog.text
    assert "turned away" not in caplog.text


async def test_a_haproxy_that_says_nothing_is_turned_away(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with haproxy(tmp_path, port=house.port, sends="") as port, trio.fail_after(PATIENCE):
        peer = await house.take_in(await trio.open_tcp_stream("127.0.0.1", port))
        await peer.send(b"alice\n")
        assert await peer.rest() == ""
    assert "turned away the proxy 127.0.0.1: it sends no PROXY header" in caplog.text


@asynccontextmanager
async def asked_at(port: int, lobby: str, admin: Path) -> AsyncIterator[House]:
    """A server with a lobby of its own, which a proxy asks at this port how it is."""
    health = Health()
    chosen = settings(
        server={"proxies": "127.0.0.1", "lobby": lobby},
        tls={"clear": "anyone"},
        accounts={"guests": "open"},
    )
    async with (
        open_health(health, [Address("127.0.0.1", port)], keepalive=60),
        running(chosen, health=health, admin=admin) as house,
    ):
        yield house


NUMBERS = count()  # each makes a nickname that nobody has who is still there


async def until_in(house: House, port: int, lobby: str) -> Peer:
    """Come by a proxy again and again until that leads to this server's lobby."""
    with trio.fail_after(PATIENCE):
        for number in NUMBERS:
            stream = await trio.open_tcp_stream("127.0.0.1", port, local_address=SOURCE)
            peer = await house.take_in(stream)
            await peer.send(f"al{number}\n".encode())
            with suppress(AssertionError):
                if f"in {lobby}; " in await peer.until("/help for more.\n"):
                    return peer
            await peer.stream.aclose()
    raise AssertionError


async def test_haproxy_sends_people_where_a_server_is_ready(tmp_path: Path) -> None:
    admin = tmp_path / "admin"
    with free_port() as first, free_port() as second:
        async with (
            asked_at(first, "#one", admin) as one,
            asked_at(second, "#two", tmp_path / "other") as two,
        ):
            ports, asked = (one.port, two.port), (first, second)
            with haproxy(tmp_path, OF_TWO, ports=ports, asked=asked) as port:
                alice = await until_in(one, port, "#one")
                await ask(admin, "drain 10m an update")
                await until_in(two, port, "#two")
                await alice.send(b"hello\n")  # who is there stays there
                await alice.until(": hello\n")
                await ask(admin, "drain off")
                await until_in(one, port, "#one")
