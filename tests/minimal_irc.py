"""An IRC server as small as they were in 1993: no capabilities, no echoes, one person at a time."""

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import trio


class MinimalIrcServer:
    """``greets`` is what it says by itself; ``answers`` are lines in place of its usual answer to a
    command, or to a whole line.

    ``received`` are the lines that it has read. It speaks TLS while it has a ``context``.
    """

    def __init__(self, *, greets: str = "", **answers: str) -> None:
        self.port = 0
        self.context: ssl.SSLContext | None = None
        self.received: list[str] = []
        self._greets, self._answers = greets, answers
        self._nick = "*"

    async def run(self, *, task_status: trio.TaskStatus["MinimalIrcServer"]) -> None:
        serve = partial(trio.serve_tcp, self._serve, 0, host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            [listener] = await nursery.start(serve)
            self.port = listener.socket.getsockname()[1]
            task_status.started(self)

    async def _serve(self, tcp: trio.SocketStream) -> None:
        stream: trio.abc.Stream = tcp
        if self.context:
            stream = trio.SSLStream(tcp, self.context, server_side=True, https_compatible=True)
        with suppress(trio.BrokenResourceError):  # a client that does not trust us is gone
            await self._answer_lines(stream)

    async def _answer_lines(self, stream: trio.abc.Stream) -> None:
        await self._say(stream, self._greets)
        unread = b""
        async for data in stream:
            *lines, unread = (unread + data).split(b"\r\n")
            for line in (each.decode(errors="replace") for each in lines):
                self.received.append(line)
                answer = self._answer(line)
                await self._say(stream, answer)
                if answer.startswith("ERROR"):
                    await stream.aclose()
                    return

    async def _say(self, stream: trio.abc.Stream, text: str) -> None:
        await stream.send_all("".join(f"{line}\r\n" for line in text.splitlines()).encode())

    def _answer(self, line: str) -> str:
        command, _, rest = line.partition(" ")
        if command == "NICK":
            self._nick = rest
        answers: dict[str, Callable[[], str]] = {
            "NICK": lambda: "",
            "USER": lambda: f":irc.test 001 {self._nick} :Welcome, {self._nick}",
            "JOIN": lambda: (
                f":{self._nick}!~user@host JOIN :{rest}\n"
                f":irc.test 353 {self._nick} = {rest} :@{self._nick}\n"
                f":irc.test 366 {self._nick} {rest} :End of /NAMES list"
            ),
            "PRIVMSG": lambda: "",
            "PING": lambda: f":irc.test PONG irc.test {rest}",
            "QUIT": lambda: "ERROR :Closing Link: host (Client Quit)",
        }
        if answer := self._answers.get(line) or self._answers.get(command):
            return answer
        unknown = f":irc.test 421 {self._nick} {command} :Unknown command"
        return answers.get(command, lambda: unknown)()
