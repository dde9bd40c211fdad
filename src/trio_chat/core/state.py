"""The state of the chat: who is here, and in which rooms."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from trio_chat.core.events import Entry
from trio_chat.core.interest import Interest
from trio_chat.core.metadata import Values
from trio_chat.core.modes import STATUS, USER_MODES
from trio_chat.core.names import fold
from trio_chat.core.networks import IpNetwork
from trio_chat.core.realm import Realm
from trio_chat.core.room import Person, Room
from trio_chat.core.room_state import Mask, RoomState

# The last people who have gone, or changed their nickname, of whom WHOWAS can still tell.
_PAST_MAX = 1000


class State:
    """People by id, rooms by folded name.

    ``replay`` is the number of messages that a newcomer is shown, ``rooms_each`` the most rooms
    that one person may be in. The ``lobby`` belongs to the operators of the server. For
    ``redact_hours`` people may remove what they have said. With ``accounts_only`` people without
    an account can only listen, and register or log in. With ``is_open`` anybody may
    come in as a guest.
    """

    def __init__(
        self, *, replay: int, rooms_each: int = 1000, lobby: str = "", redact_hours: int = 24
    ) -> None:
        self.replay, self.rooms_each, self.lobby = replay, rooms_each, lobby
        self.redact_hours = redact_hours
        self.people: dict[str, Person] = {}
        self.further: dict[str, Person] = {}  # by the ids of all but their first connections
        self.rooms: dict[str, Room] = {}
        self.empty: set[str] = set()  # rooms that nobody is in
        # Rooms that have been closed, with the id by which they were, and their states then.
        self.closed: dict[str, tuple[str, RoomState]] = {}
        self.realm = Realm()
        self.accounts_only = False
        self.is_open = False
        self.operators: frozenset[str] = frozenset()  # accounts, folded, by the settings
        self.nodes: Mapping[str, str] = {}  # by id, the names of those that are this chat
        self.contact = ""  # where those who are kept out can turn to
        self.proxies: tuple[IpNetwork, ...] = ()  # that connect for others
        self.own: frozenset[IpNetwork] = frozenset()  # the server's own addresses
        self.banned: dict[str, None] = {}  # ids of people who are still here, and must go
        self.by_nick: dict[str, Person] = {}
        self.by_look: dict[str, Person] = {}  # by all looks of their nicknames
        self.absent: dict[str, Person] = {}  # those of whom no device is connected
        self.known: dict[str, dict[str, Person]] = {}  # by identity; several, if one comes twice
        self.by_mode: dict[str, dict[str, Person]] = {letter: {} for letter in USER_MODES}
        self.past: deque[tuple[Person, int]] = deque(maxlen=_PAST_MAX)  # with when they went
        self.most = 0  # the most people who have been here at once
        self.watchers = Interest()  # of connections, in folded nicknames
        self.subscribers = Interest()  # of connections, in keys of metadata

    def rules(self, account: str) -> bool:
        """Whether the owner of an account is an operator of the server."""
        found = self.realm.account(account)
        return found is not None and (found.operator or fold(found.name) in self.operators)

    def has_operator(self) -> bool:
        """Whether any account is an operator's."""
        accounts = self.realm.accounts
        return any(name in accounts for name in self.operators) or any(
            account.operator for account in accounts.values()
        )

    def unregistered_operators(self) -> list[str]:
        """The names that the settings make operators of, and that are no account yet."""
        return sorted(self.operators - self.realm.accounts.keys())

    def person(self, nick: str) -> Person | None:
        """The person who has this nickname now."""
        return self.by_nick.get(fold(nick))

    def gone(self, nick: str) -> Person | None:
        """The last one who had this nickname and has gone, or has another one now."""
        name = fold(nick)
        return next((one for one, _ in reversed(self.past) if fold(one.nick) == name), None)

    def owner(self, device: str) -> Person | None:
        """The person who is here on a connection."""
        return self.further.get(device) or self.people.get(device)

    def of_account(self, account: str) -> Person | None:
        """The person who is logged in to an account; the one who has its name, if there are two."""
        found = self.realm.account(account) if account else None
        same = [*self.same(found.identity).values()] if found else []
        named = (person for person in same if fold(person.nick) == fold(account))
        return next(named, same[0] if same else None)

    def same(self, identity: str) -> Mapping[str, Person]:
        """The people of an identity, by id."""
        person = self.people.get(identity)
        if person and person.identity == identity:  # as it is with those who are not known
            return {identity: person}
        return self.known.get(identity, {})

    def is_always_on(self, person: Person) -> bool:
        """Whether somebody stays here when none of their devices is connected."""
        return fold(person.origin.account) in self.realm.always_on

    def is_here(self, identity: str) -> bool:
        """Whether anybody of this identity is connected."""
        return any(not person.is_absent for person in self.same(identity).values())

    def room(self, name: str) -> Room | None:
        """The room of this name, if it is open."""
        return self.rooms.get(fold(name))

    def name(self, room: str) -> str:
        """The name of an open room as its first member wrote it."""
        return self.rooms[fold(room)].state.name

    def open_room(self, state: RoomState, *, unread: str = "") -> None:
        """Take up a room where its log left it. What was said up to the entry ``unread`` is told
        to newcomers once it has been looked up.
        """
        room = Room(state, deque(maxlen=self.replay), left={**state.left}, unread=unread)
        self.rooms[fold(state.name)] = room
        self.empty.add(fold(state.name))

    def look_back(self, room: Room, earlier: Iterable[Entry]) -> None:
        """Let newcomers to a room be told what was said ``earlier`` than it was opened."""
        room.recent = deque([*earlier, *room.recent], self.replay)
        room.unread = ""

    def forget(self, room: str, up_to: str) -> None:
        """Stop showing newcomers to a room (folded) what was said up to this id."""
        recent = self.rooms[room].recent if room in self.rooms else ()
        while recent and recent[0].id <= up_to:
            recent.popleft()

    def close_room(self, name: str, id: str) -> None:
        """Forget a room (folded) that nobody is in, by the entry with this id."""
        self.empty.remove(name)
        room = self.rooms.pop(name)
        for user_id in room.invited:
            person = self.people[user_id]
            person.invited = tuple(other for other in person.invited if other != name)
        self.closed[name] = id, room.state_now()

    def watch(self, device: str, nicks: Iterable[str]) -> None:
        """Tell a connection from now on when these nicknames come and go."""
        self.watchers.add(device, map(fold, nicks))

    def unwatch(self, device: str, nicks: Iterable[str]) -> None:
        """Stop telling a connection of these nicknames."""
        self.watchers.remove(device, map(fold, nicks))


