"""One engine for all tests that do not break it."""

import pytest

from engines import RedisServer, fresh, the_engine
from trio_chat.settings.engine import Address


@pytest.fixture(scope="session")
def engine() -> RedisServer:
    return the_engine()


@pytest.fixture
def address(engine: RedisServer) -> Address:
    return fresh(engine)
