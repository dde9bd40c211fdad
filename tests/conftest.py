"""For all tests: examples may take their time on a busy machine; nobody's history is touched."""

import os

import pytest
from hypothesis import settings

settings.register_profile("trio-chat", deadline=None)
settings.load_profile("trio-chat")

# Servers that tests start without settings of their own.
os.environ["TRIO_CHAT_HISTORY__STORE"] = "memory:"


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One more than there are cores, since many tests wait for processes."""
    return (os.cpu_count() or 1) + 1
