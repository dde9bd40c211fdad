"""Read markers: up to when people have read what.

They are events, so all connections of somebody hear of them on whichever node they are. The store
keeps those of an identity. People who are not known have theirs as long as they are here.
"""

from collections.abc import Sequence

from trio_chat.core.chat import Chat
from trio_chat.core.events import ReadUpTo
from trio_chat.core.names import fold
from trio_chat.core.room import Person
from trio_chat.server.ring import Ring
from trio_chat.storage.base import Log

# The name of the reports among read markers: no room or person has it.
_REPORTS = "@reports"


class Marks:
    """Sets and looks up read markers. Moments are in unix milliseconds."""

    def __init__(self, chat: Chat, log: Log, ring: Ring) -> None:
        self._chat, self._log, self._ring = chat, log, ring

    async def read(self, reader: Person, target: str, at: int, by: str) -> int:
        """Note up to when somebody has read a room or a conversation, and tell all of their
        connections but ``by``; returns the latest moment they have told. Raises Unavailable.
        """
        await self._ring.happen(self._event(reader, target, at), by=by)
        return await self.of(reader, target)

    async def of(self, reader: Person, target: str) -> int:
        """The latest moment that somebody has told of a target; 0 if none is known. Raises
        Unavailable.
        """
        if reader.is_known:
            return await self._log.marked(reader.identity, fold(target))
        return reader.marks.get(fold(target), 0)

    async def keep(self, reader: Person) -> None:
        """Keep for somebody who is known now what they had read before they were. Raises
        Unavailable.
        """
        events = [self._event(reader, *mark, is_told=False) for mark in reader.marks.items()]
        await self._happen(events)

    async def have_read_reports(self, reader: Person, at: int) -> None:
        """Note that an operator has read all reports. Raises Unavailable."""
        await self._happen([self._event(reader, _REPORTS, at, is_told=False)])

    async def reports_read(self, reader: Person) -> int:
        """Up to when an operator has read reports. Raises Unavailable."""
        return await self.of(reader, _REPORTS)

    async def _happen(self, events: Sequence[ReadUpTo]) -> None:
        if events:
            await self._ring.happen(*events)

    def _event(self, reader: Person, target: str, at: int, *, is_told: bool = True) -> ReadUpTo:
        identity = reader.known_as
        source = reader.origin.host if identity else ""
        return ReadUpTo(target, at, reader.user_id, identity, source, quiet=not is_told)
