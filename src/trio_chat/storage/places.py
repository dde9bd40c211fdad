"""The rooms in which accounts are, as events tell it: so none of those who append can forget it.

Who has gone with their last connection is still there.
"""

from typing import NamedTuple

from trio_chat.core.events import Event, Joined, Kicked, Left, PlaceSet
from trio_chat.core.names import fold

#: Rooms in which an account is kept; of more, those that it entered longest ago are forgotten.
PLACES_MAX = 1000


class Moved(NamedTuple):
    """An account (by folded name) comes into the ``room`` of an event, or is ``gone`` from it.

    If it has ``entered``, that is the room where it was last.
    """

    account: str
    room: str
    gone: bool = False
    entered: bool = False


def moved(event: Event) -> Moved | None:
    """Who has moved by an event; None if that is no account."""
    match event:
        case Joined(room=room, origin=origin, absent=False):
            found = Moved(fold(origin.account), room, entered=True)
        case Left(room=room, origin=origin):
            found = Moved(fold(origin.account), room, gone=True)
        case Kicked(room=room, target_account=account):
            found = Moved(fold(account), room, gone=True)
        case PlaceSet(room, account, gone):
            found = Moved(fold(account), room, gone)
        case _:
            return None
    return found if found.account else None
