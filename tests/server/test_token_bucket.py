"""How fast one client may write."""

from hypothesis import given
from hypothesis import strategies as st

from trio_chat.server.token_bucket import TokenBucket


def test_a_burst_and_then_the_rate() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    assert [round(bucket.take(100.0), 3) for _ in range(6)] == [0, 0, 0, 0.1, 0.2, 0.3]


def test_the_burst_is_earned_back() -> None:
    bucket = TokenBucket(rate=10, burst=3)
    for _ in range(3):
        bucket.take(100.0)
    assert [bucket.take(100.2), bucket.take(100.2)] == [0, 0]
    assert bucket.take(100.2) > 0


@given(
    rate=st.floats(0.1, 1000),
    burst=st.integers(1, 200),
    gaps=st.lists(st.floats(0, 2), min_size=1, max_size=300),
)
def test_who_waits_as_told_never_goes_faster_than_burst_and_rate(
    rate: float, burst: int, gaps: list[float]
) -> None:
    bucket, now, times = TokenBucket(rate=rate, burst=burst), 1000.0, []
    for gap in gaps:
        now += gap
        now += bucket.take(now)
        times.append(now)
    for first in range(0, len(times), 17):
        for last in range(first, len(times), 23):
            count = last - first + 1
            assert count <= burst + rate * (times[last] - times[first]) + 1 + 1e-3
