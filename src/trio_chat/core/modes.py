"""The modes of rooms and people: one letter each, as IRC has them.

The kinds are those of modern.ircdocs.horse, "Mode message": A is a list, B always has an argument,
C has one when it is set, D has none. A member's status is a mode of the room, with the member's
nickname as its argument.
"""

#: Modes of members: letter and prefix, the highest first.
STATUS = {"o": "@", "v": "+"}

LISTS = "beI"  # bans, exceptions from them, exceptions from the need of an invitation (kind A)
KEYED = "k"  # kind B
COUNTED = "l"  # kind C
FLAGS = "CMRimnst"  # kind D

#: Prefix of a list's entry: those whom it fits may enter and listen, but not speak.
MUTE = "m:"

#: Prefix of a list's entry that is about accounts, not addresses; it comes after the other one.
ACCOUNT = "a:"
ROOM_MODES = "".join(sorted({*LISTS, *KEYED, *COUNTED, *FLAGS, *STATUS}))

#: Modes with an argument, when they are set and when they are removed.
ARGUED = {True: {*LISTS, *KEYED, *COUNTED, *STATUS}, False: {*LISTS, *KEYED, *STATUS}}

#: Modes of people: bot, written to in private by accounts only, invisible, operator (nobody can
#: give it to themselves), announcements.
USER_MODES = "BRiow"


def prefixes(status: str) -> str:
    """The prefixes that stand for these letters, the highest first."""
    if not status:
        return ""
    return "".join(prefix for letter, prefix in STATUS.items() if letter in status)


def with_letter(letters: str, letter: str, *, add: bool) -> str:
    """The letters with one more, or without it; always sorted."""
    return "".join(sorted({*letters, letter} if add else {*letters} - {letter}))