# ── what follows from the state ────────────────────────────────────────────────────────────────


def has_status(room: Room, person: Person, letters: str = "o") -> bool:
    """Whether somebody has one of these modes in a room."""
    status = room.status.get(person.user_id, "")
    return any(letter in status for letter in letters)


def leads(room: Room, person: Person) -> bool:
    """Whether somebody may act as an operator of a room, or of the server."""
    return person.is_operator or has_status(room, person)


def with_status(room: Room, prefix: str) -> Iterator[str]:
    """The ids of the members who have at least the status of this prefix."""
    letters = list(STATUS)
    high_enough = letters[: list(STATUS.values()).index(prefix) + 1]
    return (
        user_id for user_id, status in room.status.items() if any(s in status for s in high_enough)
    )


def listed(room: Room, mode: str, person: Person, *, mutes: bool = False) -> Mask | None:
    """The entry of one of the room's lists that counts for somebody; None if no entry fits them.

    With ``mutes``, entries count too that only forbid to speak.
    """
    if not room.state.masks:
        return None
    past = person.past if mode == "b" else ()
    return room.lists.fitting(mode, person.nick, person.origin, mutes=mutes, past=past)


def ban_on(room: Room, person: Person, *, mutes: bool = False) -> Mask | None:
    """The ban of a room that counts for somebody; None if there is none, or an exception from it.

    With ``mutes``, it may be one that only forbids to speak.
    """
    ban = listed(room, "b", person, mutes=mutes)
    return ban if ban and not listed(room, "e", person, mutes=mutes) else None


def is_banned(room: Room, person: Person) -> bool:
    """Whether a ban of the room keeps somebody out."""
    return ban_on(room, person) is not None


def is_silenced(room: Room, person: Person, *, moderated: bool = True) -> bool:
    """Whether no words of somebody may reach a room, because of the room or wherever they are.

    With ``moderated``, also because only those with a voice, or with an account, may speak there.
    """
    return person.limit is not None or is_silenced_there(room, person, moderated=moderated)


def is_silenced_there(room: Room, person: Person, *, moderated: bool = True) -> bool:
    """The same, because of the room alone."""
    flags = room.state.flags
    if (not room.state.masks and flags.isdisjoint("mM")) or has_status(room, person, "ov"):
        return False
    if moderated and ("m" in flags or ("M" in flags and not person.origin.account)):
        return True
    return ban_on(room, person, mutes=True) is not None


def is_silenced_somewhere(state: State, person: Person) -> bool:
    """Whether somebody is in a room that no words of theirs may reach, or is muted altogether."""
    if person.limit is not None:
        return True
    return any(is_silenced_there(state.rooms[name], person) for name in person.rooms)


def muted_in(state: State, person: Person) -> Room | None:
    """A room in which somebody is muted or banned; None if there is none.

    Others know them by the nickname there: so it must not change, or it would speak for them.
    """
    for room in map(state.rooms.__getitem__, person.rooms):
        if is_silenced_there(room, person, moderated=False):
            return room
    return None


def shown(person: Person, *, silenced: bool) -> Person:
    """A person as others are told of them: if ``silenced``, without any words of their own."""
    if not silenced:
        return person
    origin = replace(person.origin, name=person.nick)
    return replace(person, origin=origin, away="Away" if person.away else "")


def metadata_of(state: State, person: Person) -> Values:
    """The metadata of a person: their account's, if they are logged in to one."""
    account = state.realm.account(person.origin.account) if person.origin.account else None
    return account.metadata if account else person.metadata


def share_a_room(one: Person, other: Person) -> bool:
    """Whether two people are in a room together."""
    return not one.rooms.keys().isdisjoint(other.rooms)
