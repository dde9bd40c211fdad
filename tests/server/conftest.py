"""A server with a socket for its operators, where a test needs nothing else of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from irc_peers import settings
from peers import House, running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "admin"


@pytest.fixture
async def house(path: Path) -> AsyncIterator[House]:
    async with running(settings(), admin=path) as running_house:
        yield running_house
