"""Commands that fingers know from other programs, and what is close to one of ours."""

import pytest

from desk import Desk
from irc_session import new_session
from trio_chat.client import requests
from trio_chat.core.events import Departed, Joined
from trio_chat.errors import Unsupported
from trio_chat.protocols.client import Member, Roster
from trio_chat.protocols.irc.client.slash import lines_of_slash
from trio_chat.protocols.slashes import spelled_out


@pytest.mark.parametrize("line", ["/clear", "/query al", "/q al hi", "/connect", "/ignore al"])
def test_what_only_the_screen_has_is_named_as_such(line: str) -> None:
    with pytest.raises(Unsupported, match="Only the full screen has /"):
        lines_of_slash(new_session(), line)


@pytest.mark.parametrize("line", ["hello", "//m x", "/msg a b", "a /q", "", "/", "/etc/passwd"])
def test_anything_else_stays_as_it_is(line: str) -> None:
    assert spelled_out(line) == line


def test_on_the_screen_too(desk: Desk) -> None:
    desk.go("#lobby")
    assert desk.enter("/exit so long")[-1] == requests.Leave("so long")
    assert desk.enter("/q")[-1] == requests.Leave("")
    assert desk.enter("/connect") == [requests.SlashCommand("/reconnect", "#lobby")]
    assert desk.enter("/connect irc.example.org") == ()
    assert "trio-chat client -H irc.example.org" in desk.notes()[-1]
    assert desk.enter("/names") == [requests.SlashCommand("/who", "#lobby")]
    desk.enter("/j #tea")
    assert "#tea" in desk.model.wanted
    desk.enter("/q bob")
    assert desk.model.current.name == "bob"
    desk.enter("/clsoe")
    assert "Did you mean /close?" in desk.notes()[-1]
    assert desk.enter("/whoiss al") == [requests.SlashCommand("/whoiss al", "bob")]
    desk.go("#lobby")
    assert desk.enter("/close") == [requests.Part("#lobby")]


def test_whoever_is_lost_in_a_split_shares_a_line_and_comes_back_so(desk: Desk) -> None:
    nicks = [f"n{number}" for number in range(12)]
    desk.hear(Roster("#lobby", tuple(map(Member, nicks))))
    for nick in nicks:
        desk["#lobby"].spoke(nick, desk.now)
    desk.hear(*(Departed(nick, why="hub.example.net *.split") for nick in nicks))
    assert desk.events() == [f"{', '.join(nicks[:10])} and 2 more lost in a split"]
    desk.hear(*(Joined("#lobby", nick) for nick in nicks))
    assert desk.events() == [f"{', '.join(nicks[:10])} and 2 more lost in a split and came back"]


@pytest.mark.parametrize("why", ["bye all", "a.b a.b", "see example.org now", "", "Quit: a.b c.d"])
def test_other_words_are_no_split(desk: Desk, why: str) -> None:
    desk["#lobby"].spoke("bob", desk.now)
    desk.hear(Departed("bob", why=why))
    assert desk.events()[-1].startswith("bob left")
