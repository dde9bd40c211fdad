"""The front end of programs, between a pipe and channels: what waits for what, and how it ends."""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trio

from trio_chat.client import delivery, pipe, requests
from trio_chat.client.objects import pipe as objects
from trio_chat.errors import ChatError, NotSaid
from trio_chat.protocols.client import (
    Acknowledged,
    Failed,
    InRoom,
    Linked,
    Message,
    OutOfRoom,
    Sent,
    Unlinked,
)
from trio_chat.protocols.resume_state import ResumeState

LINKED = Linked("bob", "", frozenset())
TOKENS = [f"{number:016}" for number in range(5)]


@dataclass
class Program:
    """What writes to the front end and reads what it prints, and the chat behind it."""

    stdin: int
    stdout: int
    messages: trio.MemorySendChannel[Message]
    asked: trio.MemoryReceiveChannel[requests.Request]
    ended: trio.Event = field(default_factory=trio.Event)
    state: ResumeState = field(default_factory=ResumeState)
    why: str = ""
    front_end: objects.ObjectPipe | None = None
    _printed: bytes = b""

    def write(self, *requests: object) -> None:
        lines = [r if isinstance(r, str) else json.dumps(r) for r in requests]
        os.write(self.stdin, "".join(line + "\n" for line in lines).encode())

    def say(self, *tokens: str) -> None:
        self.write(*({"type": "say", "text": "hi", "token": token} for token in tokens))

    def complaint(self) -> str:
        assert self.front_end is not None
        with pytest.raises(NotSaid) as caught:
            self.front_end.check()
        return str(caught.value)

    def end_input(self) -> None:
        os.close(self.stdin)
        self.stdin = -1

    async def tell(self, *messages: Message) -> None:
        for message in messages:
            await self.messages.send(message)

    async def wants(self, *expected: requests.Request) -> None:
        for request in expected:
            assert await self.asked.receive() == request

    async def wants_nothing(self) -> None:
        await trio.testing.wait_all_tasks_blocked(0.01)
        with pytest.raises(trio.WouldBlock):
            self.asked.receive_nowait()

    async def printed(self) -> dict[str, Any]:
        while b"\n" not in self._printed:
            await trio.lowlevel.wait_readable(self.stdout)
            self._printed += os.read(self.stdout, 4096)
        line, _, self._printed = self._printed.partition(b"\n")
        told: dict[str, Any] = json.loads(line)
        return told

    async def prints(self, *kinds: str) -> None:
        for kind in kinds:
            assert (await self.printed())["type"] == kind


@pytest.fixture(params=[False, True], ids=["once", "retry"])
def retry(request) -> bool:
    return request.param


@pytest.fixture
async def program(nursery, monkeypatch, retry) -> AsyncIterator[Program]:
    stdin, stdin_of = os.pipe()
    stdout_of, stdout = os.pipe()
    monkeypatch.setattr(pipe, "_STDIN", stdin)
    monkeypatch.setattr(pipe, "_STDOUT", stdout)
    messages, messages_of = trio.open_memory_channel[Message](0)
    asked, asked_of = trio.open_memory_channel[requests.Request](0)
    program = Program(stdin_of, stdout_of, messages, asked_of)

    async def run() -> None:
        try:
            with messages_of, asked:
                program.front_end = objects.ObjectPipe("#lobby", program.state, retry=retry)
                await program.front_end.run(messages_of, asked)
            program.front_end.check()
        except ChatError as error:
            program.why = str(error)
        program.ended.set()

    nursery.start_soon(run)
    with trio.fail_after(30):
        yield program
        # A thread that still wrote would write into the pipe of the next test.
        messages.close()
        await program.ended.wait()
    for descriptor in {stdin, stdout, program.stdin, stdout_of} - {-1}:
        os.close(descriptor)


async def test_the_room_has_to_let_us_in_until_we_have_been_in(program):
    await program.tell(LINKED, InRoom("#den"))
    assert program.state.required == ["#lobby"]
    await program.tell(InRoom("#Lobby"), OutOfRoom("#lobby", "kicked"))
    assert not program.state.required
    program.write({"type": "join", "room": "#tea"})
    await program.wants(requests.Join("#tea"))


