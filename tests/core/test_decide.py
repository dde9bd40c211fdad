"""Who may do what: the rules about rooms and their modes, one table for each kind of request."""

from dataclasses import replace

import pytest

from ring import Ring, changes, hearers, refusal
from trio_chat.core.commands import (
    AWAY_MAX,
    KICK_MAX,
    Announce,
    DirectMessage,
    Invite,
    Join,
    Kick,
    Leave,
    Rename,
    Request,
    Say,
    SetAway,
    SetModes,
    SetName,
    SetTopic,
    SetUserModes,
    TagMessage,
)
from trio_chat.core.events import (
    Announced,
    AwaySet,
    Invited,
    Joined,
    Kicked,
    Left,
    NameSet,
    Origin,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.names import NAME_MAX
from trio_chat.core.refusals import Code
from trio_chat.core.views import AwayReply, Refused

EVERYBODY = ["olga", "vera", "mark", "eve"]


def origin(nick: str) -> Origin:
    return Origin(f"u{nick}", f"{nick}.net", nick.title())


@pytest.fixture
def ring() -> Ring:
    """In #Den are Olga, its operator, Vera, who has a voice, and Mark; Eve is outside."""
    ring = Ring(room_modes="", rooms_each=3)
    for nick in EVERYBODY:
        ring.enter(nick, origin=origin(nick))
        if nick != "eve":
            ring.ask(f"id-{nick}", Join("#Den"))
    ring.set("#den", "+v", "vera")
    return ring


# ── say ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("modes", "masks", "may"),
    [
        ("", [], "olga vera mark eve"),
        ("+n", [], "olga vera mark"),
        ("+m", [], "olga vera"),
        ("+nm", [], "olga vera"),
        ("+it", [], "olga vera mark eve"),
        ("+b", ["mark"], "olga vera eve"),
        ("+b", ["MARK!*@*"], "olga vera eve"),
        ("+b", ["*!umark@mark.net"], "olga vera eve"),
        ("+b", ["*@*.net"], "olga vera"),
        ("+b", ["eve"], "olga vera mark"),
        ("+b", ["*@mark.com"], "olga vera mark eve"),
        ("+be", ["*@*.net", "mark"], "olga vera mark"),
        ("+be", ["*@*.net", "*!ueve@*"], "olga vera eve"),
        ("+bI", ["*@*.net", "*"], "olga vera"),
        ("+mb", ["olga"], "olga vera"),
        ("+me", ["mark"], "olga vera"),
    ],
)
@pytest.mark.parametrize("request_", [Say("#DEN", "hi"), TagMessage("+typing=active", "#DEN")])
def test_who_may_speak_in_a_room(
    ring: Ring, request_: Request, modes: str, masks: list[str], may: str
) -> None:
    if modes:
        ring.set("#den", modes, *masks)
    outcomes = {nick: ring.decide(f"id-{nick}", request_)[0] for nick in EVERYBODY}
    assert {nick for nick, o in outcomes.items() if not isinstance(o, Refused)} == {*may.split()}
    refused = [outcome for outcome in outcomes.values() if isinstance(outcome, Refused)]
    assert all((r.code, r.about) == (Code.CANNOT_SAY, ("#Den",)) for r in refused)


@pytest.mark.parametrize("request_", [Say("#attic", "hi"), TagMessage("+a", "#attic")])
def test_nobody_speaks_where_nobody_is(ring: Ring, request_: Request) -> None:
    assert refusal(ring.decide("id-eve", request_)).code == Code.NO_SUCH_ROOM
    ring.open("#attic")
    assert refusal(ring.decide("id-eve", request_)).code == Code.NO_SUCH_ROOM


def test_nothing_of_what_is_said_is_lost(ring: Ring) -> None:
    say = Say("#den", "hi", action=True, notice=True, status="@", tags="+a=b")
    [said] = ring.decide("id-mark", say)
    assert said == Said(
        "#Den", "mark", "hi", "id-mark", True, notice=True, status="@", tags="+a=b",
        origin=origin("mark"),
    )  # fmt: skip
    [told] = ring.decide(
        "id-mark", DirectMessage("EVE", "hi", action=True, notice=True, tags="+a=b")
    )
    assert told == Said(
        "id-eve,id-mark", "mark", "hi", "id-mark", True, "eve", "id-eve", True, tags="+a=b",
        origin=origin("mark"),
    )  # fmt: skip


def test_nothing_of_what_is_signalled_is_lost(ring: Ring) -> None:
    [to_room] = ring.decide("id-mark", TagMessage("+a=b", "#den", status="+"))
    assert to_room == Signalled(
        "#Den", "mark", "+a=b", "id-mark", status="+", origin=origin("mark")
    )
    [to_one] = ring.decide("id-mark", TagMessage("+a=b", nick="EVE"))
    assert to_one == Signalled(
        "id-eve,id-mark", "mark", "+a=b", "id-mark", "eve", "id-eve", origin=origin("mark")
    )


