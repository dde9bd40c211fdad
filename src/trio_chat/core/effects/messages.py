"""The effects of messages: what is said, signalled, announced, or removed again."""

from collections import deque
from itertools import chain

from trio_chat.core.effects import Deliveries, Effects
from trio_chat.core.effects.rooms import outside
from trio_chat.core.events import Announced, Entry, Event, Redacted, Said, Signalled
from trio_chat.core.logs import after
from trio_chat.core.names import fold
from trio_chat.core.state import State, with_status
from trio_chat.core.views import Copy, Delivery


def _on_said(state: State, said: Said, entry: Entry) -> Deliveries:
    """Heard by everybody in the room and the speaker; in private, by the two of them."""
    if speaker := state.people.get(said.user_id):
        speaker.spoke = entry.at
    if _is_for_all(said) and (room := state.rooms.get(fold(said.room))):
        room.recent.append(entry)
    return _on_signalled(state, said, entry)


def _on_signalled(state: State, event: Said | Signalled, entry: Entry) -> Deliveries:
    """The same people as if it were said."""
    if event.to:
        echo = Delivery(Copy(event), people=(event.user_id,), by=event.user_id)
        return [Delivery(event, people=(event.to_id,)), echo]
    name = fold(event.room)
    room = state.rooms.get(name)
    if room is None:  # everybody has left it meanwhile, and it was closed
        return []
    if event.status:
        people = tuple({**dict.fromkeys(with_status(room, event.status)), event.user_id: None})
        return [Delivery(event, people=people, by=event.user_id)]
    if event.user_id not in room.members:
        echo = Delivery(Copy(event), people=(event.user_id,), by=event.user_id)
        return [Delivery(event, rooms=(name,)), echo]
    return [Delivery(event, rooms=(name,), by=event.user_id)]


def _on_redacted(state: State, redacted: Redacted, entry: Entry) -> Deliveries:
    """Those who heard the message, and whoever has removed it; nobody is shown it any more."""
    by = redacted.user_id
    if redacted.to:
        ends = (state.same(identity) for identity in entry.room.split(","))
        return [Delivery(redacted, people=tuple({**dict.fromkeys(chain(*ends))}), by=by)]
    name = fold(redacted.room)
    if (room := state.rooms.get(name)) is None:
        return []
    room.state = after(room.state, entry)
    room.recent = deque((e for e in room.recent if e.id != redacted.msgid), room.recent.maxlen)
    if redacted.status:
        own = dict.fromkeys((redacted.author_id, by))
        people = {**dict.fromkeys(with_status(room, redacted.status)), **own}
        return [Delivery(redacted, people=tuple(people), by=by)]
    return [Delivery(redacted, rooms=(name,), people=outside(room, by), by=by)]


def _on_announced(state: State, event: Announced, entry: Entry) -> Deliveries:
    """Operators, and people who want to hear announcements."""
    people = tuple(state.by_mode["o"] | state.by_mode["w"])
    return [Delivery(event, people=people, by=event.user_id)]


def _is_for_all(event: Event) -> bool:
    """Whether this was said in a room to everybody there, so that newcomers are shown it too."""
    return isinstance(event, Said) and not event.to and not event.status


#: Rows for ``apply.EFFECTS``.
EFFECTS: Effects = {
    Said: _on_said,
    Signalled: _on_signalled,
    Redacted: _on_redacted,
    Announced: _on_announced,
}
