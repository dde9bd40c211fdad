"""The audit: what operators have done, read from the barriers of the logs; and who may read it.

Operators of the server may read all of it: the log of accounts, which has bans, locks and resets,
and that of any room. Operators of a room may read that of their room.
"""

from collections.abc import Iterable, Sequence

from trio_chat.core.events import (
    NOWHERE,
    REALM,
    AccountBlocked,
    AccountMetadataSet,
    AccountUnblocked,
    Event,
    KeyDropped,
    KeyMade,
    ModesSet,
    PasswordSet,
    PreferenceSet,
    RoomMetadataSet,
)
from trio_chat.core.modes import ACCOUNT, MUTE
from trio_chat.core.names import fold
from trio_chat.core.queries import Audit
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State, leads
from trio_chat.core.views import Refused

#: Stands for all logs: what was done to somebody, or by them, may be in that of any room.
EVERYWHERE = ""

# What people do with their own accounts.
_PRIVATE = (
    PasswordSet | KeyMade | KeyDropped | PreferenceSet | AccountMetadataSet | RoomMetadataSet
    | AccountBlocked | AccountUnblocked
)  # fmt: skip

# The fields of events that name people or accounts.
_NAMES = ("nick", "by", "target", "name", "author", "value", "whom", "account")


def logs(state: State, person: Person, audit: Audit) -> Sequence[str] | Refused:
    """The logs that hold what somebody asks for, or EVERYWHERE; Refused if they may read none."""
    if audit.of.startswith("#"):
        room = state.room(audit.of)
        if person.is_operator or (room and leads(room, person)):
            return [fold(audit.of)]
        return Refused(f"Only an operator of {audit.of} may see that.", Code.NEED_OP, (audit.of,))
    if person.is_operator:
        return [REALM, EVERYWHERE] if audit.of else [REALM]
    led = [name for name in person.rooms if leads(state.rooms[name], person)]
    return led or leaders_only()


def leaders_only() -> Refused:
    """The refusal of what only operators may see, of some room or of the server."""
    why = "Only operators, of a room or of this server, may see that."
    return Refused(why, Code.NOT_AN_OPERATOR)


def leads_any(state: State, person: Person) -> bool:
    """Whether somebody is an operator: of the server, or of a room."""
    return person.is_operator or any(leads(state.rooms[name], person) for name in person.rooms)


def identity_of(state: State, audit: Audit) -> str:
    """The identity of the account that somebody asks for; empty if it is none."""
    account = state.realm.account(audit.of)
    return account.identity if account else ""


def is_wanted(event: Event, audit: Audit, identity: str = "") -> bool:
    """Whether an event is one that somebody asks for: who did it, or to whom it was done.

    With an ``identity``, they are known by that, too, whatever they were called.
    """
    if isinstance(event, _PRIVATE):
        return False
    if not audit.of or audit.of.startswith("#"):
        return True
    wanted = fold(audit.of)
    if identity and identity in _identities(event):
        return True
    return any(_is(found, wanted) for found in _named(event))


def _identities(event: Event) -> Iterable[str]:
    yield getattr(event, "target_identity", "")
    if isinstance(event, ModesSet):
        yield from (change.identity for change in event.changes)


def _named(event: Event) -> Iterable[str]:
    yield from (found for field in _NAMES if (found := getattr(event, field, "")))
    yield getattr(event, "origin", NOWHERE).account
    if isinstance(event, ModesSet):
        yield from (name for change in event.changes for name in (change.argument, change.whom))


def _is(found: str, wanted: str) -> bool:
    """Whether a name is the one wanted, or a mask of it."""
    return fold(found.removeprefix(MUTE).partition("!")[0].removeprefix(ACCOUNT)) == wanted
