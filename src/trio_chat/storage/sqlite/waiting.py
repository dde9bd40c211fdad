"""Messages that wait for accounts whose owners are not here.

Whatever takes an entry out of the file takes it from here, too (ON DELETE CASCADE).
"""

from collections.abc import Sequence
from sqlite3 import Connection

from trio_chat.core.events import Entry, Event, waits_for
from trio_chat.storage.base import box_full, sender_of
from trio_chat.storage.ids import pack
from trio_chat.storage.sqlite.rows import COLUMNS, entries_of


def check(connection: Connection, new: Sequence[Event]) -> None:
    """Make sure that there is a place for new messages of one sender. Raises BoxFull."""
    if not new:
        return
    account, sender = waits_for(new[0]), sender_of(new[0])
    [in_all, theirs] = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE sender = ?) FROM waiting WHERE account = ?",
        (sender, account),
    ).fetchone()
    if full := box_full(in_all + len(new), theirs + len(new)):
        raise full


def add(connection: Connection, entries: Sequence[Entry]) -> None:
    """Let new messages wait."""
    rows = [(pack(e.id), waits_for(e.event), sender_of(e.event)) for e in entries]
    connection.executemany("INSERT INTO waiting VALUES (?, ?, ?)", rows)


def of(connection: Connection, account: str, floor: str) -> Sequence[Entry]:
    """The messages that wait for an account, as ``Log.waiting``; all after the ``floor``."""
    rows = connection.execute(
        f"SELECT {COLUMNS} FROM waiting JOIN entry USING (id) JOIN room USING (room) "  # noqa: S608
        "WHERE account = ? AND id > ? ORDER BY id",
        (account, pack(floor)),
    )
    return list(entries_of(rows))


def empty(connection: Connection, account: str) -> None:
    """Let nothing wait for an account."""
    connection.execute("DELETE FROM waiting WHERE account = ?", (account,))


def remove(connection: Connection, account: str, up_to: str) -> None:
    """Let messages wait no more, as ``Log.handed_over``."""
    connection.execute("DELETE FROM waiting WHERE account = ? AND id <= ?", (account, pack(up_to)))
