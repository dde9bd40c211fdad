"""Before anybody is in: capabilities, password, nickname and user (modern.ircdocs.horse,
"Connection Setup"; ircv3.net, "Capability Negotiation").
"""

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trio_chat.core.commands import Command, Enter
from trio_chat.core.events import Origin
from trio_chat.core.letters import cut
from trio_chat.core.modes import ARGUED, ROOM_MODES, USER_MODES
from trio_chat.core.names import NAME_MAX, nick_problem
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.dialect import wrapped
from trio_chat.protocols.irc.message import Message, number
from trio_chat.protocols.irc.numerics import (
    ERR_ALREADYREGISTERED,
    ERR_ERRONEUSNICKNAME,
    ERR_INVALIDCAPCMD,
    ERR_INVALIDUSERNAME,
    ERR_NEEDMOREPARAMS,
    ERR_NONICKNAMEGIVEN,
    RPL_CREATED,
    RPL_ISUPPORT,
    RPL_MYINFO,
    RPL_WELCOME,
    RPL_YOURHOST,
)

if TYPE_CHECKING:
    from trio_chat.protocols.irc.session import IrcSession

_USER_MAX = 20  # characters
_CAP_LINE = 400  # bytes of capabilities in a line
_SECRET = re.compile("[A-Za-z0-9_-]{16,128}")
_TOKENS = 12  # in a line: 13 are legal, but TinyIRC and ircII read no more before the last text


def enter(session: "IrcSession") -> Iterator[Command]:
    """Registration is complete once there are nickname and user, and nothing is negotiated."""
    if session.wanted and session.user and not session.negotiating and not session.entering:
        session.entering = True
        origin = Origin(session.user, name=session.name)
        password, secret = session.password, session.secret
        yield Enter(session.wanted, origin=origin, password=password, secret=secret)


def welcome(session: "IrcSession") -> None:
    """ "Upon successful completion of the registration process" this is sent, in this order."""
    info, nick = session.info, session.nick
    session.last_param(RPL_WELCOME, f"Welcome to the {info.network} network, {nick}")
    session.last_param(RPL_YOURHOST, f"Your host is {info.name}, running version {info.version}")
    session.last_param(RPL_CREATED, f"This server was created {info.created}")
    argued = "".join(sorted(ARGUED[True]))
    session.numeric(RPL_MYINFO, info.name, info.version, USER_MODES, ROOM_MODES, argued)
    isupport(session)


def isupport(session: "IrcSession") -> None:
    tokens = list(session.info.tokens())
    for begin in range(0, len(tokens), _TOKENS):
        some = tokens[begin : begin + _TOKENS]
        session.numeric(RPL_ISUPPORT, *some, "are supported by this server")


def password(session: "IrcSession", message: Message) -> Iterable[Command]:
    if session.registered:
        session.numeric(ERR_ALREADYREGISTERED, "You may not reregister")
    else:
        session.password = message.params[0]
    return ()


def identity(session: "IrcSession", message: Message) -> Iterable[Command]:
    """An extension of our own: a secret by which the server knows somebody again. The client has
    made it up, and shows it each time it comes.
    """
    if session.registered:
        session.fail("IDENTITY", "ALREADY_REGISTERED", "It is too late for that, you are in")
    elif not _SECRET.fullmatch(message.params[0]):
        text = "A secret has 16 to 128 letters, digits, - and _"
        session.fail("IDENTITY", "INVALID_SECRET", text)
    else:
        session.secret = message.params[0]
    return ()


def nick(session: "IrcSession", message: Message) -> Iterable[Command]:
    """Before registration."""
    wanted = message.param(0)
    if not wanted:
        session.last_param(ERR_NONICKNAMEGIVEN, "No nickname given")
    elif problem := nick_problem(wanted):
        session.numeric(ERR_ERRONEUSNICKNAME, cut(wanted, 50), problem)
    else:
        session.wanted = wanted
        return enter(session)
    return ()


def user(session: "IrcSession", message: Message) -> Iterable[Command]:
    if session.registered:
        session.numeric(ERR_ALREADYREGISTERED, "You may not reregister")
        return ()
    name, real_name = message.params[0], message.params[3]
    if not name or not real_name:
        # "If it is empty, the server SHOULD reject the command with ERR_NEEDMOREPARAMS".
        session.numeric(ERR_NEEDMOREPARAMS, "USER", "Not enough parameters")
        return ()
    safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_.~"))[:_USER_MAX]
    if not safe:
        session.last_param(ERR_INVALIDUSERNAME, "Your username is not valid")
        return ()
    session.user, session.name = safe, cut(real_name, NAME_MAX)
    return enter(session)


# ── capabilities ───────────────────────────────────────────────────────────────────────────────


def cap(session: "IrcSession", message: Message) -> Iterable[Command]:
    verb = message.param(0)
    reader = _CAP_VERBS.get(verb.upper())
    if reader is None:
        session.numeric(ERR_INVALIDCAPCMD, cut(verb, 50) or "*", "Invalid CAP command")
        return ()
    return reader(session, message.param(1))


def _cap_ls(session: "IrcSession", version: str) -> Iterable[Command]:
    session.negotiating = session.negotiating or not session.registered
    session.cap_version = max(session.cap_version, number(version))
    modern = session.cap_version >= 302
    if modern:  # "If a client … sends 302 … the server MUST … cap-notify … implicitly"
        session.caps |= {"cap-notify"}
    words = [f"{name}={value}" if modern and value else name for name, value in CAPS.items()]
    _cap_lines(session, "LS", words, several=modern)
    return ()


def _cap_list(session: "IrcSession", rest: str) -> Iterable[Command]:
    _cap_lines(session, "LIST", sorted(session.caps), several=session.cap_version >= 302)
    return ()


def _cap_lines(session: "IrcSession", verb: str, words: list[str], *, several: bool) -> None:
    lines = wrapped(words, _CAP_LINE) if several else [" ".join(words)]
    *first, last = lines or [""]
    nick = session.nick or "*"
    for line in first:
        session.send_trailing("CAP", nick, verb, "*", line)
    session.send_trailing("CAP", nick, verb, last)


def _cap_req(session: "IrcSession", wanted: str) -> Iterable[Command]:
    """ "Capability changes MUST be atomic": all of them or none."""
    session.negotiating = session.negotiating or not session.registered
    words = wanted.split()
    added = {word for word in words if not word.startswith("-")}
    removed = {word[1:] for word in words if word.startswith("-")}
    # "cap-notify … clients that … 302 … MUST NOT be able to disable it": then it stays.
    fixed = {"cap-notify"} if session.cap_version >= 302 else set()
    possible = (added | removed) <= CAPS.keys() and not removed & fixed
    if possible:
        session.caps = session.caps - removed | added
    session.send_trailing("CAP", session.nick or "*", "ACK" if possible else "NAK", wanted)
    return ()


def _cap_end(session: "IrcSession", rest: str) -> Iterable[Command]:
    if session.registered:
        return ()
    session.negotiating = False
    return enter(session)


_CAP_VERBS = {"LS": _cap_ls, "LIST": _cap_list, "REQ": _cap_req, "END": _cap_end}
