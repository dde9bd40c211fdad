"""The rooms that are open: those that somebody is in, or needs for a moment.

The rules:

1. A room is in the chat as long as somebody needs it (``in_use``), or is in it. It opens and closes
   by entries of its log, so it does at the same place wherever that is read.
2. The first to need a closed room opens it. All others who need it meanwhile wait for that
   together, and never in turn for a lock: a thousand may enter at once.
3. The last one to need it closes it if nobody is in it.
4. A room that nobody has open is charged to the source that opens it, until it closes.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.events import RoomClosed, RoomOpened
from trio_chat.core.logs import after
from trio_chat.core.names import fold
from trio_chat.core.queries import Span
from trio_chat.core.refusals import Code
from trio_chat.core.renaming import called
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Refused
from trio_chat.errors import Conflict, Unavailable
from trio_chat.server.audience import Subscriber
from trio_chat.server.progress import Progress
from trio_chat.server.shares import Shares
from trio_chat.server.snapshots import Snapshots
from trio_chat.storage.base import START, Log, next_to


@dataclass(slots=True)
class Use:
    """How many need a room to be open, what to wait for while one of them opens or closes it, and
    the ``name`` that it gets if it is new.

    ``turn`` is held by one of those who keep meeting Conflict because they are barriers for each
    other.
    """

    name: str = ""
    count: int = 0
    busy: trio.Event | None = None
    turn: trio.Lock = field(default_factory=trio.Lock)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let the others wait while the room is being opened or closed."""
        self.busy = event = trio.Event()
        try:
            yield
        finally:
            self.busy = None
            event.set()


