"""HAProxy in front of a server: whoever comes by it comes from where they really are."""

import logging
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from certificates import Files, issue, trusting
from peers import House, Peer, running, settings
from processes import PATIENCE

pytestmark = pytest.mark.programs

HAPROXY = "/usr/sbin/haproxy"

# It is given the socket that it listens on, and asks all the time whether the server is there.
CONFIGURATION = """\
defaults
  mode tcp
  timeout connect 10s
  timeout client 60s
  timeout server 60s
frontend chat
  bind fd@{listener}
  default_backend chat
backend chat
  server chat 127.0.0.1:{port} {sends} check inter 200
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
def haproxy(house: House, folder: Path, sends: str) -> Iterator[int]:
    """A proxy before a server; the port that it listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        file, fd = folder / "haproxy.cfg", listener.fileno()
        file.write_text(CONFIGURATION.format(listener=fd, port=house.port, sends=sends))
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
    with haproxy(house, tmp_path, sends) as port, trio.fail_after(PATIENCE):
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
    with haproxy(house, tmp_path, "") as port, trio.fail_after(PATIENCE):
        peer = await house.take_in(await trio.open_tcp_stream("127.0.0.1", port))
        await peer.send(b"alice\n")
        assert await peer.rest() == ""
    assert "turned away the proxy 127.0.0.1: it sends no PROXY header" in caplog.text
