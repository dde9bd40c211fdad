"""What somebody in one room is told and can do, on a session that knows many: line by line."""

from collections.abc import Sequence

import pytest

from trio_chat.client import requests
from trio_chat.client.one_room import OneRoom
from trio_chat.client.text import plain_text
from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import InRoom, Linked, Message, Unlinked
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.resume_state import ResumeState

LET_IN = """\
:irc.test 001 bob :Welcome to the test network, bob
:irc.test 002 bob :Your host is irc.test
:irc.test 005 bob CHANTYPES=# NETWORK=test :are supported by this server
:irc.test 251 bob :There are 2 users and 0 invisible on 1 servers
:irc.test 422 bob :There is no message of the day
:bob MODE bob :+i
:bob!bob@host JOIN #lobby
:irc.test 353 bob = #lobby :@alice bob +carol
:irc.test 366 bob #lobby :End of /NAMES list
:irc.test PONG irc.test entered"""

A = ":alice!al@home"
ME = ":bob!bob@host"
CTCP = "\x01"
NOT_IN_TEA = "*** You are not in #tea. /join #lobby goes on in #lobby."


class Person:
    """Somebody who reads and writes lines, and the server in the person of the test."""

    def __init__(
        self, session: IrcClientSession | PlainClientSession, wanted: str = "#lobby"
    ) -> None:
        self.session, self.room = session, OneRoom(wanted)
        self.refused = self._now = 0
        self._out = ""
        self._send()

    def hears(self, *lines: str) -> list[str]:
        """What is printed when the server says that."""
        text = "\n".join(lines).replace("\n", "\r\n") + "\r\n"
        return self._shown(list(self.session.receive_data(text.encode())))

    def writes(self, line: str) -> list[str]:
        """What is printed of it before the server says anything."""
        try:
            wanted = self.room.read(line)
        except Unsupported as error:
            self.refused += 1
            return [f"*** {error}"]
        if isinstance(wanted, Notice):
            return self._shown([wanted])
        return self._shown(self._do(wanted)) if wanted else []

    def _do(self, request: requests.Request) -> list[Message]:
        requests.ask(self.session, request)
        self._send()
        return list(self.session.own_messages())

    def _shown(self, messages: list[Message]) -> list[str]:
        self._send()
        told = self.room.hear([*messages, *self.session.own_messages()])
        lines = [line for message in told for line in plain_text(message).split("\n")]
        while self.room.asked:
            lines += self._shown(self._do(self.room.asked.popleft()))
        return lines

    def _send(self) -> None:
        self._now += 10  # seconds: so nothing waits
        self._out += self.session.data_to_send(self._now).decode()

    @property
    def sent(self) -> list[str]:
        """Since the last time, without tags and what keeps the link alive."""
        lines, self._out = self._out.splitlines(), ""
        bare = [line.partition(" ")[2] if line.startswith("@") else line for line in lines]
        return [line for line in bare if line != "PING lag"]


def on_irc(*caps: str, state: ResumeState | None = None) -> Person:
    """In #lobby, with these capabilities."""
    state = state or ResumeState()
    bob = Person(IrcClientSession("bob", rooms=["#lobby"], encoding="utf-8", state=state))
    if caps:
        bob.hears(f":s CAP * LS :{' '.join(caps)}", f":s CAP * ACK :{' '.join(caps)}")
    bob.hears(LET_IN)
    assert bob.sent
    return bob


def on_plain(wanted: str = "") -> Person:
    rooms = {wanted: (wanted, "")} if wanted else {}
    session = PlainClientSession(
        "bob", only_room=wanted or "#lobby", encoding="utf-8",
        state=ResumeState(required=[wanted], rooms=rooms),
    )  # fmt: skip
    session.speak_first()
    return Person(session, wanted or "#lobby")


