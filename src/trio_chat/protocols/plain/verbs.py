"""The commands that begin with a slash: one row each."""

import re
from collections.abc import Callable
from typing import NamedTuple

from trio_chat.core.commands import (
    Command,
    Invite,
    Join,
    Kick,
    ListMembers,
    ListRooms,
    Quit,
    Rename,
    Say,
    SetTopic,
    ShowTopic,
    Tell,
)
from trio_chat.core.events import Notice, Refused
from trio_chat.protocols.slashes import complaint, overview


class Verb(NamedTuple):
    """``arguments`` as /help shows them, how many of them are ``needed``, and how it is read.

    ``read`` takes the room that the person is in, and what stands behind the verb, stripped.
    """

    arguments: str
    does: str
    needed: int
    read: Callable[[str, str], Command | Notice]


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


def _help(room: str, rest: str) -> Notice:
    return Notice("\n".join(overview(VERBS)))


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
    "quit": Verb("", "leave", 0, lambda room, rest: Quit()),
}
