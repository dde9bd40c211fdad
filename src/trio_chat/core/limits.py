"""The limits of people: which ban counts for somebody, or the lock, and how they are told.

``Person.limit`` holds it, so that a message costs no look-up. ``apply`` keeps it up: at each event
by which another ban may fit somebody, or they become a guest, or an operator of the server. Those
have no limit. Whoever a ban keeps out, and is here all the same, is noted in ``State.banned``, for
the server to end their connection.
"""

from dataclasses import replace

from trio_chat.core.bans import fits, rank
from trio_chat.core.commands import SECONDS_MAX
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Ban, Lock, Refused
from trio_chat.core.words import minute, reason

# ── which limit ────────────────────────────────────────────────────────────────────────────────


def limit_of(state: State, person: Person) -> Ban | Lock | None:
    """The ban that counts for somebody, or else the lock."""
    if is_exempt(state, person):
        return None
    realm = state.realm
    return realm.bans.fitting(person) or (None if person.origin.account else realm.lock)


def is_exempt(state: State, person: Person) -> bool:
    """Whether no ban and no lock is about somebody: operators of the server."""
    return person.is_operator or state.rules(person.origin.account)


def whom(state: State, ban: Ban) -> list[Person]:
    """The people here whom a ban fits."""
    fitting = fits(ban)
    return [p for p in state.people.values() if fitting(p) and not is_exempt(state, p)]


# ── kept up ────────────────────────────────────────────────────────────────────────────────────


def note_limit(state: State, person: Person) -> None:
    """Note which limit counts for somebody who has come, or is somebody else now."""
    _set(state, person, limit_of(state, person))


def note_ban(state: State, ban: Ban) -> None:
    """Note a ban that has been set: it counts for those who have no stronger one."""
    for person in whom(state, ban):
        limit = person.limit
        if not isinstance(limit, Ban) or rank(limit) < rank(ban):
            _set(state, person, ban)


def note_end(state: State, ban: Ban | None) -> None:
    """Note that a ban is over: something else may count for those for whom it did."""
    if ban is None:
        return
    for person in state.people.values():
        if person.limit is ban:
            note_limit(state, person)


def note_lock(state: State) -> None:
    """Note that the chat is locked, or open again: that counts for guests who are not banned."""
    for person in state.people.values():
        if not isinstance(person.limit, Ban):
            is_guest = not (person.origin.account or is_exempt(state, person))
            _set(state, person, state.realm.lock if is_guest else None)


def _set(state: State, person: Person, limit: Ban | Lock | None) -> None:
    person.limit = limit
    if keeps_out(limit):
        state.banned[person.user_id] = None
    else:
        state.banned.pop(person.user_id, None)


def keeps_out(limit: Ban | Lock | None) -> bool:
    """Whether it is a ban with which nobody may be here at all."""
    return isinstance(limit, Ban) and not limit.mute


# ── how it is told ─────────────────────────────────────────────────────────────────────────────


def why_banned(state: State, ban: Ban, what: str = "") -> str:
    """Tell somebody of a ban that counts for them, or what else follows from it."""
    you = "You may not speak in this chat" if ban.mute else "You are banned from this chat"
    what = what or you
    end = f" until {minute(ban.until)}" if ban.until else " for good"
    return f"{what}{end}{reason(ban.why)}, ban {ban.number}.{_contact(state)}"


def why_locked(state: State, lock: Lock, rule: str) -> str:
    """Tell somebody what follows for them from the lock."""
    end = f" until {minute(lock.until)}" if lock.until else ""
    return f"This chat is locked{end}{reason(lock.why)}: {rule}.{_contact(state)}"


def why_silent(state: State, limit: Ban | Lock) -> str:
    """Tell somebody why they may not speak."""
    if isinstance(limit, Ban):
        return why_banned(state, limit)
    return why_locked(state, limit, "only people with an account may speak")


def silent(state: State, person: Person, room: str = "") -> Refused | None:
    """Why somebody may not speak at all, in this ``room`` if one is meant; None if they may."""
    if person.limit is None:
        return None
    why = why_silent(state, person.limit)
    return Refused(why, Code.CANNOT_SAY, (room,)) if room else Refused(why, Code.MUTED)


def kept_out(state: State, person: Person) -> Refused | None:
    """Why somebody may not come in, or may not be here as who they would be; None if they may."""
    match limit_of(state, person):
        case Ban(mute=False) as ban:
            return refuse_banned(state, ban)
        case Lock() as lock:
            return refuse_locked(state, lock)
    return None


def refuse_banned(state: State, ban: Ban) -> Refused:
    """The refusal of those whom a ban keeps out."""
    return Refused(why_banned(state, ban), Code.BANNED_FROM_CHAT)


def refuse_locked(state: State, lock: Lock) -> Refused:
    """The refusal of those whom the lock keeps out."""
    return Refused(why_locked(state, lock, "only people with an account are let in"), Code.LOCKED)


def forbidden(state: State, person: Person, nick: str) -> Refused | None:
    """Why somebody may not take a nickname; None if no ban keeps out whoever has it."""
    limit = limit_of(state, replace(person, nick=nick))
    if not isinstance(limit, Ban) or limit.mute:
        return None
    return Refused(why_banned(state, limit, f"Nobody may be called {nick}"), Code.BAD_NICK, (nick,))


def no_registration(state: State) -> Refused | None:
    """Why nobody can register just now; None if the lock does not forbid it."""
    if (lock := state.realm.lock) is None:
        return None
    return Refused(why_locked(state, lock, "nobody can register"))


def bounded(seconds: int) -> int:
    """The seconds for which somebody may set a limit, if they ask for so many."""
    return max(0, min(seconds, SECONDS_MAX))


def _contact(state: State) -> str:
    return f" Contact: {state.contact}" if state.contact else ""
