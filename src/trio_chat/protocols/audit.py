"""The audit in sentences, and how it is asked for."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from trio_chat.core.events import (
    NOWHERE,
    AccountDropped,
    AccountMade,
    AccountReset,
    Entry,
    Event,
    InvitationRevoked,
    InvitationUsed,
    OfRoom,
    OperatorDropped,
    Origin,
    Reported,
)
from trio_chat.core.queries import AUDITED_MAX, Audit, ListReports
from trio_chat.core.views import Audited, Reports
from trio_chat.core.words import account_or_user, is_number, known_as
from trio_chat.protocols.durations import moment
from trio_chat.protocols.plain.wording import OURS, report, wording

#: The commands, as rows of /help begin.
OF_AUDIT = ("[ROOM|NAME] [N]", "show what operators have done, in a room or to somebody", 0)
OF_REPORT = ("last NAME|ID [WHY]", "show a message to the operators", 1)
OF_REPORTS = ("[N]", "show the messages that were reported, if you are an operator", 0)

_USUAL = 20


def read_audit(text: str) -> Audit | None:
    """Read what follows ``/audit``; None if it is none of its forms."""
    match text.split():
        case []:
            return Audit("", _USUAL)
        case [number] if is_number(number):
            return Audit("", _bounded(number))
        case [of]:
            return Audit(of, _USUAL)
        case [of, number] if is_number(number):
            return Audit(of, _bounded(number))
    return None


def _bounded(number: str) -> int:
    return max(1, min(int(number), AUDITED_MAX))


def audit_lines(audited: Audited) -> Iterator[str]:
    """A line for each entry, oldest first, after those of ``audit_notes``."""
    yield from audit_notes(audited)
    for entry in audited.entries:
        yield audit_line(entry)


def audit_notes(audited: Audited) -> Iterator[str]:
    """What there is to say of the answer itself: that it is empty, or does not go back further."""
    if audited.since:
        yield f"Only what was done since {moment(audited.since)} was looked through."
        yield "/audit ROOM looks back further in one room."
    if not audited.entries:
        yield "Operators have done nothing there."


def read_reports(text: str) -> ListReports | None:
    """Read what follows ``/reports``; None if it is no number."""
    if not text:
        return ListReports(_USUAL)
    return ListReports(_bounded(text)) if is_number(text) else None


def report_lines(reports: Reports) -> Iterator[str]:
    """Two lines for each report, oldest first; or one that says that there is none."""
    if not reports.reports:
        yield "Nothing was reported."
    for entry, message in reports.reports:
        yield audit_line(entry)
        yield _words(message)


def _words(message: Entry | None) -> str:
    if message is None:
        return "  (that message is not there any more)"
    return f"  {message.id} {' / '.join(wording(message.event))}"


def audit_line(entry: Entry) -> str:
    """What was done, and when."""
    return f"{moment(entry.at)} {sentence(entry.event)}"


def sentence(event: Event) -> str:
    """What was done."""
    match event:
        case AccountMade(name, operator=operator):
            return f"{name} registered{', as an operator of this server' if operator else ''}."
        case AccountDropped(name, by=by, origin=origin) if by:
            return f"{_who(by, origin)} deleted the account {name}."
        case AccountDropped(name):
            return f"{name} deleted this account."
        case AccountReset(name, by=by, origin=origin):
            return f"{_who(by, origin)} let in the owner of {name}, who had lost the password."
        case OperatorDropped(name, by=by, origin=origin):
            return f"{_who(by, origin)} made {name} no operator of this server any more."
        case InvitationUsed(invitation, identity=identity, name=name):
            if name:
                return f"Invitation {invitation} made {name} an operator of this server."
            whom = identity[1:] if identity.startswith("=") else "somebody"
            return f"Invitation {invitation} let in {whom}."
        case Reported():
            return f"{report(event)}."
        case InvitationRevoked(invitation, by):
            return f"{by or 'An operator'} revoked invitation {invitation}."
    lines = wording(_with_account(event))
    said = " ".join(line.removeprefix(OURS) for line in lines if line.startswith(OURS))
    return f"{event.room}: {said}" if isinstance(event, OfRoom) else said


def _with_account(event: Any) -> Any:
    """An event by somebody whose name says whose account it was, too."""
    field = next((name for name in ("nick", "by") if getattr(event, name, "")), "")
    if not field:
        return event
    who = _who(getattr(event, field), getattr(event, "origin", NOWHERE))
    return replace(event, **{field: who})


def _who(nick: str, origin: Origin) -> str:
    return known_as(nick, account_or_user(nick, origin))
