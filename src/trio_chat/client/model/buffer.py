"""A room, a conversation or the server, as a person sees it: its lines, its members, its news."""

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

# Seconds after which somebody who types nothing more is not typing (ircv3.net, "typing").
_TYPING = 6.0
_TYPING_MAX = 50  # people

# Seconds for which a speaker is part of the conversation, so that their leaving is worth a line.
_LATELY = 600.0

_SPEAKERS_MAX = 1000  # remembered for completion, and for the above


class Buffer:
    """``joined``: we are in the room. ``complete``: the server has nothing older than the first
    line. ``asking``: a page is on its way. ``marked`` is the time (unix) up to which it has been
    read, ``told`` the time up to which the server knows that, and ``newest`` the time of the newest
    line that the server has stamped, also as the server wrote it. ``first_visit``: we had read
    nothing here before, so what was said before we came is not new. ``untried``: we have named the
    room, and have never been in it. ``mentions`` counts the unread
    lines that name us, and in private all. ``draft`` is the text being written, and its cursor.
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
        self.joined = self.complete = self.asking = self.first_visit = self.untried = False
        self.mentions = 0
        self.first_unread: Line | None = None
        self.marked = self.told = -inf
        self.newest: tuple[float, str] = (-inf, "")
        self._new_since = -inf  # ``marked`` when ``first_unread`` was found
        self.lines = Lines(days, keys)
        self._names = names
        self.members: ByName[Member] = ByName(names)
        self._unread: list[Line] = []
        self.summary: PresenceSummary | None = None
        self._speakers: ByName[float] = ByName(names)
        self._typing: ByName[float] = ByName(names)
        self._split: ByName[None] = ByName(names)  # lost in a netsplit

    @property
    def target(self) -> str:
        """Its name in requests."""
        return "" if self.kind == "server" else self.name

    # ── what is new ────────────────────────────────────────────────────────────────────────

    @property
    def unread(self) -> int:
        return len(self._unread)

    @property
    def unread_from(self) -> str:
        """The id of ``first_unread``, above which "new" is drawn until another buffer is shown."""
        return self.first_unread.id if self.first_unread else ""

    def count(self, line: Line) -> None:
        """Count a line as unread."""
        if self.first_unread is None or not self._unread:
            self._new_since = self.marked
            self.first_unread = line
        elif self._is_before(line, self.first_unread):
            self.first_unread = line
        self._unread.append(line)
        self.mentions += self._rings(line)

    def reveal(self, line: Line) -> None:
        """Let the new lines begin at one that was said while nobody was here, and is read as it
        comes. It is not counted; ``marked`` may have moved past it with later lines.
        """
        first = self.first_unread
        since = self._new_since if first else self.marked
        news = line.stamped and -inf < since < line.time
        if news and (first is None or self._is_before(line, first)):
            self._new_since, self.first_unread = since, line

    def _is_before(self, line: Line, other: Line) -> bool:
        """Compare places where times are equal."""
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
        """Whether it was said after ``marked``, as far as that is known."""
        return line.stamped and -inf < self.marked < line.time

    def _count_again(self, unread: list[Line]) -> None:
        self._unread = unread
        self.mentions = sum(map(self._rings, unread))

    def _point_at_first(self) -> None:
        self.first_unread = min(self._unread, key=lambda line: line.time, default=None)
        self._new_since = self.marked

    def leave(self) -> None:
        """The person turns to another buffer: nothing here is new any more."""
        self._point_at_first()

    def forget(self, gone: Sequence[Line]) -> None:
        """Forget lines that have gone."""
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
        """Remove somebody; returns whether they were there."""
        return self.members.pop(nick, None) is not None

    def prefix(self, nick: str) -> str:
        """The highest prefix of a member."""
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
        """The people who have spoken, the last one first."""
        return list(self._speakers)[::-1]

    def rename(self, nick: str, to: str) -> bool:
        """Rename somebody, who keeps their place among the speakers; returns whether they are in
        the room.
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
        """Whether they return from a netsplit; notes that they have."""
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
        """Drop those who have not typed for a while."""
        for nick, until in list(self._typing.items()):
            if until <= now:
                self.stops_typing(nick)
