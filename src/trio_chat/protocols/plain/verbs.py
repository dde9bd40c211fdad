"""The commands that begin with a slash: one row each."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from trio_chat.core.commands import (
    BlockAccount,
    Command,
    DirectMessage,
    DropAccount,
    DropKey,
    EndDevice,
    ExplainLimits,
    Invite,
    Join,
    Kick,
    LiftRoomBan,
    LogIn,
    LogOut,
    MakeKey,
    Prefer,
    Quit,
    Register,
    Remove,
    Rename,
    RenameRoom,
    Report,
    Say,
    SetModes,
    SetPassword,
    SetTopic,
    UnblockAccount,
)
from trio_chat.core.events import Change, is_id
from trio_chat.core.names import fold, room_problem
from trio_chat.core.preferences import PREFERENCES
from trio_chat.core.queries import (
    Bound,
    ExportAccount,
    ListBlocks,
    ListDevices,
    ListMembers,
    ListRooms,
    Recall,
    Seek,
    ShowAccount,
    ShowMasks,
    ShowPreferences,
    ShowTopic,
    Span,
)
from trio_chat.core.refusals import Code
from trio_chat.core.views import Notice, Refused
from trio_chat.core.words import is_number
from trio_chat.protocols import invitation
from trio_chat.protocols.audit import OF_AUDIT, OF_REPORT, OF_REPORTS, read_audit, read_reports
from trio_chat.protocols.moderation import (
    OF_MODERATION,
    BadDuration,
    read_lock,
    read_room_ban,
    read_uban,
)
from trio_chat.protocols.plain.wording import ALWAYS_IN_A_ROOM
from trio_chat.protocols.slashes import (
    FILTERS,
    OF_ACCOUNTS,
    OF_MENTIONS,
    OF_STATUS,
    ONE_WORD,
    complaint,
    overview,
    read_mentions,
    read_search,
    spelled_out,
)

# Messages of one /history by default and at most; and of one /search.
_HISTORY, _HISTORY_MAX, _FOUND_MAX = 50, 500, 50


class Verb(NamedTuple):
    """A row: ``arguments`` and what it ``does`` for /help, how many are ``needed``.

    ``read`` takes the room that the person is in, and the text after the verb, stripped.
    """

    arguments: str
    does: str
    needed: int
    read: Callable[[str, str], Command | Notice | Refused]


def read_verb(
    room: str, line: str, rows: Mapping[str, Verb] | None = None
) -> Command | Notice | Refused:
    """Read a ``line`` that begins with a slash, by the plain dialect's ``rows`` or others."""
    rows = VERBS if rows is None else rows
    usual = spelled_out(line)  # not used for verbs we lack: their reply names what was typed
    if re.split(r"\s", usual[1:], maxsplit=1)[0].lower() in rows:
        line = usual
    word, rest = (*re.split(r"\s", line[1:], maxsplit=1), "")[:2]
    if rows is VERBS and (why := _ELSEWHERE.get(word.lower())):
        return Refused(why)
    if why := complaint(rows, word, rest):
        return Refused(why)
    try:
        return rows[word.lower()].read(room, rest.strip())
    except BadDuration as error:
        return Refused(str(error))


def _is_room(text: str) -> bool:
    return text.startswith("#") and not room_problem(text)


def _join(room: str, name: str) -> Command:
    return Join(name if name.startswith("#") else f"#{name}")


def _tell(room: str, rest: str) -> Command | Refused:
    nick, text = rest.split(maxsplit=1)
    if fold(nick.partition("@")[0]) == "nickserv":
        return Refused(_NO_NICKSERV)
    return DirectMessage(nick, text)


def _who(room: str, other: str) -> Command:
    return ListMembers(other if _is_room(other) else room)


def _topic(room: str, text: str) -> Command:
    if _is_room(text):  # a room's name alone is not a topic
        return ShowTopic(text)
    return SetTopic(room, "" if text == "-" else text) if text else ShowTopic(room)


