"""What a file of history forgets: the oldest, in small steps, and the words with the texts."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from stores import NOW, append, open_file, said, texts
from trio_chat.core.events import (
    REALM,
    AccountMade,
    Entry,
    Event,
    Joined,
    Kicked,
    Origin,
    ReadUpTo,
    TopicSet,
)
from trio_chat.core.queries import Span
from trio_chat.core.realm import RealmState
from trio_chat.core.room_state import RoomState
from trio_chat.storage.base import MARKS, START, Search
from trio_chat.storage.codec import encode_realm
from trio_chat.storage.sqlite import maintenance, read, search
from trio_chat.storage.sqlite.maintenance import Housekeeper, Retention
from trio_chat.storage.sqlite.rows import row_of
from trio_chat.storage.sqlite.schema import open_for_writing
from trio_chat.storage.sqlite.store import Store
from trio_chat.storage.sqlite.usage import STEP

DAY = 86_400
NEXT = int(NOW * 1000) + 500  # half a second later
EVERYTHING = Retention(seconds=0, per_room=1_000_000, total_bytes=1_000_000_000)


class File:
    """A file with its housekeeping, done when a test says so; and a clock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.now = NOW
        self.connection = connection
        self.store = Store(connection, lambda: self.now)

    def append(self, *events: Event, room: str = "#a", barrier: bool = False) -> list[str]:
        rows = [row_of(event, barrier=barrier) for event in events]
        with self.store.transaction():
            entries = self.store.append(room, events, rows, expect="", barrier=False)
        return [entry.id for entry in entries]

    def save(self, room: str, id: str) -> None:
        with self.store.transaction():
            self.store.save(room, id, RoomState(room))

    def keeper(self, retention: Retention) -> Housekeeper:
        """Of a server that has run all the time."""
        self.connection.execute("UPDATE house SET at = ?", (int(self.now * 1000),))
        return Housekeeper(self.store, retention, lambda: self.now, lambda: self.now)

    def keep(self, retention: Retention) -> list[int]:
        """Housekeeping to its end; how many entries each step has taken away."""
        keeper = self.keeper(retention)
        taken, before = [], self.count()
        while keeper.step():
            taken.append(before - self.count())
            before = self.count()
        found = self.connection.execute("INSERT INTO word (word) VALUES ('integrity-check')")
        assert found.fetchall() == []
        return [number for number in taken if number]

    def texts(self, room: str = "#a") -> list[str]:
        found = read.history(self.connection, room, Span(), limit=10_000, said=True)
        return [entry.event.text for entry in found]  # type: ignore[union-attr]

    def found(self, words: str, *rooms: str) -> list[str]:
        sought = Search(words, rooms or ["#a"], limit=10_000)
        return [e.event.text for e in search.find(self.connection, sought)]  # type: ignore[union-attr]

    def indexed(self, words: str) -> int:
        """Rows of the index, whether what they are about is there or not."""
        return self.one("SELECT count(*) FROM word WHERE word MATCH ?", words)

    def count(self) -> int:
        return self.one("SELECT count(*) FROM entry")

    def one(self, query: str, *values: object) -> int:
        row = self.connection.execute(query, values).fetchone()
        return row[0] if row else 0


