"""MONITOR: which nicknames a client watches (ircv3.net, "monitor")."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from trio_chat.core.commands import Command, FindNicks, Unwatch, Watch
from trio_chat.core.names import distinct, fold, nick_problem
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc import replies
from trio_chat.protocols.irc.info import WATCHED_MAX
from trio_chat.protocols.irc.message import Message

if TYPE_CHECKING:
    from trio_chat.protocols.irc.session import IrcSession


def monitor(session: "IrcSession", message: Message) -> Iterable[Command]:
    verb = _VERBS.get(message.params[0].upper())
    return verb(session, message) if verb else ()


def _add(session: "IrcSession", message: Message) -> Iterator[Command]:
    wanted = distinct(message.param(1).split(","))
    added: list[str] = []
    for index, nick in enumerate(wanted):
        if len(session.watched) >= WATCHED_MAX and fold(nick) not in session.watched:
            rest = ",".join(wanted[index:])
            session.numeric(n.ERR_MONLISTFULL, str(WATCHED_MAX), rest, "Monitor list is full.")
            break
        if nick and not nick_problem(nick):
            session.watched[fold(nick)] = nick
            added.append(nick)
    if added:
        yield Watch(tuple(added))
        yield from _status(session, added)


def _remove(session: "IrcSession", message: Message) -> Iterable[Command]:
    nicks = message.params[1].split(",") if len(message.params) > 1 else []
    known = tuple(nick for nick in nicks if session.watched.pop(fold(nick), ""))
    return [Unwatch(known)] if known else ()


def _clear(session: "IrcSession", message: Message) -> Iterable[Command]:
    nicks = tuple(session.watched.values())
    session.watched.clear()
    return [Unwatch(nicks)] if nicks else ()


def _list(session: "IrcSession", message: Message) -> Iterable[Command]:
    replies.monitor_list(session)
    return ()


def _status(session: "IrcSession", nicks: Iterable[str]) -> Iterator[Command]:
    asked = tuple(nicks)
    session.answered = replies.monitored(session, asked)
    yield FindNicks(asked)


_VERBS: dict[str, Callable[["IrcSession", Message], Iterable[Command]]] = {
    "+": _add,
    "-": _remove,
    "C": _clear,
    "L": _list,
    "S": lambda session, message: _status(session, session.watched.values()),
}
