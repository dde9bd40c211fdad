"""The words of NickServ that clients and people have in their fingers, and those of our own client.

There is no such person: they are commands of the server, and nobody else hears them.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from trio_chat.core.commands import (
    BlockAccount,
    Command,
    DropAccount,
    LogIn,
    LogOut,
    MakeKey,
    Register,
    Rename,
    SetPassword,
    UnblockAccount,
)
from trio_chat.core.names import fold
from trio_chat.core.queries import ExportAccount, ListBlocks, ShowAccount
from trio_chat.core.views import (
    AccountView,
    Blocks,
    Devices,
    Mentions,
    NewKey,
    Notice,
    Refused,
)
from trio_chat.protocols.irc.message import trailing
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.plain.verbs import read_devices, read_set, read_token
from trio_chat.protocols.plain.wording import notices
from trio_chat.protocols.session import Ask
from trio_chat.protocols.slashes import read_mentions

_NICKSERV = "NickServ"

Asks = Iterable[Ask]


def is_nickserv(target: str) -> bool:
    """Whether a message to this target is for NickServ, perhaps at a server."""
    return fold(target.partition("@")[0]) == fold(_NICKSERV)


def tell(out: ReplyBuffer, *lines: str) -> None:
    """Reply with notices from NickServ."""
    start = f":{_NICKSERV}!{_NICKSERV}@{out.info.name}"
    out.lines(f"{start} {trailing('NOTICE', out.peer.nick, line)}" for line in lines)


def nickserv(out: ReplyBuffer, text: str) -> Asks:
    """Read what somebody says to NickServ."""
    word, *params = text.split() or ["HELP"]
    row = _WORDS.get(word.upper())
    read = row.read(out, params) if row else []
    if isinstance(read, Refused):
        _refuse(out, read)
        return ()
    if not read:
        rows = [row] if row else _WORDS.values()
        tell(out, *(line for row in rows for line in row.help))
    return [_ask(out, command) for command in read]


def _refuse(out: ReplyBuffer, refused: Refused) -> None:
    """Tell programs by a standard reply that a command of theirs was refused."""
    if "standard-replies" in out.peer.caps and out.verb != "PRIVMSG":
        out.refuse(refused)
        return
    out.refusals += 1
    tell(out, out.why(refused))


def _ask(out: ReplyBuffer, command: Command) -> Ask:
    def answered(answer: AccountView | Blocks | Devices | Mentions | NewKey | Notice) -> None:
        tell(out, *(notice.text for notice in notices(answer)))

    return Ask(command, answered, partial(_refuse, out))


def _register(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    """Read the password; the address of mail that other servers want may follow, and is ignored."""
    return [Register(params[0])] if params else []


def _identify(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    if not params:
        return []
    name = params[0] if len(params) > 1 else out.peer.refused_nick or out.peer.nick
    return [LogIn(name, params[-1])]


def _log_out(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [LogOut(forget=[param.upper() for param in params] == ["FORGET"])]


def _ghost(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    if not params:
        return []
    nick, *password = params
    if not password:
        return [Rename(nick)]
    out.peer.refused_nick = nick  # which is taken once the client is logged in
    return [LogIn(nick, password[0])]


def _set(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command] | Refused:
    if len(params) == 2 and params[0].upper() == "PASSWORD":
        return [SetPassword(params[1])]
    read = read_set(params)
    return read if isinstance(read, Refused) else [read] if read else []


def _token(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    verb, name = "".join(params[:1]).lower(), " ".join(params[1:])
    if verb == "keep" and name:
        return [MakeKey(name, shown=True)]
    read = read_token(verb, name)
    return [read] if read else []


def _devices(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    read = read_devices([param.lower() for param in params])
    return [read] if read else []


def _info(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [ShowAccount("".join(params[:1]))]


def _export(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [ExportAccount()]


def _drop(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [DropAccount(params[0])] if len(params) == 1 else []


def _block(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [BlockAccount(params[0])] if len(params) == 1 else []


def _unblock(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [UnblockAccount(params[0])] if len(params) == 1 else []


def _blocks(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    return [ListBlocks()]


def _mentions(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Command]:
    read = read_mentions("".join(params[:1]))
    return [read] if read else []


class _Word(NamedTuple):
    """A row: ``read`` gives nothing, or a refusal, if what follows the word is wrong; ``help`` are
    its lines.
    """

    read: Callable[[ReplyBuffer, Sequence[str]], Sequence[Command] | Refused]
    help: tuple[str, ...]


_WORDS = {
    "REGISTER": _Word(_register, ("REGISTER password: make your nickname yours, for good",)),
    "IDENTIFY": _Word(_identify, ("IDENTIFY [account] password: log in to your account",)),
    "LOGOUT": _Word(
        _log_out,
        ("LOGOUT [FORGET]: log out; with FORGET, your client will not log in again by itself",),
    ),
    "GHOST": _Word(
        _ghost,
        ("GHOST nickname [password]: take your nickname back from a connection that is gone",),
    ),
    "SET": _Word(
        _set,
        (
            "SET PASSWORD password: change the password of your account",
            "SET, SET ROOMS ON|OFF: choose whether you are in your rooms again when you log in",
            "SET ALWAYS-ON ON|OFF: choose whether you stay there while you are not connected",
        ),
    ),
    "TOKEN": _Word(
        _token,
        (
            "TOKEN NEW name: make a password of its own for a bot or a device",
            "TOKEN KEEP name: let this client log in by itself, if it can be known again",
            "TOKEN LIST, TOKEN DROP name: list these passwords, end one",
        ),
    ),
    "DEVICES": _Word(
        _devices, ("DEVICES, DEVICES END number: list your connections, end another one",)
    ),
    "MENTIONS": _Word(
        _mentions,
        ("MENTIONS [number]: show the last messages that mention you, in the rooms you are in",),
    ),
    "BLOCK": _Word(_block, ("BLOCK name: take nothing from somebody in private",)),
    "UNBLOCK": _Word(_unblock, ("UNBLOCK name: end that",)),
    "BLOCKS": _Word(_blocks, ("BLOCKS: list those whom you have blocked",)),
    "INFO": _Word(_info, ("INFO [account]: tell of an account",)),
    "EXPORT": _Word(_export, ("EXPORT: show all that is kept about your account",)),
    "DROP": _Word(_drop, ("DROP account: delete yours for ever",)),
}

#: The first words of all that NickServ understands, for HELP.
WORDS = f"{'|'.join(sorted(_WORDS))}|HELP [parameter...]"
