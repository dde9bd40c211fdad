"""What the screen shows. It changes by what the session tells and by what the person does, and
knows neither clock nor screen: time (unix seconds) comes in as an argument.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf

from trio_chat.client import requests
from trio_chat.client.model import typed
from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.changes import Changes
from trio_chat.client.model.chat_state import ChatState
from trio_chat.client.model.completion import Candidate, candidates
from trio_chat.client.model.days import Days, Offset
from trio_chat.client.model.inputs import Inputs, may_last
from trio_chat.client.model.lines import Line
from trio_chat.client.model.reducer import hear
from trio_chat.client.model.saved_state import SavedState, Unsent
from trio_chat.client.model.search import search
from trio_chat.protocols.clean import clean, clean_lines
from trio_chat.protocols.client import Failed, Message, Sent
from trio_chat.protocols.irc.times import moment_of

_PAGE = 100  # messages of history at once: a few screens

# So often others are told that we are still typing (ircv3.net, "typing").
_TYPING_EVERY = 3.0  # seconds

# So often the server is told how far we have read while we sit in a room, and of so many buffers
# at a time: elsewhere each is a line for which we have to wait.
_MARK_EVERY = 5.0  # seconds
_MARKS = 10

_FOUND_MAX = 1000  # lines that a search of all buffers gives

_UNSENT_MAX = 1000  # texts that outlive the program


class Model:
    """After anything but ``update`` and ``tick``, ask ``take_changes`` what to draw again; those
    two give it back themselves. Requests are for the session, in their order.
    """

    def __init__(
        self,
        nick: str = "",
        *,
        offset: Offset = lambda moment: 0.0,
        tells_typing: bool = False,
        kept: SavedState = SavedState(),  # noqa: B008 - it is frozen
    ) -> None:
        self._state = ChatState(nick, Days(offset))
        self._tells_typing = tells_typing
        self._told_typing = -inf
        self._told_read = -inf
        self._kept = kept
        self._inputs = Inputs([clean_lines(text) for text in kept.inputs])
        self._state.ignored = [clean(mask) for mask in kept.ignored]
        for target, time in kept.read:
            self._state.mark(target, time)
        for name in kept.buffers:
            self._state.open(clean(name))
        for name, text in kept.drafts:
            if buffer := self._state.find(clean(name)):
                text = clean_lines(text)
                buffer.draft = text, len(text)
        if kept.current and (current := self._state.find(kept.current)):
            self._state.go_to(current)

    # ── what there is ──────────────────────────────────────────────────────────────────────

    @property
    def buffers(self) -> Sequence[Buffer]:
        """The server's first, then rooms and people in the order in which they were opened."""
        return self._state.buffers

    @property
    def current(self) -> Buffer:
        return self._state.current

    @property
    def nick(self) -> str:
        return self._state.nick

    @property
    def network(self) -> str:
        return self._state.network

    @property
    def linked(self) -> bool:
        return self._state.linked

    @property
    def lag(self) -> float:
        """In seconds."""
        return self._state.lag

    @property
    def away(self) -> str:
        return self._state.away

    @property
    def status(self) -> str:
        """One line on the connection."""
        return self._state.status

    @property
    def ignored(self) -> Sequence[str]:
        return self._state.ignored

    def is_ignored(self, nick: str) -> bool:
        return bool(self._state.ignored_as(nick))

    @property
    def mentions(self) -> Sequence[Line]:
        """The last lines that named us, oldest first."""
        return list(self._state.mentions)

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def update(self, message: Message, now: float) -> Changes:
        """The session has told something."""
        hear(self._state, message, now)
        return self.take_changes()

    def tick(self, now: float) -> Changes:
        """Time has passed: whoever was typing may have stopped. Once a second is enough."""
        for buffer in self._state.buffers:
            buffer.expire(now)
        return self.take_changes()

    def miss(self, messages: Iterable[Message], now: float) -> None:
        """They have come when there was no screen any more, so nobody has read them. A text that
        has failed counts as on its way: nobody was told.
        """
        self._state.focused = False
        for message in messages:
            if not isinstance(message, Failed):
                hear(self._state, message, now)

    def take_changes(self) -> Changes:
        """What has changed since it was asked last."""
        return self._state.take_changes()

    # ── what the person does ───────────────────────────────────────────────────────────────

    def start(self, now: float) -> Sequence[requests.Request]:
        """At the beginning, the rooms that were open at the end of the last time are entered again.
        What had not arrived is shown; to send it is the session's business, which has its tokens
        too.
        """
        for text in self._kept.unsent:
            sent = Sent(text.token, text.target, text.text, text.action, text.notice)
            hear(self._state, sent, now)
        return [requests.Join(buffer.name) for buffer in self.buffers if buffer.kind == "room"]

    def select(self, buffer: Buffer, now: float) -> Sequence[requests.Request]:
        left = self.leave()
        self._state.go_to(buffer)
        return [*left, *self._mark_read(buffer)]

    def leave(self) -> Sequence[requests.Request]:
        """One turns away from the current buffer."""
        return [*self._stop_typing(), *self._mark_read(self.current)]

    def focus(self, on: bool, now: float) -> Sequence[requests.Request]:
        """Whether the person sees the screen. Until it is said, they do."""
        if on == self._state.focused:
            return ()
        if on:
            self._state.focused = True
            self._state.see(self.current)
            return self._mark_read(self.current)
        left = self.leave()
        self._state.focused = False
        self.current.leave()
        return left

    def read_on(self, now: float) -> Sequence[requests.Request]:
        """How far one has read in the meantime. Once a second is enough to ask."""
        if 0 <= now - self._told_read < _MARK_EVERY:
            return ()
        self._told_read = now
        return self._mark_read(*self.buffers)

    def _mark_read(self, *buffers: Buffer) -> Sequence[requests.Request]:
        """Tell how far they have been read, where that is news to the server."""
        untold = ((buffer, self._state.to_tell(buffer)) for buffer in buffers)
        marks = [(buffer, time) for buffer, time in untold if time][:_MARKS]
        for buffer, time in marks:
            buffer.told = moment_of(time) or -inf
        return [requests.ReadUpTo(buffer.target, time) for buffer, time in marks]

    def enter(self, text: str, now: float) -> Sequence[requests.Request]:
        """What was typed or pasted in the current buffer. A line alone may be a command."""
        self._inputs.add(text)
        self._told_typing = -inf  # what is said ends the typing of it
        return typed.enter(self, text, now)

    def typed(self, now: float) -> Sequence[requests.Request]:
        """A key was pressed in the input, and what stands there is no command."""
        wanted = self._tells_typing and self.linked and self.current.target
        if not wanted or now - self._told_typing < _TYPING_EVERY:
            return ()
        self._told_typing = now
        return [requests.TypingState(self.current.target, True)]

    def _stop_typing(self) -> Sequence[requests.Request]:
        """What was begun is not being written any more."""
        told, self._told_typing = self._told_typing, -inf
        return [requests.TypingState(self.current.target, False)] if told > -inf else ()

    def older(self, buffer: Buffer) -> Sequence[requests.Request]:
        """The top has been reached: ask for the page before it, one at a time."""
        asks = buffer.target and self.linked and not (buffer.asking or buffer.complete)
        if not asks or buffer.lines.full:
            return ()
        buffer.asking = True
        buffer.lines.end_page()
        first = next((line.id for line in buffer.lines if line.id), "")
        return [requests.History(buffer.target, first, _PAGE)]

    def resend(self, line: Line) -> Sequence[requests.Request]:
        """Of a line that has failed."""
        buffer, known = self._state.ours.get(line.token, (None, None))
        if buffer is None or known is not line or line.state != "failed":
            return ()
        buffer.lines.send_again(line)
        return [requests.ResendText(line.token)]

    def close(self, buffer: Buffer, now: float) -> Sequence[requests.Request]:
        """The server's stays. A room is left."""
        if buffer.kind == "server" or buffer not in self.buffers:
            return ()
        left = self.leave() if buffer is self.current else ()
        self._state.close(buffer)
        if not buffer.joined:
            return left
        self._state.closed[buffer.name] = None
        return [*left, requests.Part(buffer.name)]

    def open(self, name: str) -> Buffer:
        """Somebody's buffer, or a room's. The server's, if there are too many."""
        return self._state.open(name)

    @property
    def caps(self) -> frozenset[str]:
        """What the server has given us."""
        return self._state.caps

    @property
    def fold(self) -> Callable[[str], str]:
        """Of names: equal ones are the same to the server."""
        return self._state.names.fold

    def ask(self, now: float) -> None:
        """What is asked of the server now is answered in the current buffer."""
        self._state.ask(now)

    def want(self, room: str) -> None:
        """We go there once we are in it."""
        self._state.wanted[room] = None

    def ignore(self, mask: str, on: bool = True) -> bool:
        """Show nothing more of whoever this fits, a nickname or ``nick!user@host`` with wildcards;
        what is there stays. Returns whether that is news.
        """
        return self._state.ignore(mask) if on else self._state.heed(mask)

    def clear(self, buffer: Buffer) -> None:
        """What it had can be had again from the server."""
        self._state.forget(buffer, buffer.lines.clear())
        buffer.complete = False

    def note(self, text: str, now: float) -> None:
        """A line of our own in the current buffer."""
        self._state.note(text, now)

    # ── what may be asked ──────────────────────────────────────────────────────────────────

    def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        """What the word before the cursor may become, the likeliest first."""
        return candidates(self._state, text, cursor)

    def before(self, text: str) -> str:
        """The input before this one in the history; ``text`` is what stands there now."""
        return self._inputs.before(text)

    def after(self, text: str) -> str:
        """The input after this one; at the end, what stood there first."""
        return self._inputs.after(text)

    def search(self, words: str, buffer: Buffer | None = None) -> Sequence[Line]:
        """The newest lines with all these words, oldest first; of all buffers if none is given."""
        buffers = self.buffers if buffer is None else [buffer]
        pieces = (piece for b in buffers for piece in search(words, b.lines))
        found = [line for piece in pieces for line in piece]
        return sorted(found, key=lambda line: line.time)[-_FOUND_MAX:]

    def look_for(self, words: str, buffer: Buffer) -> Iterator[Sequence[Line]]:
        """The same of one buffer, in pieces that take some milliseconds each: the newest piece
        first, the lines of a piece oldest first.
        """
        return search(words, buffer.lines)

    def where(self, line: Line) -> Buffer | None:
        """The buffer that has this line, if it still does."""
        return next((buffer for buffer in self.buffers if line in buffer.lines), None)

    def short_time(self, moment: float) -> str:
        """Day and time where the person is."""
        return self._state.days.short(moment)

    def kept(self) -> SavedState:
        """What should outlive the program."""
        return SavedState(
            secret=self._kept.secret,
            inputs=self._inputs.lasting,
            read=tuple(self._state.read.items()),
            unsent=self._unsent(),
            buffers=tuple(buffer.name for buffer in self.buffers[1:]),
            ignored=tuple(self.ignored),
            current=self.current.target,
            drafts=tuple(self._drafts()),
        )

    def _drafts(self) -> Iterator[tuple[str, str]]:
        for buffer in self.buffers:
            text, _ = buffer.draft
            if text and may_last(text):
                yield buffer.target, text

    def _unsent(self) -> tuple[Unsent, ...]:
        """What is on its way. That something has failed the person has been told."""
        return tuple(
            Unsent(
                line.token, buffer.target, line.text, line.kind == "action", line.kind == "notice"
            )
            for buffer, line in self._state.ours.values()
            if line.state == "pending" and buffer.target
        )[-_UNSENT_MAX:]
