"""The commands that begin with a slash, for a client that speaks IRC: one row each."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from trio_chat.errors import Unsupported
from trio_chat.protocols.audit import OF_AUDIT, OF_REPORT, OF_REPORTS
from trio_chat.protocols.confidential import NOT_CONFIDED, is_confided
from trio_chat.protocols.invitation import ARGUMENTS, DOES
from trio_chat.protocols.irc.client import account, moderation
from trio_chat.protocols.irc.client.batch import SEARCH
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.info import REDACTION
from trio_chat.protocols.irc.message import body, escape
from trio_chat.protocols.irc.text import is_room, room_name
from trio_chat.protocols.irc.times import timestamp
from trio_chat.protocols.moderation import OF_MODERATION
from trio_chat.protocols.slashes import (
    FILTERS,
    OF_ACCOUNTS,
    OF_STATUS,
    complaint,
    overview,
    read_search,
    spelled_out,
)

Lines = Sequence[str]

# Messages that /history shows, if no number is given.
_LAST = "50"


class Slash(NamedTuple):
    """A row: its ``arguments`` as /help shows them, how many are ``needed``, and the lines to send.
    ``lines`` takes the text after the command, stripped.
    """

    arguments: str
    does: str
    needed: int
    lines: Callable[[IrcRooms, str], Lines]


def lines_of_slash(session: IrcRooms, line: str) -> Lines:
    """Return the lines to send for a command. Raises Unsupported."""
    word, rest = (*spelled_out(line)[1:].split(maxsplit=1), "", "")[:2]
    if word.lower() in ON_SCREEN:
        raise Unsupported(f"Only the full screen has /{word.lower()}.")
    if why := complaint(SLASHES, word, rest):
        raise Unsupported(why)
    try:
        return SLASHES[word.lower()].lines(session, rest.strip())
    except ValueError as error:  # a name that begins with a colon
        raise Unsupported(f"That cannot be sent over IRC: {error}") from error


def _two(rest: str) -> tuple[str, str]:
    """Split into the first word and the rest."""
    first, second = (*rest.split(maxsplit=1), "", "")[:2]
    return first, second


def _help(session: IrcRooms, rest: str) -> Lines:
    for line in (*overview(SLASHES), FILTERS):
        session.tell(line)
    return ()


def _msg(session: IrcRooms, rest: str) -> Lines:
    nick, text = _two(rest)
    return _talk(session, nick, text)


def _join(session: IrcRooms, rest: str) -> Lines:
    name, key = _two(rest)
    return session.go_to(room_name(name.partition(",")[0]), key)


def _of_room(session: IrcRooms, rest: str) -> tuple[str, str]:
    """Return the room named first, or else this one; and the rest."""
    first, others = _two(rest)
    return (first, others) if is_room(first) else (session.here(), rest)


def _part(session: IrcRooms, rest: str) -> Lines:
    room, why = _of_room(session, rest)
    return [_with_text("PART", room, why)]


def _who(session: IrcRooms, rest: str) -> Lines:
    room, _ = _of_room(session, rest)
    return [body("NAMES", room)]


def _invite(session: IrcRooms, rest: str) -> Lines:
    nick, room = _two(rest)
    return [body("INVITE", nick, room or session.here())]


def _topic(session: IrcRooms, text: str) -> Lines:
    """Show or set a topic. A room's name alone asks for that room's topic."""
    if is_room(text) and len(text.split()) == 1:
        return [body("TOPIC", text)]
    if text == "-":
        return [body("TOPIC", session.here(), "")]
    return [_with_text("TOPIC", session.here(), text)]


def _rename(session: IrcRooms, rest: str) -> Lines:
    """Of two names of rooms the first is the one that it has."""
    room, others = _two(rest)
    if not (others and is_room(room) and is_room(others.split()[0])):
        room, others = session.here(), rest
    name, why = _two(others)
    return [_with_text("RENAME", room, room_name(name), why)]


def _kick(session: IrcRooms, rest: str) -> Lines:
    room, rest = _of_room(session, rest)
    nick, why = _two(rest)
    return [_with_text("KICK", room, nick, why)]


def _remove(session: IrcRooms, rest: str) -> Lines:
    if REDACTION not in session.caps:
        raise Unsupported("Messages cannot be removed here.")
    which, why = _two(rest)
    if which.lower() == "last":
        nick, why = _two(why)
        which = session.last_of(nick)
    return [_with_text("REDACT", session.there(), which, why)]


def _report(session: IrcRooms, rest: str) -> Lines:
    account.check_server(session)
    which, why = _two(rest)
    if which.lower() == "last":
        nick, why = _two(why)
        if not nick:
            raise Unsupported(f"Usage: /report {OF_REPORT[0]}")
        which = session.last_of(nick)
    return [_with_text("REPORT", session.there(), which, why)]


def _mode(session: IrcRooms, rest: str) -> Lines:
    """Show or set modes: of this room, unless another one or we ourselves are named."""
    words = rest.split()
    named = words and (is_room(words[0]) or session.is_me(words[0]))
    return [body("MODE", *([] if named else [session.here()]), *words)]


def _set(mode: str) -> Callable[[IrcRooms, str], Lines]:
    """Set or remove a mode of members."""

    def lines(session: IrcRooms, nicks: str) -> Lines:
        people = nicks.split()
        return [body("MODE", session.here(), mode[0] + mode[1] * len(people), *people)]

    return lines


def _ban(session: IrcRooms, rest: str) -> Lines:
    return moderation.ban(session, *_of_room(session, rest))


def _mute(session: IrcRooms, rest: str) -> Lines:
    return moderation.ban(session, *_of_room(session, rest), mute=True)


def _unban(session: IrcRooms, rest: str) -> Lines:
    return moderation.unban(session, *_of_room(session, rest))


def _bans(session: IrcRooms, rest: str) -> Lines:
    room, _ = _of_room(session, rest)
    return moderation.bans(session, room)


def _notice(session: IrcRooms, rest: str) -> Lines:
    target, text = _two(rest)
    return _talk(session, target, text, notice=True)


def _talk(session: IrcRooms, target: str, text: str, *, notice: bool = False) -> Lines:
    if is_confided(target, text):
        raise Unsupported(NOT_CONFIDED)
    return session.talk(target, text, notice=notice)


def _history(session: IrcRooms, number: str) -> Lines:
    if "draft/chathistory" not in session.caps:
        raise Unsupported("This server keeps no history.")
    if number and not (number.isascii() and number.isdecimal() and int(number[:9])):
        raise Unsupported("/history takes a number of messages.")
    session.want("chathistory")
    return [body("CHATHISTORY", "LATEST", session.here(), "*", number[:9] or _LAST)]


def _search(session: IrcRooms, rest: str) -> Lines:
    """Search as soju does (soju.im/search): "after" is at or after, "before" at or before."""
    if SEARCH not in session.caps:
        raise Unsupported("This server cannot search.")
    try:
        sought = read_search(rest)
    except ValueError as error:
        raise Unsupported(str(error)) from error
    attributes = {
        "in": sought.room or session.here(),
        "text": sought.words,
        "from": sought.nick,
        "after": _written(sought.after, 0),
        "before": _written(sought.before, -1),
    }
    given = {key: value for key, value in attributes.items() if value}
    session.want(SEARCH)
    return [body("SEARCH", ";".join(f"{key}={escape(value)}" for key, value in given.items()))]


def _written(day: datetime | None, shift: int) -> str:
    """Write the beginning of a day, shifted by milliseconds."""
    if day is None:
        return ""
    return timestamp(int(day.timestamp()) * 1000 + shift)


def _quit(session: IrcRooms, words: str) -> Lines:
    session.leaving = True
    return [_with_text("QUIT", words)]


def _raw(session: IrcRooms, line: str) -> Lines:
    return [line]


def _with_text(command: str, *params: str) -> str:
    """Write a line, without its last parameter if that is empty."""
    return body(command, *(params if params[-1] else params[:-1]))


#: Commands of the full screen only (client/model/typed.py).
ON_SCREEN = {"clear", "close", "ignore", "page", "query", "reconnect", "unignore"}

SLASHES = {
    "help": Slash("", "show this list", 0, _help),
    "nick": Slash("NAME", "change your nickname", 1, lambda s, name: [body("NICK", name)]),
    "me": Slash(
        "TEXT", "say what you do: * alice waves", 1, lambda s, text: s.talk(s.there(), text, True)
    ),
    "msg": Slash("NAME TEXT", "say something to one person only", 2, _msg),
    "join": Slash("ROOM [KEY]", "go to another room, or make a new one", 1, _join),
    "part": Slash("[ROOM] [WHY]", "leave the room", 0, _part),
    "invite": Slash("NAME [ROOM]", "invite somebody to the room", 1, _invite),
    "kick": Slash(
        "[ROOM] NAME [WHY]", "remove somebody from the room, if you are its operator", 1, _kick
    ),
    "remove": Slash(
        "last|last NAME|ID [WHY]", "remove your last message; an operator also others'", 1, _remove
    ),
    "rooms": Slash("", "list the rooms", 0, lambda s, rest: ["LIST"]),
    "who": Slash("[ROOM]", "list the people in the room", 0, _who),
    "whois": Slash("NAME", "show who somebody is", 1, lambda s, nick: [body("WHOIS", nick)]),
    "away": Slash(
        "[TEXT]", "mark yourself away; without a text, back", 0,
        lambda s, text: s.be_away(text),
    ),
    "notice": Slash("NAME TEXT", "send a notice, which bots do not answer", 2, _notice),
    "op": Slash(*OF_STATUS["op"], _set("+o")),
    "deop": Slash(*OF_STATUS["deop"], _set("-o")),
    "voice": Slash(*OF_STATUS["voice"], _set("+v")),
    "devoice": Slash(*OF_STATUS["devoice"], _set("-v")),
    "ban": Slash(*OF_MODERATION["ban"], _ban),
    "mute": Slash(*OF_MODERATION["mute"], _mute),
    "unban": Slash(*OF_MODERATION["unban"], _unban),
    "bans": Slash(*OF_MODERATION["bans"], _bans),
    "rename": Slash("[ROOM] NAME [WHY]", "give the room another name", 1, _rename),
    "topic": Slash("[ROOM|TEXT]", "show the room's topic or set it; - removes it", 0, _topic),
    "mode": Slash("[MODES]", "show the room's modes or set them, as in +o NAME", 0, _mode),
    "history": Slash(
        "[NUMBER]", "show the last messages in the room, with their times", 0, _history
    ),
    "search": Slash(
        "WORDS", "search the room for these words; filters are below", 1, _search
    ),
    "register": Slash(*OF_ACCOUNTS["register"], account.register),
    "login": Slash(*OF_ACCOUNTS["login"], account.log_in),
    "logout": Slash(*OF_ACCOUNTS["logout"], account.log_out),
    "password": Slash(*OF_ACCOUNTS["password"], account.set_password),
    "token": Slash(*OF_ACCOUNTS["token"], account.token),
    "devices": Slash(*OF_ACCOUNTS["devices"], account.devices),
    "account": Slash(*OF_ACCOUNTS["account"], account.account),
    "invitation": Slash(ARGUMENTS, DOES, 0, account.invitation),
    "uban": Slash(*OF_MODERATION["uban"], moderation.uban),
    "lock": Slash(*OF_MODERATION["lock"], moderation.to_ours("LOCK")),
    "report": Slash(*OF_REPORT, _report),
    "reports": Slash(*OF_REPORTS, moderation.to_ours("REPORTS")),
    "audit": Slash(*OF_AUDIT, moderation.to_ours("AUDIT")),
    "why": Slash(*OF_MODERATION["why"], moderation.why),
    "raw": Slash("LINE", "send a line of IRC unchanged", 1, _raw),
    "quit": Slash("[WORDS]", "leave", 0, _quit),
}  # fmt: skip
