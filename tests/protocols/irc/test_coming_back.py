"""Nothing is lost and nothing comes twice: our client's sessions, one after the other, with one
state.
"""

import re
from collections.abc import Sequence

import pytest

from keeping_client import Client, connected
from keeping_server import CAPS, KeepingServer
from trio_chat.core.events import Said
from trio_chat.protocols.client import Earlier, Failed, Sent, Stamped
from trio_chat.protocols.irc.client.catchup import _GAP_MAX
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import UNACKED_MAX


def let_in(server: KeepingServer | None = None) -> Client:
    client = connected(server)
    client.heard.clear()
    return client


# ── who we are ─────────────────────────────────────────────────────────────────────────────────


def test_we_show_who_we_are_before_we_are_registered() -> None:
    client = let_in()
    commands = [message.command for message in client.end.received]
    assert commands.index("IDENTITY") < len(commands) - 1 - commands[::-1].index("CAP")
    [[secret]] = client.end.commands("IDENTITY")
    assert re.fullmatch("[0-9a-f]{32}", secret)
    client.cut()
    client.settle()
    assert client.end.commands("IDENTITY") == [(secret,)]
    assert let_in().state.secret != secret


def test_whoever_is_not_believed_goes_on_and_sends_nothing_again() -> None:
    client = Client(KeepingServer())
    for _ in range(2):
        client.send()
        client.listen()
    client.session.receive_data(b"FAIL IDENTITY INVALID :No\r\n")
    client.settle()
    assert client.session.admitted
    assert not client.session.tells_twice_said


# ── what we say ────────────────────────────────────────────────────────────────────────────────


def test_the_original_is_shown_once_even_where_history_has_no_tokens() -> None:
    """A server may leave the tags out of its history: then we ask again, and know the id."""
    client = let_in()
    client.say_here("one")
    client.send()
    kept = client.server.kept[0]
    client.server.kept[0] = type(kept)(kept.id, kept.nick, "", kept.text)
    client.cut()
    for _ in range(9):
        client.send()
        client.listen()
        if client.end.commands("CHATHISTORY"):
            client.server.kept[0] = kept
    client.settle()
    assert client.server.texts == client.texts() == ["one"]


def test_what_has_not_been_sent_is_said_on_the_next_connection() -> None:
    client = Client(KeepingServer(caps=""))
    client.say_here("one")
    client.session.say_to("#lobby", "waves", action=True)
    assert client.session.waiting
    client.cut()
    client.settle()
    assert client.server.texts == ["one", "\x01ACTION waves\x01"]
    assert not client.session.waiting


def test_when_much_is_on_its_way_the_rest_waits() -> None:
    client = let_in()
    client.say_here("\n".join(f"number {n}" for n in range(UNACKED_MAX + 10)))
    client.send()
    assert client.session.waiting
    assert len(client.server.kept) == len(client.state.unacked) == UNACKED_MAX
    client.settle()
    assert not client.session.waiting
    assert client.server.texts == client.texts() == [f"number {n}" for n in range(UNACKED_MAX + 10)]


def test_what_a_server_drops_without_a_word_does_not_keep_the_rest_for_ever() -> None:
    client = let_in()
    client.server.drops = True
    client.say_here("\n".join(f"number {n}" for n in range(UNACKED_MAX + 1)))
    for _ in range(3):
        client.settle()
    assert [m.token for m in client.of(Failed)] == [m.token for m in client.of(Sent)]
    assert not client.state.unacked


def test_a_server_that_drops_our_tags_echoes_in_order() -> None:
    client = let_in(KeepingServer(caps="message-tags echo-message"))
    client.say_here("one", "two")
    client.say("al", "psst")
    client.session.data_to_send(1e6)
    client.session.receive_data(b":me!u@h PRIVMSG #lobby :one\r\n:me!u@h PRIVMSG al :psst\r\n")
    assert [text.text for text in client.state.unacked] == ["two"]


