"""Writes the file of this version as SQL: ``PYTHONPATH=tests python -m storage.make_fixture``.

Do so before the version of the file changes: test_upgrade.py takes what was written upward. It
needs the program sqlite3, which dumps tables of FTS5 as well.
"""

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from netcat import guest
from owners import PASSWORD
from processes import running_server
from trio_chat.storage.sqlite.schema import MIGRATIONS

FIXTURE = Path(__file__).parent / "fixtures" / f"version-{len(MIGRATIONS)}.sql"


async def chat(store: str) -> None:
    """Let people do what is kept in the file."""
    how = {"TRIO_CHAT_HISTORY__STORE": store, "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096"}
    async with (
        running_server(**how) as server,
        guest(server.port, "alice") as alice,
        guest(server.port, "bob") as bob,
        guest(server.port, "carol") as carol,
    ):
        for peer in (alice, bob):
            await peer.send(f"/register {PASSWORD}\n")
            await peer.until("yours now")
        await alice.send("hello\n/me waves\n/topic about chats\n/join #tea\n/topic about tea\n")
        await alice.until("the topic: about tea")
        await bob.send("hi alice\n/join #tea\n")
        await alice.until("bob joined!")
        await alice.send("tea 0\ntea 1\ntea 2\n")
        await bob.send("grüße, 世界\n/msg alice psst\n/nick rob\nas rob\n")
        await alice.until("rob: as rob")
        await alice.send("to be removed\n/remove last\n/report last rob spam\n")
        await carol.send("/join #tea\nfrom carol\n")
        await alice.until("carol: from carol")
        await alice.send("/kick carol\n/ban mallory!*@*\n")
        await bob.send("/quit\n")
        await alice.until("rob left!")
        await alice.send("/msg bob while you were away\nlast\n")
        await alice.until("alice: last")


def main() -> None:
    with TemporaryDirectory() as folder:
        os.environ["HOME"] = folder
        store = f"{folder}/chat.db"
        trio.run(chat, store)
        done = subprocess.run(["sqlite3", store, ".dump"], check=True, capture_output=True)
    begin, end = "PRAGMA auto_vacuum = INCREMENTAL;", f"PRAGMA user_version = {len(MIGRATIONS)};"
    FIXTURE.write_text(f"{begin}\n{done.stdout.decode()}{end}\n")


if __name__ == "__main__":
    main()
