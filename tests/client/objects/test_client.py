"""``trio-chat client --json`` as a process, with servers as processes and in the test's nursery."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio
from jsonschema import Draft202012Validator

from netcat import guest
from processes import IMPATIENT, Running, environment, free_port, run, running, running_server
from trio_chat.client.objects.schema import schema

TOP = Path(__file__).parents[3]
OUTPUT = Draft202012Validator({"$ref": "#/$defs/Output", "$defs": schema()["$defs"]})
QUICK = {
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
}


@dataclass
class Bot:
    process: Running
    told: list[dict[str, Any]] = field(default_factory=list)

    async def ask(self, **request: object) -> None:
        await self.process.write(json.dumps(request) + "\n")

    async def hears(self, kind: str, **fields: object) -> dict[str, Any]:
        """Wait for an object of this type that has these fields; each is looked at once."""
        while True:
            told = json.loads(await self.process.out.line())
            OUTPUT.validate(told)
            self.told.append(told)
            if told["type"] == kind and fields.items() <= told.items():
                return told

    async def ends(self) -> int:
        await self.process.end_input()
        return await self.ended()

    async def ended(self) -> int:
        code = await self.process.ended()
        rest = (await self.process.out.rest()).splitlines()
        self.told += [json.loads(line) for line in rest]
        return code

    def all(self, kind: str, **fields: object) -> list[dict[str, Any]]:
        return [t for t in self.told if t["type"] == kind and fields.items() <= t.items()]


@asynccontextmanager
async def bot(port: int, *arguments: str, nick: str = "bob") -> AsyncIterator[Bot]:
    command = ["client", "--json", "-p", str(port), "-n", nick, *arguments]
    async with running(*command, constants=IMPATIENT) as process:
        yield Bot(process)


async def test_many_rooms_private_talk_history_and_ids(port):
    async with guest(port, "al") as al, bot(port) as bob:
        await al.send("early\n")
        await al.until("al: early\n")
        await bob.ask(type="join", room="#tea")
        await bob.hears("in_room", room="#tea")
        await al.send("/msg bob psst\n/join #tea\nhello\n")
        assert (await bob.hears("said", nick="al", text="psst"))["to"] == "bob"
        await bob.hears("joined", nick="al", room="#tea")
        heard = await bob.hears("said", nick="al", text="hello", room="#tea")
        await bob.ask(type="say", target="#tea", text="grüße\nyou", token="t" * 16)
        first = await bob.hears("acknowledged", token="t" * 16)
        await bob.ask(type="say", target="#tea", text="too", token="u" * 16)
        second = await bob.hears("acknowledged", token="u" * 16)
        await al.until("bob: grüße\nbob: you\nbob: too\n")
        assert heard["msgid"] < first["msgid"] < second["msgid"]
        await bob.ask(type="history", target="#tea", before=second["msgid"], limit=1)
        page = await bob.hears("said", earlier=True, text="grüße\nyou")
        assert (page["msgid"], page["token"]) == (first["msgid"], "t" * 16)
        await bob.hears("page_end", target="#tea", count=1, complete=False)
        await bob.ask(type="mark_read", target="#tea", time=first["time"])
        await bob.hears("marked_read", target="#tea", time=first["time"])
        await bob.ask(type="command", line="/topic green", target="#tea")
        await bob.hears("topic", room="#tea", text="green", nick="bob")
        await bob.ask(type="away", text="lunch")
        await bob.hears("away", nick="bob", text="lunch")
        await bob.ask(type="raw", line="TOPIC #tea :black")
        await bob.hears("topic", room="#tea", text="black")
        await bob.ask(type="part", room="#tea", why="enough")
        await bob.hears("out_of_room", room="#tea")
        await bob.ask(type="quit", why="bye")
        assert await bob.ended() == 0
        assert bob.process.err.text == ""
        assert [t["text"] for t in bob.all("said", room="#lobby", earlier=True)] == ["early"]
        await al.until("bob left!\n")


async def test_a_bot_that_is_known_again_says_once_what_it_says_twice(port):
    variables = {"TRIO_CHAT_CLIENT__IDENTITY": "0123456789abcdef"}
    text = json.dumps({"type": "say", "text": "once", "token": "t" * 16}).encode()
    command = ("client", "--json", "-p", str(port), "-n", "bob")
    async with guest(port, "al") as al:
        for _ in range(2):
            done = await run(*command, stdin=text, **variables)
            assert '"acknowledged"' in done.out
        heard = await al.until("bob left!\n") + await al.until("bob left!\n")
    assert heard.count("bob: once\n") == 1


async def test_300_texts_from_a_file_arrive_complete_and_in_order(port, tmp_path):
    file = tmp_path / "requests"
    said = [f"line {number}" for number in range(300)]
    file.write_text("".join(json.dumps({"type": "say", "text": text}) + "\n" for text in said))
    async with guest(port, "al") as al:
        with file.open("rb") as stdin:
            done = await run("client", "--json", "-p", str(port), "-n", "bob", stdin=stdin)
        await al.until("bob left!\n")
    assert (done.code, done.err) == (0, "")
    told = [json.loads(line) for line in done.out.splitlines()]
    tokens = [t["token"] for t in told if t["type"] == "sent"]
    assert [t["token"] for t in told if t["type"] == "acknowledged"] == tokens
    heard = [line for line in al.heard.text.splitlines() if line.startswith("bob: ")]
    assert heard == [f"bob: {text}" for text in said]


async def test_bad_lines_are_told_by_their_numbers_and_cost_nothing_else(port):
    lines = [b"hello", b"", b"\xff", b'{"type":"say","text":"\\ud800"}', b"[" * 5000]
    last = b'{"type":"say","text":"nul \\u0000","target":"#lobby"}'
    done = await run(
        "client", "--json", "-p", str(port), "-n", "bob", stdin=b"\n".join([*lines, last])
    )
    told = [json.loads(line) for line in done.out.splitlines()]
    assert [t["line"] for t in told if t["type"] == "error"] == [1, 3, 4, 5]
    assert [t["type"] for t in told if "token" in t] == ["sent", "acknowledged"]
    assert done.code == 65
    assert done.err == "trio-chat: 4 lines of the input were not understood, or too long\n"


# ── errors, and how it is stopped ──────────────────────────────────────────────────────────────


async def test_a_server_that_is_killed_with_something_on_its_way():
    async with running_server() as server, bot(server.port) as bob:
        await bob.hears("in_room")
        server.process.send_signal(signal.SIGSTOP)
        await bob.ask(type="say", text="hi", token="t" * 16)
        await bob.hears("sent", token="t" * 16)
        server.process.kill()
        assert await bob.ended() == 69
        assert [t["type"] for t in bob.told[-2:]] == ["unlinked", "failed"]
        assert bob.process.err.text.lower().startswith("trio-chat: the ")
        assert bob.process.err.text.count("\n") == 1


# ── a server that is killed, and comes back ────────────────────────────────────────────────────


async def test_nothing_is_lost_nor_twice_when_the_server_is_killed(tmp_path):
    """Two bots that stay, and a server that is killed while one of them talks."""
    numbers = [f"{number}" for number in range(200)]
    options = {"TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db"), **QUICK}
    with free_port() as port:
        async with bot(port, "--retry") as bob, bot(port, "--retry", nick="al") as al:
            async with running_server(port=port, **options) as server:
                for one in (bob, al):
                    await one.hears("roster", room="#lobby")
                for number in numbers[:120]:
                    await bob.ask(type="say", text=number, token=number.rjust(16, "0"))
                await bob.hears("sent", text="20")
                server.process.kill()
            async with running_server(port=port, **options):
                await al.hears("linked")
                for number in numbers[120:]:
                    await bob.ask(type="say", text=number, token=number.rjust(16, "0"))
                assert await bob.ends() == 0
                await al.hears("departed", nick="bob")
                assert await al.ends() == 0
        acknowledged = [t["token"].lstrip("0") or "0" for t in bob.all("acknowledged")]
        assert sorted(acknowledged, key=int) == numbers
        assert bob.all("failed") == []
        said = [t["text"] for t in al.all("said", nick="bob")]
        assert said == numbers


# ── the examples ───────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def example(name: str, port: int) -> AsyncIterator[None]:
    variables = {"TRIO_CHAT_PORT": str(port)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    process = await trio.lowlevel.open_process(
        [sys.executable, TOP / "examples" / name],
        stdin=subprocess.DEVNULL,
        env=environment(variables) | {"PATH": path},
    )
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_the_bot_with_pipes_counts_in_both_rooms(port):
    async with guest(port, "al") as al:
        await al.send("!count\n")
        async with example("json_bot.py", port):
            await al.until("counter joined!\n")
            await al.send("!count\nhello\n!count\n")
            await al.until("counter: al: 1\n")
            await al.until("counter: al: 2\n")
            await al.send("/join #tea\n")
            await al.until("in #tea")
            await al.send("!count\n")
            await al.until("counter: al: 3\n")
        await al.until("counter left!\n")
