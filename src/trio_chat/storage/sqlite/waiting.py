"""Messages that wait for accounts until their owners have got them.

Whatever takes an entry out of the file takes it from here, too (ON DELETE CASCADE).
"""

from collections.abc import Collection, Sequence
from sqlite3 import Connection

from trio_chat.core.events import Entry, Event, is_promised, waits_for
from trio_chat.storage.base import WAITING_EACH, WAITING_MAX, box_full, sender_of
from trio_chat.storage.ids import pack
from trio_chat.storage.sqlite.rows import COLUMNS, entries_of


def check(connection: Connection, new: Sequence[Event]) -> None:
    """Make sure that there is a place for new messages of one sender. Raises BoxFull."""
    if not new:
        return
    in_all, theirs = _count(connection, waits_for(new[0]), sender_of(new[0]))
    if full := box_full(in_all + len(new), theirs + len(new)):
        raise full


def check_unknown(connection: Connection, events: Sequence[Event]) -> None:
    """Do as ``check`` does, for those of these that are new, and wait for somebody not here."""
    check(connection, [e for e in events if is_promised(e) and not _is_known(connection, e)])


def _is_known(connection: Connection, event: Event) -> bool:
    """Whether a message is in the file already: it was sent again."""
    token = getattr(event, "token", "")
    found = connection.execute("SELECT 1 FROM entry WHERE token = ?", (token,)) if token else None
    return found is not None and found.fetchone() is not None


def _count(connection: Connection, account: str, sender: str) -> tuple[int, int]:
    """How many wait for an account: in all, and of one sender."""
    [in_all, theirs] = connection.execute(
        "SELECT count(*), count(*) FILTER (WHERE sender = ?) FROM waiting WHERE account = ?",
        (sender, account),
    ).fetchone()
    return in_all, theirs


def add(connection: Connection, entry: Entry) -> None:
    """Let a new message wait, if there is a place for it."""
    account, sender = waits_for(entry.event), sender_of(entry.event)
    if is_promised(entry.event) or _make_place(connection, account, sender):
        row = (pack(entry.id), account, sender)
        connection.execute("INSERT INTO waiting VALUES (?, ?, ?)", row)


def _make_place(connection: Connection, account: str, sender: str) -> bool:
    """Make a place for one more message of a sender; they push out nobody else's."""
    in_all, theirs = _count(connection, account, sender)
    if theirs < WAITING_EACH:
        return in_all < WAITING_MAX
    connection.execute(
        "DELETE FROM waiting WHERE id IN (SELECT id FROM waiting WHERE account = ? AND sender = ? "
        "ORDER BY id LIMIT ?)",
        (account, sender, theirs - WAITING_EACH + 1),
    )
    return True


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


def remove(connection: Connection, ids: Collection[str]) -> None:
    """Let messages wait no more, as ``Log.got``."""
    connection.executemany("DELETE FROM waiting WHERE id = ?", [(pack(id),) for id in ids])
