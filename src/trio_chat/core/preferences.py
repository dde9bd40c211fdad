"""What the owner of an account chooses for it: one row each."""

from typing import NamedTuple

#: To be in the rooms where one was.
ROOMS = "rooms"

#: To stay there while one is not connected.
ALWAYS_ON = "always-on"

#: Accounts that may be always on: about 2 KiB of memory each, and what their rooms take.
ALWAYS_ON_MAX = 10_000


class Preference(NamedTuple):
    """A row: whether it is on by ``default``, and what is so when it is on, and off."""

    default: bool
    on: str
    off: str


PREFERENCES = {
    ROOMS: Preference(
        True,
        "when you log in, you are in the rooms where you were.",
        "when you log in, you are not in the rooms where you were.",
    ),
    ALWAYS_ON: Preference(
        False,
        "you stay in your rooms, away, while none of your devices is connected.",
        "you leave with the last of your devices.",
    ),
}


def told(name: str, *, on: bool) -> str:
    """What is chosen, as a sentence."""
    preference = PREFERENCES[name]
    return f"{name} is on: {preference.on}" if on else f"{name} is off: {preference.off}"
