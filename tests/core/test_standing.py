"""Who has which status in a room, and who leads it."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from returning import House
from ring import changes, refusal
from trio_chat.core.commands import (
    DirectMessage,
    DropAccount,
    Invite,
    Join,
    Kick,
    Leave,
    LogIn,
    LogOut,
    Register,
    RenameRoom,
    Request,
    Say,
    SetModes,
    SetUserModes,
    TagMessage,
)
from trio_chat.core.events import (
    AccountMade,
    Arrived,
    Change,
    Event,
    Joined,
    ModesSet,
    Origin,
    RoomRenamed,
)
from trio_chat.core.logs import after
from trio_chat.core.names import fold
from trio_chat.core.realm import identity_by_name
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import RoomState
from trio_chat.core.standing import STANDING_MAX
from trio_chat.core.views import Refused
from trio_chat.storage.codec import decode_state, encode_state

DAY = 24 * 3600 * 1000


@pytest.fixture
def house() -> House:
    return House()


# ── status ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", ["depart", "leave", "restart"])
def test_who_is_known_comes_back_as_what_they_were(house: House, how: str) -> None:
    house.come("olga", "#den")
    house.come("vera", "#den")
    house.come("mark", "#den")
    house.set("#den", "+v", "vera")
    for nick in ("olga", "vera"):
        if how == "leave":
            house.ask(f"id-{nick}", Leave("#den"))
        else:
            house.go(nick)
    if how == "restart":
        house.restart()
    house.come("vera", "#den")
    house.come("olga", "#den")
    assert (house.status("olga", "#den"), house.status("vera", "#den")) == ("o", "v")


def test_who_is_not_known_comes_back_as_nobody(house: House) -> None:
    house.come("olga", "#den", known=False)
    house.come("mark", "#den", known=False)
    house.go("olga")
    house.come("olga", "#den", known=False)
    assert house.status("olga", "#den") == ""


def test_a_status_that_was_taken_away_does_not_come_back(house: House) -> None:
    house.come("olga", "#den")
    house.come("vera", "#den")
    house.come("mark", "#den")
    house.set("#den", "+oo", "vera", "mark")
    house.set("#den", "-o", "vera")
    house.ask("id-olga", Kick("#den", "mark"))
    house.go("vera")
    house.come("vera", "#den")
    house.come("mark", "#den")
    assert (house.status("vera", "#den"), house.status("mark", "#den")) == ("", "")


def test_it_belongs_to_the_identity_and_not_to_the_nickname(house: House) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.go("olga")
    house.happen(Arrived("olga", "id-olga", identity="~other"))
    house.ask("id-olga", Join("#den"))
    assert house.status("olga", "#den") == ""


def test_it_is_given_and_taken_on_all_their_connections(house: House) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den")
    house.happen(Arrived("phone", "id-phone", identity="~mark"))
    house.ask("id-phone", Join("#den"))
    house.set("#den", "+o", "mark")
    assert house.chat.rooms["#den"].status == dict.fromkeys(("id-olga", "id-mark", "id-phone"), "o")
    house.set("#den", "-o", "phone")
    assert house.chat.rooms["#den"].status == {"id-olga": "o"}


def test_a_room_remembers_so_many_and_its_operators_longest(house: House) -> None:
    house.come("olga", "#den")
    for number in range(STANDING_MAX + 5):
        house.come(f"v{number}", "#den")
        house.set("#den", "+v", f"v{number}")
    standing = house.chat.rooms["#den"].state.standing
    assert len(standing) == STANDING_MAX
    assert "~olga" in standing
    assert "~v0" not in standing


# ── who leads an empty room ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("room", "modes", "leads"),
    [
        ("#den", "", True),
        ("#den", "+nst", True),
        ("#den", "+l 3", True),
        ("#den", "+I eve", True),
        ("#den", "+m", False),
        ("#den", "+k key", False),
        ("#den", "+b stranger", False),
        ("#den", "+b m:stranger", False),
        ("#lobby", "", False),
        ("#LOBBY", "", False),
    ],
)
def test_who_leads_a_room_that_all_have_left(
    house: House, room: str, modes: str, leads: bool
) -> None:
    house.come("olga", room, known=False)
    if modes:
        house.set(room, *modes.split())
    house.go("olga")
    house.restart()
    house.come("eve", known=False)
    house.ask("id-eve", Join(room, "key"))
    assert house.status("eve", room) == ("o" if leads else "")


def test_a_room_with_an_operator_who_may_come_again_has_no_other(house: House) -> None:
    house.come("olga", "#den")
    house.go("olga")
    house.come("eve", "#den")
    assert house.status("eve", "#den") == ""
    house.come("olga", "#den")
    assert house.status("olga", "#den") == "o"


def test_an_operator_who_stays_away_loses_the_room_but_not_the_status(house: House) -> None:
    house.come("olga", "#den")
    house.go("olga")
    for days, status in ((59, ""), (61, "o")):
        house.come("eve")
        house.person("eve").since = days * DAY
        house.ask("id-eve", Join("#den"))
        assert house.status("eve", "#den") == status
        house.go("eve")
    house.come("olga", "#den")
    assert house.status("olga", "#den") == "o"


def test_that_an_operator_has_come_is_written_down_once_a_day(house: House) -> None:
    house.come("olga", "#den")
    house.go("olga")
    for days, guarded in ((0.5, False), (2, True)):
        house.come("olga")
        house.person("olga").since = int(days * DAY)
        [joined] = house.decide("id-olga", Join("#den"))
        assert isinstance(joined, Joined)
        assert joined.guarded is guarded


def test_when_the_last_one_leaves_while_the_next_one_comes_that_one_leads(house: House) -> None:
    house.come("olga", "#den", known=False)
    house.come("eve", known=False)
    [joined] = house.decide("id-eve", Join("#den"))
    house.go("olga")
    assert isinstance(joined, Joined)
    house.happen(joined)
    assert house.status("eve", "#den") == "o"


# ── the founder ────────────────────────────────────────────────────────────────────────────────


def founder(house: House, room: str = "#den") -> str:
    return house.chat.rooms[fold(room)].state.founder


@pytest.fixture
def founded() -> House:
    """Fay has made #den, in which Mark, who has an account, and Olga are operators, too."""
    house = House("fay", "mark")
    for nick in ("fay", "mark", "olga", "eve"):
        house.come(nick, "#den", known=False)
    house.set("#den", "+oo", "mark", "olga")
    for nick in ("boss", "chief"):
        house.come(nick, "#den", known=False)
        house.make_operator(nick)
    house.set("#den", "+o", "chief")
    return house


