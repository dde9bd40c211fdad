"""The audit in sentences, and how it is asked for."""

from collections.abc import Iterator

from trio_chat.core.commands import AUDITED_MAX, Audit
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
    Origin,
)
from trio_chat.core.names import fold
from trio_chat.core.views import Audited
from trio_chat.protocols.durations import moment
from trio_chat.protocols.plain.wording import wording

#: The command, as a row of /help begins.
OF_AUDIT = ("[ROOM|NAME] [N]", "show what operators have done, in a room or to somebody", 0)

_USUAL = 20

# How the server's own sentences begin in the plain dialect.
_OURS = "*** "


def read_audit(text: str) -> Audit | None:
    """Read what follows ``/audit``; None if it is none of its forms."""
    match text.split():
        case []:
            return Audit("", _USUAL)
        case [number] if _is_number(number):
            return Audit("", _bounded(number))
        case [of]:
            return Audit(of, _USUAL)
        case [of, number] if _is_number(number):
            return Audit(of, _bounded(number))
    return None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def _bounded(number: str) -> int:
    return max(1, min(int(number), AUDITED_MAX))


def audit_lines(audited: Audited) -> Iterator[str]:
    """A line for each entry, oldest first; or one that says that there is none."""
    if not audited.entries:
        yield "Operators have done nothing there."
    for entry in audited.entries:
        yield audit_line(entry)


def audit_line(entry: Entry) -> str:
    """What was done, and when."""
    return f"{moment(entry.at)} {_sentence(entry.event)}"


def _sentence(event: Event) -> str:
    match event:
        case AccountMade(name, operator=operator):
            return f"{name} registered{', as an operator of this server' if operator else ''}."
        case AccountDropped(name):
            return f"{name} deleted this account."
        case AccountReset(name, by=by, origin=origin):
            return f"{_who(by, origin)} let in the owner of {name}, who had lost the password."
        case InvitationUsed(invitation, identity=identity, name=name):
            if name:
                return f"Invitation {invitation} made {name} an operator of this server."
            whom = identity[1:] if identity.startswith("=") else "somebody"
            return f"Invitation {invitation} let in {whom}."
        case InvitationRevoked(invitation, by):
            return f"{by or 'An operator'} revoked invitation {invitation}."
    nick, origin = getattr(event, "nick", ""), getattr(event, "origin", NOWHERE)
    lines = [line.removeprefix(_OURS) for line in wording(event) if line.startswith(_OURS)]
    said = " ".join(lines).replace(nick, _who(nick, origin), 1)
    return f"{event.room}: {said}" if isinstance(event, OfRoom) else said


def _who(nick: str, origin: Origin) -> str:
    """Somebody by the nickname they had, and the account; or the system's user, if they are on the
    operators' socket.
    """
    known = origin.account or (origin.user if origin.host == nick else "")
    return nick if not known or fold(known) == fold(nick) else f"{nick} ({known})"
