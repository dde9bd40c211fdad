"""Reports of messages to those who moderate: the operators of the room, and of the server.

A report names a message, and holds none of its words: so they are gone with the message when that
is removed. Whoever may see the report is shown the words as long as they are there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from trio_chat.core.commands import KICK_MAX, FileReport
from trio_chat.core.events import Entry, Reported, Said
from trio_chat.core.letters import as_reason
from trio_chat.core.names import is_private
from trio_chat.core.room import Person
from trio_chat.core.state import State, leads, with_status
from trio_chat.core.views import Notice


def _file(state: State, person: Person, request: FileReport) -> Sequence[Reported | Notice]:
    """Judge the report of a message that is there, and that may be read."""
    entry, said = request.entry, cast("Said", request.entry.event)
    place = "" if is_private(entry.room) else said.room
    reported = Reported(
        person.nick, place, entry.room, entry.id, said.nick, as_reason(request.why, KICK_MAX),
        person.user_id, person.origin,
    )  # fmt: skip
    return [reported, Notice(_told(place, here=len(hearers(state, reported))))]


def _told(place: str, *, here: int) -> str:
    of = f"{place} and of this server" if place else "this server"
    who = f"The operators of {of} may read that message now"
    few = {0: "none of them is here just now", 1: "one of them is here"}
    return f"{who}: {few.get(here, f'{here} of them are here')}."


def hearers(state: State, reported: Reported) -> tuple[str, ...]:
    """The ids of those who are told of a report: operators who are here."""
    room = state.rooms.get(reported.log)
    of_room = dict.fromkeys(with_status(room, "@")) if room else {}
    return tuple({**dict.fromkeys(state.by_mode["o"]), **of_room})


def is_by(state: State, person: Person, reported: Reported) -> bool:
    """Whether somebody has made a report, on whatever connection."""
    account = person.origin.account
    return reported.user_id in state.same(person.identity) or (
        bool(account) and reported.origin.account == account
    )


def may_see(state: State, person: Person, report: Entry, log: str) -> bool:
    """Whether somebody may see a report, and the message that it is about.

    That is in this ``log`` now; empty if it is not there any more. Then the room is known by the
    name that it had, which may be that of a later one now.
    """
    if person.is_operator:
        return True
    room = state.rooms.get(log or cast("Reported", report.event).log)
    is_that_room = room is not None and (bool(log) or room.state.created <= report.at)
    return room is not None and is_that_room and leads(room, person)


def as_called_now(state: State, report: Entry, log: str) -> Entry:
    """A report from a room, by the name that the room has now; it may be empty, as above."""
    reported = cast("Reported", report.event)
    if not (reported.place and log):
        return report
    place = state.rooms[log].state.name if log in state.rooms else log
    return report._replace(event=replace(reported, place=place, log=log))


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {FileReport: _file}
