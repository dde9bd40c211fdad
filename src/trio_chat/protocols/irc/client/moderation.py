"""The commands about bans, the lock, the audit and one's own limits, for a client of IRC."""

from collections.abc import Callable, Sequence

from trio_chat.core.commands import LiftBan, SetBan
from trio_chat.core.masks import full_mask
from trio_chat.core.queries import ListBans
from trio_chat.errors import Unsupported
from trio_chat.protocols.durations import written
from trio_chat.protocols.irc.client.account import check_server
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.info import IDENTITY
from trio_chat.protocols.irc.message import body, word
from trio_chat.protocols.moderation import OF_MODERATION, read_room_ban, read_uban

Lines = Sequence[str]


def uban(session: IrcRooms, rest: str) -> Lines:
    """Write UBAN as ergo has it, so that it works there as well; only we can mute."""
    match read_uban(rest):
        case SetBan(whom, seconds, mute, why):
            lasts = ["DURATION", written(seconds)] if seconds else []
            words = [word(whom), *(["MUTE"] if mute else []), *lasts, *([why] if why else [])]
            return [body("UBAN", "ADD", *words)]
        case LiftBan(which):
            return [body("UBAN", "DEL", which)]
        case ListBans(whom):
            return [body("UBAN", "INFO", whom) if whom else body("UBAN", "LIST")]
    raise Unsupported(f"Usage: /uban {OF_MODERATION['uban'][0]}")


def to_ours(verb: str) -> Callable[[IrcRooms, str], Lines]:
    """Write a command that only our own server has, with its words."""

    def lines(session: IrcRooms, rest: str) -> Lines:
        check_server(session)
        return [body(verb, *rest.split())]

    return lines


def why(session: IrcRooms, rest: str) -> Lines:
    """Ask about the room that is named, or the one that is shown if it keeps us out."""
    check_server(session)
    return [body("WHY", *(rest.split()[:1] or session.outside()))]


def ban(session: IrcRooms, room: str, rest: str, *, mute: bool = False) -> Lines:
    """Write BAN or MUTE for our own server; other servers have bans without an end."""
    whom, terms = (*rest.split(maxsplit=1), "", "")[:2]
    if mute:
        check_server(session)
    if IDENTITY in session.offered:
        return [body("MUTE" if mute else "BAN", room, whom, *([terms] if terms else []))]
    asked = read_room_ban(room, rest, mute=False)
    if asked.seconds:
        raise Unsupported("This server cannot end a ban by itself: leave out how long.")
    banned = body("MODE", room, "+b", full_mask(whom))
    if {*whom} & {*"!@*?"}:
        return [banned]
    return [banned, body("KICK", room, whom, *([asked.why] if asked.why else []))]


def unban(session: IrcRooms, room: str, which: str) -> Lines:
    if IDENTITY in session.offered:
        return [body("UNBAN", room, which)]
    return [body("MODE", room, "-b", full_mask(which))]


def bans(session: IrcRooms, room: str) -> Lines:
    return [body("MODE", room, "+b")]
