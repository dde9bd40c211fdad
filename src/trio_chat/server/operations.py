"""What operators ask of the server itself, and not of the chat."""

import logging
from collections.abc import Callable, Collection, Iterator

import trio

from trio_chat.core import views
from trio_chat.core.commands import (
    Drain,
    EndDrain,
    ListConnections,
    ListNodes,
    OfServer,
    Reload,
    SetLogLevel,
    ShowStats,
)
from trio_chat.core.refusals import Code
from trio_chat.core.views import Answer, Connections, LogLevel, Nodes, Notice, Refused, Stats
from trio_chat.core.words import waiting
from trio_chat.server.connection import Connection
from trio_chat.server.draining import Draining
from trio_chat.settings import Settings

logger = logging.getLogger(__name__)

# The connections of one part of a list: to look at them, and write them, takes a millisecond.
_PART = 50

# The logger of all that is ours. Its level is only set as long as an operator wants another one
# than the settings say.
_OURS = logging.getLogger("trio_chat")


class Operations:
    """Carries out what operators ask of a server with these ``connections``, ``settings`` and
    ``stats``, and ``nodes`` if it is one of several.

    ``on_reload`` reads the settings again, and answers what has come of it.
    """

    def __init__(
        self,
        connections: Collection[Connection],
        draining: Draining,
        settings: Callable[[], Settings],
        stats: Callable[[], Stats],
        nodes: Callable[[], Nodes | None],
    ) -> None:
        self._connections, self._draining = connections, draining
        self._settings, self._stats, self._of_nodes = settings, stats, nodes
        self.on_reload: Callable[[], Notice | Refused] = lambda: Refused(
            "This server reads its settings only once."
        )

    def answer(self, command: OfServer) -> Iterator[Answer]:
        """Carry it out, and answer; a long list in parts, each of which is true when it is made."""
        match command:
            case Reload():
                yield self.on_reload()
            case SetLogLevel(level):
                yield _set_log_level(level)
            case ShowStats():
                yield self._stats()
            case ListNodes():
                yield self._nodes()
            case ListConnections():
                yield from self._list()
            case Drain(seconds, why):
                yield self._drain(self._settings().ops.drain if seconds is None else seconds, why)
            case EndDrain() if self._draining.end():
                yield Notice("Everybody is let in again.")
            case EndDrain():
                yield Refused("The server is not draining.", Code.NO_CHANGE)

    def _nodes(self) -> Nodes | Notice:
        alone = Notice("This server is a chat of its own: nodes.through is not set.")
        return self._of_nodes() or alone

    def _drain(self, seconds: int, why: str) -> views.Draining:
        self._draining.begin(seconds, why)
        here = self._draining.left
        when = f"when all have left, or in {waiting(seconds)}" if seconds else "now"
        told = f"Nobody else is let in, and the server ends {when}. Connections: {here}."
        return views.Draining(told, seconds=seconds, connections=here)

    def _list(self) -> Iterator[Connections]:
        connections = [*self._connections]
        for begin in range(0, len(connections), _PART):
            now = trio.current_time()
            part = [
                connection.view(now)
                for connection in connections[begin : begin + _PART]
                if connection in self._connections  # it may have ended meanwhile
            ]
            yield Connections(tuple(part), more=begin + _PART < len(connections))


def _set_log_level(level: str) -> LogLevel:
    was = log_level()
    if not level:
        return LogLevel(f"The log's level is {was}.", level=was, was=was)
    _OURS.setLevel(level.upper())
    logger.warning(
        "the log's level is %s until the settings are read again; it was %s",
        level,
        was,
        extra={"event": "log-level", "audit": True},
    )
    told = f"The log's level is {level} until the settings are read again. It was {was}."
    return LogLevel(told, level=level, was=was)


def log_level() -> str:
    """The least important level that is logged."""
    return logging.getLevelName(_OURS.getEffectiveLevel()).lower()


def forget_log_level() -> None:
    """Log again what the settings say."""
    _OURS.setLevel(logging.NOTSET)
