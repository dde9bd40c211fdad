"""``trio-chat history export``: what was said, as text or JSON, while the server goes on."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from trio_chat.app import history_file
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.trust import refuse
from trio_chat.core.events import (
    Departed,
    Entry,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Redacted,
    Renamed,
    RoomMetadataSet,
    RoomRenamed,
    Said,
    Signalled,
    TopicSet,
)
from trio_chat.errors import SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.protocols.plain.wording import wording
from trio_chat.storage.sqlite.export import export

# The names that 'trio-chat client --json' uses.
_TYPES = {
    Said: "said",
    Signalled: "tags",
    Redacted: "redacted",
    Joined: "joined",
    Left: "left",
    Kicked: "kicked",
    TopicSet: "topic",
    ModesSet: "mode",
    RoomMetadataSet: "metadata",
    RoomRenamed: "room_renamed",
    Renamed: "renamed",
    Departed: "left",
}

# Fields of events that mean nothing outside the server.
_INSIDE = (
    "user_id", "to_id", "target_id", "author_id", "token", "origin", "rooms", "concat_at",
    "identity", "target_identity", "target_account", "present", "guarded", "seen",
)  # fmt: skip


def run_export(
    rooms: Sequence[str],
    since: str,
    format_: str,
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    debug: bool,
) -> None:
    """Print the history to standard output, oldest first."""
    with exit_on_error(debug=debug):
        begin = _moment(since) if since else 0
        line = _FORMATS.get(format_)
        if line is None:
            raise SettingsError(f"--format {format_}: must be text or jsonl")
        path = history_file(refuse(load({}, assignments, env_file), "history").history)
        if path is None:
            raise SettingsError("history.store=memory: cannot be exported, only a file can")
        for entry in export(path, rooms=rooms, since=begin):
            sys.stdout.write(line(entry))


def _moment(text: str) -> int:
    """Read a date as unix milliseconds."""
    try:
        moment = datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise SettingsError(
            f"--since {text}: must be a date, such as 2026-01-31 or 2026-01-31T09:30"
        ) from None
    return int(moment.timestamp() * 1000)


def _text(entry: Entry) -> str:
    """Format an entry as lines, in local time."""
    time = datetime.fromtimestamp(entry.at / 1000).astimezone()
    start = f"{time:%Y-%m-%d %H:%M:%S} {getattr(entry.event, 'room', entry.room)}"
    return "".join(f"{start} {clean(line)}\n" for line in wording(entry.event))


def _json(entry: Entry) -> str:
    event = asdict(entry.event)
    origin = event.get("origin") or {}
    fields = {
        "id": entry.id,
        "time": datetime.fromtimestamp(entry.at / 1000, UTC).isoformat(timespec="milliseconds"),
        "type": _TYPES[type(entry.event)],
        "room": entry.room,
        **{name: value for name, value in event.items() if value and name not in _INSIDE},
        **{name: origin[name] for name in ("user", "host", "account") if origin.get(name)},
    }
    if "changes" in fields:
        fields["changes"] = [_change(change) for change in fields["changes"]]
    return json.dumps(fields, ensure_ascii=False) + "\n"


def _change(change: Mapping[str, str]) -> str:
    """Format a change of mode: ``+b mask``."""
    return f"{'+' if change['add'] else '-'}{change['mode']} {change['argument']}".rstrip()


_FORMATS: dict[str, Callable[[Entry], str]] = {"text": _text, "jsonl": _json}
