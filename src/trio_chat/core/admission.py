"""The judgement of invitations to this chat: each lets in no more people than it says."""

from collections.abc import Callable, Sequence
from typing import Any

from trio_chat.core.commands import RevokeInvitation
from trio_chat.core.denials import operators_only
from trio_chat.core.events import InvitationRevoked, InvitationUsed
from trio_chat.core.realm import Realm
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Notice, Refused

# Invitations are known from their first use.
_UNKNOWN = "Nobody has used one of that number: see whether it is the right one."


def spend(realm: Realm, used: InvitationUsed) -> InvitationUsed | Refused | None:
    """Judge the use of an invitation: None if it has let in the same person before, and there is
    no account of theirs that it would change.
    """
    spent = realm.invitations.get(used.invitation)
    if spent is None:
        return used
    if spent.revoked:
        return Refused("That invitation was revoked.", Code.BAD_INVITATION)
    if used.identity and used.identity in spent.by:
        return used if used.name else None
    if len(spent.by) >= used.uses:
        return Refused("That invitation has been used. Ask for a new one.", Code.BAD_INVITATION)
    return used


def _revoke(
    state: State, person: Person, revoke: RevokeInvitation
) -> list[InvitationRevoked | Notice | Refused]:
    if not person.is_operator:
        return [operators_only()]
    spent = state.realm.invitations.get(revoke.id)
    if spent and spent.revoked:
        return [Refused("That invitation was revoked already.", Code.NO_CHANGE)]
    revoked = InvitationRevoked(revoke.id, person.nick)
    return [revoked] if spent else [revoked, Notice(_UNKNOWN)]


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {RevokeInvitation: _revoke}
