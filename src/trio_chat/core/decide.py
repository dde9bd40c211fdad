"""The judgement of requests: each function judges one kind for ``person``, and changes nothing.

It returns what the request would become: an event, refusals, or nothing if nothing would change.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from trio_chat.core.accounts import JUDGES as _OF_ACCOUNTS
from trio_chat.core.answers import unknown, visible_room
from trio_chat.core.apply import change_status, with_change
from trio_chat.core.commands import (
    AWAY_MAX,
    KEY_MAX,
    KICK_MAX,
    LIST_MAX,
    TOPIC_MAX,
    Announce,
    Confidential,
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
    Change,
    Event,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    NameSet,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.invitations import is_invited
from trio_chat.core.letters import cut
from trio_chat.core.masks import MASK_MAX, entry_mask, fold_mask
from trio_chat.core.modes import COUNTED, FLAGS, KEYED, LISTS, STATUS, USER_MODES
from trio_chat.core.names import NAME_MAX, fold, nick_problem, private_room, room_problem
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import (
    REGULARS_MAX,
    first_status,
    is_due,
    is_new,
    is_new_regular,
    is_regular,
    status_of,
)
from trio_chat.core.room import Person, Room
from trio_chat.core.state import (
    State,
    has_status,
    is_banned,
    is_listed,
    is_silenced,
    is_silenced_somewhere,
    leads,
    muted_in,
    shown,
)
from trio_chat.core.views import AwayReply, Refused, Repeated

Outcome = Event | Refused | AwayReply | Repeated
Outcomes = Sequence[Outcome]


def repair(state: State, person: Person, request: Request | Confidential) -> str:
    """Describe in a few words what somebody may do only as an operator of the server."""
    if not person.is_operator or not isinstance(
        request, Join | Kick | Invite | SetTopic | SetModes
    ):
        return ""
    room = state.room(request.room)
    if room is None or has_status(room, person):
        return ""
    if isinstance(request, Join) and (
        is_invited(room, person) or not kept_out(room, person, request.key)
    ):
        return ""
    return f"{type(request).__name__} of {person.nick} in {room.state.name}"


# ── say ────────────────────────────────────────────────────────────────────────────────────────


def _say(state: State, person: Person, say: Say) -> Outcomes:
    if refused := _silenced(state, person, say.room):
        return [refused]
    if say.text.startswith("\x01") and "C" in state.rooms[fold(say.room)].state.flags:
        name = state.name(say.room)
        return [Refused(f"CTCP is not allowed in {name}.", Code.CANNOT_SAY, (name,))]
    return [
        Said(
            state.name(say.room), person.nick, say.text, person.user_id, say.action,
            notice=say.notice, status=say.status, tags=say.tags, origin=person.origin,
            token=_token(person, say.token), concat_at=say.concat_at,
        )
    ]  # fmt: skip


def _silenced(state: State, person: Person, name: str) -> Refused | None:
    """Why somebody may not speak in a room; None if they may."""
    if (room := visible_room(state, person, name)) is None:
        return _nowhere(name)
    name = room.state.name
    if person.user_id not in room.members and "n" in room.state.flags:
        return Refused(f"You are not in {name}.", Code.CANNOT_SAY, (name,))
    if not is_silenced(room, person):
        return None
    if "m" in room.state.flags:
        return Refused(f"Only people with a voice may speak in {name}.", Code.CANNOT_SAY, (name,))
    return Refused(f"You may not speak in {name}.", Code.CANNOT_SAY, (name,))


def parting_words(state: State, person: Person, why: str, words: str) -> str:
    """The words that others are told when somebody goes who has said ``words``.

    ``words`` are withheld, and ``why`` is told instead, if there is a room where the person may not
    speak.
    """
    return f"Quit: {words}" if words and not is_silenced_somewhere(state, person) else why


def _tell(state: State, person: Person, tell: DirectMessage) -> Outcomes:
    if (other := state.person(tell.nick)) is None:
        return [nobody(tell.nick)]
    said = Said(
        private_room(person.identity, other.identity), person.nick, tell.text, person.user_id,
        tell.action, other.nick, other.user_id, tell.notice, tags=tell.tags, origin=person.origin,
        token=_token(person, tell.token), concat_at=tell.concat_at,
    )  # fmt: skip
    return [said] if tell.notice else [said, *_absence(state, other)]


def _token(person: Person, token: str) -> str:
    """A token that no other sender can have."""
    return f"{person.identity} {token}" if token else ""


def _signal(state: State, person: Person, signal: TagMessage) -> Outcomes:
    nick, user_id, origin = person.nick, person.user_id, person.origin
    if signal.room:
        if refused := _silenced(state, person, signal.room):
            return [refused]
        name = state.name(signal.room)
        return [Signalled(name, nick, signal.tags, user_id, status=signal.status, origin=origin)]
    if (other := state.person(signal.nick)) is None:
        return [nobody(signal.nick)]
    room_of_two = private_room(person.identity, other.identity)
    return [
        Signalled(room_of_two, nick, signal.tags, user_id, other.nick, other.user_id, origin=origin)
    ]


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _join(state: State, person: Person, join: Join) -> Outcomes:
    if problem := room_problem(join.room):
        return [Refused(problem, Code.BAD_ROOM, (join.room,))]
    room, name = state.rooms[fold(join.room)], state.name(join.room)
    if fold(name) in person.rooms:
        return [Refused(f"You are already in {name}.", Code.ALREADY_IN_ROOM, (person.nick, name))]
    if refused := _kept_out(state, room, person, join.key):
        return [refused]
    return [_joined(state, room, person)]


def _joined(state: State, room: Room, person: Person) -> Joined:
    before = status_of(room.state, person)
    status = before if room.members else first_status(state, room, person)
    remembered = (
        status != before or is_due(room.state, person) or is_new_regular(room.state, person)
    )
    seen = shown(person, silenced=not status and is_silenced(room, person))
    return Joined(
        room.state.name, person.nick, person.user_id, seen.away, seen.origin,
        guarded=remembered or bool(room.state.limit),
        status=status,
        identity=_known(person) if remembered else "",
    )  # fmt: skip


def _kept_out(state: State, room: Room, person: Person, key: str) -> Refused | None:
    name = room.state.name
    if len(person.rooms) >= state.rooms_each:
        many = state.rooms_each
        return Refused(
            f"You are in {many} rooms, which is the limit.", Code.TOO_MANY_ROOMS, (name,)
        )
    if person.is_operator or is_invited(room, person) or "o" in status_of(room.state, person):
        return None
    return kept_out(room, person, key)


def kept_out(room: Room, person: Person, key: str = "") -> Refused | None:
    """Why bans, invitations, the key or the limit keep somebody out; None if they may enter."""
    name, flags = room.state.name, room.state.flags
    if is_banned(room, person):
        return Refused(f"You are banned from {name}.", Code.BANNED, (name,))
    # With nobody in the room, nobody could invite them, or tell them the key again.
    comes_back = not room.members and (is_new(room.state) or is_regular(room.state, person))
    if "i" in flags and not comes_back and not is_listed(room, "I", person):
        return Refused(f"You need an invitation to enter {name}.", Code.INVITE_ONLY, (name,))
    if room.state.key and key != room.state.key and not comes_back:
        return Refused(f"You need the key to enter {name}.", Code.BAD_KEY, (name,))
    if room.state.limit and len(room.members) >= room.state.limit:
        return Refused(f"{name} is full.", Code.FULL, (name,))
    return None


def _leave(state: State, person: Person, leave: Leave) -> Outcomes:
    if fold(leave.room) not in person.rooms:
        return [_outside(state, person, leave.room) or _not_in(state.name(leave.room))]
    name = state.name(leave.room)
    why = "" if is_silenced(state.rooms[fold(name)], person) else leave.why
    return [Left(name, person.nick, person.user_id, why, person.origin)]


def _kick(state: State, person: Person, kick: Kick) -> Outcomes:
    if refused := _outside(state, person, kick.room) or _powerless(state, person, kick.room):
        return [refused]
    name, other = state.name(kick.room), state.person(kick.nick)
    if other is None or fold(name) not in other.rooms:
        return [_absent(kick.nick, name)]
    return [
        Kicked(
            name, person.nick, other.nick, cut(kick.why, KICK_MAX), person.user_id, other.user_id,
            person.origin, _known(other),
        )
    ]  # fmt: skip


def _known(person: Person) -> str:
    """The identity by which somebody will be known again; empty if they will not be."""
    return person.identity if person.is_known else ""


def _invite(state: State, person: Person, invite: Invite) -> Outcomes:
    if refused := _outside(state, person, invite.room):
        return [refused]
    if fold(invite.room) in person.rooms and (refused := _silenced(state, person, invite.room)):
        return [refused]
    room, name = state.rooms[fold(invite.room)], state.name(invite.room)
    if "i" in room.state.flags and (refused := _powerless(state, person, name)):
        return [refused]
    if (other := state.person(invite.nick)) is None:
        return [nobody(invite.nick)]
    if fold(name) in other.rooms:
        why = f"{other.nick} is already in {name}."
        return [Refused(why, Code.ALREADY_IN_ROOM, (other.nick, name))]
    invited = Invited(name, person.nick, other.nick, person.user_id, other.user_id, person.origin)
    return [invited, *_absence(state, other)]


# ── the room ───────────────────────────────────────────────────────────────────────────────────


def _set_topic(state: State, person: Person, set_topic: SetTopic) -> Outcomes:
    text = set_topic.text
    if (size := len(text.encode())) > TOPIC_MAX:
        why = f"That topic has {size} bytes; the limit is {TOPIC_MAX}."
        return [Refused(why, Code.TOO_LONG)]
    if refused := _outside(state, person, set_topic.room):
        return [refused]
    room = state.rooms[fold(set_topic.room)]
    if not person.is_operator and (refused := _silenced(state, person, set_topic.room)):
        return [refused]
    if "t" in room.state.flags and (refused := _powerless(state, person, room.state.name)):
        return [refused]
    return [TopicSet(room.state.name, person.nick, text, person.user_id, person.origin)]


def _set_modes(state: State, person: Person, set_modes: SetModes) -> Outcomes:
    if (room := visible_room(state, person, set_modes.room)) is None:
        return [unknown(set_modes.room)]
    if refused := _powerless(state, person, room.state.name):
        return [refused]
    refusals: list[Refused] = []
    last: dict[tuple[str, ...], Change] = {}  # by thing, the change that counts
    draft = replace(room, status={**room.status})
    for wanted in set_modes.changes:
        match _mode_change(state, draft, wanted):
            case Refused() as refused:
                refusals.append(refused)
            case Change() as change:
                draft.state = with_change(draft.state, change)
                change_status(draft, change)
                last.pop(_thing(change), None)
                last[_thing(change)] = change
    if not (changes := [*_really_changed(state, room, last.values())]):
        return refusals
    present: list[str] = []
    banned: list[str] = []
    if any(change.add and change.mode in "ik" for change in changes):
        known = dict.fromkeys(p.identity for p in room.members.values() if p.is_known)
        present = [*known][:REGULARS_MAX]
    if any(change.add and change.mode == "b" for change in changes):
        remembered = dict.fromkeys([*present, *room.state.regulars])
        banned = [one for one in remembered if _is_there_and_banned(state, draft, one)]
    modes_set = ModesSet(
        room.state.name, person.nick, tuple(changes), person.user_id, person.origin,
        tuple(present), tuple(banned),
    )  # fmt: skip
    return [modes_set, *refusals]


def _is_there_and_banned(state: State, room: Room, identity: str) -> bool:
    same = state.same(identity)
    return any(user_id in room.members and is_banned(room, same[user_id]) for user_id in same)


def _thing(change: Change) -> tuple[str, ...]:
    """A key for what a change concerns: of several changes to one thing only the last counts."""
    return (change.mode, change.user_id, fold_mask(change.argument) if change.mode in LISTS else "")


def _really_changed(state: State, room: Room, changes: Iterable[Change]) -> Iterator[Change]:
    """The changes that make a difference to the room as it was before all of them."""
    for change in changes:
        match _mode_change(state, room, change):
            case Change() as from_now:
                yield from_now
            case Refused():  # its list was full before other changes made room
                yield change


def _mode_change(state: State, room: Room, change: Change) -> Change | Refused | None:
    """A change in its final form; None if it would change nothing."""
    mode = change.mode
    if mode in STATUS:
        return _status_change(state, room, change)
    if mode in LISTS:
        return _list_change(room, change)
    if mode in KEYED:
        return _key_change(room, change)
    if mode in COUNTED:
        return _limit_change(room, change)
    if mode in FLAGS and change.add != (mode in room.state.flags):
        return Change(change.add, mode)
    return None


def _status_change(state: State, room: Room, change: Change) -> Change | Refused | None:
    if (other := state.person(change.argument)) is None:
        return nobody(change.argument)
    if other.user_id not in room.members:
        return _absent(other.nick, room.state.name)
    if change.add == has_status(room, other, change.mode):
        return None
    return Change(change.add, change.mode, other.nick, other.user_id, _known(other))


def _list_change(room: Room, change: Change) -> Change | Refused | None:
    mask = entry_mask(change.argument)
    if len(mask.encode()) > MASK_MAX:
        why = f"A mask has at most {MASK_MAX} bytes."
        return Refused(why, Code.BAD_ARGUMENT, (room.state.name, change.mode, "*"))
    listed = {fold_mask(e.mask): e.mask for mode, e in room.state.masks if mode == change.mode}
    there = listed.get(fold_mask(mask))
    if change.add and len(listed) >= LIST_MAX and there is None:
        name = room.state.name
        why = f"That list of {name} is full: it has {LIST_MAX} entries."
        return Refused(why, Code.LIST_FULL, (name, mask, change.mode))
    if change.add:
        return None if there else Change(True, change.mode, mask)
    return Change(False, change.mode, there) if there else None


def _limit_change(room: Room, change: Change) -> Change | Refused | None:
    if not change.add:
        return Change(False, change.mode) if room.state.limit else None
    digits = change.argument
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits)):
        why = "The limit is a number from 1 to 999999999."
        return Refused(why, Code.BAD_ARGUMENT, (room.state.name, change.mode, digits))
    same = int(digits) == room.state.limit
    return None if same else Change(True, change.mode, str(int(digits)))


def _key_change(room: Room, change: Change) -> Change | Refused | None:
    if not change.add:
        return Change(False, change.mode, room.state.key) if room.state.key else None
    key = change.argument
    if not key or len(key) > KEY_MAX or key.startswith(":") or any(c in key for c in " ,"):
        why = f"A key has 1 to {KEY_MAX} characters, no spaces or commas, and no colon first."
        return Refused(why, Code.BAD_ARGUMENT, (room.state.name, change.mode, "*"))
    return None if key == room.state.key else Change(True, change.mode, key)


# ── themselves ─────────────────────────────────────────────────────────────────────────────────


def _rename(state: State, person: Person, rename: Rename) -> Outcomes:
    """Judge the name, not whether somebody has it: the caller has claimed it already."""
    if problem := nick_problem(rename.nick):
        return [Refused(problem, Code.BAD_NICK, (rename.nick,))]
    if rename.nick == person.nick:
        return [Refused(f"You are already {rename.nick}.", Code.SAME_NICK)]
    if name := muted_in(state, person):
        why = f"You cannot change your nickname while you may not speak in {name}."
        return [Refused(why, Code.CANNOT_RENAME, (rename.nick, name))]
    rooms = tuple(person.rooms)
    return [Renamed(person.nick, rename.nick, person.user_id, person.origin, rooms)]


def _set_away(state: State, person: Person, set_away: SetAway) -> Outcomes:
    away = replace(person, away=cut(set_away.text, AWAY_MAX))
    text = shown(away, silenced=is_silenced_somewhere(state, person)).away
    return [AwaySet(person.nick, text, person.user_id, person.origin)]


def _set_name(state: State, person: Person, set_name: SetName) -> Outcomes:
    if not set_name.name or len(set_name.name) > NAME_MAX:
        return [Refused(f"A name has 1 to {NAME_MAX} characters.", Code.BAD_NAME)]
    if is_silenced_somewhere(state, person):
        why = "You cannot change your name while you are in a room where you may not speak."
        return [Refused(why, Code.CANNOT_SET_NAME)]
    return [NameSet(person.nick, person.user_id, replace(person.origin, name=set_name.name))]


def _set_user_modes(state: State, person: Person, request: SetUserModes) -> Outcomes:
    """Judge changes of one's own modes: nobody becomes an operator by asking."""
    changes = tuple(
        change
        for change in request.changes
        if change.mode in USER_MODES
        and change.add != (change.mode in person.modes)
        and not (change.add and change.mode == "o")
    )
    return [UserModesSet(person.nick, changes, person.user_id, person.origin)] if changes else []


