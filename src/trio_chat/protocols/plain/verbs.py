"""The commands that begin with a slash: one row each."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from trio_chat.core.commands import (
    Command,
    Invite,
    Join,
    Kick,
    ListMembers,
    ListRooms,
    Quit,
    Recall,
    Rename,
    Say,
    Seek,
    SetTopic,
    ShowTopic,
    Span,
    Tell,
)
from trio_chat.core.events import Notice, Refused, ids_of
from trio_chat.protocols.slashes import complaint, overview

# Messages of one /history, if no number is given and at the most; and of one /search.
_HISTORY, _HISTORY_MAX, _FOUND_MAX = 50, 500, 50

_FILTER = re.compile("(from|in|before|after):(.+)", re.IGNORECASE)


class Verb(NamedTuple):
    """``arguments`` as /help shows them, how many of them are ``needed``, and how it is read.

    ``read`` takes the room that the person is in, and what stands behind the verb, stripped.
    """

    arguments: str
    does: str
    needed: int
    read: Callable[[str, str], Command | Notice | Refused]


def read_verb(room: str, line: str) -> Command | Notice | Refused:
    """What ``line``, which begins with a slash, asks for."""
    word, rest = (*re.split(r"\s", line[1:], maxsplit=1), "")[:2]
    if why := complaint(VERBS, word, rest):
        return Refused(why)
    return VERBS[word.lower()].read(room, rest.strip())


def _join(room: str, name: str) -> Command:
    return Join(name if name.startswith("#") else f"#{name}")


def _tell(room: str, rest: str) -> Command:
    nick, text = rest.split(maxsplit=1)
    return Tell(nick, text)


def _topic(room: str, text: str) -> Command:
    return SetTopic(room, "" if text == "-" else text) if text else ShowTopic(room)


def _kick(room: str, rest: str) -> Command:
    nick, why = (*rest.split(maxsplit=1), "")[:2]
    return Kick(room, nick, why)


def _history(room: str, number: str) -> Command | Refused:
    if not number:
        return Recall(room, Span(), _HISTORY)
    if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
        return Refused(f"How many messages? A number from 1 to {_HISTORY_MAX} goes after /history.")
    return Recall(room, Span(), min(int(number), _HISTORY_MAX))


def _search(room: str, rest: str) -> Command | Refused:
    """Words, and filters among them; of two of a kind the last counts."""
    words, filters = [], {"in": room, "from": "", "before": "", "after": ""}
    for word in rest.split():
        if found := _FILTER.fullmatch(word):
            filters[found[1].lower()] = found[2]
        else:
            words.append(word)
    days = {key: _first_id(filters[key]) for key in ("before", "after") if filters[key]}
    if bad := next((key for key, id in days.items() if not id), ""):
        return Refused(f"{bad}: needs a day such as {bad}:2024-12-31.")
    # The day itself is in what comes "after" it: from its begin on.
    span = Span(days.get("after", ""), days.get("before", ""))
    return Seek(" ".join(words), _FOUND_MAX, filters["in"], filters["from"], span)


def _first_id(day: str) -> str:
    """The first id that something of a day (UTC) may have; empty if it is no day."""
    try:
        moment = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return ""
    return ids_of(int(moment.timestamp()) * 1000)[0]


def _help(room: str, rest: str) -> Notice:
    narrow = "What narrows /search: from:NAME in:#ROOM in:NAME before:2024-12-31 after:2024-12-31"
    return Notice("\n".join([*overview(VERBS), narrow]))


VERBS = {
    "help": Verb("", "this list", 0, _help),
    "nick": Verb("NAME", "take another nickname", 1, lambda room, name: Rename(name)),
    "me": Verb(
        "TEXT", "say what you do: * alice waves", 1, lambda room, text: Say(room, text, True)
    ),
    "msg": Verb("NAME TEXT", "say something to one person only", 2, _tell),
    "join": Verb("ROOM", "go to another room; a new one is made", 1, _join),
    "invite": Verb("NAME", "ask somebody into the room", 1, lambda room, name: Invite(room, name)),
    "kick": Verb("NAME [WHY]", "send somebody out of the room, if you lead it", 1, _kick),
    "rooms": Verb("", "which rooms there are", 0, lambda room, rest: ListRooms()),
    "who": Verb("", "who is in the room", 0, lambda room, rest: ListMembers(room)),
    "topic": Verb("[TEXT]", "show the room's topic or set it; - removes it", 0, _topic),
    "history": Verb("[NUMBER]", "what was said last in the room, with its time", 0, _history),
    "search": Verb(
        "WORDS", "what was said in the room with these words; the last line tells more", 1, _search
    ),
    "quit": Verb("", "leave", 0, lambda room, rest: Quit()),
}
