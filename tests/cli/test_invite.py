"""``trio-chat invite``: a link from the owner lets in who has it, and nobody else."""

import re
import shlex
from pathlib import Path

import pytest

from processes import free_port, run, running
from terminals import terminal
from trio_chat.cli.invite import run_invite
from trio_chat.protocols.client import UNINVITED
from trio_chat.protocols.invitation import read_token
from trio_chat.settings.places import Place, read_place
from trio_chat.storage.key import kept_key


def invited(output: str) -> Place:
    """Where the command goes that was printed."""
    command, page, sentence = output.splitlines()
    program, client, link = shlex.split(command)
    assert (program, client) == ("trio-chat", "client")
    assert sentence.startswith("This works for ")
    place = read_place(link)
    after = f"/#{place.room[1:]}?invite={place.invite} in a browser"
    assert page.startswith(f"Or open http{'s' if place.pin else ''}://")
    assert after in page
    return place


async def test_one_command_and_a_link_bring_a_second_person_in(tmp_path: Path) -> None:
    kept = ("--set", f"history.store={tmp_path}/chat.db", "--set", "server.public_name=127.0.0.1")
    other = ("--set", "irc.network=test")  # of which an invitation says nothing
    async with running("server", "--host", "*", "--port", "0", *kept, *other) as server:
        port = (await server.out.until("\n")).rpartition(":")[2].strip()
        told = await server.out.until("To become one: ") + await server.out.until(" --operator\n")
        assert "Only those who have an account or an invitation are let in. " in told
        [command] = re.findall("To invite somebody: trio-chat (.*)\n", told)
        assert "server.public_name=HOST" not in told  # it has a name
        assert "invite=" not in told
        made = await run(*shlex.split(command), "--room", "#tea")
        assert (made.code, made.err) == (0, "")
        place = invited(made.out)
        assert (place.host, place.port, place.room) == ("127.0.0.1", port, "#tea")
        for code in (0, 77):
            told = ("--nick", "bob", "--no-state", "--protocol", "irc")
            bob = await run("client", str(place), *told, stdin=b"hello\n")
            assert bob.code == code
        used = (
            "trio-chat: That invitation has been used. Ask for a new one. To log in to an account, "
        )
        assert bob.err.startswith(used)
        stranger = await run("client", str(Place("127.0.0.1", port, "", "ircs", place.pin)))
        assert stranger.code == 77
        assert stranger.err.startswith(f"trio-chat: {UNINVITED}. To log in to an account, set ")


async def test_a_link_that_leads_nowhere_is_printed_with_a_warning(tmp_path: Path) -> None:
    store = ("--set", f"history.store={tmp_path}/chat.db")
    kept_key(tmp_path / "key")
    with free_port() as port:
        made = await run("invite", "--port", str(port), *store)
        assert (made.code, made.err.count("\n")) == (0, 1)
        assert f"no server listens at 127.0.0.1:{port} now. If yours has other settings" in made.err
    async with running("server", "--port", "0", *store) as server:
        port = (await server.out.until("\n")).rpartition(":")[2].strip()
        made = await run("invite", "--port", port, *store)
        assert (made.code, made.err) == (0, "")


async def test_on_a_terminal_the_owner_is_shown_a_link_of_their_own(tmp_path: Path) -> None:
    kept = ("--set", f"history.store={tmp_path}/chat.db", "--set", "server.public_name=chat.test")
    async with terminal(["server", "--host", "*", "--port", "0", *kept]) as it:
        shown = await it.screen.until_match(r"invite=[\w-]{0,80}\s*[\w-]*\s*[\w-]*'")
        [token] = re.findall(r"invite=([\w\s-]+)'", shown)
        key = kept_key(tmp_path / "key")
        found = read_token(key, re.sub(r"\s", "", token), 0)
        assert (found.operator, found.first) == (True, True)


# ── in this process ────────────────────────────────────────────────────────────────────────────


def invite(
    capsys: pytest.CaptureFixture[str],
    *assignments: str,
    uses: int = 1,
    days: int = 7,
    operator: bool = False,
) -> str:
    run_invite({}, assignments, None, uses=uses, days=days, operator=operator, debug=False)
    return capsys.readouterr().out


@pytest.fixture
def store(tmp_path: Path) -> str:
    kept_key(tmp_path / "key")
    return f"history.store={tmp_path}/chat.db"


def test_the_token_says_what_was_asked_for(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = invite(capsys, store, uses=20, days=1, operator=True)
    assert out.endswith(
        "This works for 20 people, for one day. "
        "Whoever registers with it is an operator of this server.\n"
    )
    found = read_token(kept_key(tmp_path / "key"), invited(out).invite, 0)
    assert (found.uses, found.operator) == (20, True)
    assert invited(out).pin == ""  # in clear on this machine, where it has no certificate
    assert str(invited(out)).startswith("irc://127.0.0.1:55555?")


def test_a_link_names_the_other_servers_of_the_chat(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = invited(invite(capsys, store, "server.others=b.example, [::1]:6000"))
    assert place.others == ("b.example:55555", "[::1]:6000")
    token = place.invite
    assert str(place) == (
        f"irc://127.0.0.1:55555?invite={token}&also=b.example:55555,%5B::1%5D:6000"
    )


def test_to_a_unix_socket_there_is_no_link(
    store: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token, sentence = invite(capsys, store, f"host=unix:{tmp_path}/socket").splitlines()
    assert read_token(kept_key(tmp_path / "key"), token, 0).uses == 1
    assert sentence == (
        "This works for one person, for 7 days: as TRIO_CHAT_CLIENT__INVITATION, or as the first "
        "line in netcat."
    )


def test_where_guests_are_closed_people_have_to_register(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = invite(capsys, store, "accounts.guests=closed")
    assert out.endswith("This works for one person, for 7 days. They have to register there.\n")


def test_where_nobody_registers_it_makes_nobody_an_operator(
    store: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        invite(capsys, store, "accounts.registration=closed", operator=True)
    assert ended.value.code == 78
    assert "makes nobody an operator; accounts.operators does\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("assignments", "uses", "days", "code", "why"),
    [
        (["history.store=memory:"], 1, 7, 78, "such a server keeps no key"),
        (["server.key=/nowhere/key"], 1, 7, 78, "no key in /nowhere/key yet: start the server"),
        (["accounts.guests=closed", "accounts.registration=closed"], 1, 7, 78, "lets nobody in"),
        ([], 0, 7, 78, "an invitation is for 1 to 1000 people, and lasts 1 to 365 days"),
        ([], 1, 366, 78, "an invitation is for 1 to 1000 people, and lasts 1 to 365 days"),
    ],
)
def test_errors_in_one_line(
    assignments: list[str],
    uses: int,
    days: int,
    code: int,
    why: str,
    store: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        invite(capsys, *(assignments or [store]), uses=uses, days=days)
    said = capsys.readouterr()
    assert (ended.value.code, said.out, said.err.count("\n")) == (code, "", 1)
    assert why in said.err