def _kick(room: str, rest: str) -> Command:
    nick, why = (*rest.split(maxsplit=1), "")[:2]
    return Kick(room, nick, why)


def _rename(room: str, rest: str) -> Command:
    name, why = (*rest.split(maxsplit=1), "")[:2]
    return RenameRoom(room, name if name.startswith("#") else f"#{name}", why)


class _Named(NamedTuple):
    """A message as /remove and /report name it: by its ``id``, or as the last one of a ``nick``;
    in the room, or in the private conversation with ``partner``.
    """

    id: str = ""
    nick: str = ""
    why: str = ""
    partner: str = ""


def _message(rest: str) -> _Named | None:
    """Read which message is meant, and why; None if it is none of the forms."""
    which, more = (*rest.split(maxsplit=1), "")[:2]
    if is_id(which):
        return _Named(which, why=more)
    if which.lower() != "last":
        return None
    nick, why = (*more.split(maxsplit=1), "", "")[:2]
    if nick.lower() == "private" and why:
        partner, why = (*why.split(maxsplit=1), "")[:2]
        return _Named(why=why, partner=partner)
    return _Named(nick=nick, why=why)


def _remove(room: str, rest: str) -> Command | Refused:
    which, why = (*rest.split(maxsplit=1), "")[:2]
    if which.lower() == "topic":
        return Remove(room, why=why, topic=True)
    if (named := _message(rest)) is None:
        return Refused(
            "/remove takes last, last NAME, last private NAME, topic, or the id of a message."
        )
    return Remove(named.partner or room, named.id, named.why, named.nick)


def _history(room: str, rest: str) -> Command | Refused:
    number = rest
    if rest.lower().startswith("private "):
        room, number = (*rest.split()[1:], "")[:2]
    if not number:
        return Recall(room, Span(), _HISTORY)
    if not (is_number(number) and int(number)):
        return Refused(f"/history takes a number of messages, from 1 to {_HISTORY_MAX}.")
    return Recall(room, Span(), min(int(number), _HISTORY_MAX))


def _search(room: str, rest: str) -> Command | Refused:
    try:
        sought = read_search(rest)
    except ValueError as error:
        return Refused(str(error))
    # "after" includes the day itself, from its beginning on.
    span = Span(_begin(sought.after, -1), _begin(sought.before))
    return Seek(sought.words, _FOUND_MAX, sought.room or room, sought.nick, span)


def _mentions(room: str, rest: str) -> Command | Refused:
    return read_mentions(rest) or Refused(f"Usage: /mentions {OF_MENTIONS[0]}")


def _begin(day: datetime | None, shift: int = 0) -> Bound:
    """The moment when a day begins, or ``shift`` milliseconds later; empty without a day."""
    return int(day.timestamp()) * 1000 + shift if day else ""


def _register(room: str, password: str) -> Command | Refused:
    return _new_password(password) or Register(password)


def _set_password(room: str, password: str) -> Command | Refused:
    return _new_password(password) or SetPassword(password)


def _new_password(password: str) -> Refused | None:
    """Why /login would not understand a password."""
    if len(password.split()) > 1:
        return Refused(ONE_WORD, Code.BAD_PASSWORD)
    return None


def _log_in(room: str, rest: str) -> Command:
    """Without a name, it is the one that was asked for last, which the session knows."""
    name, password = (*rest.split(maxsplit=1), "")[:2]
    return LogIn(name, password) if password else LogIn("", name)


def read_token(verb: str, name: str) -> Command | None:
    """Read what somebody wants of the keys to their account; None if it is nothing."""
    if verb == "list" and not name:
        return ShowAccount()
    if verb == "new" and name:
        return MakeKey(name)
    if verb == "drop" and name:
        return DropKey(name)
    return None


