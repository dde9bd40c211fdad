"""A room, a person or the server, as one sees it: what was said there, who is there, what is new."""

from collections.abc import Mapping, Sequence
from typing import Literal

from trio_chat.client.model.lines import Line
from trio_chat.protocols.client import Member

BufferKind = Literal["server", "room", "person"]


class Buffer:
    """``joined`` is whether we are in the room; ``complete`` whether the server has nothing older
    than the first line; ``asking`` whether a page is on its way; ``marked`` is up to when (unix
    time) it has been read.
    """

    name: str
    kind: BufferKind
    lines: Sequence[Line]
    topic: str
    members: Mapping[str, Member]
    joined: bool
    complete: bool
    asking: bool
    mentions: int
    marked: float
    first_unread: Line | None
    typing: Sequence[str]

    @property
    def title(self) -> str:
        """One line that says what this is: name and topic."""
        raise NotImplementedError

    @property
    def unread(self) -> int:
        raise NotImplementedError

    @property
    def unread_from(self) -> str:
        """The id of the line above which "new" is to be drawn. A line may have none: so better ask
        ``first_unread``, which stays until one goes on to another buffer.
        """
        raise NotImplementedError
