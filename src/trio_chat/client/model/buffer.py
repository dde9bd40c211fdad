"""A room, a person or the server, as one sees it: what was said, who is there, and what is new."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from math import inf
from typing import Literal

from trio_chat.client.model.days import Days
from trio_chat.client.model.lines import Line, Lines
from trio_chat.client.model.presence_summary import PresenceSummary
from trio_chat.protocols.casemapping import ByName, Casemapping
from trio_chat.protocols.client import Member

BufferKind = Literal["server", "room", "person"]

# Somebody who says nothing more may have fallen asleep over the keys (ircv3.net, "typing").
_TYPING = 6.0  # seconds
_TYPING_MAX = 50  # people

# Who has said something as long ago is part of the conversation: that they go is worth a line.
_LATELY = 600.0  # seconds

_SPEAKERS_MAX = 1000  # whose last word is remembered: for completion, and as above


class Buffer:
    """``joined`` is whether we are in the room; ``complete`` whether the server has nothing older
    than the first line; ``asking`` whether a page is on its way; ``marked`` is up to when (unix
    time) it has been read, ``told`` up to when the server knows that, and ``newest`` when the
    newest line was that the server has stamped, also as the server has said it. ``mentions``
    counts, of the unread lines, those that name us; of what a person says to us, all. ``draft`` is
    what is being written here, and where in it the cursor is.
    """

    def __init__(
        self,
        name: str,
        kind: BufferKind,
        days: Days,
        keys: Iterator[int],
        names: Casemapping,
    ) -> None:
        self.name, self.kind = name, kind
        self.topic = ""
        self.draft = ("", 0)
        self.joined = self.complete = self.asking = False
        self.mentions = 0
        self.first_unread: Line | None = None
        self.marked = self.told = -inf
        self.newest: tuple[float, str] = (-inf, "")
        self._new_since = -inf  # the mark as it was when ``first_unread`` was found
        self.lines = Lines(days, keys)
        self._names = names
        self.members: ByName[Member] = ByName(names)
        self._unread: list[Line] = []
        self.summary: PresenceSummary | None = None
        self._speakers: ByName[float] = ByName(names)
        self._typing: ByName[float] = ByName(names)
        self._split: ByName[None] = ByName(names)  # who was lost with another server

    @property
    def target(self) -> str:
        """What requests call it."""
        return "" if self.kind == "server" else self.name

    @property
    def title(self) -> str:
        """One line that says what this is: name and topic."""
        return f"{self.name}: {self.topic}" if self.topic else self.name

    # ── what is new ────────────────────────────────────────────────────────────────────────

    @property
    def unread(self) -> int:
        return len(self._unread)

    @property
    def unread_from(self) -> str:
        """The id of the line above which "new" is to be drawn. A line may have none: so better ask
        ``first_unread``, which stays until one goes on to another buffer.
        """
        return self.first_unread.id if self.first_unread else ""

    def count(self, line: Line) -> None:
        """Nobody has read it."""
        if self.first_unread is None or not self._unread:
            self._new_since = self.marked
            self.first_unread = line
        elif self._is_before(line, self.first_unread):
            self.first_unread = line
        self._unread.append(line)
        self.mentions += self._rings(line)

    def reveal(self, line: Line) -> None:
        """It was said while nobody was here, and is read as it comes: nothing is to be counted, but
        what is new may begin with it. The mark may have moved on since, with what came after it.
        """
        first = self.first_unread
        since = self._new_since if first else self.marked
        news = line.stamped and -inf < since < line.time
        if news and (first is None or self._is_before(line, first)):
            self._new_since, self.first_unread = since, line

    def _is_before(self, line: Line, other: Line) -> bool:
        """Many may be said in the same millisecond."""
        if line.time != other.time:
            return line.time < other.time
        return next((one for one in self.lines if one is line or one is other), other) is line

    def _rings(self, line: Line) -> bool:
        return line.mention or self.kind == "person"

    def read_all(self) -> None:
        if self._unread:
            self._count_again([])

    def read_up_to(self, moment: float) -> None:
        self.marked = max(self.marked, moment)
        unread = [line for line in self._unread if line.time > moment]
        if len(unread) < len(self._unread):
            self._count_again(unread)
            self._point_at_first()

    def is_news(self, line: Line) -> bool:
        """Whether it was said after what has been read, as far as that is known."""
        return line.stamped and -inf < self.marked < line.time

    def _count_again(self, unread: list[Line]) -> None:
        self._unread = unread
        self.mentions = sum(map(self._rings, unread))

    def _point_at_first(self) -> None:
        self.first_unread = min(self._unread, key=lambda line: line.time, default=None)
        self._new_since = self.marked

    def leave(self) -> None:
        """One goes on to another buffer: what was new is not any more."""
        self._point_at_first()

    def forget(self, gone: Sequence[Line]) -> None:
        """These lines are not there any more."""
        keys = {line.key for line in gone}
        unread = [line for line in self._unread if line.key not in keys]
        if len(unread) < len(self._unread):
            self._count_again(unread)
        if self.first_unread and self.first_unread.key in keys:
            self._point_at_first()

    # ── who is there ───────────────────────────────────────────────────────────────────────

    def set_members(self, members: Iterable[Member]) -> None:
        self.members = ByName(self._names, {member.nick: member for member in members})

    def put(self, member: Member) -> None:
        self.members[member.nick] = member

    def drop(self, nick: str) -> bool:
        """Returns whether they were there."""
        return self.members.pop(nick, None) is not None

    def prefix(self, nick: str) -> str:
        """The highest one that they have."""
        member = self.members.get(nick)
        return member.prefixes[:1] if member else ""

    # ── who speaks ─────────────────────────────────────────────────────────────────────────

    def spoke(self, nick: str, moment: float) -> None:
        self._speakers.pop(nick, None)
        self._speakers[nick] = moment
        if len(self._speakers) > _SPEAKERS_MAX:
            del self._speakers[next(iter(self._speakers))]
        self.stops_typing(nick)

    def spoke_lately(self, nick: str, now: float) -> bool:
        return now - self._speakers.get(nick, -inf) < _LATELY

    @property
    def speakers(self) -> Sequence[str]:
        """Who spoke last first."""
        return list(self._speakers)[::-1]

    def rename(self, nick: str, to: str) -> bool:
        """Somebody has another nickname, but not another place among those who speak. Returns
        whether they are in the room.
        """
        self.stops_typing(nick)
        if nick in self._speakers:
            same = self._names.same
            renamed = {to if same(n, nick) else n: at for n, at in self._speakers.items()}
            self._speakers = ByName(self._names, renamed)
        member = self.members.pop(nick, None)
        if member:
            self.put(replace(member, nick=to))
        return member is not None

    # ── who was lost in a netsplit ─────────────────────────────────────────────────────────

    def split_off(self, nick: str) -> None:
        if len(self._split) < _SPEAKERS_MAX:
            self._split[nick] = None

    def comes_back(self, nick: str) -> bool:
        """Whether they were lost with another server; then they are not any more."""
        known = nick in self._split
        self._split.pop(nick, None)
        return known

    # ── who is typing ──────────────────────────────────────────────────────────────────────

    @property
    def typing(self) -> Sequence[str]:
        return list(self._typing)

    def types(self, nick: str, now: float) -> None:
        if len(self._typing) < _TYPING_MAX or nick in self._typing:
            self._typing[nick] = now + _TYPING

    def stops_typing(self, nick: str) -> None:
        self._typing.pop(nick, None)

    def expire(self, now: float) -> None:
        """Who has not said for a while that they are typing has stopped."""
        for nick, until in list(self._typing.items()):
            if until <= now:
                self.stops_typing(nick)