def test_in_a_room_that_is_renamed_all_goes_on_by_its_new_name():
    bob = on_irc()
    assert bob.hears(f"{A} RENAME #lobby #tea :better") == [
        "*** alice renamed #lobby to #tea (better)."
    ]
    bob.writes("hi")
    bob.writes("/topic")
    assert bob.sent == ["PRIVMSG #tea hi", "TOPIC #tea"]
    assert (bob.room.room, bob.room.home) == ("#tea", "#tea")


# ── what people are told ───────────────────────────────────────────────────────────────────────


def test_a_newcomer_is_told_what_people_want_to_know() -> None:
    bob = Person(IrcClientSession("bob", rooms=["#lobby"], encoding="utf-8", state=ResumeState()))
    assert bob.hears(LET_IN) == [
        "*** Welcome to the test network, bob",
        "bob joined!",
        "*** You are bob in #lobby; 2 others are here. /help for more.",
    ]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (f"{A} PRIVMSG #lobby :hi there", ["alice: hi there"]),
        (f"{A} PRIVMSG bob :psst", ["alice -> bob: psst"]),
        (f"{A} PRIVMSG #lobby :{CTCP}ACTION waves{CTCP}", ["* alice waves"]),
        (f"{A} TAGMSG #lobby", []),
        (f"@+typing=active {A} TAGMSG #lobby", []),
        (f"{A} JOIN #lobby", ["alice joined!"]),
        (f"{A} PART #lobby :bye", ["alice left!"]),
        (f"{A} QUIT :gone", ["alice left!"]),
        (
            f"{A} KICK #lobby carol :shush",
            ["*** alice kicked carol out of #lobby: shush", "carol left!"],
        ),
        (f"{A} KICK #lobby bob :alice", ["*** alice kicked bob out of #lobby.", "bob left!"]),
        (f"{ME} PART #lobby", ["bob left!"]),
        (f"{A} NICK ann", ["*** alice is now ann."]),
        (f"{A} TOPIC #lobby :tea", ["*** alice set the topic: tea"]),
        (f"{A} MODE #lobby +o carol", ["*** alice set mode +o carol."]),
        (":bob MODE bob :+i", ["*** bob set the mode of bob +i."]),
        (f"{A} INVITE bob #tea", ["*** alice invites bob to #tea."]),
        (f"{A} AWAY :at lunch", ["*** alice is away: at lunch"]),
        (f"{A} AWAY", ["*** alice is back."]),
        (":s 306 bob :Off you go", ["*** You have been marked as being away"]),
        (":s 305 bob :Back", ["*** You are no longer marked as away"]),
        (":s 301 bob alice :at lunch", ["*** alice is away: at lunch"]),
        (":s NOTICE bob :Your host is slow", ["*** Your host is slow"]),
        (":s 331 bob #lobby :No topic is set", ["*** #lobby has no topic."]),
        (":s 332 bob #lobby :tea", ["*** The topic of #lobby: tea"]),
        (
            ":s 332 bob #lobby :tea\n:s 333 bob #lobby al!al@home 1700000000",
            ["*** The topic of #lobby: tea"],
        ),
        (
            ":s 353 bob = #lobby :@carol ~bob\n:s 353 bob = #lobby alice\n:s 366 bob #lobby :End",
            ["*** In #lobby (3): alice, bob, carol"],
        ),
        (":s 366 bob #no :End of /NAMES list", ["*** Nobody is in #no."]),
        (":s 404 bob #lobby :Cannot send", ["*** #lobby: Cannot send"]),
        (":s PONG s lag", []),
    ],
)
def test_what_lines_tell(lines: str, told: list[str]) -> None:
    assert on_irc().hears(lines) == told


def test_a_split_is_one_line_however_many_are_lost() -> None:
    why = "irc.a.test irc.b.test"
    lost = [f":p{number}!p@h QUIT :{why}" for number in range(12)]
    names = ", ".join(f"p{number}" for number in range(10))
    assert on_irc().hears(*lost) == [f"*** The network has split. Lost with it: {names}, 2 more."]
    assert on_irc().hears(lost[0], f"{A} QUIT :gone") == ["p0 left!", "alice left!"]