@pytest.mark.parametrize(
    ("nick", "room", "who"),
    [("fay", "#den", "=fay"), ("guest", "#den", ""), ("~known", "#den", ""), ("fay", "#lobby", "")],
)
def test_who_makes_a_room_and_has_an_account_is_its_founder(nick: str, room: str, who: str) -> None:
    house = House("fay")
    house.come(nick.lstrip("~"), room, known=nick.startswith("~"))
    assert founder(house, room) == who


@pytest.mark.parametrize("modes", ["+m", "+M", "+b mark", "+k key"])
def test_nobody_founds_what_somebody_else_has_protected(modes: str) -> None:
    house = House("fay")
    house.come("olga", "#den", known=False)
    house.set("#den", *modes.split())
    house.go("olga")
    house.come("fay")
    house.ask("id-fay", Join("#den", "key"))
    assert (founder(house), house.status("fay", "#den")) == ("", "")


def test_a_room_that_guests_have_left_is_founded_by_the_next_account() -> None:
    house = House("fay")
    house.come("olga", "#den", known=False)
    house.go("olga")
    house.restart()
    house.come("fay", "#den")
    assert (founder(house), house.status("fay", "#den")) == ("=fay", "o")


AGAINST_FAY: list[Request] = [
    SetModes("#den", changes("-o", "fay")),
    Kick("#den", "fay"),
    *(
        SetModes("#den", changes("+b", mask))
        for mask in ("fay", "FAY!*@*", "m:fay", "a:fay", "A:Fay", "m:a:fay")
    ),
]


@pytest.mark.parametrize("against", AGAINST_FAY)
@pytest.mark.parametrize(
    ("nick", "may", "repairs"),
    [
        ("mark", False, False),
        ("olga", False, False),
        ("fay", True, False),
        ("boss", True, True),
        ("chief", True, True),
    ],
)
def test_who_may_act_against_the_founder(
    founded: House, against: Request, nick: str, may: bool, repairs: bool
) -> None:
    outcomes = founded.decide(f"id-{nick}", against)
    if not may:
        assert refusal(outcomes) == Refused(
            "fay founded #den: only an operator of the server can act against them.",
            Code.NEED_OP,
            ("#den",),
        )
    assert any(isinstance(outcome, Refused) for outcome in outcomes) is not may
    assert bool(founded.chat.is_repair(f"id-{nick}", against)) is repairs