@pytest.fixture
def file(tmp_path: Path) -> Iterator[File]:
    with closing(open_for_writing(tmp_path / "chat.db", cache_bytes=1_000_000)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        yield File(connection)


def numbers(begin: int, end: int) -> list[str]:
    return [f"tea {n}" for n in range(begin, end)]


# ── age ────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_too_old_goes_oldest_first_in_steps(file: File) -> None:
    file.append(*map(said, numbers(0, 600)))
    file.now += DAY
    file.append(*map(said, numbers(600, 700)))
    file.append(said("milk", "#b"), room="#b")
    assert file.keep(Retention(DAY / 2, 1_000_000, 1_000_000_000)) == [STEP] * (600 // STEP)
    assert file.texts() == file.found("tea") == numbers(600, 700)
    assert file.indexed("tea") == 100
    assert file.texts("#b") == ["milk"]


def test_each_step_takes_the_oldest_that_are_left(file: File) -> None:
    file.append(*map(said, numbers(0, 600)))
    keeper = file.keeper(Retention(DAY, 1_000_000, 1_000_000_000))
    while keeper.step():
        pass
    file.now += 2 * DAY
    keeper.step()
    assert file.texts() == file.found("tea") == numbers(STEP, 600)


def test_nothing_is_too_old_without_a_limit(file: File) -> None:
    file.append(said("tea"))
    file.now += 100 * 365 * DAY
    assert file.keep(EVERYTHING) == []
    assert file.texts() == ["tea"]


def test_what_is_too_old_goes_before_its_words_were_looked_at(file: File) -> None:
    file.append(*map(said, numbers(0, 10)))
    file.store.unlooked = 1_000_000
    file.now += 2 * DAY
    assert file.keep(Retention(DAY, 1_000_000, 1_000_000_000)) == [10]
    assert file.indexed("tea") == 0
    file.append(said("tea again"))
    file.keep(EVERYTHING)
    assert file.found("tea") == ["tea again"]


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def test_of_each_room_the_newest_stay(file: File) -> None:
    file.append(*map(said, numbers(0, 700)))
    file.append(*[Joined("#a", f"{n}") for n in range(300)])
    file.append(*[said(f"tea {n}", "#b") for n in range(50)], room="#b")
    assert max(file.keep(Retention(0, 100, 1_000_000_000))) <= STEP
    assert file.texts() == file.found("tea") == numbers(600, 700)
    assert file.one("SELECT count(*) FROM entry WHERE kind = 2") == 100
    assert file.texts("#b") == numbers(0, 50)
    assert file.indexed("tea") == 150


def test_a_room_that_grows_is_looked_at_again(file: File) -> None:
    keeper = file.keeper(Retention(0, 10, 1_000_000_000))
    for n in range(50):
        file.append(said(f"tea {n}"))
        while keeper.step():
            pass
        assert file.texts() == numbers(max(n - 9, 0), n + 1)


def test_barriers_stay_until_a_later_state_is_saved(file: File) -> None:
    first, second = (
        file.append(TopicSet("#a", "al", text), barrier=True)[0] for text in ("tea", "milk")
    )
    file.append(said("old"))
    file.now += 2 * DAY
    retention = Retention(DAY, 1, 1_000_000)
    file.keep(retention)
    assert [e.id for e in read.barriers(file.connection, "#a", START)] == [first, second]
    file.save("#a", first)
    file.keep(retention)
    assert [e.id for e in read.barriers(file.connection, "#a", START)] == [second]
    file.save("#a", second)
    file.keep(retention)
    assert file.count() == 0


def test_rooms_that_are_empty_and_old_go(file: File) -> None:
    for room in ("#empty", "#new", "#full"):
        [id] = file.append(said("tea", room), room=room)
        file.save(room, id)
    file.append(said("in it", "#open"), room="#open")
    file.save("#open", START)
    file.append(said("psst", ""), room="1,2")
    file.now += 2 * DAY
    file.append(said("tea", "#full"), room="#full")
    [id] = file.append(Joined("#new", "al"), room="#new")
    file.save("#new", id)
    file.keep(Retention(DAY, 1_000_000, 1_000_000_000))
    assert read.snapshot(file.connection, "#empty") == (START, None)
    assert {name for (name,) in file.connection.execute("SELECT name FROM room")} == {
        "#new",
        "#full",
        "#open",
    }
    assert file.one("SELECT count(*) FROM entry") == 2
    file.append(said("tea again", "#empty"), room="#empty")
    file.keep(EVERYTHING)
    assert file.found("tea", "#empty", "#full") == ["tea", "tea again"]


@pytest.mark.slow
def test_all_rooms_are_looked_at_in_their_turn(file: File) -> None:
    for n in range(2500):
        file.append(said("psst", ""), room=f"{n},x")
    retention = Retention(DAY, 1_000_000, 1_000_000_000)
    file.now += 2 * DAY
    keeper = file.keeper(retention)
    for _ in range(80):
        keeper.step()
    assert file.one("SELECT count(*) FROM room") == 0
    file.append(said("psst", ""), room="1,x")
    assert file.texts("1,x") == ["psst"]


# ── size ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "rounds"),
    [("tea", 60), ("tea with words of many kinds " * 20, 20)],
    ids=["short", "long"],
)
def test_what_does_not_fit_goes_oldest_first(file: File, text: str, rounds: int) -> None:
    number = 0
    for _ in range(rounds):
        file.append(*[said(f"{text} {number + n}") for n in range(200)])
        number += 200
        file.keep(EVERYTHING)
    limit = file.one("PRAGMA page_count") * 4096 // 2
    assert max(file.keep(Retention(0, 1_000_000, limit))) <= STEP
    used = file.one("PRAGMA page_count") - file.one("PRAGMA freelist_count")
    assert used * 4096 <= limit
    left = file.texts()
    assert number * 0.4 < len(left) < number * 0.6
    assert left == file.found("tea") == [f"{text} {n}" for n in range(number - len(left), number)]


@pytest.mark.slow
def test_as_much_stays_however_much_has_gone(file: File) -> None:
    """What the index keeps of words that were deleted does not push out what is there."""
    retention = Retention(0, 1_000_000, 1_500_000)
    left = []
    for n in range(0, 40_000, 1000):
        file.append(*[said(f"tea {n}") for n in range(n, n + 1000)])
        file.keep(retention)
        left.append(file.count())
    assert min(left[10:]) > max(left) * 0.8


@pytest.mark.slow
def test_pages_are_given_back(file: File) -> None:
    for _ in range(30):
        file.append(*[said("x" * 4000) for _ in range(250)])
    before = file.one("PRAGMA page_count")
    file.keep(Retention(0, 100, 1_000_000_000))
    assert file.one("PRAGMA page_count") < before - 2000
    assert file.one("PRAGMA freelist_count") <= 4096


# ── marks ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_the_marks_that_were_changed_last_stay(file: File) -> None:
    def mark(reader: str) -> None:
        file.store.mark(ReadUpTo("#a", 1, identity=reader), 2)

    with file.store.transaction():
        mark("first")
        mark("second")
        for n in range(MARKS):
            mark(f"{n}")
        mark("first")
    file.keep(EVERYTHING)
    assert file.one("SELECT count(*) FROM mark") == MARKS
    assert read.marked(file.connection, "first", "#a") == 1
    assert read.marked(file.connection, "second", "#a") == 0


# ── by itself ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
async def test_it_is_done_when_nobody_wants_anything(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    async with open_file(path, retention=Retention(0, 10, 1_000_000_000)) as log:
        await append(log, *map(said, numbers(0, 600)))
        with trio.fail_after(60):
            while await texts(log, "#a", limit=1000) != numbers(590, 600):
                pass


async def test_it_is_done_when_there_is_never_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maintenance, "_BACKLOG", 2000)
    retention = Retention(0, 1000, 1_000_000_000)
    async with open_file(tmp_path / "chat.db", retention=retention) as log:
        sent = 0
        with trio.fail_after(60):
            while sent == 0 or len(await texts(log, "#a", limit=sent)) > sent // 2:
                await log.append("#a", [said("x") for _ in range(500)])
                sent += 500
    assert sent > 2000


# ── words ──────────────────────────────────────────────────────────────────────────────────────

TEXTS = st.lists(
    st.sampled_from(["tea", "Téa", "teapot", "green TEA", "ＴＥＡ", "100%", "茶", "tea green", "ß"])
    | st.text(max_size=5),
    min_size=1,
    max_size=6,
)


@given(said_before=TEXTS, said_since=TEXTS, sought=TEXTS, limit=st.integers(1, 5))
def test_the_same_is_found_whether_it_is_in_the_index_or_not(
    said_before: list[str], said_since: list[str], sought: list[str], limit: int
) -> None:
    with (
        TemporaryDirectory() as folder,
        closing(open_for_writing(Path(folder, "chat.db"), cache_bytes=1_000_000)) as connection,
    ):
        connection.execute("PRAGMA synchronous = OFF")
        file = File(connection)

        def found() -> list[list[Entry]]:
            queries = [Search(words, ["#a", "#b"], limit=limit) for words in sought]
            bounded = [replace(query, before=NEXT, nick="ALICE") for query in queries]
            return [search.find(connection, query) for query in (*queries, *bounded)]

        file.append(*map(said, said_before))
        file.append(said("tea", "#b"), room="#b")
        file.append(said("tea", "#c"), room="#c")
        nothing_indexed = found()
        file.keep(EVERYTHING)
        assert found() == nothing_indexed
        file.now += 1
        file.append(*map(said, said_since))
        half_indexed = found()
        file.keep(EVERYTHING)
        assert found() == half_indexed
        assert all(entry.room in ("#a", "#b") for entries in half_indexed for entry in entries)
        assert all(entry.at < NEXT for entries in half_indexed[len(sought) :] for entry in entries)


async def test_what_is_not_kept_goes_while_people_talk_without_a_pause(tmp_path: Path) -> None:
    """Nobody waits for a silence; and what was said last is found, however much it was."""
    few = Retention(seconds=0, per_room=300, total_bytes=1_000_000_000)
    async with open_file(tmp_path / "chat.db", retention=few) as log:
        for n in range(20):
            await log.append("#a", [said(f"{n}:{m}") for m in range(100)])
        await append(log, said("needle"))
        assert len(await log.search(Search("needle", ["#a"]))) == 1
        with trio.fail_after(50):
            while len(await log.history("#a", limit=3000)) > 1000:
                await append(log, said("on and on"))


# ── accounts ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "little",
    [
        Retention(1, 1_000_000, 1_000_000_000),
        Retention(0, 1, 1_000_000_000),
        Retention(0, 1_000_000, 2**20),
    ],
)
def test_accounts_stay_however_little_is_kept(file: File, little: Retention) -> None:
    made = [AccountMade(f"person{n}", f"=person{n}") for n in range(2000)]
    ids = file.append(*made, room=REALM, barrier=True)
    with file.store.transaction():
        file.store.save_realm(ids[-1], encode_realm(RealmState(ids[-1])))
    file.append(*(said("x" * 2000) for _ in range(500)))
    file.now += DAY
    file.append(said("the last one"))
    assert file.keep(little)
    kept = read.barriers(file.connection, REALM, START)
    assert [(entry.id, entry.event) for entry in kept] == [*zip(ids, made, strict=True)]
    assert len(file.texts()) < 500


