"""Lines that may have a password in them, and so are said to nobody: typed in the wrong place, with
a typo, or without the slash of a command.

Each of our clients judges what is typed into it, and the server what any other client sends.
"""

import difflib
import re
from collections.abc import Sequence

from trio_chat.protocols.clean import without_keys
from trio_chat.protocols.slashes import spelled_out

#: What people are told of a line that is held back.
NOT_SAID = (
    "Not said, as a password may be in that line. A command begins with its slash; two slashes say "
    "the line all the same."
)

#: What people are told of a text for NickServ with a password in it.
NOT_CONFIDED = (
    "Not said, as the password would be shown here. /login NAME PASSWORD logs in; on servers that "
    "have another way, /raw NS WORDS tells NickServ, unseen."
)

# Commands with a password, and how a line begins that may have been meant to be one.
_WITH_PASSWORD = ("login", "register", "password", "identify")
_SERVICES = ("nickserv", "ns")
_BEGINNING = re.compile(r"[^\w/]*/+\s*([a-z]+)(?!\S)(?:\s+([a-z]+)\b)?", re.IGNORECASE)

# Commands of IRC clients that must be meant exactly: "/taken" is none.
_EXACTLY = {"token", "pass", "oper"}
_RAW = ("quote", "raw")
_RAW_WITH_PASSWORD = {"pass", "oper", "register", "authenticate"}

# Most lines begin with something else; every line of every room is looked at.
_PERHAPS = re.compile(r"[^\w/]*(?:/|[Ll][Oo]|[Rr][Ee]|[Ii][Dd]|[Pp][Aa]|PASS|[Mm][Ss]|[Nn][IiSs])")

# A short line that may be such a command without its slash. Passwords have eight characters, unless
# the server says otherwise, so "login failed" is none. PASS is IRC's, in capitals.
_WITHOUT_SLASH = re.compile(
    r"[^\w/]*(?:"
    rf"(?:{'|'.join(_WITH_PASSWORD)})(?:\s+\S+)?\s+\S{{8,}}\s*$"
    rf"|(?:msg\s+)?(?:{'|'.join(_SERVICES)})\s+(?:identify|register|ghost|set|login)\s+\S"
    r"|(?-i:PASS)\s+\S+\s*$"
    r")",
    re.IGNORECASE,
)

# How a text for NickServ with a password in it begins.
_CONFIDED = re.compile(
    r"\s*(?:identify|id|login|register|ghost|recover|regain|release|set|drop)\s+\S", re.IGNORECASE
)

# Commands that say what follows to others, by the names that ``spelled_out`` gives them. To one
# person, "login NAME PASSWORD" may be meant for a bot that wants it, and needs a slash to be none.
_SAYING = re.compile(
    r"/(?:(?:me|topic)\s+(?P<room>.*)"
    r"|(?:(?:msg|notice|query)|raw\s+(?:@\S+\s+)?(?:privmsg|notice|topic))\s+\S+\s+:?"
    r"(?P<text>[^\w/]*/.*))",
    re.IGNORECASE | re.DOTALL,
)


def is_confidential(text: str) -> bool:
    """Whether a text may have a password in it, for us or for NickServ: perhaps where no command
    can be, after a typo, or without its slash.
    """
    line = without_keys(text)
    if _PERHAPS.match(line) is None:
        return False
    if (found := _BEGINNING.match(line)) is None:
        return _WITHOUT_SLASH.match(line) is not None
    word, second = (found[1].lower(), (found[2] or "").lower())
    return (
        word in _EXACTLY
        or (word in _RAW and second in _RAW_WITH_PASSWORD)
        or _is_near(word, (*_WITH_PASSWORD, *_SERVICES))
        or _is_near(second, _SERVICES)
    )


def is_held_back(text: str) -> bool:
    """Whether a text of one line is said to nobody; two slashes before it say it all the same."""
    return is_confidential(text) and "\n" not in text and not text.lstrip().startswith("//")


def says_password(line: str) -> bool:
    """Whether a line that was typed would tell others what may be a password: as a text, or by a
    command that says one.
    """
    if not line.startswith("/"):
        return is_held_back(line)
    found = _SAYING.match(spelled_out(line))
    return found is not None and is_held_back(found["room"] or found["text"] or "")


def is_confided(target: str, text: str) -> bool:
    """Whether a message may have a password in it, because it is for NickServ or the like."""
    name = target.partition("@")[0].lower()
    return (name in _SERVICES or name.endswith("serv")) and _CONFIDED.match(text) is not None


def text_of(line: str) -> str:
    """The text that a typed line says, without the slash that is there to say it; with it, if the
    server would take the text for a command that was meant.
    """
    text = line.removeprefix("/")
    return line if is_held_back(text) else text


def _is_near(word: str, words: Sequence[str]) -> bool:
    return bool(word and difflib.get_close_matches(word, words, n=1, cutoff=0.8))