@pytest.mark.parametrize(
    "request_",
    [DirectMessage("nobody", "hi"), TagMessage("+a", nick="nobody"), Invite("#den", "nobody")],
)
def test_somebody_who_is_not_here(ring: Ring, request_: Request) -> None:
    refused = refusal(ring.decide("id-olga", request_))
    assert (refused.code, refused.about) == (Code.NO_SUCH_NICK, ("nobody",))


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (DirectMessage("eve", "hi"), True),
        (DirectMessage("eve", "waves", action=True), True),
        (DirectMessage("eve", "hi", notice=True), False),
        (TagMessage("+typing=active", nick="eve"), False),
        (Invite("#den", "eve"), True),
        (DirectMessage("vera", "hi"), False),
    ],
)
def test_who_is_away_is_told_of_and_still_reached(
    ring: Ring, request_: Request, told: bool
) -> None:
    ring.ask("id-eve", SetAway("at sea"))
    event, *more = ring.decide("id-olga", request_)
    assert isinstance(event, Said | Signalled | Invited)
    assert more == ([AwayReply("eve", "at sea")] if told else [])


# ── come and go ────────────────────────────────────────────────────────────────────────────────


KEPT_OUT = [
    ("+i", [], Code.INVITE_ONLY),
    ("+k", ["sesame"], Code.BAD_KEY),
    ("+l", ["3"], Code.FULL),
    ("+l", ["1"], Code.FULL),
    ("+b", ["eve"], Code.BANNED),
    ("+b", ["*@eve.net"], Code.BANNED),
    ("+bI", ["eve", "eve"], Code.BANNED),
    ("+bei", ["eve", "eve"], Code.INVITE_ONLY),
    ("+ikl", ["sesame", "1"], Code.INVITE_ONLY),
    ("+Ikl", ["eve", "sesame", "1"], Code.BAD_KEY),
    ("+bikl", ["eve", "sesame", "1"], Code.BANNED),
]

LET_IN = [
    ("+nmst", [], ""),
    ("+k", ["sesame"], "sesame"),
    ("+l", ["4"], ""),
    ("+iI", ["EVE"], ""),
    ("+iI", ["*!ueve@*.net"], ""),
    ("+be", ["eve", "*@eve.net"], ""),
    ("+b", ["mark"], ""),
    ("+e", ["mark"], ""),
]


@pytest.mark.parametrize(("modes", "arguments", "code"), KEPT_OUT)
def test_who_is_kept_out_of_a_room(
    ring: Ring, modes: str, arguments: list[str], code: Code
) -> None:
    ring.set("#den", modes, *arguments)
    for key in ("", "SESAME"):
        refused = refusal(ring.decide("id-eve", Join("#DEN", key)))
        assert (refused.code, refused.about) == (code, ("#Den",))


@pytest.mark.parametrize(("modes", "arguments", "key"), LET_IN)
def test_who_is_let_into_a_room(ring: Ring, modes: str, arguments: list[str], key: str) -> None:
    ring.set("#den", modes, *arguments)
    [joined] = ring.decide("id-eve", Join("#DEN", key))
    guarded = "l" in modes
    # Who may not speak shows no words of theirs, and so no name of their own.
    shown = replace(origin("eve"), name="eve") if "m" in modes else origin("eve")
    assert joined == Joined("#Den", "eve", "id-eve", origin=shown, guarded=guarded)


@pytest.mark.parametrize(("modes", "arguments", "code"), KEPT_OUT)
def test_an_invitation_opens_every_door_once(
    ring: Ring, modes: str, arguments: list[str], code: Code
) -> None:
    ring.set("#den", modes, *arguments)
    ring.ask("id-olga", Invite("#den", "eve"))
    ring.ask("id-eve", Join("#den"))
    ring.ask("id-eve", Leave("#den"))
    assert refusal(ring.decide("id-eve", Join("#den"))).code == code


def test_an_invitation_is_to_one_room_and_for_one_person(ring: Ring) -> None:
    ring.enter("hank", "#hall")
    ring.set("#hall", "+i")
    ring.set("#den", "+i")
    ring.ask("id-olga", Invite("#den", "eve"))
    assert refusal(ring.decide("id-eve", Join("#hall"))).code == Code.INVITE_ONLY
    assert refusal(ring.decide("id-hank", Join("#den"))).code == Code.INVITE_ONLY


