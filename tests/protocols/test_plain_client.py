"""The client's end of the plain dialect, against servers like ours and the tutorial's."""

from collections import deque
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.events import Joined, Kicked, Left, Renamed, Said, TopicSet
from trio_chat.core.views import Notice, Topic
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import (
    Acknowledged,
    ClientSession,
    Earlier,
    Failed,
    InRoom,
    Linked,
    Member,
    Message,
    OutOfRoom,
    PageEnd,
    Roster,
    Sent,
    Stamped,
)
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import Unacked

LINKED = Linked("bob", "", frozenset())


def you_are_in(room: str, *more: str) -> str:
    sentence = f"*** You are bob in {room}; 2 others are here. /help for more."
    return "".join(f"{line}\n" for line in ("bob joined!", sentence, *more))


def told(session: PlainClientSession, *pieces: str) -> list[Message]:
    """What pieces from the server tell; and what we know by ourselves."""
    messages = [m for piece in pieces for m in session.receive_data(piece.encode())]
    return [*messages, *session.own_messages()]


def sent(session: PlainClientSession, now: float = 0.0) -> str:
    return session.data_to_send(now).decode()


def new_session(state: ResumeState | None = None, encoding: str = "utf-8") -> PlainClientSession:
    return PlainClientSession(
        "bob", only_room="#lobby", encoding=encoding, state=state or ResumeState()
    )


def with_trio_chat(state: ResumeState | None = None, encoding: str = "utf-8") -> PlainClientSession:
    """In #lobby, and nothing is to be settled."""
    session = new_session(state, encoding)
    session.speak_first()
    told(session, "Connected to server!\n" + you_are_in("#lobby"), "*** In #lobby (1): bob\n")
    assert sent(session) == "bob\n/who\n"
    return session


def with_the_tutorial(state: ResumeState | None = None) -> PlainClientSession:
    session = new_session(state)
    told(session, "NICK", "bob joined!", "Connected to server!")
    assert sent(session) == "bob"
    return session


BOTH = [with_trio_chat, with_the_tutorial]


def say(session: PlainClientSession, text: str, target: str = "#lobby", **how: bool) -> list[str]:
    """Returns the tokens."""
    session.say_to(target, text, **how)
    return [m.token for m in session.own_messages() if isinstance(m, Sent)]


# ── a server with rooms ────────────────────────────────────────────────────────────────────────


def test_whoever_is_let_in_is_told_where_and_who_is_there() -> None:
    session = new_session()
    session.speak_first()
    assert told(session, "bob joined!\nConnected to server!\n") == [LINKED]
    assert session.admitted
    assert told(session, you_are_in("#lobby", "*** The topic of #lobby: tea")) == [
        InRoom("#lobby"),
        Topic("#lobby", "tea"),
        Notice("The topic of #lobby: tea", room="#lobby"),
    ]
    assert sent(session) == "bob\n/who\n"
    assert told(session, "*** In #lobby (2): al, bob\n") == [
        Roster("#lobby", (Member("al"), Member("bob")))
    ]


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("al: hi", [Said("#lobby", "al", "hi")]),
        ("* al waves", [Said("#lobby", "al", "waves", action=True)]),
        ("al -> bob: psst", [Said("", "al", "psst", to="bob")]),
        ("al joined!", [Joined("#lobby", "al")]),
        ("al left!", [Left("#lobby", "al")]),
        ("*** al is now ann.", [Renamed("al", "ann")]),
        ("*** al set the topic: tea", [TopicSet("#lobby", "al", "tea")]),
        ("*** #lobby has no topic.", [
            Topic("#lobby", ""), Notice("#lobby has no topic.", room="#lobby")
        ]),
        ("*** al kicked cy out of #lobby: so", [Kicked("#lobby", "al", "cy", "so")]),
        ("*** al invites bob to #tea.", [Notice("al invites bob to #tea.", room="#lobby")]),
        ("*** #tea (3) green", [Notice("#tea (3) green", room="#lobby")]),
        ("bob joined!", []),
    ],
)  # fmt: skip
def test_what_a_line_tells(line: str, messages: list[Message]) -> None:
    assert told(with_trio_chat(), f"{line}\n") == messages


