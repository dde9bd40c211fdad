"""The logs that are open: those of rooms that somebody is in, and of conversations under way.

The rules:

1. A log is followed, and its room is in the chat, as long as somebody needs it (``in_use``) or
   hears it: the members of a room, the two of a conversation.
2. The first to need a closed log opens it. All others who need it meanwhile wait for that together,
   and never in turn for a lock: a thousand may enter at once.
3. The last one to need it closes it if nobody hears it any more, unless another comes while the
   room's state is being saved.
4. An open room has its state saved after many changes, so that they need not all be kept for ever.
5. A room that nobody has open is charged to the source that opens it, until it closes.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.events import Event, RoomRenamed
from trio_chat.core.logs import after, is_barrier, log_of
from trio_chat.core.names import fold, is_private
from trio_chat.core.refusals import Code
from trio_chat.core.renaming import called
from trio_chat.core.room import Room
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Refused
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Subscriber
from trio_chat.server.progress import Progress
from trio_chat.server.shares import Shares
from trio_chat.storage.base import START, Log

# Changes of an open room after which its state is saved.
_UNSAVED = 100


@dataclass(slots=True)
class Use:
    """How many need a log to be open, and what to wait for while one of them opens or closes it.

    ``turn`` is held by one of those who keep meeting Conflict because they are barriers for each
    other.
    """

    count: int = 0
    busy: trio.Event | None = None
    turn: trio.Lock = field(default_factory=trio.Lock)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let the others wait while the log is being opened or closed."""
        self.busy = event = trio.Event()
        try:
            yield
        finally:
            self.busy = None
            event.set()


class OpenLogs:
    """Opens and closes logs, and charges open rooms to those who open them.

    ``max_rooms`` is the most rooms that are open at a time, not counting the lobby. ``room_modes``
    are the modes of a new room, ``now`` gives unix milliseconds.
    """

    def __init__(
        self,
        chat: Chat,
        log: Log,
        progress: Progress,
        now: Callable[[], int],
        *,
        max_rooms: int,
        room_modes: str,
    ) -> None:
        self._chat, self._log, self._progress, self._now = chat, log, progress, now
        self.max_rooms, self.room_modes = max_rooms, room_modes
        self._shares = Shares()  # of open rooms, by who has opened them
        self._uses: dict[str, Use] = {}
        self._conversations: dict[str, set[str]] = {}  # an identity's open logs of rooms of two
        self._unsaved: dict[str, int] = {}  # changes of open rooms since their state was saved

    def use(self, log: str) -> Use | None:
        """The present use of a log; None if nobody needs it just now."""
        return self._uses.get(log)

    @asynccontextmanager
    async def in_use(self, log: str, name: str = "") -> AsyncIterator[None]:
        """Keep a log open as long as the context lasts. ``name`` is the name of a room that is new.

        Raises Unavailable if a new room cannot be stored.
        """
        use = self._uses.setdefault(log, Use())
        use.count += 1
        try:
            # Look again after each wait: whoever was opening it may have failed or been cancelled,
            # and whoever was closing it may have finished that.
            while use.busy is not None or not self._is_open(log):
                if use.busy is not None:
                    await use.busy.wait()
                else:
                    with use.changing():
                        await self._open(log, name)
            yield
        finally:
            # The count goes down only after closing: somebody who comes meanwhile raises it to 2,
            # and _close looks at it again once the state is saved.
            try:
                if use.count == 1 and self._is_open(log) and not self._chat.is_heard(log):
                    with use.changing():
                        await self._close(log, use)
            finally:
                use.count -= 1
                if not use.count:
                    del self._uses[log]
                    if not self._is_open(log):
                        self._shares.give_back(log)

    @contextmanager
    def kept_free(self, log: str) -> Iterator[bool]:
        """Let whoever needs a closed log wait as long as the context lasts; gives False if it is
        open, or somebody needs it already.
        """
        if log in self._uses or self._is_open(log):
            yield False
            return
        use = self._uses[log] = Use(1)
        try:
            with use.changing():
                yield True
        finally:
            use.count -= 1
            if not use.count:
                del self._uses[log]

    def renamed(self, log: str, to: str) -> None:
        """Note that a room is open by another name now."""
        self._unsaved[to] = self._unsaved.pop(log, 0)
        self._shares.rename(log, to)

    async def close_unheard(self, identity: str = "") -> None:
        """Close the rooms that are empty, and the conversations of an ``identity`` that has gone.

        A log in use is closed by the last one to use it; one that has been closed meanwhile stays
        closed.
        """
        for log in (*self._chat.empty, *self._conversations.get(identity, ())):
            if log not in self._uses and self._is_open(log):
                async with self.in_use(log):
                    pass

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

    async def note_change(self, event: Event) -> None:
        """Count a change of an open room; after many of them save its state."""
        if not is_barrier(event) or isinstance(event, RoomRenamed):  # that has saved the state
            return
        log = log_of(event)
        self._unsaved[log] = self._unsaved.get(log, 0) + 1
        if self._unsaved[log] >= _UNSAVED and (room := self._chat.rooms.get(log)):
            self._unsaved[log] = 0
            await self._save(log, room, room.state.barrier or START, self._log.save)

    async def save_rooms(self) -> None:
        """Save, when the server stops, what open rooms remember of the people in them."""
        async with trio.open_nursery() as nursery:
            for log, room in self._chat.rooms.items():
                if room.left:
                    last = self._progress.last_shown
                    nursery.start_soon(self._save, log, room, last, self._log.save)

    def _is_open(self, log: str) -> bool:
        identity = log.partition(",")[0]
        return log in self._chat.rooms or log in self._conversations.get(identity, ())

    async def _open(self, log: str, name: str) -> None:
        # The end is read first: what is appended while the state is read comes out of the tail as
        # well, and so cannot be missed.
        at = await self._log.end(log)
        if is_private(log):
            await self._log.follow(log, at)
            for identity in log.split(","):
                self._conversations.setdefault(identity, set()).add(log)
            return
        state = await self._state(log, name)
        last = await self._log.history(log, limit=self._chat.replay, said=True)
        recent = [called(entry, state.name) for entry in last]
        await self._log.follow(log, at)
        self._chat.open_room(state, recent)

    async def _state(self, room: str, name: str) -> RoomState:
        saved, state = await self._log.snapshot(room)
        if state is None:
            flags, moved = frozenset(self.room_modes), self._log.moved(room)
            state = RoomState(name, created=self._now(), flags=flags, barrier=moved)
            await self._log.save(room, START, state)
        for entry in await self._log.barriers(room, after=saved):
            state = after(state, entry)
        return state

    async def _close(self, log: str, use: Use) -> None:
        if room := self._chat.rooms.get(log):
            await self._save(log, room, self._progress.last_shown, self._log.close)
        if use.count > 1:  # somebody came while it was being saved, and finds it open
            return
        # From that check on nothing waits until the log counts as closed: nobody finds it half so.
        if is_private(log):
            for identity in {*log.split(",")}:
                self._conversations[identity].remove(log)
                if not self._conversations[identity]:
                    del self._conversations[identity]
        else:
            self._chat.close_room(log)
            self._unsaved.pop(log, None)
        await self._log.unfollow(log)

    async def _save(
        self, log: str, room: Room, id: str, save: Callable[[str, str, RoomState], Awaitable[None]]
    ) -> None:
        with suppress(Unavailable):  # the state can be worked out from the room's log as well
            await save(log, id, replace(room.state, left={**room.left}))
