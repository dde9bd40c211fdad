"""The client's end of IRC: against lines as servers write them, and against our server's end."""

import re
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import irc_session
from irc_session import hear, offer
from runs import commands
from trio_chat.core.commands import Command, DirectMessage, Enter, Join, Say
from trio_chat.core.events import Arrived, Departed, Event, Joined, Kicked, Origin, Said, TopicSet
from trio_chat.core.queries import Count, ListMembers
from trio_chat.core.views import Block, Counts, Members, Notice, UserView
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import (
    LOCKED,
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Lag,
    Look,
    Member,
    Message,
    Operator,
    Roster,
    Run,
    Sent,
    Stamped,
    spoken_by,
)
from trio_chat.protocols.confidential import is_held_back
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.client.link import WANTED
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.irc.client.slash import SLASHES
from trio_chat.protocols.irc.client.supports import Supports
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.irc.text import is_invisible, pieces, shown_lines
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.session import Ask
from trio_chat.protocols.slashes import FILTERS

OPENING = "CAP LS 302\r\nNICK bob\r\nUSER bob 0 * bob\r\n"
BOB = Origin("bob", "host")
ALICE = Origin("al", "home")
CTCP = "\x01"

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
"""
YOU_ARE_IN = "You are bob in #lobby; 2 others are here. /help for more."


def new_session(nick: str = "bob", room: str = "#lobby", **how: Any) -> IrcClientSession:
    state = ResumeState(required=[room])
    return IrcClientSession(nick, rooms=[room], encoding="latin-1", state=state, **how)


def let_in(*caps: str) -> IrcClientSession:
    """A session in #lobby, with these capabilities."""
    session = new_session()
    if caps:
        offer(session, *caps)
    hear(session, LET_IN, ":irc.test PONG irc.test entered")
    sent(session)
    session.own_messages()
    return session


def sent(session: IrcClientSession, now: float = 0) -> str:
    """Without our tags, and what keeps the link alive."""
    return "".join(re.sub(r"^@\S+ ", "", f"{line}\r\n") for line in irc_session.sent(session, now))


def say(session: IrcClientSession, text: str) -> str:
    session.say_to("#lobby", text)
    return sent(session)


def command(session: IrcClientSession, line: str) -> str:
    session.command(line, "#lobby")
    return sent(session)


def finish(session: IrcClientSession, words: str) -> str:
    session.finish(words)
    return sent(session)


# ── to be let in ───────────────────────────────────────────────────────────────────────────────


def test_it_speaks_first() -> None:
    session = new_session()
    assert sent(session) == OPENING
    assert sent(session) == ""


@pytest.mark.parametrize(("rooms_back", "asked"), [(True, ""), (False, " trio-chat/no-rooms")])
def test_whoever_wants_it_is_brought_into_no_rooms(rooms_back: bool, asked: str) -> None:
    session = new_session(rooms_back=rooms_back)
    sent(session)
    hear(session, ":irc.test CAP * LS :batch trio-chat/no-rooms")
    assert sent(session) == f"CAP REQ {':' if asked else ''}batch{asked}\r\n"


@pytest.mark.parametrize("has_rooms", [True, False])
def test_on_its_return_it_tells_where_it_has_been(has_rooms: bool) -> None:
    """A room that has not let us in yet is entered as ever; so is one that is new to us."""
    caps = ":irc.test CAP * LS :batch trio-chat/no-rooms" if has_rooms else ""
    session = let_in()
    hear(session, ":bob!bob@host JOIN #tea", ":bob!bob@host JOIN #den")
    session.part("#den")
    hear(session, ":bob!bob@host PART #den")
    session.join("#slow")  # the connection is lost before the answer
    again = IrcClientSession("bob", encoding="utf-8", state=session.state)
    again.join("#new")
    hear(again, *filter(None, [caps]), ":irc.test 001 bob :Welcome")
    joins = [line for line in irc_session.sent(again) if " JOIN " in f" {line}"]
    tag = "@+trio-chat/remembered "
    both = [f"{tag}JOIN #lobby,#tea", "JOIN #slow,#new"]
    assert joins == (both if has_rooms else ["JOIN #lobby,#tea,#slow,#new"])


