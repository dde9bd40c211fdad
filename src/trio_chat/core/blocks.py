"""Accounts that the owner of an account takes nothing from in private, on all devices.

They cannot write to the owner, nor leave anything for them while they are not here, nor invite
them. Who has no account cannot be blocked: they would only have to come again. Nor can operators of
the server, who may have to warn somebody.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from trio_chat.core.accounts import account_of, no_account, not_logged_in
from trio_chat.core.commands import BlockAccount, UnblockAccount
from trio_chat.core.events import AccountBlocked, AccountUnblocked, Origin, Said
from trio_chat.core.names import fold
from trio_chat.core.queries import ListBlocks
from trio_chat.core.realm import BLOCKS_MAX, Account
from trio_chat.core.refusals import Code
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Answer, Blocks, Refused


def is_blocked(state: State, person: Person, account: Account | None) -> bool:
    """Whether the owner of an account takes nothing from somebody."""
    return not person.is_operator and _has_blocked(account, person.origin)


def takes_nothing(state: State, person: Person, other: Person | Account) -> bool:
    """Whether somebody has blocked whom they write to."""
    if isinstance(other, Person):
        return is_blocked(state, other, account_of(state, person))
    own = account_of(state, person)
    return own is not None and fold(other.name) in own.blocked and not state.rules(other.name)


def has_blocked(account: Account | None, said: Said) -> bool:
    """Whether somebody has blocked the author of what was said."""
    return _has_blocked(account, said.origin)


def _has_blocked(account: Account | None, origin: Origin) -> bool:
    return account is not None and bool(account.blocked) and fold(origin.account) in account.blocked


def blocked(nick: str) -> Refused:
    """The refusal of what somebody does not take."""
    return Refused(f"{nick} takes no messages from you.", Code.CANNOT_WRITE_TO, (nick,))


def _block(state: State, person: Person, block: BlockAccount) -> Sequence[AccountBlocked | Refused]:
    if (own := account_of(state, person)) is None:
        return [not_logged_in()]
    whom = _meant(state, block.name)
    if isinstance(whom, Refused):
        return [whom]
    if whom is own:
        return [Refused("You cannot block yourself.")]
    if state.rules(whom.name):
        return [Refused(f"{whom.name} is an operator of this server, and cannot be blocked.")]
    if fold(whom.name) in own.blocked:
        return [Refused(f"You have blocked {whom.name} already.")]
    if len(own.blocked) >= BLOCKS_MAX:
        return [Refused(f"You have blocked {BLOCKS_MAX} accounts, which is the limit.")]
    return [AccountBlocked(own.name, whom.name)]


def _meant(state: State, name: str) -> Account | Refused:
    """The account of somebody who is here, or else the one of this name."""
    here = state.person(name)
    account = account_of(state, here) if here else state.realm.account(name)
    if account is None and here:
        why = f"{here.nick} has no account, so a block would not last."
        return Refused(f"{why} Your client can ignore them, and mode +R keeps all guests out.")
    return account or no_account(name)


def _unblock(
    state: State, person: Person, unblock: UnblockAccount
) -> Sequence[AccountUnblocked | Refused]:
    if (own := account_of(state, person)) is None:
        return [not_logged_in()]
    here = state.person(unblock.name)
    names = [unblock.name, *([here.origin.account] if here else [])]
    found = next((name for name in map(fold, names) if name in own.blocked), None)
    if found is None:
        return [Refused(f"You have not blocked {unblock.name[:50]}.")]
    return [AccountUnblocked(own.name, state.realm.accounts[found].name)]


def _list_blocks(state: State, asker: Person, query: ListBlocks) -> Sequence[Answer]:
    if (own := account_of(state, asker)) is None:
        return [not_logged_in()]
    return [Blocks(tuple(state.realm.accounts[name].name for name in own.blocked))]


#: A row for ``Chat.answer``.
ANSWERS: dict[type, Callable[[State, Person, Any], Iterable[Answer]]] = {ListBlocks: _list_blocks}

#: Rows for ``decide.JUDGES``.
JUDGES: dict[type, Callable[[State, Person, Any], Sequence[Any]]] = {
    BlockAccount: _block,
    UnblockAccount: _unblock,
}
