"""What the screen has to draw again after something has happened."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from trio_chat.client.model.buffer import Buffer

Alert = Literal["", "mention", "private"]


@dataclass(slots=True)
class LineChanges:
    """Of one buffer's lines, compared with how they were at the last drawing.

    ``prepended`` are new at the top and ``appended`` at the end; the keys of those that read
    otherwise now are in ``changed``. If lines have ``moved``, some are gone, or are new, or stand
    elsewhere in between: then the other two say too little, and all places are to be read again. A
    line that is not in ``changed`` reads as before, wherever it is.
    """

    prepended: int = 0
    appended: int = 0
    changed: set[int] = field(default_factory=set)
    moved: bool = False


@dataclass(slots=True)
class Changes:
    """``lines`` by buffer; the ``rosters`` and the ``typing`` of which buffers; whether something
    about the ``buffers`` has changed (one is new, gone, renamed, or another one is current), their
    ``badges`` (unread and mentions), their ``titles`` (topics), or the ``status`` (connection, own
    nickname, lag, away). ``alert``: whether to ring, and for what.
    """

    lines: dict["Buffer", LineChanges] = field(default_factory=dict)
    rosters: set["Buffer"] = field(default_factory=set)
    typing: set["Buffer"] = field(default_factory=set)
    buffers: bool = False
    badges: bool = False
    titles: bool = False
    status: bool = False
    alert: Alert = ""

    def __bool__(self) -> bool:
        """Whether there is anything to draw."""
        raise NotImplementedError

    def add(self, later: "Changes") -> None:
        """What has changed after these, too: for a screen that draws once for many messages."""
        raise NotImplementedError