@pytest.mark.parametrize("has_rooms", [True, False])
def test_where_nobody_has_named_a_room_it_enters_one_only_if_it_is_nowhere(has_rooms: bool) -> None:
    """Once; the server says nothing if it does not let us in."""
    caps = ":irc.test CAP * LS :batch trio-chat/no-rooms" if has_rooms else ""
    state = ResumeState(otherwise="#lobby")
    session = IrcClientSession("bob", encoding="utf-8", state=state)
    session.join("#new")
    hear(session, *filter(None, [caps]), ":irc.test 001 bob :Welcome")
    joins = [line for line in irc_session.sent(session) if " JOIN " in f" {line}"]
    tagged = ["JOIN #new", "@+trio-chat/otherwise JOIN #lobby"]
    assert joins == (tagged if has_rooms else ["JOIN #new,#lobby"])
    hear(session, ":bob!bob@host JOIN #new", "PONG :entered")
    assert (state.otherwise, [*state.rooms]) == ("", ["#new"])


def test_it_asks_for_what_it_wants_and_the_server_has() -> None:
    session = new_session()
    sent(session)
    hear(session, ":irc.test CAP * LS * :batch sasl=PLAIN message-tags")
    assert sent(session) == ""
    hear(session, ":irc.test CAP * LS :echo-message something-else")
    assert sent(session) == "CAP REQ :batch echo-message message-tags\r\n"
    hear(session, ":irc.test CAP * ACK :batch echo-message message-tags")
    assert sent(session) == "CAP END\r\n"
    assert session.caps == {"batch", "echo-message", "message-tags"}


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (":irc.test CAP * LS :", "CAP END\r\n"),
        (":irc.test CAP * LS :sasl", "CAP END\r\n"),
        (":irc.test CAP * NAK :batch", "CAP END\r\n"),
        (":irc.test 421 * CAP :Unknown command", ""),
        (":irc.test 451 * :You have not registered", ""),
        ("PING :12345", "PONG 12345\r\n"),
        ("PING :two words", "PONG :two words\r\n"),
        ("NICK", ""),
    ],
)
def test_before_it_is_let_in(line: str, answer: str) -> None:
    session = new_session()
    sent(session)
    assert hear(session, line) == []
    assert sent(session) == answer


def test_history_is_not_asked_for_where_it_could_not_be_told_from_what_is_said_now() -> None:
    session = new_session()
    sent(session)
    hear(session, ":irc.test CAP * LS :draft/chathistory server-time")
    assert sent(session) == "CAP REQ server-time\r\n"


def test_a_password_comes_before_the_nickname() -> None:
    session = IrcClientSession(
        "bob", rooms=["#a"], encoding="utf-8", state=ResumeState(), password="a b"
    )
    assert sent(session).split("\r\n")[:3] == ["CAP LS 302", "PASS :a b", "NICK bob"]


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        (":s 433 * bob :Nickname is already in use", "bob: Nickname is already in use"),
        (":s 433 * bob :The nickname bob is taken.", "The nickname bob is taken."),
        (":s 432 * b:b :Erroneous nickname", "b:b: Erroneous nickname"),
        (":s 464 * :Password incorrect", LOCKED),  # and we gave none
        ("ERROR :Closing Link: You are banned", "You are banned"),
        ("ERROR :Too many connections", "Too many connections"),
        ("FAIL * INVALID_UTF8 :It is not UTF-8", "It is not UTF-8"),
        (
            ":s 001 bob :Welcome\n:s 474 bob #lobby :Cannot join channel (+b)",
            "#lobby: Cannot join channel (+b)",
        ),
    ],
)
def test_whoever_is_refused_is_told_why(lines: str, why: str) -> None:
    session = new_session()
    with pytest.raises(NotAdmitted) as refused:
        hear(session, lines)
    assert str(refused.value) == why
    assert not session.admitted


@pytest.mark.parametrize(
    "said", ["HTTP/1.1 400 Bad Request", "NICKCAP LS 302", "*** The server is full. \x1b[2J"]
)
def test_what_is_no_irc_is_told_as_such(said: str) -> None:
    with pytest.raises(NotAdmitted, match=r"does not speak IRC\. It says: ") as refused:
        hear(new_session(), said)
    assert said.partition("\x1b")[0] in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_another_room_than_asked_for_will_do() -> None:
    session = new_session(room="#python")
    hear(session, ":s 001 bob :Welcome", ":bob!b@h JOIN ##overflow", ":s PONG s entered")
    assert (session.admitted, list(session.inside)) == (True, ["##overflow"])


