"""The words of a text, as search knows them: the same in every store."""

import re
import unicodedata
from collections.abc import Sequence

from trio_chat.core.events import Event, Said
from trio_chat.core.names import fold

# Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese are written without blanks between words
# (or, Korean, with endings on them). So each of their letters is a word of its own, and a row of
# letters is found wherever it stands.
_LETTERWISE = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(f"[{_LETTERWISE}]|[^\\W_{_LETTERWISE}]+")

# Words of a query that count. Each costs a look at every place where it stands: 20 ms if a million
# messages have it.
_SOUGHT = 32


def words(text: str) -> Sequence[str]:
    """The words of a text in order: letters and digits in a row, without case and accents."""
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in text if unicodedata.category(char) != "Mn")
        # Turkish has an i without a dot, whose capital is I.
        text = unicodedata.normalize("NFKC", text.casefold().replace("ı", "i"))
    return _WORD.findall(text.lower())


def phrases(query: str) -> Sequence[Sequence[str]]:
    """The phrases that must stand in a text: each is one or more words that follow each other.

    They are the parts between the blanks of a query, or what stands in quotation marks. Of a very
    long query only the beginning counts.
    """
    found: list[Sequence[str]] = []
    left = _SOUGHT
    for quoted, plain in re.findall(r'"([^"]*)"?|(\S+)', query):
        if phrase := words(quoted or plain)[:left]:
            found.append(phrase)
            left -= len(phrase)
    return found


def seeks_nothing(words: str, nick: str) -> bool:
    """Whether nothing can be found: where no word is given, and nobody instead of one."""
    return not phrases(words) and (bool(words.strip()) or not nick)


def is_sought(event: Event, sought: Sequence[Sequence[str]], nick: str) -> bool:
    """Whether this was said, by ``nick`` if that is given, and has all of these phrases."""
    if not isinstance(event, Said) or (nick and fold(nick) != fold(event.nick)):
        return False
    text = words(event.text)
    return all(has(text, phrase) for phrase in sought)


def has(text: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the words of a phrase stand in a text, in a row."""
    size = len(phrase)
    return any(list(text[i : i + size]) == list(phrase) for i in range(len(text) - size + 1))
