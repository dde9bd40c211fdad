"""Shares of something limited, among sources and, within each, among people."""

from collections import Counter


class Shares:
    """The things that have been taken, and by whom.

    Whoever takes one has fewer of them at that moment than are left of what their source may have;
    and a source may have as many as are left for all others. So one source that takes all it gets
    leaves a half, and two leave a third; and within a source the same holds for its people. That is
    a buffer with dynamic thresholds (A. K. Choudhury, E. L. Hahne, 1998): nobody who has little
    needs a share reserved for them, and nobody can take everything.
    """

    def __init__(self) -> None:
        self._takers: dict[str, tuple[str, str]] = {}  # by thing, the source and the person
        self._by_source: Counter[str] = Counter()
        self._by_person: Counter[tuple[str, str]] = Counter()

    def __len__(self) -> int:
        return len(self._takers)

    def of(self, source: str) -> int:
        """The number of things that a source has."""
        return self._by_source[source]

    def may_take(self, source: str, user_id: str, total: int) -> bool:
        """Whether somebody may take one more, if there are ``total`` for all."""
        left_for_source = total - len(self) - self._by_source[source]
        return self._by_person[source, user_id] < left_for_source

    def take(self, thing: str, source: str, user_id: str) -> None:
        """Note who takes a thing; one that has a taker already stays theirs."""
        if thing not in self._takers:
            self._takers[thing] = (source, user_id)
            self._by_source[source] += 1
            self._by_person[source, user_id] += 1

    def rename(self, thing: str, to: str) -> None:
        """Note that a thing has another name; whoever has it keeps it."""
        self.give_back(to)
        if taker := self._takers.pop(thing, None):
            self._takers[to] = taker

    def give_back(self, thing: str) -> None:
        """Note that a thing is free again."""
        if taker := self._takers.pop(thing, None):
            _decrease(self._by_source, taker[0])
            _decrease(self._by_person, taker)


def _decrease(counter: Counter, key: object) -> None:  # type: ignore[type-arg]
    counter[key] -= 1
    if not counter[key]:
        del counter[key]
