"""The metrics of a server: what each is, and its value now.

Each value is a number that some object knows: nothing is searched or added up. No label is what
people have chosen, such as a nickname or a room.
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
from trio_chat.protocols.metrics import Buckets, Kind, Metric, Value
from trio_chat.server.counts import Counts, Ending
from trio_chat.storage.base import Condition, Membership

_COUNTER, _GAUGE, _HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

#: All metrics there are, by name. Those of the process have the names that Prometheus gives them.
METRICS = {
    "trio_chat_build_info": Metric(_GAUGE, "The version that runs.", "version"),
    "trio_chat_people": Metric(_GAUGE, "People in the chat, on however many connections."),
    "trio_chat_connections": Metric(_GAUGE, "Connections, by what they speak.", "dialect"),
    "trio_chat_rooms": Metric(_GAUGE, "Rooms with somebody in them."),
    "trio_chat_messages_total": Metric(_COUNTER, "Messages said.", "kind"),
    "trio_chat_deliveries_total": Metric(_COUNTER, "Events shown, each once for a connection."),
    "trio_chat_bytes_sent_total": Metric(_COUNTER, "Bytes for connections, before TLS."),
    "trio_chat_refused_total": Metric(_COUNTER, "Requests and connections refused.", "code"),
    "trio_chat_disconnects_total": Metric(_COUNTER, "Connections that have ended.", "reason"),
    "trio_chat_outbox_bytes": Metric(_GAUGE, "Bytes that wait for those who read slowly."),
    "trio_chat_outbox_waiting": Metric(_GAUGE, "Connections for which some bytes wait."),
    "trio_chat_intake_places_free": Metric(_GAUGE, "Places left before those who write wait."),
    "trio_chat_append_seconds": Metric(_HISTOGRAM, "How long the store takes for an append."),
    "trio_chat_loop_lag_seconds": Metric(_GAUGE, "The longest time nobody was served."),
    "trio_chat_tasks": Metric(_GAUGE, "Tasks of trio in the process."),
    "trio_chat_store_bytes": Metric(_GAUGE, "The size of the history."),
    "trio_chat_store_failing": Metric(_GAUGE, "1 if the history cannot be written."),
    "trio_chat_store_hanging_seconds": Metric(_GAUGE, "How long the store has finished nothing."),
    "trio_chat_store_unindexed": Metric(_GAUGE, "Entries that cannot be searched yet, about."),
    "trio_chat_nodes": Metric(_GAUGE, "Servers that are this chat, as far as this one knows."),
    "trio_chat_node_behind_entries": Metric(_GAUGE, "Events that this server has not taken yet."),
    "trio_chat_engine_up": Metric(_GAUGE, "1 if the engine that the servers share answers."),
    "process_cpu_seconds_total": Metric(_COUNTER, "Processor time of the process."),
    "process_resident_memory_bytes": Metric(_GAUGE, "Memory of the process."),
    "process_open_fds": Metric(_GAUGE, "Files that the process has open."),
    "process_max_fds": Metric(_GAUGE, "Files that the process may have open."),
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


def of_store(appends: Buckets, now: Condition) -> Mapping[str, Value]:
    """How the store is."""
    return {
        "trio_chat_intake_places_free": now.free,
        "trio_chat_append_seconds": appends,
        "trio_chat_store_bytes": now.bytes,
        "trio_chat_store_failing": int(now.is_failing),
        "trio_chat_store_hanging_seconds": now.waited,
        "trio_chat_store_unindexed": now.unindexed,
    }


def of_nodes(membership: Membership | None) -> Mapping[str, Value]:
    """How the chat is of which this server is a node; nothing if it is one of its own."""
    if membership is None:
        return {}
    known = {
        "trio_chat_nodes": len(membership.nodes),
        "trio_chat_engine_up": int(membership.is_up),
    }
    if (behind := membership.behind) is not None:
        known["trio_chat_node_behind_entries"] = behind
    return known


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
