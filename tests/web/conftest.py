"""A browser for all tests of a worker, and a server for each test.

playwright comes with the extra ``web-test``: what needs it is collected only if it is asked for.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from pages import Server

_WITHOUT_A_BROWSER = {"conftest.py", "test_modules.py"}

# Tests that run as root can have no sandbox; and nothing but us is to be asked for anything.
_ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]

_UNHURRIED = ("limits.messages_per_second=1000000", "limits.message_burst=1000000")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    left_out = "programs" not in config.getoption("markexpr").replace("not programs", "")
    needs_it = collection_path.suffix == ".py" and collection_path.name not in _WITHOUT_A_BROWSER
    return True if left_out and needs_it else None


# Not for the whole session: playwright's event loop runs as long as it is there, and a worker may
# go on with tests that run their own.
@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator["Server"]:
    from pages import Server

    with Server(tmp_path, *_UNHURRIED) as server:
        yield server