def test_the_token_of_somebody_else_is_none_of_ours() -> None:
    client = let_in()
    client.say_here("one")
    client.session.data_to_send(0)
    token = client.state.unacked[0].token
    client.session.receive_data(f"@+trio-chat/id={token} :al!u@h PRIVMSG #lobby :x\r\n".encode())
    client.session.receive_data(b":me!u@h PRIVMSG #lobby :from another program\r\n")
    assert len(client.state.unacked) == 1


# ── what we miss ───────────────────────────────────────────────────────────────────────────────


def pages(client: Client) -> list[Sequence[str]]:
    """What is asked for on this connection, of rooms."""
    return [asked for asked in client.end.commands("CHATHISTORY") if asked[0] != "TARGETS"]


def test_somebody_new_asks_for_the_last_messages() -> None:
    server = KeepingServer(page=100)
    for number in range(30):
        server.say("al", f"number {number}")
    client = Client(server)
    client.settle()
    assert client.end.commands("CHATHISTORY") == [("LATEST", "#lobby", "*", "20")]
    earlier = [m for m in client.heard if isinstance(m, Earlier)]
    assert [m.said.text for m in earlier] == [f"number {number}" for number in range(10, 30)]


def test_a_gap_is_filled_page_by_page() -> None:
    client = let_in(KeepingServer(page=3))
    client.server.say("al", "zero")
    client.settle()
    client.end.cut()
    for number in range(7):
        client.server.say("al", f"number {number}")
    client.connect()
    client.settle()
    asked = [f"msgid={client.server.kept[n].id}" for n in (0, 3, 6, 7)]
    assert pages(client) == [("AFTER", "#lobby", id, "3") for id in asked]
    assert client.texts() == ["zero", *(f"number {n}" for n in range(7))]
    late = [m for m in client.heard if isinstance(m, Stamped) and m.late]
    assert [m.msgid for m in late] == [kept.id for kept in client.server.kept[1:]]
    assert all(m.time for m in late)


def test_whoever_has_heard_nothing_yet_misses_nothing_since_they_came() -> None:
    client = let_in(KeepingServer(page=1))
    client.end.cut()
    client.server.say("al", "one")
    client.server.say("al", "two")
    client.connect()
    client.settle()
    [first, *_] = pages(client)
    assert first == ("AFTER", "#lobby", "timestamp=2026-01-02T00:00:00.000Z", "1")
    assert client.texts() == ["one", "two"]


def test_a_page_that_overtakes_what_is_just_being_said_does_not_spoil_the_order() -> None:
    client = let_in()
    client.server.say("al", "one")
    client.settle()
    client.cut()
    while not client.end.joined:
        client.send()
        client.listen()
    client.server.say("al", "two")
    client.listen()
    three = client.server.say("al", "three")
    client.end.take()  # it is on its way
    client.settle()
    client.end.tell(three.line())
    client.settle()
    assert client.texts() == ["one", "two", "three"]


def test_what_is_said_once_we_are_there_is_not_earlier_even_if_a_page_has_it_first() -> None:
    client = Client(KeepingServer(page=20))
    client.server.say("al", "before")
    while not client.end.joined:
        client.send()
        client.listen()
    client.server.now -= 1  # and be it in the same millisecond
    client.server.say("al", "after")
    client.end.take()
    client.settle()
    before, after = (m for m in client.heard if isinstance(m, Earlier | Said))
    assert isinstance(before, Earlier)
    assert isinstance(after, Stamped)
    assert not after.late


def test_what_somebody_new_hears_at_once_is_not_earlier() -> None:
    server = KeepingServer()
    server.say("al", "before")
    client = Client(server)
    while not client.end.joined:
        client.send()
        client.listen()
    server.say("al", "after")
    client.settle()
    before, after = (m for m in client.heard if isinstance(m, Earlier | Said))
    assert isinstance(before, Earlier)
    assert isinstance(after, Said)


