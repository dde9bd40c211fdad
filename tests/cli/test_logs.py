"""What a record of the log becomes, as text for people and as JSON for programs."""

import json
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest
import trio

from processes import FOLDER, PATIENCE, PROGRAM, environment
from trio_chat.cli.logs import JournalFormatter, JsonFormatter, TextFormatter

WHEN = datetime(2024, 2, 29, 12, 1, 2, 345_000, UTC)


def record(message: str, *args: object, level: int = logging.INFO, **more: object):
    fields = {"name": "trio_chat.server", "levelno": level, "msg": message, "args": args, **more}
    fields |= {"levelname": logging.getLevelName(level), "created": WHEN.timestamp()}
    return logging.makeLogRecord(fields)


def failure(message: str):
    """What a log record keeps of an exception that was caught."""
    try:
        raise ValueError(message)
    except ValueError:
        return sys.exc_info()


def test_text_has_time_level_and_message():
    line = TextFormatter().format(record("connected from %s", "127.0.0.1"))
    assert re.fullmatch(r"\d\d:\d1:02 info    connected from 127\.0\.0\.1", line)


def test_text_is_in_local_time():
    line = TextFormatter().format(record("x"))
    assert line.startswith(WHEN.astimezone().strftime("%H:%M:%S"))


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR])
def test_the_messages_of_all_levels_stand_in_one_column(level):
    assert TextFormatter().format(record("here", level=level)).index("here") == 17


def test_text_names_the_connection_if_there_is_one():
    line = TextFormatter().format(record("admitted as alice", connection=7))
    assert line.endswith(" info    [7] admitted as alice")
    assert "[" not in TextFormatter().format(record("stopping", connection=0))


def test_text_shows_an_exception_on_lines_of_its_own():
    line, *rest = TextFormatter().format(record("failed", exc_info=failure("odd"))).splitlines()
    assert line.endswith("failed")
    assert rest[0].startswith("Traceback ")
    assert rest[-1] == "ValueError: odd"


NASTY = ["\x1b[2J", "\x9b2J", "\x07", "\r", "\n", "\u202e", "\u2066", "\u2028", "\x7f", "\ud800"]


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_in_a_message_steers_the_terminal_and_all_of_it_can_be_seen(nasty):
    line = TextFormatter().format(record("admitted as %s", f"a{nasty}b"))
    assert line.endswith(f"admitted as a{ascii(nasty)[1:-1]}b")


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_in_json_steers_the_terminal_and_nothing_is_lost(nasty):
    line = JsonFormatter().format(record("admitted as %s", f"a{nasty}b"))
    assert line.isprintable()
    assert json.loads(line)["message"] == f"admitted as a{nasty}b"


def test_words_of_all_languages_stay_as_they_are():
    for formatter in (TextFormatter(), JsonFormatter()):
        assert "Grüße, 世界 😀 שלום" in formatter.format(record("Grüße, 世界 😀 שלום"))


@pytest.mark.parametrize("nasty", ["\x1b[2J", "\x9b2J", "\x07", "\u202e"])
def test_nothing_in_an_exception_steers_the_terminal(nasty):
    text = TextFormatter().format(record("failed", exc_info=failure(f"a{nasty}b")))
    assert nasty[0] not in text


def test_json_has_all_fields():
    line = JsonFormatter().format(record("admitted as %s", "alice", connection=7))
    assert json.loads(line) == {
        "time": "2024-02-29T12:01:02.345+00:00",
        "level": "info",
        "logger": "trio_chat.server",
        "message": "admitted as alice",
        "connection": 7,
    }


def test_json_leaves_out_a_connection_that_there_is_not():
    assert "connection" not in json.loads(JsonFormatter().format(record("x", connection=0)))
    assert "connection" not in json.loads(JsonFormatter().format(record("x")))


def test_json_holds_an_exception():
    fields = json.loads(JsonFormatter().format(record("failed", exc_info=failure("odd"))))
    assert fields["message"] == "failed"
    assert fields["exception"].startswith("Traceback ")
    assert fields["exception"].endswith("ValueError: odd")


