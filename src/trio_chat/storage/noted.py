"""Events that a store does not keep, but acts upon."""

from trio_chat.core.events import Event, Got, ReadUpTo
from trio_chat.storage.places import moved


def is_noted(event: Event) -> bool:
    """Whether a store notes something that follows from an event."""
    return must_be_noted(event) or moved(event) is not None


def must_be_noted(event: Event) -> bool:
    """Whether an event is for the store above all: it may not happen without being noted."""
    return isinstance(event, ReadUpTo | Got)