def test_who_was_invited_may_come_under_another_name(ring: Ring) -> None:
    ring.set("#den", "+i")
    ring.ask("id-olga", Invite("#den", "eve"))
    ring.ask("id-eve", Rename("Eva"))
    ring.ask("id-eve", Join("#den"))
    assert "id-eve" in ring.chat.rooms["#den"].members


@pytest.mark.parametrize("invited", [False, True])
def test_nobody_is_in_more_rooms_than_the_most(ring: Ring, invited: bool) -> None:
    for room in ("#a", "#b", "#c"):
        ring.ask("id-eve", Join(room))
    if invited:
        ring.ask("id-olga", Invite("#den", "eve"))
    assert refusal(ring.decide("id-eve", Join("#den"))).code == Code.TOO_MANY_ROOMS
    ring.ask("id-eve", Leave("#b"))
    ring.ask("id-eve", Join("#den"))


def test_a_newcomer_who_is_away_is_so_in_the_room_too(ring: Ring) -> None:
    ring.ask("id-eve", SetAway("at sea"))
    [joined] = ring.decide("id-eve", Join("#den"))
    assert joined == Joined("#Den", "eve", "id-eve", "at sea", origin("eve"))


def test_why_somebody_leaves_is_told(ring: Ring) -> None:
    [left] = ring.decide("id-mark", Leave("#den", "tired"))
    assert left == Left("#Den", "mark", "id-mark", "tired", origin("mark"))


@pytest.mark.parametrize(
    ("user_id", "request_", "code"),
    [
        ("olga", Kick("#den", "mark"), None),
        ("olga", Kick("#den", "olga"), None),
        ("vera", Kick("#den", "mark"), Code.NEED_OP),
        ("mark", Kick("#den", "nobody"), Code.NEED_OP),
        ("eve", Kick("#den", "mark"), Code.NOT_IN_ROOM),
        ("eve", Kick("#attic", "mark"), Code.NO_SUCH_ROOM),
        ("olga", Kick("#den", "eve"), Code.TARGET_NOT_IN_ROOM),
        ("olga", Kick("#den", "nobody"), Code.TARGET_NOT_IN_ROOM),
        ("olga", Invite("#den", "eve"), None),
        ("mark", Invite("#den", "eve"), None),
        ("eve", Invite("#den", "eve"), Code.NOT_IN_ROOM),
        ("eve", Invite("#attic", "mark"), Code.NO_SUCH_ROOM),
        ("mark", Invite("#den", "vera"), Code.ALREADY_IN_ROOM),
        ("mark", Leave("#attic"), Code.NO_SUCH_ROOM),
        ("eve", Leave("#den"), Code.NOT_IN_ROOM),
        ("mark", SetTopic("#den", "tea"), None),
        ("eve", SetTopic("#den", "tea"), Code.NOT_IN_ROOM),
        ("olga", SetModes("#den", changes("+m")), None),
        ("vera", SetModes("#den", changes("+m")), Code.NEED_OP),
        ("eve", SetModes("#den", changes("+m")), Code.NEED_OP),
        ("eve", SetModes("#attic", changes("+m")), Code.NO_SUCH_ROOM),
        ("mark", Join("#den"), Code.ALREADY_IN_ROOM),
        ("mark", Join("den"), Code.BAD_ROOM),
        ("mark", Rename("a b"), Code.BAD_NICK),
        ("mark", Rename("mark"), Code.SAME_NICK),
        ("mark", SetTopic("#den", "x" * 391), Code.TOO_LONG),
    ],
)
def test_who_may_do_what_in_a_room(
    ring: Ring, user_id: str, request_: Request, code: Code | None
) -> None:
    [outcome] = ring.decide(f"id-{user_id}", request_)
    assert (outcome.code if isinstance(outcome, Refused) else None) == code


@pytest.mark.parametrize(
    ("modes", "request_", "may"),
    [
        ("+i", Invite("#den", "eve"), "olga"),
        ("+nst", Invite("#den", "eve"), "olga vera mark"),
        ("+nmst", Invite("#den", "eve"), "olga vera"),
        ("+t", SetTopic("#den", "tea"), "olga"),
        ("+nsi", SetTopic("#den", "tea"), "olga vera mark"),
        ("+nmsi", SetTopic("#den", "tea"), "olga vera"),
    ],
)
def test_what_only_operators_may_by_the_modes_of_a_room(
    ring: Ring, modes: str, request_: Request, may: str
) -> None:
    ring.set("#den", modes)
    outcomes = {nick: ring.decide(f"id-{nick}", request_)[0] for nick in EVERYBODY[:3]}
    assert {nick for nick, o in outcomes.items() if not isinstance(o, Refused)} == {*may.split()}
    refused = [outcome for outcome in outcomes.values() if isinstance(outcome, Refused)]
    codes = {Code.NEED_OP, Code.CANNOT_SAY} if "m" in modes else {Code.NEED_OP}
    assert all(r.code in codes and r.about == ("#Den",) for r in refused)


