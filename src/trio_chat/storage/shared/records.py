"""Records of the shared order, and their ids. Nothing here knows what a record says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

#: Before all entries.
ZERO = "0000000000000-000000"


@dataclass(frozen=True, slots=True)
class Append:
    """Records for one room, all of which get places, or none: each with the token by which it is
    known, or an empty one.

    ``expect`` is the id up to which the room's barriers are known to whoever judged them. With
    ``barrier`` they are barriers themselves. Then they may be barriers of ``also``, another room,
    as well, whose barriers are known up to ``also_expect``.
    """

    room: str
    records: Sequence[tuple[str, bytes]] = field(repr=False)
    expect: str = ""
    barrier: bool = False
    also: str = ""
    also_expect: str = ""

    def words(self) -> list[str | bytes]:
        """The append as an argument of the function."""
        words: list[str | bytes] = [self.room, self.expect, "1" if self.barrier else "0"]
        words += [self.also, self.also_expect, str(len(self.records))]
        for token, data in self.records:
            words += [token, data]
        return words

    @property
    def size(self) -> int:
        """How much there is in its records, in bytes."""
        return sum(len(token.encode()) + len(data) for token, data in self.records)


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a record: the id of its entry, and the moment when it got that (unix
    milliseconds, by the engine's clock). If it was ``found``, its token had it already.
    """

    id: str
    at: int
    found: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """An entry of the order, as it comes out: its id, its number (1 is the chat's first), and the
    moment when it got its place.
    """

    id: str
    number: int
    at: int
    room: str
    barrier: bool
    data: bytes = field(repr=False)


def padded(raw: bytes) -> str:
    """An id of the engine as ours, of fixed width."""
    milliseconds, _, sequence = raw.decode().partition("-")
    return f"{int(milliseconds):013d}-{int(sequence):06d}"


def plain(id: str) -> str:
    """The engine's form of an id."""
    milliseconds, _, sequence = id.partition("-")
    return f"{int(milliseconds)}-{int(sequence or 0)}"


def places_of(line: str, at: int) -> Sequence[Place]:
    """The places that a line of a reply tells."""
    places = []
    for id in line.split(" "):
        found = id.startswith("=")
        id = id.removeprefix("=")
        places.append(Place(id, _milliseconds(id) if found else at, found))
    return places


def read(id: bytes, fields: Sequence[bytes]) -> Record:
    """An entry of the stream. Its fields are in the order in which ``add`` of the Lua writes them,
    and more may follow.
    """
    _, number, _, at, _, room, _, _, _, barrier, _, _, _, _, _, data, *_ = fields
    return Record(padded(id), int(number), int(at), room.decode(), barrier == b"1", data)


def _milliseconds(id: str) -> int:
    return int(id.partition("-")[0])
