"""The figures of a server: what each is, and its value now.

Each value is a number that somebody knows: nothing is looked through. No label is what people have
chosen, such as a nickname or a room.
"""

import os
import resource
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import metadata

import trio

from trio_chat.core.refusals import Code
from trio_chat.protocols.metrics import Figure, Kind, Spread, Value
from trio_chat.server.counts import Counts, Ending
from trio_chat.storage.base import Condition

_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

#: All figures there are, by name. Those of the process have the names that Prometheus gives them.
FIGURES = {
    "trio_chat_build_info": Figure(_GAUGE, "The version that runs.", "version"),
    "trio_chat_people": Figure(_GAUGE, "People in the chat, on however many connections."),
    "trio_chat_connections": Figure(_GAUGE, "Connections, by what they speak.", "dialect"),
    "trio_chat_rooms": Figure(_GAUGE, "Rooms with somebody in them."),
    "trio_chat_messages_total": Figure(_COUNTER, "Messages said.", "kind"),
    "trio_chat_deliveries_total": Figure(_COUNTER, "Events shown, each once for a connection."),
    "trio_chat_bytes_sent_total": Figure(_COUNTER, "Bytes for connections, before TLS."),
    "trio_chat_refused_total": Figure(_COUNTER, "Requests and connections refused.", "code"),
    "trio_chat_disconnects_total": Figure(_COUNTER, "Connections that have ended.", "reason"),
    "trio_chat_outbox_bytes": Figure(_GAUGE, "Bytes that wait for those who read slowly."),
    "trio_chat_outbox_waiting": Figure(_GAUGE, "Connections for which some bytes wait."),
    "trio_chat_intake_places_free": Figure(_GAUGE, "Places left before those who write wait."),
    "trio_chat_append_seconds": Figure(_HISTOGRAM, "How long the store takes for an append."),
    "trio_chat_loop_lag_seconds": Figure(_GAUGE, "The longest hold of all since the last scrape."),
    "trio_chat_tasks": Figure(_GAUGE, "Tasks of trio in the process."),
    "trio_chat_store_bytes": Figure(_GAUGE, "The size of the history."),
    "trio_chat_store_failing": Figure(_GAUGE, "1 if it could not be written the last time."),
    "trio_chat_store_hanging_seconds": Figure(_GAUGE, "How long the store has left work undone."),
    "trio_chat_store_unindexed": Figure(_GAUGE, "Entries that cannot be searched yet, about."),
    "process_cpu_seconds_total": Figure(_COUNTER, "Processor time of the process."),
    "process_resident_memory_bytes": Figure(_GAUGE, "Memory of the process."),
    "process_open_fds": Figure(_GAUGE, "Files that the process has open."),
    "process_max_fds": Figure(_GAUGE, "Files that it may have open."),
}

_DIALECTS = ("plain", "irc", "web", "admin")

_STATM, _FILES = "/proc/self/statm", "/proc/self/fd"  # proc(5)


@cache  # it reads a file of the installation
def version() -> str:
    """The version of trio-chat that runs."""
    return metadata.version("trio-chat")


def of_chat(people: int, rooms: int, connections: int, counts: Counts) -> Mapping[str, Value]:
    """Who is here, and what they do."""
    dialects = {name: counts.connections[name] for name in _DIALECTS}
    return {
        "trio_chat_people": people,
        "trio_chat_connections": {**dialects, "unknown": connections - sum(dialects.values())},
        "trio_chat_rooms": rooms,
        "trio_chat_messages_total": counts.said,
        "trio_chat_deliveries_total": counts.deliveries,
        "trio_chat_bytes_sent_total": counts.sent,
        "trio_chat_refused_total": {one.name.lower(): counts.refused[one] for one in Code},
        "trio_chat_disconnects_total": {one.value: counts.endings[one] for one in Ending},
        "trio_chat_outbox_bytes": counts.waiting,
        "trio_chat_outbox_waiting": counts.outboxes,
    }


def of_store(appends: Spread, now: Condition) -> Mapping[str, Value]:
    """How the store does."""
    return {
        "trio_chat_intake_places_free": now.free,
        "trio_chat_append_seconds": appends,
        "trio_chat_store_bytes": now.bytes,
        "trio_chat_store_failing": int(now.is_failing),
        "trio_chat_store_hanging_seconds": now.waited,
        "trio_chat_store_unindexed": now.unindexed,
    }


def of_process() -> Mapping[str, Value]:
    """What is the same for all servers in this process."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return {
        "trio_chat_build_info": {version(): 1},
        "trio_chat_tasks": trio.lowlevel.current_statistics().tasks_living,
        "process_cpu_seconds_total": time.process_time(),
        "process_max_fds": most,
        **_of_linux(),
    }


def _of_linux() -> Mapping[str, Value]:
    found = dict[str, Value]()
    with suppress(OSError):
        if number := os.stat(_FILES).st_size:  # since Linux 6.2; to list them would take long
            found["process_open_fds"] = number
    if number := memory():
        found["process_resident_memory_bytes"] = number
    return found


def memory() -> int:
    """The memory of the process in bytes; 0 if this system does not tell."""
    with suppress(OSError), open(_STATM) as file:
        return int(file.read().split()[1]) * resource.getpagesize()
    return 0
