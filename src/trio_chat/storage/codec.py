"""Events and the states of rooms as JSON, for stores that outlive the server.

Only what differs from its default is written: ``["Joined", {"room": "#a", "nick": "al"}]``. So a
field that is added later, with a default, needs no migration, and an older server passes over it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any, get_args

from trio_chat.core.events import Change, Event, Origin, RoomOpened, Said
from trio_chat.core.realm import Account, Key, RealmState, Spent
from trio_chat.core.room_state import Mask, RoomState, Standing
from trio_chat.core.views import Ban, Lock
from trio_chat.storage.checked import is_sound

_KINDS: dict[str, type] = {kind.__name__: kind for kind in get_args(Event)}


# The names of fields in what is stored, where they differ: those must never change.
_STORED = {
    "user_id": "who", "to_id": "to_who", "target_id": "target_who", "author_id": "author_who",
    "concat_at": "seams",
}  # fmt: skip
_FIELDS = {stored: name for name, stored in _STORED.items()}


# Which connection somebody did it by, and why they were let in: that says nothing any more later.
# Whom a message waits for is kept beside it.
_NOT_KEPT = ("via", "back", "absent", "to_account")

_DEFAULTS: dict[type, dict[str, Any]] = {
    kind: {field.name: field.default for field in fields(kind) if field.name not in _NOT_KEPT}
    for kind in (
        *_KINDS.values(),
        *(Origin, Change, Mask, RoomState, RealmState, Account, Key, Spent, Ban, Lock),
    )
}

_NOT_KEPT_OF: dict[type, dict[str, Any]] = {
    kind: {field.name: field.default for field in fields(kind) if field.name in _NOT_KEPT}
    for kind in _KINDS.values()
}

#: Fields of Said that a store keeps beside the JSON, because it searches them.
BESIDE = ("text", "token")
_OTHERS = tuple(name for name in _DEFAULTS[Said] if name not in BESIDE)
_others_of = attrgetter(*_OTHERS)


def encode(event: Event) -> str:
    """Write an event that is stored as JSON; of a message, without the fields in ``BESIDE``."""
    if isinstance(event, Said):
        return _said(*_others_of(event))
    if isinstance(event, RoomOpened):
        return _to_json([RoomOpened.__name__, {"state": encode_state(event.state)}])
    return _to_json([type(event).__name__, _written(event)])


@lru_cache(maxsize=1024)
def _said(*others: Any) -> str:
    """Write the part of a message that is the same in all messages of one person in one room."""
    said = Said(text="", **dict(zip(_OTHERS, others, strict=True)))
    found = _written(said)
    del found["text"]
    return _to_json([Said.__name__, found])


def encode_rest(event: Event) -> dict[str, Any]:
    """The fields of an event that are not kept, as far as they differ from their defaults."""
    rest = _NOT_KEPT_OF[type(event)].items()
    return {name: value for name, default in rest if (value := getattr(event, name)) != default}


class Unreadable(ValueError):
    """An event or a state that is damaged, or by a newer server, or none of ours."""


def decode(written: str, text: str = "", token: str = "") -> Event:
    """Read an event; ``text`` and ``token`` were kept beside the JSON of a message.

    Raises Unreadable.
    """
    try:
        kind, found = _read(written)
        if kind is not Said:
            return kind(**found)
        if not (is_sound(text, str) and is_sound(token, str)):
            raise TypeError("its text is none")
        return Said(text=text, token=token, **found)
    except _NOT_OURS as error:
        raise Unreadable(type(error).__name__) from error


def with_rest(event: Event, rest: Mapping[str, Any]) -> Event:
    """An event with the fields that are not kept (``encode_rest``). Raises Unreadable."""
    known = _NOT_KEPT_OF[type(event)]
    event = replace(event, **{name: value for name, value in rest.items() if name in known})
    if not is_sound(event, type(event)):
        raise Unreadable("it has values of other types")
    return event


@lru_cache(maxsize=1024)
def _read(written: str) -> tuple[type[Event], Mapping[str, Any]]:
    """Read the kind of an event and its fields; of a message, what is the same in all messages of
    one person in one room.
    """
    name, found = json.loads(written)
    kind = _KINDS[name]
    event = _event(kind, found | {"text": ""} if kind is Said else found)
    if not is_sound(event, kind):
        raise TypeError("it has values of other types")
    names = _OTHERS if kind is Said else _DEFAULTS[kind]
    return kind, {name: getattr(event, name) for name in names}


# The text of an error says nothing of what was read: that is what others have written.
_NOT_OURS = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


def _event(kind: type, found: dict[str, Any]) -> Event:
    if "origin" in found:
        found["origin"] = _known(Origin, found["origin"], _origin)
    for name in ("rooms", "seams", "present", "banned", "ids"):
        if name in found:
            found[name] = tuple(found[name])
    for name in ("values", "metadata"):
        if name in found:
            found[name] = _pairs(found[name])
    if "state" in found:
        found["state"] = decode_state(found["state"])
        found["room"] = found["state"].name
    if "changes" in found:
        found["changes"] = tuple(_known(Change, change) for change in found["changes"])
    event: Event = _known(kind, found)
    return event


def _known(kind: type, found: Mapping[str, Any], make: Callable[..., Any] | None = None) -> Any:
    """Make one of these, without fields that were added after our time."""
    make = make or kind
    found = {_FIELDS.get(name, name): value for name, value in found.items()}
    try:
        return make(**found)
    except TypeError:
        known = _DEFAULTS[kind]
        return make(**{name: value for name, value in found.items() if name in known})


def encode_state(state: RoomState) -> str:
    """Write a room's state as JSON."""
    return _to_json(asdict(replace(state, flags=frozenset())) | {"flags": sorted(state.flags)})


