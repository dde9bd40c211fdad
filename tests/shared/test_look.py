"""What is said of an engine, by what it says of itself."""

import pytest

from trio_chat.settings.engine import parse
from trio_chat.storage.shared.look import look_at

GOOD = {"maxmemory": "0", "maxmemory_policy": "noeviction", "aof_enabled": "1"}


@pytest.mark.parametrize(
    ("address", "password", "info", "events"),
    [
        ("redis://localhost/c", "", {}, []),
        ("redis://10.0.0.1/c", "secret", {}, []),
        ("redis://10.0.0.1/c", "", {}, ["engine-open"]),
        ("unix:/r.sock?c", "", {"maxmemory_policy": "allkeys-lru"}, []),
        (
            "unix:/r.sock?c",
            "",
            {"maxmemory_policy": "allkeys-lru", "maxmemory": "1"},
            ["engine-evicts"],
        ),
        ("unix:/r.sock?c", "", {"aof_enabled": "0"}, ["engine-volatile"]),
    ],
)
def test_what_is_said(
    address: str,
    password: str,
    info: dict[str, str],
    events: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    look_at(parse(address), password, GOOD | info)
    assert [record.event for record in caplog.records] == events  # type: ignore[attr-defined]
    assert "secret" not in caplog.text
