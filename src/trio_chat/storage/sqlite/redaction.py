"""Redaction: words of a message or a topic go from the file; ``purge`` sees to their last bytes.

The row stays, without words, because of its token: sent again, the message is still known.
"""

from dataclasses import replace
from sqlite3 import Connection

from trio_chat.core.events import Said, TopicSet, is_redactable, without_words
from trio_chat.errors import Gone
from trio_chat.storage.codec import encode, encode_state
from trio_chat.storage.ids import pack
from trio_chat.storage.sqlite import read, search, usage
from trio_chat.storage.sqlite.rows import WITH_WORDS, Kind, event_of
from trio_chat.storage.sqlite.usage import SELECT


def take_words_out(connection: Connection, room: str, id: str) -> None:
    """Take the words of a message out of its row and of the index; or those of a topic, also out of
    the room's saved state. Raises Gone.
    """
    number = pack(id)
    row = connection.execute(
        f"{SELECT} id = ? AND {WITH_WORDS} AND room = (SELECT room FROM room WHERE name = ?)",  # noqa: S608
        (number, room),
    ).fetchone()
    said = event_of(number, row[4], row[3]) if row else None
    if not (said and is_redactable(said)):
        raise Gone(f"{id} is not there")
    if isinstance(said, TopicSet):
        _take_out_of_state(connection, room, said.text)
    blank = encode(without_words(said))
    [up_to] = connection.execute("SELECT up_to FROM indexed").fetchone() or (0,)
    if number <= up_to:
        usage.count(connection, [row], -1)
        usage.count(connection, [(*row[:3], "", blank)])
        if row[2] == Kind.SAID and isinstance(said, Said):
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


def _take_out_of_state(connection: Connection, room: str, topic: str) -> None:
    """Take a topic out of a room's saved state, if it is the one of then."""
    _, state = read.snapshot(connection, room)
    if state and state.topic == topic:
        blank = encode_state(replace(state, topic=""))
        connection.execute("UPDATE room SET state = ? WHERE name = ?", (blank, room))
