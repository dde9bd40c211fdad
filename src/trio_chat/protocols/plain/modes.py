"""The wording of changes of a room's modes, and of its list of bans."""

from collections.abc import Sequence

from trio_chat.core.events import Change, ModesSet
from trio_chat.core.modes import ACCOUNT, MUTE
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks
from trio_chat.core.words import known_as, reason
from trio_chat.protocols.durations import ending, lasting, moment


def changed(event: ModesSet, at: int = 0) -> list[str]:
    """Tell of changes; bans have a sentence each, with the moment of their end if it is known when
    they were set (``at``, unix milliseconds).
    """
    lines = [_of_ban(event.nick, change, at) for change in event.changes if change.mode == "b"]
    if others := [change for change in event.changes if change.mode != "b"]:
        lines.append(f"{event.nick} set mode {letters(others)}.")
    return [f"*** {line}" for line in lines]


def letters(changes: Sequence[Change]) -> str:
    """Modes with their arguments, as IRC writes them."""
    return " ".join(f"{'+' if c.add else '-'}{c.mode} {c.argument}".rstrip() for c in changes)


def _of_ban(by: str, change: Change, at: int) -> str:
    whom = f"{_whom(change.argument)}{reason(change.whom)}"
    muted = change.argument.startswith(MUTE)
    if change.add:
        end = ending(at + change.seconds * 1000) if at and change.seconds else ""
        lasts = f" {end}" if end else lasting(change.seconds)
        return f"{by} {'muted' if muted else 'banned'} {whom}{lasts}{reason(change.why)}."
    what = about(change.argument, change.whom)
    return f"{by} lifted the {what}." if by else f"The {what} has expired."


def about(entry: str, whom: str = "") -> str:
    """A ban, as it stands in a sentence: ``mute on account mallory``."""
    what = "mute" if entry.startswith(MUTE) else "ban"
    return f"{what} on {_whom(entry)}{reason(whom)}"


def _whom(entry: str) -> str:
    bare = entry.removeprefix(MUTE)
    return f"account {bare.removeprefix(ACCOUNT)}" if bare.startswith(ACCOUNT) else bare


def listed(masks: Masks) -> list[str]:
    """List the bans of a room, or those of the server."""
    none = f"{masks.room} has no bans." if masks.room else "No bans found."
    return [f"*** {_ban(ban)}" for ban in masks.masks] or [f"*** {none}"]


def _ban(ban: Mask) -> str:
    what = "may not speak" if ban.mask.startswith(MUTE) else "may not come in"
    because = f": {ban.why}" if ban.why else ""
    noun = "Mute" if ban.mask.startswith(MUTE) else "Ban"
    number = f"{noun} {ban.number}: " if ban.number else ""
    by = known_as(ban.by, ban.account)
    since = f", since {moment(ban.at)}, by {by}" if ban.at else ""
    return f"{number}{_whom(ban.mask)}{reason(ban.whom)} {what} {ending(ban.until)}{since}{because}"


def briefly(ban: Mask, until: str) -> str:
    """Tell of a ban in a row of a list, which may be cut: so first of whom it is about, and why.
    ``until`` is its end, empty if it has none.
    """
    what = "muted" if ban.mask.startswith(MUTE) else "banned"
    end = f"until {until}" if until else "for good"
    by = f", by {known_as(ban.by, ban.account)}" if ban.by else ""
    entry = f" [{_whom(ban.mask)}]" if ban.whom else ""
    return f"{ban.whom or _whom(ban.mask)}: {what} {end}{reason(ban.why)}{by}{entry}"