def decode_state(text: str) -> RoomState:
    """Read a room's state. Raises Unreadable."""
    try:
        found = json.loads(text)
        # Entries that were written before they had numbers get one each.
        numbered = enumerate(found["masks"], 1)
        masks = tuple((m, _known(Mask, {"number": n} | mask)) for n, (m, mask) in numbered)
        found.setdefault("last_entry", len(masks))
        standing = {identity: Standing(*one) for identity, one in found.get("standing", {}).items()}
        shut = _pairs(found.get("shut", ()))
        found |= {"flags": frozenset(found["flags"]), "masks": masks}
        found |= {"standing": standing, "shut": shut}
        found |= {"metadata": _pairs(found.get("metadata", ()))}
        state: RoomState = _known(RoomState, found)
        if not is_sound(state, RoomState):
            raise TypeError("it has values of other types")
    except _NOT_OURS as error:
        raise Unreadable(type(error).__name__) from error
    return state


def encode_realm(state: RealmState) -> str:
    """Write the state of the realm as JSON."""
    return _to_json({"accounts": state.accounts} | _written(state))


def decode_realm(text: str) -> RealmState:
    """Read the state of the realm. Raises Unreadable."""
    try:
        found = json.loads(text)
        accounts = tuple(_account(one) for one in found["accounts"])
        spent = tuple(_spent(one) for one in found.get("invitations", ()))
        bans = tuple(_known(Ban, ban) for ban in found.get("bans", ()))
        lock = _known(Lock, found["lock"]) if "lock" in found else None
        found |= {"accounts": accounts, "invitations": spent, "bans": bans, "lock": lock}
        state: RealmState = _known(RealmState, found)
        if not is_sound(state, RealmState):
            raise TypeError("it has values of other types")
    except _NOT_OURS as error:
        raise Unreadable(type(error).__name__) from error
    return state


def _account(found: dict[str, Any]) -> Account:
    keys = tuple(_known(Key, key) for key in found.get("keys", ()))
    metadata = _pairs(found.get("metadata", ()))
    blocked, changed = tuple(found.get("blocked", ())), tuple(found.get("changed", ()))
    found |= {"keys": keys, "metadata": metadata, "blocked": blocked, "changed": changed}
    account: Account = _known(Account, found)
    return account


def _pairs(found: Iterable[Any]) -> tuple[tuple[Any, Any], ...]:
    return tuple((one, other) for one, other in found)


def _spent(found: dict[str, Any]) -> Spent:
    spent: Spent = _known(Spent, found | {"by": tuple(found.get("by", ()))})
    return spent


def _written(fact: Any) -> dict[str, Any]:
    return {
        _STORED.get(name, name): value
        for name, default in _DEFAULTS[type(fact)].items()
        if (value := getattr(fact, name)) != default
    }


@lru_cache(maxsize=1024)
def _origin(**found: Any) -> Origin:
    """An origin: one object for everything that one person says."""
    return Origin(**found)


_to_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_written, check_circular=False
).encode