def _token(room: str, rest: str) -> Command | Refused:
    verb, name = (*rest.split(maxsplit=1), "", "")[:2]
    return read_token(verb, name) or Refused(f"Usage: /token {VERBS['token'].arguments}")


def read_devices(words: Sequence[str]) -> Command | None:
    """Read what somebody wants of their connections; None if it is nothing."""
    match words:
        case []:
            return ListDevices()
        case ["end", number]:
            return EndDevice(number)
    return None


def _devices(room: str, rest: str) -> Command | Refused:
    usage = f"Usage: /devices {VERBS['devices'].arguments}"
    return read_devices(rest.split()) or Refused(usage)


def read_set(words: Sequence[str]) -> Command | Refused | None:
    """Read what somebody chooses for their account; None if it is nothing."""
    match [word.lower() for word in words]:
        case []:
            return ShowPreferences()
        case [name, "on" | "off" as on]:
            return Prefer(name, on == "on")
        case [name, *_] if name in PREFERENCES:
            return Refused(f"{name} is either on or off.")
    return None


def _set(room: str, rest: str) -> Command | Refused:
    return read_set(rest.split()) or Refused(f"Usage: /set {VERBS['set'].arguments}")


def _account(room: str, rest: str) -> Command | Refused:
    verb, name = (*rest.split(maxsplit=1), "", "")[:2]
    if rest == "export":
        return ExportAccount()
    if verb != "delete":
        return ShowAccount(rest)
    return DropAccount(name) if name else Refused("Usage: /account delete NAME")


def _invitation(room: str, rest: str) -> Command | Refused:
    return invitation.read_request(rest) or Refused(invitation.usage(rest, "/invitation"))


def _report(room: str, rest: str) -> Command | Refused:
    named = _message(rest)
    if named is None or not (named.id or named.nick or named.partner):
        return Refused("/report takes last NAME, last private NAME, or the id of a message.")
    return Report(named.partner or room, named.id, named.why, named.nick or named.partner)


def _reports(room: str, rest: str) -> Command | Refused:
    return read_reports(rest) or Refused(f"Usage: /reports {OF_REPORTS[0]}")


def _audit(room: str, rest: str) -> Command | Refused:
    return read_audit(rest) or Refused(f"Usage: /audit {OF_AUDIT[0]}")


def _why(room: str, other: str) -> Command:
    return ExplainLimits(other if other.startswith("#") or not other else f"#{other}")


def _uban(room: str, rest: str) -> Command | Refused:
    return read_uban(rest) or Refused(f"Usage: /uban {OF_MODERATION['uban'][0]}")


def _ban(*, mute: bool) -> Callable[[str, str], Command]:
    return lambda room, rest: read_room_ban(room, rest, mute=mute)


def _status(mode: str, *, add: bool) -> Callable[[str, str], Command]:
    """Give people a status in the room, or take it away."""
    return lambda room, nicks: SetModes(
        room, tuple(Change(add, mode, nick) for nick in nicks.split())
    )


def _help(room: str, rest: str) -> Notice:
    return Notice("\n".join([*overview(VERBS), FILTERS]))


_WITH_IRC = "Only an IRC client, such as 'trio-chat client', can do that here."

_NO_NICKSERV = "/login [NAME] PASSWORD logs in here, and /register PASSWORD makes an account."

#: The replies to commands that people know from elsewhere: what there is here instead.
_ELSEWHERE = {
    **dict.fromkeys(("part", "leave", "close"), ALWAYS_IN_A_ROOM),
    **dict.fromkeys(("nickserv", "ns", "identify"), _NO_NICKSERV),
    **dict.fromkeys(("notice", "query"), "/msg NAME TEXT says something to one person only."),
    **dict.fromkeys(
        ("whois", "wi"),
        "/who lists the people in the room, and /account NAME tells of an account. Only an IRC "
        "client, such as 'trio-chat client', shows who is logged in to which.",
    ),
    **dict.fromkeys(("away", "back", "mode", "raw"), _WITH_IRC),
}

