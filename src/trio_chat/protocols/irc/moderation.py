"""The commands about bans, those of the server in the words that operators of IRC know.

UBAN has the syntax of ergo, and that of our own ``/uban`` as well. KLINE is about masks, DLINE
about networks, and STATS lists both. LOCK and WHY are our own, and so are BAN, MUTE, UNBAN and
BANS, which do more for a room than MODE can: its bans have no end and no reason.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps

from trio_chat.core.commands import ExplainLimits, LiftBan, LiftRoomBan, Remove, Report, SetBan
from trio_chat.core.masks import full_mask
from trio_chat.core.queries import ListBans, ListBlocks, ShowMasks
from trio_chat.core.views import Answer, Audited, Ban, Bans, Reports
from trio_chat.core.words import known_as
from trio_chat.protocols.audit import (
    OF_AUDIT,
    OF_REPORTS,
    audit_lines,
    read_audit,
    read_reports,
    report_lines,
)
from trio_chat.protocols.durations import ending, read_duration
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc import replies
from trio_chat.protocols.irc.info import IDENTITY
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.moderation import (
    BadDuration,
    duration,
    read_lock,
    read_room_ban,
    read_time,
    read_uban,
)
from trio_chat.protocols.plain.wording import notices
from trio_chat.protocols.session import Ask

Asks = Iterable[Ask]
Read = Callable[[ReplyBuffer, Message], Asks]

UBAN = "[ADD] whom [MUTE] [[DURATION] time] [why]|DEL whom|INFO whom|LIST"
REPORT = "target msgid|last nickname [why]"
REMOVE = "target msgid|topic [why]|last [nickname [why]]"
LINE = "[time|minutes] {} [why]"
BAN = "room nickname|mask [time] [why]"

# Words that other servers understand in a KLINE, and that say what is done here anyway.
_USUAL = ("ANDKILL", "MYSELF")

# What is meant as a duration, and is no mask, network or name: it begins with a number.
_TIME = re.compile(r"[-+.]?\d[\d.]*[a-z][a-z\d]*|[-+.]\d+", re.IGNORECASE | re.ASCII)

_SAME_AS = {"REMOVE": "DEL", "RM": "DEL"}


def _telling(read: Read) -> Read:
    """Tell what is wrong with a duration."""

    @wraps(read)
    def read_or_tell(out: ReplyBuffer, message: Message) -> Asks:
        try:
            return read(out, message)
        except BadDuration as error:
            return _wrong(out, str(error))

    return read_or_tell


@_telling
def uban(out: ReplyBuffer, message: Message) -> Asks:
    """Read UBAN."""
    verb, *words = " ".join(message.params).split() or ["LIST"]
    if verb.upper() == "ADD" and words:
        return _add(out, words)
    verb = _SAME_AS.get(verb.upper(), verb)
    known = verb.lower() if verb.upper() in ("DEL", "LIST", "INFO") else verb
    request = read_uban(" ".join((known, *words)))
    if request is None or verb.upper() == "ADD":
        return _wrong(out, f"Usage: UBAN {UBAN}")
    if isinstance(request, ListBans):
        return [Ask(request, partial(_listed, out))]
    return [Ask(request)]


def _add(out: ReplyBuffer, words: Sequence[str]) -> Asks:
    whom, *rest = words
    seconds, mute = 0, False
    while rest:
        word = rest[0].upper()
        if word == "DURATION" and len(rest) > 1:
            seconds, rest = duration(rest[1]), rest[2:]
        elif word == "MUTE":
            mute, rest = True, rest[1:]
        elif not seconds and (read := read_time(rest[0])) is not None:
            seconds, rest = read, rest[1:]
        elif word == "REQUIRE-SASL":
            return _wrong(out, "REQUIRE-SASL is not known here: LOCK keeps out all guests")
        else:
            break
    return [Ask(SetBan(whom, seconds, mute, " ".join(rest)))]


def _wrong(out: ReplyBuffer, why: str) -> Asks:
    out.fail(out.verb, "INVALID_PARAMS", why)
    return ()


def audit(out: ReplyBuffer, message: Message) -> Asks:
    """Read AUDIT, which is our own."""
    if (asked := read_audit(" ".join(message.params))) is None:
        return _wrong(out, f"Usage: AUDIT {OF_AUDIT[0]}")
    return [Ask(asked, partial(_audited, out))]


def report(out: ReplyBuffer, message: Message) -> Asks:
    """Read REPORT, which is our own: a message by its id, or the last one of somebody."""
    named = _Named(message)
    if not (named.id or named.nick):
        return _wrong(out, f"Usage: REPORT {REPORT}")
    return [Ask(Report(named.target, named.id, nick=named.nick, why=named.why))]


def remove(out: ReplyBuffer, message: Message) -> Asks:
    """Read REMOVE, our own, for people whose client does not know REDACT: a message by its id, or
    the last one of somebody, or one's own last; or the last topic.
    """
    named = _Named(message)
    if named.id.lower() == "topic":
        return [Ask(Remove(named.target, why=named.why, topic=True))]
    return [Ask(Remove(named.target, named.id, named.why, named.nick))]


class _Named:
    """A message as REPORT and REMOVE name it: by its ``id``, or as the last one of a ``nick``."""

    def __init__(self, message: Message) -> None:
        self.target, which, *more = message.params
        is_last = which.lower() == "last"
        self.id = "" if is_last else which
        self.nick = more.pop(0) if is_last and more else ""
        self.why = " ".join(more)


def reports(out: ReplyBuffer, message: Message) -> Asks:
    """Read REPORTS, which is our own."""
    if (asked := read_reports(message.param(0))) is None:
        return _wrong(out, f"Usage: REPORTS {OF_REPORTS[0]}")
    return [Ask(asked, partial(_reported, out))]


def _reported(out: ReplyBuffer, found: Reports) -> None:
    _notify(out, report_lines(found))


def _audited(out: ReplyBuffer, audited: Audited) -> None:
    _notify(out, audit_lines(audited))


def _listed(out: ReplyBuffer, bans: Bans) -> None:
    if IDENTITY in out.peer.caps:
        replies.bans(out, bans)
    else:
        _tell(out, bans)
    if bans.more:
        out.go_on()


def set_line(*, masks: bool) -> Callable[[ReplyBuffer, Message], Asks]:
    """Read KLINE (of ``masks``) or DLINE: a duration, also in minutes, whom, and a reason."""

    @_telling
    def read(out: ReplyBuffer, message: Message) -> Asks:
        words = " ".join(message.params).split()
        while words and words[0].upper() in _USUAL:
            del words[0]
        seconds = _line_time(words[0]) if words else None
        whom, *why = words[seconds is not None :] or [""]
        if not whom:
            return _wrong(out, f"Usage: {out.verb} {LINE.format('whom')}")
        if len(why) > 1 and why[0].upper() == "ON":
            del why[:2]
        return [Ask(SetBan(_whom(whom, masks), seconds or 0, why=" ".join(why)))]

    return read


def lift_line(*, masks: bool) -> Callable[[ReplyBuffer, Message], Asks]:
    """Read UNKLINE (of ``masks``) or UNDLINE."""
    return lambda out, message: [Ask(LiftBan(_whom(message.params[0], masks)))]


def _whom(written: str, masks: bool) -> str:
    is_short = masks and not written.isdigit() and written.strip("!@*?")
    return full_mask(written) if is_short else written


def _line_time(word: str) -> int | None:
    """The seconds of a duration, or of so many minutes; None if the word is a mask or a network.
    Raises BadDuration.
    """
    if word.isascii() and word.isdigit():
        return read_duration(f"{word[:9]}m") or 0
    return duration(word, "whom") if _TIME.fullmatch(word) else read_duration(word)


def ban(*, mute: bool) -> Callable[[ReplyBuffer, Message], Asks]:
    """Read BAN or MUTE."""

    @_telling
    def read(out: ReplyBuffer, message: Message) -> Asks:
        room, *words = message.params
        text = " ".join(words).strip()
        if not text:
            return _wrong(out, f"Usage: {out.verb} {BAN}")
        return [Ask(read_room_ban(room, text, mute=mute))]

    return read


def unban(out: ReplyBuffer, message: Message) -> Asks:
    """Read UNBAN."""
    return [Ask(LiftRoomBan(*message.params[:2]))]


def bans(out: ReplyBuffer, message: Message) -> Asks:
    """Read BANS."""
    return [Ask(ShowMasks(message.params[0], "b"), partial(_tell, out))]


def blocks(out: ReplyBuffer, message: Message) -> Asks:
    """Read BLOCKS."""
    return [Ask(ListBlocks(), partial(_tell, out))]


def _tell(out: ReplyBuffer, answer: Answer) -> None:
    _notify(out, (notice.text for notice in notices(answer)))


def _notify(out: ReplyBuffer, lines: Iterable[str]) -> None:
    for line in lines:
        out.send_trailing("NOTICE", out.peer.nick, line)


@_telling
def lock(out: ReplyBuffer, message: Message) -> Asks:
    """Read LOCK."""
    return [Ask(read_lock(" ".join(message.params)))]


def why(out: ReplyBuffer, message: Message) -> Asks:
    """Read WHY."""
    return [Ask(ExplainLimits(message.param(0)), partial(_tell, out))]


def stats(out: ReplyBuffer, message: Message) -> Asks:
    """Read STATS: with ``k`` the masks and accounts that are banned, with ``d`` the networks."""
    letter = message.param(0)[:1]
    if letter.lower() not in _STATS:
        _end_of_stats(out, letter)
        return ()
    return [Ask(ListBans(), partial(_told_stats, out, letter))]


def _told_stats(out: ReplyBuffer, letter: str, bans: Bans) -> None:
    """Tell bans: RPL_STATSKLINE (216) or RPL_STATSDLINE (225), and RPL_ENDOFSTATS (219)."""
    for ban in bans.bans:
        if (ban.kind == "network") == (letter.lower() == "d"):
            out.last_param(*_STATS[letter.lower()](ban), _reason(ban))
    if bans.more:
        out.go_on()
    else:
        _end_of_stats(out, letter)


def _end_of_stats(out: ReplyBuffer, letter: str) -> None:
    out.last_param(n.RPL_ENDOFSTATS, letter or "*", "End of /STATS report")


def _k_line(ban: Ban) -> tuple[str, ...]:
    nick, _, address = (ban.value if ban.kind == "mask" else f"a:{ban.value}!*@*").partition("!")
    user, _, host = address.partition("@")
    return n.RPL_STATSKLINE, "K", host, nick, user


_STATS: dict[str, Callable[[Ban], tuple[str, ...]]] = {
    "k": _k_line,
    "d": lambda ban: (n.RPL_STATSDLINE, "D", ban.value),
}


def _reason(ban: Ban) -> str:
    end = ending(ban.until) if ban.until else ""
    words = (f"ban {ban.number}", "mute" if ban.mute else "", end)
    return ", ".join(filter(None, (*words, f"by {known_as(ban.by, ban.account)}", ban.why)))
