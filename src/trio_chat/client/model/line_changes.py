"""What of one buffer's lines the screen has to draw again."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class LineChanges:
    """Compared with how they were at the last drawing.

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