VERBS = {
    "help": Verb("", "show this list", 0, _help),
    "nick": Verb("NAME", "change your nickname", 1, lambda room, name: Rename(name)),
    "me": Verb(
        "TEXT", "say what you do: * alice waves", 1, lambda room, text: Say(room, text, True)
    ),
    "msg": Verb(
        "NAME TEXT",
        "say something to one person only; who has an account need not be here",
        2,
        _tell,
    ),
    "join": Verb("ROOM", "go to another room, or make a new one", 1, _join),
    "invite": Verb("NAME", "invite somebody to the room", 1, lambda room, name: Invite(room, name)),
    "kick": Verb("NAME [WHY]", "remove somebody from the room, if you are its operator", 1, _kick),
    "ban": Verb(*OF_MODERATION["ban"], _ban(mute=False)),
    "mute": Verb(*OF_MODERATION["mute"], _ban(mute=True)),
    "unban": Verb(*OF_MODERATION["unban"], LiftRoomBan),
    "bans": Verb(*OF_MODERATION["bans"], lambda room, rest: ShowMasks(room, "b")),
    "op": Verb(*OF_STATUS["op"], _status("o", add=True)),
    "deop": Verb(*OF_STATUS["deop"], _status("o", add=False)),
    "voice": Verb(*OF_STATUS["voice"], _status("v", add=True)),
    "devoice": Verb(*OF_STATUS["devoice"], _status("v", add=False)),
    "rename": Verb("ROOM [WHY]", "give the room another name", 1, _rename),
    "remove": Verb(
        "last|last NAME|last private NAME|topic|ID [WHY]",
        "remove your last message, or a topic; an operator also others'",
        1,
        _remove,
    ),
    "rooms": Verb("", "list the rooms", 0, lambda room, rest: ListRooms()),
    "who": Verb("[ROOM]", "list the people in the room", 0, _who),
    "topic": Verb("[TEXT]", "show the room's topic or set it; - removes it", 0, _topic),
    "history": Verb(
        "[private NAME] [NUMBER]",
        "show the last messages in the room, or those between NAME and you, with their times",
        0,
        _history,
    ),
    "mentions": Verb(*OF_MENTIONS, _mentions),
    "search": Verb("WORDS", "search the room for these words; see the last line", 1, _search),
    "register": Verb(*OF_ACCOUNTS["register"], _register),
    "login": Verb(*OF_ACCOUNTS["login"], _log_in),
    "logout": Verb(*OF_ACCOUNTS["logout"], lambda room, rest: LogOut()),
    "password": Verb(*OF_ACCOUNTS["password"], _set_password),
    "token": Verb(*OF_ACCOUNTS["token"], _token),
    "block": Verb(*OF_ACCOUNTS["block"], lambda room, name: BlockAccount(name)),
    "unblock": Verb(*OF_ACCOUNTS["unblock"], lambda room, name: UnblockAccount(name)),
    "blocks": Verb(*OF_ACCOUNTS["blocks"], lambda room, rest: ListBlocks()),
    "set": Verb(*OF_ACCOUNTS["set"], _set),
    "devices": Verb(*OF_ACCOUNTS["devices"], _devices),
    "account": Verb(*OF_ACCOUNTS["account"], _account),
    "invitation": Verb(invitation.ARGUMENTS, invitation.DOES, 0, _invitation),
    "uban": Verb(*OF_MODERATION["uban"], _uban),
    "lock": Verb(*OF_MODERATION["lock"], lambda room, rest: read_lock(rest)),
    "report": Verb("last NAME|last private NAME|ID [WHY]", *OF_REPORT[1:], _report),
    "reports": Verb(*OF_REPORTS, _reports),
    "audit": Verb(*OF_AUDIT, _audit),
    "why": Verb(*OF_MODERATION["why"], _why),
    "quit": Verb("", "leave", 0, lambda room, rest: Quit()),
}
