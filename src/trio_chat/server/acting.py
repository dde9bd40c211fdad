"""The connections by which people do what they do, if they are on several."""

from collections.abc import Sequence

from trio_chat.core.events import (
    AccountSet,
    AwaySet,
    Event,
    Joined,
    Left,
    NameSet,
    Renamed,
    UserModesSet,
)

# What somebody does by one connection, and their others have to know, those as well that come while
# it happens.
ToldToOthers = Joined | Left | AwaySet | Renamed | AccountSet | NameSet | UserModesSet


class Acting:
    """Knows of an event by which connection it was done, until it is applied: only that one is
    shown it as its own. The log need not know.
    """

    def __init__(self) -> None:
        self._by: dict[int, tuple[Event, str]] = {}  # by what tells it from equal ones

    def __len__(self) -> int:
        return len(self._by)

    def note(self, events: Sequence[Event], by: str) -> None:
        """Note that these events are the doing of a connection."""
        self._by |= {id(event): (event, by) for event in events}

    def forget(self, events: Sequence[Event]) -> None:
        """Note that these events will not be applied."""
        for event in events:
            self._by.pop(id(event), None)

    def take(self, event: Event) -> str:
        """The connection whose doing an event is; empty if its author is on no other."""
        _, by = self._by.pop(id(event), (None, ""))
        return by
