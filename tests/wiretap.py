"""A wire between clients and a server that keeps what goes over it, and tells what is odd there."""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import trio

from processes import PATIENCE

# RFC 2812, section 2.3.1, with the tags of IRCv3.
_LINE = re.compile(
    r"(@[^ ]+ )?(:(?P<source>[^ ]+) )?(?P<command>[A-Z]+|\d{3})"
    r"(?P<middles>( [^ :][^ ]*){0,14})( :(?P<last>.*))?"
)
_SOURCE = re.compile(r"chat\.local|[^ !@]+(![^ !@]+@[^ !@]+)?")

# What a server says to a client that does nothing wrong: https://modern.ircdocs.horse
_KNOWN = re.compile(
    r"ACCOUNT|ACK|AWAY|BATCH|CAP|CHGHOST|ERROR|INVITE|JOIN|KICK|MODE|NICK|NOTICE|PART|PING|PONG"
    r"|PRIVMSG|QUIT|SETNAME|TAGMSG|TOPIC|00[1-5]|221|25[1245]|26[56]|30[12356]|31[1235789]"
    r"|32[1-49]|33[01235]|34[16-9]|35[234]|36[678]|37[256]|422|671|73[01]"
)

# What clients ask in vain everywhere: irssi whether it has registered, pydle who it was before it
# had, and ircrobots for the lists that only operators see.
_IN_VAIN = re.compile(
    r"(@\S+ )?:chat\.local (451 \* :.*|401 \S+ <unregistered> :.*|482 .* may see that\.)"
)


class Wiretap:
    """``said`` are the lines of the clients, ``told`` those of the server, in their order."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.told: list[str] = []
        self.raw_told: list[bytes] = []
        self._server_port = 0
        self._more = trio.Event()

    async def until_said(self, command: str, times: int) -> None:
        """Wait until clients have said so many lines with this command."""
        with trio.fail_after(PATIENCE):
            while sum(f" {command} " in f" {line} " for line in self.said) < times:
                await self._more.wait()

    def odd(self) -> list[str]:
        """What the server should not have told a client that does nothing wrong."""
        return [f"{why}: {line!r}" for line in self.raw_told if (why := why_odd(line))]

    @asynccontextmanager
    async def listen(self, port: int, server_port: int) -> AsyncIterator[None]:
        """Stand on a port of 127.0.0.1 in front of a server's as long as this lasts."""
        self._server_port = server_port
        async with trio.open_nursery() as nursery:
            listeners = await trio.open_tcp_listeners(port, host="127.0.0.1")
            self._accepting = trio.CancelScope()
            nursery.start_soon(self._accept, listeners, nursery)
            yield
            nursery.cancel_scope.cancel()

    def refuse(self) -> None:
        """Take no more connections; those that there are go on."""
        self._accepting.cancel("the server is about to stop")

    async def _accept(self, listeners: list[trio.SocketListener], nursery: trio.Nursery) -> None:
        with self._accepting:
            await trio.serve_listeners(self._carry, listeners, handler_nursery=nursery)

    async def _carry(self, client: trio.SocketStream) -> None:
        """Carry what one client and the server have for each other."""
        async with (
            client,
            await trio.open_tcp_stream("127.0.0.1", self._server_port) as server,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(self._keep, client, server, self._client_line)
            nursery.start_soon(self._keep, server, client, self._server_line)

    async def _keep(
        self, one: trio.SocketStream, other: trio.SocketStream, note: Callable[[bytes], None]
    ) -> None:
        begun = b""
        try:
            async for data in one:
                *lines, begun = (begun + data).split(b"\n")
                for line in lines:
                    note(line + b"\n")
                await other.send_all(data)
            if begun:
                note(begun)
            await other.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.aclose_forcefully(other)

    def _client_line(self, line: bytes) -> None:
        self.said.append(line.decode().rstrip("\r\n"))
        waiting, self._more = self._more, trio.Event()
        waiting.set()

    def _server_line(self, line: bytes) -> None:
        self.raw_told.append(line)
        self.told.append(line.decode("utf-8", "replace").rstrip("\r\n"))


def why_odd(line: bytes) -> str:
    """Of a line of a server's; empty if it is as it should be."""
    if not line.endswith(b"\r\n") or b"\0" in line or b"\r" in line[:-2]:
        return "no line of IRC"
    tags, blank, rest = line.partition(b" ") if line.startswith(b"@") else (b"", b"", line)
    if len(rest) > 512 or len(tags + blank) > 8191:
        return "too long"
    try:
        found = _LINE.fullmatch(line[:-2].decode())
    except UnicodeDecodeError:
        return "not UTF-8"
    if found is None:
        return "cannot be read"
    if not (_KNOWN.fullmatch(found["command"]) or _IN_VAIN.fullmatch(found[0])):
        return "an unknown kind, or a refusal"
    if found["source"] and not _SOURCE.fullmatch(found["source"]):
        return "an odd source"
    if found["source"] and found["command"] == "PING":
        return "a source where programs expect none"
    return ""
