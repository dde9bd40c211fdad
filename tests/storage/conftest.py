"""Each test of what every Log must do runs with every store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stores import NOW, STORES, OpenLog
from trio_chat.storage.base import Log


@pytest.fixture(params=STORES)
def open_log(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLog:
    return lambda clock: request.param(clock, tmp_path / "chat.db")


@pytest.fixture
async def log(open_log: OpenLog) -> AsyncIterator[Log]:
    async with open_log(lambda: NOW) as log:
        yield log
