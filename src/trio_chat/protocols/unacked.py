"""A text of ours that has not arrived yet, and its token."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.text import CTCP, FRAMES

#: A server takes 64 characters, and the pieces of a text add a number.
ID_FORM = "[A-Za-z0-9_-]{16,56}"


@dataclass(frozen=True, slots=True)
class Unacked:
    """A text on its way; ``line`` is what to send, without tags: a batch has several lines with
    CR LF between them (multiline.py).
    """

    token: str
    target: str
    text: str
    line: str
    action: bool = False
    notice: bool = False


def new_token() -> str:
    """Make a token of 128 random bits."""
    return secrets.token_hex(16)


def check_token(token: str) -> None:
    """Raise ValueError if it cannot be a token."""
    if not re.fullmatch(ID_FORM, token):
        raise ValueError("a token is 16 to 56 ASCII letters, digits, - and _")


def on_its_way(token: str, target: str, text: str, action: bool, notice: bool = False) -> Unacked:
    """Make an Unacked of a text that fits into a line."""
    start, end = FRAMES[action]
    line = body("NOTICE" if notice else "PRIVMSG", target, f"{start}{text}{end}")
    return Unacked(token, target, text, line, action, notice)


def not_confirmed(count: int) -> str:
    """Say how many texts the server has not confirmed."""
    return "1 message was not confirmed" if count == 1 else f"{count:,} messages were not confirmed"


def token_of(token: str, number: int) -> str:
    """Return the token of a piece of a text; random if the text has none."""
    if not token:
        return new_token()
    return token if number == 1 else f"{token}-{number}"


def lines_of(text: str) -> Sequence[str]:
    """Split a text into lines that are not blank, and that no client takes for CTCP."""
    lines = (line.lstrip(CTCP).removesuffix("\r") for line in text.split("\n"))
    return [line for line in lines if line.strip()]
