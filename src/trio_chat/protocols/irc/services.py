"""The few words of NickServ that clients and people have in their fingers.

There is no such person: they are commands of the server, and nobody else hears them.
"""

from collections.abc import Callable, Iterable, Sequence

from trio_chat.core.commands import LogIn, Register, Rename
from trio_chat.core.names import fold
from trio_chat.core.views import Refused
from trio_chat.protocols.irc.message import trailing
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

_NICKSERV = "NickServ"

_HELP = (
    "REGISTER password: make your nickname yours, for good",
    "IDENTIFY [account] password: log in to your account",
    "GHOST nickname [password]: take your nickname back from a connection that is gone",
)

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
    read = _WORDS.get(word.upper())
    if asks := read(out, params) if read else []:
        return asks
    tell(out, *_HELP)
    return ()


def _ask(out: ReplyBuffer, command: Register | LogIn | Rename) -> Ask:
    def refused(refused: Refused) -> None:
        out.refusals += 1
        tell(out, refused.why)

    return Ask(command, on_refused=refused)


def _register(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Ask]:
    """Read the password; the address of mail that other servers want may follow, and is ignored."""
    return [_ask(out, Register(params[0]))] if params else []


def _identify(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Ask]:
    if not params:
        return []
    name = params[0] if len(params) > 1 else out.peer.refused_nick or out.peer.nick
    return [_ask(out, LogIn(name, params[-1]))]


def _ghost(out: ReplyBuffer, params: Sequence[str]) -> Sequence[Ask]:
    if not params:
        return []
    nick, *password = params
    log_in = [_ask(out, LogIn(nick, password[0]))] if password else []
    return [*log_in, _ask(out, Rename(nick))]


_WORDS: dict[str, Callable[[ReplyBuffer, Sequence[str]], Sequence[Ask]]] = {
    "REGISTER": _register,
    "IDENTIFY": _identify,
    "GHOST": _ghost,
}
