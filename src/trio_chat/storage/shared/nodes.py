"""Who takes part: each node tells the engine that it lives, and hears of those that do not."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import trio

from trio_chat.storage.base import Node
from trio_chat.storage.shared.connection import Engine

# Nodes that are gone and of which nobody has been told yet; the others are told of later.
_GONE = 16


class Beat:
    """The call by which a node says that it lives. ``seen`` tells how far it has read.

    ``fence`` is called if the others think that it does not.
    """

    is_wanted = True

    def __init__(self, node: str, seen: Callable[[], str], fence: Callable[[], None]) -> None:
        self._node, self._seen, self._fence = node, seen, fence
        self._reply = b""
        self._told: set[str] = set()
        self._tell, self.gone = trio.open_memory_channel[str](_GONE)
        #: Those that live, and how many entries there have been ever, as of the last beat.
        self.nodes: Sequence[Node] = ()
        self.names: dict[str, str] = {}  # of these, by their ids
        self.count = 0

    def ask(self, engine: Engine) -> None:
        """Say that it lives."""
        self._reply = engine.call("beat", self._node, self._seen())

    def finish(self, down: str) -> None:
        """Note who lives, and tell who does not."""
        if down or self._reply == b"wait":
            return
        if self._reply == b"gone":
            self._fence()
        else:
            self._note(json.loads(self._reply))

    def _note(self, reply: dict[str, Any]) -> None:
        self.count = reply["count"]
        self.nodes = sorted((Node(*node) for node in reply["nodes"]), key=lambda node: node.since)
        self.names.clear()
        self.names.update((node.id, node.name) for node in self.nodes)
        gone = reply.get("gone", ())
        self._told &= {*gone}
        for node in gone:
            if node not in self._told and self._tell.statistics().current_buffer_used < _GONE:
                self._tell.send_nowait(node)
                self._told.add(node)
