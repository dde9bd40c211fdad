"""What happened. The log stores events, apply() changes the state by them, dialects render them.

``nick`` is the nickname at that moment, so that an event can be read without the state.
``who`` is a person's id: it stays when the nickname changes, and is never shown; a client, which
is not told of it, leaves it empty.
"""

import re
from dataclasses import field
from typing import NamedTuple

from trio_chat.core.fact import fact
from trio_chat.core.refusals import Code


@fact
class Origin:
    """What is shown of a person beside the nickname, under the names that IRC has for it.

    ``user`` and ``host`` are a part of every address ``nick!user@host``, ``name`` is the "real
    name", ``account`` is empty for who is not logged in, ``bot`` whether it says that it is one.
    """

    user: str = ""
    host: str = ""
    name: str = ""
    account: str = ""
    bot: bool = False


NOWHERE = Origin()


@fact
class Change:
    """A mode is set, or removed unless ``add``. ``who`` is the member whom the argument names,
    ``identity`` theirs if it is known.
    """

    add: bool
    mode: str
    argument: str = ""
    who: str = ""
    identity: str = ""


@fact
class Said:
    """Text in a room, ``action`` if by /me; or to one person: ``to`` and ``to_who`` are theirs.

    ``notice`` forbids to answer it automatically. ``status`` is a prefix (``@`` or ``+``) if it is
    for those members only who have at least that. ``tags`` are what the sender's client says of it
    to other clients: IRCv3 client-only tags, as they stand in a line. Of all that have the same
    ``token`` only the first one is stored and shown: the others are the same, sent again.

    A text may have several lines, with ``\\n`` between them. ``seams`` are the places in it (in
    characters) where the sender's client has cut it into lines that belong together.
    """

    room: str
    nick: str
    text: str
    who: str = ""
    action: bool = False
    to: str = ""
    to_who: str = ""
    notice: bool = False
    status: str = ""
    tags: str = ""
    origin: Origin = NOWHERE
    token: str = ""
    seams: tuple[int, ...] = ()


@fact
class Signalled:
    """Something for clients only: tags without a text, as of somebody who is typing or agrees."""

    room: str
    nick: str
    tags: str
    who: str = ""
    to: str = ""
    to_who: str = ""
    status: str = ""
    origin: Origin = NOWHERE


@fact
class Joined:
    """``away`` is the newcomer's away message, ``status`` the letters of that with which they come.

    It is ``guarded`` if it was judged by who else is in the room, or changes what the room
    remembers: whoever comes at the same time is judged again, by the room as it is then. Only then
    ``identity`` is there, if it is known.
    """

    room: str
    nick: str
    who: str = ""
    away: str = ""
    origin: Origin = NOWHERE
    guarded: bool = False
    status: str = ""
    identity: str = ""


@fact
class Left:
    """Somebody has left a room, by themselves."""

    room: str
    nick: str
    who: str = ""
    why: str = ""
    origin: Origin = NOWHERE


@fact
class Kicked:
    """``target`` was sent out of the room by ``nick``."""

    room: str
    nick: str
    target: str
    why: str = ""
    who: str = ""
    target_who: str = ""
    origin: Origin = NOWHERE
    target_identity: str = ""


@fact
class Invited:
    room: str
    nick: str
    target: str
    who: str = ""
    target_who: str = ""
    origin: Origin = NOWHERE


@fact
class TopicSet:
    """The room's topic is ``text`` now; it has none if that is empty."""

    room: str
    nick: str
    text: str
    who: str = ""
    origin: Origin = NOWHERE


@fact
class ModesSet:
    """Of a room: its modes, its lists, or the status of members.

    If the room is shut by it, ``present`` are the known identities that are in it then; ``banned``
    are those in it that a ban fits now.
    """

    room: str
    nick: str
    changes: tuple[Change, ...]
    who: str = ""
    origin: Origin = NOWHERE
    present: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()


