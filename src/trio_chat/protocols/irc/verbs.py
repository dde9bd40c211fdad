"""What each command of a client asks for: a row each in the table at the end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, zip_longest
from typing import TYPE_CHECKING, NamedTuple

from trio_chat.core.commands import (
    Announce,
    Command,
    Count,
    FindNicks,
    FindPast,
    FindPeople,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    ListMembers,
    ListRooms,
    Operate,
    Quit,
    Reload,
    Rename,
    SetAway,
    SetModes,
    SetName,
    SetTopic,
    SetUserModes,
    ShowInvitations,
    ShowMasks,
    ShowModes,
    ShowTopic,
)
from trio_chat.core.events import Change
from trio_chat.core.letters import cut
from trio_chat.core.modes import ARGUED, KEYED, LISTS, ROOM_MODES, USER_MODES
from trio_chat.core.names import distinct, fold, nick_problem
from trio_chat.protocols.irc import batches, history, monitor, registration, replies, talk
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.info import TARGETS_MAX
from trio_chat.protocols.irc.message import Message, number
from trio_chat.protocols.irc.multiline import MULTILINE

if TYPE_CHECKING:
    from trio_chat.protocols.irc.session import IrcSession

_CHANGES_MAX = 20  # of one MODE

Commands = Iterable[Command]


def dispatch(session: "IrcSession", message: Message) -> Commands:
    if session.registered and MULTILINE in session.caps:
        if batches.is_part(message):
            return talk.say_lines(session, message)
        batches.interrupt(session, message)
    if message.command in ("WEBIRC", "PROXY") and not session.registered:
        return [Quit("This server has no gateways.")]  # whose password nobody is to be shown
    verb = VERBS.get(message.command)
    if verb is None or (verb.cap and verb.cap not in session.caps):
        if session.registered or message.command not in ("", "PONG"):
            session.numeric(n.ERR_UNKNOWNCOMMAND, cut(message.command, 50), "Unknown command")
            session.refusals += 1
        return ()
    if not (session.registered or verb.early):
        session.last_param(n.ERR_NOTREGISTERED, "You have not registered")
        session.refusals += 1
        return ()
    if len(message.params) < verb.needed:
        session.numeric(n.ERR_NEEDMOREPARAMS, message.command, "Not enough parameters")
        session.refusals += 1
        return ()
    return verb.read(session, message)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def _join(session: "IrcSession", message: Message) -> Iterator[Command]:
    """Each room with the key in the same place. One that is named twice is entered with the first:
    a line is one guess at its key. "JOIN 0" leaves all rooms, which nobody wants to happen by
    accident: it does nothing.
    """
    joins: dict[str, Join] = {}
    rooms, keys = message.params[0].split(","), message.param(1).split(",")
    for room, key in zip_longest(rooms, keys[: len(rooms)], fillvalue=""):
        joins.setdefault(fold(room), Join(room, key))
    yield from joins.values()


def _part(session: "IrcSession", message: Message) -> Iterator[Command]:
    why = message.param(1)
    for room in distinct(message.params[0].split(",")):
        yield Leave(room, why)


def _is_list(session: "IrcSession", verb: str, room: str) -> bool:
    """Whether several rooms are named where one is meant; that is told."""
    if "," not in room or not room.startswith("#"):
        return False
    session.numeric(n.ERR_NOSUCHCHANNEL, cut(room, 50), f"{verb} is for one room at a time")
    session.refusals += 1
    return True


def _topic(session: "IrcSession", message: Message) -> Commands:
    room = message.params[0]
    if _is_list(session, "TOPIC", room):
        return ()
    if len(message.params) > 1:
        return [SetTopic(room, message.params[1])]
    session.answered = replies.topic(session)
    return [ShowTopic(room)]


def _names(session: "IrcSession", message: Message) -> Commands:
    """Of some rooms; of none, if none is named."""
    rooms = talk.each_target(session, message.params[0]) if message.params else ()
    if not rooms:
        session.last_param(n.RPL_ENDOFNAMES, "*", "End of /NAMES list")
        return ()
    session.answered, session.otherwise = replies.names(session, rooms)
    return [ListMembers(room) for room in rooms]


def _list(session: "IrcSession", message: Message) -> Commands:
    conditions = [word for param in message.params[:1] for word in param.split(",") if word]
    rooms = tuple(word for word in conditions if word.startswith("#") and not {*word} & {*"*?"})
    others = [word for word in conditions if word not in rooms]
    session.answered = replies.rooms(session, others)
    return [ListRooms(rooms)]


def _kick(session: "IrcSession", message: Message) -> Iterator[Command]:
    """ "There MUST be either one channel parameter and multiple user parameter, or as many channel
    parameters as there are user parameters" (RFC 2812, 3.2.8).
    """
    rooms, nicks = (param.split(",") for param in message.params[:2])
    if len(rooms) == 1:
        rooms *= len(nicks)
    if len(rooms) != len(nicks):
        session.numeric(n.ERR_NEEDMOREPARAMS, "KICK", "As many rooms as nicknames, or one room")
        session.refusals += 1
        return
    kicks: dict[tuple[str, str], Kick] = {}
    for room, nick in zip(rooms, nicks, strict=True):
        if nick:
            kicks.setdefault((fold(room), fold(nick)), Kick(room, nick, message.param(2)))
    if len(kicks) > TARGETS_MAX:
        talk.too_many_targets(session, [*kicks.values()][TARGETS_MAX].nick)
    yield from islice(kicks.values(), TARGETS_MAX)


def _invite(session: "IrcSession", message: Message) -> Commands:
    """Without parameters: which invitations there are."""
    if not message.params:
        session.answered = replies.invitations(session)
        return [ShowInvitations()]
    if len(message.params) < 2:
        session.numeric(n.ERR_NEEDMOREPARAMS, "INVITE", "Not enough parameters")
        return ()
    if _is_list(session, "INVITE", message.params[1]):
        return ()
    return [Invite(message.params[1], message.params[0])]


def _mode(session: "IrcSession", message: Message) -> Commands:
    target = message.params[0]
    if _is_list(session, "MODE", target):
        return ()
    read = _room_mode if target.startswith("#") else _user_mode
    return read(session, target, message.params[1:])


def _room_mode(session: "IrcSession", room: str, params: Sequence[str]) -> Iterator[Command]:
    if not params:
        session.answered = replies.room_modes(session)
        yield ShowModes(room)
        return
    changes = []
    said = set()  # what is no change is meant once
    for change, complete in _changes(params[0], list(params[1:])):
        if change.mode not in ROOM_MODES:
            if change.mode not in said:
                session.numeric(n.ERR_UNKNOWNMODE, change.mode, "is unknown mode char to me")
            said.add(change.mode)
        elif change.mode in LISTS and not change.argument:
            if change.mode not in said:
                session.answered = replies.masks(session)
                yield ShowMasks(room, change.mode)
            said.add(change.mode)
        elif complete or (change.mode in KEYED and not change.add):  # there is but one key
            changes.append(change)
        else:
            session.numeric(n.ERR_NEEDMOREPARAMS, "MODE", "Not enough parameters")
    if changes:
        yield SetModes(room, tuple(changes[:_CHANGES_MAX]))


def _user_mode(session: "IrcSession", nick: str, params: Sequence[str]) -> Iterator[Command]:
    if fold(nick) != fold(session.nick):
        if nick_problem(nick):
            session.numeric(n.ERR_NOSUCHNICK, cut(nick, 50), "No such nick")
        else:
            session.answered = replies.nobodys_modes(session, nick)
            yield FindNicks((nick,))
        return
    if not params:
        session.numeric(n.RPL_UMODEIS, f"+{session.modes}")
        return
    changes = [change for change, _ in _changes(params[0], [])]
    if any(change.mode not in USER_MODES for change in changes):
        session.last_param(n.ERR_UMODEUNKNOWNFLAG, "Unknown MODE flag")
    if known := tuple(change for change in changes if change.mode in USER_MODES):
        yield SetUserModes(known)


def _changes(letters: str, arguments: list[str]) -> Iterator[tuple[Change, bool]]:
    """``+ov-k`` and the arguments that follow, one for each mode that has one; and with each
    whether its argument was there.
    """
    add = True
    for letter in letters:
        if letter in "+-":
            add = letter == "+"
        else:
            complete = letter not in ARGUED[add] or bool(arguments)
            argument = arguments.pop(0) if letter in ARGUED[add] and arguments else ""
            if letter in LISTS:
                argument = argument.partition(" ")[0].lstrip(":")
            yield Change(add, letter, argument), complete


# ── people ─────────────────────────────────────────────────────────────────────────────────────


def _nick(session: "IrcSession", message: Message) -> Commands:
    if not session.registered:
        return registration.nick(session, message)
    if not message.param(0):
        session.last_param(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        return ()
    return [Rename(message.params[0])]


def _away(session: "IrcSession", message: Message) -> Commands:
    return [SetAway(message.param(0))]


def _setname(session: "IrcSession", message: Message) -> Commands:
    return [SetName(message.params[0])]


def _who(session: "IrcSession", message: Message) -> Commands:
    mask = message.params[0] if message.params else "*"
    fields = message.param(1)
    session.answered = replies.who(session, mask, fields)
    return [FindPeople(mask if mask != "0" else "*")]


def _whois(session: "IrcSession", message: Message) -> Commands:
    """ "WHOIS server nick" asks the person's own server, which is this one."""
    if not message.params or not message.params[-1]:
        session.last_param(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        return ()
    nick = message.params[1 if len(message.params) > 1 else 0].split(",")[0]
    server = message.params[0] if len(message.params) > 1 else ""
    if server and fold(server) not in (fold(session.info.name), fold(nick)):
        session.numeric(n.ERR_NOSUCHSERVER, cut(server, 50), "No such server")
        return ()
    session.answered = replies.whois(session, nick)
    return [FindNicks((nick,))]


def _whowas(session: "IrcSession", message: Message) -> Commands:
    """ "If a non-positive number is passed …, then a full search is done"."""
    if not message.param(0):
        session.last_param(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        return ()
    nick = message.params[0].split(",")[0]
    session.answered = replies.whowas(session, nick, number(message.param(1)))
    return [FindPast(nick)]


def _ison(session: "IrcSession", message: Message) -> Commands:
    nicks = distinct(nick for param in message.params for nick in param.split())
    session.answered = replies.ison(session)
    return [FindNicks(tuple(nicks))]


def _userhost(session: "IrcSession", message: Message) -> Commands:
    session.answered = replies.userhost(session)
    nicks = distinct(nick for param in message.params for nick in param.split())
    return [FindNicks(tuple(nicks[:5]))]


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def _ping(session: "IrcSession", message: Message) -> Commands:
    if not message.param(0):
        session.last_param(n.ERR_NOORIGIN, "No origin specified")
    else:
        session.send_trailing("PONG", session.info.name, message.params[0])
    return ()


def _nothing(session: "IrcSession", message: Message) -> Commands:
    return ()


def _quit(session: "IrcSession", message: Message) -> Commands:
    words = message.param(0)
    return [Quit(f"Quit: {words}" if words else "Quit", words)]


def _lusers(session: "IrcSession", message: Message) -> Commands:
    session.answered = replies.counts(session)
    return [Count()]


def _about(reply: Callable[["IrcSession"], None]) -> Callable[["IrcSession", Message], Commands]:
    """Answers that need nobody else. A parameter names a server, and must be this one or one of
    its people (who are all on it).
    """

    def read(session: "IrcSession", message: Message) -> Commands:
        server = message.params[0] if message.params else session.info.name
        names = {fold(session.info.name), fold(session.nick), "*"}
        if fold(server) in names:
            reply(session)
        else:
            session.numeric(n.ERR_NOSUCHSERVER, cut(server, 50), "No such server")
        return ()

    return read


def _help(session: "IrcSession", message: Message) -> Commands:
    replies.help_on(session, message.param(0), VERBS)
    return ()


def _oper(session: "IrcSession", message: Message) -> Commands:
    return [Operate(message.params[0], message.params[1])]


def _kill(session: "IrcSession", message: Message) -> Commands:
    return [Kill(message.params[0], message.param(1))]


def _rehash(session: "IrcSession", message: Message) -> Commands:
    if "o" in session.modes:
        session.numeric(n.RPL_REHASHING, "settings", "Rehashing")
    return [Reload()]


def _wallops(session: "IrcSession", message: Message) -> Commands:
    return [Announce(message.params[0])]


class Verb(NamedTuple):
    """``needed`` parameters; ``early`` if it may come before registration; ``cap`` is a capability
    without which there is no such command.
    """

    read: Callable[["IrcSession", Message], Commands]
    arguments: str = ""
    needed: int = 0
    early: bool = False
    cap: str = ""


VERBS = {
    "ADMIN": Verb(_about(replies.admin), "[server]"),
    "AWAY": Verb(_away, "[text]"),
    "BATCH": Verb(talk.say_lines, "+reference type target|-reference", 1, cap=MULTILINE),
    "CHATHISTORY": Verb(
        history.chathistory,
        "AFTER|AROUND|BEFORE|BETWEEN|LATEST|TARGETS [target] reference... limit",
        cap="draft/chathistory",
    ),
    "CAP": Verb(registration.cap, "verb [capabilities]", 1, early=True),
    "HELP": Verb(_help, "[subject]"),
    "HELPOP": Verb(_help, "[subject]"),
    "IDENTITY": Verb(registration.identity, "secret", 1, early=True, cap="trio-chat/identity"),
    "INFO": Verb(_about(replies.info), "[server]"),
    "INVITE": Verb(_invite, "[nickname room]"),
    "ISON": Verb(_ison, "nickname...", 1),
    "JOIN": Verb(_join, "room,... [key,...]", 1),
    "KICK": Verb(_kick, "room,... nickname,... [why]", 2),
    "KILL": Verb(_kill, "nickname why", 2),
    "LIST": Verb(_list, "[room,...|condition,...]"),
    "LUSERS": Verb(_lusers),
    "MARKREAD": Verb(history.markread, "target [timestamp=...]", cap="draft/read-marker"),
    "MODE": Verb(_mode, "room|nickname [modes [argument...]]", 1),
    "MONITOR": Verb(monitor.monitor, "+|-|C|L|S [nickname,...]", 1),
    "MOTD": Verb(_about(replies.motd), "[server]"),
    "NAMES": Verb(_names, "room,..."),
    "NICK": Verb(_nick, "nickname", early=True),
    "NOTICE": Verb(talk.say, "target,... text"),
    "OPER": Verb(_oper, "name password", 2),
    "PART": Verb(_part, "room,... [why]", 1),
    "PASS": Verb(registration.password, "password", 1, early=True),
    "PING": Verb(_ping, "token", early=True),
    "PONG": Verb(_nothing, "token", early=True),
    "PRIVMSG": Verb(talk.say, "target,... text"),
    "QUIT": Verb(_quit, "[why]", early=True),
    "REHASH": Verb(_rehash),
    "SEARCH": Verb(
        history.search,
        "text=...;in=...;from=...;after=...;before=...;limit=...",
        cap="soju.im/search",
    ),
    "SETNAME": Verb(_setname, "name", 1),
    "TAGMSG": Verb(talk.tagmsg, "target,...", cap="message-tags"),
    "TIME": Verb(_about(replies.time), "[server]"),
    "TOPIC": Verb(_topic, "room [text]", 1),
    "USER": Verb(registration.user, "user 0 * name", 4, early=True),
    "USERHOST": Verb(_userhost, "nickname...", 1),
    "VERSION": Verb(_about(replies.version), "[server]"),
    "WALLOPS": Verb(_wallops, "text", 1),
    "WHO": Verb(_who, "[mask [%fields]]"),
    "WHOIS": Verb(_whois, "[server] nickname"),
    "WHOWAS": Verb(_whowas, "nickname [count]"),
}
