"""The members of a large room in blocks, so that a change of one of them concerns one block.

Everybody who joins is sent all names. So that they are not written anew each time, a block lasts
until somebody in it changes, and with it what has been written of it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

#: The most members of a block: short names fill about one line of IRC.
SIZE = 50

_Member = TypeVar("_Member")
_Block = TypeVar("_Block")


class Roll(Generic[_Member, _Block]):
    """The members of a room by their ids, in the order of joining; ``make`` makes a block of some.

    ``note`` every change. A roll with more changes than members is not worth keeping.
    """

    __slots__ = ("_blocks", "_make", "_members", "_noted")

    def __init__(
        self,
        members: Mapping[str, _Member],
        make: Callable[[Mapping[str, _Member]], _Block],
    ) -> None:
        self._members, self._make = members, make
        self._blocks: list[tuple[dict[str, _Member], _Block]] = []
        self._noted = dict.fromkeys(members, True)  # by id, whether they have come or gone

    def note(self, user_id: str, *, moved: bool = False) -> bool:
        """Note that somebody has ``moved`` in or out, or is told of in another way.

        Returns whether the roll is still worth keeping.
        """
        if moved:
            self._noted.pop(user_id, None)  # whoever comes again comes last
        self._noted.setdefault(user_id, moved)
        return len(self._noted) <= len(self._members)

    def blocks(self) -> Sequence[_Block]:
        """The blocks as things stand; those without a change are the same objects as before."""
        if self._noted:
            self._catch_up()
        return [block for _, block in self._blocks]

    def _catch_up(self) -> None:
        noted, self._noted = self._noted, {}
        kept = []
        for members, block in self._blocks:
            if members.keys().isdisjoint(noted.keys()):
                kept.append((members, block))
            elif stayed := [user_id for user_id in members if not noted.get(user_id)]:
                kept.append(self._block(stayed))
        new = [user_id for user_id, moved in noted.items() if moved and user_id in self._members]
        if len(kept) > 2 * (len(self._members) // SIZE + 1):  # most of them are nearly empty
            kept, new = [], list(self._members)
        if kept and new and len(kept[-1][0]) < SIZE:
            new = [*kept.pop()[0], *new]
        kept += [self._block(new[begin : begin + SIZE]) for begin in range(0, len(new), SIZE)]
        self._blocks = kept

    def _block(self, user_ids: Sequence[str]) -> tuple[dict[str, _Member], _Block]:
        members = {user_id: self._members[user_id] for user_id in user_ids}
        return members, self._make(members)
