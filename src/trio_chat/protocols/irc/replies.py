"""The replies to queries, as numerics (modern.ircdocs.horse, "Numerics").

Each takes the buffer and what was asked for, and last the answer.
"""

import datetime
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trio_chat.core.letters import cut
from trio_chat.core.masks import address, pattern
from trio_chat.core.modes import ACCOUNT, MUTE
from trio_chat.core.names import fold
from trio_chat.core.room_state import Mask
from trio_chat.core.views import (
    Bans,
    Counts,
    Invitations,
    Masks,
    Members,
    Metadata,
    Modes,
    People,
    Refused,
    Rooms,
    RoomView,
    Topic,
    UserView,
)
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.fitting import wrapped
from trio_chat.protocols.irc.info import IDENTITY
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.plain.wording import device

_ROOM_LEFT = 300  # bytes of a line for a list of words: the rest is for what stands before it


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def topic(out: ReplyBuffer, topic: Topic) -> None:
    """Tell a topic: RPL_TOPIC (332) and RPL_TOPICWHOTIME (333), or RPL_NOTOPIC (331)."""
    if not topic.text:
        out.last_param(n.RPL_NOTOPIC, topic.room, "No topic is set")
        return
    by, at = topic.by or out.info.name, str(topic.at // 1000)
    out.last_param(n.RPL_TOPIC, topic.room, topic.text)
    out.numeric(n.RPL_TOPICWHOTIME, topic.room, by, at)


def names(
    out: ReplyBuffer, asked: Sequence[str]
) -> tuple[Callable[[Members], None], Callable[[Refused], None]]:
    """Tell the members of rooms: RPL_NAMREPLY (353), and one RPL_ENDOFNAMES (366) for all.

    Returns what to call with a room's members, and what to call if there are none to tell. The end
    is told after the last of these calls.
    """
    left = len(asked)

    def told(_: Refused | None = None) -> None:
        nonlocal left
        left -= 1
        if not left:
            out.last_param(n.RPL_ENDOFNAMES, cut(",".join(asked), 200), "End of /NAMES list")

    def answered(members: Members) -> None:
        if members.more:
            return
        out.lines(out.peer.dialect.names(out.peer.nick, members))
        told()

    return answered, told


def invitations(out: ReplyBuffer, invitations: Invitations) -> None:
    """Tell the rooms one is invited to: RPL_INVITELIST (336) and RPL_ENDOFINVITELIST (337)."""
    for room in invitations.rooms:
        out.numeric(n.RPL_INVITELIST, room)
    out.last_param(n.RPL_ENDOFINVITELIST, "End of /INVITE list")


#: Whether a room fulfils something, at a moment in minutes of unix time.
Condition = Callable[[RoomView, float], bool]


def rooms(out: ReplyBuffer, conditions: Sequence[Condition], rooms: Rooms) -> None:
    """Tell rooms: RPL_LIST (322) for each, and at the end RPL_LISTEND (323)."""
    now = out.clock() / 60
    for room in rooms.rooms:
        if all(fulfilled(room, now) for fulfilled in conditions):
            out.last_param(n.RPL_LIST, room.name, str(room.members), room.topic)
    if rooms.more:
        out.go_on()
    else:
        out.last_param(n.RPL_LISTEND, "End of /LIST")


def condition(text: str) -> Condition:
    """Read a condition of LIST: a mask, or a bound of users or minutes.

    Those are the "elistcond" of ISUPPORT's ELIST.
    """
    kind, sign, number = text[:1].upper(), text[1:2], text[2:]
    if text[:1] in ("<", ">"):
        kind, sign, number = "U", text[:1], text[1:]
    if kind in _BOUNDED and sign in ("<", ">") and number.isascii() and number.isdigit():
        value, bound = _BOUNDED[kind], int(number)
        if sign == "<":
            return lambda room, now: value(room, now) < bound
        return lambda room, now: value(room, now) > bound
    mask, inverted = pattern(text.removeprefix("!")), text.startswith("!")
    return lambda room, now: mask.fits(fold(room.name)) != inverted


_BOUNDED: dict[str, Callable[[RoomView, float], float]] = {
    "U": lambda room, now: room.members,
    "C": lambda room, now: now - room.created / 60_000,
    # Without a topic, nothing is true of its age.
    "T": lambda room, now: now - room.topic_at / 60_000 if room.topic_at else math.nan,
}


def room_modes(out: ReplyBuffer, modes: Modes) -> None:
    """Tell a room's modes: RPL_CHANNELMODEIS (324) and RPL_CREATIONTIME (329)."""
    letters = f"+{modes.letters}"
    out.numeric(n.RPL_CHANNELMODEIS, modes.room, letters, *modes.arguments)
    out.numeric(n.RPL_CREATIONTIME, modes.room, str(modes.created // 1000))


_LISTS = {
    "b": (n.RPL_BANLIST, n.RPL_ENDOFBANLIST, "ban"),
    "e": (n.RPL_EXCEPTLIST, n.RPL_ENDOFEXCEPTLIST, "exception"),
    "I": (n.RPL_INVEXLIST, n.RPL_ENDOFINVEXLIST, "invite exception"),
}


def masks(out: ReplyBuffer, masks: Masks) -> None:
    """Tell one of a room's lists: 367 and 368, 348 and 349, or 346 and 347.

    Our own client is also told the number of each entry, its end, the name by which somebody was
    banned, and the reason; and the account of whoever has set it.
    """
    entry, end, name = _LISTS[masks.mode]
    for mask in masks.masks:
        if IDENTITY in out.peer.caps:
            _in_full(out, entry, masks.room, mask)
        else:
            out.numeric(entry, masks.room, mask.mask, mask.by, str(mask.at // 1000))
    out.last_param(end, masks.room, f"End of channel {name} list")


def _in_full(out: ReplyBuffer, entry: str, room: str, mask: Mask) -> None:
    moments = (str(mask.at // 1000), str(mask.number), str(mask.until // 1000))
    by = f"{mask.by}!{mask.account}" if mask.account else mask.by
    out.last_param(entry, room, mask.mask, by, *moments, mask.whom or "*", mask.why)


def bans(out: ReplyBuffer, bans: Bans) -> None:
    """Tell our own client the bans of the server as those of a room, which has no name: ``*``."""
    for ban in bans.bans:
        whom = f"{ACCOUNT}{ban.value}" if ban.kind == "account" else ban.value
        whom = f"{MUTE}{whom}" if ban.mute else whom
        mask = Mask(whom, ban.by, ban.at, ban.number, ban.until, ban.why, ban.whom, ban.account)
        _in_full(out, n.RPL_BANLIST, "*", mask)
    if not bans.more:
        out.last_param(n.RPL_ENDOFBANLIST, "*", "End of server ban list")


# ── people ─────────────────────────────────────────────────────────────────────────────────────


def nobodys_modes(out: ReplyBuffer, nick: str, people: People) -> None:
    """Refuse another user's modes: ERR_USERSDONTMATCH (502), or ERR_NOSUCHNICK (401)."""
    if people.people:
        text = "Can't change or view modes for other users"
        out.last_param(n.ERR_USERSDONTMATCH, text)
    else:
        out.numeric(n.ERR_NOSUCHNICK, nick, "No such nick")


def who(out: ReplyBuffer, mask: str, options: str, people: People) -> None:
    """Tell people: RPL_WHOREPLY (352), or RPL_WHOSPCRPL (354) for WHOX; and RPL_ENDOFWHO (315).

    ``options`` are ``o`` for operators only, then after ``%`` the fields of WHOX and a token.
    """
    options, percent, fields = options.partition("%")
    fields, _, token = fields.partition(",")
    asked = [field for field in _WHOX if percent and field in fields]
    tell = out.last_param if "r" in asked else out.numeric
    for seen in people.people:
        if "o" in options and "o" not in seen.modes:
            continue
        if asked:
            values = _who_fields(out, seen, token)
            tell(n.RPL_WHOSPCRPL, *(values[field] for field in asked))
        else:
            room, flags = _where_and_how(out, seen)
            user, host, server = seen.origin.user, seen.origin.host, out.info.name
            name = f"0 {seen.origin.name}"
            out.numeric(n.RPL_WHOREPLY, room, user, host, server, seen.nick, flags, name)
    if people.more:
        out.go_on()
    else:
        out.last_param(n.RPL_ENDOFWHO, cut(mask, 100), "End of WHO list")


_WHOX = "tcuihsnfdlaor"  # told in this order, whatever the order of the request (WHOX)


def _who_fields(out: ReplyBuffer, seen: UserView, token: str) -> Mapping[str, str]:
    """The fields of a person, by the letter of WHOX."""
    room, flags = _where_and_how(out, seen)
    return {
        "t": token or "0",
        "c": room,
        "u": seen.origin.user,
        "i": "255.255.255.255",  # "if the server does not want to tell the address"
        "h": seen.origin.host,
        "s": out.info.name,
        "n": seen.nick,
        "f": flags,
        "d": "0",
        "l": _idle(out, seen),
        "a": seen.origin.account or "0",
        "o": "n/a",
        "r": seen.origin.name,
    }


def _where_and_how(out: ReplyBuffer, seen: UserView) -> tuple[str, str]:
    """A room that somebody is in, ``*`` if there is none, and their flags."""
    place = seen.rooms[0] if seen.rooms else "*"
    room = place.lstrip("@+")
    prefixes = place.removesuffix(room)
    flags = "G" if seen.away else "H"
    flags += "*" * ("o" in seen.modes) + "B" * seen.origin.bot
    return room, flags + (prefixes if "multi-prefix" in out.peer.caps else prefixes[:1])


def _idle(out: ReplyBuffer, seen: UserView) -> str:
    """Seconds since somebody last said something."""
    return str(max(0, int(out.clock() - seen.spoke / 1000)))


def whois(
    out: ReplyBuffer, nick: str, people: People, *, described: Iterable[Metadata] = ()
) -> None:
    """Describe somebody: 311 to RPL_ENDOFWHOIS (318); ERR_NOSUCHNICK (401) if nobody.

    Their metadata is RPL_WHOISKEYVALUE (760).
    """
    if not people.people:
        out.numeric(n.ERR_NOSUCHNICK, cut(nick, 50), "No such nick")
    for seen in people.people:
        _describe(out, seen)
    for found in described:
        for key, value in found.values:
            out.last_param(n.RPL_WHOISKEYVALUE, found.target, key, "*", value)
    shown = people.people[0].nick if people.people else cut(nick, 50)
    out.last_param(n.RPL_ENDOFWHOIS, shown, "End of /WHOIS list")


def _describe(out: ReplyBuffer, seen: UserView) -> None:
    """Describe somebody: 311, 319, 312, 313, 671, 338, 320, 335, 301, 330, 317, if they apply.

    To IRC a chat of several nodes is one server, so 312 names that, and the nodes in its words.
    """
    nick, origin = seen.nick, seen.origin
    out.last_param(n.RPL_WHOISUSER, nick, origin.user, origin.host, "*", origin.name)
    for words in wrapped(seen.rooms, _ROOM_LEFT):
        out.last_param(n.RPL_WHOISCHANNELS, nick, words)
    nodes = f", on {' and '.join(seen.nodes)}" if seen.nodes else ""
    out.last_param(n.RPL_WHOISSERVER, nick, out.info.name, out.info.network + nodes)
    if "o" in seen.modes:
        out.last_param(n.RPL_WHOISOPERATOR, nick, "is an IRC operator")
    if seen.secure:
        out.last_param(n.RPL_WHOISSECURE, nick, "is using a secure connection")
    if seen.address:
        out.last_param(n.RPL_WHOISACTUALLY, nick, seen.address, "is actually using this address")
    for one in seen.devices:
        out.last_param(n.RPL_WHOISSPECIAL, nick, device(one))
    if origin.bot:
        out.last_param(n.RPL_WHOISBOT, nick, f"is a bot on {out.info.network}")
    if seen.away:
        out.last_param(n.RPL_AWAY, nick, seen.away)
    if origin.account:
        out.numeric(n.RPL_WHOISACCOUNT, nick, origin.account, "is logged in as")
    signon = str(seen.since // 1000)
    out.last_param(n.RPL_WHOISIDLE, nick, _idle(out, seen), signon, "seconds idle, signon time")


def whowas(out: ReplyBuffer, nick: str, count: int, past: People) -> None:
    """Tell who had a nickname: RPL_WHOWASUSER (314) and RPL_WHOISSERVER (312), RPL_ENDOFWHOWAS
    (369); ERR_WASNOSUCHNICK (406) if nobody. ``count`` is the most that are told, 0 all.
    """
    if not past.people:
        out.numeric(n.ERR_WASNOSUCHNICK, cut(nick, 50), "There was no such nickname")
    for seen in past.people[: count or None]:
        origin = seen.origin
        parts = (seen.nick, origin.user, origin.host, "*", origin.name)
        out.last_param(n.RPL_WHOWASUSER, *parts)
        if seen.address:
            out.last_param(n.RPL_WHOISACTUALLY, seen.nick, seen.address, "was using this address")
        went = _date(seen.spoke / 1000)
        out.last_param(n.RPL_WHOISSERVER, seen.nick, out.info.name, went)
    out.last_param(n.RPL_ENDOFWHOWAS, cut(nick, 50), "End of WHOWAS")


def ison(out: ReplyBuffer, people: People) -> None:
    """Tell who of those asked for is here: RPL_ISON (303)."""
    for words in wrapped([seen.nick for seen in people.people], _ROOM_LEFT) or [""]:
        out.last_param(n.RPL_ISON, words)


def userhost(out: ReplyBuffer, people: People) -> None:
    """Tell addresses: RPL_USERHOST (302), with ``*`` for operators and ``-`` for away."""
    words = []
    for seen in people.people:
        star, here = "*" * ("o" in seen.modes), "-" if seen.away else "+"
        words.append(f"{seen.nick}{star}={here}{seen.origin.user}@{seen.origin.host}")
    for line in wrapped(words, _ROOM_LEFT) or [""]:
        out.last_param(n.RPL_USERHOST, line)


def monitored(out: ReplyBuffer, asked: Sequence[str], people: People) -> None:
    """Tell who of those ``asked`` for is here: RPL_MONONLINE (730) and RPL_MONOFFLINE (731)."""
    here = {fold(seen.nick): address(seen.nick, seen.origin) for seen in people.people}
    _monitor_lines(out, n.RPL_MONONLINE, here.values())
    _monitor_lines(out, n.RPL_MONOFFLINE, [k for k in asked if fold(k) not in here])


def monitor_list(out: ReplyBuffer) -> None:
    """Tell which nicknames the client watches: RPL_MONLIST (732) and RPL_ENDOFMONLIST (733)."""
    _monitor_lines(out, n.RPL_MONLIST, out.peer.watched.values())
    out.last_param(n.RPL_ENDOFMONLIST, "End of MONITOR list")


def _monitor_lines(out: ReplyBuffer, numeric: str, words: Iterable[str]) -> None:
    for line in wrapped(list(words), _ROOM_LEFT):
        out.last_param(numeric, line.replace(" ", ","))


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def counts(out: ReplyBuffer, counts: Counts) -> None:
    """Tell how many there are: RPL_LUSERCLIENT (251) to RPL_LUSERME (255), 265 and 266."""
    visible, now = counts.people - counts.invisible, counts.people
    text = f"There are {visible} users and {counts.invisible} invisible on 1 servers"
    out.last_param(n.RPL_LUSERCLIENT, text)
    out.last_param(n.RPL_LUSEROP, str(counts.operators), "operator(s) online")
    out.last_param(n.RPL_LUSERCHANNELS, str(counts.rooms), "channels formed")
    out.last_param(n.RPL_LUSERME, f"I have {now} clients and 0 servers")
    for numeric, name in ((n.RPL_LOCALUSERS, "local"), (n.RPL_GLOBALUSERS, "global")):
        text = f"Current {name} users {now}, max {counts.most}"
        out.last_param(numeric, str(now), str(counts.most), text)


def welcomed(out: ReplyBuffer, answer: Counts) -> None:
    """Tell a newcomer, after ``registration.welcome``, the counts and the message of the day."""
    counts(out, answer)
    motd(out)


def motd(out: ReplyBuffer) -> None:
    """Tell the message of the day: 375, 372 and 376; ERR_NOMOTD (422) if there is none."""
    lines = out.info.motd
    if not lines:
        out.last_param(n.ERR_NOMOTD, "There is no message of the day")
        return
    out.last_param(n.RPL_MOTDSTART, f"- {out.info.name} Message of the day - ")
    for line in lines:
        out.last_param(n.RPL_MOTD, f"- {line}")
    out.last_param(n.RPL_ENDOFMOTD, "End of /MOTD command.")


def version(out: ReplyBuffer) -> None:
    """Tell the version: RPL_VERSION (351), then RPL_ISUPPORT (005)."""
    info = out.info
    out.last_param(n.RPL_VERSION, info.version, info.name, "a small chat on trio")
    isupport(out)


def isupport(out: ReplyBuffer) -> None:
    """Tell what the server supports: RPL_ISUPPORT (005)."""
    start = f":{out.info.name} {n.RPL_ISUPPORT} {out.peer.nick or '*'}"
    out.lines(f"{start} {line}" for line in out.info.support)


def time(out: ReplyBuffer) -> None:
    """Tell the server's time: RPL_TIME (391)."""
    now = out.clock()
    out.last_param(n.RPL_TIME, out.info.name, _date(now))


def info(out: ReplyBuffer) -> None:
    """Tell what the server is: RPL_INFO (371) and RPL_ENDOFINFO (374)."""
    about = out.info
    for line in (f"{about.version}: netcat, IRC clients and bots in the same rooms.",
                 f"This server was started {about.created}."):  # fmt: skip
        out.last_param(n.RPL_INFO, line)
    out.last_param(n.RPL_ENDOFINFO, "End of INFO list")


def admin(out: ReplyBuffer) -> None:
    """Tell whose server it is: RPL_ADMINME (256), RPL_ADMINLOC1 (257) and RPL_ADMINEMAIL (259)."""
    name = out.info.name
    out.last_param(n.RPL_ADMINME, name, "Administrative info")
    out.last_param(n.RPL_ADMINLOC1, f"{out.info.network}, on {name}")
    out.last_param(n.RPL_ADMINEMAIL, "Ask whoever runs this server")


def help_on(out: ReplyBuffer, subject: str, verbs: Mapping[str, Any]) -> None:
    """Help with a command, or list them all: 704 to 706; ERR_HELPNOTFOUND (524)."""
    name = subject.upper()
    if not subject:
        name, lines = "*", ["Commands (HELP <command> shows its parameters):"]
        lines += wrapped(sorted(verbs), _ROOM_LEFT)
    elif name in verbs:
        lines = [f"{name} {verbs[name].arguments}".rstrip()]
    else:
        out.last_param(n.ERR_HELPNOTFOUND, cut(subject, 50), "There is no help on that")
        return
    first, *others = lines
    out.last_param(n.RPL_HELPSTART, name, first)
    for line in others:
        out.last_param(n.RPL_HELPTXT, name, line)
    out.last_param(n.RPL_ENDOFHELP, name, "End of /HELP")


def _date(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.strftime("%A %B %d %Y -- %H:%M:%S UTC")
