"""The commands about bans of the server, its lock and one's own limits, for a client of IRC."""

from collections.abc import Sequence

from trio_chat.core.commands import LiftBan, ListBans, SetBan
from trio_chat.errors import Unsupported
from trio_chat.protocols.durations import written
from trio_chat.protocols.irc.client.account import check_server
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.moderation import OF_MODERATION, read_uban

Lines = Sequence[str]


def uban(session: IrcRooms, rest: str) -> Lines:
    """Write UBAN as ergo has it, so that it works there as well; only we can mute."""
    match read_uban(rest):
        case SetBan(whom, seconds, mute, why):
            lasts = ["DURATION", written(seconds)] if seconds else []
            words = [whom, *(["MUTE"] if mute else []), *lasts, *([why] if why else [])]
            return [body("UBAN", "ADD", *words)]
        case LiftBan(which):
            return [body("UBAN", "DEL", which)]
        case ListBans(whom):
            return [body("UBAN", "INFO", whom) if whom else body("UBAN", "LIST")]
    raise Unsupported(f"Usage: /uban {OF_MODERATION['uban'][0]}")


def lock(session: IrcRooms, rest: str) -> Lines:
    check_server(session)
    return [body("LOCK", *rest.split())]


def why(session: IrcRooms, rest: str) -> Lines:
    check_server(session)
    return [body("WHY")]
