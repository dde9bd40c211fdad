"""For all tests: examples may take their time on a busy machine; nobody's history is touched.

``--hypothesis-profile=thorough`` tries more examples of each property.
"""

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("quick", deadline=None, max_examples=15)
settings.register_profile("thorough", deadline=None, max_examples=200)
settings.load_profile("quick")

# What sets up Python is for nobody whom tests start.
for name in ("UNBUFFERED", "IOENCODING", "UTF8", "DONTWRITEBYTECODE"):
    os.environ.pop(f"PYTHON{name}", None)

# Tests, too, are compiled once, and not by each worker each time.
sys.dont_write_bytecode = False

# Servers that tests start without settings of their own.
os.environ["TRIO_CHAT_HISTORY__STORE"] = "memory:"


@pytest.fixture(scope="session", autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home for all tests: nothing is read or written in that of the person who runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("STATE", "DATA", "CONFIG", "CACHE"):
            patch.delenv(f"XDG_{name}_HOME", raising=False)
        yield


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among what is there for good: the tests, and Textual. That
    takes a sixth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Two for each core, since many tests wait for processes."""
    return 2 * (os.cpu_count() or 1)
