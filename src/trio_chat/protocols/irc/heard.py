"""What each line of a server's means to our client: a row each in the tables at the end.

People get plain words: no numbers, no letters that only IRC knows, and nothing that a server tells
each newcomer about itself.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from trio_chat.core.events import (
    Absent,
    Entered,
    Invited,
    Joined,
    Kicked,
    Left,
    Members,
    Notice,
    Origin,
    Renamed,
    Rooms,
    RoomSeen,
    Said,
    Seen,
    Shown,
    Topic,
    TopicSet,
)
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import Earlier, Message, Stamped
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.past import ID_TAG
from trio_chat.protocols.irc.slash import SEARCH
from trio_chat.protocols.irc.text import CTCP, is_room, read_action, sentence, shown
from trio_chat.protocols.plain.wording import wording

if TYPE_CHECKING:
    from trio_chat.protocols.irc.client import IrcClientSession

Messages = Sequence[Message]

_VERSION = "trio-chat"
_STATUS = "~&@%+"  # prefixes of members' nicknames on any server

# Batches of what was said before (ircv3.net, "chathistory"; and that of a bouncer).
_HISTORY = ("chathistory", "znc.in/playback", SEARCH)

# Read as they are: the answer must be the same, or there is more than text in them.
_RAW = {"PING", "PRIVMSG", "NOTICE"}


class Batch(NamedTuple):
    """One that is open. ``page`` if we have asked for it, ``late`` if it fills a gap, ``found`` if
    it is what somebody at our side wants to read.
    """

    kind: str
    page: bool = False
    late: bool = False
    found: bool = False


_NO_BATCH = Batch("")


def understand(session: "IrcClientSession", line: Line) -> Messages:
    """What a line tells. Raises NotAdmitted if it tells why we may not come in."""
    batch = session.batches.get(line.tags.get("batch", ""), _NO_BATCH)
    history = batch.kind in _HISTORY
    heard = _HEARD.get(line.command)
    line.source = shown(line.source)
    if line.command not in _RAW:
        line.params = tuple(map(shown, line.params))
    if line.command.isdecimal():
        return _numeric(session, line)
    if heard is None or len(line.params) < heard.needed or (history and not heard.talk):
        return ()
    messages = heard.means(session, line)
    return [_past(message, batch) for message in messages] if history else messages


def _past(message: Message, batch: Batch) -> Message:
    late = batch.late
    match message:
        case Said() if batch.found:
            return Earlier(message, message.time if isinstance(message, Stamped) else "", True)
        case Stamped(time=time):
            return replace(message, late=True) if late else Earlier(message, time)
        case Said():
            return message if late else Earlier(message)
        case _:
            return message


def _notices(shown: Shown) -> Messages:
    """As the plain dialect words it."""
    return [Notice(text.removeprefix("*** ")) for text in wording(shown)]


def _origin(line: Line) -> Origin:
    user, _, host = line.source.partition("!")[2].partition("@")
    return Origin(user, host, account=line.tags.get("account", ""), bot="bot" in line.tags)


# ── talk ───────────────────────────────────────────────────────────────────────────────────────


def _privmsg(session: "IrcClientSession", line: Line) -> Messages:
    said = _said(line)
    live, own = not line.tags.get("batch"), session.is_me(line.nick)
    token = line.tags.get(ID_TAG, "")
    # Live, it is ours if we have said it. Before, we may have had another name; but then nobody
    # else knows our token but from the server, which so has the message.
    acknowledged = (own or not live) and session.past.acknowledge(token)
    if own and live and not acknowledged:
        session.echoed(token, line.params[0])
    if not line.params[1].startswith(CTCP) or said.action:
        return [said]
    if "!" in line.source and live and not own:
        _answer(session, line)
    return ()


def _said(line: Line) -> Said:
    """With what the server has noted of it, if anything."""
    target, (text, action) = shown(line.params[0]), read_action(line.params[1])
    name = target.lstrip("@+%~")
    room = name if is_room(name) else ""
    status = target.removesuffix(room) if room else ""
    msgid, time = line.tags.get("msgid", ""), line.tags.get("time", "")
    kind = partial(Stamped, msgid=msgid, time=time) if msgid or time else Said
    return kind(
        room, line.nick, shown(text), action=action, to="" if room else target, status=status,
        notice=line.command == "NOTICE", origin=_origin(line),
    )  # fmt: skip


def _answer(session: "IrcClientSession", line: Line) -> None:
    """What clients ask each other (CTCP): only the two questions that everybody asks."""
    if line.source.startswith((":", "!", "@")):  # nobody
        return
    text = line.params[1].strip(CTCP)
    verb = text.partition(" ")[0].upper()
    if verb == "VERSION":
        session.answer("NOTICE", line.nick, f"{CTCP}VERSION {_VERSION}{CTCP}")
    elif verb == "PING":
        session.answer("NOTICE", line.nick, f"{CTCP}{text}{CTCP}")


def _notice(session: "IrcClientSession", line: Line) -> Messages:
    """From a person, or from the server itself, whose statistics at our leaving nobody wants."""
    if line.params[1].startswith(CTCP) or session.leaving:
        return ()
    return [_said(line)] if "!" in line.source else [Notice(shown(line.params[1]))]


def _batch(session: "IrcClientSession", line: Line) -> Messages:
    """A batch within another is of the same kind."""
    sign, name = line.params[0][:1], line.params[0][1:]
    if sign != "+":
        batch = session.batches.pop(name, _NO_BATCH)
        return session.catch_up.page_over() if batch.page else ()
    if outer := session.batches.get(line.tags.get("batch", "")):
        session.batches[name] = outer._replace(page=False)
        return ()
    kind = line.param(1)
    page = session.catch_up.expects(kind, line.param(2))
    found = not page and session.wanted(kind)
    session.batches[name] = Batch(kind, page, page and session.catch_up.fills_a_gap, found)
    return [Notice("This was found:")] if found else ()


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _join(session: "IrcClientSession", line: Line) -> Messages:
    room, account, name = line.params[0], line.param(1), line.param(2)
    if not is_room(room) or " " in room:
        return ()
    origin = replace(_origin(line), account=account.removeprefix("*"), name=name)
    if session.is_me(line.nick):
        session.address = line.source.partition("!")[2]
        session.entered(room, line.tags.get("time", ""))
    return [Joined(room, line.nick, origin=origin)]


def _part(session: "IrcClientSession", line: Line) -> Messages:
    """That we have left a room for another one is no news."""
    if session.is_me(line.nick) and not session.left(line.params[0]):
        return ()
    return [Left(line.params[0], line.nick, why=line.param(1), origin=_origin(line))]


def _quit(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [Left(session.room, line.nick, why=line.param(0), origin=_origin(line))]


def _kick(session: "IrcClientSession", line: Line) -> Messages:
    room, target, why = line.params[0], line.params[1], line.param(2)
    if session.is_me(target):
        session.left(room)
    told, *_ = _notices(Kicked(room, line.nick, target, "" if why == line.nick else why))
    return [told, Left(room, target)]


def _nick(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        session.nick = line.params[0]
    return [Renamed(line.nick, line.params[0], origin=_origin(line))]


def _chghost(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        session.address = "@".join(line.params[:2])
    return ()


# ── the room and the people ────────────────────────────────────────────────────────────────────


def _topic(session: "IrcClientSession", line: Line) -> Messages:
    return [TopicSet(line.params[0], line.nick, line.params[1], origin=_origin(line))]


def _mode(session: "IrcClientSession", line: Line) -> Messages:
    """Modes that we get when we come in are the server's custom."""
    target, *changes = line.params
    if not session.admitted:
        return ()
    whose = "" if is_room(target) else f" of {target}"
    return [Notice(f"{line.nick} set the mode{whose} {' '.join(changes)}.")]


