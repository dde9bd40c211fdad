"""``trio-chat history check``: is the file sound, what is in it, and what is removed next."""

import json
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from trio_chat.app import retention
from trio_chat.cli.backup import Progress, kept, megabytes
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.trust import refuse
from trio_chat.errors import DamagedStore
from trio_chat.settings import HistorySettings
from trio_chat.storage.sqlite.check import Checked, Contents, Due, Index, check

_RESTORE = "stop the server, and go back to a backup"
_INDEX_ANEW = "stop the server, run this, and start it: sqlite3 {} 'DELETE FROM indexed'"


def run_check(
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    json_lines: bool,
    debug: bool,
) -> None:
    """Print what a check has found, and end with an error if something is wrong."""
    with exit_on_error(debug=debug):
        chosen = refuse(load({}, assignments, env_file), "history")
        path, settings = kept(chosen), chosen.history
        with Progress() as progress:
            found = check(path, retention(settings), tell=progress.say)
        if json_lines:
            print(json.dumps({"type": "check", "path": str(path), **asdict(found)}))
        else:
            for line in _lines(path, found, settings):
                print(line)
        _complain(path, found)


def _complain(path: Path, found: Checked) -> None:
    """Raise DamagedStore if something is wrong."""
    if found.damage:
        raise DamagedStore(f"{path} is damaged: {_RESTORE}")
    if found.index and found.index.unreadable:
        messages = _counted(found.index.unreadable, "message")
        raise DamagedStore(f"{messages} in {path} cannot be read, nor shown: {_RESTORE}")
    if found.index and found.index.differs:
        anew = _INDEX_ANEW.format(shlex.quote(str(path)))
        raise DamagedStore(f"search does not find what is in {path}: {anew}")


def _lines(path: Path, found: Checked, settings: HistorySettings) -> Iterator[str]:
    journal = f", and {megabytes(found.journal)} in its journal" if found.journal else ""
    yield f"file: {path}, {megabytes(found.size)}{journal}"
    yield f"integrity: {'; '.join(found.damage) or 'ok'}"
    if found.chat:
        yield f"chat: {found.chat}, of several servers"
    if found.contents:
        yield from _of_contents(found.contents)
    if found.index:
        yield f"search: {_of_index(found.index)}"
    if found.due:
        yield f"age: history.days={settings.days:g}: {_of_age(found.due)}"
        yield f"full rooms: history.per_room={settings.per_room}: {_of_rooms(found.due)}"
        yield f"size: history.total_bytes={settings.total_bytes}: {_of_size(found.due, settings)}"


def _of_contents(contents: Contents) -> Iterator[str]:
    yield f"messages: {contents.messages:,}"
    yield f"rooms: {contents.rooms:,}"
    yield f"accounts: {contents.accounts:,}"
    yield f"waiting: {_counted(contents.waiting, 'private message')}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _of_index(index: Index) -> str:
    behind = f"; still to index: {index.behind:,}" if index.behind else ""
    return (
        "the index differs from the messages" if index.differs else "the index is good"
    ) + behind


def _of_age(due: Due) -> str:
    then = f"{datetime.fromtimestamp(due.after / 1000, UTC):%Y-%m-%d %H:%M} UTC"
    if due.now or due.in_a_day:
        next_ = f", the first at {then}" if due.in_a_day else ""
        return f"entries to remove now: {due.now:,}, within a day: {due.in_a_day:,} more{next_}"
    return f"nothing to remove before {then}" if due.after else "nothing to remove"


def _of_rooms(due: Due) -> str:
    if due.of_full_rooms:
        return f"{_counted(due.of_full_rooms, 'message')} to remove"
    return "nothing to remove"


def _of_size(due: Due, settings: HistorySettings) -> str:
    which = "the oldest" if due.used > settings.total_bytes else "nothing"
    return f"{100 * due.used / settings.total_bytes:.1f} % used, {which} to remove"