def test_the_message_of_the_day_is_shown() -> None:
    lines = ":s 375 bob :- s Message of the day -\n:s 372 bob :- Be kind.\n:s 376 bob :End"
    assert hear(let_in(), lines) == [Notice("Be kind.")]


def test_the_server_says_what_our_nick_is() -> None:
    session = new_session("robert_the_long")
    hear(session, ":s 001 robert_th :Welcome", ":robert_th!b@h JOIN #lobby")
    assert (session.nick, list(session.inside)) == ("robert_th", ["#lobby"])


# ── what is heard ──────────────────────────────────────────────────────────────────────────────

A = ":alice!al@home"
HEARD: list[tuple[str, list[Message]]] = [
    (f"{A} PRIVMSG #lobby :hi there", [Said("#lobby", "alice", "hi there", origin=ALICE)]),
    (f"{A} PRIVMSG #lobby hi", [Said("#lobby", "alice", "hi", origin=ALICE)]),
    (f"{A} PRIVMSG &local :hi", [Said("&local", "alice", "hi", origin=ALICE)]),
    (f"{A} PRIVMSG bob :psst", [Said("", "alice", "psst", to="bob", origin=ALICE)]),
    (f"{A} PRIVMSG @#lobby :ops", [Said("#lobby", "alice", "ops", status="@", origin=ALICE)]),
    (f"{A} NOTICE #lobby :beep", [Said("#lobby", "alice", "beep", notice=True, origin=ALICE)]),
    (
        f"{A} PRIVMSG #lobby :{CTCP}ACTION waves{CTCP}",
        [Said("#lobby", "alice", "waves", action=True, origin=ALICE)],
    ),
    (f"{A} PRIVMSG #lobby :{CTCP}DCC SEND x{CTCP}", []),
    (f"{A} NOTICE bob :{CTCP}VERSION x{CTCP}", []),
    (f"{A} TAGMSG #lobby", []),
    (
        f"@account=ann;bot {A} PRIVMSG #lobby :hi",
        [Said("#lobby", "alice", "hi", origin=Origin("al", "home", account="ann", bot=True))],
    ),
    (f"{A} PRIVMSG #lobby :zoé 漢字", [Said("#lobby", "alice", "zoé 漢字", origin=ALICE)]),
    (
        f"{A} PRIVMSG #lobby :\x02b\x02 \x0304,12red\x0f \x1b[2J",
        [
            Stamped(
                "#lobby", "alice", "b red ␛[2J", origin=ALICE,
                runs=(Run(0, 1, Look(bold=True)), Run(2, 5, Look(colour=4))),
            )
        ],
    ),
    (f"{A} JOIN #lobby", [Joined("#lobby", "alice", origin=ALICE)]),
    (
        f"{A} JOIN #lobby ann :Ann A.",
        [Joined("#lobby", "alice", origin=Origin("al", "home", "Ann A.", "ann"))],
    ),
    (
        f"{A} JOIN #lobby * :Ann A.",
        [Joined("#lobby", "alice", origin=Origin("al", "home", "Ann A."))],
    ),
    (f"{A} QUIT", [Departed("alice", origin=ALICE)]),
    (
        f"{A} KICK #lobby carol :alice",
        [Kicked("#lobby", "alice", "carol", origin=ALICE)],
    ),
    (f"{A} TOPIC #lobby :", [TopicSet("#lobby", "alice", "", origin=ALICE)]),
    (":bob MODE bob :+o", [Operator(True), Notice("You are an operator of this server now.")]),
    (
        ":bob MODE bob :-o",
        [Operator(False), Notice("You are no operator of this server any more.")],
    ),
    (":bob MODE bob :+i", [Notice("bob set the mode of bob +i.")]),
    (f"{A} INVITE bob #tea", [Notice("alice invites bob to #tea.")]),
    (":bob!bob@host AWAY :at lunch", []),
    (f"{A} WALLOPS :hear, hear", [Notice("alice announces: hear, hear")]),
    (f"{A} SETNAME :Ann", []),
    (":s NOTICE bob :Your host is slow", [Notice("Your host is slow")]),
    ("NOTICE * :hello", [Notice("hello")]),
    ("WARN * SLOW #lobby :Slow down", [Notice("#lobby: Slow down", room="#lobby")]),
    ("FAIL SETNAME INVALID_REALNAME :It is bad", [Notice("It is bad")]),
    ("ERROR :Closing link: It shuts down. Goodbye!", [Notice("It shuts down. Goodbye!")]),
    (":s 311 bob alice al home * :Ann A.", [Notice("alice is al@home (Ann A.)")]),
    (":s 312 bob alice s :in the hall", [Notice("alice is on s (in the hall)")]),
    (":s 313 bob alice :is an IRC operator", [Notice("alice is an IRC operator")]),
    (":s 317 bob alice 5 1234 :seconds", [Notice("alice has been silent for 5 seconds")]),
    (":s 318 bob alice :End of /WHOIS list", []),
    (":s 319 bob alice :@#lobby #tea &local", [Notice("alice is in #lobby #tea &local")]),
    (":s 321 bob Channel :Users  Name", []),
    (":s 322 bob #lobby 2 :tea", [Notice("#lobby (2) tea")]),
    (":s 322 bob #lobby many", [Notice("#lobby (0)")]),
    (":s 322 bob #tea 1 :\n:s 323 bob :End of /LIST", [Notice("#tea (1)")]),
    (":s 323 bob :End of /LIST", [Notice("No rooms are listed.")]),
    (":s 324 bob #lobby +nk key", [Notice("The modes of #lobby: +nk key", room="#lobby")]),
    (":s 341 bob dora #lobby", [Notice("dora has been invited to #lobby", room="#lobby")]),
    (":s 352 bob #lobby al home s alice H :0 Ann A.", [Notice("alice is al@home (Ann A.)")]),
    (
        ":s 353 bob = #lobby :@carol ~bob\n:s 353 bob = #lobby alice\n:s 366 bob #lobby :End",
        [
            Roster("#lobby", (Member("carol", "@"), Member("bob", "~"), Member("alice"))),
            Notice("In #lobby (3): alice, bob, carol", room="#lobby"),
        ],
    ),
    (":s 366 bob #no :End of /NAMES list", [Notice("Nobody is in #no.")]),
    (":s 391 bob s :Monday", [Notice("s Monday")]),
    (":s 404 bob #lobby :Cannot send", [Notice("#lobby: Cannot send", room="#lobby")]),
    (":s 442 bob #tea :You are not in #tea.", [Notice("You are not in #tea.", room="#tea")]),
    (":s 999 bob something :or other", [Notice("something or other")]),
    (":s 999", []),
    ("", []),
    (":s", []),
    (f"{A} PRIVMSG", []),
    (f"PRIVMSG bob :{CTCP}VERSION{CTCP}", []),
    (f":!@ PRIVMSG bob :{CTCP}VERSION{CTCP}", []),
    (f"::a!b@c PRIVMSG bob :{CTCP}VERSION{CTCP}", []),
    (":bob!b@h JOIN :two words", []),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "messages"), HEARD)
