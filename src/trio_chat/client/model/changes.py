"""What the screen has to draw again after something has happened."""

from dataclasses import dataclass, field
from typing import Literal

from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.line_changes import LineChanges

Alert = Literal["", "mention", "private"]


@dataclass(slots=True)
class Changes:
    """``lines`` by buffer; the ``rosters`` and the ``typing`` of which buffers; whether something
    about the ``buffers`` has changed (one is new, gone, renamed, or another one is current), their
    ``badges`` (unread and mentions), their ``titles`` (topics), or the ``status`` (connection, own
    nickname, lag, away). ``alert``: whether to ring, and for what.
    """

    lines: dict[Buffer, LineChanges] = field(default_factory=dict)
    rosters: set[Buffer] = field(default_factory=set)
    typing: set[Buffer] = field(default_factory=set)
    buffers: bool = False
    badges: bool = False
    titles: bool = False
    status: bool = False
    alert: Alert = ""

    def __bool__(self) -> bool:
        """Whether there is anything to draw."""
        return self != Changes()

    def of(self, buffer: Buffer) -> LineChanges:
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

    def lines_of(self, buffer: Buffer) -> LineChanges:
        return self.changes.of(buffer)

    def note_badges(self) -> None:
        self.changes.badges = True

    def note_roster(self, buffer: Buffer) -> None:
        self.changes.rosters.add(buffer)

    def note_typing(self, buffer: Buffer) -> None:
        self.changes.typing.add(buffer)

    def take(self) -> Changes:
        changes, self.changes = self.changes, Changes()
        return changes