@fact
class Arrived:
    """Somebody has a nickname now, and is in no room yet.

    ``identity`` is known if they can show that they are whom they were before: it stays when they
    come again, which ``who`` does not.
    """

    nick: str
    who: str = ""
    origin: Origin = NOWHERE
    identity: str = ""


@fact
class Renamed:
    """``rooms`` are those that they were in, folded: there it will be looked for."""

    nick: str
    to: str
    who: str = ""
    origin: Origin = NOWHERE
    rooms: tuple[str, ...] = ()


@fact
class Departed:
    """Somebody has gone, and with that left every room: ``rooms``, folded, as in Renamed.

    ``up_to_date`` says that they have read all that they were shown before.
    """

    nick: str
    who: str = ""
    why: str = ""
    origin: Origin = NOWHERE
    rooms: tuple[str, ...] = ()
    up_to_date: bool = False


@fact
class AwaySet:
    """Somebody is away, or back if ``text`` is empty."""

    nick: str
    text: str
    who: str = ""
    origin: Origin = NOWHERE


@fact
class NameSet:
    """Somebody has another "real name": that in ``origin``."""

    nick: str
    who: str = ""
    origin: Origin = NOWHERE


@fact
class UserModesSet:
    """Of a person's own modes."""

    nick: str
    changes: tuple[Change, ...]
    who: str = ""
    origin: Origin = NOWHERE


@fact
class Announced:
    """An operator says something to all operators, and to whoever wants to hear it."""

    nick: str
    text: str
    who: str = ""
    origin: Origin = NOWHERE


OfRoom = Said | Signalled | Joined | Left | Kicked | Invited | TopicSet | ModesSet
OfPerson = Arrived | Renamed | Departed | AwaySet | NameSet | UserModesSet | Announced
Event = OfRoom | OfPerson

#: The log of what concerns people and not a room. No room can have this name.
PEOPLE = ""


class Entry(NamedTuple):
    """An event in its place, and when it happened.

    Ids compare as strings, and rise within a room's log, whatever the clock does; they say nothing
    of times. ``at`` is what the clock said then, in unix milliseconds, and may go back.
    """

    room: str
    id: str
    event: Event
    at: int = 0


def is_id(text: str) -> bool:
    """Whether this could be the id of an entry."""
    return _ID.fullmatch(text) is not None


_ID = re.compile("[0-9]{13}-[0-9]{6}")


def is_lasting(event: Event) -> bool:
    """Whether anybody needs it tomorrow: if not, it is shown and not stored."""
    match event:
        case Signalled(tags=tags):
            return any(tag.partition("=")[0] not in _PASSING for tag in tags.split(";"))
        case Renamed(rooms=rooms) | Departed(rooms=rooms):
            return bool(rooms)
    return isinstance(event, Said | Joined | Left | Kicked | TopicSet | ModesSet)


_PASSING = ("+typing", "+draft/typing")


def elsewhere(event: Event) -> tuple[str, ...]:
    """The rooms, folded, in whose history it is, though it is in the log of people."""
    return event.rooms if isinstance(event, Renamed | Departed) else ()


def is_missed(event: Event) -> bool:
    """Whether something would be wrong tomorrow without it. Who came and went, nobody will miss."""
    return isinstance(event, Said | Kicked | TopicSet | ModesSet)


def is_for_members(event: Event) -> bool:
    """Whether all members of a room see it, and so may see it again later."""
    return not isinstance(event, Said | Signalled) or not event.status


# ── what is shown and not stored ───────────────────────────────────────────────────────────────


@fact
class Seen:
    """A person as somebody else may see them. Moments are in unix milliseconds.

    ``modes`` are their own, ``status`` the prefixes that they have in the room it is about, and
    ``rooms`` those that may be told, each with its prefixes before it.
    """

    nick: str
    origin: Origin = NOWHERE
    who: str = ""
    away: str = ""
    modes: str = ""
    status: str = ""
    rooms: tuple[str, ...] = ()
    since: int = 0
    spoke: int = 0


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
    topic: "Topic | None" = None
    recent: tuple[Entry, ...] = ()