def test_what_lines_tell(lines: str, messages: list[Message]) -> None:
    assert hear(let_in(), lines) == messages


def test_it_makes_no_difference_in_what_pieces_it_comes() -> None:
    data = "".join(f"{lines}\n" for lines, _ in HEARD).encode()
    whole = list(let_in().receive_data(data))
    session = let_in()
    each = [m for i in range(len(data)) for m in session.receive_data(data[i : i + 1])]
    assert each == whole == [message for _, messages in HEARD for message in messages]


def test_what_is_not_utf8_is_read_in_the_encoding() -> None:
    assert let_in().receive_data(b":alice!al@home PRIVMSG #lobby :gr\xfc\xdfe\r\n") == [
        Said("#lobby", "alice", "grüße", origin=ALICE)
    ]


def test_a_line_that_is_too_long_is_a_notice() -> None:
    session = let_in()
    told = [m for _ in range(17) for m in session.receive_data(b"x" * 65536)]
    assert told == [Notice("A line was too long.")]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("VERSION", "NOTICE alice :\x01VERSION trio-chat\x01\r\n"),
        ("PING 12 34", "NOTICE alice :\x01PING 12 34\x01\r\n"),
        ("TIME", ""),
        ("ACTION waves", ""),
    ],
)
def test_what_clients_ask_each_other(question: str, answer: str) -> None:
    session = let_in()
    hear(session, f"{A} PRIVMSG bob :{CTCP}{question}{CTCP}")
    assert sent(session) == answer
    hear(session, f"{A} NOTICE bob :{CTCP}{question}{CTCP}")
    hear(session, f":bob!bob@host PRIVMSG #lobby :{CTCP}{question}{CTCP}")
    assert sent(session) == ""


