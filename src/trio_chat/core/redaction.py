"""The right to remove a message, or a topic; the one that is set now goes from the room as well.

- The operators of its room, and those of the server, may remove it at any time.
- Its author may for some hours: on any connection by which they are known as the same person.
- What was said in private only its author may remove.
- Ids can be guessed. So a message that somebody may not read is unknown to them.
"""

from collections.abc import Sequence
from typing import cast

from trio_chat.core.commands import KICK_MAX, Redact
from trio_chat.core.events import Entry, Redacted, Said, TopicSet
from trio_chat.core.history_access import Source, partner, source
from trio_chat.core.letters import as_reason, cut
from trio_chat.core.names import fold, is_private
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import hiding
from trio_chat.core.room import Person
from trio_chat.core.state import State, is_silenced, leads, with_status
from trio_chat.core.views import Notice, Refused

_HOUR = 3_600_000  # milliseconds

# The characters by which somebody is reminded of what they have removed.
_REMINDER = 30


def place(
    state: State, person: Person, target: str, talks: Sequence[Entry] = ()
) -> Source | Refused:
    """Find the log that somebody means, as ``history_access.source`` does.

    Operators of the server reach into rooms from outside, and nothing is hidden from operators.
    """
    if (room := state.room(target)) and leads(room, person):
        return Source(fold(target), room.state.name)
    return source(state, person, target, talks)


def is_known_to(state: State, person: Person, place: Source, entry: Entry) -> bool:
    """Whether somebody may read a message or a topic there."""
    said, room = cast("Said | TopicSet", entry.event), state.rooms.get(entry.room)
    if hiding(entry.id, place.hidden):
        return False
    if isinstance(said, TopicSet) or not said.status or room is None:
        return True
    if person.is_operator or is_author(state, person, said):
        return True
    return person.user_id in with_status(room, said.status)


def is_author(state: State, person: Person, said: Said | TopicSet) -> bool:
    """Whether somebody has said this, on whatever connection."""
    if said.user_id in state.same(person.identity):
        return True
    if person.is_known and isinstance(said, Said) and said.token.startswith(f"{person.identity} "):
        return True
    account = state.realm.account(said.origin.account) if said.origin.account else None
    return account is not None and account.identity == person.identity


def redact(
    state: State, person: Person, request: Redact
) -> Sequence[TopicSet | Redacted | Refused]:
    """Judge the removal of a message or a topic that is there, and that may be read."""
    entry, said = request.entry, cast("Said | TopicSet", request.entry.event)
    room = state.rooms.get(entry.room)
    if not (room and leads(room, person)):
        if not is_author(state, person, said):
            return [Refused(_only(room is not None), Code.NOT_THE_AUTHOR)]
        if request.now - entry.at >= state.redact_hours * _HOUR:
            seconds = str(state.redact_hours * _HOUR // 1000)
            return [Refused(_late(state.redact_hours), Code.TOO_LATE_TO_REDACT, (seconds,))]
    silenced = is_silenced(room, person) if room else person.limit is not None
    why = "" if silenced else as_reason(request.why, KICK_MAX)
    to = partner(state, person, entry) if is_private(entry.room) else ""
    status = said.status if isinstance(said, Said) else ""
    redacted = Redacted(
        said.room, person.nick, entry.id, said.nick, why, person.user_id, said.user_id, to,
        status, person.origin, isinstance(said, TopicSet),
    )  # fmt: skip
    if room and redacted.topic and (said.text, entry.at) == (room.state.topic, room.state.topic_at):
        cleared = TopicSet(room.state.name, person.nick, "", person.user_id, person.origin)
        return [cleared, redacted]
    return [redacted]


def removed_words(entry: Entry, redacted: Redacted) -> Notice:
    """Remind whoever has removed the last message of which one that was."""
    said = cast("Said | TopicSet", entry.event)
    first = said.text.partition("\n")[0]
    words = cut(first, _REMINDER)
    more = "…" if words != said.text else ""
    where = f"in private with {redacted.to}" if redacted.to else f"in {said.room}"
    return Notice(f"Removed {where}: {words}{more}")


def unknown_message(said_by: str = "") -> Refused:
    """The refusal for a message that is not there, or that must look as if it were not."""
    why = f"{said_by} has said nothing there lately." if said_by else "There is no such message."
    return Refused(why, Code.UNKNOWN_MESSAGE)


def no_topic(room: str) -> Refused:
    """The refusal where no topic is there to be removed."""
    return Refused(f"There is no topic of {room} to remove.", Code.UNKNOWN_MESSAGE)


def _only(in_room: bool) -> str:
    others = " and the operators of the room" if in_room else ""
    return f"Only its author{others} may remove that message."


def _late(hours: int) -> str:
    if not hours:
        return "Messages cannot be removed by their authors here."
    return f"A message can be removed for {hours} hours; that one is older."
