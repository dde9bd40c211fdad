"""What is tested of bans on one server, with each connection to the next of two nodes."""

from collections.abc import AsyncIterator

import pytest

from peers import House
from server import test_bans
from twins import spread, those_of

pytestmark = pytest.mark.slow


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with spread(test_bans.chosen(tls={"clear": "anyone"})) as nodes:
        yield nodes


globals().update(those_of("test_bans"))
