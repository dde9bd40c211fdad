"""What people write to ban somebody and to lock the chat: durations, and the forms of /uban."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.commands import LiftBan, LockChat, SetBan, UnlockChat
from trio_chat.core.queries import ListBans
from trio_chat.protocols.durations import read_duration, written
from trio_chat.protocols.moderation import BadDuration, read_lock, read_uban

TEN_YEARS = 316_224_000


@given(st.integers(0, TEN_YEARS))
def test_a_duration_is_read_as_it_is_written(seconds: int) -> None:
    assert read_duration(written(seconds)) == seconds
    assert read_duration(written(seconds).upper()) == seconds


@given(st.text(st.sampled_from("0129wdhms f"), max_size=12))
def test_whatever_is_read_is_within_bounds(text: str) -> None:
    seconds = read_duration(text)
    assert seconds is None or 0 < seconds <= TEN_YEARS
    if seconds is not None and seconds < TEN_YEARS:
        assert read_duration(written(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10m", 600),
        ("2h", 7200),
        ("7d", 604_800),
        ("1w", 604_800),
        ("1d12h", 129_600),
        ("90s", 90),
        ("forever", 0),
        ("Forever", 0),
        ("999999999w", TEN_YEARS),
        ("0m", None),
        ("10", None),
        ("m", None),
        ("2h spam", None),
        ("٣h", None),
        ("", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert read_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("mallory", SetBan("mallory")),
        ("mallory 2h spam and more", SetBan("mallory", 7200, why="spam and more")),
        ("mallory mute 2h spam", SetBan("mallory", 7200, mute=True, why="spam")),
        ("mallory 2h mute", SetBan("mallory", 7200, mute=True)),
        ("mallory forever 2h is too short", SetBan("mallory", 0, why="2h is too short")),
        ("mallory forever forever", SetBan("mallory", 0, why="forever")),
        ("192.0.2.0/24 7d", SetBan("192.0.2.0/24", 604_800)),
        ("", ListBans()),
        ("list", ListBans()),
        ("list mallory", ListBans("mallory")),
        ("info 192.0.2.1", ListBans("192.0.2.1")),
        ("del 17", LiftBan("17")),
        ("lift mallory", LiftBan("mallory")),
        ("del", None),
        ("del 1 2", None),
        ("list a b", None),
    ],
)
def test_bans(text: str, read: object) -> None:
    assert read_uban(text) == read


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", LockChat()),
        ("10m raid", LockChat(600, "raid")),
        ("forever raid", LockChat(0, "raid")),
        ("off", UnlockChat()),
        ("OFF", UnlockChat()),
        ("off the raid is over", UnlockChat()),
    ],
)
def test_the_lock(text: str, read: object) -> None:
    assert read_lock(text) == read


@pytest.mark.parametrize("text", ["status", "raid of bots", "of", "10 raid"])
def test_a_lock_for_a_reason_has_its_time_first(text: str) -> None:
    with pytest.raises(BadDuration, match="is no duration: write 10m, 2h, 7d or forever"):
        read_lock(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "forever"), (604_800, "7d"), (3_456_000, "40d"), (129_600, "1d12h"), (90, "1m30s")],
)
def test_a_time_is_told_in_days(seconds: int, text: str) -> None:
    assert written(seconds) == text
