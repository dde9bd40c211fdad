"""The commands that begin with a slash, for a client that speaks IRC: one row each."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from trio_chat.errors import Unsupported
from trio_chat.protocols.command_table import COMMAND_TABLE
from trio_chat.protocols.confidential import NOT_CONFIDED, is_confided
from trio_chat.protocols.irc.client import account, moderation
from trio_chat.protocols.irc.client.batch import SEARCH
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.info import REDACTION
from trio_chat.protocols.irc.message import body, escape
from trio_chat.protocols.irc.text import is_room, room_name
from trio_chat.protocols.irc.times import timestamp
from trio_chat.protocols.slashes import (
    FILTERS,
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
    if which.lower() == "topic":
        account.check_server(session)
        return [_with_text("REMOVE", session.here(), which, why)]
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
            raise Unsupported(f"Usage: /report {SLASHES['report'].arguments}")
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


def _mentions(session: IrcRooms, number: str) -> Lines:
    account.check_server(session)
    session.want("mentions")
    return [body("MENTIONS", *number.split()[:1])]


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

_LINES: dict[str, Callable[[IrcRooms, str], Lines]] = {
    "help": _help,
    "nick": lambda s, name: [body("NICK", name)],
    "me": lambda s, text: s.talk(s.there(), text, True),
    "msg": _msg,
    "join": _join,
    "part": _part,
    "invite": _invite,
    "kick": _kick,
    "remove": _remove,
    "rooms": lambda s, rest: ["LIST"],
    "who": _who,
    "whois": lambda s, nick: [body("WHOIS", nick)],
    "away": lambda s, text: s.be_away(text),
    "notice": _notice,
    "op": _set("+o"),
    "deop": _set("-o"),
    "voice": _set("+v"),
    "devoice": _set("-v"),
    "ban": _ban,
    "mute": _mute,
    "unban": _unban,
    "bans": _bans,
    "rename": _rename,
    "topic": _topic,
    "mode": _mode,
    "history": _history,
    "search": _search,
    "mentions": _mentions,
    "register": account.register,
    "login": account.log_in,
    "logout": account.log_out,
    "password": account.set_password,
    "token": account.token,
    "set": account.choose,
    "devices": account.devices,
    "account": account.account,
    "block": moderation.to_ours("BLOCK"),
    "unblock": moderation.to_ours("UNBLOCK"),
    "blocks": moderation.to_ours("BLOCKS"),
    "invitation": account.invitation,
    "uban": moderation.uban,
    "lock": moderation.to_ours("LOCK"),
    "report": _report,
    "reports": moderation.to_ours("REPORTS"),
    "audit": moderation.to_ours("AUDIT"),
    "why": moderation.why,
    "raw": _raw,
    "quit": _quit,
}

SLASHES = {name: Slash(*COMMAND_TABLE[name], lines) for name, lines in _LINES.items()}
