"""``trio-chat admin``: an operator's commands from the shell."""

import json
import socket
from pathlib import Path
from threading import Thread

import pytest

from processes import run, running_server
from terminals import terminal
from trio_chat.cli.admin import run_admin


async def test_a_server_is_run_from_the_shell(tmp_path: Path) -> None:
    kept = ("--set", f"history.store={tmp_path}/chat.db")
    async with running_server(*kept):
        rooms = await run("admin", *kept, "rooms")
        assert rooms == type(rooms)(0, "No rooms are open.\n", "")
        told = await run("admin", *kept, "--json", "invitation", "2", "3")
        made, *notices = map(json.loads, told.out.splitlines())
        assert (made["type"], made["uses"], made["days"]) == ("invited", 2, 3)
        assert "invite=" in made["invitation"]
        assert {notice["type"] for notice in notices} == {"notice"}
        helped = await run("admin", *kept, "help", "--json")
        assert json.loads(helped.out.splitlines()[0])["text"].startswith("help")
        refused = await run("admin", *kept, "kill", "bob", "spam")
        assert (refused.code, refused.out) == (65, "")
        assert refused.err == "trio-chat: Nobody here is called bob.\n"
        roomless = await run("admin", *kept, "kick", "bob")
        assert roomless.err.startswith("trio-chat: Of which room? It comes first: #tea kick bob. ")
        assert "--room tea" in roomless.err
        several = b"rooms\n\nkick bob\naccount nobody\n"
        lines = await run("admin", *kept, "--room", "tea", stdin=several)
        assert (lines.code, lines.err) == (65, "trio-chat: There is nobody in #tea.\n")
        async with terminal(["admin", *kept]) as it:
            await it.screen.until("admin> ")
            await it.type("account nobody\r")
            await it.screen.until("There is no account nobody.")
            await it.type("\x04")
            assert await it.ended() == 0


NOT_FOR_YOU = {"type": "refused", "text": "Not for you.", "code": "not_an_operator"}


@pytest.mark.parametrize(
    ("listens", "answer", "code", "why"),
    [
        (True, json.dumps(NOT_FOR_YOU) + "\n", 77, "Not for you."),
        (False, json.dumps(NOT_FOR_YOU) + "\n", 77, "Not for you."),
        (True, "", 69, "the server has gone before it answered"),
        (True, '{"type": "no', 69, "the server has gone before it answered"),
    ],
)
def test_who_is_turned_away_or_has_no_answer(
    tmp_path: Path,
    listens: bool,
    answer: str,
    code: int,
    why: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is no success; also if the server says why without reading what was asked."""

    def turn_away() -> None:
        with server.accept()[0] as peer:
            if listens:
                peer.recv(100)
            peer.sendall(answer.encode())

    path = tmp_path / "admin"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        thread = Thread(target=turn_away)
        thread.start()
        with pytest.raises(SystemExit) as ended:
            run_admin(
                ["who"], {}, [f"ops.admin={path}"], None, room="", json_lines=False, debug=False
            )
        thread.join()
    assert (ended.value.code, capsys.readouterr().err) == (code, f"trio-chat: {why}\n")


@pytest.mark.parametrize(
    ("assignments", "code", "why"),
    [
        (["history.store=memory:"], 78, "no socket for operators: set ops.admin to a path"),
        (["ops.admin="], 78, "no socket for operators: set ops.admin to a path"),
        (["ops.admin=/nowhere/admin"], 69, "no server listens at /nowhere/admin"),
    ],
)
def test_errors_in_one_line(
    assignments: list[str], code: int, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_admin(["who"], {}, assignments, None, room="", json_lines=False, debug=False)
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (code, "", 1)
    assert why in said.err