@pytest.mark.parametrize("nick", ["mark", "eve"])
@pytest.mark.parametrize(
    "request_",
    [
        Kick("#den", "vera"),
        SetModes("#den", changes("-b+o", "eve", "mark")),
        SetTopic("#den", "tea"),
        Invite("#den", "hank"),
        Join("#den"),
    ],
)
def test_operators_of_the_server_may_repair_any_room(
    ring: Ring, nick: str, request_: Request
) -> None:
    """From inside (Mark) and from outside."""
    ring.enter("hank")
    ring.set("#den", "+iktlb", "sesame", "1", "eve")
    if nick == "mark" and isinstance(request_, Join):
        ring.ask("id-mark", Leave("#den"))
    assert refusal(ring.decide(f"id-{nick}", request_))
    assert not ring.chat.is_repair(f"id-{nick}", request_)
    ring.make_operator(nick)
    [event] = ring.decide(f"id-{nick}", request_)
    assert not isinstance(event, Refused)
    assert nick in ring.chat.is_repair(f"id-{nick}", request_)
    told = {user_id for one in ring.happen(event) for user_id in hearers(ring.chat, one)}  # type: ignore[arg-type]
    assert f"id-{nick}" in told or isinstance(request_, Invite)


@pytest.mark.parametrize(
    ("request_", "event"),
    [
        (
            Kick("#DEN", "MARK", "w" * (KICK_MAX + 1)),
            Kicked("#Den", "olga", "mark", "w" * KICK_MAX, "id-olga", "id-mark", origin("olga")),
        ),
        (
            Invite("#DEN", "EVE"),
            Invited("#Den", "olga", "eve", "id-olga", "id-eve", origin("olga")),
        ),
        (SetTopic("#DEN", "tea"), TopicSet("#Den", "olga", "tea", "id-olga", origin("olga"))),
        (Rename("Olga"), Renamed("olga", "Olga", "id-olga", origin("olga"), ("#den",))),
        (SetAway("tea"), AwaySet("olga", "tea", "id-olga", origin("olga"))),
        (SetAway("t" * 201), AwaySet("olga", "t" * AWAY_MAX, "id-olga", origin("olga"))),
        (SetAway("🇩🇪" * 101), AwaySet("olga", "🇩🇪" * 100, "id-olga", origin("olga"))),
        (SetAway("t" + "🇩🇪" * 101), AwaySet("olga", "t" + "🇩🇪" * 99, "id-olga", origin("olga"))),
        (SetAway(""), AwaySet("olga", "", "id-olga", origin("olga"))),
        (
            SetName("n" * NAME_MAX),
            NameSet("olga", "id-olga", Origin("uolga", "olga.net", "n" * NAME_MAX)),
        ),
    ],
)
def test_what_becomes_of_a_request(ring: Ring, request_: Request, event: object) -> None:
    assert ring.decide("id-olga", request_) == [event]


# ── themselves ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["", "n" * (NAME_MAX + 1)])
def test_no_name(ring: Ring, name: str) -> None:
    assert refusal(ring.decide("id-eve", SetName(name))).code == Code.BAD_NAME


@pytest.mark.parametrize(
    ("before", "asked", "made"),
    [
        ("", "+i", "+i"),
        ("", "+iwB", "+iwB"),
        ("", "-i", ""),
        ("i", "+i", ""),
        ("i", "-i", "-i"),
        ("i", "-i+w", "-i+w"),
        ("", "+o", ""),
        ("", "+oi", "+i"),
        ("o", "-o", "-o"),
        ("o", "+o", ""),
        ("", "-o", ""),
        ("", "+xZ", ""),
        ("", "", ""),
    ],
)
def test_modes_of_their_own(ring: Ring, before: str, asked: str, made: str) -> None:
    """Nobody makes an operator of themselves; who is one may cease to be."""
    ring.person("eve").modes = before
    event = UserModesSet("eve", changes(made), "id-eve", origin("eve"))
    assert list(ring.decide("id-eve", SetUserModes(changes(asked)))) == ([event] if made else [])


def test_only_operators_of_the_server_announce(ring: Ring) -> None:
    for nick in ("olga", "eve"):
        refused = refusal(ring.decide(f"id-{nick}", Announce("tea")))
        assert refused.code == Code.NOT_AN_OPERATOR
    ring.make_operator("eve")
    [announced] = ring.decide("id-eve", Announce("tea"))
    assert announced == Announced("eve", "tea", "id-eve", origin("eve"))
