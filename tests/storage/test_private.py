"""Why a file cannot be had."""

import os
from pathlib import Path

import pytest

from trio_chat.storage.private import reason

DENIED = PermissionError(13, "Permission denied")


def test_a_file_of_another_user_is_called_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    monkeypatch.setattr("trio_chat.storage.private.user_name", lambda uid: f"user {uid}")
    whose = f"{tmp_path} belongs to user {tmp_path.stat().st_uid}, and you are user 4000000001"
    assert reason(DENIED, tmp_path / "no" / "key") == f"permission denied. {whose}"


def test_whose_it_is_matters_for_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reason(DENIED, tmp_path) == "permission denied"
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_001)
    assert reason(IsADirectoryError(21, "Is a directory"), tmp_path) == "is a directory"