def _invite(session: "IrcClientSession", line: Line) -> Messages:
    return _notices(Invited(line.params[1], line.nick, line.params[0]))


def _away(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    if text := line.param(0):
        return _notices(Absent(line.nick, text))
    return [Notice(f"{line.nick} is back.")]


def _wallops(session: "IrcClientSession", line: Line) -> Messages:
    return [Notice(f"{line.nick} announces: {line.params[0]}")]


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def _ping(session: "IrcClientSession", line: Line) -> Messages:
    session.send("PONG", line.params[-1])
    return ()


def _pong(session: "IrcClientSession", line: Line) -> Messages:
    match line.params[-1]:
        case "finish":
            return session.ponged()
        case "alive":
            return session.alive()
        case asked:
            return session.catch_up.ponged(asked)


def _error(session: "IrcClientSession", line: Line) -> Messages:
    head, colon, words = line.params[0].partition(": ")
    closing = head.lower() == "closing link" and colon
    return session.ended(words if closing else line.params[0])


def _report(session: "IrcClientSession", line: Line) -> Messages:
    """WARN and NOTE (standard-replies)."""
    return [Notice(sentence(line.params[2:-1], line.params[-1]))]


def _fail(session: "IrcClientSession", line: Line) -> Messages:
    match line.params[0].upper():
        case "IDENTITY":
            session.not_identified()
        case "CHATHISTORY" if session.catch_up.room:
            return session.catch_up.failed()
        case "CHATHISTORY":
            session.wanted("chathistory")
        case "SEARCH":
            session.wanted(SEARCH)
        case "PRIVMSG":
            return [*_report(session, line), *session.refused(line.params[2:-1])]
        case _ if not session.admitted:
            raise NotAdmitted(line.params[-1])
    return _report(session, line)


def _cap(session: "IrcClientSession", line: Line) -> Messages:
    verb, words = (
        line.params[1].upper(),
        {word.partition("=")[0] for word in line.param(-1).split()},
    )
    match verb:
        case "LS":
            session.offered |= words
            if line.param(2) != "*" or len(line.params) < 4:  # the last line of them
                session.ask_for_caps()
        case "NEW":
            session.offered |= words
            session.ask_for_caps()
        case "ACK":
            session.acknowledged(words)
        case "NAK":
            session.end_of_caps()
        case "DEL":
            session.offered -= words
            session.caps -= words
    return ()


# ── numerics ───────────────────────────────────────────────────────────────────────────────────


def _numeric(session: "IrcClientSession", line: Line) -> Messages:
    """Their first parameter is our nickname; the last one is meant for people."""
    command, params = line.command, line.params[1:]
    if command in _NUMERICS:
        needed, means = _NUMERICS[command]
        return means(session, line) if len(line.params) >= needed else ()
    if command in _ANSWERS:
        needed, words = _ANSWERS[command]
        return [Notice(words(line.params))] if len(line.params) >= needed else ()
    if not params or command in _SILENT or (command in _OF_WELCOME and not session.admitted):
        return ()
    if command[:1] in ("4", "5"):
        return _refused(session, line)
    return [Notice(" ".join(params))]


def _refused(session: "IrcClientSession", line: Line) -> Messages:
    *about, why = line.params[1:]
    text = sentence(about, why)
    if not session.registered:
        if line.command in _KEPT_OUT:
            raise NotAdmitted(text)
        return ()  # it does not know CAP, or not yet who we are
    kept_out = any(session.answered(word) for word in about if is_room(word))
    if kept_out and not session.admitted:
        raise NotAdmitted(text)
    return [Notice(text), *(session.refused(about) if line.command in _NOT_SAID else ())]


def _welcome(session: "IrcClientSession", line: Line) -> Messages:
    if not session.registered:
        session.nick = line.params[0]
        session.enter()
    return [Notice(line.params[-1])]


def _my_info(session: "IrcClientSession", line: Line) -> Messages:
    """trio-chat reads slowly what comes too fast."""
    session.paced = session.paced and not line.params[2].startswith(_VERSION)
    return ()


def _supports(session: "IrcClientSession", line: Line) -> Messages:
    for token in line.params[1:-1]:
        session.catch_up.supports(token)
    return ()


def _name_reply(session: "IrcClientSession", line: Line) -> Messages:
    room, names = line.params[-2:]
    known = session.names.setdefault(room.lower(), [])
    known += [name.lstrip(_STATUS) for name in names.split()]
    return ()


def _end_of_names(session: "IrcClientSession", line: Line) -> Messages:
    room = line.params[1]
    names = session.names.pop(room.lower(), [])
    if room.lower() in session.entering:
        session.entering.discard(room.lower())
        others = sum(not session.is_me(name) for name in names)
        return _notices(Entered(room, session.nick, others, first=False))
    if not names:
        return [Notice(f"Nobody is in {room}.")]
    return _notices(Members(room, tuple(Seen(name) for name in sorted(names, key=str.lower))))


def _without_status(rooms: str) -> str:
    """Prefixes tell what somebody is in a room; a room of one server begins with one of them."""
    return " ".join(re.sub(r"^[~&@%+!]+(?=[#&])", "", room) for room in rooms.split())


def _list_entry(session: "IrcClientSession", line: Line) -> Messages:
    count = line.params[2] if line.params[2].isdecimal() else "0"
    return _notices(Rooms((RoomSeen(line.params[1], int(count[:9]), line.param(3)),)))


def _topic_is(session: "IrcClientSession", line: Line) -> Messages:
    return _notices(Topic(line.params[1], line.params[2]))


def _no_topic(session: "IrcClientSession", line: Line) -> Messages:
    return _notices(Topic(line.params[1], ""))


def _new_host(session: "IrcClientSession", line: Line) -> Messages:
    """396, as most servers have it: our address looks otherwise from now on."""
    user, _, _ = session.address.partition("@")
    host = line.params[1].rpartition("@")[2]
    session.address = f"{user}@{host}" if session.address else ""
    return ()


class Heard(NamedTuple):
    """``needed`` parameters; ``talk`` if it is also to be read in what was said before."""

    means: Callable[["IrcClientSession", Line], Messages]
    needed: int = 0
    talk: bool = False


_HEARD = {
    "AWAY": Heard(_away),
    "BATCH": Heard(_batch, 1, talk=True),
    "CAP": Heard(_cap, 3),
    "CHGHOST": Heard(_chghost, 2),
    "ERROR": Heard(_error, 1),
    "FAIL": Heard(_fail, 3),
    "INVITE": Heard(_invite, 2),
    "JOIN": Heard(_join, 1),
    "KICK": Heard(_kick, 2),
    "MODE": Heard(_mode, 2),
    "NICK": Heard(_nick, 1),
    "NOTE": Heard(_report, 3),
    "NOTICE": Heard(_notice, 2, talk=True),
    "PART": Heard(_part, 1),
    "PING": Heard(_ping, 1),
    "PONG": Heard(_pong, 1),
    "PRIVMSG": Heard(_privmsg, 2, talk=True),
    "QUIT": Heard(_quit),
    "TOPIC": Heard(_topic, 2),
    "WALLOPS": Heard(_wallops, 1),
    "WARN": Heard(_report, 3),
}

# Those after which something is different; with how many parameters they must have.
_NUMERICS: dict[str, tuple[int, Callable[["IrcClientSession", Line], Messages]]] = {
    "001": (2, _welcome),
    "004": (3, _my_info),
    "005": (3, _supports),
    "322": (3, _list_entry),
    "331": (2, _no_topic),
    "332": (3, _topic_is),
    "353": (3, _name_reply),
    "366": (2, _end_of_names),
    "396": (2, _new_host),
}

# Answers whose parameters are no sentence.
_ANSWERS: dict[str, tuple[int, Callable[[Sequence[str]], str]]] = {
    "301": (3, lambda p: f"{p[1]} is away: {p[2]}"),
    "311": (6, lambda p: f"{p[1]} is {p[2]}@{p[3]} ({p[5]})"),
    "312": (4, lambda p: f"{p[1]} is on {p[2]} ({p[3]})"),
    "314": (6, lambda p: f"{p[1]} was {p[2]}@{p[3]} ({p[5]})"),
    "317": (3, lambda p: f"{p[1]} has been silent for {p[2]} seconds"),
    "319": (3, lambda p: f"{p[1]} is in {_without_status(p[2])}"),
    "324": (3, lambda p: f"The modes of {p[1]}: {' '.join(p[2:])}"),
    "330": (3, lambda p: f"{p[1]} is logged in as {p[2]}"),
    "341": (3, lambda p: f"{p[1]} has been invited to {p[2]}"),
    "346": (3, lambda p: f"{p[1]} lets in {p[2]}"),
    "348": (3, lambda p: f"{p[1]} does not ban {p[2]}"),
    "352": (8, lambda p: f"{p[5]} is {p[2]}@{p[3]} ({p[7].partition(' ')[2]})"),
    "367": (3, lambda p: f"{p[1]} bans {p[2]}"),
    "372": (2, lambda p: p[1].removeprefix("- ")),
    "671": (3, lambda p: f"{p[1]} {p[2]}"),
}

# What only programs need, and the beginnings and ends of lists.
_SILENT = {
    *("002", "003", "020", "042", "315", "318", "321", "323", "329", "333", "347"),
    *("349", "365", "368", "369", "374", "375", "376", "422"),
}

# Numbers of people and servers, and our modes: told to who asks for them, not to each newcomer.
_OF_WELCOME = {"221", *(str(number) for number in range(250, 256)), "265", "266"}

# What was said to somebody or to a room was not taken: there is no such, it may not be said there,
# too many are meant; only to those who are logged in, not in that way, not to strangers.
_NOT_SAID = {"401", "403", "404", "407", "477", "486", "489", "531", "716"}

# Before we are registered: no or bad nickname, taken, in conflict or not available; bad user name,
# no permission for our host, password wrong, banned, soon banned, name invalid, restricted.
_KEPT_OUT = {"431", "432", "433", "436", "437", "463", "464", "465", "466", "468", "484"}
