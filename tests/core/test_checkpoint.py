"""A checkpoint and the entries after it make the same state as all entries from the beginning."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ring import Ring, changes, heard
from trio_chat.core.chat import Chat
from trio_chat.core.checkpoint import Checkpoint, checkpoint, restore
from trio_chat.core.commands import (
    BlockAccount,
    Invite,
    Join,
    Kick,
    Leave,
    LiftBan,
    LockChat,
    Prefer,
    Rename,
    RenameRoom,
    Request,
    Say,
    SetAway,
    SetBan,
    SetMetadata,
    SetModes,
    SetName,
    SetRoomBan,
    SetTopic,
    SetUserModes,
    UnlockChat,
)
from trio_chat.core.events import (
    AccountDropped,
    AccountMade,
    AccountReset,
    AccountSet,
    AccountUnblocked,
    Announced,
    Arrived,
    Attached,
    Departed,
    Detached,
    DeviceEnded,
    Entry,
    Event,
    Got,
    InvitationRevoked,
    InvitationUsed,
    KeyDropped,
    KeyMade,
    Killed,
    Looked,
    OperatorDropped,
    OperatorMade,
    Origin,
    PasswordSet,
    PlaceSet,
    ReadUpTo,
    Redacted,
    Reported,
    RoomClosed,
    RoomOpened,
    Signalled,
    Unknown,
)
from trio_chat.core.names import fold
from trio_chat.core.views import Delivery, RoomMoved, RoomWelcome
from trio_chat.storage.typed_json import from_json, to_json

NICKS, ROOMS = ("alice", "bob", "carol", "dave"), ("#a", "#B", "#c")


class Fold(Ring):
    """All that happens is in ``fold``: rooms, too, open and close by entries."""

    def __init__(self) -> None:
        super().__init__(replay=3)
        self.fold: list[Entry] = []
        self.devices = 0

    def happen(self, event: Event) -> Sequence[Delivery]:
        deliveries = super().happen(event)
        self.fold.append(self.entries[-1]._replace(event=event))
        return deliveries

    def open(self, room: str) -> None:
        if fold(room) not in self.chat.rooms:
            self.happen(RoomOpened(room, self.state_from_log(room)))

    def request(self, nick: str, request: Request) -> None:
        """Whatever it leads to, if anything."""
        if f"id-{nick}" in self.chat.people:
            for outcome in self.decide(f"id-{nick}", request):
                if isinstance(outcome, Event):
                    self.happen(outcome)

    def new_device(self) -> str:
        self.devices += 1
        return f"id-{self.devices}"


# ── what may happen: by its doer, somebody else, a room, and a number ──────────────────────────

Action = Callable[[Fold, str, str, str, int], object]


def arrive(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if f"id-{me}" in it.chat.people:
        return
    account = it.chat.realm.account(me)
    known = (account.identity if account else f"~{you}") if n % 2 else ""
    origin = Origin(me, f"192.0.2.{n}", me, account.name if account and known else "", bot=n == 3)
    it.happen(
        Arrived(
            me, f"id-{me}", origin, known, secure=n > 3, key=f"key-{me}" if n == 5 else "",
            password_id=1, address=f"192.0.2.{n}", client="a client", one_room=n == 1,
            absent=n == 5 and account is not None,
        )
    )  # fmt: skip


def attach(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if (person := it.chat.people.get(f"id-{me}")) and person.origin.account:
        device, at = it.new_device(), f"198.51.100.{n}"
        it.happen(
            Attached(
                person.nick, person.user_id, device, person.origin, n > 3, f"key-{me}", 1, at, "x",
                one_room=n == 2, rooms=(fold(room),) if n > 3 else (),
            )
        )  # fmt: skip
        it.happen(Looked(room, person.nick, person.user_id, person.origin, device))


def detach(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if (person := it.chat.people.get(f"id-{me}")) and person.devices:
        device = person.devices[n % len(person.devices)].id
        seen = it.fold[-1].id if n % 2 else ""
        it.happen(Detached(person.nick, person.user_id, device, person.origin, seen))


def depart(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if person := it.chat.people.get(f"id-{me}"):
        device, rooms = person.device().id, tuple(person.rooms)
        seen = it.fold[-1].id if n % 2 else ""
        it.happen(
            Departed(
                person.nick, person.user_id, "bye", person.origin, rooms, seen,
                via="" if device == person.user_id else device,
            )
        )  # fmt: skip


def register(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if (person := it.chat.people.get(f"id-{me}")) and not it.chat.realm.owners(me):
        identity = person.known_as or f"={me}"
        it.happen(AccountMade(me, identity, person.user_id, f"key-{me}", operator=n == 0))


def log_in(it: Fold, me: str, you: str, room: str, n: int) -> None:
    account, person = it.chat.realm.account(you), it.chat.people.get(f"id-{me}")
    if account and person:
        origin = replace(person.origin, account=account.name)
        it.happen(AccountSet(me, person.user_id, origin, account.identity, f"key-{you}", n % 3))


def log_out(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if person := it.chat.people.get(f"id-{me}"):
        it.happen(AccountSet(me, person.user_id, replace(person.origin, account="")))


def read(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if person := it.chat.people.get(f"id-{me}"):
        identity = person.known_as if n > 3 else ""
        it.happen(ReadUpTo(room, n, person.user_id, identity, quiet=n == 2))


def rule(it: Fold, me: str, you: str, room: str, n: int) -> None:
    if f"id-{me}" in it.chat.people:
        it.make_operator(me)


def ask(make: Callable[[Fold, str, str, int], Request]) -> Action:
    return lambda it, me, you, room, n: it.request(me, make(it, you, room, n))


def ask_as_operator(make: Callable[[Fold, str, str, int], Request]) -> Action:
    def do(it: Fold, me: str, you: str, room: str, n: int) -> None:
        operator = next(iter(it.chat.by_mode["o"]), f"id-{me}")
        it.request(operator.removeprefix("id-"), make(it, you, room, n))

    return do


def of_account(make: Callable[[str, int], Event]) -> Action:
    return lambda it, me, you, room, n: it.happen(make(me, n))


MODES = (
    lambda you, n: changes("+o", you),
    lambda you, n: changes("-o", you),
    lambda you, n: changes("+v", you),
    lambda you, n: changes("+bk", f"{you}!*@*", "key"),
    lambda you, n: changes("+il", "3"),
    lambda you, n: changes("-ib", f"{you}!*@*"),
)
USER_MODES = ("+i", "-i", "+B", "+w", "-o", "-B")
WHOM = ("192.0.2.1", "198.51.100.0/24", "alice!*@*", "a:bob", "carol", "*!*@192.0.2.3")

ACTIONS: Mapping[str, Action] = {
    "arrive": arrive,
    "attach": attach,
    "detach": detach,
    "depart": depart,
    "join": ask(lambda it, you, room, n: Join(room, "key" if n else "")),
    "leave": ask(lambda it, you, room, n: Leave(room)),
    "close": lambda it, me, you, room, n: it.happen(RoomClosed(room)),
    "open": lambda it, me, you, room, n: it.open(room),
    "say": ask(lambda it, you, room, n: Say(room, "hi")),
    "kick": ask(lambda it, you, room, n: Kick(room, you)),
    "invite": ask(lambda it, you, room, n: Invite(room, you)),
    "nick": ask(lambda it, you, room, n: Rename(f"{you}{n or ''}")),
    "topic": ask(lambda it, you, room, n: SetTopic(room, f"topic {n}")),
    "modes": ask(lambda it, you, room, n: SetModes(room, MODES[n](you, n))),
    "rename": ask(lambda it, you, room, n: RenameRoom(room, ROOMS[n % 3])),
    "room ban": ask(lambda it, you, room, n: SetRoomBan(room, you, n * 60, mute=n > 3)),
    "metadata": ask(lambda it, you, room, n: SetMetadata((("key", f"{n}"),), room * (n % 2))),
    "user modes": ask(lambda it, you, room, n: SetUserModes(changes(USER_MODES[n]))),
    "away": ask(lambda it, you, room, n: SetAway("out" * (n % 2))),
    "name": ask(lambda it, you, room, n: SetName(f"name {n}")),
    "register": register,
    "log in": log_in,
    "log out": log_out,
    "read": read,
    "rule": rule,
    "ban": ask_as_operator(lambda it, you, room, n: SetBan(WHOM[n], n * 60, mute=n % 2 == 0)),
    "unban": ask_as_operator(lambda it, you, room, n: LiftBan(f"{n}")),
    "lock": ask_as_operator(lambda it, you, room, n: LockChat(n * 60)),
    "unlock": ask_as_operator(lambda it, you, room, n: UnlockChat()),
    "block": ask(lambda it, you, room, n: BlockAccount(you)),
    "always on": ask(lambda it, you, room, n: Prefer("always-on", n > 1)),
    "key": of_account(lambda me, n: KeyMade(me, f"key-{me}{n or ''}", "a device", n > 2)),
    "no key": of_account(lambda me, n: KeyDropped(me, f"key-{me}{n or ''}", f"id-{me}")),
    "password": of_account(lambda me, n: PasswordSet(me, f"id-{me}")),
    "drop": of_account(lambda me, n: AccountDropped(me, by="operator")),
}

# Much else takes the first of these; after the others there is less than before.
OFTEN = ("arrive", "register", "attach", "join")
SELDOM = ("drop", "password", "depart", "close", "kick", "no key")


def run(seed: int, steps: int) -> Fold:
    """All come, the first of them as an operator; then anything, one after the other, mostly by
    those who are here, and often where they are.
    """
    chance, it = random.Random(seed), Fold()
    names = [name for name in ACTIONS for _ in range(1 if name in SELDOM else 4)]
    names += OFTEN * 4
    for number, nick in enumerate(chance.sample(NICKS, 4)):
        arrive(it, nick, nick, "", chance.randrange(5))
        it.request(nick, Join(ROOMS[number % 2]))
    rule(it, NICKS[0], "", "", 0)
    for _ in range(steps):
        (me, you), room = chance.choices(NICKS, k=2), chance.choice(ROOMS)
        if it.chat.people and chance.random() < 0.8:
            person = it.chat.people[chance.choice([*it.chat.people])]
            me = person.user_id.removeprefix("id-")
            if person.rooms and chance.random() < 0.8:
                room = chance.choice([*person.rooms])
                you = chance.choice([one.nick for one in it.chat.rooms[room].members.values()])
        ACTIONS[chance.choice(names)](it, me, you, room, chance.randrange(6))
    return it


SEEDS = st.integers(0, 2**32)


def fresh() -> Chat:
    return Chat(replay=3, rooms_each=100)


def whole(chat: Chat) -> object:
    """All of a state, but for what is a node's own."""
    found = vars(chat)
    names = ("people", "further", "empty", "realm", "by_nick", "by_look", "absent", "known", "most")
    rooms = [(name, [*room.members], room.status, room.left) for name, room in chat.rooms.items()]
    past = [(p.nick, p.origin, p.identity, p.addresses, at) for p, at in chat.past]
    return {name: found[name] for name in (*names, "by_mode")}, [*chat.people], rooms, past


