"""What our own client says to servers of IRC for bans, /lock, /why, /audit and /reports."""

import pytest

from irc_session import hear, offer, sent
from trio_chat.core.events import Change, ModesSet
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks, Notice
from trio_chat.protocols.client import Earlier
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState


def entered(*caps: str) -> IrcClientSession:
    session = IrcClientSession("bob", encoding="utf-8", state=ResumeState())
    offer(session, *caps)
    hear(session, ":srv 001 bob :Welcome", ":srv 376 bob :End", ":srv PONG srv entered")
    sent(session)
    return session


def told(session: IrcClientSession) -> list[str]:
    return [message.text for message in session.own_messages() if isinstance(message, Notice)]


BANS = [
    ("/uban al 2h no more spam", "UBAN ADD al DURATION 2h :no more spam"),
    ("/uban 192.0.2.0/24", "UBAN ADD 192.0.2.0/24"),
    ("/uban ::/64 1h", "UBAN ADD 0::/64 DURATION 1h"),
    ("/uban al spam", "UBAN ADD al spam"),
    ("/uban al mute 90m", "UBAN ADD al MUTE DURATION 1h30m"),
    ("/uban", "UBAN LIST"),
    ("/uban list", "UBAN LIST"),
    ("/uban list al", "UBAN INFO al"),
    ("/uban del 17", "UBAN DEL 17"),
]


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        *BANS,
        ("/lock 10m raid", "LOCK 10m raid"),
        ("/lock off", "LOCK off"),
        ("/lock", "LOCK"),
        ("/why", "WHY"),
        ("/audit", "AUDIT"),
        ("/audit #tea 5", "AUDIT #tea 5"),
        ("/reports 5", "REPORTS 5"),
        ("/mentions", "MENTIONS"),
        ("/mentions 5", "MENTIONS 5"),
        ("/block mallory", "BLOCK mallory"),
        ("/unblock mallory", "UNBLOCK mallory"),
        ("/blocks", "BLOCKS"),
    ],
)
def test_what_is_asked_of_our_own_server(typed: str, line: str) -> None:
    session = entered("trio-chat/identity")
    session.command(typed)
    assert (sent(session), told(session)) == ([line], [])


@pytest.mark.parametrize(("typed", "line"), BANS)
def test_other_servers_may_have_uban(typed: str, line: str) -> None:
    session = entered("batch")
    session.command(typed)
    assert sent(session) == [line]


@pytest.mark.parametrize(
    "typed", ["/lock", "/why", "/audit", "/reports", "/report 1", "/mentions", "/block x"]
)
def test_other_servers_have_no_lock(typed: str) -> None:
    session = entered("batch")
    session.command(typed)
    assert sent(session) == []
    assert told(session)[0].startswith("Only trio-chat has that.")


def test_why_is_about_the_room_that_is_shown_and_keeps_us_out() -> None:
    session = entered("trio-chat/identity")
    hear(session, ":bob!b@h JOIN #tea")
    sent(session)
    for room in ("#tea", "#den", "al"):
        session.command("/why", room)
    assert sent(session) == ["WHY", "WHY #den", "WHY"]


def test_what_cannot_be_meant_is_not_sent() -> None:
    session = entered("trio-chat/identity")
    session.command("/uban del")
    assert sent(session) == []
    assert told(session) == ["Usage: /uban WHOM [2h] [mute] [WHY]|list|del N"]


# ── bans of rooms ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("typed", "ours", "others"),
    [
        ("/ban al", "BAN #tea al", "MODE #tea +b al!*@*|KICK #tea al"),
        ("/ban al no spam", "BAN #tea al :no spam", "MODE #tea +b al!*@*|KICK #tea al :no spam"),
        ("/ban #b *@x why", "BAN #b *@x why", "MODE #b +b *!*@x"),
        ("/ban al 2h no spam", "BAN #tea al :2h no spam", "This server cannot end a ban by itself"),
        ("/mute al 10m", "MUTE #tea al 10m", "Only trio-chat has that."),
        ("/unban al", "UNBAN #tea al", "MODE #tea -b al!*@*"),
        ("/unmute #b 3", "UNBAN #b 3", "MODE #b -b 3!*@*"),
        ("/bans", "MODE #tea +b", "MODE #tea +b"),
        ("/bans #b", "MODE #b +b", "MODE #b +b"),
    ],
)
def test_bans_of_the_room_where_we_are(typed: str, ours: str, others: str) -> None:
    """Other servers have masks without an end, and nobody is removed by them."""
    for cap, wanted in (("trio-chat/identity", ours), ("batch", others)):
        session = entered(cap)
        session.command(typed, "#tea")
        said = "|".join(sent(session)) or told(session)[0]
        assert said == wanted or (not sent(session) and said.startswith(wanted))