@pytest.mark.parametrize(
    "request_",
    [
        SetModes("#den", changes("-o", "mark")),
        SetModes("#den", changes("-o", "olga")),
        SetModes("#den", changes("-v+v", "fay", "fay")),
        SetModes("#den", changes("-b", "fay")),
        SetModes("#den", changes("+e", "fay")),
        SetModes("#den", changes("+b", "fay2")),
        Kick("#den", "mark"),
    ],
)
def test_all_else_is_allowed_to_operators(founded: House, request_: Request) -> None:
    for nick in ("mark", "olga"):
        outcomes = founded.decide(f"id-{nick}", request_)
        assert not any(isinstance(outcome, Refused) for outcome in outcomes)


def test_the_name_of_an_absent_founder_is_not_banned_either(founded: House) -> None:
    founded.go("fay")
    for mask in ("fay", "a:fay"):
        refused = refusal(founded.decide("id-mark", SetModes("#den", changes("+b", mask))))
        assert refused.code is Code.NEED_OP


@pytest.mark.parametrize("to", ["#cave", "#DEN"])
@pytest.mark.parametrize(
    ("nick", "may"),
    [("mark", False), ("olga", False), ("fay", True), ("boss", True), ("chief", True)],
)
def test_who_may_rename_the_room_of_a_founder(
    founded: House, nick: str, may: bool, to: str
) -> None:
    [outcome] = founded.decide(f"id-{nick}", RenameRoom("#den", to))
    assert isinstance(outcome, RoomRenamed) is may
    if not may:
        why = "fay founded #den: only they or an operator of the server can rename it."
        assert outcome == Refused(why, Code.CANNOT_RENAME_ROOM, ("#den", to))


def test_who_has_a_room_without_a_founder_may_rename_it(founded: House) -> None:
    founded.become("fay", DropAccount("fay"))
    [outcome] = founded.decide("id-mark", RenameRoom("#den", "#cave"))
    assert isinstance(outcome, RoomRenamed)


@pytest.mark.parametrize("modes", ["+b *!*@*", "+b f*", "+b a:*", "+kil key 1", "+mM", "+R"])
def test_what_keeps_all_others_out_does_nothing_to_the_founder(founded: House, modes: str) -> None:
    founded.ask("id-mark", SetModes("#den", changes(*modes.split())))
    assert isinstance(founded.decide("id-fay", Say("#den", "hi"))[0], Event)
    founded.go("fay")
    founded.restart()
    founded.come("fay", "#den")
    assert founded.status("fay", "#den") == "o"


@pytest.mark.parametrize("restarted", [True, False])
def test_a_founder_keeps_the_room_for_good(founded: House, restarted: bool) -> None:
    for nick in ("fay", "mark", "olga", "boss", "chief", "eve"):
        founded.go(nick)
    if restarted:
        founded.restart()
    for nick in ("eve", "gus"):
        founded.come(nick)
        founded.person(nick).since = 5000 * DAY
        founded.ask(f"id-{nick}", Join("#den"))
        assert founded.status(nick, "#den") == ""
    founded.come("fay", "#den")
    assert founded.status("fay", "#den") == "o"


@pytest.mark.parametrize("nick", ["boss", "fay"])
def test_a_founder_who_is_none_any_more_is_as_any_other(founded: House, nick: str) -> None:
    founded.ask(f"id-{nick}", SetModes("#den", changes("-o", "fay")))
    assert founder(founded) == ""
    founded.ask("id-mark", SetModes("#den", changes("+o", "fay")))
    assert founder(founded) == ""
    founded.ask("id-mark", Kick("#den", "fay"))
    founded.come("fay", "#den")
    assert founded.status("fay", "#den") == ""


def test_who_removes_an_old_connection_of_theirs_keeps_the_room(founded: House) -> None:
    founded.happen(Arrived("phone", "id-phone", Origin(account="fay"), "=fay", password_id=1))
    founded.ask("id-phone", Join("#den"))
    founded.ask("id-phone", Kick("#den", "fay"))
    assert (founder(founded), founded.status("phone", "#den")) == ("=fay", "o")
    founded.come("fay", "#den")
    assert founded.status("fay", "#den") == "o"


