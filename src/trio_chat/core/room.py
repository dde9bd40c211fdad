"""A room and a person, as the chat knows them."""

from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from trio_chat.core.events import NOWHERE, Entry, Origin
from trio_chat.core.masks import Lists
from trio_chat.core.metadata import Values
from trio_chat.core.roll import Roll
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Ban, Block, Lock

#: Those of everybody who has read nothing yet, or whom the log knows.
NO_MARKS: Mapping[str, int] = {}


@dataclass(slots=True)
class Device:
    """A connection of somebody's, by its ``id``.

    ``secure`` is whether it came over TLS, from the real ``address``; ``client`` is in words what
    is at its other end; ``key`` the hash of the last
    secret that it has shown, if any. If a password was given, or set, on it, that is named by
    ``password_id``. It came at ``since`` (unix milliseconds), ``by`` the event with this id: it is
    shown what is said to its owner from then on. ``rooms`` are those that it shows
    (folded), None if these are all that its owner is in; with ``one_room`` it is never more than
    one. ``greeted`` says whether it has shown any before.
    """

    id: str
    secure: bool = False
    address: str = ""
    client: str = ""
    key: str = ""
    password_id: int = 0
    since: int = 0
    one_room: bool = False
    rooms: dict[str, None] | None = None
    greeted: bool = False
    by: str = ""

    def shows(self, room: str) -> bool:
        """Whether it shows a room (folded) that its owner is in."""
        return self.rooms is None or room in self.rooms


@dataclass(slots=True)
class Person:
    """Somebody with a nickname.

    ``identity`` is the one of ``Arrived``; those who cannot show who they were before have their
    ``user_id`` instead. ``rooms`` holds folded names, in the order of joining, each with the
    id of the event by which they first came there; ``left`` the same of the last that they have
    left. ``modes`` are the letters of their own modes, ``away`` is their message if they are
    away. ``since`` and ``spoke`` are when they came, and last said something, in unix milliseconds.

    ``invited`` holds the folded names of rooms to which they have been invited. ``marks`` says up
    to when they have read what, if they are not known; otherwise the log knows.
    ``metadata`` is that of somebody without an account. ``past`` holds the accounts that they have
    left on this connection: bans of these are about them, too, so nobody shakes one off.

    ``devices`` are their connections, in the order in which they came; the first one's id is their
    own ``user_id``, unless it has gone. ``limit`` is the ban or the lock that counts for
    them (``core.limits``): no words of theirs may reach anybody but operators of the server.
    """

    user_id: str
    nick: str
    origin: Origin = NOWHERE
    identity: str = ""
    rooms: dict[str, str] = field(default_factory=dict)
    modes: str = ""
    away: str = ""
    since: int = 0
    spoke: int = 0
    invited: tuple[str, ...] = ()
    left: dict[str, str] | None = None
    marks: Mapping[str, int] = field(default_factory=lambda: NO_MARKS)
    metadata: Values = ()
    past: tuple[str, ...] = ()
    devices: tuple[Device, ...] = ()
    limit: Ban | Lock | None = None

    def first_entered(self, room: str) -> str | None:
        """The id of the event by which they first entered a room (folded); None if that was never,
        or is forgotten.
        """
        return self.rooms.get(room) or (self.left or {}).get(room)

    @property
    def is_known(self) -> bool:
        """Whether they can show later that they are the same person."""
        return self.identity != self.user_id

    @property
    def known_as(self) -> str:
        """The identity by which they will be known again; empty if they will not be."""
        return self.identity if self.is_known else ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts that bans know them by; the first is empty if they are logged in to none."""
        return self.origin.account, *self.past

    @property
    def secure(self) -> bool:
        """Whether all of their connections came over TLS."""
        return bool(self.devices) and all(device.secure for device in self.devices)

    @property
    def address(self) -> str:
        """The real address of their first connection."""
        return self.devices[0].address if self.devices else ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The real addresses that they come from."""
        return tuple(dict.fromkeys(device.address for device in self.devices if device.address))

    def is_on(self, device: str) -> bool:
        """Whether this is one of their connections."""
        return any(one.id == device for one in self.devices)

    def shown_on(self, device: str) -> Collection[str]:
        """The rooms that a connection shows; none if it is not one of theirs."""
        for one in self.devices:
            if one.id == device:
                return self.rooms if one.rooms is None else one.rooms
        return ()

    def device(self, id: str = "") -> Device:
        """One of their connections; the first, if none has this id."""
        found = (device for device in self.devices if device.id == id)
        return next(found, self.devices[0] if self.devices else Device(id))

    @property
    def is_absent(self) -> bool:
        """Whether none of their devices is connected: their account is always on."""
        return not self.devices

    @property
    def is_operator(self) -> bool:
        """Whether they are an operator of the server."""
        return "o" in self.modes


@dataclass(slots=True)
class Room:
    """An open room.

    ``members`` maps ids to people, in the order of joining; ``status`` holds the letters of those
    members who have a status; ``recent`` is for newcomers. ``invited`` maps the ids of people who
    are invited to those of their inviters. ``left`` is that of the state, with what has changed
    since. What was said up to the entry ``unread`` is not in ``recent`` yet, if that is not empty.
    ``roll`` is for telling the members of a large room, once somebody has asked for them.
    """

    state: RoomState
    recent: deque[Entry]
    members: dict[str, Person] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    unread: str = ""
    roll: Roll["Person", tuple[Block, Block]] | None = field(
        default=None, init=False, compare=False
    )
    _lists: Lists = field(default_factory=lambda: Lists(()), init=False, compare=False)

    @property
    def lists(self) -> Lists:
        """The lists of its state, made when they are first needed."""
        if self._lists.masks is not self.state.masks:
            self._lists = Lists(self.state.masks, before=self._lists)
        return self._lists

    def state_now(self) -> RoomState:
        """Its state, with what it remembers of the people in it now."""
        return replace(self.state, left={**self.left})

    def note(self, user_id: str, *, moved: bool = False) -> None:
        """Note that a member has ``moved`` in or out, or is told of in another way."""
        if self.roll and not self.roll.note(user_id, moved=moved):
            self.roll = None
