"""The state of the chat: buffers, who we are, what is on its way. Messages change it (reducer.py),
and so does the person (model.py).
"""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import count
from math import inf

from trio_chat.client.model.buffer import Buffer, BufferKind
from trio_chat.client.model.days import Days
from trio_chat.client.model.lines import Kind, Line
from trio_chat.client.model.search import search
from trio_chat.core.events import Origin
from trio_chat.core.masks import address, fold_mask, full_mask, matches
from trio_chat.core.mentions import mention_of
from trio_chat.core.views import Masks
from trio_chat.protocols.casemapping import ByName, Casemapping
from trio_chat.protocols.irc.text import is_room
from trio_chat.protocols.irc.times import moment_of

#: Beyond this, messages go to the server's buffer.
BUFFERS_MAX = 500

# Seconds for which a message about no room is probably the answer to a command in this buffer.
_ANSWER = 5.0

_STATUS = 60  # characters that the line of the status shows whole on 80 columns
_LATELY = 20  # lines of a page in which something is told already
_MENTIONS_MAX = 500  # lines of all buffers that name us
_IGNORED_MAX = 500  # masks
_FOUND_MAX = 1000  # lines of all buffers together
_READ_MAX = 1000  # targets with a read marker


class ChatState:
    """``ours`` are our own lines by their tokens, with their buffers; ``read`` is the time (ISO
    8601) up to which each target has been read; ``closed`` are the rooms that we have asked to
    leave, ``wanted`` those that we have asked to enter; ``caps`` are the capabilities that the
    server has granted, ``rules`` is whether we are an operator of it; ``mentions`` are the last
    lines that name us; ``call`` is the line of the last message that calls for attention. We are
    ``nowhere``, which shows the server's buffer, until we first go anywhere; ``begun`` is the room
    that has taken us there.
    """

    def __init__(self, nick: str, days: Days) -> None:
        self.network = ""
        self.linked = self.rules = False
        self.lag = 0.0
        self.away = ""
        self.status = ""
        self.focused = True
        self.call: Line | None = None
        self.has_more_calls = False  # whether mentions have come that were asked for
        self.bans: Masks | None = None  # of a room or the server, that have been asked for
        self.ignored: list[str] = []
        self.mentions: deque[Line] = deque(maxlen=_MENTIONS_MAX)
        self.ours: dict[str, tuple[Buffer, Line]] = {}
        self.names = Casemapping()
        self.read: ByName[str] = ByName(self.names)
        self.closed: ByName[None] = ByName(self.names)
        self.wanted: ByName[None] = ByName(self.names)
        self.nowhere = True
        self.begun: Buffer | None = None
        self.caps: frozenset[str] = frozenset()
        self.days = days
        self._keys: Iterator[int] = count(1)
        self._by_name: ByName[Buffer] = ByName(self.names)
        self.server = self._new("server", "server")
        self.buffers = [self.server]
        self.current = self.server
        self._asked = self.server, -inf
        self.set_nick(nick)

    # ── who we are ─────────────────────────────────────────────────────────────────────────

    def set_nick(self, nick: str) -> None:
        self.nick = nick
        self._mention = mention_of(nick)

    def is_me(self, nick: str) -> bool:
        return bool(nick) and self.names.same(nick, self.nick)

    def names_me(self, text: str) -> bool:
        """Whether our nickname is a word of it, in any case."""
        return self._mention(text)

    # ── buffers ────────────────────────────────────────────────────────────────────────────

    def find(self, name: str) -> Buffer | None:
        """Find a buffer by name; the server's, if it is empty."""
        return self._by_name.get(name) if name else self.server

    def open(self, name: str) -> Buffer:
        """Find or open a buffer; the server's if there are too many, or we are leaving the room."""
        found = self.find(name)
        if found or len(self.buffers) >= BUFFERS_MAX or name in self.closed:
            return found or self.server
        buffer = self._new(name, "room" if is_room(name) else "person")
        buffer.read_up_to(moment_of(self.read.get(name, "")) or -inf)
        self.buffers.append(buffer)
        self._by_name[name] = buffer
        return buffer

    def _new(self, name: str, kind: BufferKind) -> Buffer:
        return Buffer(name, kind, self.days, self._keys, self.names)

    def remove(self, buffer: Buffer) -> None:
        """Forget a buffer other than the server's, and show the one before it."""
        at = self.buffers.index(buffer)
        del self.buffers[at], self._by_name[buffer.name]
        self.ours = {token: at for token, at in self.ours.items() if at[0] is not buffer}
        if self.current is buffer:
            self.go_to(self.buffers[at - 1])

    def go_to(self, buffer: Buffer) -> None:
        self.current.leave()
        self.current, self.nowhere = buffer, False
        self.see(buffer)

    def rename(self, buffer: Buffer, name: str) -> None:
        """Rename the buffer of a person or a room, unless another one has that name."""
        if self._by_name.get(name, buffer) is not buffer:
            return
        self._by_name.rename(buffer.name, name)
        buffer.name = name

    def sees(self, buffer: Buffer) -> bool:
        """Whether the person reads what arrives there."""
        return buffer is self.current and self.focused

    def see(self, buffer: Buffer) -> None:
        """Mark all as read, if the person reads what arrives there."""
        if not self.sees(buffer):
            return
        buffer.read_all()
        moment, time = buffer.newest
        if moment > buffer.marked and buffer.target:
            buffer.first_visit = buffer.first_visit or buffer.marked == -inf
            buffer.read_up_to(moment)
            self.mark(buffer.name, time)

    def to_tell(self, buffer: Buffer) -> str:
        """The time up to which it has been read (ISO 8601), if the server has to be told."""
        time = self.read.get(buffer.name, "")
        there = self.linked and (buffer.joined or buffer.kind == "person")
        return time if there and buffer.told < (moment_of(time) or -inf) else ""

    def mark(self, name: str, time: str) -> None:
        """Note that it has been read up to this time (ISO 8601)."""
        self.read.pop(name, None)
        self.read[name] = time
        if len(self.read) > _READ_MAX:
            del self.read[next(iter(self.read))]

    def ask(self, now: float) -> None:
        """Expect an answer of the server in the current buffer."""
        self._asked = self.current, now

    def answers(self, now: float) -> Buffer:
        """The buffer for messages of the server about no room or person."""
        buffer, at = self._asked
        return buffer if now < at + _ANSWER and buffer in self.buffers else self.server

    # ── lines ──────────────────────────────────────────────────────────────────────────────

    def line(self, kind: Kind, text: str, now: float, nick: str = "") -> Line:
        return Line(next(self._keys), now, text, kind, nick)

    def note(self, text: str, now: float) -> None:
        """Show a line of the program's own in the current buffer."""
        self.show(self.current, self.line("own note", text, now))

    def tell(self, buffer: Buffer, text: str, now: float) -> None:
        """Show an event."""
        self.show(buffer, self.line("event", text, now))

    def tell_long(self, why: str, now: float) -> None:
        """Tell where one looks, once, a reason that the line of the status cuts: of a ban, say."""
        line, page = self.line("notice", f"{why[:1].upper()}{why[1:]}", now), self.current
        lately = (one.text.rstrip(".") for one in page.lines[-_LATELY:])
        if len(why) > _STATUS and page is not self.server and line.text.rstrip(".") not in lately:
            self.show(page, line)

    def show(self, buffer: Buffer, line: Line) -> None:
        buffer.lines.add(line)
        self.trim(buffer)

    def trim(self, buffer: Buffer) -> None:
        self._forget(buffer, buffer.lines.trim())

    def clear(self, buffer: Buffer) -> None:
        """Empty a buffer, except for what has not arrived; the server may have it still."""
        self._forget(buffer, buffer.lines.clear())
        buffer.complete = False

    def _forget(self, buffer: Buffer, gone: Sequence[Line]) -> None:
        if gone:
            buffer.forget(gone)
            for line in gone:
                self.ours.pop(line.token, None)

    def where(self, line: Line) -> Buffer | None:
        """The buffer that has this line, if any still has."""
        return next((buffer for buffer in self.buffers if line in buffer.lines), None)

    def search(self, words: str) -> Sequence[Line]:
        """The newest lines of all buffers with all these words, oldest first."""
        pieces = (piece for buffer in self.buffers for piece in search(words, buffer.lines))
        found = [line for piece in pieces for line in piece]
        return sorted(found, key=lambda line: line.time)[-_FOUND_MAX:]

    # ── people ─────────────────────────────────────────────────────────────────────────────

    def ignores(self, nick: str, origin: Origin) -> bool:
        if not self.ignored or self.is_me(nick):
            return False
        whose = address(nick, origin)
        return any(matches(mask, whose) for mask in self.ignored)

    def ignore(self, mask: str, on: bool = True) -> bool:
        """Show nothing more of the people that a mask fits, a nickname or ``nick!user@host`` with
        wildcards; what is there stays. Returns whether that changes anything.
        """
        listed = self._listed(mask)
        if on and not listed and len(self.ignored) < _IGNORED_MAX:
            self.ignored.append(full_mask(mask))
            return True
        if not on and listed:
            self.ignored.remove(listed)
            return True
        return False

    def is_ignored(self, nick: str) -> bool:
        return bool(self._listed(nick))

    def _listed(self, mask: str) -> str:
        """The mask as the list spells it; empty if it is not there."""
        same = fold_mask(full_mask(mask))
        return next((listed for listed in self.ignored if fold_mask(listed) == same), "")
