"""What a node does for a chat of several nodes, besides serving its own people."""

import logging
from contextlib import suppress

import trio

from trio_chat.core.checkpoint import checkpoint
from trio_chat.errors import Unavailable
from trio_chat.server.hub import Hub
from trio_chat.storage.base import Log, Membership

logger = logging.getLogger(__name__)

# A room that nobody is in, and that the node which needed it has left open, is closed by another
# one after a while.
_SWEEP = 30  # seconds

# A node that starts applies what has come since the last checkpoint; the first one is saved as soon
# as it is known who leads.
_SAVE, _FIRST = 20, 0.5  # seconds

# How long it waits until it tries again to let the people of a node be gone.
_AGAIN = 1.0  # seconds


class Neighbours:
    """Sees to what nodes leave behind that are gone."""

    def __init__(self, hub: Hub, log: Log, membership: Membership) -> None:
        self._hub, self._log, self._membership = hub, log, membership

    async def run(self) -> None:
        """Do it until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._clear_up)
            nursery.start_soon(self._sweep)
            nursery.start_soon(self._save_checkpoints)

    async def _clear_up(self) -> None:
        """Let the people of nodes be gone that are gone."""
        async for node in self._membership.gone:
            logger.warning(
                "a node is gone, and its people with it: %s",
                node,
                extra={"event": "node-gone", "node": node},
            )
            await self._until_done(node)

    async def _until_done(self, node: str) -> None:
        while not self._membership.lost.is_set():
            try:
                await self._hub.departures.bury(node)
                await self._membership.cleared(node)
                self._hub.absent.look()  # it may be this one's task from now on
                return
            except* Unavailable:
                pass
            await trio.sleep(_AGAIN)

    async def _sweep(self) -> None:
        while True:
            await trio.sleep(_SWEEP)
            await self._hub.close_empty()

    async def _save_checkpoints(self) -> None:
        """Save the state now and then, for nodes that start; at once, if there is none yet."""
        saved = ""
        while True:
            leads = self._log.node == min(self._membership.alive, default="")
            if leads and self._hub.applied != saved:
                state = checkpoint(self._hub.chat, self._hub.applied)
                with suppress(Unavailable):
                    await self._membership.save(state)
                    saved = state.id
            await trio.sleep(_SAVE if leads else _FIRST)

    async def leave(self) -> None:
        """Let this node's own people be gone, and take part no more; whom it could not see off, the
        others do.
        """
        try:
            await self._hub.departures.bury(self._log.node)
            await self._membership.leave()
        except* Unavailable:
            pass
