"""The realm and its log: it is taken up when the server starts, and followed as long as it runs."""

from contextlib import suppress

from trio_chat.core.events import REALM
from trio_chat.core.realm import Realm
from trio_chat.errors import Unavailable
from trio_chat.storage.base import Log

# Changes after which the state is saved, so that a start need not read all that ever happened.
_UNSAVED = 1000


class RealmLog:
    """Takes up the realm, and saves its state now and then. The broadcaster applies its events."""

    def __init__(self, realm: Realm, log: Log) -> None:
        self._realm, self._log = realm, log
        self._unsaved = 0

    async def open(self) -> None:
        """Restore the realm, and follow its log."""
        saved, state = await self._log.realm()
        later = await self._log.barriers(REALM, after=saved)
        self._realm.restore(state, later)
        self._unsaved = len(later)
        await self._log.follow(REALM, await self._log.end(REALM))

    async def note_change(self) -> None:
        """Count a change; after many of them save the state."""
        self._unsaved += 1
        if self._unsaved >= _UNSAVED:
            await self.save()

    async def save(self) -> None:
        """Save the state, unless it is saved."""
        if self._unsaved:
            self._unsaved = 0
            state = self._realm.state()
            with suppress(Unavailable):  # the state can be worked out from the log as well
                await self._log.save_realm(state.barrier, state)
