"""The explanation of what somebody may not do just now, and until when."""

from collections.abc import Iterator

from trio_chat.core.denials import muted_there
from trio_chat.core.limits import is_exempt, why_silent
from trio_chat.core.room import Person
from trio_chat.core.state import State


def explain(state: State, person: Person) -> Iterator[str]:
    """What limits somebody, a sentence each: a ban, the lock, the rooms that they are in."""
    if person.limit is not None:
        yield why_silent(state, person.limit)
    lock = state.realm.lock
    is_guest = not (person.origin.account or is_exempt(state, person))
    if lock is not None and is_guest and person.limit is not lock:
        yield why_silent(state, lock)
    if is_guest and state.accounts_only:
        yield "Only people with an account may speak here: register your nickname, or log in."
    for name in person.rooms:
        if refused := muted_there(state.rooms[name], person):
            yield refused.why
