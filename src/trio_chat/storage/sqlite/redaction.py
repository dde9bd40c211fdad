"""Redaction: the words of a message go from the file; ``purge`` sees to their last bytes.

The row stays, without words, because of its token: sent again, the message is still known.
"""

from sqlite3 import Connection

from trio_chat.core.events import Said, without_words
from trio_chat.errors import Gone
from trio_chat.storage.codec import encode
from trio_chat.storage.ids import pack
from trio_chat.storage.sqlite import search, usage
from trio_chat.storage.sqlite.rows import Kind, event_of
from trio_chat.storage.sqlite.usage import SELECT


def take_words_out(connection: Connection, room: str, id: str) -> None:
    """Take the words of a message out of its row and of the index. Raises Gone."""
    number = pack(id)
    row = connection.execute(
        f"{SELECT} id = ? AND kind IN (0, 3) AND room = (SELECT room FROM room WHERE name = ?)",  # noqa: S608
        (number, room),
    ).fetchone()
    said = event_of(number, row[4], row[3]) if row else None
    if not isinstance(said, Said):
        raise Gone(f"{id} is not there")
    blank = encode(without_words(said))
    [up_to] = connection.execute("SELECT up_to FROM indexed").fetchone() or (0,)
    if number <= up_to:
        usage.count(connection, [row], -1)
        usage.count(connection, [(*row[:3], "", blank)])
        if row[2] == Kind.SAID:
            search.delete(connection, [search.row_of(number, row[1], said.nick, said.text)])
            connection.execute("UPDATE indexed SET entries = entries - 1, removed = removed + 1")
    connection.execute("DELETE FROM waiting WHERE id = ?", (number,))
    connection.execute(
        "UPDATE entry SET kind = ?, text = '', event = ? WHERE id = ?",
        (Kind.REDACTED, blank, number),
    )
    connection.execute(
        "UPDATE indexed SET redacted = iif(redacted, min(redacted, :id), :id)", {"id": number}
    )
