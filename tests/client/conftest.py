"""A server in the test's own nursery, with limits that no test runs into."""

import os

import pytest

import trio_chat
from trio_chat.settings import PREFIX, LimitSettings, ServerSettings

LIMITS = LimitSettings(messages_per_second=1_000_000, message_burst=1_000_000)


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    """No settings in the environment, but that nobody's history is touched."""
    for variable in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("TRIO_CHAT_HISTORY__STORE", "memory:")


@pytest.fixture
def greeting_delay() -> float:
    """Long: even a client that is held up finds a server that has not asked it for a nickname."""
    return 10


@pytest.fixture
async def server(nursery, greeting_delay):
    settings = trio_chat.Settings(
        port=0, limits=LIMITS, server=ServerSettings(greeting_delay=greeting_delay)
    )
    return await nursery.start(trio_chat.serve, settings)


@pytest.fixture
def port(server) -> int:
    return server.addresses[0].port
