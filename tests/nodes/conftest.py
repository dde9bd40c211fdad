"""Two nodes that look like one server: what is tested of one goes for them, too."""

from collections.abc import AsyncIterator

import pytest

from peers import House
from twins import spread


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with spread() as nodes:
        yield nodes