def test_whoever_is_sent_out_is_in_no_room() -> None:
    session = with_trio_chat()
    assert told(session, "*** al kicked bob out of #lobby.\nbob left!\n") == [
        Kicked("#lobby", "al", "bob"),
        OutOfRoom("#lobby"),
    ]
    [token] = say(session, "hi")
    assert sent(session) == ""
    assert told(session) == [Failed(token, "You are not in a room: /join #lobby goes there.")]
    session.join("#lobby")
    assert sent(session) == "/join #lobby\n/who\n"


def test_to_enter_a_room_is_to_leave_the_other() -> None:
    session = with_trio_chat()
    session.join("tea")
    assert sent(session) == "/join #tea\n/who\n"
    assert told(session, you_are_in("#tea")) == [OutOfRoom("#lobby"), InRoom("#tea")]
    assert told(session, "*** In #tea (1): bob\n") == [Roster("#tea", (Member("bob"),))]
    assert told(session, "al: hi\n") == [Said("#tea", "al", "hi")]


def test_nothing_is_said_in_the_wrong_room() -> None:
    session = with_trio_chat()
    session.join("#tea")
    [here] = say(session, "for tea", "#tea")
    [there] = say(session, "for the lobby", "#lobby")
    assert sent(session) == "/join #tea\n/who\n"
    assert session.waiting
    told(session, you_are_in("#tea"), "*** In #tea (1): bob\n")
    assert sent(session) == "for tea\n"
    assert told(session) == [Failed(there, "You are in #tea: /join #lobby goes there.")]
    assert told(session, "bob: for tea\n") == [Acknowledged(here)]


def test_whoever_is_not_let_into_a_room_stays_where_they_are() -> None:
    session = with_trio_chat()
    session.join("#tea")
    [token] = say(session, "hi", "#tea")
    sent(session)
    assert told(session, "*** You are banned from #tea.\n") == [
        Notice("You are banned from #tea.", room="#lobby")
    ]
    assert told(session, "*** In #lobby (1): bob\n") == [
        OutOfRoom("#tea"),
        Roster("#lobby", (Member("bob"),)),
    ]
    assert sent(session) == ""
    assert told(session) == [Failed(token, "You are in #lobby: /join #tea goes there.")]


def test_to_leave_a_room_is_to_go_back_to_the_first() -> None:
    session = with_trio_chat()
    session.join("#tea")
    told(session, you_are_in("#tea"), "*** In #tea (1): bob\n")
    sent(session)
    session.part("#tea")
    assert sent(session) == "/join #lobby\n/who\n"


def test_the_first_room_stays_open() -> None:
    session = with_trio_chat()
    session.part("#lobby")
    assert told(session) == [
        InRoom("#lobby"),
        Notice("On this server you are always in a room.", room="#lobby"),
    ]
    assert sent(session) == "/who\n"


def test_a_room_where_we_are_not_is_left_at_once() -> None:
    session = with_trio_chat()
    session.part("#tea")
    assert told(session) == [OutOfRoom("#tea")]
    assert sent(session) == ""


# ── what we say ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("target", "text", "action", "line", "echo"),
    [
        ("#lobby", "hi", False, "hi", "bob: hi"),
        ("#LOBBY", "/etc/motd", False, "//etc/motd", "bob: /etc/motd"),
        ("#lobby", "waves", True, "/me waves", "* bob waves"),
        ("al", " psst ", False, "/msg al  psst ", "bob -> al: psst"),
        ("bob", "note", False, "/msg bob note", "bob -> bob: note"),
        ("#lobby", "a\x1b[2Jb", False, "a\x1b[2Jb", "bob: a␛[2Jb"),
    ],
)
def test_a_text_has_arrived_when_it_comes_back(
    target: str, text: str, action: bool, line: str, echo: str
) -> None:
    session = with_trio_chat()
    session.say_to(target, text, action)
    [told_of] = session.own_messages()
    assert isinstance(told_of, Sent)
    assert told_of.target == target
    assert sent(session) == f"{line}\n"
    assert told(session, f"{echo}\n") == [Acknowledged(told_of.token)]
    assert not session.state.unacked


def test_a_text_that_the_encoding_changes_is_known_again() -> None:
    session = with_trio_chat(encoding="ascii")
    [one, other] = say(session, "größe\nhi")
    sent(session)
    assert told(session, "bob: gr??e\nbob: hi\n") == [Acknowledged(one), Acknowledged(other)]