def test_what_was_said_before_is_earlier() -> None:
    session = let_in("batch", "echo-message", "server-time")
    say(session, "now")
    time = "2026-01-02T03:04:05.678Z"
    assert hear(
        session,
        ":s BATCH +out chathistory #lobby",
        "@batch=out :s BATCH +in other",
        f"@batch=out;time={time} {A} PRIVMSG #lobby :one",
        "@batch=in :bob!bob@host PRIVMSG #lobby :two",
        f"@batch=out {A} JOIN #lobby",
        f"@batch=out {A} PRIVMSG bob :{CTCP}VERSION{CTCP}",
        ":s BATCH -in",
        ":s BATCH -out",
        f"@batch=out {A} PRIVMSG #lobby :three",
    ) == [
        Earlier(Stamped("#lobby", "alice", "one", origin=ALICE, time=time), time),
        Earlier(Said("#lobby", "bob", "two", origin=BOB)),
        Said("#lobby", "alice", "three", origin=ALICE),
    ]
    assert len(session.state.unacked) == 1
    assert sent(session) == ""


def test_capabilities_come_and_go() -> None:
    session = let_in("batch")
    hear(session, ":s CAP bob NEW :echo-message")
    assert sent(session) == "CAP REQ echo-message\r\n"
    hear(session, ":s CAP bob ACK :echo-message", ":s CAP bob DEL :batch")
    assert session.caps == {"echo-message"}
    assert sent(session) == ""


# ── what we say ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("hi", "PRIVMSG #lobby hi\r\n"),
        ("hi there: you", "PRIVMSG #lobby :hi there: you\r\n"),
        (":)", "PRIVMSG #lobby ::)\r\n"),
        ("/shrug", "PRIVMSG #lobby /shrug\r\n"),
        ("one\r\n\n  \ntwo", "PRIVMSG #lobby one\r\nPRIVMSG #lobby two\r\n"),
        ("\x01VERSION\x01", "PRIVMSG #lobby VERSION\x01\r\n"),
        ("a\rQUIT", "PRIVMSG #lobby :a QUIT\r\n"),
        ("", ""),
    ],
)
def test_say(text: str, lines: str) -> None:
    assert say(let_in(), text) == lines


def test_a_long_text_is_cut_so_that_others_get_all_of_it() -> None:
    session = let_in()
    session.say_to("#lobby", "word " * 300)
    lines = "".join(sent(session, now) for now in range(0, 100, 10)).splitlines()
    texts = [line.removeprefix("PRIVMSG #lobby :") for line in lines]
    assert "".join(texts) == "word " * 300
    assert all(text.endswith("word ") for text in texts)
    shown_to_others = [len(f":bob!bob@host {line}\r\n") for line in lines]
    assert all(370 < length <= 512 - 2 * 64 for length in shown_to_others[:-1])


