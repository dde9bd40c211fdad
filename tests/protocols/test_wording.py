"""How things are said in plain lines, and how the lines are understood."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.answers import unknown
from trio_chat.core.events import (
    Announced,
    Arrived,
    AwaySet,
    Change,
    Departed,
    Entry,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Redacted,
    Renamed,
    Said,
    Signalled,
    TopicSet,
)
from trio_chat.core.names import NICK_MAX, composed, nick_problem
from trio_chat.core.views import (
    AwayReply,
    Ban,
    BanEffect,
    Block,
    Copy,
    Members,
    Notice,
    Refused,
    Rooms,
    RoomView,
    RoomWelcome,
    Shown,
    Topic,
    UserView,
)
from trio_chat.protocols.clean import clean
from trio_chat.protocols.plain.wording import (
    Company,
    Heard,
    InRoom,
    NearNick,
    Replay,
    Welcome,
    reading,
    wording,
)

NAME_CHARS = st.characters(categories=["Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"])
good_nicks = st.text(
    st.sampled_from("abcXYZ019-_[]\\`^{|}") | NAME_CHARS, min_size=1, max_size=NICK_MAX
).filter(lambda nick: not nick_problem(nick))

#: What somebody would say who wants to be taken for somebody or something else.
FORGERIES = [
    "",
    " ",
    ": ",
    "bob: hi",
    " bob: hi",
    "-> bob: hi",
    "* bob waves",
    "joined!",
    "left!",
    "bob left!",
    "*** bob left!",
    "is now eve.",
    "*** bob is now eve.",
    "set the topic: eve's",
    "removed the topic.",
    "Connected to server!",
    "*** You are eve in #eve; nobody else is here yet.",
    "*** The last message:",
    "NICK",
    "hi\rbob: hi",
    "hi\x1b[2K\x1b[1Gbob: hi",
    "hi\u2028bob: hi",
    "\u202e!denioj bob",
    "\u0300\u0300",
]
# What begins with a 0x01 is said by one IRC client to another, and is not shown.
texts = st.text(st.characters(exclude_characters="\n")).filter(
    lambda text: not text.startswith("\x01")
) | st.sampled_from(FORGERIES)


def entries(*said: Said) -> tuple[Entry, ...]:
    return tuple(Entry(one.room, str(n), one) for n, one in enumerate(said))


HI = Said("#lobby", "alice", "hi", "id-alice")
WAVES = Said("#lobby", "bob", "waves", "id-bob", action=True)

#: What is shown, and its lines, each with what a client understands.
TABLE: list[tuple[Shown, dict[str, Heard]]] = [
    (HI, {"alice: hi": Said("", "alice", "hi")}),
    (Said("#lobby", "alice", ""), {"alice: ": Said("", "alice", "")}),
    (Said("#lobby", "zoé", "a: b"), {"zoé: a: b": Said("", "zoé", "a: b")}),
    (WAVES, {"* bob waves": Said("", "bob", "waves", action=True)}),
    (
        Said("alice,bob", "alice", "psst: hi", to="bob"),
        {"alice -> bob: psst: hi": Said("", "alice", "psst: hi", to="bob")},
    ),
    (
        Said("alice,bob", "alice", "waves", to="bob", action=True),
        {"alice -> bob: * alice waves": Said("", "alice", "* alice waves", to="bob")},
    ),
    (Joined("#lobby", "alice", "id"), {"alice joined!": Joined("", "alice")}),
    (Left("#lobby", "alice", "id"), {"alice left!": Left("", "alice")}),
    (Departed("alice", "id"), {"alice left!": Left("", "alice")}),
    (Renamed("alice", "ann", "id"), {"*** alice is now ann.": Renamed("alice", "ann")}),
    (
        TopicSet("#lobby", "alice", "tea: green.", "id"),
        {"*** alice set the topic: tea: green.": TopicSet("", "alice", "tea: green.")},
    ),
    (
        TopicSet("#lobby", "alice", "", "id"),
        {"*** alice removed the topic.": TopicSet("", "alice", "")},
    ),
    (Arrived("alice", "id"), {}),
    (AwaySet("alice", "tea", "id"), {}),
    (Signalled("#lobby", "alice", "+typing=active", "id"), {}),
    (Said("#lobby", "alice", "\x01VERSION\x01"), {}),
    (
        Redacted("#lobby", "alice", "17-0", "bob", "spam"),
        {
            "*** A message of bob's was removed by alice (spam).": Notice(
                "A message of bob's was removed by alice (spam)."
            )
        },
    ),
    (
        Redacted("", "alice", "17-0", "Alice", to="bob"),
        {
            "*** alice removed a message of their own.": Notice(
                "alice removed a message of their own."
            )
        },
    ),
    (
        Redacted("#lobby", "alice", "17-0", ""),
        {
            "*** A message was removed by alice.": Notice("A message was removed by alice."),
        },
    ),
    (
        Kicked("#lobby", "alice", "bob", "for good"),
        {
            "*** alice kicked bob out of #lobby: for good": Kicked(
                "#lobby", "alice", "bob", "for good"
            ),
            "bob left!": Left("", "bob"),
        },
    ),
    (
        Kicked("#lobby", "alice", "bob"),
        {
            "*** alice kicked bob out of #lobby.": Kicked("#lobby", "alice", "bob"),
            "bob left!": Left("", "bob"),
        },
    ),
    (
        Kicked("#a.b.", "alice", "bob"),
        {
            "*** alice kicked bob out of #a.b..": Kicked("#a.b.", "alice", "bob"),
            "bob left!": Left("", "bob"),
        },
    ),
    (
        Invited("#tea", "alice", "bob"),
        {"*** alice invites bob to #tea.": Notice("alice invites bob to #tea.")},
    ),
    (
        ModesSet("#tea", "alice", (Change(True, "o", "bob", "id"), Change(False, "m"))),
        {"*** alice set mode +o bob -m.": Notice("alice set mode +o bob -m.")},
    ),
    (Announced("alice", "tea!"), {"*** alice announces: tea!": Notice("alice announces: tea!")}),
    (AwayReply("bob", "tea"), {"*** bob is away: tea": Notice("bob is away: tea")}),
    (
        Copy(Said("alice,bob", "alice", "hi", to="bob")),
        {"alice -> bob: hi": Said("", "alice", "hi", to="bob")},
    ),
    (Copy(Said("alice,alice", "alice", "hi", to="alice")), {}),  # they have been told already
    (Copy(Said("#tea", "alice", "from outside")), {}),
    (Copy(Left("#tea", "alice", "id")), {}),
    (Copy(Invited("#tea", "alice", "bob")), {}),
    (
        RoomWelcome("#lobby", "alice"),
        {
            "Connected to server!": Welcome(),
            "*** You are alice in #lobby; nobody else is here yet. /help for more.": InRoom(
                "#lobby", "alice"
            ),
        },
    ),
    (
        RoomWelcome(
            "#tea", "alice", others=1, first=False, topic=Topic("#tea", "green"), recent=entries(HI)
        ),
        {
            "*** You are alice in #tea; one other person is here. /help for more.": InRoom(
                "#tea", "alice"
            ),
            "*** The topic of #tea: green": Topic("#tea", "green"),
            "*** The last message:": Replay(1),
            "alice: hi": Said("", "alice", "hi"),
        },
    ),
    (
        RoomWelcome("#tea", "alice", others=2, first=False, recent=entries(HI, WAVES)),
        {
            "*** You are alice in #tea; 2 others are here. /help for more.": InRoom(
                "#tea", "alice"
            ),
            "*** The last 2 messages:": Replay(2),
            "alice: hi": Said("", "alice", "hi"),
            "* bob waves": Said("", "bob", "waves", action=True),
        },
    ),
    (
        # What a line is not shown for is not counted either: who reads it counts lines.
        RoomWelcome(
            "#tea", "alice", first=False, recent=entries(HI, Said("#tea", "eve", "\x01PING\x01"))
        ),
        {
            "*** You are alice in #tea; nobody else is here yet. /help for more.": InRoom(
                "#tea", "alice"
            ),
            "*** The last message:": Replay(1),
            "alice: hi": Said("", "alice", "hi"),
        },
    ),
    (
        Members("#lobby", (Block(lambda: [UserView(n) for n in ("Zoe", "émile", "bob")]),)),
        {"*** In #lobby (3): bob, Zoe, émile": Company("#lobby", ("bob", "Zoe", "émile"))},
    ),
    (Members("#tea", ()), {"*** In #tea (0): ": Company("#tea", ())}),
    (unknown("#tea"), {"*** There is nobody in #tea.": Company("#tea", ())}),
    (
        Rooms((RoomView("#lobby", 2, "tea"), RoomView("#b", 1))),
        {"*** #lobby (2) tea": Notice("#lobby (2) tea"), "*** #b (1)": Notice("#b (1)")},
    ),
    (Rooms(()), {}),
    (Topic("#lobby", "tea"), {"*** The topic of #lobby: tea": Topic("#lobby", "tea")}),
    (Topic("#lobby", ""), {"*** #lobby has no topic.": Topic("#lobby", "")}),
    (Refused("No."), {"*** No.": Notice("No.")}),
    (Notice("One.\nTwo."), {"*** One.": Notice("One."), "*** Two.": Notice("Two.")}),
]


@pytest.mark.parametrize(("shown", "lines"), TABLE)
def test_wording_and_reading(shown: Shown, lines: dict[str, Heard]) -> None:
    assert wording(shown) == list(lines)
    assert [reading(line) for line in lines] == list(lines.values())


@pytest.mark.parametrize(
    "line", ["", "hello", "hello there", "***", "no such: thing!", ": a", "* "]
)
def test_a_line_that_fits_nothing_is_a_notice(line: str) -> None:
    assert reading(line) == Notice(line)


# ── nothing that is said looks like something else ─────────────────────────────────────────────


@given(nick=good_nicks, text=texts)
@example(nick="alice", text="-> bob: hi")
def test_what_is_said_in_a_room_is_said_there_and_by_nobody_else(nick: str, text: str) -> None:
    [heard] = _heard(Said("#lobby", nick, text))
    assert isinstance(heard, Said)
    assert (heard.nick, heard.action, heard.to) == (nick, False, "")
    assert heard.text in clean(f"{nick}: {text}")


@given(nick=good_nicks, text=texts)
def test_an_action_is_done_by_nobody_else(nick: str, text: str) -> None:
    [heard] = _heard(Said("#lobby", nick, text, action=True))
    assert isinstance(heard, Said)
    assert (heard.nick, heard.action, heard.to) == (nick, True, "")


@given(nick=good_nicks, other=good_nicks, text=texts)
def test_what_is_said_in_private_is_said_to_nobody_else(nick: str, other: str, text: str) -> None:
    [heard] = _heard(Said("", nick, text, to=other))
    assert isinstance(heard, Said)
    assert (heard.nick, heard.action, heard.to) == (nick, False, other)


@given(nick=good_nicks, other=good_nicks, text=texts)
def test_whoever_is_kicked_leaves_and_nobody_else_does(nick: str, other: str, text: str) -> None:
    kicked, left = _heard(Kicked("#lobby", nick, other, text))
    assert isinstance(kicked, Kicked)
    assert (kicked.room, kicked.nick, kicked.target) == ("#lobby", nick, other)
    assert left == Left("", other)


@given(nick=good_nicks, text=texts)
def test_what_is_announced_and_who_is_away_are_notices(nick: str, text: str) -> None:
    for shown in (Announced(nick, text), AwayReply(nick, text)):
        [heard] = _heard(shown)
        assert isinstance(heard, Notice)


@given(nick=good_nicks, text=texts.filter(bool))
def test_a_topic_is_set_by_nobody_else(nick: str, text: str) -> None:
    [heard] = _heard(TopicSet("#lobby", nick, text))
    assert isinstance(heard, TopicSet)
    assert heard.nick == nick


@given(text=texts)
@example(text="x You are bob for now; /nick changes that.")
def test_the_topic_of_a_room_is_one_whatever_it_says(text: str) -> None:
    [topic] = _heard(Topic("#lobby", text))
    assert isinstance(topic, Topic)
    assert topic.room == "#lobby"
    [listed] = _heard(Rooms((RoomView("#lobby", 1, text),)))
    assert isinstance(listed, Notice | NearNick)


@given(text=st.text() | texts)
def test_a_notice_is_said_and_done_by_nobody(text: str) -> None:
    for heard in _heard(Notice(text)) + _heard(Refused(text)):
        assert not isinstance(heard, Said | Joined | Left | Welcome)


@given(good_nicks)
def test_who_comes_and_goes_is_understood(nick: str) -> None:
    assert _heard(Joined("#lobby", nick)) == [Joined("", nick)]
    assert _heard(Departed(nick)) == [Left("", nick)]


@given(nick=good_nicks, other=good_nicks)
def test_a_new_nick_is_understood(nick: str, other: str) -> None:
    assert _heard(Renamed(nick, other)) == [Renamed(nick, other)]


@given(st.text(st.sampled_from("aе\u0323\u0300\u0489\u0e49\u064e"), min_size=1, max_size=NICK_MAX))
@example("q" + "\u0323" * 5)
def test_a_good_nick_is_shown_as_it_is(nick: str) -> None:
    assert nick_problem(nick) or clean(composed(nick)) == composed(nick)


def _heard(shown: Shown) -> list[Heard]:
    return [reading(clean(line)) for line in wording(shown)]


@pytest.mark.parametrize(
    ("seconds", "mute", "command"), [(0, False, "2h"), (86_400, True, "1d mute")]
)
def test_a_ban_of_an_account_names_the_one_of_the_network(
    seconds: int, mute: bool, command: str
) -> None:
    ban = Ban(1, "account", "mallory", mute)
    effect = BanEffect(ban, 1, 5, seconds, as_guests=True, networks=("192.0.2.7",))
    assert "".join(wording(effect)).endswith(
        "*** They can come back as a guest: "
        f"/uban 192.0.2.7 {command} stops that for all who come from there."
    )
