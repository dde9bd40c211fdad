"""A room and a person, as the chat knows them."""

from collections import deque
from dataclasses import dataclass, field

from trio_chat.core.events import Said


@dataclass(frozen=True, slots=True)
class RoomState:
    """What of a room outlives its members: the part that a snapshot holds.

    ``barrier`` is the id of the last event on which the judgement of others depends.
    """

    name: str
    topic: str = ""
    barrier: str = ""


@dataclass(slots=True)
class Person:
    """Somebody with a nickname. ``rooms`` holds folded names, in the order of joining."""

    who: str
    nick: str
    rooms: dict[str, None] = field(default_factory=dict)


@dataclass(slots=True)
class Room:
    """``members`` maps ids to people, in the order of joining; ``recent`` is for newcomers."""

    state: RoomState
    recent: deque[Said]
    members: dict[str, Person] = field(default_factory=dict)
