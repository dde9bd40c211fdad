"""What the screen shows. It changes by what the session tells and by what the person does, and knows
neither clock nor screen: time (unix seconds) comes in as an argument.
"""

from collections.abc import Callable, Sequence

from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.changes import Changes
from trio_chat.client.model.completion import Candidate
from trio_chat.client.model.intents import Intent
from trio_chat.client.model.kept import Kept
from trio_chat.client.model.lines import Line
from trio_chat.client.model.news import News

#: How many seconds local time is ahead of UTC, at a moment.
Offset = Callable[[float], float]


class Model:
    """After anything but ``update`` and ``tick``, ask ``take_changes`` what to draw again; those two
    give it back themselves. Intents are for the session, in their order.
    """

    def __init__(
        self,
        nick: str = "",
        *,
        offset: Offset = lambda moment: 0.0,
        tells_typing: bool = False,
        kept: Kept = Kept(),  # noqa: B008 - it is frozen
    ) -> None:
        self.nick = nick
        self.network = ""
        self.linked = False
        self.lag = 0.0
        self.away = ""
        self.status = ""
        self.ignored: Sequence[str] = ()
        self.mentions: Sequence[Line] = ()

    @property
    def buffers(self) -> Sequence[Buffer]:
        """The server's first, then rooms and people in the order in which they were opened."""
        raise NotImplementedError

    @property
    def current(self) -> Buffer:
        raise NotImplementedError

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def update(self, message: News, now: float) -> Changes:
        """The session has told something."""
        raise NotImplementedError

    def tick(self, now: float) -> Changes:
        """Time has passed: whoever was typing may have stopped. Once a second is enough."""
        raise NotImplementedError

    def take_changes(self) -> Changes:
        """What has changed since it was asked last."""
        raise NotImplementedError

    # ── what the person does ───────────────────────────────────────────────────────────────

    def start(self, now: float) -> Sequence[Intent]:
        """At the beginning: the rooms that were open the last time."""
        raise NotImplementedError

    def select(self, buffer: Buffer, now: float) -> Sequence[Intent]:
        raise NotImplementedError

    def focus(self, on: bool, now: float) -> Sequence[Intent]:
        """Whether the person sees the screen. Until it is said, they do."""
        raise NotImplementedError

    def enter(self, text: str, now: float) -> Sequence[Intent]:
        """What was typed or pasted in the current buffer. A line alone may be a command."""
        raise NotImplementedError

    def typed(self, now: float) -> Sequence[Intent]:
        """A key was pressed in the input."""
        raise NotImplementedError

    def older(self, buffer: Buffer) -> Sequence[Intent]:
        """The top has been reached: ask for the page before it, one at a time."""
        raise NotImplementedError

    def resend(self, line: Line) -> Sequence[Intent]:
        """Of a line that has failed."""
        raise NotImplementedError

    def close(self, buffer: Buffer, now: float) -> Sequence[Intent]:
        raise NotImplementedError

    def ignore(self, mask: str, on: bool = True) -> None:
        """Show nothing more of whoever this fits: a nickname or ``nick!user@host`` with wildcards."""
        raise NotImplementedError

    # ── what may be asked ──────────────────────────────────────────────────────────────────

    def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        """What the word before the cursor may become, the likeliest first."""
        raise NotImplementedError

    def before(self, text: str) -> str:
        """The input before this one, in the history of inputs; ``text`` is what stands there now."""
        raise NotImplementedError

    def after(self, text: str) -> str:
        """The input after this one; at the end, what stood there first."""
        raise NotImplementedError

    def search(self, words: str, buffer: Buffer | None = None) -> Sequence[Line]:
        """The newest lines with all these words, oldest first; of all buffers if none is given."""
        raise NotImplementedError

    def where(self, line: Line) -> Buffer | None:
        """The buffer that has this line, if it still does."""
        raise NotImplementedError

    def kept(self) -> Kept:
        """What should outlive the program, but for the secret."""
        raise NotImplementedError