def told(chat: Chat, deliveries: Sequence[Delivery]) -> object:
    """Who is told what; of a room that somebody sees anew, not who is there, or what was said."""
    return [(_in_short(shown), people) for shown, people in heard(chat, deliveries)]


def _in_short(shown: object) -> object:
    match shown:
        case RoomWelcome():
            return replace(shown, recent=())
        case RoomMoved(event):
            return event
    return shown


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, steps=st.integers(0, 120))
def test_the_state_at_any_entry_is_a_checkpoint_and_the_entries_after_it(
    seed: int, steps: int
) -> None:
    entries = run(seed, steps).fold
    first, checkpoints, all_told = fresh(), [checkpoint(fresh(), "")], []
    for entry in entries:
        all_told.append(told(first, first.apply(entry)))
        checkpoints.append(checkpoint(first, entry.id))
    for number, found in enumerate(checkpoints):
        written = to_json(found)
        read = from_json(Checkpoint, written)
        assert read == found
        chat = fresh()
        restore(chat, read)
        assert to_json(checkpoint(chat, found.id)) == written
        for entry, expected in zip(entries[number:], all_told[number:], strict=True):
            assert told(chat, chat.apply(entry)) == expected
        last = entries[-1].id if entries else ""
        assert to_json(checkpoint(chat, last)) == to_json(checkpoints[-1])
        assert whole(chat) == whole(first)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS)
