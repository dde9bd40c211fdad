"""The commands of IRC clients: a row for each in the table at the end."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice, zip_longest
from typing import Any, NamedTuple

from trio_chat.core.commands import (
    Announce,
    BlockAccount,
    Invite,
    Join,
    Kick,
    Kill,
    Leave,
    Operate,
    Quit,
    Reload,
    RenameRoom,
    SetAway,
    SetModes,
    SetName,
    SetTopic,
    SetUserModes,
    UnblockAccount,
)
from trio_chat.core.events import Change
from trio_chat.core.letters import cut
from trio_chat.core.modes import ARGUED, KEYED, LISTS, ROOM_MODES, USER_MODES
from trio_chat.core.names import distinct, fold, nick_problem
from trio_chat.core.queries import (
    Count,
    FindNicks,
    FindPast,
    FindPeople,
    ListMembers,
    ListRooms,
    ShowInvitations,
    ShowMasks,
    ShowMetadata,
    ShowModes,
    ShowTopic,
)
from trio_chat.core.refusals import Code
from trio_chat.core.views import Metadata, Refused
from trio_chat.protocols import invitation
from trio_chat.protocols.audit import OF_AUDIT
from trio_chat.protocols.irc import (
    batches,
    history,
    messages,
    metadata,
    moderation,
    monitor,
    redaction,
    replies,
    services,
)
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.info import (
    IDENTITY,
    METADATA,
    NO_ROOMS,
    OTHERWISE_TAG,
    REDACTION,
    REMEMBERED_TAG,
    TARGETS_MAX,
)
from trio_chat.protocols.irc.message import Message, number
from trio_chat.protocols.irc.multiline import MULTILINE
from trio_chat.protocols.irc.registration import Registration
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

_CHANGES_MAX = 20  # in one MODE

Asks = Iterable[Ask]


@dataclass(slots=True)
class Parts:
    """The parts of a session that read its lines."""

    out: ReplyBuffer
    registration: Registration
    collector: batches.Collector


def dispatch(parts: Parts, message: Message) -> Asks:
    """Read a line: the commands that it asks for, empty if there are none.

    ``message`` is a parsed line, which must have begun in ``parts.out``. Faults are told there: an
    unknown command (421), one that needs registration (451) or more parameters (461), and whatever
    the command's own row finds. Never raises for what a client may send.
    """
    out, peer = parts.out, parts.out.peer
    if peer.registered and MULTILINE in peer.caps:
        if batches.is_part(message):
            lines = messages.say_lines(out, parts.collector, message)
            return messages.unless_confidential(out, lines)
        parts.collector.interrupt(message)
    if message.command in ("WEBIRC", "PROXY") and not peer.registered:
        return [Ask(Quit("This server accepts no gateways."))]  # no reply that shows its password
    verb = VERBS.get(message.command)
    if verb is None or (verb.cap and verb.cap not in peer.caps):
        if peer.registered or message.command not in ("", "PONG"):
            out.error(n.ERR_UNKNOWNCOMMAND, cut(message.command, 50), "Unknown command")
        return ()
    if not (peer.registered or verb.early or verb.registers):
        out.error(n.ERR_NOTREGISTERED, "You have not registered")
        return ()
    if len(message.params) < verb.needed:
        out.error(n.ERR_NEEDMOREPARAMS, message.command, "Not enough parameters")
        return ()
    asks = verb.read(parts.registration if verb.registers else out, message)
    return messages.unless_confidential(out, asks)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def _join(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    """Read JOIN: each room with the key in the same place.

    A room that is named twice is entered with the first key: a line is one guess. "JOIN 0" would
    leave all rooms, which nobody wants by accident: it does nothing.
    """
    again = REMEMBERED_TAG in message.tags and NO_ROOMS not in out.peer.caps
    otherwise = OTHERWISE_TAG in message.tags
    joins: dict[str, Join] = {}
    rooms, keys = message.params[0].split(","), message.param(1).split(",")
    for room, key in zip_longest(rooms, keys[: len(rooms)], fillvalue=""):
        joins.setdefault(fold(room), Join(room, key, again=again, otherwise=otherwise))
    if otherwise:
        out.peer.begun_in = next(iter(joins))
    elif out.peer.begun_in in joins:
        out.peer.begun_in = ""
    yield from map(Ask, joins.values())


def _part(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    for room in distinct(message.params[0].split(",")):
        yield Ask(Leave(room, message.param(1)))


def _is_list(out: ReplyBuffer, verb: str, room: str) -> bool:
    """Whether several rooms are named where one is meant; if so, that is told."""
    if "," not in room or not room.startswith("#"):
        return False
    out.error(n.ERR_NOSUCHCHANNEL, cut(room, 50), f"{verb} takes one room at a time")
    return True


def _topic(out: ReplyBuffer, message: Message) -> Asks:
    room = message.params[0]
    if _is_list(out, "TOPIC", room):
        return ()
    if len(message.params) > 1:
        return [Ask(SetTopic(room, message.params[1]))]
    return [Ask(ShowTopic(room), partial(replies.topic, out))]


def _names(out: ReplyBuffer, message: Message) -> Asks:
    """Read NAMES: the members of some rooms; of none, if none is named."""
    rooms = messages.each_target(out, message.params[0]) if message.params else ()
    if not rooms:
        out.last_param(n.RPL_ENDOFNAMES, "*", "End of /NAMES list")
        return ()
    told = replies.names(out, rooms)
    return [Ask(ListMembers(room), *told) for room in rooms]


def _list(out: ReplyBuffer, message: Message) -> Asks:
    conditions = [word for param in message.params[:1] for word in param.split(",") if word]
    rooms = tuple(word for word in conditions if word.startswith("#") and not {*word} & {*"*?"})
    others = [replies.condition(word) for word in conditions if word not in rooms]
    out.numeric(n.RPL_LISTSTART, "Channel", "Users  Name")
    return [Ask(ListRooms(rooms), partial(replies.rooms, out, others))]


def _rename_room(out: ReplyBuffer, message: Message) -> Asks:
    """Read RENAME (ircv3.net, "channel-rename")."""
    room, to = message.params[:2]

    def refused(refused: Refused) -> None:
        if code := _RENAME_CODES.get(refused.code):
            out.fail("RENAME", code, room, to, refused.why)
        else:
            out.refuse(refused)

    return [Ask(RenameRoom(room, to, message.param(2)), on_refused=refused)]


_RENAME_CODES = {
    Code.ROOM_NAME_TAKEN: "CHANNEL_NAME_IN_USE",
    Code.CANNOT_RENAME_ROOM: "CANNOT_RENAME",
}


def _kick(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    """Read KICK. "There MUST be either one channel parameter and multiple user parameter, or as
    many channel parameters as there are user parameters" (RFC 2812, 3.2.8).
    """
    rooms, nicks = (param.split(",") for param in message.params[:2])
    if len(rooms) == 1:
        rooms *= len(nicks)
    if len(rooms) != len(nicks):
        out.error(n.ERR_NEEDMOREPARAMS, "KICK", "As many rooms as nicknames, or one room")
        return
    kicks: dict[tuple[str, str], Kick] = {}
    for room, nick in zip(rooms, nicks, strict=True):
        if nick:
            kicks.setdefault((fold(room), fold(nick)), Kick(room, nick, message.param(2)))
    if len(kicks) > TARGETS_MAX:
        messages.too_many_targets(out, [*kicks.values()][TARGETS_MAX].nick)
    yield from map(Ask, islice(kicks.values(), TARGETS_MAX))


def _invite(out: ReplyBuffer, message: Message) -> Asks:
    """Read INVITE; without parameters it asks for one's invitations."""
    if not message.params:
        return [Ask(ShowInvitations(), partial(replies.invitations, out))]
    if len(message.params) < 2:
        out.numeric(n.ERR_NEEDMOREPARAMS, "INVITE", "Not enough parameters")
        return ()
    if _is_list(out, "INVITE", message.params[1]):
        return ()
    return [Ask(Invite(message.params[1], message.params[0]))]