@fact
class Aside:
    """An event, told to somebody whom it would not reach otherwise: to whoever did it, to who could
    have done it, or to who watches the person.
    """

    of: "Said | Signalled | Left | Invited | AwaySet | NameSet"


@fact
class Presence:
    """To somebody who watches a nickname: it has come (with its origin), or gone (without)."""

    watcher: str
    nick: str
    origin: Origin | None = None


@fact
class Members:
    """The answer to ListMembers, in alphabetical order; ``secret`` if the room is."""

    room: str
    people: tuple[Seen, ...]
    secret: bool = False


@fact
class RoomSeen:
    """A room in a list. Moments are in unix milliseconds; 0 is never."""

    name: str
    members: int
    topic: str = ""
    topic_at: int = 0
    created: int = 0


@fact
class Rooms:
    """The answer to ListRooms, the fullest first."""

    rooms: tuple[RoomSeen, ...]


@fact
class Topic:
    """The answer to ShowTopic; ``by`` and ``at`` (unix milliseconds) say who set it and when."""

    room: str
    text: str
    by: str = ""
    at: int = 0


@fact
class Modes:
    """The answer to ShowModes: letters, and the arguments of those that have one."""

    room: str
    letters: str
    arguments: tuple[str, ...]
    created: int


@fact
class Mask:
    """An address with wildcards, on one of a room's lists. ``at`` is in unix milliseconds."""

    mask: str
    by: str
    at: int


@fact
class Masks:
    """The answer to ShowMasks: one of a room's lists, by its mode."""

    room: str
    mode: str
    masks: tuple[Mask, ...]


@fact
class People:
    """The answer to FindPeople; ``of`` is what was asked for."""

    of: str
    people: tuple[Seen, ...]


@fact
class Past:
    """The answer to FindPast: people who had this nickname, the last one first."""

    nick: str
    people: tuple[Seen, ...]


@fact
class Counts:
    """The answer to Count."""

    people: int
    invisible: int
    operators: int
    rooms: int
    most: int


@fact
class Invitations:
    """The answer to ShowInvitations."""

    rooms: tuple[str, ...]


@fact
class Absent:
    """Somebody whom something was said to, or who was invited, is away."""

    nick: str
    text: str


@fact
class Refused:
    """No, and why: one sentence for the one who asked; a ``code`` and what it is ``about``."""

    why: str
    code: Code = Code.OTHER
    about: tuple[str, ...] = ()


@fact
class Notice:
    """A sentence of the server's own for one person; a client may know which ``room``, or
    conversation, it is about, and whether it is a ``refusal`` of what was wanted.
    """

    text: str
    room: str = ""
    refusal: bool = field(default=False, compare=False)


@fact
class Repeated:
    """The answer to a Say or a Tell that was sent again: this is what became of it before."""

    entry: Entry


@fact
class Recalled:
    """The answer to Recall, oldest first; ``target`` as it is called there."""

    target: str
    entries: tuple[Entry, ...]


@fact
class Talks:
    """The answer to ListTalks: names, and when (unix milliseconds) the last was said there."""

    talks: tuple[tuple[str, int], ...]


@fact
class Found:
    """The answer to Seek, oldest first."""

    entries: tuple[Entry, ...]


@fact
class Marked:
    """The answer to MarkRead and ShowMark: up to when they have read; 0 if nothing is known."""

    target: str
    at: int


Answer = (
    Members | Rooms | Topic | Modes | Masks | People | Past | Counts | Invitations | Absent
    | Refused | Notice | Repeated | Recalled | Talks | Found | Marked
)  # fmt: skip
Shown = Event | Entered | Aside | Presence | Answer


@fact
class Delivery:
    """Something to show, and who sees it: all in ``rooms`` (folded), once, and ``people`` (ids).

    ``by`` is the id of whoever made it happen: they may be shown it in a way of their own.
    """

    shown: Shown
    rooms: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    by: str = ""
