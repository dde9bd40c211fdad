"""A room and a person, as the chat knows them."""

from collections import deque
from dataclasses import dataclass, field

from trio_chat.core.events import NOWHERE, Entry, Mask, Origin
from trio_chat.core.masks import Lists


@dataclass(frozen=True, slots=True)
class RoomState:
    """What of a room outlives its members: the part that a snapshot holds.

    ``barrier`` is the id of the last event on which the judgement of others depends. ``flags`` are
    the modes without an argument, ``masks`` the entries of its lists, each with the list's mode.
    Moments are in unix milliseconds.
    """

    name: str
    topic: str = ""
    barrier: str = ""
    topic_by: str = ""
    topic_at: int = 0
    created: int = 0
    flags: frozenset[str] = frozenset()
    key: str = ""
    limit: int = 0
    masks: tuple[tuple[str, Mask], ...] = ()


@dataclass(slots=True)
class Person:
    """Somebody with a nickname. ``rooms`` holds folded names, in the order of joining.

    ``modes`` are the letters of their own modes, ``away`` is their message if they are. ``since``
    and ``spoke`` are when they came, and last said something, in unix milliseconds. ``invited``
    holds the folded names of rooms that they were invited to. ``identity`` is that of ``Arrived``;
    those who cannot show who they were before are nobody but who they are now.
    """

    who: str
    nick: str
    origin: Origin = NOWHERE
    identity: str = ""
    rooms: dict[str, None] = field(default_factory=dict)
    modes: str = ""
    away: str = ""
    since: int = 0
    spoke: int = 0
    invited: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether it can be shown later that they are the same."""
        return self.identity != self.who

    @property
    def is_operator(self) -> bool:
        return "o" in self.modes


@dataclass(slots=True)
class Room:
    """``members`` maps ids to people, in the order of joining; ``status`` holds the letters of the
    modes that members have in it, of those who have any; ``recent`` is for newcomers.
    """

    state: RoomState
    recent: deque[Entry]
    members: dict[str, Person] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    _lists: Lists = field(default_factory=lambda: Lists(()), init=False, compare=False)

    @property
    def lists(self) -> Lists:
        """Those of its state, made ready when they are first needed."""
        if self._lists.masks is not self.state.masks:
            self._lists = Lists(self.state.masks, before=self._lists)
        return self._lists
