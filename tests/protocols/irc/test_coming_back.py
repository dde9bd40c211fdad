"""Nothing is lost and nothing comes twice: our client's sessions, one after the other, with one
state.
"""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keeping_server import CAPS, End, KeepingServer
from trio_chat.core.events import Joined, Left, Notice, Said
from trio_chat.protocols.client import Earlier, Message, Stamped
from trio_chat.protocols.irc.client.catchup import _GAP_MAX
from trio_chat.protocols.irc.client.one import IrcClientSession
from trio_chat.protocols.resume_state import UNACKED_MAX, ResumeState


class Client:
    """What one person says and hears on one connection after the other."""

    def __init__(self, server: KeepingServer) -> None:
        self.server = server
        self.state = ResumeState()
        self.heard: list[Message] = []
        self.connect()

    def connect(self) -> None:
        self.end: End = self.server.connect()
        self.session = IrcClientSession("me", room="#lobby", encoding="utf-8", state=self.state)
        self._to_server, self._to_client = b"", b""

    def cut(self) -> None:
        self.end.cut()
        self.connect()

    def say(self, *texts: str) -> None:
        for text in texts:
            self.session.say(text)

    def send(self, most: int | None = None) -> None:
        """Hand on what we have to say; or only so many bytes of it."""
        self._to_server += self.session.data_to_send(0)
        self.end.receive(self._to_server[:most])
        self._to_server = b"" if most is None else self._to_server[most:]

    def listen(self, most: int | None = None) -> None:
        self._to_client += self.end.take()
        self.heard += self.session.receive_data(self._to_client[:most])
        self._to_client = b"" if most is None else self._to_client[most:]

    def settle(self) -> None:
        """Until both are silent."""
        quiet = False
        while not quiet:
            received, heard = len(self.end.received), len(self.heard)
            self.server.post()
            self.send()
            self.listen()
            quiet = (received, heard) == (len(self.end.received), len(self.heard))

    def texts(self) -> list[str]:
        said = (m.said if isinstance(m, Earlier) else m for m in self.heard)
        return [m.text for m in said if isinstance(m, Said)]

    def notices(self) -> list[str]:
        return [m.text for m in self.heard if isinstance(m, Notice)]


def let_in(server: KeepingServer | None = None) -> Client:
    client = Client(server or KeepingServer())
    client.settle()
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


def test_each_text_has_a_token_of_its_own() -> None:
    client = let_in()
    client.say("one", "two")
    client.session.command("/me waves")
    client.send()
    sent = [m for m in client.end.received if m.command == "PRIVMSG"]
    tokens = {message.tags["+trio-chat/id"] for message in sent}
    assert len(tokens) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", token) for token in tokens)
    assert len(client.state.unacked) == 3
    client.settle()
    assert not client.state.unacked


def test_what_did_not_come_back_is_sent_again() -> None:
    client = let_in()
    client.say("one", "two", "three")
    client.send(100)  # the first, and half of the second
    client.cut()
    client.settle()
    assert client.server.texts == client.texts() == ["one", "two", "three"]


def test_what_came_back_in_the_gap_is_not_sent_again() -> None:
    client = let_in()
    client.say("one")
    client.send()
    client.cut()
    client.settle()
    assert client.end.commands("PRIVMSG") == []
    assert client.texts() == ["one"]


def test_the_original_is_shown_once_even_where_history_has_no_tokens() -> None:
    """A server may leave the tags out of its history: then we ask again, and know the id."""
    client = let_in()
    client.say("one")
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


def test_with_others_what_did_not_come_back_is_told() -> None:
    client = let_in(KeepingServer(caps="batch message-tags echo-message"))
    client.say("one")
    client.send()
    client.cut()
    client.settle()
    assert client.end.commands("PRIVMSG") == []
    assert "This may not have arrived: one" in client.notices()
    client.say("two")
    client.settle()
    assert client.texts() == ["two"]


def test_what_has_not_been_sent_is_said_on_the_next_connection() -> None:
    client = Client(KeepingServer(caps=""))
    client.say("one")
    client.session.command("/me waves")
    assert client.session.waiting
    client.cut()
    client.settle()
    assert client.server.texts == ["one", "\x01ACTION waves\x01"]
    assert not client.session.waiting


