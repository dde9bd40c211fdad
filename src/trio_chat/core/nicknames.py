"""The nicknames that people have. Of those that look alike, one can be had (``lookalikes``).

Two people may ask for one at the same moment, on two nodes. Who comes second in the log does not
get it: what would give it to them has no effect.
"""

from trio_chat.core.lookalikes import looks
from trio_chat.core.names import fold
from trio_chat.core.room import Person
from trio_chat.core.state import State


def holder(state: State, nick: str, user_id: str) -> Person | None:
    """Somebody else than ``user_id`` who has a nickname that looks like this one."""
    found = (state.by_look.get(look) for look in looks(nick))
    return next((person for person in found if person and person.user_id != user_id), None)


def take(state: State, person: Person) -> None:
    """Let somebody have the nickname that is theirs from now on."""
    state.by_nick[fold(person.nick)] = person
    state.by_look.update(dict.fromkeys(looks(person.nick), person))


def give_back(state: State, person: Person) -> None:
    """Let others have the nickname that somebody has had so far."""
    del state.by_nick[fold(person.nick)]
    for look in looks(person.nick):
        del state.by_look[look]
