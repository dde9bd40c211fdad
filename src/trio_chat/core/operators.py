"""The judgement of what operators of the server do to people and to accounts."""

from collections.abc import Callable, Sequence
from typing import Any

from trio_chat.core.accounts import no_account
from trio_chat.core.commands import KICK_MAX, DeleteAccount, DropOperator, Kill, ResetAccount
from trio_chat.core.denials import nobody, operators_only
from trio_chat.core.events import AccountDropped, AccountReset, Killed, OperatorDropped
from trio_chat.core.letters import as_reason
from trio_chat.core.names import fold
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Refused


def _kill(state: State, person: Person, kill: Kill) -> Sequence[Killed | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if (other := state.person(kill.nick)) is None:
        return [nobody(kill.nick)]
    why = as_reason(kill.why, KICK_MAX)
    return [
        Killed(
            person.nick, other.nick, why, person.user_id, other.user_id, person.origin,
            other.origin.account,
        )
    ]  # fmt: skip


def _reset_account(
    state: State, person: Person, reset: ResetAccount
) -> Sequence[AccountReset | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if (account := state.realm.account(reset.name)) is None:
        return [no_account(reset.name)]
    return [AccountReset(account.name, reset.key, person.nick, person.origin)]


def _delete_account(
    state: State, person: Person, delete: DeleteAccount
) -> Sequence[AccountDropped | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if (account := state.realm.account(delete.name)) is None:
        return [no_account(delete.name)]
    return [AccountDropped(account.name, by=person.nick, origin=person.origin)]


def _drop_operator(
    state: State, person: Person, drop: DropOperator
) -> Sequence[OperatorDropped | Refused]:
    if not person.is_operator:
        return [operators_only()]
    if (account := state.realm.account(drop.name)) is None:
        return [no_account(drop.name)]
    if fold(account.name) in state.operators:
        why = f"{account.name} is an operator by accounts.operators: change that."
        return [Refused(why, Code.NO_CHANGE)]
    if not account.operator:
        return [Refused(f"{account.name} is no operator of this server.", Code.NO_CHANGE)]
    return [OperatorDropped(account.name, person.nick, person.origin)]


#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    DeleteAccount: _delete_account,
    DropOperator: _drop_operator,
    Kill: _kill,
    ResetAccount: _reset_account,
}
