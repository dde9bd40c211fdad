"""The places where a text may be cut: between letters as people see them (UAX #29, clusters).

A family of emoji is one letter, and so are a flag, a letter with its accents, a syllable of Hangul,
or two consonants of an Indic script that are written as one. Python's Unicode tables tell which
they are. When in doubt nothing is cut; so this is good for cutting texts, and for nothing else.
"""

import re
import unicodedata

# Characters besides the marks that belong to the letter before them: joiners, skin tones, the tags
# of flags, and spacing vowels of Thai, Lao and half-width Katakana.
_ADDED = re.compile(
    "[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u0e33\u0eb3\uff9e\uff9f]"
)

# Signs before or around a number, and consonants written above the next one.
_BEFORE = re.compile(
    "[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e\U000110bd\U000110cd\U000111c2\U000111c3"
    "\U0001193f\U00011941\U00011a84-\U00011a89\U00011d46]"
)

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")

# Leading consonants, vowels and trailing consonants of Hangul; syllables of the first two, and of
# all three.
_HANGUL = re.compile(
    "(?P<L>[\u1100-\u115f\ua960-\ua97c])|(?P<V>[\u1160-\u11a7\ud7b0-\ud7c6])"
    "|(?P<T>[\u11a8-\u11ff\ud7cb-\ud7fb])|(?P<S>[\uac00-\ud7a3])"
)
_HANGUL_GOES_ON = {"LL", "LV", "LS", "VV", "VT", "TT", "SV", "ST"}

# Control characters, and the numbers of a colour as IRC clients write it.
_STEERING = re.compile("\x03(?:[0-9]{1,2}(?:,[0-9]{1,2})?)?|[\x00-\x1f\x7f-\x9f]")

_VIRAMA = 9  # the class of marks that join two consonants


def continued(sentence: str) -> str:
    """A sentence as it is written after a colon; words in capitals, such as SASL, keep them."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def cut(text: str, most: int) -> str:
    """The whole letters within the first ``most`` characters of a text."""
    return text[: last_cut(text, most)]


def cut_bytes(text: str, most: int) -> str:
    """The whole letters within the first ``most`` bytes of a text in UTF-8."""
    return cut(text, len(text.encode()[:most].decode(errors="ignore")))


def as_reason(text: str, most: int) -> str:
    """The reason that somebody gives, as others are told it: the first ``most`` characters, without
    those that would steer a terminal, or colour it.
    """
    return cut(_STEERING.sub("", text), most)


def last_cut(text: str, most: int) -> int:
    """The last place up to ``most`` between two letters; ``most`` if all of it is one letter."""
    if most >= len(text):
        return len(text)
    return next((place for place in range(most, 0, -1) if is_between(text, place)), most)


def is_between(text: str, place: int) -> bool:
    """Whether one letter ends and another begins at this place."""
    before, after = text[place - 1], text[place]
    if before.isascii() and after.isascii():
        return before + after != "\r\n"
    if unicodedata.category(after)[0] == "M" or _ADDED.match(after):
        return before in "\r\n"
    if before == "\u200d" or _BEFORE.match(before):
        return False
    if unicodedata.combining(before) == _VIRAMA:
        return not after.isalpha()
    if _FLAG.match(before) and _FLAG.match(after):
        return _flags_before(text, place) % 2 == 0
    return not _is_hangul_going_on(before, after)


def _flags_before(text: str, place: int) -> int:
    """The number of regional indicators that end here: two of them make one flag."""
    begin = place
    while begin and _FLAG.match(text[begin - 1]):
        begin -= 1
    return place - begin


def _is_hangul_going_on(before: str, after: str) -> bool:
    one, other = _HANGUL.match(before), _HANGUL.match(after)
    if one is None or other is None:
        return False
    return f"{one.lastgroup}{other.lastgroup}" in _HANGUL_GOES_ON