def test_a_founder_is_never_forgotten() -> None:
    """A rogue operator makes as many others as there may be, who have all come later."""
    house = House("fay", "mark")
    house.come("fay", "#den")
    house.come("mark", "#den")
    house.set("#den", "+o", "mark")
    for number in range(STANDING_MAX + 5):
        house.come(f"n{number}", "#den")
        house.ask("id-mark", SetModes("#den", changes("+o", f"n{number}")))
    house.go("fay")
    house.come("fay", "#den")
    assert (founder(house), house.status("fay", "#den")) == ("=fay", "o")


# ── who registers, logs in or out in a room ────────────────────────────────────────────────────


@pytest.mark.parametrize("known", [True, False])
def test_who_has_made_a_room_and_registers_is_its_founder(house: House, known: bool) -> None:
    house.come("olga", "#den", known=known)
    house.come("mark", "#den")
    house.become("olga", Register("x"))
    assert founder(house) == house.person("olga").identity
    house.set("#den", "+o", "mark")
    refused = refusal(house.decide("id-mark", Kick("#den", "olga")))
    assert refused.code is Code.NEED_OP


@pytest.mark.parametrize("known", [True, False])
def test_and_so_is_who_logs_in(known: bool) -> None:
    house = House("fay")
    house.come("guest", "#den", known=known)
    house.become("guest", LogIn("fay", password_id=1))
    assert founder(house) == "=fay"
    house.go("guest")
    house.come("fay", "#den")
    assert house.status("fay", "#den") == "o"


def test_who_was_only_made_an_operator_keeps_that_and_founds_nothing() -> None:
    house = House()
    house.come("olga", "#den", known=False)
    house.come("mark", "#den", known=False)
    house.set("#den", "+o", "mark")
    house.become("mark", Register("x"))
    assert founder(house) == ""
    house.ask("id-olga", SetModes("#den", changes("-o", "mark")))
    assert house.status("mark", "#den") == ""


def test_nobody_founds_a_room_that_has_another_operator_who_may_come_again(house: House) -> None:
    house.come("olga", "#den")
    house.come("mark", "#den", known=False)
    house.set("#den", "+o", "mark")
    house.go("olga")
    house.become("mark", Register("x"))
    assert founder(house) == ""


def test_nobody_founds_the_lobby() -> None:
    house = House()
    house.come("boss", "#lobby", known=False)
    house.make_operator("boss")
    house.come("mark", "#lobby", known=False)
    house.ask("id-boss", SetModes("#lobby", changes("+o", "mark")))
    house.become("mark", Register("x"))
    assert (founder(house, "#lobby"), house.status("mark", "#lobby")) == ("", "o")
    house.go("mark")
    house.go("boss")
    house.restart()
    house.come("eve", "#lobby")
    house.come("mark", "#lobby")
    assert (house.status("eve", "#lobby"), house.status("mark", "#lobby")) == ("", "o")


def test_who_logs_out_leaves_the_status_to_the_account(founded: House) -> None:
    founded.become("mark", LogOut())
    assert founded.status("mark", "#den") == ""
    assert "o" in founded.chat.rooms["#den"].state.standing["=mark"].letters
    founded.become("mark", LogIn("mark", password_id=1))
    assert founded.status("mark", "#den") == "o"


def test_one_account_brings_nothing_to_another(founded: House) -> None:
    founded.happen(AccountMade("zoe", identity_by_name("zoe")))
    founded.become("fay", LogIn("zoe", password_id=1))
    assert founded.status("fay", "#den") == ""
    assert "=zoe" not in founded.chat.rooms["#den"].state.standing
    assert founder(founded) == "=fay"


def test_a_deleted_account_leads_nothing(founded: House) -> None:
    founded.become("fay", DropAccount("fay"))
    assert founded.status("fay", "#den") == ""
    founded.ask("id-mark", Kick("#den", "fay"))
    founded.become("mark", DropAccount("mark"))
    for nick in ("mark", "olga", "boss", "chief", "eve"):
        founded.go(nick)
    founded.restart()
    founded.happen(AccountMade("zoe", identity_by_name("zoe")))
    founded.come("zoe", "#den")
    assert (founder(founded), founded.status("zoe", "#den")) == ("=zoe", "o")


# ── what only those with an account may ────────────────────────────────────────────────────────

ONLY = "Only people with an account may {}: register your nickname, or log in."


