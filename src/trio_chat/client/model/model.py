"""The model of the screen. Messages of the session and actions of the person change it; time (unix
seconds) comes in as an argument.
"""

from collections.abc import Iterable, Iterator, Sequence

from trio_chat.client import requests
from trio_chat.client.model import typed
from trio_chat.client.model.attention import Asked, Attention
from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.completion import Candidate, candidates
from trio_chat.client.model.days import Days, Offset
from trio_chat.client.model.inputs import Inputs, may_last
from trio_chat.client.model.lines import Line
from trio_chat.client.model.saved_state import SavedState, Unsent
from trio_chat.client.model.search import search
from trio_chat.core.views import Masks
from trio_chat.protocols.clean import clean, clean_lines
from trio_chat.protocols.client import Failed, Message, Sent
from trio_chat.protocols.confidential import is_confided

_PAGE = 100  # messages of history at once: a few screens

_UNSENT_MAX = 1000  # texts that outlive the program


class Model(Attention):
    """``kept`` is from the last time. The person has named the ``room``, which is shown first."""

    def __init__(
        self,
        nick: str = "",
        *,
        offset: Offset = lambda moment: 0.0,
        tells_typing: bool = False,
        kept: SavedState = SavedState(),  # noqa: B008 - it is frozen
        room: str = "",
    ) -> None:
        super().__init__(nick, Days(offset), tells_typing=tells_typing)
        self._kept = kept
        self._inputs = Inputs([clean_lines(text) for text in kept.inputs])
        self.ignored = [clean(mask) for mask in kept.ignored]
        for target, time in kept.read:
            self.mark(target, time)
        for name in kept.buffers:
            self.open(clean(name))
        for name, text in kept.drafts:
            if buffer := self.find(clean(name)):
                text = clean_lines(text)
                buffer.draft = text, len(text)
        if kept.current and (current := self.find(kept.current)):
            self.go_to(current)
        if room:
            is_known = self.find(room) is not None
            named = self.open(room)
            named.untried = not is_known
            self.go_to(named)

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def update(self, message: Message, now: float) -> Line | None:
        """Take a message of the session; returns the line in it that calls for the person."""
        self.call = None
        self.hear(message, now)
        return self.call

    def tick(self, now: float) -> None:
        """Time has passed: people may have stopped typing. Once a second is enough."""
        for buffer in self.buffers:
            buffer.expire(now)

    def miss(self, messages: Iterable[Message], now: float) -> None:
        """Take messages that came after the screen had gone, so nobody has read them. Failed
        texts stay on their way, since nobody was told.
        """
        self.focused = False
        for message in messages:
            if not isinstance(message, Failed):
                self.hear(message, now)

    # ── what the person does ───────────────────────────────────────────────────────────────

    def start(self, now: float) -> Asked:
        """Enter again the rooms that were open last time, and show the texts that had not arrived;
        the session has their tokens, too, and sends them.
        """
        for text in self._kept.unsent:
            self.hear(Sent(text.token, text.target, text.text, text.action, text.notice), now)
        return [requests.Join(buffer.name) for buffer in self.buffers if buffer.kind == "room"]

    def is_for_nobody(self, text: str) -> bool:
        """Whether a text would be said where nobody can read it."""
        return not self.current.target and typed.is_said(text)

    def enter(self, text: str, now: float) -> Asked:
        """Do what was typed or pasted in the current buffer. A line alone may be a command."""
        if not is_confided(self.current.target, text):
            self._inputs.add(text)
        self.forget_typing()
        return typed.enter(self, text, now)

    def older(self, buffer: Buffer) -> Asked:
        """Ask for the page before the top, one at a time."""
        asks = buffer.target and self.linked and not (buffer.asking or buffer.complete)
        if not asks or buffer.lines.full:
            return ()
        buffer.asking = True
        buffer.lines.end_page()
        first = next((line.id for line in buffer.lines if line.id), "")
        return [requests.History(buffer.target, first, _PAGE)]

    def resend(self, line: Line) -> Asked:
        """Send a line again that has failed."""
        buffer, known = self.ours.get(line.token, (None, None))
        if buffer is None or known is not line or line.state != "failed":
            return ()
        buffer.lines.send_again(line)
        return [requests.ResendText(line.token)]

    def before(self, text: str) -> str:
        """The input before this one in the history; ``text`` is what is being written now."""
        return self._inputs.before(text)

    def after(self, text: str) -> str:
        """The input after this one; at the end, what was being written."""
        return self._inputs.after(text)

    def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        """Completions of the word before the cursor, the likeliest first."""
        return candidates(self, text, cursor)

    def look_for(self, words: str, buffer: Buffer) -> Iterator[Sequence[Line]]:
        """Search a buffer, in pieces that take some milliseconds each: the newest piece first, the
        lines of a piece oldest first.
        """
        return search(words, buffer.lines)

    def take_bans(self) -> Masks | None:
        """Take the bans that have come, if any have."""
        bans, self.bans = self.bans, None
        return bans

    def take_more_calls(self) -> bool:
        """Take whether mentions have come that were asked for."""
        more, self.has_more_calls = self.has_more_calls, False
        return more

    # ── what is kept ───────────────────────────────────────────────────────────────────────

    def kept(self) -> SavedState:
        """Everything that should outlive the program: not a room that has not let us in, or it
        would be entered, and perhaps made, when another one was meant.
        """
        current = self._kept.current if self.current.untried else self.current.target
        return SavedState(
            secret=self._kept.secret,
            inputs=self._inputs.lasting,
            read=tuple(self.read.items()),
            unsent=tuple(self._unsent())[-_UNSENT_MAX:],
            buffers=tuple(buffer.name for buffer in self.buffers[1:] if not buffer.untried),
            ignored=tuple(self.ignored),
            current=current,
            drafts=tuple(self._drafts()),
        )

    def _drafts(self) -> Iterator[tuple[str, str]]:
        for buffer in self.buffers:
            text, _ = buffer.draft
            if text and may_last(text):
                yield buffer.target, text

    def _unsent(self) -> Iterator[Unsent]:
        """The texts on their way. Of those that have failed, the person has been told."""
        for buffer, line in self.ours.values():
            if line.state == "pending" and buffer.target:
                action, notice = line.kind == "action", line.kind == "notice"
                yield Unsent(line.token, buffer.target, line.text, action, notice)