class OpenLogs:
    """Opens and closes rooms, and charges open ones to those who open them.

    ``max_rooms`` is the most rooms that are open at a time, not counting the lobby. ``room_modes``
    are the modes of a new room, ``now`` gives unix milliseconds.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        progress: Progress,
        snapshots: Snapshots,
        now: Callable[[], int],
        *,
        max_rooms: int,
        room_modes: str,
    ) -> None:
        self._chat, self._log, self._progress, self._now = chat, log, progress, now
        self._snapshots = snapshots
        self.max_rooms, self.room_modes = max_rooms, room_modes
        self._shares = Shares()  # of open rooms, by who has opened them
        self._uses: dict[str, Use] = {}

    def use(self, log: str) -> Use | None:
        """The present use of a room; None if nobody needs it just now."""
        return self._uses.get(log)

    @asynccontextmanager
    async def in_use(self, log: str, name: str = "") -> AsyncIterator[None]:
        """Keep a room open as long as the context lasts. One that is closed is opened if it has a
        ``name``, for it may be new. Raises Unavailable if a new room cannot be stored.
        """
        with self._counted(log, name) as use:
            try:
                await self.be_open(log)
                yield
            finally:
                await self._close_if_last(log, use)

    @contextmanager
    def _counted(self, log: str, name: str = "") -> Iterator[Use]:
        """Note that somebody needs a room to be open, or closed, as long as the context lasts."""
        use = self._uses.setdefault(log, Use())
        use.count += 1
        use.name = use.name or name
        try:
            yield use
        finally:
            use.count -= 1
            if not use.count:
                del self._uses[log]
                self._give_back(log)

    async def be_open(self, log: str) -> None:
        """Open a room that somebody here needs, unless it is open. Raises Unavailable."""
        use = self._uses.get(log)
        if use is None or not use.name:
            return
        # Look again after each wait: whoever was opening it may have failed or been cancelled, and
        # whoever was closing it may have finished that.
        while use.busy is not None or not self._is_ready(log):
            if use.busy is not None:
                await use.busy.wait()
                continue
            with use.changing():
                if log in self._chat.rooms:
                    await self._look_back(log)
                else:
                    await self._open(log, use.name)

    async def _close_if_last(self, log: str, use: Use) -> None:
        # The count goes down only after closing: those who come meanwhile wait for it to end.
        if use.count == 1 and log in self._chat.empty:
            with use.changing():
                await self._close(log)

    @contextmanager
    def kept_free(self, log: str) -> Iterator[bool]:
        """Let those who need a closed room wait as long as the context lasts; gives False if it is
        open, or somebody needs it already.
        """
        if log in self._uses or log in self._chat.rooms:
            yield False
            return
        with self._counted(log) as use, use.changing():
            yield True

    def renamed(self, log: str, to: str) -> None:
        """Note that a room is open by another name now."""
        self._shares.rename(log, to)

    async def close_empty(self) -> None:
        """Close the rooms that are empty. One in use is closed by the last one to use it; one that
        has been closed meanwhile stays closed.
        """
        for log in [*self._chat.empty]:
            if log not in self._uses:
                with self._counted(log) as use:
                    await self._close_if_last(log, use)

    async def charge(self, subscriber: Subscriber, room: str) -> Refused | None:
        """Charge a room that is to be opened to whoever opens it; Refused if they may not open one.

        Others may have opened all rooms that there are; but nobody shall be kept out of where they
        were before. So there are as many again of rooms that the log knows.
        """
        if room == fold(self._chat.lobby) or room in self._chat.rooms or room in self._uses:
            return None
        whose = (subscriber.source, subscriber.user_id)
        if self._shares.may_take(*whose, self.max_rooms) or (
            self._shares.may_take(*whose, 2 * self.max_rooms) and await self._log.knows(room)
        ):
            self._shares.take(room, *whose)
            return None
        if len(self._shares) >= self.max_rooms:
            why = f"There are already {self.max_rooms} rooms, which is the limit."
        else:
            number = self._shares.of(subscriber.source)
            why = f"{number} rooms are open from your address; the rest are for others."
        return Refused(why, Code.TOO_MANY_ROOMS, (room,))

    def note_closed(self) -> None:
        """Note the rooms that have just been closed."""
        for log in self._chat.closed:
            if log not in self._uses:
                self._give_back(log)
        self._snapshots.note_closed()

    def _give_back(self, log: str) -> None:
        """Charge a room to nobody any more, if it is closed."""
        if log not in self._chat.rooms:
            self._shares.give_back(log)

    def _is_ready(self, log: str) -> bool:
        """Whether a room is open, and newcomers are told what was said before."""
        room = self._chat.rooms.get(log)
        return room is not None and not room.unread

    async def _open(self, log: str, name: str) -> None:
        await self._snapshots.until_saved(log)
        # All that is shown by now is found in what is read; what comes later is a Conflict.
        seen = self._progress.last_shown
        state = await self._state(log, name, seen)
        opened = RoomOpened(state.name, state)
        try:
            [entry] = await self._log.append(log, [opened], expect=seen, barrier=True)
        except Conflict as conflict:
            await self._progress.until_shown(conflict.barrier)
        else:
            await self._progress.until_shown(entry.id)

    async def _state(self, room: str, name: str, seen: str) -> RoomState:
        """The state of a closed room after all that was ``seen``, an id."""
        saved, state = await self._log.snapshot(room)
        if state is None:
            flags = frozenset(self.room_modes)
            state = RoomState(name, created=self._now(), flags=flags, barrier=seen)
            await self._log.save(room, START, state)
        for entry in await self._log.barriers(room, after=saved):
            state = after(state, entry)
        return state

    async def _look_back(self, log: str) -> None:
        """Look up what was said last before a room was opened."""
        room = self._chat.rooms[log]
        before, barrier = next_to(room.unread), room.state.barrier
        span, limit = Span(before=before), self._chat.replay
        found = await self._log.history(log, span, limit=limit, said=True)
        # Something may have been redacted meanwhile: then it is looked up again.
        if self._chat.rooms.get(log) is room and room.state.barrier == barrier:
            self._chat.look_back(room, [called(entry, room.state.name) for entry in found])

    async def _close(self, log: str) -> None:
        room = self._chat.rooms[log]
        closed, expect = RoomClosed(room.state.name), room.state.barrier
        try:
            [entry] = await self._log.append(log, [closed], expect=expect, barrier=True)
        except (Conflict, Unavailable):  # whoever does something there next closes it
            return
        await self._progress.until_shown(entry.id)
        await self._snapshots.until_saved(log)
