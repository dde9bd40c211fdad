"""The log never waits for whoever reads it: what does not fit is dropped, counted and told."""

import logging
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from netcat import guest
from processes import FOLDER, PROGRAM, environment
from trio_chat.cli.log_handler import BackgroundHandler

DROPPED = re.compile(r"(\d+) log lines were dropped")


@contextmanager
def logging_to_a_pipe(waiting_max: int = 10_000) -> Iterator[tuple[logging.Logger, int]]:
    """A logger, and the end of the pipe from which its lines can be read."""
    reading, writing = os.pipe()
    try:
        with logging_to(writing, waiting_max) as logger:
            try:
                yield logger, reading
            finally:
                os.close(reading)  # what still waits for a reader fails
    finally:
        os.close(writing)


@contextmanager
def logging_to(number: int, waiting_max: int = 10_000) -> Iterator[logging.Logger]:
    """A logger whose lines have been written to a descriptor when the context ends."""
    handler = BackgroundHandler(number, waiting_max=waiting_max)
    logger = logging.Logger("test")
    logger.addHandler(handler)
    try:
        yield logger
    finally:
        handler.close()
        handler._thread.join()


def told(lines: list[str]) -> list[str]:
    """The lines of the log in their order, those that were dropped in their place."""
    found: list[str] = []
    for line in lines:
        if dropped := DROPPED.search(line):
            found += [f"line {len(found) + i}" for i in range(int(dropped[1]))]
        else:
            found.append(line)
    return found


def lines_of(reading: int, last: str) -> list[str]:
    """All lines up to the one that ends with ``last``."""
    text = ""
    while not text.endswith(f"{last}\n"):
        text += os.read(reading, 65_536).decode()
    return text.splitlines()


def test_lines_come_in_their_order():
    with logging_to_a_pipe() as (logger, reading):
        for number in range(100):
            logger.info("line %d", number)
        assert lines_of(reading, "line 99") == [f"line {number}" for number in range(100)]


def test_a_pipe_that_nobody_reads_holds_nobody_up_and_what_was_dropped_is_told():
    with logging_to_a_pipe() as (logger, reading):
        for number in range(20_000):  # far more than the pipe and the queue hold
            logger.info("line %d", number)
        lines: list[str] = []
        while len(told(lines)) < 20_000:  # then there is room again
            lines += lines_of(reading, "")
        assert any(DROPPED.search(line) for line in lines)
        logger.info("again")
        lines += lines_of(reading, "again")
        assert told(lines) == [f"line {number}" for number in range(20_000)] + ["again"]


def test_flush_waits_for_what_is_not_written_but_not_for_ever():
    with logging_to_a_pipe(waiting_max=1_000_000) as (logger, reading):
        logger.info("x" * 500_000)
        logger.handlers[0].flush()  # nobody reads: it gives up
        logger.info("end")
        assert lines_of(reading, "end") == ["x" * 500_000, "end"]
        logger.handlers[0].flush()


def test_lines_that_follow_soon_are_written_together_and_at_once_if_they_have_to_be(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("trio_chat.cli.log_handler._GATHER", 1000.0)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)  # keeps writes apart
    with ours, theirs:
        with logging_to(theirs.fileno()) as logger:
            for text in ("one", "two", "three"):
                logger.info(text)
            logger.handlers[0].flush()
            assert ours.recv(1000) == b"one\ntwo\nthree\n"
            logger.info("the end")
        assert ours.recv(1000) == b"the end\n"


def test_what_it_writes_to_may_be_closed():
    with logging_to_a_pipe() as (logger, reading):
        os.dup2(os.open(os.devnull, os.O_RDONLY), reading)  # so the pipe has no reader
        logger.info("nobody sees it")
        logger.handlers[0].flush()


def test_what_it_writes_to_may_refuse_to_wait():
    with logging_to_a_pipe(waiting_max=1_000_000) as (logger, reading):
        os.set_blocking(reading, True)
        os.set_blocking(logger.handlers[0]._number, False)
        logger.info("x" * 300_000)
        logger.info("end")
        assert lines_of(reading, "end") == ["x" * 300_000, "end"]


def test_a_report_with_a_mistake_in_it_ends_nothing(capsys: pytest.CaptureFixture[str]):
    with logging_to_a_pipe() as (logger, reading):
        logger.info("%d", "no number")
        logger.info("end")
        assert lines_of(reading, "end") == ["end"]
    assert "no number" in capsys.readouterr().err


@pytest.mark.slow
async def test_a_server_whose_log_nobody_reads_goes_on_and_ends():
    """Its debug log of this is many times what a pipe holds."""
    command = [
        "server",
        "--port",
        "0",
        "--set",
        "log.level=debug",
        "--set",
        "limits.message_burst=100000",
    ]
    process = await trio.lowlevel.open_process(
        [*PROGRAM, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=FOLDER,
        env=environment({}),
    )
    assert process.stdout
    try:
        text = ""
        while "Join it" not in text:
            text += (await process.stdout.receive_some()).decode()
        port = int(text.splitlines()[0].rpartition(":")[2])
        async with guest(port, "al") as al:
            await al.send("".join(f"/msg nobody{number} x\n" for number in range(3000)))
            await al.send("still here\n")
            await al.until("al: still here\n")
    finally:
        process.terminate()
        assert await process.wait() == 0
        await process.stdout.aclose()
        assert process.stderr
        await process.stderr.aclose()
