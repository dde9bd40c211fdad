"""What there is only so much of, shared by sources and, within each, by people."""

from collections import Counter


class Shares:
    """Who has taken which things.

    Whoever takes one has fewer of them, by then, than are left of what their source may have; and
    that may have as many as are left for all others. So one source that takes all it gets leaves a
    half, and two leave a third; and the same again, within a source, do people to each other. That
    is a buffer with dynamic thresholds (A. K. Choudhury, E. L. Hahne, 1998): nobody who has little
    needs a share kept free for them, and nobody can take all.
    """

    def __init__(self) -> None:
        self._takers: dict[str, tuple[str, str]] = {}  # by thing, the source and the person
        self._by_source: Counter[str] = Counter()
        self._by_person: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._takers)

    def of(self, source: str) -> int:
        """How many a source has."""
        return self._by_source[source]

    def may_take(self, source: str, who: str, total: int) -> bool:
        """Whether there is one more for somebody, if there are so many for all."""
        left_for_source = total - len(self) - self._by_source[source]
        return self._by_person[source, who] < left_for_source

    def take(self, thing: str, source: str, who: str) -> None:
        """A thing that has a taker already stays theirs."""
        if thing not in self._takers:
            self._takers[thing] = (source, who)
            self._by_source[source] += 1
            self._by_person[source, who] += 1

    def give_back(self, thing: str) -> None:
        if taker := self._takers.pop(thing, None):
            _decrease(self._by_source, taker[0])
            _decrease(self._by_person, taker)


def _decrease(counter: Counter, key: object) -> None:  # type: ignore[type-arg]
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
