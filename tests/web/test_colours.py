"""Every text of the page has a contrast of at least 4.5 with what it may stand on (WCAG 2.1)."""

import re

from trio_chat.protocols.web.files import FOLDER

STYLE = (FOLDER / "style.css").read_text()

ON = ("back", "side", "raised", "chosen", "mention", "hover")


PAIR = re.compile(
    r"(?:--([\w-]+)|\.((?:c|irc)\d+) \{ color): "
    r"light-dark\(#([0-9a-f]+), #([0-9a-f]+)\)"
)


def themes() -> list[dict[str, str]]:
    """The light colours and the dark ones, without their transparency."""
    found = [(var or of, *map(six, values)) for var, of, *values in PAIR.findall(STYLE)]
    return [{name: values[at] for name, *values in found} for at in (0, 1)]


def six(digits: str) -> str:
    return digits if len(digits) >= 6 else "".join(2 * digit for digit in digits)


def luminance(colour: str) -> float:
    parts = (int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4))
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_texts_can_be_read() -> None:
    for theme in themes():
        texts = [name for name in theme if re.fullmatch(r"text|dim|accent|error|(c|irc)\d+", name)]
        assert len(texts) == 4 + 24 + 12
        pairs = [(text, on) for text in texts for on in ON] + [("on-accent", "accent")]
        low = {pair: contrast(*map(theme.get, pair)) for pair in pairs}
        assert {pair: round(value, 2) for pair, value in low.items() if value < 4.5} == {}
