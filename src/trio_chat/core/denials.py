"""Refusals that several kinds of requests have in common."""

from trio_chat.core.answers import unknown, visible_room
from trio_chat.core.barred import banned_there
from trio_chat.core.names import fold
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person, Room
from trio_chat.core.state import State, is_silenced_there, leads
from trio_chat.core.views import Refused
from trio_chat.core.words import waiting


def outside(state: State, person: Person, name: str) -> Refused | None:
    """Why an outsider may do nothing to a room; operators of the server may."""
    if fold(name) in person.rooms:
        return None
    if (room := visible_room(state, person, name)) is None:
        return unknown(name) if name and person.is_operator else nowhere(name)
    if person.is_operator:
        return None
    return not_in(room.state.name)


def not_in(name: str) -> Refused:
    """The refusal of what only members of a room may do."""
    return Refused(f"You are not in {name}.", Code.NOT_IN_ROOM, (name,))


def powerless(state: State, person: Person, name: str) -> Refused | None:
    """Why somebody may not do what only operators of a room may; None if they are one."""
    name = state.name(name)
    if leads(state.rooms[fold(name)], person):
        return None
    return Refused(f"Only an operator of {name} may do that.", Code.NEED_OP, (name,))


def nowhere(name: str) -> Refused:
    """The refusal for a room that is not there, or that must look as if it were not."""
    return Refused(f"You are not in {name or 'any room'}.", Code.NO_SUCH_ROOM, (name,))


def muted_there(room: Room, person: Person) -> Refused | None:
    """Why a room lets somebody not speak; None if it does."""
    name = room.state.name
    if not is_silenced_there(room, person):
        return None
    if "m" in room.state.flags:
        return Refused(f"Only people with a voice may speak in {name}.", Code.CANNOT_SAY, (name,))
    if "M" in room.state.flags and not person.origin.account:
        return accounts_only(f"speak in {name}", Code.NEED_ACCOUNT_TO_SAY, name)
    return banned_there(room, person, Code.CANNOT_SAY, mutes=True)


def operators_only() -> Refused:
    """The refusal of what only operators of the server may do."""
    return Refused("Only operators of this server may do that.", Code.NOT_AN_OPERATOR)


def nobody(nick: str) -> Refused:
    """The refusal for a nickname that nobody here has."""
    return Refused(f"Nobody here is called {nick}.", Code.NO_SUCH_NICK, (nick,))


def box_full(nick: str, *, by_sender: bool) -> Refused:
    """The refusal of a message to somebody who is not here, and for whom too many wait."""
    whose = "So many of your messages wait" if by_sender else "So many messages wait"
    why = f"{whose} for {nick}, who is not here, that no more are kept."
    return Refused(why, Code.CANNOT_WRITE_TO, (nick,))


def absent(nick: str, room: str) -> Refused:
    """The refusal for somebody who is not in a room."""
    return Refused(f"{nick} is not in {room}.", Code.TARGET_NOT_IN_ROOM, (nick, room))


def too_fast(seconds: int) -> Refused:
    """The refusal of what was done too often from one address."""
    why = f"Too many requests like that from your address. Try again in {waiting(seconds)}."
    return Refused(why, Code.TOO_FAST, (str(seconds),))


def accounts_only(what: str, code: Code, about: str) -> Refused:
    """The refusal of what only those may do who are logged in."""
    why = f"Only people with an account may {what}: register your nickname, or log in."
    return Refused(why, code, (about,))