async def test_the_input_waits_until_we_are_in(program):
    program.write({"type": "join", "room": "#tea"}, "nonsense")
    await program.wants_nothing()
    await program.tell(LINKED)
    await program.wants(requests.Join("#tea"))
    await program.prints("linked", "error")


async def test_the_end_waits_until_we_are_in_and_all_that_was_said_is_known(program):
    program.say(*TOKENS[:2])
    program.end_input()
    await program.tell(LINKED)
    await program.wants(*(requests.Say("hi", "#lobby", token=token) for token in TOKENS[:2]))
    await program.tell(Sent(TOKENS[0], "#lobby", "hi"), Sent(f"{TOKENS[0]}-2", "#lobby", "hi"))
    await program.tell(Sent(TOKENS[1], "#lobby", "hi"), Acknowledged(TOKENS[0]))
    await program.tell(Failed(TOKENS[1], "No."))
    await program.wants_nothing()
    await program.tell(Acknowledged(f"{TOKENS[0]}-2"))
    await program.wants(requests.Leave(""))
    program.messages.close()
    await program.ended.wait()
    assert program.why == "1 message or command was refused or cut, or may not have arrived"


async def test_what_is_asked_for_at_the_end_is_not_dropped_before_we_are_in(program):
    program.write({"type": "command", "line": "/topic tea"})
    program.end_input()
    await program.tell(LINKED)
    await program.wants(requests.SlashCommand("/topic tea", "#lobby"))
    await program.wants_nothing()
    await program.tell(InRoom("#lobby"))
    await program.wants(requests.Leave(""))


@pytest.mark.parametrize(
    "last", [{"type": "quit", "why": "bye"}, {"type": "command", "line": "/quit bye"}]
)
async def test_a_program_may_leave_with_words_and_nothing_after_them_counts(program, last):
    program.write(last, {"type": "join", "room": "#tea"})
    await program.tell(LINKED)
    await program.wants(requests.Leave("bye"))
    await program.wants_nothing()


async def test_of_what_nothing_becomes_is_given_up_in_the_end(program, monkeypatch):
    monkeypatch.setattr(delivery, "_PATIENCE", 0.01)
    program.say(TOKENS[0])
    program.end_input()
    await program.tell(LINKED)
    await program.wants(requests.Say("hi", "#lobby", token=TOKENS[0]), requests.Leave(""))
    program.messages.close()
    await program.prints("linked", "failed")
    await program.ended.wait()
    assert program.why == "1 message was not confirmed"


async def test_the_input_waits_while_much_is_on_its_way(program, monkeypatch):
    monkeypatch.setattr(delivery, "_OPEN_MAX", 2)
    program.say(*TOKENS[:3])
    await program.tell(LINKED)
    await program.wants(*(requests.Say("hi", "#lobby", token=token) for token in TOKENS[:2]))
    await program.wants_nothing()
    await program.tell(Acknowledged(TOKENS[1]))
    await program.wants(requests.Say("hi", "#lobby", token=TOKENS[2]))


async def test_only_what_has_failed_can_be_sent_again(program):
    token = TOKENS[0]
    await program.tell(LINKED, Sent(token, "al", "hi"), Failed(token, "Nobody is al."))
    await program.prints("linked", "sent", "failed")
    program.write({"type": "resend", "token": token}, {"type": "resend", "token": TOKENS[1]})
    await program.wants(requests.ResendText(token))
    await program.prints("error")
    await program.tell(Sent(token, "al", "hi"), Acknowledged(token))
    await program.prints("sent", "acknowledged")
    program.write({"type": "resend", "token": token})
    await program.prints("error")


