"""The client's end of IRC in many rooms: against lines as servers write them; and over links that
are cut, with a server that keeps everything.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import keeping_client
from irc_session import hear, new_session, offer, sent
from keeping_client import Client
from keeping_server import CAPS, KeepingServer
from trio_chat.core.events import (
    AwaySet,
    Change,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Origin,
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Notice, Topic
from trio_chat.errors import Unsupported
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Lag,
    Linked,
    MarkedRead,
    Member,
    Message,
    OutOfRoom,
    PageEnd,
    Roster,
    Sent,
    Stamped,
    Typing,
)
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState

ALICE = Origin("al", "home")

LET_IN = """\
:s 001 bob :Welcome
:s 005 bob PREFIX=(ov)@+ CHANMODES=b,k,l,imt NETWORK=test BOT=B :are supported
:s 422 bob :There is no message of the day
:bob!bob@host JOIN #lobby
:s 353 bob = #lobby :@+alice bob
:s 366 bob #lobby :End
:s PONG s entered
"""


def let_in(*caps: str, state: ResumeState | None = None) -> IrcClientSession:
    session = new_session(state)
    if caps:
        offer(session, *caps)
    hear(session, LET_IN)
    sent(session)
    session.own_messages()
    return session


# ── to be let in ───────────────────────────────────────────────────────────────────────────────


def test_whoever_is_let_in_is_told_what_is_known() -> None:
    assert hear(new_session(), LET_IN) == [
        Notice("Welcome"),
        Linked("bob", "test", frozenset(), "rfc1459"),
        InRoom("#lobby"),
        Roster("#lobby", (Member("alice", "@+"), Member("bob"))),
    ]


def test_all_rooms_are_entered_with_their_keys() -> None:
    state = ResumeState(rooms={"#a": ("#A", ""), "#b": ("#b", "secret")})
    session = new_session(state)
    sent(session)
    hear(session, ":s 001 bob :Welcome")
    assert sent(session) == ["JOIN #b,#A,#lobby secret", "PING entered"]


def test_many_rooms_are_entered_in_lines_that_fit() -> None:
    rooms = {f"#{n:050}": (f"#{n:050}", "") for n in range(20)}
    session = new_session(ResumeState(rooms=rooms))
    sent(session)
    hear(session, ":s 001 bob :Welcome")
    joins = [line for line in sent(session) if line.startswith("JOIN ")]
    assert all(len(line) < 510 for line in joins)
    assert sum(line.count("#") for line in joins) == 21


def test_a_room_that_lets_nobody_in_keeps_nobody_out_of_the_others() -> None:
    session = new_session()
    told = hear(session, ":s 001 bob :Hi", ":s 473 bob #lobby :Cannot join", ":s 422 bob :None")
    assert told[1:] == [
        Notice("#lobby: Cannot join. Somebody in it can /invite you.", room="#lobby"),
        Linked("bob", "s", frozenset(), "rfc1459"),
    ]
    assert session.admitted
    assert not session.state.rooms


def test_whoever_is_not_let_back_in_is_out() -> None:
    state = ResumeState()
    let_in(state=state)
    state.begin("#lobby", "2026-01-02T00:00:00.000Z")
    again = new_session(state)
    told = hear(again, ":s 001 bob :Hi", ":s 474 bob #lobby :You are banned")
    assert told[1:] == [OutOfRoom("#lobby", "#lobby: You are banned")]


# ── what the server tells ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (":al!al@home JOIN #lobby", [Joined("#lobby", "al", origin=ALICE)]),
        (":al!al@home PART #lobby :why", [Left("#lobby", "al", why="why", origin=ALICE)]),
        (":bob!b@h PART #lobby :why", [OutOfRoom("#lobby", "why")]),
        (":al!al@home QUIT :why", [Departed("al", why="why", origin=ALICE)]),
        (":al!al@home KICK #lobby x :why", [Kicked("#lobby", "al", "x", "why", origin=ALICE)]),
        (
            ":al!al@home KICK #lobby bob :why",
            [Kicked("#lobby", "al", "bob", "why", origin=ALICE), OutOfRoom("#lobby", "why")],
        ),
        (":al!al@home NICK alicia", [Renamed("al", "alicia", origin=ALICE)]),
        (":al!al@home TOPIC #lobby :green", [TopicSet("#lobby", "al", "green", origin=ALICE)]),
        (
            ":al!al@home MODE #lobby +ol-k+m x 3 key",
            [
                ModesSet(
                    "#lobby",
                    "al",
                    (
                        Change(True, "o", "x"),
                        Change(True, "l", "3"),
                        Change(False, "k", "key"),
                        Change(True, "m"),
                    ),
                    origin=ALICE,
                )
            ],
        ),
        (":al!al@home AWAY :lunch", [AwaySet("al", "lunch", origin=ALICE)]),
        (":al!al@home AWAY", [AwaySet("al", "", origin=ALICE)]),
        (":s 332 bob #lobby :green", [Topic("#lobby", "green")]),
        (":s 331 bob #lobby :none", [Topic("#lobby", "")]),
        (":s 301 bob al :lunch", [Notice("al is away: lunch", room="al")]),
        (":s 482 bob #lobby :You lead nobody", [Notice("#lobby: You lead nobody", room="#lobby")]),
        (":s NOTICE #lobby :hear", [Notice("hear", room="#lobby")]),
        ("@+typing=active :al!al@home TAGMSG #lobby", [Typing("#lobby", "al", True)]),
        ("@+typing=done :al!al@home TAGMSG bob", [Typing("", "al", False, to="bob")]),
        ("@+typing=active :bob!b@h TAGMSG #lobby", []),
        (":s MARKREAD #lobby timestamp=2026-01-02T00:00:00.000Z",
         [MarkedRead("#lobby", "2026-01-02T00:00:00.000Z")]),
        (":s MARKREAD #lobby *", [MarkedRead("#lobby", "")]),
        (":al!al@home PRIVMSG bob :hi", [Said("", "al", "hi", to="bob", origin=ALICE)]),
    ],
)  # fmt: skip
def test_each_thing_that_is_known_is_a_message(line: str, told: list[Message]) -> None:
    assert hear(let_in(), line) == told


def test_who_set_the_topic_is_told_behind_it() -> None:
    lines = (":s 332 bob #lobby :green", ":s 333 bob #lobby al!al@home 1767312000")
    assert hear(let_in(), *lines)[1:] == [Topic("#lobby", "green", "al", 1767312000000)]


def test_who_is_away_is_asked_where_changes_will_be_told() -> None:
    session = new_session()
    hear(session, ":s CAP * LS :away-notify", ":s CAP * ACK :away-notify", LET_IN)
    assert "WHO #lobby" in sent(session)
    told = hear(
        session,
        ":s 352 bob #lobby u h s alice G@+ :0 Alice",
        ":s 352 bob #lobby u h s bot HB :0 Bot",
        ":s 315 bob #lobby :End",
    )
    members = (Member("alice", "@+", away=True), Member("bot", bot=True))
    assert told == [Roster("#lobby", members)]


def test_whose_members_are_asked_elsewhere_are_told_in_words() -> None:
    told = hear(let_in(), ":s 353 bob = #tea :@al bo", ":s 366 bob #tea :End")
    assert told == [Notice("In #tea (2): al, bo")]


# ── what we say ────────────────────────────────────────────────────────────────────────────────


def token_of(session: IrcClientSession) -> str:
    [said] = [message for message in session.own_messages() if isinstance(message, Sent)]
    return said.token


def test_a_text_is_sent_and_acknowledged_by_its_echo() -> None:
    session = let_in("echo-message", "message-tags")
    session.say_to("al", "hi")
    [said] = session.own_messages()
    assert isinstance(said, Sent)
    assert said == Sent(said.token, "al", "hi")
    assert sent(session) == [f"@+trio-chat/id={said.token} PRIVMSG al hi"]
    echo = f"@msgid=m1;time=t1;+trio-chat/id={said.token} :bob!b@h PRIVMSG al :hi"
    assert hear(session, echo) == [Acknowledged(said.token, "m1", "t1")]
    assert not session.state.unacked


def test_without_echoes_a_text_may_still_be_refused() -> None:
    session = let_in()
    session.say_to("#tea", "one", token="t" * 16)
    sent(session)
    assert Acknowledged("t" * 16) in session.own_messages()
    assert hear(session, ":s 404 bob #tea :No") == [
        Failed("t" * 16, "#tea: No"),
        Notice("#tea: No", room="#tea"),
    ]
    session.resend("t" * 16)
    assert "PRIVMSG #tea one" in sent(session)


def test_a_text_that_is_refused_can_be_sent_again() -> None:
    session = let_in("echo-message")
    session.say_to("#tea", "hi")
    token = token_of(session)
    sent(session)
    assert hear(session, ":s 404 bob #tea :No") == [Failed(token, "#tea: No")]
    session.resend(token)
    assert session.own_messages() == [Sent(token, "#tea", "hi")]
    assert sent(session) == ["PRIVMSG #tea hi"]
    session.resend("unknown")
    assert not session.own_messages()


def test_what_is_dropped_without_a_word_fails_with_the_next_sign_of_life() -> None:
    session = let_in("echo-message")
    session.say_to("#lobby", "hi")
    token = token_of(session)
    sent(session)
    assert not hear(session, ":s PONG s lag")  # to what was asked before
    session.ping()
    sent(session)
    [failed] = hear(session, ":s PONG s lag")
    assert isinstance(failed, Failed)
    assert failed.token == token


def test_what_was_said_before_we_came_is_acknowledged_when_it_is_said_again() -> None:
    """By a program that was ended before it knew, and begins anew."""
    session = let_in("batch", "draft/chathistory", "echo-message", "message-tags", "server-time")
    token = "t" * 32
    time = "2026-01-01T00:00:00.000Z"
    line = ":bob!b@h PRIVMSG #lobby :hi"
    tags = f"@+trio-chat/id={token};msgid=m1;time={time}"
    batch = (":s BATCH +b chathistory #lobby", f"{tags};batch=b {line}", ":s BATCH -b")
    assert isinstance(hear(session, *batch)[0], Earlier)
    session.say_to("#lobby", "hi", token=token)
    sent(session)
    assert hear(session, *[f"{tags} {line}"] * 2) == [Acknowledged(token, "m1", time)]


@pytest.mark.parametrize("target", ["two words", "", ":al"])
def test_what_cannot_be_a_name_is_said_so(target: str) -> None:
    session = let_in()
    session.say_to(target, "hi")
    [notice] = session.own_messages()
    assert isinstance(notice, Notice)
    assert not sent(session)


def test_a_notice_has_a_token_as_any_text_and_is_acknowledged() -> None:
    session = let_in("echo-message")
    session.command("/notice al beep")
    [said] = session.own_messages()
    assert isinstance(said, Sent)
    assert said == Sent(said.token, "al", "beep", notice=True)
    assert sent(session) == ["NOTICE al beep"]
    assert hear(session, ":bob!b@h NOTICE al :beep") == [Acknowledged(said.token)]


def test_a_notice_that_the_server_drops_without_a_word_has_failed_with_the_next_answer() -> None:
    session = let_in("echo-message")
    session.command("/notice nobody beep")
    [said] = session.own_messages()
    sent(session, 1)
    assert not hear(session, ":s PONG s lag")  # to what was asked before
    sent(session, 100)
    why = "nobody did not get this notice. The server does not say why."
    assert hear(session, ":s PONG s lag") == [Failed(said.token, why)]


def test_without_echoes_what_nothing_has_come_after_has_failed_when_we_are_cut_off() -> None:
    session = let_in()
    session.say_to("#lobby", "one")
    sent(session)
    hear(session, ":al!al@home PRIVMSG #lobby :hello")
    session.say_to("#lobby", "two", token="t" * 16)
    sent(session)
    hear(session, "ERROR :Closing link: Flood")
    why = "It may not have arrived."
    assert session.cut() == [Failed("t" * 16, why), Notice(why, room="#lobby", refusal=True)]


# ── what we do ─────────────────────────────────────────────────────────────────────────────────


def test_rooms_are_entered_and_left() -> None:
    session = let_in()
    session.join("tea", "key")
    assert sent(session) == ["JOIN #tea key"]
    assert hear(session, ":bob!b@h JOIN #tea") == [InRoom("#tea")]
    with pytest.raises(Unsupported):
        session.join("#tea")
    session.part("#tea", "so long")
    assert sent(session) == ["PART #tea :so long"]
    assert hear(session, ":bob!b@h PART #tea") == [OutOfRoom("#tea")]
    assert set(session.state.rooms) == {"#lobby"}


@pytest.mark.parametrize(
    ("line", "target", "lines"),
    [
        ("/topic green", "#tea", ["TOPIC #tea green"]),
        ("/kick al", "#tea", ["KICK #tea al"]),
        ("/kick #milk al why", "#tea", ["KICK #milk al why"]),
        ("/who #milk", "#tea", ["NAMES #milk"]),
        ("/names #milk", "al", ["NAMES #milk"]),
        ("/topic #milk", "#tea", ["TOPIC #milk"]),
        ("/topic #milk is here", "#tea", ["TOPIC #tea :#milk is here"]),
        ("/part #milk for good", "#tea", ["PART #milk :for good"]),
        ("/invite al #milk", "#tea", ["INVITE al #milk"]),
        ("/me waves", "al", ["PRIVMSG al :\x01ACTION waves\x01"]),
        ("/msg al hi", "", ["PRIVMSG al hi"]),
        ("/away lunch", "", ["AWAY lunch"]),
        ("/topic green", "al", []),
        ("/me waves", "", []),
    ],
)
def test_a_command_is_about_where_it_was_given(line: str, target: str, lines: list[str]) -> None:
    session = let_in()
    session.command(line, target)
    assert sent(session) == lines
    told = session.own_messages()
    assert lines or [m.room for m in told if isinstance(m, Notice)] == [target]


def test_who_is_typing_is_told_where_it_can_be() -> None:
    session = let_in("message-tags")
    session.typing("#lobby", True)
    session.typing("#lobby", False)
    assert sent(session) == ["@+typing=active TAGMSG #lobby", "@+typing=done TAGMSG #lobby"]
    without = let_in()
    without.typing("#lobby", True)
    assert not sent(without)


def test_how_far_we_have_read_is_told_where_it_can_be() -> None:
    session = let_in("draft/read-marker")
    session.mark_read("#lobby", "t1")
    session.mark_read("al", "")
    assert sent(session) == ["MARKREAD #lobby timestamp=t1", "MARKREAD al"]
    without = let_in()
    without.mark_read("#lobby", "t1")
    assert not sent(without)


def test_where_nothing_is_kept_the_page_is_empty_and_the_last_one() -> None:
    session = let_in()
    session.history("#lobby", "m1", 50)
    assert session.own_messages() == [PageEnd("#lobby", 0, complete=True)]


def test_without_a_connection_it_is_not_known_what_is_kept() -> None:
    session = new_session()
    session.history("#lobby", "m1", 50)
    assert session.own_messages() == [PageEnd("#lobby", 0, complete=False)]


def test_without_a_connection_what_is_wanted_waits_for_the_next_one() -> None:
    session = new_session()
    session.say_to("al", "hi")
    session.join("#tea", "key")
    session.part("#lobby")
    session.away("lunch")
    session.typing("al", True)
    session.command("/topic green", "#tea")
    told = session.own_messages()
    assert [type(message) for message in told] == [Sent, OutOfRoom, Notice]
    again = IrcClientSession("bob", rooms=(), encoding="utf-8", state=session.state)
    hear(again, ":s 001 bob :Welcome", ":s PONG s entered")
    assert sent(again)[-4:] == ["AWAY lunch", "JOIN #tea key", "PING entered", "PRIVMSG al hi"]


def test_whoever_is_away_stays_so_after_a_cut() -> None:
    session = let_in()
    session.away("lunch")
    assert sent(session) == ["AWAY lunch"]
    assert hear(session, ":s 306 bob :You are away") == [AwaySet("bob", "lunch")]
    again = new_session(session.state)
    hear(again, ":s 001 bob :Welcome")
    assert "AWAY lunch" in sent(again)
    assert hear(again, ":s 305 bob :You are back") == [AwaySet("bob", "")]
    assert not session.state.away


def test_how_long_the_server_takes_is_known_now_and_then() -> None:
    session = new_session()
    hear(session, LET_IN)
    assert b"PING lag" in session.data_to_send(100)
    hear(session, ":s PONG s lag")
    session.data_to_send(100.25)
    assert Lag(0.25) in session.own_messages()
    assert session.due == 130
    assert b"PING lag" in session.data_to_send(130)


# ── over links that are cut ────────────────────────────────────────────────────────────────────

ROOMS = ("#lobby", "#tea")
PLACES = (*ROOMS, "al")


def connected(server: KeepingServer | None = None) -> Client:
    return keeping_client.connected(server, ROOMS)


def test_each_room_is_caught_up_with_and_so_are_private_conversations() -> None:
    client = connected()
    client.server.say("al", "hi", target="me")
    client.settle()
    client.cut()
    for number in range(5):
        client.server.say("al", f"lobby {number}", target="#lobby")
        client.server.say("al", f"tea {number}", target="#tea")
        client.server.say("al", f"private {number}", target="me")
        client.server.say("bo", f"new {number}", target="me")
    client.settle()
    assert client.texts("#lobby") == [f"lobby {number}" for number in range(5)]
    assert client.texts("#tea") == [f"tea {number}" for number in range(5)]
    assert client.texts("al") == ["hi", *[f"private {number}" for number in range(5)]]
    assert client.texts("bo") == [f"new {number}" for number in range(5)]
    assert len(client.of(InRoom)) == 4
    assert all(m.late for m in client.of(Stamped) if isinstance(m, Stamped) and m.text != "hi")


def test_what_was_stored_for_long_is_asked_for_though_later_things_were_told_before_the_cut() -> (
    None
):
    caps = ("message-tags", "server-time", "batch", "draft/chathistory")
    state = ResumeState()
    hear(let_in(*caps, state=state), "@time=2024-12-31T12:00:00.000Z :s PONG s lag")
    session = new_session(state)
    told = (f":s CAP * LS :{' '.join(caps)}", f":s CAP * ACK :{' '.join(caps)}")
    hear(session, *told, ":s 001 bob :Hi")
    [asked] = [line for line in sent(session) if " TARGETS " in line]
    assert asked.startswith("CHATHISTORY TARGETS timestamp=2024-12-31T11:59:00.000Z ")


def test_pages_of_what_was_said_before_end_where_nothing_is_kept() -> None:
    server = KeepingServer()
    ids = [server.say("al", f"{number}", target="#tea").id for number in range(5)]
    client = connected(server)
    client.heard.clear()
    client.session.history("#tea", ids[3], 3)
    client.session.history("#tea", ids[0], 3)
    client.settle()
    assert client.texts("#tea") == ["0", "1", "2"]
    assert client.of(PageEnd) == [PageEnd("#tea", 3, False), PageEnd("#tea", 0, True)]


def test_a_page_for_who_scrolls_back_is_told_from_one_that_fills_a_gap() -> None:
    client = connected()
    ids = [client.server.say("al", f"{number}", target="#tea").id for number in range(5)]
    client.settle()
    client.cut()
    client.server.say("al", "5", target="#tea")
    while not client.session.catch_up.expected("#tea"):
        client.send()
        client.listen()
    client.session.history("#tea", ids[1], 3)
    client.heard.clear()
    client.settle()
    told = [type(m) for m in client.heard if isinstance(m, Earlier | Stamped | PageEnd)]
    assert told == [Stamped, Earlier, PageEnd]


def test_a_page_that_is_refused_is_the_last_one() -> None:
    session = let_in("batch", "draft/chathistory")
    hear(session, ":s BATCH +1 chathistory #lobby", ":s BATCH -1")
    session.history("nobody", "m1", 3)
    assert "CHATHISTORY BEFORE nobody msgid=m1 3" in sent(session)
    told = hear(session, "FAIL CHATHISTORY INVALID_TARGET BEFORE nobody :No such")
    assert told == [PageEnd("nobody", 0, complete=True)]


def test_nobody_hears_that_it_is_not_kept_up_to_where_they_have_read() -> None:
    """They have asked for nothing; but what was asked for by /raw is answered."""
    session = let_in("draft/read-marker")
    assert hear(session, "FAIL MARKREAD INTERNAL_ERROR #lobby :It could not be set") == []
    assert hear(session, "FAIL MARKREAD INVALID_PARAMS #lobby never :No such time") != []


def test_a_server_that_has_forgotten_tells_which_room_has_a_gap() -> None:
    client = connected()
    client.server.say("al", "one", target="#tea")
    client.settle()
    client.cut()
    client.server.forgets = True
    client.settle()
    places = {m.room for m in client.of(Notice) if "may be missing" in m.text}
    assert "#tea" in places


def test_a_server_that_knows_nobody_again_tells_what_may_not_have_arrived() -> None:
    caps = CAPS.replace("trio-chat/identity", "")
    client = connected(KeepingServer(caps=caps, drops=True))
    client.say("#tea", "lost")
    client.send()
    client.cut()
    client.settle()
    [said] = client.of(Sent)
    [failed] = client.of(Failed)
    assert said.token == failed.token
    client.server.drops = False
    client.session.resend(failed.token)
    client.settle()
    assert client.texts("#tea") == ["lost"]


STEP = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(PLACES)),
    st.tuples(st.just("hear"), st.sampled_from(PLACES)),
    st.tuples(st.just("send"), st.one_of(st.none(), st.integers(0, 300))),
    st.tuples(st.just("listen"), st.one_of(st.none(), st.integers(0, 600))),
    st.tuples(st.just("cut"), st.none()),
    st.tuples(st.just("settle"), st.none()),
)


@given(st.lists(STEP, max_size=60), st.integers(1, 5), st.booleans())
def test_whatever_is_cut_each_message_comes_once_and_in_order(steps, page, dawdles) -> None:
    client = connected(KeepingServer(page=page, dawdles=dawdles))
    for number, (what, about) in enumerate(steps):
        match what:
            case "say":
                client.say(about, f"{number}")
            case "hear":
                target = about if about.startswith("#") else "me"
                client.server.say("al", f"{number}", target=target)
            case "send":
                client.send(about)
            case "listen":
                client.listen(about)
            case "cut":
                client.cut()
            case "settle":
                client.settle()
    client.settle()
    client.settle()
    for place in PLACES:
        kept = [k.text for k in client.server.kept if k.place("me") == place]
        assert client.texts(place) == kept
    assert not client.state.unacked
    assert not client.state.unsent
    assert not client.of(Failed)


CLOCK_STEP = st.one_of(
    st.tuples(st.sampled_from(["say", "hear"]), st.sampled_from(PLACES)),
    st.tuples(st.sampled_from(["the clock goes back", "cut", "settle"]), st.none()),
)


@given(st.lists(CLOCK_STEP, max_size=40), st.integers(1, 5))
def test_a_clock_that_goes_back_loses_and_repeats_nothing(steps, page) -> None:
    server = KeepingServer(page=page, now=100_000)
    client = connected(server)
    for place in PLACES:
        server.say("al", "the first", target=place if place.startswith("#") else "me")
    client.settle()
    for number, (what, about) in enumerate(steps):
        match what:
            case "say":
                client.say(about, f"{number}")
            case "hear":
                target = about if about.startswith("#") else "me"
                server.say("al", f"{number}", target=target)
            case "the clock goes back":
                server.slow += 1000
            case "cut":
                client.cut()
            case "settle":
                client.settle()
    client.cut()
    client.settle()
    client.settle()
    for place in PLACES:
        kept = [k.text for k in server.kept if k.place("me") == place]
        assert client.texts(place) == kept


# ── to be sent out of a room that is being caught up with ──────────────────────────────────────

KICK = ":al!al@home KICK #lobby bob :why"
KICKED = [Kicked("#lobby", "al", "bob", "why", origin=ALICE), OutOfRoom("#lobby", "why")]
PAGE = (
    ":s BATCH +1 chathistory #lobby",
    "@batch=1;msgid=m1;time=2026-01-02T00:00:00.000Z :al!al@home PRIVMSG #lobby :before",
    ":s BATCH -1",
)


def catching_up() -> IrcClientSession:
    return let_in("batch", "draft/chathistory", "message-tags", "server-time")


def test_that_we_are_sent_out_is_told_behind_what_was_said_before() -> None:
    session = catching_up()
    assert hear(session, KICK) == []
    earlier, *_, kicked, out = hear(session, *PAGE)
    assert isinstance(earlier, Earlier)
    assert [kicked, out] == KICKED


def test_who_is_back_before_that_is_told_is_in() -> None:
    session = catching_up()
    assert hear(session, KICK, ":bob!b@h JOIN #lobby") == []
    assert hear(session, *PAGE)[-3:] == [*KICKED, InRoom("#lobby")]


def test_that_we_were_sent_out_is_told_also_if_the_link_is_cut() -> None:
    session = catching_up()
    hear(session, KICK)
    assert session.cut() == KICKED[1:]
    assert not session.state.rooms
