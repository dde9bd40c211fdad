"""The states of rooms and of the realm, saved now and then, so that nothing has to be worked out
from all that ever happened: a task of the broadcaster's, which nobody who chats waits for.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import trio

from trio_chat.core.chat import Chat
from trio_chat.core.events import REALM, Entry, RoomRenamed
from trio_chat.core.logs import is_barrier
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Unavailable
from trio_chat.storage.base import START, Log

# Changes after which the state of a room is saved, and that of the realm, which takes longer.
_OF_ROOM, _OF_REALM = 100, 1000


@dataclass(slots=True)
class _Snapshot:
    """The state of a room as it was after the entry ``id``; ``is_last`` if that has closed it."""

    id: str
    state: RoomState
    is_last: bool
    is_saved: trio.Event = field(default_factory=trio.Event)


class Snapshots:
    """Takes up the realm where it was left, and saves its state and those of rooms.

    What waits to be saved is bounded by the rooms: of each there is one state.
    """

    def __init__(self, chat: Chat, log: Log) -> None:
        self._chat, self._log = chat, log
        self._changes: dict[str, int] = {}  # by log, since its state was saved
        self._waiting: dict[str, _Snapshot] = {}
        self._saving: set[str] = set()  # logs of which a state is being saved
        self._has_some = trio.Event()
        self._has_ended = False

    async def restore_realm(self, up_to: str) -> None:
        """Restore the realm as it was after the entry ``up_to``, from its state and the entries
        after that. What is later the tail brings, though it may be stored already.
        """
        saved, state = await self._log.realm()
        stored = await self._log.barriers(REALM, after=saved)
        later = [entry for entry in stored if entry.id <= up_to]
        self._chat.realm.restore(state, later)
        self._changes[REALM] = len(later)

    def note(self, entry: Entry) -> None:
        """Count an entry that has been applied; after many changes the state is to be saved."""
        if not is_barrier(entry.event):
            return
        log = entry.room
        if isinstance(entry.event, RoomRenamed):  # the state has been saved with it
            self._changes.pop(log, None)
            return
        changes = self._changes[log] = self._changes.get(log, 0) + 1
        if log == REALM and changes >= _OF_REALM:
            self._has_some.set()
        elif changes >= _OF_ROOM and (room := self._chat.rooms.get(log)):
            self._changes[log] = 0
            self._let_wait(log, room.state.barrier or START, room.state_now())

    def note_closed(self) -> None:
        """Note the rooms that have just been closed: what they remember is to be saved."""
        for log, (id, state) in self._chat.closed.items():
            self._changes.pop(log, None)
            self._let_wait(log, id, state, is_last=True)
        self._chat.closed.clear()

    def _let_wait(self, log: str, id: str, state: RoomState, *, is_last: bool = False) -> None:
        before, snapshot = self._waiting.get(log), _Snapshot(id, state, is_last)
        if before:
            snapshot.is_saved = before.is_saved
        self._waiting[log] = snapshot
        self._has_some.set()

    async def until_saved(self, log: str) -> None:
        """Wait until nothing of a room waits to be saved any more. Raises trio.BrokenResourceError
        if that will never be.
        """
        while snapshot := self._waiting.get(log):
            if self._has_ended:
                raise trio.BrokenResourceError("nothing is saved any more")
            await snapshot.is_saved.wait()

    async def run(self) -> None:
        """Save what is to be saved, until cancelled: what comes together shares a transaction, and
        one log does not wait for another.
        """
        try:
            async with trio.open_nursery() as nursery:
                while True:
                    await self._has_some.wait()
                    self._has_some = trio.Event()
                    self._save_some(nursery)
        finally:
            self._has_ended = True
            for snapshot in self._waiting.values():
                snapshot.is_saved.set()

    def _save_some(self, nursery: trio.Nursery) -> None:
        for log in self._waiting.keys() - self._saving:
            self._saving.add(log)  # at once: there may be more before the task begins
            nursery.start_soon(self._save_waiting, log)
        if self._changes.get(REALM, 0) >= _OF_REALM and REALM not in self._saving:
            self._saving.add(REALM)
            nursery.start_soon(self._save_realm)

    async def save_all(self, up_to: str) -> None:
        """Save, when the server stops, what would have to be read from the logs, or is in none:
        what open rooms remember of the people in them, at the entry ``up_to``.
        """
        for log, room in self._chat.rooms.items():
            if room.left:
                self._let_wait(log, up_to, room.state_now())
        for log in [*self._waiting]:
            await self.until_saved(log)
        if self._changes.get(REALM):
            await self._save_realm()

    async def _save_waiting(self, log: str) -> None:
        """Save the state of a room, and again if there is a later one by then."""
        with self._at_work(log):
            while snapshot := self._waiting.get(log):
                save = self._log.close if snapshot.is_last else self._log.save
                with suppress(Unavailable):  # the state can be worked out from the log as well
                    await save(log, snapshot.id, snapshot.state)
                if self._waiting[log] is snapshot:
                    del self._waiting[log]
                    snapshot.is_saved.set()

    async def _save_realm(self) -> None:
        with self._at_work(REALM):
            self._changes[REALM] = 0
            state = self._chat.realm.state()
            with suppress(Unavailable):  # as above
                await self._log.save_realm(state.barrier, state)

    @contextmanager
    def _at_work(self, log: str) -> Iterator[None]:
        self._saving.add(log)
        try:
            yield
        finally:
            self._saving.discard(log)
