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
        first, *others = ids.take(number)
        assert last < first
        last = others[-1] if others else first
        assert first <= last
        assert len(last) == len(first) == len("1700000000000-000000")


def test_those_taken_together_follow_each_other() -> None:
    ids = Ids(lambda: 1_700_000_000.25)
    assert list(ids.take(2)) == ["1700000000250-000000", "1700000000250-000001"]
    assert list(ids.take(1)) == ["1700000000250-000002"]


@given(st.lists(st.tuples(st.integers(0, 2**42), st.integers(0, 999_999)), max_size=9))
def test_ids_as_numbers_have_the_order_of_ids(pairs: list[tuple[int, int]]) -> None:
    """Those of milliseconds alone among them; and numbers are ids again."""
    ids = [f"{milliseconds:013d}-{sequence:06d}" for milliseconds, sequence in pairs]
    assert [unpack(pack(id)) for id in ids] == ids
    moments = [f"{milliseconds:013d}" for milliseconds, _ in pairs if milliseconds]
    both = sorted({*ids, *moments, START})
    assert sorted(both, key=pack) == both
