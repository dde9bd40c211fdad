"""The server's own secret is kept in a file of its own, which is its user's alone."""

import logging
import os
import stat
from pathlib import Path

import pytest

from trio_chat.app import key_file
from trio_chat.errors import CannotOpenStore
from trio_chat.settings import HistorySettings, ServerSettings, Settings
from trio_chat.storage.key import kept_key


def test_it_is_made_once_and_the_same_ever_after(tmp_path: Path):
    path = tmp_path / "data" / "key"
    key = kept_key(path)
    assert len(key) == 32
    assert kept_key(path) == key
    assert kept_key(tmp_path / "other") != key
    assert os.listdir(path.parent) == ["key"]


def test_nobody_else_may_read_it(tmp_path: Path):
    before = os.umask(0)
    try:
        kept_key(tmp_path / "data" / "key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "data" / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700


def test_one_that_others_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    path = tmp_path / "key"
    key = kept_key(path)
    assert not caplog.records
    path.chmod(0o644)
    assert kept_key(path) == key
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (logging.WARNING, f"others on this machine may read the server's key: chmod 600 {path}")
    ]


@pytest.mark.parametrize(
    "content", [b"", b"abc\n", b"ab" * 31, b"ab" * 33, b"x" * 64, b"\xff" * 64]
)
def test_what_is_no_key_is_refused_and_stays(tmp_path: Path, content: bytes):
    path = tmp_path / "key"
    path.write_bytes(content)
    with pytest.raises(CannotOpenStore, match=r"holds no key \(64 hexadecimal digits\)") as raised:
        kept_key(path)
    assert str(path) in str(raised.value)
    assert path.read_bytes() == content


@pytest.mark.parametrize("where", ["folder", "file/key"])
def test_a_place_that_cannot_be_had(tmp_path: Path, where: str):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(CannotOpenStore, match=r"cannot (keep|read) the server's key in"):
        kept_key(tmp_path / where)


def test_it_lies_beside_the_history_unless_it_is_named():
    def place(store: str, key: str = "") -> Path | None:
        return key_file(
            Settings(history=HistorySettings(store=store), server=ServerSettings(key=key))
        )

    assert place("/srv/chat/chat.db") == Path("/srv/chat/key")
    assert place("sqlite:/srv/chat/chat.db") == Path("/srv/chat/key")
    assert place("memory:") is None
    assert place("memory:", "/srv/key") == Path("/srv/key")
    assert place("/srv/chat/chat.db", "~/key") == Path.home() / "key"
