"""MONITOR: the nicknames that a client watches (ircv3.net, "monitor")."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from trio_chat.core.commands import Watch
from trio_chat.core.names import distinct, fold, nick_problem
from trio_chat.core.queries import FindNicks
from trio_chat.protocols.irc import metadata, replies
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.info import WATCHED_MAX
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask


def monitor(out: ReplyBuffer, message: Message) -> Iterable[Ask]:
    """Read MONITOR. The answers are RPL_MONONLINE (730), RPL_MONOFFLINE (731), RPL_MONLIST (732)
    with RPL_ENDOFMONLIST (733), or ERR_MONLISTFULL (734).
    """
    verb = _VERBS.get(message.params[0].upper())
    return verb(out, message) if verb else ()


def _add(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    wanted = distinct(message.param(1).split(","))
    added: list[str] = []
    watched = {**out.peer.watched}
    for index, nick in enumerate(wanted):
        if len(watched) >= WATCHED_MAX and fold(nick) not in watched:
            rest = ",".join(wanted[index:])
            out.numeric(n.ERR_MONLISTFULL, str(WATCHED_MAX), rest, "Monitor list is full.")
            break
        if nick and not nick_problem(nick):
            watched[fold(nick)] = nick
            added.append(nick)
    out.peer.watched = watched
    if added:
        yield Ask(Watch(tuple(added)))
        yield from _status(out, added)
        yield from metadata.watched(out, added)


def _remove(out: ReplyBuffer, message: Message) -> Iterable[Ask]:
    nicks = message.param(1).split(",")
    watched = {**out.peer.watched}
    known = tuple(nick for nick in nicks if watched.pop(fold(nick), ""))
    out.peer.watched = watched
    return [Ask(Watch(known, on=False))] if known else ()


def _clear(out: ReplyBuffer, message: Message) -> Iterable[Ask]:
    nicks = tuple(out.peer.watched.values())
    out.peer.watched = {}
    return [Ask(Watch(nicks, on=False))] if nicks else ()


def _list(out: ReplyBuffer, message: Message) -> Iterable[Ask]:
    replies.monitor_list(out)
    return ()


def _status(out: ReplyBuffer, nicks: Iterable[str]) -> Iterator[Ask]:
    asked = tuple(nicks)
    yield Ask(FindNicks(asked), partial(replies.monitored, out, asked))


_VERBS: dict[str, Callable[[ReplyBuffer, Message], Iterable[Ask]]] = {
    "+": _add,
    "-": _remove,
    "C": _clear,
    "L": _list,
    "S": lambda out, message: _status(out, out.peer.watched.values()),
}
