"""Hints at our own commands, for clients of IRC that do not have them."""

import re

# Those that the server's sentences speak of; of some, the room is a parameter there.
_COMMAND = re.compile(r"(?<!\S)/(audit|bans|lock|reports|uban|unban|why)\b")
_OF_ROOM = ("bans", "unban")


def quoted(text: str, room: str = "") -> str:
    """Name commands as they are sent from any client: ``/bans`` as ``/quote BANS #room``."""

    def named(found: re.Match[str]) -> str:
        where = f" {room}" if found[1] in _OF_ROOM and room else ""
        return f"/quote {found[1].upper()}{where}"

    return _COMMAND.sub(named, text)
