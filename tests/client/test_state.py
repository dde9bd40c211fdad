"""What the terminal client remembers: whole, for nobody else, and of one program at a time."""

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.client.model import SavedState, Unsent
from trio_chat.client.state import open_state

SERVER = "localhost:55555"
KEPT = SavedState(
    secret="s" * 32,
    inputs=("one", "two\nlines", "\ud800 😄"),
    read=(("#lobby", "2024-12-31T12:00:00.000Z"),),
    unsent=(Unsent("t1", "#lobby", "hello"), Unsent("t2", "bob", "waves", True)),
    buffers=("#lobby", "bob"),
    ignored=("carol!*@*",),
    current="bob",
    drafts=(("", "/join #t"), ("#lobby", "I was about\nto say")),
)


def remember(directory: Path, kept: SavedState = KEPT) -> Path:
    """Returns the file."""
    with open_state(directory, SERVER) as state:
        assert state.save(kept) == ""
    (file,) = directory.glob("*.json")
    return file


texts = st.text(st.characters(), max_size=20)


@given(
    st.builds(
        SavedState,
        secret=st.text(min_size=1),
        inputs=st.lists(texts).map(tuple),
        read=st.lists(st.tuples(texts, texts)).map(tuple),
        unsent=st.lists(st.builds(Unsent, texts, texts, texts, st.booleans())).map(tuple),
        buffers=st.lists(texts).map(tuple),
        ignored=st.lists(texts).map(tuple),
        current=texts,
        drafts=st.lists(st.tuples(texts, texts)).map(tuple),
    )
)
def test_whatever_is_saved_is_there_again(tmp_path_factory, kept: SavedState) -> None:
    directory = tmp_path_factory.mktemp("state")
    remember(directory, kept)
    with open_state(directory, SERVER) as state:
        assert state.kept == kept


def test_each_server_has_its_own(tmp_path: Path) -> None:
    remember(tmp_path)
    servers = ["localhost:55556", "[::1]:55555", "unix:" + "/long" * 50, "../../etc/passwd"]
    for server in servers:
        with open_state(tmp_path, server) as state:
            assert state.notes == ()
            assert state.kept.inputs == ()
            state.save(replace(KEPT, inputs=(server,)))
    for server in servers:
        with open_state(tmp_path, server) as state:
            assert state.kept.inputs == (server,)
    assert len(list(tmp_path.glob("*.json"))) == 5
    assert all(file.parent == tmp_path for file in tmp_path.rglob("*"))


def test_who_has_no_secret_gets_one_that_stays(tmp_path: Path) -> None:
    with open_state(tmp_path, SERVER) as state:
        secret = state.kept.secret
        state.save(state.kept)
    assert len(secret) >= 16
    with open_state(tmp_path, SERVER) as state:
        assert state.kept.secret == secret


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = remember(tmp_path / "state")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


def test_without_a_directory_nothing_is_kept(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open_state(None, SERVER) as state:
        assert state.kept.secret
        assert state.save(KEPT) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_second_program_reads_and_does_not_write(tmp_path: Path) -> None:
    file = remember(tmp_path)
    with open_state(tmp_path, SERVER) as first, open_state(tmp_path, SERVER) as second:
        assert second.notes == (
            "Another trio-chat of yours is using this server, so this one will save nothing.",
        )
        assert second.kept == replace(KEPT, secret=second.kept.secret, unsent=())
        assert second.kept.secret not in ("", KEPT.secret)
        second.save(replace(KEPT, inputs=("second",)))
        assert first.save(replace(KEPT, inputs=("first",))) == ""
    assert json.loads(file.read_text())["inputs"] == ["first"]
    with open_state(tmp_path, SERVER) as third:
        assert third.notes == ()


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    with open_state(tmp_path, SERVER) as state:
        state.save(KEPT)
        (file,) = tmp_path.glob("*.json")
        file.unlink()
        state.save(KEPT)
        assert not file.exists()
        state.save(replace(KEPT, inputs=()))
        assert file.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"{}", b'{"version": 1}', b"\xff\xfe", b"[" * 100_000,
        json.dumps({"version": 1, "secret": 7}).encode(),
    ],
)  # fmt: skip
def test_a_damaged_file_is_moved_aside(tmp_path: Path, content: bytes) -> None:
    file = remember(tmp_path)
    file.write_bytes(content)
    with open_state(tmp_path, SERVER) as state:
        aside = file.with_suffix(".damaged")
        assert state.notes == (
            f"The saved state cannot be read, so it starts afresh. The old file is {aside}.",
        )
        assert state.kept == SavedState(secret=state.kept.secret)
        assert aside.read_bytes() == content
        assert state.save(KEPT) == ""
    with open_state(tmp_path, SERVER) as state:
        assert (state.kept, state.notes) == (KEPT, ())


@pytest.mark.parametrize(
    "field", ["secret", "inputs", "read", "unsent", "buffers", "ignored", "current", "drafts"]
)
@pytest.mark.parametrize("value", [None, 7, {"a": 1}, [7], [[7, 7]], [["a"]], "text"])
def test_a_field_that_is_something_else_is_damage(tmp_path: Path, field: str, value) -> None:
    file = remember(tmp_path)
    content = json.loads(file.read_text()) | {field: value}
    file.write_text(json.dumps(content))
    with open_state(tmp_path, SERVER) as state:
        fits = field in ("secret", "current") and value == "text"
        assert len(state.notes) == (not fits)


def test_a_file_from_before_there_were_drafts_is_read(tmp_path: Path) -> None:
    file = remember(tmp_path)
    content = json.loads(file.read_text())
    del content["drafts"]
    file.write_text(json.dumps(content))
    with open_state(tmp_path, SERVER) as state:
        assert (state.kept, state.notes) == (replace(KEPT, drafts=()), ())


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    file = remember(tmp_path)
    file.write_text('{"version": 2}')
    with open_state(tmp_path, SERVER) as state:
        assert state.notes == (f"Nothing will be saved: {file} was written by a newer trio-chat.",)
        state.save(KEPT)
    assert file.read_text() == '{"version": 2}'


def test_where_nothing_can_be_written_nothing_is_remembered(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with open_state(tmp_path / "file" / "state", SERVER) as state:
        (note,) = state.notes
        assert note.startswith("Nothing will be saved: ")
        assert state.save(KEPT) == ""


def test_what_cannot_be_written_is_told_and_leaves_the_old(tmp_path: Path, monkeypatch) -> None:
    file = remember(tmp_path)
    with open_state(tmp_path, SERVER) as state:
        monkeypatch.setattr(os, "fsync", _full)
        why = state.save(replace(KEPT, inputs=()))
        assert why == f"Nothing was saved: {file} cannot be written: No space left on device."
    assert json.loads(file.read_text())["inputs"] == list(KEPT.inputs)
    assert len(list(tmp_path.iterdir())) == 2


def _full(descriptor: int) -> None:
    raise OSError(28, "No space left on device")
