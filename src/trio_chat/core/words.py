"""Words that people write in commands, and are told in sentences."""


def is_number(text: str) -> bool:
    """Whether somebody has written a number, in digits: fewer than ten, so that it has bounds."""
    return text.isascii() and text.isdigit() and len(text) < 10


def reason(why: str) -> str:
    """A reason, as it stands in a sentence."""
    return f" ({why})" if why else ""