@given(st.text(), st.integers(4, 50))
def test_pieces_are_the_text_and_short_enough(text: str, most: int) -> None:
    found = pieces(text, most)
    assert "".join(found) == text.encode("utf-8", "replace").decode()
    assert all(len(piece.encode()) <= most for piece in found)


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("/nick rob", "NICK rob"),
        ("/NICK rob", "NICK rob"),
        ("/nick two words", "NICK :two words"),
        ("/me waves  twice", "PRIVMSG #lobby :\x01ACTION waves  twice\x01"),
        ("/msg alice psst  you", "PRIVMSG alice :psst  you"),
        ("/join tea", "JOIN #tea"),
        ("/join &tea key", "JOIN &tea key"),
        ("/part", "PART #lobby"),
        ("/part so long", "PART #lobby :so long"),
        ("/topic", "TOPIC #lobby"),
        ("/topic tea time", "TOPIC #lobby :tea time"),
        ("/topic -", "TOPIC #lobby :"),
        ("/who", "NAMES #lobby"),
        ("/rooms", "LIST"),
        ("/kick alice", "KICK #lobby alice"),
        ("/kick alice for no reason", "KICK #lobby alice :for no reason"),
        ("/invite dora", "INVITE dora #lobby"),
        ("/away", "AWAY"),
        ("/away at lunch", "AWAY :at lunch"),
        ("/whois alice", "WHOIS alice"),
        ("/mode", "MODE #lobby"),
        ("/mode +o alice", "MODE #lobby +o alice"),
        ("/mode b", "MODE #lobby b"),
        ("/mode #tea", "MODE #tea"),
        ("/mode Bob -i", "MODE Bob -i"),
        ("/raw LUSERS", "LUSERS"),
        ("/raw PRIVMSG x :a\nQUIT", "PRIVMSG x :a QUIT"),
        ("/quit", "QUIT"),
        ("/quit so long", "QUIT :so long"),
        ("/names", "NAMES #lobby"),
        ("/n", "NAMES #lobby"),
        ("/w", "NAMES #lobby"),
        ("/list", "LIST"),
        ("/op al", "MODE #lobby +o al"),
        ("/deop al bob", "MODE #lobby -oo al bob"),
        ("/voice al", "MODE #lobby +v al"),
        ("/devoice al", "MODE #lobby -v al"),
        ("/ban al", "MODE #lobby +b al!*@*\r\nKICK #lobby al"),
        ("/ban *!*@bad.host spam", "MODE #lobby +b *!*@bad.host"),
        ("/unban *!*@bad.host", "MODE #lobby -b *!*@bad.host"),
        ("/j #b", "JOIN #b"),
        ("/leave", "PART #lobby"),
        ("/LEAVE so long", "PART #lobby :so long"),
        ("/k al why not", "KICK #lobby al :why not"),
        ("/quote PING x", "PING x"),
        ("/exit bye", "QUIT bye"),
        ("/q", "QUIT"),
    ],
)
def test_command(line: str, lines: str) -> None:
    assert command(let_in(), line) == f"{lines}\r\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("/jion tea", "There is no command /jion. Did you mean /join? /help lists all of them."),
        ("/xyzzy", "There is no command /xyzzy. /help lists all of them."),
        ("/", "There is no command /. /help lists all of them."),
        ("/msg alice", "Usage: /msg NAME TEXT"),
        ("/join #Lobby", "You are already in #Lobby."),
        ("/msg :x y", "Nobody can be called :x."),
        ("/kick :x y", "That cannot be sent over IRC"),
    ],
)
def test_what_no_command_is(line: str, why: str) -> None:
    session = let_in()
    assert command(session, line) == ""
    [told] = session.own_messages()
    assert isinstance(told, Notice)
    assert told.text.startswith(why)
    assert told.refusal


def test_help_lists_every_command() -> None:
    session = let_in()
    assert command(session, "/help") == ""
    first, *others, last = session.own_messages()
    assert isinstance(first, Notice)
    assert last == Notice(FILTERS, room="#lobby")
    names = [other.text.split()[0] for other in others if isinstance(other, Notice)]
    assert names == [f"/{name}" for name in SLASHES]


# ── names ────────────────────────────────────────────────────────────────────────────


def test_our_nick_and_address_are_what_the_server_says() -> None:
    session = let_in()
    hear(session, ":bob!bob@host NICK :rob", ":alice!al@home NICK ann")
    assert session.nick == "rob"
    hear(session, ":rob!bob@host CHGHOST robert elsewhere", ":alice!al@home CHGHOST a b")
    assert session.address == "robert@elsewhere"
    hear(session, ":s 396 rob cloak.test :is now your hidden host")
    assert session.address == "robert@cloak.test"


# ── the end ────────────────────────────────────────────────────────────────────────────────────


def test_the_last_word_waits_for_all_that_was_said() -> None:
    session = let_in("echo-message")
    say(session, "one")
    assert finish(session, "bye") == "PING finish\r\n"
    hear(session, ":bob!bob@host PRIVMSG #lobby one")
    assert sent(session) == ""
    hear(session, ":s PONG s finish")
    assert sent(session) == "QUIT bye\r\n"
    assert hear(session, ":s NOTICE bob :Statistics", "ERROR :Closing link: Quit: bye") == []
    assert session.undelivered == ""