def _invitation(out: ReplyBuffer, message: Message) -> Asks:
    """Read INVITATION, an extension of our own: one to the chat, and not to a room."""
    said = " ".join(message.params)
    if (request := invitation.read_request(said)) is None:
        out.fail("INVITATION", "INVALID_PARAMS", invitation.usage(said, "INVITATION"))
        return ()
    return [Ask(request)]


def _mode(out: ReplyBuffer, message: Message) -> Asks:
    target = message.params[0]
    if _is_list(out, "MODE", target):
        return ()
    read = _room_mode if target.startswith("#") else _user_mode
    return read(out, target, message.params[1:])


def _room_mode(out: ReplyBuffer, room: str, params: Sequence[str]) -> Iterator[Ask]:
    if not params:
        yield Ask(ShowModes(room), partial(replies.room_modes, out))
        return
    changes = []
    said = set()  # modes of which one reply is enough
    for change, complete in _changes(params[0], list(params[1:])):
        if change.mode not in ROOM_MODES:
            if change.mode not in said:
                out.numeric(n.ERR_UNKNOWNMODE, change.mode, "is unknown mode char to me")
            said.add(change.mode)
        elif change.mode in LISTS and not change.argument:
            if change.mode not in said:
                yield Ask(ShowMasks(room, change.mode), partial(replies.masks, out))
            said.add(change.mode)
        elif complete or (change.mode in KEYED and not change.add):  # there is only one key
            changes.append(change)
        else:
            out.numeric(n.ERR_NEEDMOREPARAMS, "MODE", "Not enough parameters")
    if changes:
        yield Ask(SetModes(room, tuple(changes[:_CHANGES_MAX])))


