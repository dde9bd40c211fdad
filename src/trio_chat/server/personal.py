"""What the server keeps about an account, beside messages, as a document for its owner."""

import json
from collections.abc import Iterable, Sequence

from trio_chat.core.bans import ACCOUNT
from trio_chat.core.names import fold
from trio_chat.core.preferences import PREFERENCES
from trio_chat.core.realm import Account, Realm
from trio_chat.core.views import Ban
from trio_chat.protocols.irc.times import timestamp


def document(
    realm: Realm,
    account: Account,
    rooms: Sequence[str],
    talks: Iterable[tuple[str, int, int]],
) -> str:
    """Write it as JSON, with moments in UTC. ``rooms`` are those where the account is kept.
    ``talks`` are the rooms that the owner is in and the people to whom they have spoken in private:
    the name, and when something was last said and last read there (unix milliseconds, 0 if never).
    """
    bans = (ban for ban in realm.bans.all.values() if _is_about(ban, account))
    found = {
        "account": account.name,
        "registered": _moment(account.made),
        "operator": account.operator,
        "tokens": [{"name": key.label, "made": _moment(key.made)} for key in account.keys],
        "chosen": {name: account.prefers(name) for name in PREFERENCES},
        "rooms": [*rooms],
        "metadata": dict(account.metadata),
        "blocked": [realm.accounts[name].name for name in account.blocked],
        "bans": [_ban(ban) for ban in bans],
        "conversations": [
            {"with": name, "last_said": _moment(said), "last_read": _moment(read)}
            for name, said, read in talks
        ],
    }
    return json.dumps(found, indent=1, ensure_ascii=False)


def _is_about(ban: Ban, account: Account) -> bool:
    return ban.kind == ACCOUNT and fold(ban.value) == fold(account.name)


def _ban(ban: Ban) -> dict[str, object]:
    return {
        "number": ban.number,
        "mute": ban.mute,
        "set": _moment(ban.at),
        "until": _moment(ban.until),
        "by": ban.by,
        "why": ban.why,
    }


def _moment(milliseconds: int) -> str | None:
    return timestamp(milliseconds) if milliseconds else None