def test_what_the_plain_dialect_tells_is_told_once() -> None:
    bob = on_plain()
    assert bob.hears(
        "bob joined!",
        "Connected to server!",
        "*** You are bob in #den; one other person is here. /help for more.",
        "*** The topic of #den: tea",
        "*** The last 2 messages:",
        "al: hello",
        "* al waves",
        "*** In #den (2): al, bob",
    ) == [
        "bob joined!",
        "*** Connected to server!",
        "*** You are bob in #den; one other person is here. /help for more.",
        "*** The topic of #den: tea",
        "*** The last 2 messages:",
        "al: hello",
        "* al waves",
    ]
    assert bob.hears("*** al kicked cy out of #den.", "cy left!", "al left!") == [
        "*** al kicked cy out of #den.",
        "cy left!",
        "al left!",
    ]
    assert not bob.room.moving
    bob.writes("hi")
    assert bob.sent[-1] == "hi"


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def test_who_goes_to_another_room_leaves_the_one_before_once_there() -> None:
    bob = on_irc()
    bob.writes("/join tea secret")
    assert (bob.sent, bob.room.room, bob.room.moving) == (["JOIN #tea secret"], "#lobby", True)
    assert bob.hears(f"{ME} JOIN #Tea") == ["bob joined!"]
    assert (bob.sent, bob.room.room, bob.room.moving) == (["PART #lobby"], "#Tea", False)
    assert bob.hears(f"{ME} PART #lobby") == []
    bob.writes("hi")
    assert bob.sent == ["PRIVMSG #Tea hi"]


def test_the_last_message_is_the_one_to_whom_it_was_said_last() -> None:
    bob = on_irc("message-tags", "echo-message", "draft/message-redaction")
    for number, (line, target) in enumerate(
        [("hi", "#lobby"), ("/msg alice psst", "alice"), ("/me waves", "#lobby")]
    ):
        bob.writes(line)
        [sent] = bob.sent
        bob.hears(f"@msgid=m{number} {ME} {sent}")
        bob.writes("/remove last")
        assert bob.sent == [f"REDACT {target} m{number}"]
    bob.writes("/msg alice psst")
    bob.sent  # noqa: B018
    bob.writes("/remove last bob")
    assert bob.sent == ["REDACT #lobby m2"]


def kept_out() -> Person:
    """Of #tea, and in #lobby still."""
    bob = on_irc("echo-message")
    bob.writes("/join tea")
    assert bob.hears(":s 473 bob #tea :Cannot join channel (+i)")[0].startswith(
        "*** #tea: Cannot join channel (+i)."
    )
    assert (bob.room.refused, bob.room.moving, bob.sent) == (1, False, ["JOIN #tea"])
    return bob


@pytest.mark.parametrize(
    "line", ["hi", "//hi", "/me waves", "/topic tea", "/kick al", "/k al", "/remove last"]
)
def test_what_was_meant_for_a_room_that_lets_nobody_in_is_not_for_another(line: str) -> None:
    bob = kept_out()
    assert (bob.writes(line), bob.sent, bob.refused) == ([NOT_IN_TEA], [], 1)


def test_who_may_not_enter_can_go_on_where_they_are_or_elsewhere() -> None:
    bob = kept_out()
    bob.writes("/msg al hi")
    assert bob.writes("/join LOBBY") == ["*** You are in #LOBBY."]
    assert bob.writes("/join LOBBY") == ["*** You are already in #LOBBY."]
    bob.writes("hi")
    assert bob.sent == ["PRIVMSG al hi", "PRIVMSG #lobby hi"]
    bob = kept_out()
    bob.writes("/join two")
    bob.hears(f"{ME} JOIN #two")
    bob.writes("hi")
    assert bob.sent == ["JOIN #two", "PART #lobby", "PRIVMSG #two hi"]


