"""What a line of a server's means to our client: a row each in the tables at the end.

Here is what is the same whether the client is in one room (``heard_one``) or in many
(``heard_rooms``), which have the tables of their own to which these belong.
People get plain words: no numbers, no letters that only IRC knows, and nothing that a server tells
each newcomer about itself.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from trio_chat.core.events import (
    Invited,
    Notice,
    Origin,
    Renamed,
    Rooms,
    RoomSeen,
    Said,
    Shown,
    TopicSet,
)
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.casemapping import OURS, UNKNOWN, UNTOLD
from trio_chat.protocols.client import Earlier, Message, Stamped
from trio_chat.protocols.irc.client.slash import SEARCH
from trio_chat.protocols.irc.client.supports import PREFIXES
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import CTCP, formatted, is_room, read_action, sentence, shown
from trio_chat.protocols.plain.wording import wording

if TYPE_CHECKING:
    from trio_chat.protocols.irc.client.link import IrcLink

Messages = Sequence[Message]

_VERSION = "trio-chat"

# Batches of what was said before (ircv3.net, "chathistory"; and that of a bouncer).
_HISTORY = ("chathistory", "znc.in/playback", SEARCH)

# Read as they are: the answer must be the same, or there is more than text in them.
_RAW = {"PING", "PRIVMSG", "NOTICE"}


class Batch(NamedTuple):
    """One that is open. ``page`` is the room or person of which we have asked for it; ``late`` if
    it fills a gap, ``found`` if it is what somebody at our side wants to read, ``asked`` if it is a
    page for who scrolls back; ``told`` once something of what was found has come.
    """

    kind: str
    page: str = ""
    late: bool = False
    found: bool = False
    told: bool = False
    asked: bool = False


NO_BATCH = Batch("")


def understand(session: "IrcLink", line: Line) -> Messages:
    """What a line tells. Raises NotAdmitted if it tells why we may not come in."""
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    history = batch.kind in _HISTORY
    heard = session.table.commands.get(line.command)
    line.source = shown(line.source)
    if line.command not in _RAW:
        line.params = tuple(map(shown, line.params))
    if line.command.isdecimal():
        return _numeric(session, line)
    if heard is None or len(line.params) < heard.needed or (history and not heard.talk):
        return ()
    messages = heard.means(session, line)
    if not history:
        return messages
    told = [_past(message, batch) for message in messages]
    return [*_begin_found(session, line, batch), *told] if told else ()


def _begin_found(session: "IrcLink", line: Line, batch: Batch) -> Messages:
    """Before the first of what was found."""
    if not batch.found or batch.told:
        return ()
    session.batches[line.tags["batch"]] = batch._replace(told=True)
    return [Notice("This was found:")]


def end_found(batch: Batch) -> Messages:
    """Before the first came, nothing was said."""
    return [Notice("Nothing was found.")] if batch.found and not batch.told else ()


def _past(message: Message, batch: Batch) -> Message:
    late = batch.late
    match message:
        case Said() if batch.found:
            return Earlier(message, message.time if isinstance(message, Stamped) else "", True)
        case Stamped(time=time):
            asked = batch.asked
            return replace(message, late=True) if late else Earlier(message, time, asked=asked)
        case Said():
            return message if late else Earlier(message, asked=batch.asked)
        case _:
            return message


def notices(shown: Shown) -> Messages:
    """As the plain dialect words it."""
    return [Notice(text.removeprefix("*** ")) for text in wording(shown)]


def origin_of(line: Line) -> Origin:
    user, _, host = line.source.partition("!")[2].partition("@")
    return Origin(user, host, account=line.tags.get("account", ""), bot="bot" in line.tags)


# ── talk ───────────────────────────────────────────────────────────────────────────────────────


def said_in(line: Line) -> Said:
    """With what the server has noted of it, and how it looks, if that is anything."""
    target, (raw, action) = shown(line.params[0]), read_action(line.params[1])
    text, runs = formatted(raw)
    room = room_of(target)
    status = target.removesuffix(room) if room else ""
    msgid, time = line.tags.get("msgid", ""), line.tags.get("time", "")
    stamped = msgid or time or runs
    kind = partial(Stamped, msgid=msgid, time=time, runs=runs) if stamped else Said
    return kind(
        room, line.nick, text, action=action, to="" if room else target, status=status,
        notice=line.command == "NOTICE", origin=origin_of(line),
    )  # fmt: skip


def room_of(target: str) -> str:
    """Empty for a person. What is said to those only who lead a room has a prefix before it."""
    name = target.lstrip("@+%~")
    return name if is_room(name) else ""


def answer_question(session: "IrcLink", line: Line) -> None:
    """What clients ask each other (CTCP): only the two questions that everybody asks."""
    if line.source.startswith((":", "!", "@")):  # nobody
        return
    text = line.params[1].strip(CTCP)
    verb = text.partition(" ")[0].upper()
    if verb == "VERSION":
        session.answer("NOTICE", line.nick, f"{CTCP}VERSION {_VERSION}{CTCP}")
    elif verb == "PING":
        session.answer("NOTICE", line.nick, f"{CTCP}{text}{CTCP}")


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _nick(session: "IrcLink", line: Line) -> Messages:
    if session.is_me(line.nick):
        session.nick = line.params[0]
    return [Renamed(line.nick, line.params[0], origin=origin_of(line))]


def _chghost(session: "IrcLink", line: Line) -> Messages:
    if session.is_me(line.nick):
        session.address = "@".join(line.params[:2])
    return ()


# ── the room and the people ────────────────────────────────────────────────────────────────────


def _topic(session: "IrcLink", line: Line) -> Messages:
    return [TopicSet(line.params[0], line.nick, line.params[1], origin=origin_of(line))]


def _invite(session: "IrcLink", line: Line) -> Messages:
    return notices(Invited(line.params[1], line.nick, line.params[0]))


def _wallops(session: "IrcLink", line: Line) -> Messages:
    return [Notice(f"{line.nick} announces: {line.params[0]}")]


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def _ping(session: "IrcLink", line: Line) -> Messages:
    session.send("PONG", line.params[-1])
    return ()


def _error(session: "IrcLink", line: Line) -> Messages:
    head, colon, words = line.params[0].partition(": ")
    closing = head.lower() == "closing link" and colon
    return session.ended(words if closing else line.params[0])


def report(session: "IrcLink", line: Line) -> Messages:
    """FAIL, WARN and NOTE (standard-replies)."""
    about = line.params[2:-1]
    notice = session.table.notice(session, sentence(about, line.params[-1]), about)
    return [replace(notice, refusal=line.command == "FAIL")]


def _cap(session: "IrcLink", line: Line) -> Messages:
    pairs = [word.partition("=") for word in line.param(-1).split()]
    verb, words = line.params[1].upper(), {name for name, _, _ in pairs}
    if verb in ("LS", "NEW"):
        session.cap_values |= {name: value for name, _, value in pairs}
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


def _numeric(session: "IrcLink", line: Line) -> Messages:
    """Their first parameter is our nickname; the last one is meant for people."""
    command, params = line.command, line.params[1:]
    notice = partial(session.table.notice, session)
    if command in session.table.numerics:
        needed, means = session.table.numerics[command]
        return means(session, line) if len(line.params) >= needed else ()
    if command in _ANSWERS:
        needed, words = _ANSWERS[command]
        return [notice(words(line.params), params)] if len(line.params) >= needed else ()
    if not params or command in _SILENT or (command in _OF_WELCOME and not session.admitted):
        return ()
    if command[:1] in ("4", "5"):
        return (
            session.table.refused(session, line) if session.registered else _kept_out(session, line)
        )
    return [notice(" ".join(params), params)]


def _kept_out(session: "IrcLink", line: Line) -> Messages:
    """Or the server does not know CAP, or not yet who we are."""
    if line.command in _NICK_TAKEN and session.try_another(line.param(1)):
        return ()
    if line.command in KEPT_OUT:
        raise NotAdmitted(sentence(line.params[1:-1], line.params[-1]))
    return ()


def _welcome(session: "IrcLink", line: Line) -> Messages:
    if not session.registered:
        if session.state.names.name == UNKNOWN:
            session.state.names.learn(UNTOLD)
        session.welcomed(line.params[0], line.tags.get("time", ""))
    return [Notice(line.params[-1])]


def _my_info(session: "IrcLink", line: Line) -> Messages:
    """trio-chat reads slowly what comes too fast. What it says of names is for other clients."""
    if line.params[2].startswith(_VERSION):
        session.outgoing.paced = False
        session.state.names.learn(OURS)
    return ()


def _supports(session: "IrcLink", line: Line) -> Messages:
    for token in line.params[1:-1]:
        learn(session, token)
    return ()


def learn(session: "IrcLink", token: str) -> None:
    """What a server says of itself."""
    name, _, value = token.partition("=")
    if name == "CASEMAPPING" and value and session.state.names.name != OURS:
        session.state.names.learn(value)
    session.catch_up.supports(token)


def _name_reply(session: "IrcLink", line: Line) -> Messages:
    room, names = line.params[-2:]
    known = session.names.setdefault(room, [])
    known += [name.lstrip(PREFIXES) for name in names.split()]
    return ()


def who_words(params: Sequence[str]) -> str:
    return f"{params[5]} is {params[2]}@{params[3]} ({params[7].partition(' ')[2]})"


def _without_status(rooms: str) -> str:
    """Prefixes tell what somebody is in a room; a room of one server begins with one of them."""
    return " ".join(re.sub(r"^[~&@%+!]+(?=[#&])", "", room) for room in rooms.split())


def _list_entry(session: "IrcLink", line: Line) -> Messages:
    count = line.params[2] if line.params[2].isdecimal() else "0"
    return notices(Rooms((RoomSeen(line.params[1], int(count[:9]), line.param(3)),)))


def _new_host(session: "IrcLink", line: Line) -> Messages:
    """396, as most servers have it: our address looks otherwise from now on."""
    user, _, _ = session.address.partition("@")
    host = line.params[1].rpartition("@")[2]
    session.address = f"{user}@{host}" if session.address else ""
    return ()


class Heard(NamedTuple):
    """``needed`` parameters; ``talk`` if it is also to be read in what was said before."""

    means: Callable[[Any, Line], Messages]
    needed: int = 0
    talk: bool = False


class Table(NamedTuple):
    """What a session understands: commands, numbers, refusals (numbers that begin with 4 or 5); and
    how a sentence ``about`` something is told.
    """

    commands: Mapping[str, Heard]
    numerics: "Numerics"
    refused: Callable[[Any, Line], Messages]
    notice: Callable[[Any, str, Sequence[str]], Notice]


# With how many parameters each must have.
Numerics = Mapping[str, tuple[int, Callable[[Any, Line], Messages]]]

#: Rows that are the same for everybody.
COMMANDS = {
    "CAP": Heard(_cap, 3),
    "CHGHOST": Heard(_chghost, 2),
    "ERROR": Heard(_error, 1),
    "INVITE": Heard(_invite, 2),
    "NICK": Heard(_nick, 1),
    "NOTE": Heard(report, 3),
    "PING": Heard(_ping, 1),
    "TOPIC": Heard(_topic, 2),
    "WALLOPS": Heard(_wallops, 1),
    "WARN": Heard(report, 3),
}

#: Those after which something is different.
NUMERICS: Numerics = {
    "001": (2, _welcome),
    "004": (3, _my_info),
    "005": (3, _supports),
    "322": (3, _list_entry),
    "353": (3, _name_reply),
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
    "352": (8, who_words),
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
# too many are meant; there is nothing left of it, it is too long; only to those who are logged in,
# not in that way, not to strangers.
_NOT_SAID = {"401", "403", "404", "407", "412", "417", "477", "486", "489", "531", "716"}


# Only what is done is refused by these, though they name a room or a person: a command is not known
# or lacks something, a nickname is taken or none, somebody is not there or is already, we are not
# in the room, may not enter it, do not lead it or are no operator; a mode or a mask is none, or
# one too many.
_NOT_DONE = {
    *("421", "431", "432", "433", "436", "437", "441", "442", "443", "461", "467", "471", "472"),
    *("473", "474", "475", "476", "478", "481", "482", "484", "485", "501", "502", "696"),
}


def may_refuse_text(session: "IrcLink", line: Line) -> bool:
    """Whether it may be a text that the server has not taken. Where it sends nothing back, any
    refusal that names the target may be the only sign.
    """
    if line.command in _NOT_SAID:
        return True
    about_something = len(line.params) > 2 and line.command not in _NOT_DONE
    return about_something and "echo-message" not in session.caps


# Our nickname is somebody's, or not for us.
_NICK_TAKEN = {"432", "433", "436", "437"}

# Before we are registered: no or bad nickname, taken, in conflict or not available; bad user name,
# no permission for our host, password wrong, banned, soon banned, name invalid, restricted.
KEPT_OUT = {"431", "432", "433", "436", "437", "463", "464", "465", "466", "468", "484"}