# ── the audit ──────────────────────────────────────────────────────────────────────────────────


def audited(file: File, room: str = "#a") -> list[Event]:
    return [entry.event for entry in read.audit(file.connection, room, "", 10_000)]


def kicked(number: int, room: str = "#a") -> Kicked:
    return Kicked(room, "al", f"bob{number}", origin=Origin(host="al.net"))


def test_what_operators_did_stays_for_90_days(file: File) -> None:
    old = kicked(0)
    [id] = file.append(said("secret"), old, TopicSet("#a", "al", "tea"), barrier=True)[-1:]
    file.save("#a", id)
    week = Retention(7 * DAY, 1_000_000, 1_000_000_000)
    file.now += 30 * DAY
    file.keep(week)
    file.append(said("new"))
    assert audited(file) == [old]
    assert file.texts() == ["new"]
    assert read.history(
        file.connection, "#a", Span(), limit=9, said=False, floor=file.store.too_old
    ) == read.history(file.connection, "#a", Span(), limit=9, said=True)
    file.now += 61 * DAY
    file.keep(week)
    assert audited(file) == []


def test_of_a_full_room_it_stays_too(file: File) -> None:
    kicks = [kicked(n) for n in range(20)]
    joins = [Joined("#a", f"n{n}", guarded=True) for n in range(20)]
    [id] = file.append(*kicks, *joins, barrier=True)[-1:]
    file.save("#a", id)
    file.keep(Retention(0, 5, 1_000_000_000))
    assert audited(file) == kicks
    assert file.count() == len(kicks) + 5


def test_a_flood_of_it_does_not(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "AUDIT_MAX", 10)
    [id] = file.append(*(kicked(n) for n in range(30)), barrier=True)[-1:]
    file.save("#a", id)
    file.keep(Retention(0, 5, 1_000_000_000))
    assert audited(file) == [kicked(n) for n in range(20, 30)]


def test_nobody_pushes_it_out(file: File) -> None:
    [id] = file.append(*(kicked(n) for n in range(50)), barrier=True)[-1:]
    file.save("#a", id)
    for n in range(40):
        file.append(*(said(f"{n} " + "x" * 1000) for _ in range(50)))
    file.keep(Retention(0, 1_000_000, 1_000_000))
    assert len(audited(file)) == 50
    assert len(file.texts()) < 1500