def _user_mode(out: ReplyBuffer, nick: str, params: Sequence[str]) -> Iterator[Ask]:
    if fold(nick) != fold(out.peer.nick):
        if nick_problem(nick):
            out.numeric(n.ERR_NOSUCHNICK, cut(nick, 50), "No such nick")
        else:
            yield Ask(FindNicks((nick,)), partial(replies.nobodys_modes, out, nick))
        return
    if not params:
        out.numeric(n.RPL_UMODEIS, f"+{out.peer.modes}")
        return
    changes = [change for change, _ in _changes(params[0], [])]
    if any(change.mode not in USER_MODES for change in changes):
        out.last_param(n.ERR_UMODEUNKNOWNFLAG, "Unknown MODE flag")
    if known := tuple(change for change in changes if change.mode in USER_MODES):
        yield Ask(SetUserModes(known))


def _changes(letters: str, arguments: list[str]) -> Iterator[tuple[Change, bool]]:
    """Read ``+ov-k`` and its arguments: each change, and whether it is complete."""
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


def _who(out: ReplyBuffer, message: Message) -> Asks:
    mask = message.params[0] if message.params else "*"
    fields = message.param(1)
    return [Ask(FindPeople(mask if mask != "0" else "*"), partial(replies.who, out, mask, fields))]


