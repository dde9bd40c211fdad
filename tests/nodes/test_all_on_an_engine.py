"""What is tested on one server, with each connection to the next of two nodes that share an engine,
and have files of their own: what one of them is told of, the other must find in its file, too.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from irc_peers import settings
from peers import House
from real_nodes import in_step
from twins import Spread, those_of

pytestmark = [pytest.mark.programs, pytest.mark.slow]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "admin"


@pytest.fixture
async def house(tmp_path: Path, path: Path) -> AsyncIterator[House]:
    async with in_step(tmp_path, settings(), admin=path) as nodes:
        yield Spread(nodes)


# It gives one server other settings, or knows the numbers of connections.
_OF_ONE = {"test_refusals_are_in_the_words_of_irc", "test_devices_are_listed_and_ended"}

globals().update(
    those_of(
        "test_accounts",
        "test_again",
        "test_always_on",
        "test_conversations",
        "test_devices",
        "test_irc",
        "test_irc_accounts",
        "test_metadata",
        "test_places",
        "test_redaction",
        "test_renaming",
        "test_reports",
        "test_room_bans",
        but=_OF_ONE,
    )
)
