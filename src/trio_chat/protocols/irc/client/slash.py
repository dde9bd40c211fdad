"""The commands of a person at our client, which begin with a slash: one row each."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from trio_chat.core.masks import full_mask
from trio_chat.errors import Unsupported
from trio_chat.protocols.irc.client.batch import SEARCH
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import body, escape
from trio_chat.protocols.irc.text import is_room, room_name
from trio_chat.protocols.irc.times import timestamp
from trio_chat.protocols.slashes import FILTERS, complaint, overview, read_search, spelled_out

Lines = Sequence[str]

# Messages of one /history, if no number is given.
_LAST = "50"


class Slash(NamedTuple):
    """``arguments`` as /help shows them, how many of them are ``needed``, and the lines that the
    server is sent. ``lines`` takes what stands behind the command, stripped.
    """

    arguments: str
    does: str
    needed: int
    lines: Callable[[IrcRooms, str], Lines]


def lines_of_slash(session: IrcRooms, line: str) -> Lines:
    """What to send for ``line``, which begins with a slash. Raises Unsupported."""
    word, rest = (*spelled_out(line)[1:].split(maxsplit=1), "", "")[:2]
    if word.lower() in ON_SCREEN:
        raise Unsupported(f"Only the full screen has /{word.lower()}.")
    if why := complaint(SLASHES, word, rest):
        raise Unsupported(why)
    try:
        return SLASHES[word.lower()].lines(session, rest.strip())
    except ValueError as error:  # a name that begins with a colon
        raise Unsupported(f"That cannot be said in IRC: {error}") from error


def _two(rest: str) -> tuple[str, str]:
    """The first word, and all that follows it."""
    first, second = (*rest.split(maxsplit=1), "", "")[:2]
    return first, second


def _help(session: IrcRooms, rest: str) -> Lines:
    for line in (*overview(SLASHES), FILTERS):
        session.tell(line)
    return ()


def _msg(session: IrcRooms, rest: str) -> Lines:
    nick, text = _two(rest)
    return session.talk(nick, text)


def _join(session: IrcRooms, rest: str) -> Lines:
    name, key = _two(rest)
    return session.go_to(room_name(name.partition(",")[0]), key)


def _of_room(session: IrcRooms, rest: str) -> tuple[str, str]:
    """The room that is named first, or else this one; and what follows."""
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
    """A topic that is nothing but a room's name is none: that room's topic is meant."""
    if is_room(text) and len(text.split()) == 1:
        return [body("TOPIC", text)]
    if text == "-":
        return [body("TOPIC", session.here(), "")]
    return [_with_text("TOPIC", session.here(), text)]


def _kick(session: IrcRooms, rest: str) -> Lines:
    room, rest = _of_room(session, rest)
    nick, why = _two(rest)
    return [_with_text("KICK", room, nick, why)]


def _mode(session: IrcRooms, rest: str) -> Lines:
    """Of the room, unless a room or we ourselves are named."""
    words = rest.split()
    named = words and (is_room(words[0]) or session.is_me(words[0]))
    return [body("MODE", *([] if named else [session.here()]), *words)]


def _set(mode: str) -> Callable[[IrcRooms, str], Lines]:
    """Of people in the room: for each of them the same."""

    def lines(session: IrcRooms, nicks: str) -> Lines:
        people = nicks.split()
        return [body("MODE", session.here(), mode[0] + mode[1] * len(people), *people)]

    return lines


def _bans(sign: str) -> Callable[[IrcRooms, str], Lines]:
    def lines(session: IrcRooms, masks: str) -> Lines:
        full = [full_mask(mask) for mask in masks.split()]
        return [body("MODE", session.here(), f"{sign}b", mask) for mask in full]

    return lines


def _notice(session: IrcRooms, rest: str) -> Lines:
    target, text = _two(rest)
    return session.talk(target, text, notice=True)


def _history(session: IrcRooms, number: str) -> Lines:
    if "draft/chathistory" not in session.caps:
        raise Unsupported("This server does not tell what was said before.")
    if number and not (number.isascii() and number.isdecimal() and int(number[:9])):
        raise Unsupported("/history takes a number of messages.")
    session.want("chathistory")
    return [body("CHATHISTORY", "LATEST", session.here(), "*", number[:9] or _LAST)]


def _search(session: IrcRooms, rest: str) -> Lines:
    """As soju has it (soju.im/search): "after" is at or after, "before" at or before."""
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
    """So many milliseconds later than the day begins."""
    if day is None:
        return ""
    return timestamp(int(day.timestamp()) * 1000 + shift)


def _quit(session: IrcRooms, words: str) -> Lines:
    session.leaving = True
    return [_with_text("QUIT", words)]


def _raw(session: IrcRooms, line: str) -> Lines:
    return [line]


def _with_text(command: str, *params: str) -> str:
    """The last parameter is left out if it is empty."""
    return body(command, *(params if params[-1] else params[:-1]))


#: What has a meaning on the full screen only (client/model/typed.py).
ON_SCREEN = {"buffer", "clear", "close", "ignore", "query", "reconnect", "unignore"}

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
    "rooms": Slash("", "list the rooms", 0, lambda s, rest: ["LIST"]),
    "who": Slash("[ROOM]", "list the people in the room", 0, _who),
    "whois": Slash("NAME", "who that is", 1, lambda s, nick: [body("WHOIS", nick)]),
    "away": Slash(
        "[TEXT]", "say that you are away; without a text, back", 0,
        lambda s, text: s.be_away(text),
    ),
    "notice": Slash("NAME TEXT", "say something that no program answers", 2, _notice),
    "op": Slash("NAME", "let somebody lead the room, too", 1, _set("+o")),
    "deop": Slash("NAME", "let somebody lead it no more", 1, _set("-o")),
    "voice": Slash("NAME", "let somebody speak in a moderated room", 1, _set("+v")),
    "devoice": Slash("NAME", "no more", 1, _set("-v")),
    "ban": Slash("MASK", "let NAME or NAME!USER@HOST in no more; /kick sends out", 1, _bans("+")),
    "unban": Slash("MASK", "let them in again", 1, _bans("-")),
    "topic": Slash("[ROOM|TEXT]", "show the room's topic or set it; - removes it", 0, _topic),
    "mode": Slash("[MODES]", "show the room's modes or set them, as in +o NAME", 0, _mode),
    "history": Slash(
        "[NUMBER]", "show the last messages in the room, with their times", 0, _history
    ),
    "search": Slash(
        "WORDS", "search the room for these words; see the last line", 1, _search
    ),
    "raw": Slash("LINE", "send a line of IRC as it is", 1, _raw),
    "quit": Slash("[WORDS]", "leave", 0, _quit),
}  # fmt: skip
