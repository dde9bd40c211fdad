"""Ids rise strictly, whatever the clock does and however many there are."""

from hypothesis import given
from hypothesis import strategies as st

from trio_chat.storage.base import START
from trio_chat.storage.ids import Ids, pack, unpack

# Around now, in seconds; many of them in the same millisecond, some in the past.
TIMES = st.lists(st.integers(-5, 5).map(lambda n: 1_700_000_000 + n / 2000), min_size=1)


@given(times=TIMES, numbers=st.lists(st.integers(1, 5), min_size=1, max_size=12))
def test_ids_rise_strictly(times: list[float], numbers: list[int]) -> None:
    """Also when a millisecond is full, which for this test it is after five."""
    ids = Ids(lambda: times.pop() if len(times) > 1 else times[0], each=5)
    last = START
    for number in numbers:
        first, *others = (id for id, _ in ids.take(number))
        assert last < first
        last = others[-1] if others else first
        assert first <= last
        assert len(last) == len(first) == len("1700000000000-000000")


def test_those_taken_together_follow_each_other() -> None:
    ids = Ids(lambda: 1_700_000_000.25)
    at = 1_700_000_000_250
    assert list(ids.take(2)) == [("1700000000250-000000", at), ("1700000000250-000001", at)]
    assert list(ids.take(1)) == [("1700000000250-000002", at)]


def test_times_are_those_of_the_clock_also_if_that_goes_back() -> None:
    times = [1_700_000_000.0, 1_900_000_000.0, 1_700_000_001.0, 1e12, -5.0]
    ids = Ids(iter(times).__next__)
    places = [place for _ in times for place in ids.take(1)]
    assert places == sorted(places, key=lambda place: place[0])
    ats = [at for _, at in places]
    assert ats == [1_700_000_000_000, 1_900_000_000_000, 1_700_000_001_000, 7_258_118_400_000, 0]


@given(st.lists(st.tuples(st.integers(0, 2**42), st.integers(0, 999_999)), max_size=9))
def test_ids_as_numbers_have_the_order_of_ids(pairs: list[tuple[int, int]]) -> None:
    """And numbers are ids again."""
    ids = [f"{milliseconds:013d}-{sequence:06d}" for milliseconds, sequence in pairs]
    assert [unpack(pack(id)) for id in ids] == ids
    both = sorted({*ids, START})
    assert sorted(both, key=pack) == both
