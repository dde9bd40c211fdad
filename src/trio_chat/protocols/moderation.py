"""What people write to set and lift bans, of the server and of rooms, and to lock the chat."""

import re
from collections.abc import Mapping

from trio_chat.core.commands import LiftBan, LockChat, SetBan, SetRoomBan, UnlockChat
from trio_chat.core.letters import cut
from trio_chat.core.queries import ListBans
from trio_chat.protocols.durations import read_duration

OfBans = SetBan | LiftBan | ListBans


class BadDuration(ValueError):
    """A word that looks like a duration and is none: as a reason, it would make a ban endless."""


#: The commands, as rows of /help begin.
OF_MODERATION: Mapping[str, tuple[str, str, int]] = {
    "uban": (
        "WHOM [2h] [mute] [WHY]|list|del N",
        "keep somebody out of this chat, or mute them",
        0,
    ),
    "lock": ("[10m|forever [WHY]|off]", "keep guests out and mute for an hour, or so long", 0),
    "ban": ("NAME|MASK [2h] [WHY]", "keep somebody out of the room, and remove them", 1),
    "mute": ("NAME|MASK [2h] [WHY]", "let somebody be in the room, but not speak", 1),
    "unban": ("NAME|MASK|NUMBER", "lift a ban or a mute of the room", 1),
    "bans": ("", "list the room's bans and mutes", 0),
    "why": ("[ROOM]", "explain what you may not do just now, or in a room, and until when", 0),
}


def read_uban(text: str) -> OfBans | None:
    """Read what follows ``/uban``; None if it is none of its forms. Raises BadDuration.

    The duration and ``mute`` may come in any order; what follows them is the reason.
    """
    match text.split():
        case [] | ["list"]:
            return ListBans()
        case ["list" | "info", whom]:
            return ListBans(whom)
        case ["del" | "lift", which]:
            return LiftBan(which)
        case ["list" | "info" | "del" | "lift", *_]:
            return None
    whom, rest = (*text.split(maxsplit=1), "")[:2]
    return read_ban(whom, rest)


def read_ban(whom: str, rest: str) -> SetBan:
    """Read a ban: whom it is about, and the duration, ``mute`` and the reason after that. Raises
    BadDuration.
    """
    seconds: int | None = None
    mute = False
    while rest:
        word, others = (*rest.split(maxsplit=1), "")[:2]
        if word.lower() == "mute" and not mute:
            mute = True
        elif seconds is None and (read := read_time(word)) is not None:
            seconds = read
        else:
            break
        rest = others
    return SetBan(whom, seconds or 0, mute, rest)


def read_room_ban(room: str, text: str, *, mute: bool) -> SetRoomBan:
    """Read what follows ``/ban`` or ``/mute``: whom, a duration and a reason. Raises
    BadDuration.
    """
    whom, rest = (*text.split(maxsplit=1), "")[:2]
    ban = read_ban(whom, rest)
    return SetRoomBan(room, ban.whom, ban.seconds, mute or ban.mute, ban.why)


def read_lock(text: str) -> LockChat | UnlockChat:
    """Read what follows ``/lock``: nothing; or a duration or ``off``, and a reason. Raises
    BadDuration.
    """
    word, rest = (*text.split(maxsplit=1), "", "")[:2]
    if word.lower() == "off":
        return UnlockChat()
    return LockChat(duration(word), rest) if word else LockChat()


def read_time(word: str) -> int | None:
    """The seconds of a duration; None if the word belongs to the reason. Raises BadDuration."""
    return duration(word) if re.match(r"[-+.]?\d", word) else read_duration(word)


def duration(word: str, after: str = "the reason") -> int:
    """The seconds of a duration, ``after`` which something follows. Raises BadDuration."""
    if (seconds := read_duration(word)) is None:
        why = f"{cut(word, 20)} is no duration: write 10m, 2h, 7d or forever, and then {after}."
        raise BadDuration(why)
    return seconds