def _whois(out: ReplyBuffer, message: Message) -> Asks:
    """Read WHOIS. "WHOIS server nick" asks the person's own server, which is this one."""
    if not message.params or not message.params[-1]:
        out.last_param(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        return ()
    nick = message.params[1 if len(message.params) > 1 else 0].split(",")[0]
    server = message.params[0] if len(message.params) > 1 else ""
    if server and fold(server) not in (fold(out.info.name), fold(nick)):
        out.numeric(n.ERR_NOSUCHSERVER, cut(server, 50), "No such server")
        return ()
    find = FindNicks((nick,), rooms=True)
    if METADATA not in out.peer.caps:
        return [Ask(find, partial(replies.whois, out, nick))]
    described: list[Metadata] = []
    whois = partial(replies.whois, out, nick, described=described)
    return [Ask(ShowMetadata(nick=nick), described.append, lambda _: None), Ask(find, whois)]


def _whowas(out: ReplyBuffer, message: Message) -> Asks:
    """Read WHOWAS. "If a non-positive number is passed …, then a full search is done"."""
    if not message.param(0):
        out.last_param(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        return ()
    nick = message.params[0].split(",")[0]
    return [Ask(FindPast(nick), partial(replies.whowas, out, nick, number(message.param(1))))]


def _ison(out: ReplyBuffer, message: Message) -> Asks:
    nicks = distinct(nick for param in message.params for nick in param.split())
    return [Ask(FindNicks(tuple(nicks)), partial(replies.ison, out))]


def _userhost(out: ReplyBuffer, message: Message) -> Asks:
    nicks = distinct(nick for param in message.params for nick in param.split())
    return [Ask(FindNicks(tuple(nicks[:5])), partial(replies.userhost, out))]


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def _ping(out: ReplyBuffer, message: Message) -> Asks:
    if not message.param(0):
        out.last_param(n.ERR_NOORIGIN, "No origin specified")
    else:
        out.send_trailing("PONG", out.info.name, message.params[0])
    return ()


def _quit(out: ReplyBuffer, message: Message) -> Asks:
    words = message.param(0)
    return [Ask(Quit(f"Quit: {words}" if words else "Quit", words))]


def _about(reply: Callable[[ReplyBuffer], None]) -> Callable[[ReplyBuffer, Message], Asks]:
    """Read a query about the server: its parameter must name this server, or oneself."""

    def read(out: ReplyBuffer, message: Message) -> Asks:
        server = message.params[0] if message.params else out.info.name
        names = {fold(out.info.name), fold(out.peer.nick), "*"}
        if fold(server) in names:
            reply(out)
        else:
            out.numeric(n.ERR_NOSUCHSERVER, cut(server, 50), "No such server")
        return ()

    return read


def _links(out: ReplyBuffer, message: Message) -> Asks:
    """Tell that this server is linked with no other: RPL_ENDOFLINKS (365) alone."""
    mask = message.params[-1] if message.params else "*"
    out.numeric(n.RPL_ENDOFLINKS, cut(mask, 50), "End of LINKS list")
    return ()


def _help(out: ReplyBuffer, message: Message) -> Asks:
    replies.help_on(out, message.param(0), VERBS)
    return ()


def _rehash(out: ReplyBuffer, message: Message) -> Asks:
    if "o" in out.peer.modes:
        out.numeric(n.RPL_REHASHING, "settings", "Rehashing")
    return [Ask(Reload())]


class Verb(NamedTuple):
    """A row: how a command is read, and the least it takes.

    ``read`` takes the reply buffer and the line; or, if it ``registers``, the registration.
    ``arguments`` are for HELP. ``needed`` is the number of parameters without which it is refused;
    an ``early`` one, too, may come before registration; without the capability ``cap`` there is no
    such command.
    """

    read: Callable[[Any, Message], Asks]
    arguments: str = ""
    needed: int = 0
    early: bool = False
    cap: str = ""
    registers: bool = False


def _nickserv(out: ReplyBuffer, message: Message) -> Asks:
    return services.nickserv(out, " ".join(message.params))


VERBS = {
    "ADMIN": Verb(_about(replies.admin), "[server]"),
    "AUDIT": Verb(moderation.audit, OF_AUDIT[0].lower()),
    "AUTHENTICATE": Verb(
        Registration.authenticate, "mechanism|message|*", 1, cap="sasl", registers=True
    ),
    "AWAY": Verb(lambda out, m: [Ask(SetAway(m.param(0)))], "[text]"),
    "BAN": Verb(moderation.ban(mute=False), moderation.BAN, 2),
    "BANS": Verb(moderation.bans, "room", 1),
    "BLOCK": Verb(lambda out, m: [Ask(BlockAccount(m.params[0]))], "nickname|account", 1),
    "BLOCKS": Verb(moderation.blocks),
    # Where there is this command, ``dispatch`` has read it before.
    "BATCH": Verb(lambda out, m: (), "+reference type target|-reference", 1, cap=MULTILINE),
    "CHATHISTORY": Verb(
        history.chathistory,
        "AFTER|AROUND|BEFORE|BETWEEN|LATEST|TARGETS [target] reference... limit",
        cap="draft/chathistory",
    ),
    "CAP": Verb(Registration.cap, "verb [capabilities]", 1, registers=True),
    "DLINE": Verb(moderation.set_line(masks=False), moderation.LINE.format("network"), 1),
    "HELP": Verb(_help, "[subject]"),
    "HELPOP": Verb(_help, "[subject]"),
    "IDENTITY": Verb(Registration.identity, "secret", 1, cap=IDENTITY, registers=True),
    "INFO": Verb(_about(replies.info), "[server]"),
    "INVITATION": Verb(_invitation, invitation.FORMS),
    "INVITE": Verb(_invite, "[nickname room]"),
    "ISON": Verb(_ison, "nickname...", 1),
    "JOIN": Verb(_join, "room,... [key,...]", 1),
    "KICK": Verb(_kick, "room,... nickname,... [why]", 2),
    "KILL": Verb(lambda out, m: [Ask(Kill(*m.params[:2]))], "nickname why", 2),
    "KLINE": Verb(moderation.set_line(masks=True), moderation.LINE.format("mask"), 1),
    "LINKS": Verb(_links, "[mask]"),
    "LIST": Verb(_list, "[room,...|condition,...]"),
    "LOCK": Verb(moderation.lock, "[time|FOREVER|OFF] [why]"),
    "LUSERS": Verb(lambda out, m: [Ask(Count(), partial(replies.counts, out))]),
    "MARKREAD": Verb(history.markread, "target [timestamp=...]", cap="draft/read-marker"),
    "MENTIONS": Verb(history.mentions, "[number]"),
    "METADATA": Verb(
        metadata.metadata,
        "target|* GET|LIST|SET|CLEAR|SUB|UNSUB|SUBS|SYNC [key...|key value]",
        2,
        early=True,
        cap=METADATA,
    ),
    "MODE": Verb(_mode, "room|nickname [modes [argument...]]", 1),
    "MONITOR": Verb(monitor.monitor, "+|-|C|L|S [nickname,...]", 1),
    "MOTD": Verb(_about(replies.motd), "[server]"),
    "MUTE": Verb(moderation.ban(mute=True), moderation.BAN, 2),
    "NAMES": Verb(_names, "room,..."),
    "NICK": Verb(Registration.nick, "nickname", registers=True),
    "NICKSERV": Verb(_nickserv, services.WORDS),
    "NS": Verb(_nickserv, services.WORDS),
    "NOTICE": Verb(messages.say, "target,... text"),
    "OPER": Verb(lambda out, m: [Ask(Operate(*m.params[:2]))], "name password", 2),
    "PART": Verb(_part, "room,... [why]", 1),
    "PASS": Verb(Registration.password, "password", 1, registers=True),
    "PING": Verb(_ping, "token", early=True),
    "PONG": Verb(lambda out, m: (), "token", early=True),
    "PRIVMSG": Verb(messages.say, "target,... text"),
    "QUIT": Verb(_quit, "[why]", early=True),
    "REDACT": Verb(redaction.redact, "target msgid [why]", 2, cap=REDACTION),
    "REGISTER": Verb(Registration.register, "account|* email|* password", 3, registers=True),
    "REHASH": Verb(_rehash),
    "REMOVE": Verb(moderation.remove, moderation.REMOVE, 2),
    "RENAME": Verb(_rename_room, "room name [why]", 2),
    "REPORT": Verb(moderation.report, moderation.REPORT, 2),
    "REPORTS": Verb(moderation.reports, "[number]"),
    "SEARCH": Verb(
        history.search,
        "text=...;in=...;from=...;after=...;before=...;limit=...",
        cap="soju.im/search",
    ),
    "SETNAME": Verb(lambda out, m: [Ask(SetName(m.params[0]))], "name", 1),
    "STATS": Verb(moderation.stats, "k|d"),
    "TAGMSG": Verb(messages.tagmsg, "target,...", cap="message-tags"),
    "TIME": Verb(_about(replies.time), "[server]"),
    "TOPIC": Verb(_topic, "room [text]", 1),
    "UBAN": Verb(moderation.uban, moderation.UBAN),
    "UNBLOCK": Verb(lambda out, m: [Ask(UnblockAccount(m.params[0]))], "nickname|account", 1),
    "UNBAN": Verb(moderation.unban, "room nickname|mask|number", 2),
    "UNDLINE": Verb(moderation.lift_line(masks=False), "network|number", 1),
    "UNKLINE": Verb(moderation.lift_line(masks=True), "mask|number", 1),
    "USER": Verb(Registration.user, "user 0 * name", 4, registers=True),
    "USERHOST": Verb(_userhost, "nickname...", 1),
    "VERSION": Verb(_about(replies.version), "[server]"),
    "WALLOPS": Verb(lambda out, m: [Ask(Announce(m.params[0]))], "text", 1),
    "WHO": Verb(_who, "[mask [%fields]]"),
    "WHOIS": Verb(_whois, "[server] nickname"),
    "WHOWAS": Verb(_whowas, "nickname [count]"),
    "WHY": Verb(moderation.why, "[room]"),
}
