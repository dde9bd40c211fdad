"""The judgement of requests: each function judges one kind for ``person``, and changes nothing.

It returns what the request would become: an event, refusals, or nothing if nothing would change.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from trio_chat.core.accounts import JUDGES as _OF_ACCOUNTS
from trio_chat.core.accounts import account_of
from trio_chat.core.admission import JUDGES as _OF_INVITATIONS
from trio_chat.core.answers import visible_room
from trio_chat.core.barred import banned_as, banned_there
from trio_chat.core.blocks import JUDGES as _OF_BLOCKS
from trio_chat.core.blocks import blocked, is_blocked, takes_nothing
from trio_chat.core.commands import (
    AWAY_MAX,
    TOPIC_MAX,
    Announce,
    ClearMetadata,
    Confidential,
    DirectMessage,
    Invite,
    Join,
    Kick,
    Leave,
    LiftRoomBan,
    Look,
    Redact,
    Rename,
    RenameRoom,
    Request,
    Say,
    SetAway,
    SetMetadata,
    SetModes,
    SetName,
    SetRoomBan,
    SetTopic,
    SetUserModes,
    TagMessage,
)
from trio_chat.core.denials import (
    accounts_only,
    muted_there,
    nobody,
    not_in,
    nowhere,
    operators_only,
    outside,
    powerless,
)
from trio_chat.core.events import (
    Announced,
    AwaySet,
    Event,
    Invited,
    Joined,
    Left,
    Looked,
    NameSet,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
    is_passing,
)
from trio_chat.core.invitations import is_invited
from trio_chat.core.letters import cut
from trio_chat.core.limits import forbidden, keeps_out, silent
from trio_chat.core.moderation import JUDGES as _OF_MODERATION
from trio_chat.core.modes import USER_MODES, with_letter
from trio_chat.core.names import NAME_MAX, fold, nick_problem, private_room, room_problem
from trio_chat.core.operators import JUDGES as _OF_OPERATORS
from trio_chat.core.preferences import ROOMS
from trio_chat.core.realm import Account
from trio_chat.core.redaction import redact
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import is_new_regular, is_regular
from trio_chat.core.removal import kick
from trio_chat.core.renaming import rename_room
from trio_chat.core.reports import JUDGES as _OF_REPORTS
from trio_chat.core.room import Person, Room
from trio_chat.core.room_bans import JUDGES as _OF_ROOM_BANS
from trio_chat.core.set_metadata import JUDGES as _OF_METADATA
from trio_chat.core.set_modes import set_modes
from trio_chat.core.standing import always_enters, first_status, is_due, is_new, status_of
from trio_chat.core.state import (
    State,
    is_silenced,
    is_silenced_somewhere,
    is_silenced_there,
    listed,
    muted_in,
    shown,
)
from trio_chat.core.views import (
    AwayReply,
    BanEffect,
    LockEffect,
    Metadata,
    Notice,
    Refused,
    Repeated,
    Unheard,
)

# The answers to a message for somebody who is not here, and for somebody whom a ban keeps out.
NOT_HERE = "not here now, and will see it when they come"
NOT_LET_IN = "not let in here now, and will see it only if they come again"

#: Outcomes that are no events: whoever asked is told them.
Told = Refused | AwayReply | Unheard | Repeated | Metadata | Notice | BanEffect | LockEffect
Outcome = Event | Told
Outcomes = Sequence[Outcome]


# Requests by which somebody says something, or makes something of a room.
_ACTIVE = (
    Say, DirectMessage, TagMessage, Kick, Invite, SetTopic, SetModes, SetRoomBan, LiftRoomBan,
    RenameRoom, SetAway, SetName, SetMetadata,
)  # fmt: skip


def account_first(person: Person, request: Request | Confidential) -> Refused | None:
    """Why somebody may not ask for this as long as they have no account, if everybody needs one."""
    if person.origin.account or person.is_operator or not isinstance(request, _ACTIVE):
        return None
    room = getattr(request, "room", "")
    said = room and isinstance(request, Say | TagMessage)
    code = Code.NEED_ACCOUNT_TO_SAY if said else Code.NEED_ACCOUNT
    return accounts_only("do that", code, room or getattr(request, "nick", person.nick))


def repair(state: State, person: Person, request: Request | Confidential) -> str:
    """Describe in a few words what somebody may do only as an operator of the server."""
    if not person.is_operator or not isinstance(
        request,
        Join
        | Kick
        | Invite
        | SetTopic
        | SetModes
        | SetMetadata
        | ClearMetadata
        | Redact
        | SetRoomBan
        | LiftRoomBan
        | RenameRoom,
    ):
        return ""
    room = state.room(request.room)
    if room is None:
        return ""
    as_anybody = replace(person, modes=with_letter(person.modes, "o", add=False))
    refused, still_refused = (
        [one for one in JUDGES[type(request)](state, who, request) if isinstance(one, Refused)]
        for who in (as_anybody, person)
    )
    if all(one in still_refused for one in refused):
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
        return nowhere(name)
    name = room.state.name
    if person.user_id not in room.members and "n" in room.state.flags:
        return Refused(f"You are not in {name}.", Code.CANNOT_SAY, (name,))
    if person.limit is None and not is_silenced_there(room, person):
        return None
    return silent(state, person, name) or muted_there(room, person)


def parting_words(state: State, person: Person, why: str, words: str) -> str:
    """The words that others are told when somebody goes who has said ``words``.

    ``words`` are withheld, and ``why`` is told instead, if there is a room where the person may not
    speak.
    """
    return f"Quit: {words}" if words and not is_silenced_somewhere(state, person) else why


def _tell(state: State, person: Person, tell: DirectMessage) -> Outcomes:
    other = _addressee(state, person, tell.nick)
    if isinstance(other, Refused):
        return [other]
    nick, user_id = _named(other)
    said = Said(
        private_room(person.identity, other.identity), person.nick, tell.text, person.user_id,
        tell.action, nick, user_id, tell.notice, tags=tell.tags, origin=person.origin,
        token=_token(person, tell.token), concat_at=tell.concat_at,
        to_account=_account_here(other) if other is not person else "",
    )  # fmt: skip
    unheard = [Unheard(nick)] if takes_nothing(state, person, other) else []
    return [said] if tell.notice else [said, *_absence(state, other), *unheard]


def _addressee(state: State, person: Person, nick: str) -> Person | Account | Refused:
    """The person with this nickname, if somebody may write to them in private; or the account of
    this name, if its owner is not here.
    """
    account = state.realm.account(nick)
    other = state.person(nick) or state.of_account(nick) or account
    if other is None:
        return _gone(state, nick)
    if isinstance(other, Person) and other.is_absent:
        other = account_of(state, other) or other
    if isinstance(other, Account):
        refused = silent(state, person) if not state.rules(other.name) else None
        return refused or (blocked(other.name) if is_blocked(state, person, other) else other)
    if not other.is_operator and (refused := silent(state, person)):
        return refused
    if is_blocked(state, person, account_of(state, other)):
        return blocked(other.nick)
    if "R" in other.modes and not (person.origin.account or person.is_operator or other is person):
        return accounts_only(f"write to {other.nick}", Code.NEED_ACCOUNT, other.nick)
    return other


def _gone(state: State, nick: str) -> Refused:
    """The refusal for a nickname that nobody has now. Anybody may take it, so nothing waits for it;
    but whoever wrote with its owner is told the name of the account.
    """
    gone = state.gone(nick)
    account = account_of(state, gone) if gone else None
    if account is None:
        return nobody(nick)
    why = f"Nobody here is called {nick} any more. The account was {account.name}: write to that."
    return Refused(why, Code.NO_SUCH_NICK, (nick,))


def _named(other: Person | Account) -> tuple[str, str]:
    """What somebody is called, and their id, if they are here."""
    return (other.nick, other.user_id) if isinstance(other, Person) else (other.name, "")


def _account_here(other: Person | Account) -> str:
    """The account of somebody who is here."""
    return other.origin.account if isinstance(other, Person) else ""


def _absence(state: State, person: Person | Account) -> Sequence[AwayReply]:
    """The answer to those who write to or invite somebody who is away, or not here at all."""
    if isinstance(person, Account):
        ban = None if state.rules(person.name) else state.realm.bans.of_account(person.name)
        return [AwayReply(person.name, NOT_LET_IN if keeps_out(ban) else NOT_HERE)]
    away = shown(person, silenced=is_silenced_somewhere(state, person)).away
    return [AwayReply(person.nick, away)] if away else []


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
    other = _addressee(state, person, signal.nick)
    if isinstance(other, Refused):
        return [] if other.code is Code.CANNOT_WRITE_TO and is_passing(signal.tags) else [other]
    to, to_id = _named(other)
    room_of_two = private_room(person.identity, other.identity)
    return [Signalled(room_of_two, nick, signal.tags, user_id, to, to_id, origin=origin)]


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _join(state: State, person: Person, join: Join) -> Outcomes:
    if problem := room_problem(join.room):
        return [Refused(problem, Code.BAD_ROOM, (join.room,))]
    if (room := state.room(join.room)) is None:  # it has been renamed just now
        return [nowhere(join.room)]
    name = room.state.name
    if join.otherwise and person.rooms:
        return []
    if fold(name) in person.rooms:
        if not person.device(join.via).shows(fold(name)):
            return [_looked(room, person, join.via)]
        return [Refused(f"You are already in {name}.", Code.ALREADY_IN_ROOM, (person.nick, name))]
    if join.again and (account := account_of(state, person)) and account.prefers(ROOMS):
        # They were brought into all of their rooms as they came, so they have left this one.
        why = f"You are not in {name} any more, on any device."
        return [Refused(why, Code.NOT_IN_ROOM, (name,))]
    if refused := kept_out_of(state, room, person, join.key, back=join.back):
        return [refused]
    return [replace(_joined(state, room, person), via=join.via, back=join.back)]


def _look(state: State, person: Person, look: Look) -> Outcomes:
    if fold(look.room) not in person.rooms:
        return [outside(state, person, look.room) or not_in(state.name(look.room))]
    if person.device(look.via).shows(fold(look.room)):
        return []
    return [_looked(state.rooms[fold(look.room)], person, look.via)]


def _looked(room: Room, person: Person, device: str) -> Looked:
    return Looked(
        room.state.name, person.nick, person.user_id, person.origin, device or person.user_id
    )


def _joined(state: State, room: Room, person: Person) -> Joined:
    before = status_of(room.state, person)
    nobody_leads = not (room.members or person.is_absent)
    status = first_status(state, room, person) if nobody_leads else before
    leads_now = status != before
    remembered = leads_now or is_due(room.state, person) or is_new_regular(room.state, person)
    silenced = person.limit is not None or (not status and is_silenced_there(room, person))
    seen = shown(person, silenced=silenced)
    return Joined(
        room.state.name, person.nick, person.user_id, seen.away, seen.origin,
        guarded=remembered or bool(room.state.limit),
        status=status,
        identity=person.known_as if remembered else "",
        founds=leads_now and bool(person.origin.account),
        absent=person.is_absent,
    )  # fmt: skip


def kept_out_of(
    state: State, room: Room, person: Person, key: str = "", *, back: bool = False
) -> Refused | None:
    """Why somebody may not enter a room; None if they may. With ``back``, their account was there
    before.
    """
    name = room.state.name
    if len(person.rooms) >= state.rooms_each:
        many = state.rooms_each
        return Refused(
            f"You are in {many} rooms, which is the limit.", Code.TOO_MANY_ROOMS, (name,)
        )
    if always_enters(room, person) or is_invited(room, person):
        return None
    return _barred(room, person, key, back=back)


def _barred(room: Room, person: Person, key: str, *, back: bool) -> Refused | None:
    """Why bans, invitations, the key or the limit keep somebody out; None if they may enter."""
    name, flags = room.state.name, room.state.flags
    if refused := banned_there(room, person):
        return refused
    # With nobody in the room, nobody could invite them, or tell them the key again.
    comes_back = (back and is_regular(room.state, person)) or (
        not room.members and (is_new(room.state) or is_regular(room.state, person))
    )
    if "R" in flags and not person.origin.account:
        return accounts_only(f"enter {name}", Code.NEED_ACCOUNT, name)
    if "i" in flags and not comes_back and not listed(room, "I", person):
        return Refused(f"You need an invitation to enter {name}.", Code.INVITE_ONLY, (name,))
    if room.state.key and key != room.state.key and not comes_back:
        return Refused(f"You need the key to enter {name}.", Code.BAD_KEY, (name,))
    if room.state.limit and len(room.members) >= room.state.limit and not back:
        return Refused(f"{name} is full.", Code.FULL, (name,))
    return None


def _leave(state: State, person: Person, leave: Leave) -> Outcomes:
    if fold(leave.room) not in person.rooms:
        return [outside(state, person, leave.room) or not_in(state.name(leave.room))]
    name = state.name(leave.room)
    if len(person.devices) > 1 and person.device(leave.via).one_room:
        return []  # they only look at another room, and stay here by their other devices
    why = "" if is_silenced(state.rooms[fold(name)], person) else leave.why
    return [Left(name, person.nick, person.user_id, why, person.origin)]


def _invite(state: State, person: Person, invite: Invite) -> Outcomes:
    if refused := outside(state, person, invite.room):
        return [refused]
    if fold(invite.room) in person.rooms and (refused := _silenced(state, person, invite.room)):
        return [refused]
    room, name = state.rooms[fold(invite.room)], state.name(invite.room)
    if "i" in room.state.flags and (refused := powerless(state, person, name)):
        return [refused]
    if (other := state.person(invite.nick)) is None:
        return [nobody(invite.nick)]
    if is_blocked(state, person, account_of(state, other)):
        return [blocked(other.nick)]
    if fold(name) in other.rooms:
        why = f"{other.nick} is already in {name}."
        return [Refused(why, Code.ALREADY_IN_ROOM, (other.nick, name))]
    invited = Invited(name, person.nick, other.nick, person.user_id, other.user_id, person.origin)
    return [invited, *_absence(state, other)]


# ── the topic ───────────────────────────────────────────────────────────────────────────────────


def _set_topic(state: State, person: Person, set_topic: SetTopic) -> Outcomes:
    text = set_topic.text
    if (size := len(text.encode())) > TOPIC_MAX:
        why = f"That topic has {size} bytes; the limit is {TOPIC_MAX}."
        return [Refused(why, Code.TOO_LONG)]
    if refused := outside(state, person, set_topic.room):
        return [refused]
    room = state.rooms[fold(set_topic.room)]
    if not person.is_operator and (refused := _silenced(state, person, set_topic.room)):
        return [refused]
    if "t" in room.state.flags and (refused := powerless(state, person, room.state.name)):
        return [refused]
    return [TopicSet(room.state.name, person.nick, text, person.user_id, person.origin)]


# ── themselves ─────────────────────────────────────────────────────────────────────────────────


def _rename(state: State, person: Person, rename: Rename) -> Outcomes:
    """Judge the name, not whether somebody has it: the caller has claimed it already."""
    if problem := nick_problem(rename.nick):
        return [Refused(problem, Code.BAD_NICK, (rename.nick,))]
    if rename.nick == person.nick:
        return [Refused(f"You are already {rename.nick}.", Code.SAME_NICK)]
    if not rename.forced and (refused := _keeps_nick(state, person, rename.nick)):
        return [refused]
    if refused := forbidden(state, person, rename.nick):
        return [refused]
    then = replace(person, nick=rename.nick)
    if refused := banned_as(state, person, then, rename.nick):
        return [refused]
    rooms = tuple(person.rooms)
    return [Renamed(person.nick, rename.nick, person.user_id, person.origin, rooms)]


def _keeps_nick(state: State, person: Person, nick: str) -> Refused | None:
    """Why somebody who may not speak may take no nickname, which would speak for them."""
    if refused := silent(state, person):
        return refused
    if (room := muted_in(state, person)) and (muted := banned_there(room, person, mutes=True)):
        why = f"You cannot change your nickname now. {muted.why}"
        return Refused(why, Code.CANNOT_RENAME, (nick, room.state.name))
    return None


def _set_away(state: State, person: Person, set_away: SetAway) -> Outcomes:
    away = replace(person, away=cut(set_away.text, AWAY_MAX))
    text = shown(away, silenced=is_silenced_somewhere(state, person)).away
    return [AwaySet(person.nick, text, person.user_id, person.origin)]


def _set_name(state: State, person: Person, set_name: SetName) -> Outcomes:
    if not set_name.name or len(set_name.name) > NAME_MAX:
        return [Refused(f"A name has 1 to {NAME_MAX} characters.", Code.BAD_NAME)]
    if refused := silent(state, person):
        return [refused]
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


#: The judge of each kind of request: events of one log and refusals, empty if nothing would change.
JUDGES: dict[type, Callable[[State, Person, Any], Outcomes]] = {
    Say: _say,
    DirectMessage: _tell,
    TagMessage: _signal,
    Join: _join,
    Look: _look,
    Leave: _leave,
    Kick: kick,
    Invite: _invite,
    Rename: _rename,
    SetTopic: _set_topic,
    SetModes: set_modes,
    SetUserModes: _set_user_modes,
    SetAway: _set_away,
    SetName: _set_name,
    Announce: _announce,
    Redact: redact,
    RenameRoom: rename_room,
    **_OF_ROOM_BANS,
    **_OF_ACCOUNTS,
    **_OF_BLOCKS,
    **_OF_INVITATIONS,
    **_OF_METADATA,
    **_OF_MODERATION,
    **_OF_OPERATORS,
    **_OF_REPORTS,
}
