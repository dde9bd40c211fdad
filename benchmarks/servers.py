"""The servers that are measured: how each is started, found ready, and ended."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from benchmarks import dialects
from benchmarks.crowd import AT_ONCE
from benchmarks.dialects import Dialect
from benchmarks.machine import Meter, on_core, version_of
from benchmarks.transcript import Failed
from trio_chat.server.certificate import Certificate
from trio_chat.server.own_certificate import use_own

_RIVALS = Path(__file__).parent / "rivals"
_START = 10.0  # seconds until a server listens
_MANY = "15000"  # connections: more than any scenario makes
_PORT = re.compile(rb"^(?:.* on 127\.0\.0\.1:)?(\d+)\n", re.MULTILINE)

# What trio-chat's own limits would forbid: very many clients from one address, and a sender who is
# faster than any person. The limiter runs all the same.
_RAISED = {
    "TRIO_CHAT_LIMITS__CONNECTIONS": _MANY,
    "TRIO_CHAT_LIMITS__CONNECTIONS_PER_ADDRESS": _MANY,
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    # As the others: none of them stores anything. What it costs is a scenario of its own.
    "TRIO_CHAT_HISTORY__STORE": "memory:",
}


@dataclass(frozen=True)
class Server:
    """``command(folder, port)`` starts it; it may write files into that empty folder.

    ``over_tls`` starts it so that it speaks TLS, if it can. ``own_port`` says that it ignores the
    port and prints one that the kernel chose. ``most`` is the most connections that it can have,
    ``at_once`` how many may be on their way in: less than the backlog of its listener.
    """

    name: str
    what: str
    dialect: Dialect
    command: Callable[[Path, int], list[str]]
    over_tls: Callable[[Path, int], list[str]] | None = None
    program: str = sys.executable
    package: str = ""  # of Python, that must be installed
    version: str = ""  # the argument that makes it tell its version
    own_port: bool = True
    most: int = 15_000
    at_once: int = AT_ONCE
    environment: Mapping[str, str] = field(default_factory=dict)

    def missing(self) -> str:
        """Why it cannot be measured here; empty if it can."""
        if self.package and find_spec(self.package.replace("-", "_")) is None:
            return f"the Python package {self.package} is not installed"
        if shutil.which(self.program) is None:
            return f"{self.program} is not installed"
        return ""

    def version_here(self) -> str:
        if self.package:
            return version_of(self.package)
        if not self.version:
            return ""
        told = subprocess.run(  # noqa: S603 - one of the fixed programs below
            [self.program, self.version],
            capture_output=True,
            text=True,
            timeout=_START,
            check=False,
        )
        found = re.search(r"\d+(\.\d+)+", told.stdout + told.stderr)
        return found[0] if found else ""


@dataclass(frozen=True)
class Running:
    """A server's process. ``log`` is what it writes, on either stream."""

    server: Server
    port: int
    meter: Meter
    log: Path