def test_two_who_are_fed_the_same_are_equal(seed: int) -> None:
    it, other = run(seed, 200), fresh()
    for entry in it.fold:
        other.apply(entry)
    assert to_json(checkpoint(other, "")) == to_json(checkpoint(it.chat, ""))
    assert whole(other) == whole(it.chat)


def test_a_ban_that_counts_for_somebody_ends_for_them() -> None:
    it, chat = Fold(), fresh()
    for nick in ("alice", "bob"):
        it.enter(nick, "#a", address="192.0.2.1" if nick == "bob" else "")
    it.make_operator("alice")
    it.request("alice", SetBan("192.0.2.1", mute=True))
    restore(chat, from_json(Checkpoint, to_json(checkpoint(it.chat, it.fold[-1].id))))
    assert chat.people["id-bob"].limit == it.chat.realm.bans.all[1]
    it.request("alice", LiftBan("1"))
    chat.apply(it.fold[-1])
    assert chat.people["id-bob"].limit is None


def test_a_checkpoint_does_not_change_with_the_state() -> None:
    it = run(1, 60)
    found = checkpoint(it.chat, "1")
    written = to_json(found)
    for nick in NICKS:
        depart(it, nick, nick, "", 1)
    assert to_json(found) == written


# Those that change nothing of the state that others do not.
OTHERS = (
    Signalled | Redacted | PlaceSet | Announced | Killed | Reported | OperatorMade | OperatorDropped
    | AccountReset | AccountUnblocked | InvitationUsed | InvitationRevoked | DeviceEnded | Got
    | Unknown
)  # fmt: skip


def test_all_that_changes_the_state_happens() -> None:
    """Or the properties above would say little."""
    happened = {type(entry.event) for seed in range(100) for entry in run(seed, 80).fold}
    assert {*get_args(Event)} - {*get_args(OTHERS)} <= happened