def _announce(state: State, person: Person, announce: Announce) -> Outcomes:
    if not person.is_operator:
        return [operators_only()]
    return [Announced(person.nick, announce.text, person.user_id, person.origin)]


# ── refusals that several have in common ───────────────────────────────────────────────────────


def _outside(state: State, person: Person, name: str) -> Refused | None:
    """Why an outsider may do nothing to a room; operators of the server may."""
    if fold(name) in person.rooms:
        return None
    if (room := visible_room(state, person, name)) is None:
        return _nowhere(name)
    if person.is_operator:
        return None
    return _not_in(room.state.name)


def _not_in(name: str) -> Refused:
    return Refused(f"You are not in {name}.", Code.NOT_IN_ROOM, (name,))


def _powerless(state: State, person: Person, name: str) -> Refused | None:
    name = state.name(name)
    if leads(state.rooms[fold(name)], person):
        return None
    return Refused(f"Only an operator of {name} may do that.", Code.NEED_OP, (name,))


def _nowhere(name: str) -> Refused:
    return Refused(f"You are not in {name or 'any room'}.", Code.NO_SUCH_ROOM, (name,))


def operators_only() -> Refused:
    """The refusal of what only operators of the server may do."""
    return Refused("Only operators may do that.", Code.NOT_AN_OPERATOR)


def nobody(nick: str) -> Refused:
    """The refusal for a nickname that nobody here has."""
    return Refused(f"Nobody here is called {nick}.", Code.NO_SUCH_NICK, (nick,))


def _absence(state: State, person: Person) -> Sequence[AwayReply]:
    """The answer to those who write to or invite somebody who is away."""
    away = shown(person, silenced=is_silenced_somewhere(state, person)).away
    return [AwayReply(person.nick, away)] if away else []


def _absent(nick: str, room: str) -> Refused:
    return Refused(f"{nick} is not in {room}.", Code.TARGET_NOT_IN_ROOM, (nick, room))


#: The judge of each kind of request: events of one log and refusals, empty if nothing would change.
JUDGES: dict[type, Callable[[State, Person, Any], Outcomes]] = {
    Say: _say,
    DirectMessage: _tell,
    TagMessage: _signal,
    Join: _join,
    Leave: _leave,
    Kick: _kick,
    Invite: _invite,
    Rename: _rename,
    SetTopic: _set_topic,
    SetModes: _set_modes,
    SetUserModes: _set_user_modes,
    SetAway: _set_away,
    SetName: _set_name,
    Announce: _announce,
    **_OF_ACCOUNTS,
}
