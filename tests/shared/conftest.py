"""One engine for all tests that do not break it."""

from collections.abc import Iterator

import pytest

from engines import RedisServer, fresh, running
from trio_chat.settings.engine import Address


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def address(engine: RedisServer) -> Address:
    return fresh(engine)