def test_a_server_that_does_not_let_us_into_our_room_does_not_let_us_in() -> None:
    session = IrcClientSession(
        "bob", rooms=["#lobby"], encoding="utf-8", state=ResumeState(required=["#Lobby"])
    )
    bob = Person(session)
    bob.hears(":s 001 bob :Welcome", ":s 422 bob :no message")
    assert not session.admitted
    with pytest.raises(NotAdmitted, match=r"#lobby: Cannot join channel \(\+b\)"):
        bob.hears(":s 474 bob #lobby :Cannot join channel (+b)")
    bob = on_plain("#tea")
    bob.hears("Connected to server!", "*** You are bob in #lobby; nobody else is here yet. /help")
    assert not bob.session.admitted
    with pytest.raises(NotAdmitted, match="You need an invitation to enter #tea"):
        bob.hears("*** You need an invitation to enter #tea.", "*** In #lobby (1): bob")


def test_the_server_of_plain_chooses_the_room_unless_we_do() -> None:
    bob = on_plain("#tea")
    bob.hears("Connected to server!", "*** You are bob in #lobby; nobody else is here yet. /help")
    assert (bob.sent[-2:], bob.room.moving) == (["/join #tea", "/who"], True)
    bob.hears("bob joined!", "*** You are bob in #tea; nobody else is here yet. /help for more.")
    assert (bob.room.room, bob.room.moving) == ("#tea", False)
    bob.writes("hi")
    assert bob.sent[-1] == "hi"  # the answer to the second /who is still to come


def test_rooms_that_somebody_else_brings_us_to_change_nothing() -> None:
    bob = on_irc()
    bob.hears(f"{ME} JOIN #bouncer")
    assert (bob.sent, bob.room.room) == ([], "#lobby")


@pytest.mark.parametrize("line", [f"{ME} PART #lobby", f"{A} KICK #lobby bob :shush"])
def test_in_no_room_nothing_can_be_said(line: str) -> None:
    bob = on_irc()
    assert bob.hears(line)[-1] == "bob left!"
    assert bob.writes("hi") == ["*** You are not in a room. /join ROOM enters one."]
    assert (bob.writes(""), bob.refused) == ([], 1)
    bob.writes("/join tea")
    bob.hears(f"{ME} JOIN #tea")
    assert (bob.sent, bob.room.room) == (["JOIN #tea"], "#tea")


def test_after_a_cut_nothing_is_said_before_we_are_back() -> None:
    room = OneRoom("#lobby")
    room.hear([Linked("bob", "", frozenset()), InRoom("#lobby")])
    room.read("/join tea")
    told = room.hear([Unlinked("the server closed the connection", 3)])
    assert told == [Notice("The server closed the connection. Trying again in 3 seconds.")]
    assert room.hear([Unlinked("it is gone", 0.6)]) == [
        Notice("It is gone. Trying again in 1 second.")
    ]
    room.hear([Linked("bob", "", frozenset()), InRoom("#lobby")])
    assert (room.moving, room.room) == (True, "#lobby")
    room.hear([InRoom("#tea")])
    assert (room.moving, room.room, [*room.asked]) == (False, "#tea", [requests.Part("#lobby")])


def test_whoever_gets_no_answer_is_not_there() -> None:
    room = OneRoom("#lobby")
    room.hear([Linked("bob", "", frozenset()), InRoom("#lobby")])
    room.read("/join tea")
    assert room.give_up() == [Notice("#tea: the server did not answer.")]
    with pytest.raises(Unsupported, match="You are not in #tea"):
        room.read("hi")


# ── what we say ────────────────────────────────────────────────────────────────────────────────


