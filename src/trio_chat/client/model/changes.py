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
    elsewhere in between: then the first two say too little, and all places are to be read again. A
    line that is not in ``changed`` reads as before, wherever it is.
    """

    prepended: int = 0
    appended: int = 0
    changed: set[int] = field(default_factory=set)
    _above: int = 0  # lines above those that are prepended
    _in_between: bool = False

    @property
    def moved(self) -> bool:
        return self._in_between or self._above > 0

    def prepend(self, at: int, count: int) -> None:
        """A page comes line by line: each is put behind the one before, or at the top."""
        if not self.prepended:
            self._above = at
        self._in_between |= not self._above <= at <= self._above + self.prepended
        self.prepended += count

    def move(self) -> None:
        self._in_between = True

    def add(self, later: "LineChanges") -> None:
        if later.prepended:
            self.prepend(later._above, later.prepended)
        self.appended += later.appended
        self.changed |= later.changed
        self._in_between |= later._in_between


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
        return self != Changes()

    def of(self, buffer: "Buffer") -> LineChanges:
        """Where what becomes of its lines is to be noted."""
        if buffer not in self.lines:
            self.lines[buffer] = LineChanges()
        return self.lines[buffer]

    def ring(self, alert: Alert) -> None:
        """A private message is more than a mention."""
        if self.alert != "private":
            self.alert = alert or self.alert

    def add(self, later: "Changes") -> None:
        """What has changed after these, too: for a screen that draws once for many messages."""
        for buffer, lines in later.lines.items():
            self.of(buffer).add(lines)
        self.rosters |= later.rosters
        self.typing |= later.typing
        self.buffers |= later.buffers
        self.badges |= later.badges
        self.titles |= later.titles
        self.status |= later.status
        self.ring(later.alert)


class Ledger:
    """Where everything that changes is noted, until the screen takes it."""

    def __init__(self) -> None:
        self.changes = Changes()

    def take(self) -> Changes:
        changes, self.changes = self.changes, Changes()
        return changes