def test_what_is_overtaken_was_refused() -> None:
    session = with_trio_chat()
    [lost] = say(session, "psst", "nobody")
    [heard] = say(session, "hi")
    sent(session)
    assert told(session, "*** Nobody here is called nobody.\nbob: hi\n") == [
        Notice("Nobody here is called nobody.", room="#lobby"),
        Failed(lost, "Nobody here is called nobody."),
        Acknowledged(heard),
    ]


def test_whether_a_text_was_refused_is_asked_when_the_server_complains() -> None:
    session = with_trio_chat()
    [token] = say(session, "hi")
    assert sent(session) == "hi\n"
    told(session, "*** You may not speak in #lobby.\n*** al is away: tea\n")
    assert sent(session) == "/who\n"
    [later] = say(session, "another")
    assert sent(session) == "another\n"
    assert told(session, "*** In #lobby (1): bob\n") == [
        Failed(token, "al is away: tea"),
        Roster("#lobby", (Member("bob"),)),
    ]
    assert told(session, "bob: another\n") == [Acknowledged(later)]
    assert sent(session) == ""


def test_a_complaint_is_about_nothing_when_nothing_is_on_its_way() -> None:
    session = with_trio_chat()
    told(session, "*** al announces: tea!\n")
    assert sent(session) == ""


def test_what_was_refused_can_be_sent_again() -> None:
    session = with_trio_chat()
    [token] = say(session, "hi", "#tea")
    sent(session)
    session.join("#tea")
    told(session, you_are_in("#tea"), "*** In #tea (1): bob\n")
    sent(session)
    session.resend(token)
    session.resend(token)
    assert sent(session) == "hi\n"
    assert told(session, "bob: hi\n")[0] == Acknowledged(token)


def test_a_text_of_several_lines_from_irc_is_not_taken_for_a_command() -> None:
    session = with_trio_chat(ResumeState(failed={"t": Unacked("t", "#lobby", "a\n/quit", "")}))
    session.resend("t")
    assert sent(session) == ""
    [_, failed] = session.own_messages()
    assert failed == Failed("t", "This server takes one line at a time.")


def test_a_target_that_can_be_none_is_told() -> None:
    for session in (with_trio_chat(), with_the_tutorial()):
        for target in ("", "a b", "al\n/quit", ":x"):
            session.say_to(target, "hi")
            [notice] = session.own_messages()
            assert isinstance(notice, Notice)
        assert sent(session) == ""


# ── commands ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "target", "data"),
    [
        ("/rooms", "", "/rooms\n"),
        ("/topic green  tea", "#lobby", "/topic green  tea\n"),
        ("/whois al", "al", "/whois al\n"),
        ("/me  waves", "#lobby", "/me waves\n"),
        ("/me waves", "", "/me waves\n"),
        ("/msg al psst", "#lobby", "/msg al psst\n"),
        ("/msg al", "#lobby", "/msg al\n"),
        ("/join tea,#b", "#lobby", "/join #tea\n/who\n"),
        ("/topic a\n/quit", "#lobby", "/topic a /quit\n"),
    ],
)
def test_commands(line: str, target: str, data: str) -> None:
    session = with_trio_chat()
    session.command(line, target)
    assert sent(session) == data


@pytest.mark.parametrize(
    ("line", "target", "why"),
    [
        ("/topic tea", "#tea", "You are in #lobby: /join #tea goes there."),
        ("/who", "al", "This is not a room."),
        ("/join #lobby", "#lobby", "You are already in #lobby."),
    ],
)
def test_commands_that_cannot_be_done(line: str, target: str, why: str) -> None:
    session = with_trio_chat()
    session.command(line, target)
    assert sent(session) == ""
    assert told(session) == [Notice(why, room=target)]


def test_what_a_person_asks_is_answered_to_them() -> None:
    session = with_trio_chat()
    session.command("/who", "#lobby")
    assert sent(session) == "/who\n"
    assert told(session, "*** In #lobby (1): bob\n") == [
        Roster("#lobby", (Member("bob"),)),
        Notice("In #lobby (1): bob", room="#lobby"),
    ]


@pytest.mark.parametrize("connected", BOTH)
def test_what_plain_does_not_have(connected: Callable[[], PlainClientSession]) -> None:
    session = connected()
    assert isinstance(session, ClientSession)
    session.typing("#lobby", True)
    session.mark_read("#lobby", "2026-01-02T03:04:05.678Z")
    session.away("")
    session.history("#lobby", "x", 50)
    assert told(session) == [PageEnd("#lobby", 0, complete=True)]
    assert sent(session) == ""
    for refused in (session.raw, session.away):
        with pytest.raises(Unsupported):
            refused("x")


