"""The Log: what a store must do. One contract suite tests every implementation."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from trio_chat.core.commands import Bound
from trio_chat.core.events import Entry, Event
from trio_chat.core.room import RoomState

#: An id before all others.
START = "0"

#: Moments before and after all that an entry can have (unix milliseconds).
NEVER, ENDLESS = -1, 1 << 62

#: Messages of each room that stay, whoever needs the room that they take up: a screenful.
FLOOR = 50

#: Read markers that are kept.
MARKS = 100_000


class Tail(AsyncIterator[Sequence[Entry]]):
    """Batches of entries, as they come."""

    @abstractmethod
    def waiting(self) -> Sequence[Entry]:
        """The next batch, if it is there already; otherwise nothing."""


@dataclass(frozen=True, slots=True)
class Search:
    """All of ``words`` in what was said in one of ``rooms`` (logs), by ``nick`` if that is given.

    ``after`` and ``before`` are ids or moments, both exclusive.
    """

    words: str
    rooms: Sequence[str]
    nick: str = ""
    after: Bound = ""
    before: Bound = ""
    limit: int = 50


def is_as_new(state: RoomState) -> bool:
    """Whether nothing was ever changed in a room, nor has anybody known a status there."""
    plain = replace(state, created=0, flags=frozenset(), barrier="", left={})
    return plain == RoomState(state.name)


class Log(Protocol):
    """One ordered log per room; rooms are named by their folded names.

    Ids compare as strings and rise strictly within a room, whatever the clock does. On one node all
    rooms share an order. When something happened is ``Entry.at``, and is the clock's.

    Whatever is written raises Unavailable if the store cannot keep it; it is not shown then.
    """

    @property
    def node(self) -> str:
        """The name of this run of this server, as ``claim`` reports it."""
        ...

    @property
    def too_old(self) -> str:
        """The id up to which everything is older than what is kept, and is shown to nobody."""
        ...

    async def append(
        self, room: str, events: Sequence[Event], *, expect: str = "", barrier: bool = False
    ) -> Sequence[Entry]:
        """Give the events their places, one after the other, and return them there.

        An event with a token that the log has already is not appended: instead of it, the entry
        that has the token is returned.

        ``expect`` is the room's last barrier known to whoever judged the events: if it is not the
        room's last barrier now, nothing is appended and Conflict is raised. With ``barrier`` the
        last of the events becomes the room's barrier. All of the events are appended or none; if
        the call is cancelled, it may have been either.
        """
        ...

    async def history(
        self,
        room: str,
        *,
        after: Bound = "",
        before: Bound = "",
        limit: int = 100,
        first: bool = False,
        said: bool = False,
    ) -> Sequence[Entry]:
        """Entries between two bounds (both exclusive), oldest first: the last ``limit`` of them, or
        the ``first`` ones; all that the room's members have seen, or what was ``said`` alone.

        The order is that of ids. But if one of the bounds is a moment (unix milliseconds), it is
        that of times, and of ids where those are the same: then an id stands for its place there.
        """
        ...

    async def end(self, room: str) -> str:
        """The id of its last entry, whoever may see that and whether it can be read; START without
        one.
        """
        ...

    async def barriers(self, room: str, *, after: str) -> Sequence[Entry]:
        """All entries after an id that were appended as barriers, oldest first."""
        ...

    async def talks(self, identity: str) -> Sequence[Entry]:
        """Of each room of two that has this identity in its name, what was said last."""
        ...

    async def search(self, search: Search) -> Sequence[Entry]:
        """What was found, oldest first: the last ``limit`` of all."""
        ...

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        """The id up to which the saved state holds, and that state; (START, None) without one."""
        ...

    async def save(self, room: str, id: str, state: RoomState) -> None:
        """Keep the state of a room as it is after the entry ``id``."""
        ...

    async def close(self, room: str, id: str, state: RoomState) -> None:
        """As ``save``, for a room that nobody is in any more: if nothing was ever said or changed
        there, nothing of it is kept.
        """
        ...

    async def knows(self, room: str) -> bool:
        """Whether something was said there, or its state was changed, that is still there."""
        ...

    async def mark(self, reader: str, target: str, at: int, *, source: str = "") -> int:
        """A reader has read ``target`` up to a moment (unix milliseconds); returns the latest one
        of all that were told, for it never goes back; but what was told by a clock that was ahead
        does not count. Beyond MARKS some are forgotten of the ``source`` that has most: of its
        readers who have many, the longest unchanged first.
        """
        ...

    async def marked(self, reader: str, target: str) -> int:
        """What ``mark`` has returned last; 0 if nothing was marked."""
        ...

    async def follow(self, room: str, after: str) -> None:
        """From now on the room's entries later than ``after`` come out of ``tail``."""
        ...

    async def unfollow(self, room: str) -> None:
        """The room's entries need not come out of ``tail`` any more."""
        ...

    def tail(self) -> AbstractAsyncContextManager[Tail]:
        """Each entry of each followed room once, in order, in batches of bounded size.

        There is one reader. When it leaves the context, appends raise trio.BrokenResourceError.
        """
        ...

    async def claim(self, name: str) -> str:
        """Reserve a name among all nodes; returns the node that holds it now."""
        ...

    async def release(self, name: str) -> None:
        """Give a name back, if this node holds it."""
        ...