def test_what_arrives_is_shown_in_its_place() -> None:
    bob = on_irc("echo-message", "message-tags", "server-time")
    assert bob.writes("hi") == []
    assert bob.writes("/me waves") == []
    assert bob.writes("/msg alice psst") == []
    assert bob.hears(f"{A} PRIVMSG #lobby :hello", f"{ME} PRIVMSG #lobby :hi") == [
        "alice: hello",
        "bob: hi",
    ]
    assert bob.hears(f"{ME} PRIVMSG #lobby :{CTCP}ACTION waves{CTCP}") == ["* bob waves"]
    assert bob.hears(f"{ME} PRIVMSG alice :psst") == ["bob -> alice: psst"]


def test_without_echoes_it_is_shown_when_it_is_sent() -> None:
    bob = on_irc()
    assert bob.writes("hi") == ["bob: hi"]
    assert bob.hears(":s 404 bob #lobby :No") == ["*** #lobby: No", "*** Not sent: hi"]


@pytest.mark.parametrize("caps", [("echo-message",), ()], ids=["echoes", "none"])
def test_what_is_refused_is_told_with_its_words(caps: Sequence[str]) -> None:
    bob = on_irc(*caps)
    bob.writes("/topic tea")
    bob.writes("/who")
    bob.writes("/msg nobody three")
    assert bob.hears(":s 482 bob #lobby :You lead nobody", ":s 401 bob nobody :No such nick") == [
        "*** #lobby: You lead nobody",
        "*** nobody: No such nick",
        "*** Not sent: three",
    ]
    assert bob.room.refused == 1  # the text is counted by what has failed


def test_what_nobody_at_our_side_has_asked_for_is_not_counted() -> None:
    bob = on_irc("echo-message")
    bob.hears(":s 401 bob al :No such nick", ":s 442 bob #tea :You are not there")
    assert bob.room.refused == 0


@pytest.mark.parametrize(
    ("text", "back", "rest"),
    [("one two", "one", ["*** Only the beginning of this was said: one two"]), ("one ", "one", [])],
)
def test_what_comes_back_shorter_was_cut(text: str, back: str, rest: list[str]) -> None:
    bob = on_irc("echo-message")
    bob.writes(text)
    assert bob.hears(f"{ME} PRIVMSG #lobby :{back}") == [f"bob: {text}", *rest]


@pytest.mark.parametrize("text", ["\x02\x03", "\u200b", "\x01", "\0", "\ufeff \u202e"])
@pytest.mark.parametrize("command", ["", "/me ", "/msg al "])
def test_what_nobody_could_see_is_not_said(command: str, text: str) -> None:
    bob = on_irc("echo-message")
    assert bob.writes(command + text) == ["*** That has nothing visible in it, so it was not sent."]
    assert (bob.sent, bob.refused) == ([], 1)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("/reconnect", "*** Only the full screen has /reconnect."),
        (
            "/whios al",
            "*** There is no command /whios. Did you mean /whois? /help lists all of them.",
        ),
        ("/notice al \x01", "*** That has nothing visible in it, so it was not sent."),
        ("/join lobby", "*** You are already in #lobby."),
    ],
)
def test_what_cannot_be_done_counts(line: str, told: str) -> None:
    bob = on_irc()
    assert bob.writes(line) == [told]
    assert bob.refused + bob.room.refused == 1


def test_where_plain_is_spoken_one_is_always_in_a_room() -> None:
    bob = on_plain()
    bob.hears("Connected to server!", "*** You are bob in #lobby; nobody else is here yet. /help")
    assert bob.writes("/part")[0].startswith("*** You are always in one room here")


@pytest.mark.parametrize(
    "line", [" /login x", "\t/register x", " /regsiter x", "login foobarbaz", " /ns identify x"]
)
def test_a_line_that_may_have_a_password_is_not_said(line: str) -> None:
    bob = on_irc()
    [told] = bob.writes(line)
    assert told.startswith("*** Not said, as a password may be in that line.")
    assert bob.refused == 1
    bob.writes("//login is a command")
    assert bob.sent[-1] == "PRIVMSG #lobby ://login is a command"
