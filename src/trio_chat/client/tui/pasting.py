"""Takes pasted input for text, whatever is in it.

A terminal marks where a paste begins and ends. Textual would obey escape sequences in between: text
would get lost, and keys be pressed that nobody pressed. So they reach it without the escape
character.

A pasted end mark would end the paste too early, and turn the rest into keys. Most terminals remove
it. For those that do not, the paste ends at the last mark that arrives without a pause.
"""

_BEGIN, _END = "\x1b[200~", "\x1b[201~"

# Visible replacements, as everywhere (protocols/clean.py).
_HARMLESS = str.maketrans("\x1b\0", "␛␀")

# Seconds of silence after a paste, which a terminal writes as fast as we read.
_PAUSE = 0.05


class Pastes:
    """Returns what Textual may process of what is read. ``now`` is from a monotonic clock."""

    def __init__(self) -> None:
        self._before = ""  # the last characters, in case a mark begins there
        self._pasted: str | None = None  # the part of a paste that has arrived
        self._came = 0.0

    def feed(self, data: str, now: float) -> str:
        if self._pasted is None:
            return self._outside(data, now)
        self._pasted += data
        self._came = now
        return self._end(now) if self._pasted.endswith(_END) else ""

    def tick(self, now: float) -> str:
        """End a paste after a pause; call this often."""
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
        """End the paste at the last mark before another one begins, if any has arrived."""
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