def test_a_ban_that_is_repeated_at_the_end_is_told_once() -> None:
    session, why = let_in(), "You are banned from this chat (spam), ban 1."
    [told] = hear(session, f":s 465 bob :{why}")
    assert isinstance(told, Notice)
    assert told.text == why
    assert hear(session, f"ERROR :Closing link: {why} Goodbye!") == []


def test_what_comes_back_after_the_answer_is_waited_for_too() -> None:
    session = let_in("echo-message")
    say(session, "one\nrefused")
    finish(session, "")
    hear(session, ":s PONG s finish")
    assert sent(session) == "PING finish\r\n"
    heard = hear(session, ":bob!bob@host PRIVMSG #lobby one", ":s PONG s finish")
    assert sent(session) == "QUIT\r\n"
    assert [type(message) for message in heard] == [Acknowledged, Failed]


def test_a_server_that_ends_before_that_has_not_got_all() -> None:
    session = let_in("echo-message")
    say(session, "one\ntwo")
    finish(session, "")
    hear(session, ":bob!bob@host PRIVMSG #lobby one")
    assert session.undelivered == ("The server closed the connection. 1 message was not confirmed")
    assert hear(session, "ERROR :Closing link: It stops. Goodbye!") == [
        Notice("It stops. Goodbye!")
    ]
    assert session.undelivered == "It stops. 1 message was not confirmed"


def test_without_echoes_only_the_answer_tells_that_all_has_arrived() -> None:
    session = let_in()
    say(session, "one")
    assert session.undelivered == ""
    finish(session, "")
    assert session.undelivered == "The server closed the connection."
    hear(session, ":s PONG s finish")
    assert session.undelivered == ""


# ── against our own server's end ───────────────────────────────────────────────────────────────


class Server:
    """Our server's end, with an obliging chat behind it: everybody may do everything."""

    def __init__(self) -> None:
        info = ServerInfo("chat.local", "test", "trio-chat", "today", motd=("Be kind.",))
        self.session = IrcSession(info, lambda: 0.0, private=True)
        self.commands: list[Command] = []
        self._nick, self._origin = "", Origin()

    def exchange(self, data: bytes) -> bytes:
        answer = b""
        self.session.receive_data(data)
        while (run := self.session.next_run()) is not None:
            for ask in [run] if isinstance(run, Ask) else map(Ask, commands(run)):
                answer += self._obey(ask) + self.session.data_to_send()
        return answer + self.session.data_to_send()

    def _follow(self, event: Event) -> bytes:
        return b"".join([self._obey(ask) for ask in self.session.done(event)])

    def _obey(self, ask: Ask) -> bytes:
        match command := ask.command:
            case Enter(nick, origin=origin):
                self._nick, self._origin = nick, Origin(origin.user, "host", origin.name)
                return self._follow(Arrived(nick, "id", self._origin))
            case Count():
                ask.on_answer(Counts(1, 0, 0, 1, 1))
            case Join(room):
                joined = Joined(room, self._nick, "id", origin=self._origin)
                shown = self.session.dialect.render(joined)
                return shown + self._follow(joined)
            case ListMembers(room):
                people = (UserView(self._nick, self._origin, status="@"),)
                ask.on_answer(Members(room, (Block(lambda: people),)))
            case Say(room, text, action) | DirectMessage(room, text, action):
                self.commands.append(command)
                said = Said(room, self._nick, text, "id", action, origin=self._origin)
                said = replace(said, tags=command.tags)
                return self.session.own.render(said)
        return b""


def converse(client: IrcClientSession, server: Server, data: bytes = b"") -> list[Message]:
    """Hand all over from one to the other until both are silent."""
    heard: list[Message] = []
    data += client.data_to_send(0)
    while data:
        heard += client.receive_data(server.exchange(data))
        data = client.data_to_send(0)
    return heard


def test_our_server_lets_our_client_in() -> None:
    client, server = new_session(), Server()
    told = converse(client, server)
    assert told[:2] == [Notice("Welcome to the test network, bob"), Notice("Be kind.")]
    assert [m for m in told if isinstance(m, InRoom | Roster)] == [
        InRoom("#lobby"),
        Roster("#lobby", (Member("bob", "@"),)),
    ]
    assert (client.caps, client.address) == (WANTED & CAPS.keys(), "bob@host")