def test_the_list_of_bans_comes_in_one_piece() -> None:
    """Other servers tell less of an entry, and none has numbers as large as these moments."""
    session = entered("batch")
    told = hear(
        session,
        ":srv 367 bob #tea a:al ann!u@h 1769851800 3 1769855400 eve :no spam",
        ":srv 367 bob #TEA *!*@x",
        f":srv 367 bob #tea *!*@y ann {10**30} x",
        ":srv 368 bob #tea :End of list",
        ":srv 368 bob #tea :End of list",
    )
    assert told == [
        Masks(
            "#tea",
            "b",
            (
                Mask("a:al", "ann", 1769851800000, 3, 1769855400000, "no spam", "eve"),
                Mask("*!*@x", "", 0),
                Mask("*!*@y", "ann", 0),
            ),
        ),
        Masks("#tea", "b", ()),
    ]


def test_bans_of_the_server_are_of_no_room() -> None:
    told = hear(
        entered("trio-chat/identity"),
        ":srv 367 bob * m:192.0.2.0/24 al 1769851800 7 0 * :",
        ":srv 368 bob * :End of list",
    )
    assert told == [Masks("", "b", (Mask("m:192.0.2.0/24", "al", 1769851800000, 7),))]


def test_nobody_lifts_a_ban_whose_time_is_up() -> None:
    """Other servers lift bans by themselves, too, before their time; ours makes nobody operator."""
    over = ":srv MODE #tea -b m:al!*@*"
    lifted = (Change(False, "b", "m:al!*@*"),)
    ours, other = entered("trio-chat/identity"), entered("batch")
    assert hear(ours, over) == [ModesSet("#tea", "", lifted)]
    assert hear(other, over) == [ModesSet("#tea", "srv", lifted)]
    [opped, by_hand] = hear(ours, ":srv MODE #tea +o bob", ":srv!root@srv MODE #tea -b m:al!*@*")
    assert isinstance(opped, ModesSet)
    assert isinstance(by_hand, ModesSet)
    assert (opped.nick, by_hand.nick) == ("srv", "srv")


def test_a_ban_is_told_with_its_time_and_its_reason_and_once() -> None:
    session = entered("trio-chat/identity", "message-tags")
    told = hear(
        session,
        r"@trio-chat/seconds=7200;trio-chat/why=no\sspam :al!a@h MODE #tea +b a:eve",
        "@trio-chat/whom=eve :al!a@h MODE #tea +b *!*@5d1abb1794.ip",
        "@trio-chat/again :srv NOTICE #tea :al banned account eve for 2h (no spam).",
        ":al!a@h MODE #tea +b-b a:joe a:ann",
    )
    assert [message.changes for message in told if isinstance(message, ModesSet)] == [
        (Change(True, "b", "a:eve", seconds=7200, why="no spam"),),
        (Change(True, "b", "*!*@5d1abb1794.ip", whom="eve"),),
        (Change(True, "b", "a:joe"), Change(False, "b", "a:ann")),
    ]
    assert len(told) == 3


@pytest.mark.parametrize(
    ("line", "urgent"),
    [
        ("@trio-chat/urgent :srv NOTICE * :al reported a message of eve's", True),
        (":srv NOTICE * :The server stops at noon", False),
        (":al!a@h INVITE bob #tea", True),
        (":al!a@h INVITE eve #tea", False),
        (":al!a@h WALLOPS :The server stops at noon", True),
    ],
)
def test_what_somebody_has_to_look_at_is_urgent(line: str, urgent: bool) -> None:
    [notice] = hear(entered("message-tags"), line)
    assert isinstance(notice, Notice)
    assert notice.urgent is urgent


def test_mentions_are_told_as_found_to_whoever_typed_that_and_else_as_calls() -> None:
    session = entered("batch", "trio-chat/identity", "soju.im/search")
    answer = (
        ":s BATCH +1 soju.im/search mentions",
        "@batch=1 :al!a@h PRIVMSG #tea :bob?",
        ":s BATCH -1",
    )
    [call] = hear(session, *answer)
    assert isinstance(call, Earlier)
    assert (call.calls, call.found) == (True, False)
    session.command("/mentions 5")
    assert sent(session) == ["MENTIONS 5"]
    heading, found = hear(session, *answer)
    assert heading == Notice("Found:")
    assert isinstance(found, Earlier)
    assert (found.calls, found.found) == (True, True)