@pytest.fixture
def strict() -> House:
    """Fay leads #den, with accounts only; Mark has one, Eve has none; Vera has a voice."""
    house = House("fay", "mark", "boss")
    for nick in ("fay", "eve", "vera"):
        house.come(nick, "#den", known=False)
    house.come("mark")
    house.come("gus")
    house.come("boss")
    house.set("#den", "+RMv", "vera")
    return house


@pytest.mark.parametrize(
    ("modes", "nick", "may"),
    [
        ("", "mark", True),
        ("", "gus", False),
        ("+I gus", "gus", False),
        ("-R", "gus", True),
        ("+i", "mark", False),
    ],
)
def test_only_accounts_enter(strict: House, modes: str, nick: str, may: bool) -> None:
    if modes:
        strict.set("#den", *modes.split())
    [outcome] = strict.decide(f"id-{nick}", Join("#den"))
    assert isinstance(outcome, Joined) is may
    if nick == "gus" and not may:
        why = ONLY.format("enter #den")
        assert outcome == Refused(why, Code.NEED_ACCOUNT, ("#den",))


def test_who_has_none_is_invited_or_is_an_operator(strict: House) -> None:
    strict.ask("id-fay", Invite("#den", "gus"))
    strict.ask("id-gus", Join("#den"))
    strict.set("#den", "+o", "gus")
    strict.ask("id-gus", Leave("#den"))
    strict.ask("id-gus", Join("#den"))
    assert strict.status("gus", "#den") == "o"


@pytest.mark.parametrize(
    ("nick", "may"), [("fay", True), ("mark", True), ("vera", True), ("eve", False)]
)
def test_only_accounts_speak(strict: House, nick: str, may: bool) -> None:
    strict.ask("id-mark", Join("#den"))
    for request in (Say("#den", "hi"), TagMessage("+typing=active", "#den")):
        [outcome] = strict.decide(f"id-{nick}", request)
        if may:
            assert not isinstance(outcome, Refused)
        else:
            assert outcome == Refused(
                ONLY.format("speak in #den"), Code.NEED_ACCOUNT_TO_SAY, ("#den",)
            )


def test_who_cannot_speak_for_want_of_an_account_gets_one(strict: House) -> None:
    strict.become("eve", Register("x"))
    assert not isinstance(strict.decide("id-eve", Say("#den", "hi"))[0], Refused)
    strict.become("eve", LogOut())
    assert refusal(strict.decide("id-eve", Say("#den", "hi"))).code is Code.NEED_ACCOUNT_TO_SAY


@pytest.mark.parametrize(
    ("nick", "may"), [("mark", True), ("boss", True), ("vera", True), ("eve", False)]
)
def test_only_accounts_write_to_who_wants_that(strict: House, nick: str, may: bool) -> None:
    """Operators of the server may, and people to themselves."""
    strict.become("boss", LogOut())
    strict.make_operator("boss")
    strict.ask("id-vera", SetUserModes((Change(True, "R"),)))
    for request in (DirectMessage("vera", "hi"), TagMessage("+typing=active", nick="vera")):
        [outcome] = strict.decide(f"id-{nick}", request)
        if may:
            assert not isinstance(outcome, Refused)
        else:
            why = ONLY.format("write to vera")
            assert outcome == Refused(why, Code.NEED_ACCOUNT, ("vera",))


@pytest.mark.parametrize(
    ("modes", "enters", "speaks"),
    [
        ("+b a:mark", False, False),
        ("+b A:MARK", False, False),
        ("+b a:*", False, False),
        ("+b m:a:mark", True, False),
        ("+b M:A:M*", True, False),
        ("+b a:marc", True, True),
        ("+b mark", True, True),
        ("+be *!*@* a:mark", True, True),
        ("+be *!*@* a:fay", False, False),
        ("+iI a:mark", True, True),
        ("+iI a:fay", False, True),
    ],
)
def test_an_account_is_meant_whatever_the_nickname(modes: str, enters: bool, speaks: bool) -> None:
    house = House("fay", "mark")
    house.come("fay", "#den")
    mark = Origin(account="mark")
    house.happen(Arrived("robert", "id-robert", mark, "=mark", password_id=1))
    house.ask("id-fay", SetModes("#den", changes(*modes.split())))
    assert (house.refused("robert", "#den") is None) is enters
    house.put("robert", "#den")
    assert isinstance(house.decide("id-robert", Say("#den", "hi"))[0], Refused) is not speaks