@pytest.mark.parametrize("text", ["a\nb", "\x1b[2J", '"quoted"', "Grüße 😀", "\x85", "\u2028"])
def test_json_is_one_line_and_loses_nothing(text):
    line = JsonFormatter().format(record("%s", text, exc_info=failure(text)))
    assert "\n" not in line
    assert json.loads(line)["message"] == text


def test_json_has_an_event_and_its_fields_as_far_as_they_are_known():
    more = {"event": "disconnected", "nick": "", "reason": "quit", "peer": "192.0.2.7", "odd": 1}
    fields = json.loads(JsonFormatter().format(record("gone", connection=7, **more)))
    assert [*fields][4:] == ["event", "peer", "reason", "connection"]
    assert (fields["event"], fields["reason"]) == ("disconnected", "quit")


def test_json_says_what_is_of_no_number():
    fields = json.loads(JsonFormatter().format(record("x", event="stopping", number=0, audit=True)))
    assert (fields["number"], fields["audit"]) == (0, True)


@pytest.mark.parametrize("nasty", NASTY)
def test_nothing_in_a_field_steers_the_terminal(nasty):
    line = JsonFormatter().format(record("x", reason=f"a{nasty}b"))
    assert line.isprintable()
    assert json.loads(line)["reason"] == f"a{nasty}b"


@pytest.mark.parametrize(
    ("level", "prefix"),
    [
        (logging.DEBUG, "<7>"),
        (logging.INFO, "<6>"),
        (logging.WARNING, "<4>"),
        (logging.ERROR, "<3>"),
        (logging.CRITICAL, "<3>"),
    ],
)
def test_the_journal_is_told_the_level_of_each_line(level, prefix):
    formatter = JournalFormatter(TextFormatter())
    lines = formatter.format(record("x", level=level, exc_info=failure("odd"))).splitlines()
    assert len(lines) > 3
    assert {line[:3] for line in lines} == {prefix}
    assert formatter.format(record("<3>x", level=level)).startswith(prefix)


@pytest.mark.slow
@pytest.mark.parametrize("text", ["auto", "text"])
async def test_only_the_journal_is_told_the_level(text):
    for is_journal in (True, False):
        read, write = os.pipe()
        found = os.fstat(write)
        stream = f"{found.st_dev}:{found.st_ino + (not is_journal)}"
        command = [*PROGRAM, "server", "--port", "0", "--set", f"log.format={text}"]
        with trio.fail_after(PATIENCE):
            process = await trio.lowlevel.open_process(
                command,
                stdout=subprocess.PIPE,
                stderr=write,
                env=environment({"JOURNAL_STREAM": stream}),
                cwd=FOLDER,
            )
            os.close(write)
            await process.stdout.receive_some()
            process.terminate()
            assert await process.wait() == 0
            await process.stdout.aclose()
        lines = os.read(read, 65536).decode().splitlines()
        os.close(read)
        assert "stopping on SIGTERM" in lines[-1]
        assert all(line.startswith("<6>") is is_journal for line in lines)


@pytest.mark.parametrize("is_journal", [True, False])
async def test_the_journal_is_told_that_the_last_line_is_an_error(is_journal):
    """So that 'journalctl -p err' shows why a server has not started."""
    read, write = os.pipe()
    found = os.fstat(write)
    stream = f"{found.st_dev}:{found.st_ino + (not is_journal)}"
    done = await trio.run_process(
        [*PROGRAM, "server", "--set", "limits.rooms=many"],
        check=False,
        stderr=write,
        env=environment({"JOURNAL_STREAM": stream}),
        cwd=FOLDER,
    )
    os.close(write)
    line = os.read(read, 65536).decode()
    os.close(read)
    assert done.returncode == 78
    assert line.startswith("<3>trio-chat: " if is_journal else "trio-chat: ")
