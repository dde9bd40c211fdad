"""What is pasted is text, whatever is in it.

A terminal marks where a paste begins and ends. In between, Textual takes an escape sequence for one
that the terminal has sent: text gets lost, and keys are pressed that nobody has pressed. So what is
between the marks reaches it without the character that begins one.

Text that has the mark of the end in it would end the paste too early, and all behind that would be
keys. Most terminals take it out. Where one does not, the last mark is the true one, of all that
comes without a pause.
"""

_BEGIN, _END = "\x1b[200~", "\x1b[201~"

# What stands for the escape character, as everywhere (protocols/clean.py).
_HARMLESS = str.maketrans("\x1b\0", "␛␀")

# A terminal writes a paste as fast as we read. Nobody presses a key as soon after one.
_PAUSE = 0.05  # seconds


class Pastes:
    """Gives back, of all that is read, what may be obeyed now; ``now`` is in seconds, of a clock
    that does not go back.
    """

    def __init__(self) -> None:
        self._before = ""  # the last characters, in which a mark may have begun
        self._pasted: str | None = None  # what has come of a paste
        self._came = 0.0

    def feed(self, data: str, now: float) -> str:
        if self._pasted is None:
            return self._outside(data, now)
        self._pasted += data
        self._came = now
        return self._end(now) if self._pasted.endswith(_END) else ""

    def tick(self, now: float) -> str:
        """Nothing has come for a while; ask often."""
        pause = self._pasted is not None and now - self._came >= _PAUSE
        return self._end(now) if pause else ""

    def _outside(self, data: str, now: float) -> str:
        seen = self._before + data
        at = seen.find(_BEGIN)
        if at < 0:
            self._before = seen[-len(_BEGIN) + 1 :]
            return data
        behind = at + len(_BEGIN) - len(self._before)
        self._before, self._pasted = "", ""
        return data[:behind] + self.feed(data[behind:], now)

    def _end(self, now: float) -> str:
        """At the last mark before another paste begins; if there is none, it is still to come."""
        text = self._pasted or ""
        first = text.find(_END)
        if first < 0:
            return ""
        another = text.find(_BEGIN, first)
        last = text.rfind(_END, 0, another if another >= 0 else len(text))
        self._pasted = None
        return (
            text[:last].translate(_HARMLESS) + _END + self._outside(text[last + len(_END) :], now)
        )