def test_who_only_has_such_a_nickname_is_not_meant() -> None:
    house = House("fay", "mark")
    house.come("fay", "#den")
    house.set("#den", "+b", "a:eve")
    house.come("eve", known=False)
    assert house.refused("eve", "#den") is None
    house.set("#den", "-b", "A:EVE")
    assert house.chat.rooms["#den"].state.masks == ()


# ── whatever they do ───────────────────────────────────────────────────────────────────────────

NICKS = ["ann", "ben", "cat", "dan"]
_nicks = st.sampled_from(NICKS)
_modes = st.builds(
    lambda modes, nick: SetModes("#den", changes(modes, nick)),
    st.sampled_from(["+o", "-o", "+v", "+b", "+k", "-k", "+i", "-i", "+R"]),
    _nicks,
)
_steps = st.one_of(
    st.sampled_from(["go", "come with a secret", "come", "come", "restart", "save"]),
    st.sampled_from([Join("#den"), Join("#den", "ann"), Leave("#den")]),
    st.sampled_from([LogOut(), Register("x")]),
    st.builds(LogIn, _nicks, st.just("x")),
    st.builds(DropAccount, _nicks),
    st.builds(Kick, st.just("#den"), _nicks),
    st.just(RenameRoom("#den", "#Den")),
    _modes,
)
STEPS = st.lists(st.tuples(_nicks, _steps), min_size=20, max_size=60)


class Den(House):
    """Looks at each event, whoever has made it: who leads the room by it, and who led it before."""

    def __init__(self) -> None:
        super().__init__("ann", "ben")
        for nick in NICKS:
            self.come(nick, "#den", known=False)
        self.set("#den", "+oo", "ben", "cat")
        assert self.state.founder == "=ann"
        self.saved = (0, encode_state(self.chat.rooms["#den"].state))

    @property
    def state(self) -> RoomState:
        return self.chat.rooms["#den"].state

    def leaders(self) -> tuple[set[str], set[str]]:
        """The ids of those who lead it, and the identities that it remembers."""
        live = {who for who, letters in self.chat.rooms["#den"].status.items() if "o" in letters}
        return live, {who for who, kept in self.state.standing.items() if "o" in kept.letters}

    def step(self, nick: str, what: str | Request) -> None:
        is_here = f"id-{nick}" in self.chat.people
        if what == "restart":
            self.restart()
            self.open("#den")
        elif what == "save":
            self.saved = (len(self.entries), encode_state(self.state))
        elif what == "go" and is_here:
            self.go(nick)
        elif isinstance(what, str) and not is_here and what != "go":
            shown = f"~{nick}" if "secret" in what else ""
            account, identity = self.chat.realm.who(shown)
            origin = Origin(account=account)
            self.happen(Arrived(nick, f"id-{nick}", origin, identity, key=shown))
            self.step(nick, Join("#den", "ann"))
        elif not isinstance(what, str) and is_here:
            if isinstance(what, Register | LogIn | LogOut | DropAccount):
                if not any(isinstance(o, Refused) for o in self.decide(f"id-{nick}", what)):
                    self.become(nick, what)
            else:
                for event in self.decide(f"id-{nick}", what):
                    if isinstance(event, Event):
                        self.happen(event)

    def happen(self, event: Event) -> object:  # type: ignore[override]
        if "#den" not in self.chat.rooms or not self.state.founder:
            return super().happen(event)
        before, (live, kept) = self.state, self.leaders()
        is_led = self.chat.realm.named(before.founder) is not None
        result = super().happen(event)
        now_live, now_kept = self.leaders()
        by = getattr(event, "user_id", "")
        if is_led and not (isinstance(event, ModesSet) and by in live):
            assert all(self.chat.people[who].identity in kept for who in now_live - live)
            assert now_kept <= kept
        if is_led and (self.state.founder != before.founder or isinstance(event, RoomRenamed)):
            assert self.chat.people[by].identity == before.founder
        return result

    def check(self) -> None:
        since, saved = self.saved
        log = [entry for entry in self.entries[since:] if entry.room == "#den"]
        assert reduce(after, log, decode_state(saved)) == self.state == self.state_from_log("#den")
        if self.state.founder:
            assert "o" in self.state.standing[self.state.founder].letters


@given(steps=STEPS)
def test_a_room_with_a_founder_is_led_only_by_whom_somebody_has_let_lead(
    steps: list[tuple[str, str | Request]],
) -> None:
    den = Den()
    for step in steps:
        den.step(*step)
        den.check()
