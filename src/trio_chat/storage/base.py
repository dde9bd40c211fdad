"""The Log: what a store must do. One contract suite tests every implementation."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from trio_chat.core.events import Entry, Event
from trio_chat.core.room import RoomState

#: An id before all others.
START = "0"


class Tail(AsyncIterator[Sequence[Entry]]):
    """Batches of entries, as they come."""

    @abstractmethod
    def waiting(self) -> Sequence[Entry]:
        """The next batch, if it is there already; otherwise nothing."""


class Log(Protocol):
    """One ordered log per room; rooms are named by their folded names.

    Ids have the form ``<unix milliseconds>-<sequence>``, padded so that they compare as strings.
    They rise strictly within a room, whatever the clock does. On one node all rooms share an order.
    """

    @property
    def node(self) -> str:
        """The name of this run of this server, as ``claim`` reports it."""
        ...

    async def append(
        self, room: str, events: Sequence[Event], *, expect: str = "", barrier: bool = False
    ) -> Sequence[str]:
        """Give the events their places, one after the other, and return their ids.

        ``expect`` is the room's last barrier known to whoever judged the events: if it is not the
        room's last barrier now, nothing is appended and Conflict is raised. With ``barrier`` the
        last of the events becomes the room's barrier. All of the events are appended or none; if
        the call is cancelled, it may have been either.
        """
        ...

    async def history(
        self, room: str, *, after: str = "", before: str = "", limit: int = 100
    ) -> Sequence[Entry]:
        """Up to ``limit`` entries between two ids (both exclusive), oldest first.

        With ``after`` the ones that follow it, otherwise the last ones.
        """
        ...

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        """The id up to which the saved state holds, and that state; (START, None) without one."""
        ...

    async def save(self, room: str, id: str, state: RoomState) -> None:
        """Keep the state of a room as it is after the entry ``id``."""
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
