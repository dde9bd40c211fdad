"""Whatever somebody asks for who has no rights, nobody has other rights afterwards; and nobody who
may not speak gets to speak by becoming somebody else.
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring import Ring, changes, refusal
from trio_chat.core.commands import (
    Announce,
    ClearMetadata,
    Confidential,
    DropAccount,
    DropKey,
    Invite,
    Join,
    Kick,
    Leave,
    LiftBan,
    LiftRoomBan,
    LockChat,
    LogIn,
    LogOut,
    MakeKey,
    Register,
    Rename,
    Request,
    RevokeInvitation,
    Say,
    SetBan,
    SetMetadata,
    SetModes,
    SetPassword,
    SetRoomBan,
    SetTopic,
    SetUserModes,
    UnlockChat,
)
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import AccountMade, Banned, Change, Event, KeyMade, Locked, ModesSet
from trio_chat.core.views import AwayReply, Metadata, Notice, Refused

NICKS = ("olga", "alice", "bob", "eve", "mallory", "nobody")
NICK = st.sampled_from(NICKS)
WHOM = st.sampled_from([*NICKS, "a:bob", "*!*@*", "192.0.2.1", "1", "2"])
ROOM = st.sampled_from(["#tea", "#tea", "#other"])
MODES = st.sampled_from(["+o", "-o", "+v", "+b", "-b", "+e", "+I", "-I", "+i", "+k", "-n"])
REQUESTS = st.one_of(
    st.builds(SetBan, WHOM, st.integers(0, 9), st.booleans()),
    st.builds(LiftBan, WHOM),
    st.builds(LockChat, st.integers(0, 9)),
    st.just(UnlockChat()),
    st.builds(SetRoomBan, st.just("#tea"), WHOM, st.integers(0, 9), st.booleans()),
    st.builds(LiftRoomBan, st.just("#tea"), WHOM),
    st.builds(Kick, st.just("#tea"), NICK),
    st.builds(lambda modes, nick: SetModes("#tea", changes(modes, nick)), MODES, NICK),
    st.builds(Invite, st.just("#tea"), NICK),
    st.builds(SetTopic, st.just("#tea"), st.just("words")),
    st.builds(lambda add: SetUserModes((Change(add, "o"), Change(add, "i"))), st.booleans()),
    st.builds(Announce, st.just("words")),
    st.builds(RevokeInvitation, st.just("aa")),
    st.builds(DropAccount, NICK),
    st.builds(DropKey, key=st.sampled_from(["~bob", "~mallory"])),
    st.builds(MakeKey, st.just("label"), st.just("~bob")),
    st.builds(SetPassword, st.just("x")),
    st.builds(Register, st.just("x")),
    st.just(LogOut()),
    st.builds(Rename, st.sampled_from(["mal", "0lga", "mallory"])),
    st.builds(SetMetadata, st.just((("url", "x"),)), room=ROOM),
    st.builds(ClearMetadata, nick=NICK),
    st.builds(Join, ROOM),
    st.builds(Leave, ROOM),
)


def house(*, locked: bool) -> Ring:
    """Alice leads #tea, olga is an operator of the server, and eve is banned."""
    ring = Ring()
    for nick in ("alice", "bob", "eve", "mallory"):
        ring.enter(nick, "#tea", identity=f"~{nick}", address="192.0.2.1")
    ring.enter("olga", address="198.51.100.1")
    ring.make_operator("olga")
    ring.happen(AccountMade("bob", "~bob", "id-bob", "~bob"))
    ring.set("#tea", "+bI", "rob!*@*", "ann!*@*")
    ring.happen(Banned(1, "mask", "eve!*@*", mute=True))
    if locked:
        ring.happen(Locked())
    return ring


def rights(ring: Ring) -> list[Any]:
    chat = ring.chat
    room = chat.rooms["#tea"]
    state = room.state
    others = [person for user_id, person in chat.people.items() if user_id != "id-mallory"]
    return [
        (state.flags, state.key, state.limit, state.masks, state.founder, state.metadata),
        {who: standing.letters for who, standing in state.standing.items()},
        {user_id: letters for user_id, letters in room.status.items() if letters},
        dict(room.invited),
        [
            (p.user_id, p.is_operator, p.limit, p.origin.account, p.identity, [*p.rooms])
            for p in others
        ],
        [p.user_id for p in chat.people.values() if p.is_operator],
        dict(chat.realm.bans.all),
        chat.realm.lock,
        [a for a in chat.realm.accounts.values() if a.name == "bob" or a.operator],
        dict(chat.realm.invitations),
    ]


def events(outcomes: Outcomes) -> list[Event]:
    return [o for o in outcomes if not isinstance(o, Refused | AwayReply | Metadata | Notice)]  # type: ignore[misc]


@given(st.lists(REQUESTS, max_size=12), st.booleans())
def test_nobody_without_rights_changes_the_rights_of_anybody(
    requests: list[Request | Confidential], locked: bool
) -> None:
    ring = house(locked=locked)
    before = rights(ring)
    for request in requests:
        for event in events(ring.decide("id-mallory", request)):  # type: ignore[arg-type]
            ring.happen(event)
    assert rights(ring) == before


MUTES = [
    Banned(1, "account", "mallory", mute=True),
    Banned(1, "mask", "pl!*@*", mute=True),
    ModesSet("#tea", "alice", (Change(True, "b", "m:a:mallory"),), "id-alice"),
    ModesSet("#tea", "alice", (Change(True, "b", "a:mallory"),), "id-alice"),
]
ACCOUNTS = st.sampled_from(["mallory", "other"])
IDENTITIES = st.one_of(
    st.builds(lambda name: LogIn(name, password_id=1), ACCOUNTS),
    st.builds(lambda key: LogIn("other", key=key), st.just("~key")),
    st.just(LogOut()),
    st.builds(DropAccount, ACCOUNTS),
    st.just(DropKey(key="~key")),
    st.builds(Register, st.just("x")),
    st.builds(Rename, st.sampled_from(["mallory", "other", "somebody"])),
    st.just(Leave("#tea")),
    st.just(Join("#tea")),
)


@pytest.mark.parametrize("mute", MUTES)
@given(st.lists(IDENTITIES, max_size=8))
def test_nobody_who_is_muted_speaks_by_becoming_somebody_else(
    mute: Event, requests: list[Request | Confidential]
) -> None:
    """Mallory is called pl, leads nothing, and has two accounts."""
    ring = Ring()
    ring.enter("alice", "#tea")
    ring.enter("pl", "#tea")
    ring.happen(AccountMade("mallory", "=mallory", ""))
    ring.happen(AccountMade("other", "=other", ""))
    ring.happen(KeyMade("other", "~key", "device"))
    ring.ask("id-pl", LogIn("mallory", password_id=1))
    ring.happen(mute)
    for request in requests:
        for event in events(ring.decide("id-pl", request)):  # type: ignore[arg-type]
            ring.happen(event)
        refusal(ring.decide("id-pl", Say("#tea", "hi")))
