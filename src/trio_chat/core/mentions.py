"""What counts as a mention of somebody: one rule for the server and for its clients."""

import re
import unicodedata
from collections.abc import Callable

# Characters of a nickname that are no bracket or quote around it; and accents, which make another
# letter of the one before.
_OF_WORDS = r"\w\-\|\u0300-\u036f"


def mention_of(name: str) -> Callable[[str], bool]:
    """Make a test for this name as a word of a text, in any case. Accents may be part of a letter
    or follow it.
    """
    pattern = re.compile(f"(?<![{_OF_WORDS}]){re.escape(_comparable(name))}(?![{_OF_WORDS}])")
    return lambda text: bool(name) and pattern.search(_comparable(text)) is not None


def _comparable(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text.casefold())
