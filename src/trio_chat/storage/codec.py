"""Events and the states of rooms as JSON, for stores that outlive the server.

Only what is not its default is written: ``["Joined", {"room": "#a", "nick": "al"}]``. So a field
that is added later, with a default, needs no migration.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any

from trio_chat.core.events import (
    Change,
    Departed,
    Event,
    Joined,
    Kicked,
    Left,
    Mask,
    ModesSet,
    Origin,
    Renamed,
    Said,
    Signalled,
    TopicSet,
)
from trio_chat.core.room import RoomState

_LASTING = (Said, Signalled, Joined, Left, Kicked, TopicSet, ModesSet, Renamed, Departed)
_KINDS: dict[str, type] = {kind.__name__: kind for kind in _LASTING}


def _defaults(kind: type) -> Mapping[str, Any]:
    return {field.name: field.default for field in fields(kind)}


_DEFAULTS = {kind: _defaults(kind) for kind in (*_KINDS.values(), Origin, Change)}

#: Fields of Said that a store keeps beside the JSON, for they are looked for.
BESIDE = ("text", "token")
_OTHERS = tuple(name for name in _DEFAULTS[Said] if name not in BESIDE)
_others_of = attrgetter(*_OTHERS)


def encode(event: Event) -> str:
    """JSON of an event that is stored; of what was said, without the fields in ``BESIDE``."""
    if isinstance(event, Said):
        return _said(*_others_of(event))
    return _to_json([type(event).__name__, _written(event)])


@lru_cache(maxsize=1024)
def _said(*others: Any) -> str:
    """All that one person says in one room is the same but for the text."""
    said = Said(text="", **dict(zip(_OTHERS, others, strict=True)))
    found = _written(said)
    del found["text"]
    return _to_json([Said.__name__, found])


def decode(written: str, text: str = "", token: str = "") -> Event:
    """The event; with ``text`` and ``token``, which were kept beside it, if it was said."""
    kind, found = json.loads(written)
    if kind == Said.__name__:
        found |= {"text": text, "token": token}
    if "origin" in found:
        found["origin"] = _origin(**found["origin"])
    for name in ("rooms", "seams"):
        if name in found:
            found[name] = tuple(found[name])
    if "changes" in found:
        found["changes"] = tuple(Change(**change) for change in found["changes"])
    event: Event = _KINDS[kind](**found)
    return event


def encode_state(state: RoomState) -> str:
    return _to_json(asdict(replace(state, flags=frozenset())) | {"flags": sorted(state.flags)})


def decode_state(text: str) -> RoomState:
    found = json.loads(text)
    masks = tuple((mode, Mask(**mask)) for mode, mask in found.pop("masks"))
    return RoomState(**found | {"flags": frozenset(found["flags"]), "masks": masks})


def _written(fact: Any) -> dict[str, Any]:
    return {
        name: value
        for name, default in _DEFAULTS[type(fact)].items()
        if (value := getattr(fact, name)) != default
    }


@lru_cache(maxsize=1024)
def _origin(**found: Any) -> Origin:
    """All that one person says has one."""
    return Origin(**found)


_to_json = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), default=_written, check_circular=False
).encode
