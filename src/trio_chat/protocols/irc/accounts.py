"""The replies about accounts: who one is logged in as, and what has become of REGISTER."""

from collections.abc import Iterable
from dataclasses import replace

from trio_chat.core.commands import ComeBack, Rename
from trio_chat.core.events import AccountSet
from trio_chat.core.names import fold
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc import services
from trio_chat.protocols.irc.info import NO_ROOMS
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

# The codes of FAIL REGISTER (ircv3.net, "account-registration").
_CODES = {
    Code.ACCOUNT_EXISTS: "ACCOUNT_EXISTS",
    Code.LOGGED_IN: "ALREADY_AUTHENTICATED",
    Code.WEAK_PASSWORD: "WEAK_PASSWORD",
    Code.BAD_PASSWORD: "UNACCEPTABLE_PASSWORD",
}


def refuse_to_register(out: ReplyBuffer, name: str, refused: Refused) -> None:
    """Refuse REGISTER, which was for an account of this name."""
    code = _CODES.get(refused.code, "TEMPORARILY_UNAVAILABLE")
    out.fail("REGISTER", code, name, out.why(refused))


def registered(out: ReplyBuffer, name: str) -> None:
    """Tell a client that its nickname is an account now, to which it is logged in."""
    why = "Your nickname is yours now"
    if out.verb == "REGISTER":
        out.send("REGISTER", "SUCCESS", name, why)
    else:
        services.tell(out, f"{why}.")
    account_set(out, name)


def dropped(out: ReplyBuffer) -> None:
    """Tell a client that its account is deleted; it is told of the rest as others are."""
    out.peer.origin = replace(out.peer.origin, account="")
    tell(out, "")


def tell(out: ReplyBuffer, account: str) -> None:
    """Tell a client which account it is logged in to, if to any, by a numeric."""
    address = out.peer.address if out.peer.registered else "*!*@*"
    if account:
        out.last_param(n.RPL_LOGGEDIN, address, account, f"You are now logged in as {account}")
    else:
        out.last_param(n.RPL_LOGGEDOUT, address, "You are now logged out")


def account_set(out: ReplyBuffer, account: str) -> Iterable[Ask]:
    """Tell a client which account it is logged in to from now on, if to any.

    It is told by numerics first, then like everybody else who has account-notify.
    """
    peer = out.peer
    peer.origin = replace(peer.origin, account=account)
    tell(out, account)
    if out.verb == "AUTHENTICATE":
        out.last_param(n.RPL_SASLSUCCESS, "SASL authentication successful")
    if not peer.registered:
        return ()
    out.show(AccountSet(peer.nick, origin=peer.origin))
    return [*_take_nick(out, account), *come_back(out)] if account else ()


def come_back(out: ReplyBuffer) -> Iterable[Ask]:
    """Ask for the rooms where the account was, unless the client wants none."""
    return () if NO_ROOMS in out.peer.caps else (Ask(ComeBack(out.peer.begun_in)),)


def _take_nick(out: ReplyBuffer, account: str) -> Iterable[Ask]:
    """Take the nickname that was refused before, once it is known to be one's own."""
    wanted, out.peer.refused_nick = out.peer.refused_nick, ""
    if fold(wanted) != fold(account) or fold(out.peer.nick) == fold(wanted):
        return ()
    return [Ask(Rename(wanted))]