async def test_what_has_failed_counts_until_it_has_arrived_after_all(program, monkeypatch):
    monkeypatch.setattr(delivery, "FAILED_MAX", 2)
    await program.tell(LINKED, *(Failed(token, "No.") for token in TOKENS[:3]))
    await program.prints("linked", *["failed"] * 3)
    assert "3 messages or commands were refused" in program.complaint()
    await program.tell(Sent(TOKENS[1], "al", "hi"))
    await program.prints("sent")
    await program.tell(Acknowledged(TOKENS[1]))
    await program.prints("acknowledged")
    assert "2 messages or commands were refused" in program.complaint()


async def test_with_retry_what_was_refused_for_now_is_sent_again_and_keeps_the_input_waiting(
    program, retry, monkeypatch
):
    monkeypatch.setattr(delivery, "backoff", lambda: iter([0.0] * 9))
    refused = Failed(TOKENS[0], "full", for_now=True)
    program.say(TOKENS[0])
    await program.tell(LINKED, Sent(TOKENS[0], "#lobby", "hi"))
    await program.wants(requests.Say("hi", "#lobby", token=TOKENS[0]))
    await program.tell(refused)
    program.say(TOKENS[1])
    await program.prints("linked", "sent")
    if not retry:
        await program.wants(requests.Say("hi", "#lobby", token=TOKENS[1]))
        await program.prints("failed")
        return
    await program.wants(requests.ResendText(TOKENS[0]))
    await program.tell(refused)
    await program.wants(requests.ResendText(TOKENS[0]))
    await program.wants_nothing()
    await program.tell(Acknowledged(TOKENS[0]))
    await program.prints("acknowledged")
    await program.wants(requests.Say("hi", "#lobby", token=TOKENS[1]))


async def test_lines_that_are_no_requests_count(program):
    await program.tell(LINKED)
    program.write("nonsense", "", {"type": "resend", "token": "never"}, {"type": "say"})
    await program.prints("linked", *["error"] * 3)
    assert program.complaint() == "3 lines of the input were not understood, or too long"


async def test_of_failed_texts_the_last_ones_are_known(program, monkeypatch):
    monkeypatch.setattr(delivery, "FAILED_MAX", 2)
    await program.tell(LINKED, *(Failed(token, "No.") for token in TOKENS[:3]))
    await program.prints("linked", *["failed"] * 3)
    program.write(*({"type": "resend", "token": token} for token in TOKENS[:2]))
    await program.prints("error")
    await program.wants(requests.ResendText(TOKENS[1]))


@pytest.mark.parametrize("retry", [False], indirect=True)
async def test_without_retry_a_cut_is_the_end_and_tells_what_may_be_lost(program):
    await program.tell(LINKED, Sent(TOKENS[0], "#lobby", "hi"), Unlinked("it is cut", 1.5))
    await program.ended.wait()
    await program.prints("linked", "sent")
    assert await program.printed() == {"type": "unlinked", "why": "it is cut"}
    failed = {"type": "failed", "token": TOKENS[0], "why": "It may not have arrived."}
    assert await program.printed() == failed
    assert program.why == "it is cut"


@pytest.mark.parametrize("retry", [True], indirect=True)
async def test_with_retry_the_input_waits_while_we_are_cut_off(program):
    await program.tell(LINKED, Unlinked("it is cut", 1.5))
    await program.prints("linked")
    assert await program.printed() == {"type": "unlinked", "why": "it is cut", "retry": 1.5}
    program.say(TOKENS[0])
    await program.wants_nothing()
    await program.tell(LINKED)
    await program.wants(requests.Say("hi", "#lobby", token=TOKENS[0]))


@pytest.mark.parametrize("retry", [True], indirect=True)
async def test_who_has_nothing_more_to_say_need_not_come_back(program):
    await program.tell(LINKED, Unlinked("it is cut", 1.5))
    program.end_input()
    await program.wants(requests.Leave(""))


async def test_a_line_that_is_too_long_costs_nothing_else(program, monkeypatch):
    monkeypatch.setattr(pipe, "LINE_BYTES", 100)
    program.write("", "x" * 101, {"type": "join", "room": "#tea"})
    assert (await program.printed())["line"] == 2
    await program.tell(LINKED)
    await program.wants(requests.Join("#tea"))