# ── after a cut ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("connected", BOTH)
def test_what_was_on_its_way_may_not_have_arrived_and_is_not_said_again(
    connected: Callable[[ResumeState], PlainClientSession],
) -> None:
    state = ResumeState()
    session = connected(state)
    [token] = say(session, "hi")
    sent(session)
    assert list(session.cut()) == [Failed(token, "It may not have arrived.")]
    assert list(session.cut()) == []
    assert sent(connected(state)) == ""


def test_a_server_that_does_not_let_us_in_settles_nothing() -> None:
    """It speaks plain to everybody whose dialect it does not know yet."""
    text = Unacked("a" * 32, "#lobby", "hi", "PRIVMSG #lobby :hi")
    state = ResumeState(unacked=deque([text]))
    session = new_session(state)
    with pytest.raises(NotAdmitted):
        told(session, "*** The server is shutting down. Goodbye!\n")
    assert list(session.cut()) == []
    assert list(state.unacked) == [text]


@pytest.mark.parametrize("connected", BOTH)
def test_what_was_never_sent_is_said_once_we_are_back(
    connected: Callable[[ResumeState], PlainClientSession],
) -> None:
    state = ResumeState()
    offline = IrcClientSession("bob", rooms=(), encoding="utf-8", state=state)
    offline.say_to("#lobby", "hi")
    [told_of] = offline.own_messages()
    assert isinstance(told_of, Sent)
    session = new_session(state)
    if connected is with_trio_chat:
        session.speak_first()
        told(session, "Connected to server!\n" + you_are_in("#lobby"))
        assert sent(session) == "bob\n/who\nhi\n"
        assert told(session, "bob: hi\n") == [Acknowledged(told_of.token)]
    else:
        told(session, "NICK", "bob joined!Connected to server!")
        assert sent(session) == "bobbob: hi"
        assert told(session, "bob: hi") == [Acknowledged(told_of.token)]


def test_we_go_back_to_where_we_were_before_anything_is_said() -> None:
    state = ResumeState()
    session = with_trio_chat(state)
    session.join("#tea")
    told(session, you_are_in("#tea"), "*** In #tea (1): bob\n")
    session.cut()
    say(session, "hi", "#tea")
    again = new_session(state)
    again.speak_first()
    assert told(again, "Connected to server!\n" + you_are_in("#lobby")) == [
        LINKED,
        InRoom("#lobby"),
    ]
    assert sent(again) == "bob\n/join #tea\n/who\n"
    assert told(again, you_are_in("#tea")) == [OutOfRoom("#lobby"), InRoom("#tea")]
    told(again, "*** In #tea (1): bob\n")
    assert sent(again) == "hi\n"


def test_of_several_rooms_that_are_wanted_the_server_s_own_comes_first() -> None:
    state = ResumeState()
    offline = IrcClientSession("bob", rooms=(), encoding="utf-8", state=state)
    offline.join("#lobby")
    offline.join("#tea")
    session = new_session(state)
    session.speak_first()
    told(session, "Connected to server!\n" + you_are_in("#lobby"))
    assert sent(session) == "bob\n/who\n"
    assert told(session, "*** In #lobby (1): bob\n")[0] == OutOfRoom("#tea")


def test_lines_of_irc_that_were_not_sent_are_not_said() -> None:
    state = ResumeState()
    state.unsent.append("TOPIC #lobby tea")
    assert not with_trio_chat(state).waiting


def test_what_is_said_before_a_join_is_said_before_it_also_while_we_come_in() -> None:
    session = new_session()
    session.speak_first()
    session.say_to("#lobby", "one")
    session.join("#tea")
    session.say_to("#tea", "two")
    session.join("#lobby")
    session.say_to("#lobby", "three")
    told(session, "Connected to server!\n" + you_are_in("#lobby"))
    assert sent(session) == "bob\n/who\none\n/join #tea\n/who\n"
    told(session, "*** In #lobby (1): bob\nbob: one\n" + you_are_in("#tea"))
    assert sent(session) == "two\n/join #lobby\n/who\n"
    told(session, "*** In #tea (1): bob\nbob: two\n" + you_are_in("#lobby"))
    assert sent(session) == "three\n"