def test_a_gap_that_is_too_long_shows_the_newest() -> None:
    client = let_in(KeepingServer(page=1000))
    client.server.say("al", "zero")
    client.settle()
    client.end.cut()
    for number in range(_GAP_MAX + 2000):
        client.server.say("al", str(number))
    client.connect()
    client.settle()
    shown = [*range(_GAP_MAX), *range(_GAP_MAX + 1000, _GAP_MAX + 2000)]
    assert client.texts() == ["zero", *map(str, shown)]
    assert (
        "Messages are missing here: more than 5,000 were said in the meantime." in client.notices()
    )


def test_a_server_that_has_forgotten_where_we_were_shows_the_newest() -> None:
    client = let_in(KeepingServer(page=3))
    client.server.say("al", "zero")
    client.settle()
    client.cut()
    client.server.forgets = True
    for number in range(5):
        client.server.say("al", str(number))
    client.settle()
    assert client.texts() == ["zero", "2", "3", "4"]
    assert any("may be missing" in notice for notice in client.notices())


@pytest.mark.parametrize("answer", ["", ":s 421 me CHATHISTORY :Unknown command\r\n"])
def test_a_server_that_does_not_answer_is_not_waited_for(answer: str) -> None:
    client = let_in(KeepingServer(caps=CAPS))
    client.session = IrcClientSession("me", rooms=["#lobby"], encoding="utf-8", state=client.state)
    session = client.session
    session.receive_data(f":s CAP * ACK :{CAPS}\r\n:s 001 me :Hi\r\n".encode())
    session.receive_data(b":me!u@h JOIN #lobby\r\n:s PONG s entered\r\n")
    number = re.findall(r"PING (chathistory\d+)", session.data_to_send(0).decode())[0]
    assert session.receive_data(b"@msgid=x :al!u@h PRIVMSG #lobby :one\r\n") == []
    session.receive_data(answer.encode())
    told = session.receive_data(f":s PONG s {number}\r\n".encode())
    assert [m.text for m in told if isinstance(m, Said)] == ["one"]


def test_a_room_whose_gap_is_filled_does_not_show_what_another_has_to_wait_with() -> None:
    rooms = ("#lobby", "#tea")
    client = connected(KeepingServer(page=1), rooms)
    for room in rooms:
        client.server.say("al", "before", target=room)
    client.settle()
    client.end.cut()
    missed = [f"missed {number}" for number in range(3)]
    for text in missed:
        client.server.say("al", text, target="#tea")
    client.connect()
    while client.end.rooms != {*rooms}:
        client.send()
        client.listen()
    for room in rooms:
        client.server.say("al", "after", target=room)
    client.settle()
    assert client.texts("#lobby") == ["before", "after"]
    assert client.texts("#tea") == ["before", *missed, "after"]


def test_what_waits_for_a_page_that_does_not_come_is_not_more_than_a_gap() -> None:
    client = let_in()
    client.cut()
    while not client.end.joined:
        client.send()
        client.listen()
    line = "@msgid={0} :al!u@h PRIVMSG #lobby :{0}\r\n"
    said = [line.format(number).encode() for number in range(5001)]
    hear = client.session.receive_data
    assert [m for m in hear(b"".join(said[:5000])) if isinstance(m, Said)] == []
    told = hear(said[5000])
    assert [m.text for m in told if isinstance(m, Said)] == [str(n) for n in range(5001)]


def test_who_leaves_a_room_misses_nothing_of_it() -> None:
    client = let_in()
    client.server.say("al", "one")
    client.settle()
    client.session.receive_data(b":me!u@h PART #lobby\r\n")
    assert (client.state.last, client.state.rooms) == ({}, {})


def test_the_rest_of_a_text_goes_the_way_of_its_beginning() -> None:
    """A text that takes several lines has its id in the first."""
    client = let_in()
    lines = b"@msgid=x :al!u@h PRIVMSG #lobby :begin\r\n@time=2026 :al!u@h PRIVMSG #lobby :end\r\n"
    assert len(client.session.receive_data(lines)) == 2
    assert client.session.receive_data(lines) == []
    assert len(client.session.receive_data(b"@msgid=y :al!u@h PRIVMSG #lobby :more\r\n")) == 1
