"""The screen's tests are plain functions: Textual has a loop of its own, and trio is its guest."""

import time

import pytest


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """The time of this place is shown."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
