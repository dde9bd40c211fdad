"""Of which chat a file is a copy: all files of one chat have the same id, and no other chat has it.

The table is made where there are nodes, so it is not one of every file.
"""

import sqlite3

_TABLE = "CREATE TABLE IF NOT EXISTS copy_of (chat TEXT NOT NULL) STRICT"


def chat_of(connection: sqlite3.Connection) -> str:
    """The id of the chat; empty if the file is of none yet."""
    if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'copy_of'").fetchone():
        return ""
    [chat] = connection.execute("SELECT chat FROM copy_of").fetchone()
    return str(chat)


def note_chat(connection: sqlite3.Connection, chat: str) -> None:
    """Note it in a file that is of none yet; in a transaction."""
    connection.execute(_TABLE)
    connection.execute("INSERT INTO copy_of VALUES (?)", (chat,))
