"""What happened. The log stores events, apply() changes the state by them, dialects render them.

``nick`` is the nickname at that moment, so that an event can be read without the state.
``who`` is a person's id: it stays when the nickname changes, and is never shown; a client, which
is not told of it, leaves it empty.
"""

from typing import NamedTuple

from trio_chat.core.fact import fact


@fact
class Said:
    """Text in a room, ``action`` if by /me; or to one person: ``to`` and ``to_who`` are theirs."""

    room: str
    nick: str
    text: str
    who: str = ""
    action: bool = False
    to: str = ""
    to_who: str = ""


@fact
class Joined:
    room: str
    nick: str
    who: str = ""


@fact
class Left:
    room: str
    nick: str
    who: str = ""


@fact
class TopicSet:
    """The room's topic is ``text`` now; it has none if that is empty."""

    room: str
    nick: str
    text: str
    who: str = ""


@fact
class Arrived:
    """Somebody has a nickname now, and is in no room yet."""

    nick: str
    who: str = ""


@fact
class Renamed:
    nick: str
    to: str
    who: str = ""


@fact
class Departed:
    """Somebody has gone, and with that left every room."""

    nick: str
    who: str = ""


Event = Said | Joined | Left | TopicSet | Arrived | Renamed | Departed

#: The log of what concerns people and not a room. No room can have this name.
PEOPLE = ""


class Entry(NamedTuple):
    """An event in its place: ids compare as strings, and rise within a room's log."""

    room: str
    id: str
    event: Event


@fact
class Entered:
    """What a newcomer is shown of a room. Not stored: it is made of the room's state.

    ``others`` is how many were in it before, ``first`` whether they come from nowhere and not
    from another room, ``recent`` what was said last, oldest first.
    """

    room: str
    nick: str
    others: int = 0
    first: bool = True
    topic: str = ""
    recent: tuple[Said, ...] = ()


@fact
class Members:
    """The answer to ListMembers: nicknames in alphabetical order."""

    room: str
    nicks: tuple[str, ...]


@fact
class Rooms:
    """The answer to ListRooms: name, number of members and topic of each, the fullest first."""

    rooms: tuple[tuple[str, int, str], ...]


@fact
class Topic:
    """The answer to ShowTopic."""

    room: str
    text: str


@fact
class Refused:
    """No, and why: one sentence for the one who asked."""

    why: str


@fact
class Notice:
    """A sentence of the server's own for one person."""

    text: str


Answer = Members | Rooms | Topic | Refused | Notice
Shown = Event | Entered | Answer


@fact
class Delivery:
    """Something to show, and who sees it: all in ``rooms`` (folded), once, and ``people`` (ids)."""

    shown: Shown
    rooms: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
