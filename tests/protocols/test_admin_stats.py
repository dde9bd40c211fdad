"""How a server is, a line for each fact."""

import re
from dataclasses import replace

import pytest

from trio_chat.core.views import Stats
from trio_chat.protocols.admin_stats import stats

BUSY = Stats(
    version="1.2.3",
    began=1_700_000_000_000,
    now=1_700_000_000_000 + 93_784_000,
    state="ok",
    locked=False,
    people=1234,
    rooms=56,
    connections=(("irc", 1200), ("plain", 0), ("web", 34)),
    said=(1_234_567, 8),
    refused=(("a", 5), ("b", 4), ("c", 3), ("d", 2), ("e", 1)),
    waiting=1536,
    memory=3 * 2**30,
    stored=5_000_000,
    failing=False,
    late=0.0123456,
    level="info",
)


def test_the_facts_stand_in_two_columns() -> None:
    assert stats(BUSY)["text"].splitlines() == [
        "version       1.2.3",
        "up since      2023-11-14 22:13:20 UTC (1d2h3m)",
        "state         ok",
        "people        1,234",
        "rooms         56",
        "connections   1,234: 1,200 irc, 34 web",
        "messages      1,234,567 in rooms, 8 in private",
        "refused       15: 5 a, 4 b, 3 c, 2 d, …",
        "waiting       1.5 KiB for those who read slowly",
        "memory        3.0 GiB",
        "history       4.8 MiB",
        "loop          12.3 ms late",
        "log           info",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"state": "draining", "locked": True}, "state         draining, and locked"),
        ({"connections": ()}, "connections   0"),
        ({"refused": ()}, "refused       0"),
        ({"waiting": 0}, "waiting       0 bytes for those who read slowly"),
        ({"memory": 0}, "memory        unknown"),
        ({"failing": True}, "history       4.8 MiB, and cannot be written"),
        ({"now": BUSY.began}, "up since      2023-11-14 22:13:20 UTC (0s)"),
        ({"now": BUSY.began + 59_999}, "up since      2023-11-14 22:13:20 UTC (59s)"),
        ({"now": BUSY.began + 119_999}, "up since      2023-11-14 22:13:20 UTC (1m)"),
    ],
)
def test_what_is_special(change: dict[str, object], line: str) -> None:
    assert line in stats(replace(BUSY, **change))["text"].splitlines()


def test_programs_have_the_numbers_as_they_are() -> None:
    told = stats(BUSY)
    assert (told["type"], told["waiting"], told["stored"]) == ("stats", 1536, 5_000_000)
    assert told["connections"] == {"irc": 1200, "plain": 0, "web": 34}
    assert told["refused"] == {"a": 5, "b": 4, "c": 3, "d": 2, "e": 1}
    assert told["messages"] == {"rooms": 1_234_567, "private": 8}
    assert re.fullmatch(r"2023-11-14T22:13:20(\.\d+)?Z", told["since"])
