"""What a node keeps of what it has read, to give it back."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.storage.shared.healing import Memory
from trio_chat.storage.shared.records import ZERO


def id_of(number: int) -> str:
    return f"{number:013d}-000000"


def memory_of(count: int, *, size: int = 10) -> Memory:
    memory = Memory(ZERO)
    for number in range(1, count + 1):
        memory.add(id_of(number), [b"name", b"x" * size] * 8)
    return memory


def parts(memory: Memory, last: str) -> list[tuple[str, Sequence[str]]]:
    return [(before, [raw.id for raw in raws]) for before, raws in memory.after(last)]


@given(st.integers(0, 600), st.integers(0, 600))
def test_all_after_an_id_is_given_without_a_gap(count: int, last: int) -> None:
    given = parts(memory_of(count), id_of(last))
    assert [id for _, ids in given for id in ids] == [id_of(n) for n in range(last + 1, count + 1)]
    before = id_of(last)
    for at, ids in given:
        assert at == before
        assert 0 < len(ids) <= 256
        before = ids[-1]


def test_parts_are_no_larger_than_the_engine_takes() -> None:
    given = parts(memory_of(10, size=50_000), ZERO)
    assert [len(ids) for _, ids in given] == [2, 2, 2, 2, 2]
    assert [before for before, _ in given] == [id_of(n) for n in (0, 2, 4, 6, 8)]


@pytest.mark.parametrize(("count", "size", "kept"), [(20_005, 10, 20_000), (900, 8 * 1024, 508)])
def test_what_is_kept_is_bounded_and_tells_what_is_before(count: int, size: int, kept: int) -> None:
    given = parts(memory_of(count, size=size), ZERO)
    assert given[0][0] == id_of(count - kept)
    assert sum(len(ids) for _, ids in given) == kept


def test_entry_has_the_values_of_eight_fields_whatever_follows() -> None:
    memory = Memory(ZERO)
    fields = [f"{n}".encode() for n in range(20)]
    memory.add(id_of(1), fields)
    [(_, [raw])] = memory.after(ZERO)
    assert raw.words() == [id_of(1), *(f"{n}".encode() for n in range(1, 16, 2))]
