"""Our client's sessions and rooms that are renamed."""

import pytest

from irc_session import hear, new_session, offer, sent
from trio_chat.core.events import Origin, RoomRenamed
from trio_chat.protocols.client import Earlier, Roster, Stamped
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState

CAPS = ("batch", "draft/chathistory", "message-tags", "server-time", "draft/channel-rename")
RENAME = ":al!al@home RENAME #lobby #Tea :better"
RENAMED = RoomRenamed("#lobby", "al", "#Tea", "better", origin=Origin("al", "home"))
SAID = "@msgid=m{0};time=2026-01-02T00:00:0{0}.000Z :al!al@home PRIVMSG {1} :{0}"
PAGE = (":s BATCH +1 chathistory {0}", f"@batch=1;{SAID[1:].format(1, '{0}')}", ":s BATCH -1")


def let_in(*rooms: str, state: ResumeState | None = None) -> IrcClientSession:
    session = new_session(state)
    offer(session, *CAPS)
    hear(session, ":s 001 bob :Hi", ":s 422 bob :None")
    for room in rooms:
        hear(session, f":bob!b@h JOIN {room}")
    hear(session, ":s PONG s entered")
    sent(session)
    return session


def page(room: str) -> list[str]:
    return [line.format(room) for line in PAGE]


def test_the_next_connection_goes_on_there() -> None:
    state = ResumeState(rooms={"#a": ("#a", ""), "#lobby": ("#lobby", "key"), "#b": ("#b", "")})
    session = let_in("#a", "#lobby", "#b", state=state)
    hear(session, *page("#lobby"))
    assert hear(session, RENAME) == [RENAMED]
    assert [*state.rooms.values()] == [("#a", ""), ("#Tea", "key"), ("#b", "")]
    again = new_session(state)
    offer(again, *CAPS)
    hear(again, ":s 001 bob :Hi", ":s 422 bob :None", ":bob!b@h JOIN #Tea")
    assert "CHATHISTORY AFTER #Tea msgid=m1 100" in sent(again)
    # What is shown already is not shown again.
    assert not [told for told in hear(again, *page("#Tea")) if isinstance(told, Stamped)]


def test_what_is_held_back_meanwhile_is_of_the_room_with_its_new_name() -> None:
    session = let_in("#lobby")
    assert hear(session, SAID.format(2, "#lobby")) == []
    assert hear(session, RENAME) == [RENAMED]
    assert hear(session, SAID.format(3, "#Tea")) == []
    first, *others = hear(session, *page("#Tea"))
    assert isinstance(first, Earlier)
    assert [(told.room, told.text) for told in (first.said, *others)] == [  # type: ignore[union-attr]
        ("#Tea", "1"), ("#Tea", "2"), ("#Tea", "3"),
    ]  # fmt: skip


def test_who_is_there_and_what_was_said_last_are_known_by_the_new_name() -> None:
    session = let_in("#lobby")
    hear(session, *page("#lobby"), SAID.format(2, "#lobby"), ":s 353 bob = #lobby :al bob", RENAME)
    [roster] = hear(session, ":s 366 bob #Tea :End")
    assert isinstance(roster, Roster)
    assert (roster.room, len(roster.members)) == ("#Tea", 2)
    assert session.lately.last("#tea", "al") == "m2"


@pytest.mark.parametrize("line", ["RENAME #lobby", "RENAME #lobby x", "RENAME #lobby :#a b"])
def test_what_is_no_name_of_a_room_is_none(line: str) -> None:
    session = let_in("#lobby")
    assert hear(session, f":al!al@home {line}") == []
    assert "#lobby" in session.inside


def test_a_room_where_we_are_not_changes_nothing() -> None:
    session = let_in("#lobby")
    [told] = hear(session, ":bob!b@h RENAME #far #Lobby")
    assert isinstance(told, RoomRenamed)
    assert [*session.inside] == ["#lobby"]


@pytest.mark.parametrize(
    ("line", "who"),
    [
        (":carola!c@home PRIVMSG bob :hi", ("carol", "bob")),
        (":carola!c@home NOTICE bob :hi", ("carol", "bob")),
        (":carol!c@home PRIVMSG bobby :hi", ("carol", "bob")),
        (":bob!b@home PRIVMSG carola :hi", ("bob", "carol")),
        (":bobby!b@home PRIVMSG carol :hi", ("bob", "carol")),
    ],
)
def test_a_conversation_stays_one_whatever_its_people_were_called(
    line: str, who: tuple[str, str]
) -> None:
    session = let_in()
    session.history("carol", "", 10)
    told = hear(
        session, ":s BATCH +1 chathistory carol", f"@batch=1;msgid=m1 {line}", ":s BATCH -1"
    )
    [said] = [one.said for one in told if isinstance(one, Earlier)]
    assert (said.nick, said.to) == who
