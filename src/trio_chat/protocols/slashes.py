"""Commands that begin with a slash: what both ends have in common.

Each end has a table with a row for each command. This reads names, complains about lines that fit
no row, and lists the rows for /help.
"""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from trio_chat.core.letters import cut
from trio_chat.core.queries import ListMentions
from trio_chat.core.words import is_number
from trio_chat.protocols.clean import without_keys

#: The filters of a search, for /help.
FILTERS = "Filters for /search: from:NAME in:#ROOM in:NAME before:2024-12-31 after:2024-12-31"

_FILTER = re.compile("(from|in|before|after):(.+)", re.IGNORECASE)


#: Names that people know from other programs.
ALIASES = {
    **dict.fromkeys(("names", "n", "users"), "who"),
    **dict.fromkeys(("list", "channels"), "rooms"),
    **dict.fromkeys(("m", "whisper", "tell", "pm"), "msg"),
    **dict.fromkeys(("exit", "bye", "disconnect", "signoff"), "quit"),
    **dict.fromkeys(("connect", "server"), "reconnect"),
    "buffer": "page",
    "j": "join",
    "leave": "part",
    "k": "kick",
    "t": "topic",
    "wi": "whois",
    "action": "me",
    "quote": "raw",
    "inv": "invite",
    "unmute": "unban",
}


def spelled_out(line: str) -> str:
    """Rewrite a command with our name for it, as it looks; leave other lines alone."""
    word, blank, rest = line.strip().partition(" ")
    if not word.startswith("/"):
        return line
    if (seen := without_keys(word)) != word:
        line = f"{seen}{blank}{rest}"
    name = seen[1:].lower()
    if name == "q":  # in other programs, to leave or to talk with somebody
        return f"/query {rest}" if rest.strip() else "/quit"
    if name == "w":  # who, or whisper
        return f"/msg {rest}" if len(rest.split()) > 1 else f"/who{blank}{rest}"
    return f"/{ALIASES[name]}{blank}{rest}" if name in ALIASES else line


#: The commands about accounts, as rows begin.
OF_ACCOUNTS: Mapping[str, tuple[str, str, int]] = {
    "register": ("PASSWORD", "make your nickname yours, for good: an account", 1),
    "login": ("[NAME] PASSWORD", "log in to your account", 1),
    "logout": ("", "log out, and take another nickname", 0),
    "password": ("NEW", "change the password of your account", 1),
    "token": ("new NAME|list|drop NAME", "passwords of their own for bots and devices", 1),
    "block": ("NAME", "take nothing from somebody in private; in rooms, /ignore hides them", 1),
    "unblock": ("NAME", "end that", 1),
    "blocks": ("", "list those whom you have blocked", 0),
    "set": (
        "[rooms|always-on on|off]",
        "choose to be in your rooms again when you log in, or to stay there always",
        0,
    ),
    "devices": ("[end NUMBER]", "list your connections, or end another one", 0),
    "account": ("[NAME|export|delete NAME]", "tell of an account; all of yours; delete it", 0),
}

#: The commands that give people a status in the room, as rows begin.
OF_STATUS: Mapping[str, tuple[str, str, int]] = {
    "op": ("NAME", "make somebody an operator", 1),
    "deop": ("NAME", "take operator status away", 1),
    "voice": ("NAME", "let somebody speak in a moderated room", 1),
    "devoice": ("NAME", "take that permission away", 1),
}

#: The command that lists mentions, as rows begin; and how many it lists, at most.
OF_MENTIONS = ("[N]", "show the messages that mention you, in the rooms where you are", 0)
_MENTIONS, MENTIONS_MAX = 20, 100


def read_mentions(text: str) -> ListMentions | None:
    """Read what follows ``/mentions``; None if it is no number."""
    if not text:
        return ListMentions(_MENTIONS)
    is_sound = is_number(text) and int(text)
    return ListMentions(min(int(text), MENTIONS_MAX)) if is_sound else None


#: A password with blanks in it is refused, as /login would not understand it.
ONE_WORD = "A password is one word here, without spaces."


class Row(Protocol):
    """A row: ``arguments`` and what it ``does`` for /help, how many are ``needed``."""

    @property
    def arguments(self) -> str: ...

    @property
    def does(self) -> str: ...

    @property
    def needed(self) -> int: ...


def complaint(rows: Mapping[str, Row], word: str, rest: str) -> str:
    """Return what is wrong with a command and the text after it; empty if nothing is."""
    row = rows.get(word.lower())
    if row is None:
        meant = f"Did you mean /{close}? " if (close := near(rows, word.lower())) else ""
        return f"There is no command /{cut(word, 20)}. {meant}/help lists all of them."
    if len(rest.split(maxsplit=row.needed)) < row.needed:
        return f"Usage: /{word.lower()} {row.arguments}"
    return ""


def near(rows: Mapping[str, Row], word: str) -> str:
    """Return the most similar command; empty if there is none."""
    return next(iter(difflib.get_close_matches(word, rows, n=1)), "")


def overview(rows: Mapping[str, Row]) -> list[str]:
    """Return the lines of /help."""
    return ["Every line you write goes to the room, except these:", *described(rows, "/")]


def described(rows: Mapping[str, Row], slash: str = "") -> list[str]:
    """Return a line for each row, its words after a ``slash``."""
    usages = [(f"{slash}{word} {row.arguments}", row.does) for word, row in rows.items()]
    width = max(len(usage) for usage, _ in usages)
    return [f"{usage:<{width}}  {does}" for usage, does in usages]


class Sought(NamedTuple):
    """The words and filters of a /search; days begin at midnight, UTC."""

    words: str
    room: str
    nick: str
    after: datetime | None
    before: datetime | None


def read_search(rest: str) -> Sought:
    """Read words and filters; the last filter of a kind counts. Raises ValueError."""
    words, filters = [], dict.fromkeys(("in", "from", "after", "before"), "")
    for word in rest.split():
        if found := _FILTER.fullmatch(word):
            filters[found[1].lower()] = found[2]
        else:
            words.append(word)
    days = (_day(key, filters[key]) for key in ("after", "before"))
    return Sought(" ".join(words), filters["in"], filters["from"], *days)


def _day(key: str, day: str) -> datetime | None:
    if not day:
        return None
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError(f"{key}: needs a day such as {key}:2024-12-31.") from None
