"""Refusals: of our connection, of a room, of a text, of a command."""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import Message
from trio_chat.protocols.irc.client.answers import ADVICE, KEPT_OUT, NICK_TAKEN, NOT_DONE, NOT_SAID
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import is_room, sentence

Messages = Sequence[Message]


def kept_out(session: IrcRooms, line: Line) -> Messages:
    """A numeric before we are registered. Some servers only say that they do not know CAP."""
    if line.command in NICK_TAKEN and session.try_another(line.param(1)):
        return ()
    if line.command in KEPT_OUT:
        raise NotAdmitted(sentence(line.params[1:-1], line.params[-1]))
    return ()


def failed(session: IrcRooms, line: Line) -> Messages:
    """FAIL (standard-replies)."""
    about, text = line.params[2:-1], sentence(line.params[2:-1], line.params[-1])
    match line.params[0].upper():
        case "IDENTITY":
            session.not_identified()
        case "CHATHISTORY":
            return session.pages.failed(about) or session.catch_up.failed(about)
        case "BATCH":
            return session.refused_batch(text) or reported(session, line)
        case "PRIVMSG" | "NOTICE":
            return session.refused(about, text) or reported(session, line)
        case _ if not session.admitted:
            raise NotAdmitted(line.params[-1])
    return reported(session, line)


def reported(session: IrcRooms, line: Line) -> Messages:
    """FAIL, WARN and NOTE (standard-replies)."""
    about = line.params[2:-1]
    notice = notice_about(session, sentence(about, line.params[-1]), about)
    return [replace(notice, refusal=line.command == "FAIL")]


def refused(session: IrcRooms, line: Line) -> Messages:
    """A numeric that begins with 4 or 5, once we are registered."""
    *about, why = line.params[1:]
    text = sentence(about, why)
    if rooms := [word for word in about if is_room(word) and session.answered(word)]:
        if advice := ADVICE.get(line.command, ""):
            text = f"{text.rstrip('.')}. {advice.format(rooms[0])}"
        if not session.admitted and session.state.requires(rooms[0]):
            raise NotAdmitted(text)
        return [_refused_to_enter(session, rooms[0], text)]
    failed = session.refused(about, text) if _may_refuse_text(session, line) else ()
    return failed or [replace(notice_about(session, text, about), refusal=True)]


def _refused_to_enter(session: IrcRooms, room: str, text: str) -> Message:
    """Do not try that room again after a lost connection."""
    been_in = room in session.state.last
    out = session.left(room, text)
    return out if been_in else Notice(text, room=room, refusal=True)


def _may_refuse_text(session: IrcRooms, line: Line) -> bool:
    """Without echoes, any refusal that names the target may be about a text."""
    if line.command in NOT_SAID:
        return True
    about_something = len(line.params) > 2 and line.command not in NOT_DONE
    return about_something and "echo-message" not in session.caps


def notice_about(session: IrcRooms, text: str, about: Sequence[str]) -> Notice:
    """Tell it in the first room that it names, even if we are not there."""
    rooms = [word for word in about if word in session.inside or is_room(word)]
    return Notice(text, room=rooms[0] if rooms else "")