def test_what_comes_later_waits_for_what_is_sent_again() -> None:
    client = let_in()
    client.say("one")
    client.cut()
    client.say("two")
    client.session.command("/me waves")
    client.settle()
    assert client.server.texts == ["one", "two", "\x01ACTION waves\x01"]


def test_when_much_is_on_its_way_the_rest_waits() -> None:
    client = let_in()
    client.say("\n".join(f"number {n}" for n in range(UNACKED_MAX + 10)))
    client.send()
    assert client.session.waiting
    assert len(client.server.kept) == len(client.state.unacked) == UNACKED_MAX
    client.settle()
    assert not client.session.waiting
    assert client.server.texts == client.texts() == [f"number {n}" for n in range(UNACKED_MAX + 10)]


def test_what_a_server_drops_without_a_word_does_not_keep_the_rest_for_ever() -> None:
    client = let_in()
    client.server.drops = True
    client.say("\n".join(f"number {n}" for n in range(UNACKED_MAX + 1)))
    client.settle()
    lost = [f"This may not have arrived: number {n}" for n in range(UNACKED_MAX)]
    assert client.notices() == lost
    assert client.session.ping()
    client.settle()
    assert client.notices()[-1] == f"This may not have arrived: number {UNACKED_MAX}"
    assert not client.state.unacked


def test_a_refusal_takes_off_what_it_refuses() -> None:
    client = let_in()
    client.say("one", "forbidden fruit", "three")
    client.settle()
    assert client.texts() == ["one", "three"]
    assert client.notices() == ["#lobby: You may not say that", "Not sent: forbidden fruit"]
    assert not client.state.unacked


def test_a_server_that_drops_our_tags_echoes_in_order() -> None:
    client = let_in(KeepingServer(caps="message-tags echo-message"))
    client.say("one", "two")
    client.session.command("/msg al psst")
    client.session.data_to_send(0)
    client.session.receive_data(b":me!u@h PRIVMSG #lobby :one\r\n:me!u@h PRIVMSG al :psst\r\n")
    assert [text.text for text in client.state.unacked] == ["two"]


def test_the_token_of_somebody_else_is_none_of_ours() -> None:
    client = let_in()
    client.say("one")
    client.session.data_to_send(0)
    token = client.state.unacked[0].token
    client.session.receive_data(f"@+trio-chat/id={token} :al!u@h PRIVMSG #lobby :x\r\n".encode())
    client.session.receive_data(b":me!u@h PRIVMSG #lobby :from another program\r\n")
    assert len(client.state.unacked) == 1


# ── what we miss ───────────────────────────────────────────────────────────────────────────────


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
    assert client.end.commands("CHATHISTORY") == [("AFTER", "#lobby", id, "3") for id in asked]
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
    [first, *_] = client.end.commands("CHATHISTORY")
    assert first == ("AFTER", "#lobby", "timestamp=2026-01-02T00:00:00.000Z", "1")
    assert client.texts() == ["one", "two"]


def test_what_is_said_meanwhile_waits_and_comes_once() -> None:
    client = let_in(KeepingServer(page=3))
    client.server.say("al", "zero")
    client.settle()
    client.end.cut()
    client.server.say("al", "one")
    client.connect()
    while not client.end.joined:
        client.send()
        client.listen()
    client.server.say("al", "two")  # is in the page, and live
    client.listen()
    client.end.tell(":cy!u@h JOIN #lobby", ":cy!u@h PRIVMSG me :psst", ":cy!u@h PART #lobby")
    client.listen()
    assert client.texts() == ["zero"]
    client.settle()
    assert client.texts() == ["zero", "one", "two", "psst"]
    told = [m for m in client.heard if not isinstance(m, Notice)]
    assert [type(m) for m in told[-5:]] == [Stamped, Stamped, Joined, Said, Left]
    assert [m.late for m in told if isinstance(m, Stamped)] == [False, True, False]


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
    assert "Messages are missing here: more than 5,000 were said meanwhile." in client.notices()


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
    client.session = IrcClientSession("me", room="#lobby", encoding="utf-8", state=client.state)
    session = client.session
    session.receive_data(f":s CAP * ACK :{CAPS}\r\n:s 001 me :Hi\r\n".encode())
    session.receive_data(b":me!u@h JOIN #lobby\r\n")
    number = re.findall(r"PING (chathistory\d+)", session.data_to_send(0).decode())[0]
    assert session.receive_data(b"@msgid=x :al!u@h PRIVMSG #lobby :one\r\n") == []
    session.receive_data(answer.encode())
    told = session.receive_data(f":s PONG s {number}\r\n".encode())
    assert [m.text for m in told if isinstance(m, Said)] == ["one"]


