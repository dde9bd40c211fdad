"""The bans of a room, as those are told of them whom they keep out, or would."""

from trio_chat.core.limits import is_exempt
from trio_chat.core.modes import MUTE
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person, Room
from trio_chat.core.standing import status_of
from trio_chat.core.state import State, ban_on, has_status, is_banned
from trio_chat.core.views import Refused
from trio_chat.core.words import minute, reason


def banned_there(
    room: Room, person: Person, code: Code = Code.BANNED, *, mutes: bool = False
) -> Refused | None:
    """Why a ban keeps somebody out of a room, or with ``mutes`` also mute in it; until when."""
    ban, name = ban_on(room, person, mutes=mutes), room.state.name
    if ban is None:
        return None
    what = "may not speak in" if ban.mask.startswith(MUTE) else "are banned from"
    end = f" until {minute(ban.until)}" if ban.until else ""
    why = f"You {what} {name}{end}{reason(ban.why)}. Ask its operators."
    return Refused(why, code, (name,))


def banned_as(state: State, person: Person, then: Person, who: str) -> Refused | None:
    """Why somebody may not become ``who``, which is ``then``: a ban keeps those out of a room in
    which they are. None if there is none, or one fits them already.
    """
    if is_exempt(state, then):
        return None
    for room in map(state.rooms.__getitem__, person.rooms):
        leads_there = has_status(room, person) or "o" in status_of(room.state, then)
        if leads_there or is_banned(room, person) or not (banned := banned_there(room, then)):
            continue
        name = room.state.name
        why = f"As {who} you cannot stay in {name}: leave it first. {banned.why}"
        return Refused(why, Code.CANNOT_RENAME, (who, name))
    return None
