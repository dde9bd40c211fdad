"""What a node has read last, as it was in the stream: an engine that has lost it gets it back."""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

#: What is kept: some seconds under load. An engine loses no more than two ("appendfsync everysec").
ENTRIES, BYTES = 20_000, 32 * 1024 * 1024

# In one call: as much as a flush.
_TOGETHER, _BYTES_TOGETHER = 256, 1024 * 1024

# The fields that each entry has, as "add" of the Lua writes them.
_FIELDS = 8


class Raw(NamedTuple):
    """An entry: its id, and the values of its fields."""

    id: str
    values: Sequence[bytes]

    @property
    def size(self) -> int:
        """About how much memory it takes, in bytes."""
        return sum(map(len, self.values)) + 500

    def words(self) -> list[str | bytes]:
        """The entry as an argument of the function."""
        return [self.id, *self.values]


class Memory:
    """The last entries, in order, without a gap."""

    def __init__(self, after: str) -> None:
        self._before = after  # the id of the one before the first
        self._entries: deque[Raw] = deque()
        self._bytes = 0

    def add(self, id: str, fields: Sequence[bytes]) -> None:
        """Keep another entry, and let go of the first ones if there are too many."""
        raw = Raw(id, fields[1 : 2 * _FIELDS : 2])
        self._entries.append(raw)
        self._bytes += raw.size
        while len(self._entries) > ENTRIES or self._bytes > BYTES:
            first = self._entries.popleft()
            self._before = first.id
            self._bytes -= first.size

    def after(self, last: str) -> Iterator[tuple[str, Sequence[Raw]]]:
        """The entries after an id, in parts that fit a call; each with the id before its first."""
        before, part, size = self._before, list[Raw](), 0
        for raw in self._entries:
            if raw.id <= last:
                before = raw.id
                continue
            if part and (len(part) >= _TOGETHER or size + raw.size > _BYTES_TOGETHER):
                yield before, part
                before, part, size = part[-1].id, [], 0
            part.append(raw)
            size += raw.size
        if part:
            yield before, part