@given(
    st.text(st.characters(codec="utf-8") | st.sampled_from("\n \r\x01\x02:"), max_size=1500),
    st.sampled_from(["", "/me ", "/msg al "]),
)
def test_our_server_understands_what_our_client_says(text: str, command: str) -> None:
    assume(
        not any(map(is_invisible, text.split("\n"))) and not is_invisible(" ".join(text.split()))
    )
    client, server = new_session(), Server()
    converse(client, server)
    client.own_messages()
    if command and text.split():
        client.command(command + text, "#lobby")
    else:
        client.say_to("#lobby", text)
    sent = [message for message in client.own_messages() if isinstance(message, Sent)]
    assume(not any(is_held_back(message.text) for message in sent))
    heard = converse(client, server)
    assert (len(client.state.unacked), server.session.refusals) == (0, 0)
    assert [message for message in heard if not isinstance(message, Lag)] == [
        Acknowledged(message.token) for message in sent
    ]
    texts = [c.text for c in server.commands if isinstance(c, Say | DirectMessage)]
    # A line of IRC has neither NUL nor CR in it: there they are blanks.
    said = [message.text.translate({0x2400: " ", 0x240D: " "}) for message in sent]
    assert said == [shown_lines(text) for text in texts]


# ── anything ───────────────────────────────────────────────────────────────────────────────────

WORDS = [
    ":", " ", "\r\n", "@batch=x", ":bob!bob@host", ":alice!al@home", "#lobby", "bob", "+", "\x01",
    "PRIVMSG", "NOTICE", "JOIN", "PART", "KICK", "CAP", "LS", "ACK", "BATCH", "MODE", "NICK",
    "001", "353", "366", "322", "433", "473", "ERROR", "PING", "PONG", "chathistory",
]  # fmt: skip


@given(st.lists(st.binary() | st.sampled_from([word.encode() for word in WORDS])))
def test_no_bytes_are_too_odd(pieces: list[bytes]) -> None:
    for message in let_in("echo-message", "batch").receive_data(b" ".join(pieces) + b"\r\n"):
        assert isinstance(message, Message)
    with suppress(NotAdmitted):
        new_session().receive_data(b" ".join(pieces) + b"\r\n")


@pytest.mark.parametrize(
    ("data", "spoken"),
    [
        (b"", None),
        (b"N", None),
        (b"NOT", None),
        (b"NICK", "plain"),
        (b"NICK\n", "plain"),
        (b"*** The server is full.\n", "plain"),
        (b"Welcome to the chat!", "plain"),
        (b":", "irc"),
        (b":irc.test NOTICE * :*** Looking up your hostname", "irc"),
        (b"@time=x :irc.test NOTICE * :x", "irc"),
        (b"NOTICE AUTH :x", "irc"),
        (b"PING :12345", "irc"),
        (b"ERROR :Closing link", "irc"),
    ],
)
def test_what_a_server_speaks_that_speaks_first(data: bytes, spoken: str | None) -> None:
    assert spoken_by(data) == spoken


# ── questions of other clients ─────────────────────────────────────────────────────────────────


def test_of_many_questions_at_once_three_are_answered() -> None:
    session = let_in()
    hear(session, *[f"{A} PRIVMSG bob :{CTCP}PING {number}{CTCP}" for number in range(50)])
    answers = "".join(sent(session, now) for now in range(1000)).splitlines()
    assert answers == [f"NOTICE alice :{CTCP}PING {number}{CTCP}" for number in range(3)]
    hear(session, f"{A} PRIVMSG bob :{CTCP}PING again{CTCP}")
    assert sent(session, 2000) == f"NOTICE alice :{CTCP}PING again{CTCP}\r\n"


# ── modes ──────────────────────────────────────────────────────────────────────────────────────

MODES = [
    ("+bk-l+l mask key 5", ["+b mask", "+k key", "-l", "+l 5"]),
    ("-bk+eI mask key a b", ["-b mask", "-k key", "+e a", "+I b"]),
    ("+qaohvn a b c d e", ["+q a", "+a b", "+o c", "+h d", "+v e", "+n"]),
]


@pytest.mark.parametrize(("modes", "changes"), MODES)
def test_modes_are_read_as_most_servers_have_them_until_it_says_how(
    modes: str, changes: list[str]
) -> None:
    letters, *arguments = modes.split()
    read = Supports().changes(letters, arguments)
    shown = [f"{'+' if c.add else '-'}{c.mode} {c.argument}".rstrip() for c in read]
    assert shown == changes
