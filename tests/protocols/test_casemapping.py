"""Who is who is what the server says it is, wherever the client asks."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import trio_chat
from irc_session import new_session
from trio_chat.client.model import Model
from trio_chat.client.one_room import OneRoom
from trio_chat.core.events import Departed, Joined, Kicked, Renamed, Said
from trio_chat.protocols.casemapping import ByName, Casemapping
from trio_chat.protocols.client import InRoom, Linked, Member, OutOfRoom, Roster

MAPPINGS = [
    "ascii",
    "rfc1459",
    "rfc1459-strict",
    "strict-rfc1459",
    "rfc7613",
    "utf8",
    "x",
    "trio-chat",
]


@pytest.mark.parametrize(
    ("mapping", "one", "other", "same"),
    [
        ("ascii", "Bob", "bOB", True),
        ("ascii", "b[]\\", "b{}|", False),
        ("ascii", "ÉMILE", "émile", False),
        ("rfc1459", "B[]\\~", "b{}|^", True),
        ("RFC1459", "b[", "b{", True),
        ("rfc1459", "É", "é", False),
        ("rfc1459-strict", "B[]\\", "b{}|", True),
        ("strict-rfc1459", "b~", "b^", False),
        ("rfc7613", "ÉMILE", "E\u0301mile", True),
        ("rfc7613", "ＢＯＢ", "bob", True),
        ("rfc7613", "b[", "b{", False),
        ("utf8", "Привет", "привет", True),
        ("utf8", "bоb", "bob", False),
        ("never-heard-of", "B", "b", True),
        ("never-heard-of", "[", "{", False),
        ("trio-chat", "bоb", "bob", True),
    ],
)
def test_which_names_are_the_same(mapping: str, one: str, other: str, same: bool) -> None:
    assert Casemapping(mapping).same(one, other) is same


@given(st.lists(st.tuples(st.sampled_from(MAPPINGS), st.text("aA[{É", max_size=2)), max_size=20))
def test_what_is_kept_by_name_is_found_however_the_server_compares(steps) -> None:
    names = Casemapping()
    kept: ByName[str] = ByName(names)
    for mapping, name in steps:
        names.learn(mapping)
        kept[name] = name
        assert kept[name.swapcase() if name.isascii() and mapping != "x" else name] == name
        folds = [names.fold(written) for written in kept]
        assert len(set(folds)) == len(folds) == len(kept)


WELCOME = ":s 001 me[1] :hi\r\n:s 005 me[1] CASEMAPPING={} :are supported\r\n:s 422 me[1] :none\r\n"
THERE = ":me[1]!u@h JOIN #a[\r\n:s 353 me[1] = #a[ :@me[1] al\r\n:s 366 me[1] #a[ :End\r\n"


@pytest.mark.parametrize(("mapping", "me"), [("rfc1459", True), ("ascii", False), ("", True)])
def test_somebody_else_is_thrown_out_or_we_are(mapping: str, me: bool) -> None:
    session = new_session(nick="me[1]", room="#a[")
    session.receive_data((WELCOME.format(mapping) + THERE).encode())
    told = session.receive_data(b":op!u@h KICK #A{ ME{1} :out\r\n")
    assert told == [Kicked("#A{", "op", "ME{1}", "out", origin=told[0].origin)] + (
        [OutOfRoom("#A{", "out")] if me else []
    )
    assert ("#a[" in session.state.rooms) is not me


@pytest.mark.parametrize(("mapping", "room"), [("rfc1459", ""), ("ascii", "#a[")])
def test_in_one_room_too(mapping: str, room: str) -> None:
    session = new_session(nick="me[1]", room="#a[")
    view = OneRoom("#A[")
    view.hear(session.receive_data((WELCOME.format(mapping) + THERE).encode()))
    view.hear(session.receive_data(b":op!u@h KICK #A{ ME{1} :out\r\n"))
    assert view.room == room


def test_people_and_rooms_are_one_on_the_screen_however_they_are_written() -> None:
    model = Model("me")
    for message in (
        Linked("me[", "net", frozenset(), "rfc1459"),
        InRoom("#a["),
        Roster("#a[", (Member("me["), Member("al[", "@"))),
        Joined("#A{", "Bob^"),
        Renamed("AL{", "cy~"),
        Said("#A{", "CY^", "hi ME{"),
        Said("", "CY^", "psst", to="ME{"),
        Said("", "cy~", "psst", to="me["),
        Departed("BOB~"),
    ):
        model.update(message, 0)
    assert [buffer.name for buffer in model.buffers] == ["net", "#a[", "CY^"]
    room = model.buffers[1]
    assert [member.nick for member in room.members.values()] == ["me[", "cy~"]
    assert [line.prefix for line in room.lines if line.kind == "said"] == ["@"]
    assert model.complete("C", 1) == ["cy~: "]


CLIENT = Path(trio_chat.__file__).parent
NAMES_ARE_COMPARED = [
    *(CLIENT / "protocols" / "irc" / "client").glob("*.py"),
    *(CLIENT / "client" / "model").glob("*.py"),
]

# What is lower case there is a command, a word, the name of an emoji, or "Closing Link".
WORDS = {
    "inbound.py",
    "offline.py",
    "chat_state.py",
    "slash.py",
    "typed.py",
    "completion.py",
    "emoji.py",
    "search.py",
    "inputs.py",
}


@pytest.mark.parametrize("file", NAMES_ARE_COMPARED, ids=lambda file: file.name)
def test_nobody_compares_names_in_a_way_of_their_own(file: Path) -> None:
    tree = ast.parse(file.read_text())
    imported = [
        n.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for n in node.names
    ]
    assert "fold" not in imported
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    called = {call.attr for call in calls if isinstance(call, ast.Attribute)}
    assert file.name in WORDS or not called & {"lower", "casefold"}