# ── what was said before ───────────────────────────────────────────────────────────────────────

REPLAY = ("*** The last 2 messages:", "al: one", "* cy waves")


def test_at_first_it_is_what_was_said_before() -> None:
    assert told(new_session(), you_are_in("#lobby", *REPLAY)) == [
        InRoom("#lobby"),
        Earlier(Said("#lobby", "al", "one")),
        Earlier(Said("#lobby", "cy", "waves", action=True)),
        PageEnd("#lobby", 2, complete=True),
    ]


def test_what_was_shown_before_is_not_shown_again() -> None:
    state = ResumeState()
    told(with_trio_chat(state), "cy: zero\nal: one\n* cy waves\n")
    assert told(new_session(state), you_are_in("#lobby", *REPLAY)) == [InRoom("#lobby")]


def test_what_was_said_meanwhile_comes_late() -> None:
    state = ResumeState()
    told(with_trio_chat(state), "cy: zero\nal: one\n")
    assert told(new_session(state), you_are_in("#lobby", *REPLAY))[1:] == [
        Stamped("#lobby", "cy", "waves", action=True, late=True)
    ]


def test_that_something_may_be_missing_is_told() -> None:
    state = ResumeState()
    told(with_trio_chat(state), "cy: zero\n")
    messages = told(new_session(state), you_are_in("#lobby", *REPLAY))
    assert messages[1] == Notice(
        "Some of what was said in the meantime may be missing here.", room="#lobby"
    )
    assert len(messages) == 4


def test_what_may_not_have_arrived_has_if_others_were_shown_it() -> None:
    state = ResumeState()
    session = with_trio_chat(state)
    told(session, "al: hi\n")
    [one, other] = say(session, "one\ntwo")
    sent(session)
    session.cut()
    replay = ("*** The last 3 messages:", "al: hi", "al: one", "bob: one")
    assert told(new_session(state), you_are_in("#lobby", *replay))[1:] == [
        Stamped("#lobby", "al", "one", late=True),
        Acknowledged(one),
    ]
    assert list(state.failed) == [other]


# ── a server without rooms, lines, or anything ─────────────────────────────────────────────────


def test_the_only_room_has_the_name_that_we_wanted() -> None:
    session = PlainClientSession("bob", only_room="tea", encoding="utf-8", state=ResumeState())
    assert told(session, "NICK") == []
    assert told(session, "bob joined!Connected to server!al: hi") == [
        LINKED,
        InRoom("#tea"),
        Roster("#tea", (Member("bob"),)),
        Roster("#tea", (Member("bob"), Member("al"))),
        Said("#tea", "al", "hi"),
    ]


def test_whoever_says_something_or_goes_has_been_there() -> None:
    session = with_the_tutorial()
    assert told(session, "al joined!", "al: hi", "al left!") == [
        Joined("#lobby", "al"),
        Said("#lobby", "al", "hi"),
        Left("#lobby", "al"),
    ]
    assert told(session, "cy left!") == [
        Roster("#lobby", (Member("bob"), Member("cy"))),
        Left("#lobby", "cy"),
    ]


def test_somebody_else_may_have_our_name() -> None:
    session = with_the_tutorial()
    assert told(session, "bob joined!", "bob: hi", "bob left!") == [
        Said("#lobby", "bob", "hi"),
        Notice("bob left!", room="#lobby"),
    ]


def test_one_text_at_a_time_so_that_the_server_glues_none() -> None:
    session = with_the_tutorial()
    [one, two, three] = say(session, "one\ntwo\nthree")
    assert sent(session, 10.0) == "bob: one"
    assert sent(session, 10.5) == ""
    assert session.waiting
    assert session.due == 11.0
    assert told(session, "bob: one") == [Acknowledged(one)]
    assert sent(session, 10.5) == "bob: two"
    assert sent(session, 11.5) == "bob: three"  # the other may have come back in pieces
    assert told(session, "bob: three") == [Acknowledged(two), Acknowledged(three)]
    assert not session.waiting


def test_what_is_glued_to_ours_is_told_apart() -> None:
    session = with_the_tutorial()
    [one, two] = say(session, "one\none more")
    sent(session, 0)
    sent(session, 2)
    assert told(session, "al joined!bob: onebob: one morecy: hi")[:4] == [
        Joined("#lobby", "al"),
        Acknowledged(one),
        Acknowledged(two),
        Roster("#lobby", (Member("bob"), Member("al"), Member("cy"))),
    ]