def test_who_leaves_a_room_misses_nothing_of_it() -> None:
    client = let_in()
    client.server.say("al", "one")
    client.settle()
    client.session.receive_data(b":me!u@h PART #lobby\r\n")
    assert client.state.last == {}
    assert client.state.room == ""


def test_we_come_back_to_where_we_were() -> None:
    session = IrcClientSession(
        "me", room="#lobby", encoding="utf-8", state=(state := ResumeState())
    )
    session.receive_data(b":s 001 me :Hi\r\n:me!u@h JOIN #lobby\r\n")
    session.command("/join tea secret")
    session.receive_data(b":me!u@h JOIN #tea\r\n")
    again = IrcClientSession("me", room="#lobby", encoding="utf-8", state=state)
    again.data_to_send(0)
    again.receive_data(b":s 001 me :Hi\r\n")
    assert again.data_to_send(0) == b"JOIN #tea secret\r\n"


def test_the_rest_of_a_text_goes_the_way_of_its_beginning() -> None:
    """A text that takes several lines has its id in the first."""
    client = let_in()
    lines = b"@msgid=x :al!u@h PRIVMSG #lobby :begin\r\n@time=2026 :al!u@h PRIVMSG #lobby :end\r\n"
    assert len(client.session.receive_data(lines)) == 2
    assert client.session.receive_data(lines) == []
    assert len(client.session.receive_data(b"@msgid=y :al!u@h PRIVMSG #lobby :more\r\n")) == 1


# ── anything ───────────────────────────────────────────────────────────────────────────────────

STEPS = st.one_of(
    st.just("say"),
    st.just("other"),
    st.just("post"),
    st.just("cut"),
    st.tuples(st.sampled_from(["send", "listen"]), st.none() | st.integers(1, 400)),
)


@given(st.lists(STEPS, max_size=60), st.integers(1, 5), st.booleans())
def test_every_message_comes_exactly_once_and_in_order(
    steps: list[str | tuple[str, int | None]], page: int, dawdles: bool
) -> None:
    server = KeepingServer(page=page, dawdles=dawdles)
    for number in range(3):
        server.say("al", f"before {number}")
    client = Client(server)
    said = []
    for number, step in enumerate(steps):
        match step:
            case "say":
                said.append(f"mine {number}")
                client.say(said[-1])
            case "other":
                client.server.say("al", f"theirs {number}")
            case "post":
                client.server.post()
            case "cut":
                client.cut()
            case (verb, most):
                getattr(client, verb)(most)
    client.cut()
    client.settle()
    texts = client.texts()
    assert texts == server.texts[len(server.texts) - len(texts) :]
    assert set(said) <= set(texts)
    assert [text for text in client.server.texts if text.startswith("mine")] == said
    assert not client.state.unacked


CLOCK_STEPS = st.sampled_from(["other", "say", "the clock goes back", "settle", "cut"])


@given(st.lists(CLOCK_STEPS, max_size=40), st.integers(1, 5))
def test_a_clock_that_goes_back_loses_and_repeats_nothing(steps: list[str], page: int) -> None:
    server = KeepingServer(page=page, now=100_000)
    client = let_in(server)
    server.say("al", "the first")
    client.settle()
    for number, step in enumerate(steps):
        match step:
            case "other":
                server.say("al", f"theirs {number}")
            case "say":
                client.say(f"mine {number}")
            case "the clock goes back":
                server.slow += 1000
            case "settle":
                client.settle()
            case "cut":
                client.cut()
    client.cut()
    client.settle()
    assert client.texts() == server.texts
