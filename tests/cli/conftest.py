"""No settings in the environment, and a working directory without an env file."""

import os

import pytest

from trio_chat.settings import PREFIX


@pytest.fixture(autouse=True)
def _bare(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
