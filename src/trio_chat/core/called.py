"""The nicknames in events, as they are when the events are shown.

Somebody may take another nickname, by one of their devices, after something of theirs or about them
was judged and before it is applied. Everybody has been told of the new one by then, and would not
know who is meant by the old one.
"""

from dataclasses import replace
from typing import Any

from trio_chat.core.events import Change, Event, Kicked, ModesSet
from trio_chat.core.state import State


def with_nicks_of_now(state: State, event: Event) -> Event:
    """The event with the nicknames that its author and those whom it names have now."""
    person = state.people.get(getattr(event, "user_id", ""))
    changes: dict[str, Any] = {}
    if person and getattr(event, "nick", person.nick) != person.nick:
        changes["nick"] = person.nick
    if isinstance(event, Kicked) and (target := state.people.get(event.target_id)):
        changes["target"] = target.nick
    elif isinstance(event, ModesSet):
        changes["changes"] = tuple(_named(state, change) for change in event.changes)
    return replace(event, **changes) if changes else event


def _named(state: State, change: Change) -> Change:
    person = state.people.get(change.user_id)
    if person is None or person.nick == change.argument:
        return change
    return replace(change, argument=person.nick)
