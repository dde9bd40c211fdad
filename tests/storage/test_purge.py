"""The last bytes of what was redacted go from all files, and so do old copies of the history."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stores import NOW, said
from trio_chat.core.events import Event, Redacted, TopicSet
from trio_chat.core.room_state import RoomState
from trio_chat.storage.sqlite.export import export
from trio_chat.storage.sqlite.maintenance import Housekeeper, Retention
from trio_chat.storage.sqlite.rows import row_of
from trio_chat.storage.sqlite.schema import connect, open_for_writing
from trio_chat.storage.sqlite.store import Store

DAY = 86_400
EVERYTHING = Retention(seconds=0, per_room=1_000_000, total_bytes=1_000_000_000)


@dataclass
class File:
    """A file in a folder of its own, with housekeeping that is done when a test says so."""

    path: Path
    now: float = NOW
    last: str = ""
    connection: sqlite3.Connection = field(init=False)

    def open(self) -> "File":
        self.connection = open_for_writing(self.path, cache_bytes=100_000, clock=lambda: self.now)
        self.store = Store(self.connection, lambda: self.now)
        clock = lambda: self.now  # noqa: E731
        self.keeper = Housekeeper(self.store, EVERYTHING, clock, clock)
        return self

    def append(self, *events: Event, redact: str = "") -> list[str]:
        barrier = bool(redact)
        rows = [row_of(event, barrier=barrier) for event in events]
        with self.store.transaction():
            entries = self.store.append(
                "#a", events, rows, expect=self.last, barrier=barrier, redact=redact
            )
        self.last = entries[-1].id if barrier else self.last
        return [entry.id for entry in entries]

    def redact(self, id: str) -> None:
        self.append(Redacted("#a", "alice", id, "alice"), redact=id)

    def keep(self) -> None:
        """Keep house until there is nothing left to do."""
        while self.keeper.step():
            pass

    def files_with(self, word: str) -> list[str]:
        """The names of the files in which a word stands, whatever its case."""
        word = word.lower()
        found = (file for file in self.path.parent.iterdir() if file.is_file())
        return sorted(f.name for f in found if word.encode() in f.read_bytes().lower())

    def close(self) -> None:
        self.connection.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    with closing(File(tmp_path / "chat.db").open()) as opened:
        yield opened


def fill(file: File, count: int) -> None:
    for begin in range(0, count, 100):
        file.append(*(said(f"message {begin + n} of some words") for n in range(100)))


@pytest.mark.parametrize("words", ["swordfish", "Swordfish " * 1000], ids=["short", "of pages"])
@pytest.mark.parametrize("indexed", [True, False])
def test_no_file_has_a_word_of_it(file: File, words: str, indexed: bool) -> None:
    fill(file, 1000)
    [id] = file.append(said(words, tags="+x=swordfish"))
    fill(file, 1000)
    if indexed:
        file.keep()
    assert file.files_with("swordfish")
    file.redact(id)
    file.keep()
    assert file.files_with("swordfish") == []
    assert file.files_with("message")


def test_no_file_has_a_word_of_a_topic(file: File) -> None:
    """Neither the log nor the state of the room."""
    topic = TopicSet("#a", "alice", "swordfish")
    with file.store.transaction():
        [entry] = file.store.append(
            "#a", [topic], [row_of(topic, barrier=True)], expect="", barrier=True
        )
        file.store.save("#a", entry.id, RoomState("#a", topic="swordfish", barrier=entry.id))
    file.last = entry.id
    fill(file, 100)
    file.keep()
    assert file.files_with("swordfish")
    removed = Redacted("#a", "alice", entry.id, "alice", topic=True)
    file.append(TopicSet("#a", "alice", ""), removed, redact=entry.id)
    file.keep()
    assert file.files_with("swordfish") == []


def test_what_an_older_server_has_left_in_free_pages_goes_too(file: File) -> None:
    file.connection.execute("PRAGMA secure_delete = OFF")
    [id] = file.append(said("a trout"))
    fill(file, 1000)
    file.keep()
    with file.store.transaction():
        file.connection.execute("CREATE TABLE old (text TEXT)")
        file.connection.executemany("INSERT INTO old VALUES (?)", [("swordfish" * 500,)] * 50)
        file.connection.execute("DROP TABLE old")
    file.connection.execute("PRAGMA secure_delete = ON")
    file.keep()
    assert file.files_with("swordfish")
    file.redact(id)
    file.keep()
    assert file.files_with("swordfish") == []


def test_a_reader_holds_it_up_and_no_longer(file: File) -> None:
    [id] = file.append(said("swordfish"))
    with closing(connect(file.path, cache_bytes=100_000, mode="ro")) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM entry").fetchall()
        file.redact(id)
        file.keep()
        assert file.files_with("swordfish") == ["chat.db-wal"]
        reader.execute("COMMIT")
        file.keep()
        assert file.files_with("swordfish") == []


def test_it_goes_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    with closing(File(path).open()) as file:
        [id] = file.append(said("swordfish"))
        file.keep()
        file.redact(id)
    with closing(File(path).open()) as file:
        file.keep()
        assert file.files_with("swordfish") == []


def test_many_are_purged_together_within_a_day(file: File) -> None:
    ids = file.append(*(said(f"swordfish{n}") for n in range(3)))
    file.keep()
    for id in ids:
        file.redact(id)
        file.keep()
    assert file.files_with("swordfish0") == []
    assert file.files_with("swordfish2")
    file.now += DAY / 2
    file.keep()
    assert file.files_with("swordfish") == []


# ── copies that were made before a migration ───────────────────────────────────────────────────


def copy(file: File, name: str) -> Path:
    """A copy of the file, made now."""
    path = file.path.with_name(name)
    with closing(sqlite3.connect(path)) as other:
        file.connection.backup(other)
    os.utime(path, (file.now, file.now))
    return path


def test_a_copy_goes_that_may_have_it(file: File) -> None:
    [early] = file.append(said("swordfish"))
    file.now += 1
    made = copy(file, "chat.db.version-1")
    part, others = copy(file, "chat.db.version-2.part"), copy(file, "chat.db.version-1.mine")
    file.now += 1
    [late] = file.append(said("a trout"))
    file.redact(late)
    file.keep()
    assert made.exists()
    file.redact(early)
    file.now += DAY / 2
    file.keep()
    assert not made.exists()
    assert not part.exists()
    assert others.exists()


def test_a_copy_goes_after_some_days(file: File) -> None:
    made = copy(file, "chat.db.version-1")
    for _ in range(6):
        file.now += DAY
        file.keep()
    assert made.exists()
    for _ in range(2):
        file.now += DAY
        file.keep()
    assert not made.exists()


# ── whatever comes in whatever order ───────────────────────────────────────────────────────────

STEPS = st.lists(st.sampled_from(["say", "say", "redact", "keep", "open"]), max_size=26)


@settings(max_examples=15)
@given(steps=STEPS, lengths=st.lists(st.integers(1, 3000), min_size=26, max_size=26))
def test_no_page_and_no_export_has_what_was_redacted(
    steps: Sequence[str], lengths: Sequence[int]
) -> None:
    with TemporaryDirectory() as folder:
        file = File(Path(folder, "chat.db")).open()
        there: dict[str, str] = {}
        gone: list[str] = []
        for number, (step, length) in enumerate(zip(steps, lengths, strict=False)):
            file.now += 60
            if step == "say":
                word = f"{chr(ord('a') + number)}swordfish"  # the index drops common beginnings
                text = f"{word} " * (length // len(word) + 1)
                [id] = file.append(said(text, token=f"1 {number}"))
                there[id] = word
            elif step == "redact" and there:
                id = sorted(there)[length % len(there)]
                file.redact(id)
                gone.append(there.pop(id))
            elif step == "keep":
                file.keep()
            elif step == "open":
                file.close()
                file.open()
        file.now += DAY / 2
        file.keep()
        assert [name for word in gone for name in file.files_with(word)] == []
        exported = repr([*export(file.path, rooms=[], since=0)])
        assert [word for word in gone if word in exported] == []
        assert [word for word in there.values() if word not in exported] == []
        file.close()
