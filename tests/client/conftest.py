"""A server in the test's own nursery, with limits that no test runs into."""

import os

import pytest

import trio_chat
from trio_chat.settings import PREFIX, LimitSettings

LIMITS = LimitSettings(messages_per_second=1_000_000, message_burst=1_000_000)


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    """No settings in the environment."""
    for variable in [name for name in os.environ if name.upper().startswith(PREFIX)]:
        monkeypatch.delenv(variable)


@pytest.fixture
async def server(nursery):
    return await nursery.start(trio_chat.serve, trio_chat.Settings(port=0, limits=LIMITS))


@pytest.fixture
def port(server) -> int:
    return server.addresses[0].port
