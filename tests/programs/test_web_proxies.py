"""nginx and Caddy in front of a server, at a path: the page and WebSocket go through."""

import logging
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import trio

from browsers import Socket, Stream, get
from certificates import Files, issue
from irc_peers import IrcPeer
from peers import House, Peer, running, settings
from processes import PATIENCE, free_port

pytestmark = pytest.mark.programs

NGINX = "/usr/sbin/nginx"

# As docs/security.md has it, without what is only for this test.
LOCATION = """\
    location /chat/ {
      proxy_pass http://127.0.0.1:55555/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_read_timeout 1h;
    }
"""
MAP = "  map $http_upgrade $connection_upgrade { default upgrade; '' close; }\n"

CONFIGURATION = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/log;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder};
  proxy_temp_path {folder};
  fastcgi_temp_path {folder};
  uwsgi_temp_path {folder};
  scgi_temp_path {folder};
{map}  server {{
    listen 127.0.0.1:{port};
{location}  }}
}}
"""

CADDYFILE = """\
{{
  admin off
  auto_https off
}}
http://127.0.0.1:{port} {{
  handle_path /chat/* {{
    reverse_proxy 127.0.0.1:{server}
  }}
}}
"""

# The proxy itself comes from 127.0.0.1.
SOURCE = "127.0.0.77"


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    files: Files = issue(tmp_path)
    chosen = settings(
        server={"proxies": "127.0.0.1"}, tls=files.settings, accounts={"guests": "open"}
    )
    async with running(chosen) as it:
        yield it


def nginx(folder: Path, port: int, server: int) -> Sequence[str]:
    """The command that runs nginx on a port, in front of a server's."""
    file, location = folder / "nginx.conf", LOCATION.replace("55555", str(server))
    file.write_text(CONFIGURATION.format(folder=folder, port=port, map=MAP, location=location))
    return [NGINX, "-c", str(file), "-e", f"{folder}/log"]


def caddy(folder: Path, port: int, server: int) -> Sequence[str]:
    """The command that runs Caddy on a port, in front of a server's."""
    file = folder / "Caddyfile"
    file.write_text(CADDYFILE.format(port=port, server=server))
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


@pytest.fixture(params=[nginx, caddy])
async def port(house: House, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    """The port of a proxy before the server."""
    command: Callable[[Path, int, int], Sequence[str]] = request.param
    with free_port() as number:
        words = command(tmp_path, number, house.port)
    homes = {f"XDG_{name}_HOME": str(tmp_path) for name in ("DATA", "CONFIG")}
    with (tmp_path / "output").open("wb") as output:
        process = await trio.lowlevel.open_process(
            words, env={**os.environ, **homes}, stdout=output, stderr=output
        )
    try:
        await _until_it_listens(number)
        yield number
    finally:
        process.kill()
        with trio.CancelScope(shield=True):
            await process.wait()


async def _until_it_listens(port: int) -> None:
    with trio.fail_after(PATIENCE):
        while True:
            with suppress(OSError):
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
                return
            await trio.sleep(0.05)


async def connect(house: House, port: int) -> Peer:
    return await house.take_in(await trio.open_tcp_stream("127.0.0.1", port, local_address=SOURCE))


async def test_a_browser_comes_by_a_proxy_under_a_path(
    house: House, port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    here = f"127.0.0.1:{port}"
    browser = await connect(house, port)
    await browser.send(get("/chat/", host=here))
    assert (await browser.until("<title>")).startswith("HTTP/1.1 200 OK\r\n")
    raw = (await connect(house, port)).stream
    socket = Socket(host=here, path="/chat/", origin=f"http://{here}")
    await raw.send_all(socket.written())
    socket.reads(bytes(await raw.receive_some()))
    web = IrcPeer(Stream(raw, socket))
    assert any(" 001 web " in line for line in await web.news("NICK web", "USER w 0 * :W"))
    assert f"connected from {SOURCE}\n" in caplog.text
    assert "turned away" not in caplog.text


async def test_a_page_elsewhere_is_refused_behind_a_proxy_too(house: House, port: int) -> None:
    browser = await connect(house, port)
    origin = "http://evil.example"
    await browser.send(Socket(host=f"127.0.0.1:{port}", path="/chat/", origin=origin).written())
    assert (await browser.until("\r\n")).startswith("HTTP/1.1 403 ")


def test_the_configuration_is_what_the_documentation_says() -> None:
    security = (Path(__file__).parents[2] / "docs" / "security.md").read_text()
    plain = {line.strip() for line in (MAP + LOCATION).splitlines()}
    assert plain <= {line.strip() for line in security.splitlines()}
