"""Numerics without an effect of their own: what people are told, and what they refuse.

People get plain words: no numbers, no letters of IRC, and nothing that a server tells every
newcomer about itself.
"""

import re
from collections.abc import Callable, Sequence


def who_words(params: Sequence[str]) -> str:
    return f"{params[5]} is {params[2]}@{params[3]} ({params[7].partition(' ')[2]})"


def _without_status(rooms: str) -> str:
    """Remove the prefixes before rooms; ``&`` also begins the name of a local room."""
    return " ".join(re.sub(r"^[~&@%+!]+(?=[#&])", "", room) for room in rooms.split())


# Answers that the server gives no sentence for.
ANSWERS: dict[str, tuple[int, Callable[[Sequence[str]], str]]] = {
    "301": (3, lambda p: f"{p[1]} is away: {p[2]}"),
    "311": (6, lambda p: f"{p[1]} is {p[2]}@{p[3]} ({p[5]})"),
    "312": (4, lambda p: f"{p[1]} is on {p[2]} ({p[3]})"),
    "314": (6, lambda p: f"{p[1]} was {p[2]}@{p[3]} ({p[5]})"),
    "317": (3, lambda p: f"{p[1]} has been silent for {p[2]} seconds"),
    "319": (3, lambda p: f"{p[1]} is in {_without_status(p[2])}"),
    "324": (3, lambda p: f"The modes of {p[1]}: {' '.join(p[2:])}"),
    "330": (3, lambda p: f"{p[1]} is logged in as {p[2]}"),
    "338": (4, lambda p: f"{p[1]} is really at {p[2]}"),
    "341": (3, lambda p: f"{p[1]} has been invited to {p[2]}"),
    "346": (3, lambda p: f"{p[1]} lets in {p[2]}"),
    "348": (3, lambda p: f"{p[1]} does not ban {p[2]}"),
    "352": (8, who_words),
    "372": (2, lambda p: p[1].removeprefix("- ")),
    "671": (3, lambda p: f"{p[1]} {p[2]}"),
}

# For programs only, and the beginnings and ends of lists.
SILENT = {
    *("002", "003", "020", "042", "315", "318", "321", "329", "333", "347"),
    *("349", "365", "369", "374", "375", "376", "422", "907", "908"),
}

# Numbers of people and servers, and our modes: told if asked for, not as we come in.
OF_WELCOME = {"221", *(str(number) for number in range(250, 256)), "265", "266"}

# A text was refused: there is no such target, it may not be said there, too many targets; it is
# empty or too long; only for those who are logged in, not in that way, not from strangers.
NOT_SAID = {"401", "403", "404", "407", "412", "417", "477", "486", "489", "531", "716"}


# A command was refused, never a text, though a room or a person is named: the command is unknown or
# incomplete, a nickname is taken or invalid, somebody is not there or is there already, we are not
# in the room, may not enter it, do not lead it or are no operator; a mode or mask is invalid, or
# one too many.
NOT_DONE = {
    *("421", "431", "432", "433", "436", "437", "441", "442", "443", "461", "467", "471", "472"),
    *("473", "474", "475", "476", "478", "481", "482", "484", "485", "501", "502", "696"),
}


# Our nickname is taken, or not for us.
NICK_TAKEN = {"432", "433", "436", "437"}

#: We are banned from the server, and may be here no longer.
BANNED = "465"

# Refusals before we are registered: no or bad nickname, taken, in conflict or not available; bad
# user name, no permission for our host, password wrong, banned, soon banned, name invalid,
# restricted.
KEPT_OUT = {"431", "432", "433", "436", "437", "463", "464", BANNED, "466", "468", "484"}


# What helps if we may not enter a room.
ADVICE = {
    "471": "It may have room later: /join {0} tries again.",
    "473": "Somebody in it can /invite you.",
    "475": "/join {0} KEY enters it.",
    "477": "It is for those who are logged in here.",
}