@contextmanager
def running(
    server: Server,
    core: int | None,
    environment: Mapping[str, str] | None = None,
    *,
    tls: bool = False,
) -> Iterator[Running]:
    """A server that listens, as long as this lasts, on ``core``; ``environment`` is added to."""
    command = server.over_tls if tls else server.command
    if command is None:
        raise Failed("it speaks no TLS")
    with tempfile.TemporaryDirectory(prefix="trio-chat-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # some servers give up root's rights
        log = folder / "log"
        port = 0 if server.own_port else _free_port()
        with log.open("wb") as out, on_core(core):
            process = subprocess.Popen(  # noqa: S603 - one of the fixed programs below
                command(folder, port),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                cwd=folder,  # where no .env lies
                env=own_environment() | dict(server.environment) | dict(environment or {}),
            )
        try:
            port = _ready(server, process, port, log)
            yield Running(server, port, Meter(process.pid), log)
        except Failed as failed:
            raise Failed(f"{failed}{_what_it_said(process, log)}") from None
        finally:
            process.kill()  # it holds nothing that is worth a farewell to thousands
            process.wait()


def own_environment() -> dict[str, str]:
    """Ours, without what sets up trio-chat."""
    return {n: value for n, value in os.environ.items() if not n.upper().startswith("TRIO_CHAT_")}


def _ready(server: Server, process: subprocess.Popen[bytes], port: int, log: Path) -> int:
    """Wait until it listens; returns the port."""
    until = time.monotonic() + _START
    while time.monotonic() < until and process.poll() is None:
        if server.own_port:
            if found := _PORT.search(log.read_bytes()):
                return int(found[1])
        elif _listens(port):
            return port
        time.sleep(0.02)
    raise Failed("it does not start")


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _what_it_said(process: subprocess.Popen[bytes], log: Path) -> str:
    """If a server has ended by itself, its last words are worth a look."""
    if process.poll() is None:
        return ""
    said = log.read_text(errors="replace").strip().splitlines()
    return f" (it ended with {process.returncode}: {said[-1] if said else 'no word'})"


# ── the table ──────────────────────────────────────────────────────────────────────────────────


def _trio_chat(folder: Path, port: int) -> list[str]:
    return [sys.executable, "-m", "trio_chat", "server", "--port", "0"]


def _certificate(folder: Path) -> str:
    """A file with a certificate and its key, the same kind for all servers."""
    file = folder / "certificate.pem"
    use_own(Certificate(), file, "localhost")
    return str(file)


def _trio_chat_over_tls(folder: Path, port: int) -> list[str]:
    file = _certificate(folder)
    files = ["--set", f"tls.certificate={file}", "--set", f"tls.key={file}"]
    return [*_trio_chat(folder, port), *files]


def _rival(script: str, *arguments: str) -> Callable[[Path, int], list[str]]:
    return lambda folder, port: [sys.executable, str(_RIVALS / script), *arguments]


def _redis(folder: Path, port: int) -> list[str]:
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
    return [*command, "--save", "", "--maxclients", _MANY, "--tcp-backlog", "4096"]


def _nats(folder: Path, port: int) -> list[str]:
    settings = folder / "nats.conf"
    settings.write_text(f'max_connections: {_MANY}\nping_interval: "1h"\n')
    return ["nats-server", "-a", "127.0.0.1", "-p", str(port), "-c", str(settings)]


def _ngircd(folder: Path, port: int) -> list[str]:
    settings = folder / "ngircd.conf"
    settings.write_text(
        f"[Global]\nName = bench.example.net\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n"
        "MotdPhrase = bench\n"
        "[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxPenaltyTime = 0\n"
        "PingTimeout = 10000\nPongTimeout = 10000\n"
        "[Options]\nDNS = no\nIdent = no\nPAM = no\n"
        "[Channel]\nName = #bench\nModes = \n"
    )
    return ["ngircd", "-n", "-f", str(settings)]


def _ngircd_over_tls(folder: Path, port: int) -> list[str]:
    command = _ngircd(folder, _free_port())
    file = _certificate(folder)
    with (folder / "ngircd.conf").open("a") as settings:
        settings.write(f"[SSL]\nPorts = {port}\nCertFile = {file}\nKeyFile = {file}\n")
    return command


_INSPIRCD = """\
<server name="bench.example.net" description="bench" network="bench">
<admin name="bench" nick="bench" email="bench@example.net">
<path configdir="{folder}" datadir="{folder}" logdir="{folder}" runtimedir="{folder}">
<bind address="127.0.0.1" port="{port}" type="clients" ssl="{ssl}">
<connect name="bench" allow="*" limit="{many}" localmax="{many}" globalmax="{many}" timeout="60"
    pingfreq="10000" hardsendq="1G" softsendq="1G" recvq="1G" threshold="1000000"
    commandrate="1000000" fakelag="no" resolvehostnames="no" useident="no">
<performance somaxconn="4096" softlimit="{many}">
<options defaultmodes="">
"""


def _inspircd(folder: Path, port: int, ssl: str = "") -> list[str]:
    settings = folder / "inspircd.conf"
    settings.write_text(_INSPIRCD.format(folder=folder, port=port, ssl=ssl, many=_MANY))
    return ["inspircd", "--config", str(settings), "--nofork", "--nolog", "--nopid", "--runasroot"]


def _inspircd_over_tls(folder: Path, port: int) -> list[str]:
    command = _inspircd(folder, port, "gnutls")
    file = _certificate(folder)
    with (folder / "inspircd.conf").open("a") as settings:
        settings.write(f'<module name="ssl_gnutls">\n<gnutls certfile="{file}" keyfile="{file}">\n')
    return command


def _ncat(folder: Path, port: int) -> list[str]:
    return ["ncat", "--listen", "--broker", "--max-conns", "1020", "127.0.0.1", str(port)]


_COMPILER = shutil.which("cc")


def _loop(folder: Path, port: int) -> list[str]:
    """The loop in C, compiled; without a compiler the one in Python has to do."""
    if _COMPILER is None:
        return _rival("bare.py", "--batch")(folder, port)
    program, source = str(folder / "loop"), str(_RIVALS / "loop.c")
    subprocess.run([_COMPILER, "-O2", "-o", program, source], check=True)  # noqa: S603
    return [program]


SERVERS = [
    Server(
        "trio-chat",
        "this project, plain dialect",
        dialects.Plain(),
        _trio_chat,
        package="trio-chat",
        environment=_RAISED,
    ),
    Server(
        "trio-chat-irc",
        "this project, IRC with times, ids and accounts",
        dialects.Ircv3(),
        _trio_chat,
        over_tls=_trio_chat_over_tls,
        package="trio-chat",
        environment=_RAISED | {"TRIO_CHAT_IRC__CLOAK": "false"},
    ),
    Server(
        "bare", "a bare loop, a send per client and message", dialects.Bare(), _rival("bare.py")
    ),
    Server(
        "bare-batch",
        "the same, reads all that waits, then a send per client",
        dialects.Bare(),
        _rival("bare.py", "--batch"),
    ),
    Server(
        "c-loop",
        "the same in C" if _COMPILER else "the same, as there is no compiler for the one in C",
        dialects.Bare(),
        _loop,
    ),
    Server("asyncio", "asyncio streams", dialects.Lines(), _rival("streams.py")),
    Server(
        "uvloop",
        "asyncio streams on uvloop",
        dialects.Lines(),
        _rival("streams.py", "--uvloop"),
        package="uvloop",
    ),
    Server(
        "threads", "a thread per client, as in tutorials", dialects.Lines(), _rival("threads.py")
    ),
    Server(
        "redis",
        "redis-server, publish and subscribe",
        dialects.Redis(),
        _redis,
        program="redis-server",
        version="--version",
        own_port=False,
    ),
    Server(
        "ngircd",
        "ngIRCd, one channel",
        dialects.Irc(),
        _ngircd,
        over_tls=_ngircd_over_tls,
        program="ngircd",
        version="--version",
        own_port=False,
        at_once=8,
    ),
    Server(
        "inspircd",
        "InspIRCd, one channel",
        dialects.Irc(),
        _inspircd,
        over_tls=_inspircd_over_tls,
        program="inspircd",
        version="--version",
        own_port=False,
    ),
    Server(
        "ncat",
        "ncat --broker",
        dialects.Broker(),
        _ncat,
        program="ncat",
        version="--version",
        own_port=False,
        most=1010,  # it uses select(), so 1024 descriptors
        at_once=8,
    ),
    Server(
        "nats",
        "nats-server, publish and subscribe",
        dialects.Nats(),
        _nats,
        program="nats-server",
        version="--version",
        own_port=False,
    ),
]