def test_a_long_text_is_what_the_server_reads_at_once() -> None:
    session = with_the_tutorial()
    assert len(say(session, "x" * 2000)) == 2
    assert len(sent(session)) == 1024


@pytest.mark.parametrize(
    ("target", "text", "action", "data"),
    [
        ("#lobby", "/who", False, "bob: /who"),
        ("#lobby", "waves", True, "* bob waves"),
        ("al", "psst", False, ""),
        ("#tea", "hi", False, ""),
    ],
)
def test_what_can_be_said(target: str, text: str, action: bool, data: str) -> None:
    session = with_the_tutorial()
    [token] = say(session, text, target, action=action)
    assert sent(session) == data
    assert [type(m) for m in told(session, data)] == [Acknowledged if data else Failed]
    assert (token in session.state.failed) == (not data)


def test_there_are_no_commands_and_no_other_rooms() -> None:
    session = with_the_tutorial()
    for line in ("/who", "/join #tea", "/msg"):
        session.command(line, "#lobby")
        [notice] = session.own_messages()
        assert isinstance(notice, Notice)
    session.part("#lobby")
    assert told(session)[0] == InRoom("#lobby")
    assert sent(session) == ""


# ── the end ────────────────────────────────────────────────────────────────────────────────────


def test_what_cannot_be_said_any_more_stays() -> None:
    session = with_trio_chat()
    session.join("#tea")
    say(session, "hi", "#tea")
    sent(session)
    session.finish("")
    assert sent(session) == "/quit\n"
    assert not session.waiting
    told(session, you_are_in("#tea"), "*** In #tea (1): bob\n")
    assert sent(session) == ""
    assert session.state.unsaid == 1


def test_the_answer_to_our_goodbye_is_no_news() -> None:
    session = with_trio_chat()
    assert [m.text for m in told(session, "*** Goodbye!\n") if isinstance(m, Notice)] == [
        "Goodbye!"
    ]
    session.finish("")
    assert told(session, "*** Goodbye!\n") == []


def test_with_the_tutorial_there_is_no_last_word() -> None:
    session = with_the_tutorial()
    say(session, "one\ntwo")
    session.finish("bye")
    assert session.waiting
    assert sent(session) == "bob: one"


# ── anything ───────────────────────────────────────────────────────────────────────────────────

ODD = ["NICK", "\n", "*** ", "*** You are bob in #tea; x\n", "*** In #tea (1): bob\n", "bob: hi"]
ODD += [
    "*** al kicked bob out of #lobby.\n",
    "bob left!\n",
    "*** The last 2 messages:\n",
    "al: b\n",
]


@given(st.lists(st.binary() | st.sampled_from([odd.encode() for odd in ODD])))
def test_no_bytes_are_too_odd(pieces: list[bytes]) -> None:
    for session in (with_trio_chat(), with_the_tutorial()):
        for number, piece in enumerate(pieces):
            session.say_to("#tea" if number % 2 else "#lobby", "hi")
            session.data_to_send(2.0 * number)
            for message in (*session.receive_data(piece), *session.own_messages()):
                assert isinstance(message, Message)
        session.cut()


@given(st.lists(st.sampled_from(["say", "refuse", "arrive", "cut", "time"]), max_size=30))
def test_every_text_is_sent_once_and_settled_once(steps: list[str]) -> None:
    """Whatever becomes of texts, with a server that does all in order."""
    state, log, wire = ResumeState(), [], []
    session = with_trio_chat(state)
    for number, step in enumerate(steps):
        match step:
            case "say":
                log += [("sent", token) for token in say(session, f"text {number}")]
            case "refuse" if wire:
                wire.pop(0)
                log += told(session, "*** No.\n")
            case "arrive" if wire:
                line = wire.pop(0)
                back = "*** In #lobby (1): bob" if line == "/who" else f"bob: {line}"
                log += told(session, f"{back}\n")
            case "cut":
                log += session.cut()
                wire.clear()
                session = with_trio_chat(state)
        wire += sent(session).splitlines()
    log += session.cut()
    tokens = [entry[1] for entry in log if isinstance(entry, tuple)]
    ends = [m.token for m in log if isinstance(m, Acknowledged | Failed)]
    assert sorted(ends) == sorted(tokens)
