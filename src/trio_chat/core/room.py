"""A room and a person, as the chat knows them."""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from trio_chat.core.events import NOWHERE, Entry, Mask, Origin
from trio_chat.core.masks import Lists


class Standing(NamedTuple):
    """``letters`` of the status that somebody has in a room, and when they were there last."""

    letters: str
    at: int


@dataclass(frozen=True, slots=True)
class RoomState:
    """What of a room outlives its members: the part that a snapshot holds.

    ``barrier`` is the id of the last event on which the judgement of others depends. ``flags`` are
    the modes without an argument, ``masks`` the entries of its lists, each with the list's mode.
    Moments are in unix milliseconds.

    What it remembers of known identities: ``standing`` is their status, ``regulars`` has the id of
    the first event that they have seen (empty: all) of those who were in while it was shut, or have
    come since, and ``left`` up to which id they have seen what was said, as far as that is known.
    ``shut`` are the spans of ids in which it had +i; the last one may have no end.
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
    standing: dict[str, Standing] = field(default_factory=dict)
    regulars: dict[str, str] = field(default_factory=dict)
    shut: tuple[tuple[str, str], ...] = ()
    left: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """Somebody with a nickname. ``rooms`` holds folded names, in the order of joining.

    ``modes`` are the letters of their own modes, ``away`` is their message if they are. ``since``
    and ``spoke`` are when they came, and last said something, in unix milliseconds. ``invited``
    holds the folded names of rooms that they were invited to, ``visits`` those of the last rooms
    that they have entered, with the id of the first time. ``marks`` says up to when they have read
    what, if they are not known: else the log does. ``identity`` is that of ``Arrived``;
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
    invited: dict[str, None] = field(default_factory=dict)
    visits: dict[str, str] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)

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
    modes that members have in it, of those who have any; ``recent`` is for newcomers. ``invited``
    has the ids of those who are invited, each with the id of who did that. ``left`` is that of its
    state, and what has changed since.
    """

    state: RoomState
    recent: deque[Entry]
    members: dict[str, Person] = field(default_factory=dict)
    status: dict[str, str] = field(default_factory=dict)
    invited: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    _lists: Lists = field(default_factory=lambda: Lists(()), init=False, compare=False)

    @property
    def lists(self) -> Lists:
        """Those of its state, made ready when they are first needed."""
        if self._lists.masks is not self.state.masks:
            self._lists = Lists(self.state.masks, before=self._lists)
        return self._lists
