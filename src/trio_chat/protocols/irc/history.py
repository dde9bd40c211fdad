"""What was said before: CHATHISTORY and MARKREAD (ircv3.net, "chathistory" and "read-marker"), and
SEARCH (soju.im/search).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from trio_chat.core.commands import (
    Bound,
    Command,
    ListTalks,
    MarkRead,
    Recall,
    Seek,
    ShowMark,
    Span,
)
from trio_chat.core.events import Found, Recalled, Refused, Talks, is_id
from trio_chat.core.names import nick_problem, room_problem
from trio_chat.core.refusals import Code
from trio_chat.protocols.irc.info import FOUND_MAX, HISTORY_MAX
from trio_chat.protocols.irc.message import Message, parse_tags
from trio_chat.protocols.irc.times import read_timestamp, timestamp

if TYPE_CHECKING:
    from trio_chat.protocols.irc.session import IrcSession

Commands = Iterable[Command]


class Bad(Exception):
    """A parameter cannot be read: ``code`` and ``context`` go into the FAIL, and why."""

    def __init__(self, why: str, *context: str, code: str = "INVALID_PARAMS") -> None:
        super().__init__(why)
        self.code, self.context = code, context


# ── CHATHISTORY ────────────────────────────────────────────────────────────────────────────────


def chathistory(session: "IrcSession", message: Message) -> Commands:
    given = message.param(0)
    try:
        command = _read_chathistory(session, message.params)
    except Bad as bad:
        session.fail("CHATHISTORY", bad.code, given or "*", *bad.context, str(bad))
        return ()
    target = command.target if isinstance(command, Recall) else "*"
    session.otherwise = lambda refused: _no_history(session, given, target, refused)
    session.answered = _talks(session) if isinstance(command, ListTalks) else _recalled(session)
    return [command]


def _read_chathistory(session: "IrcSession", params: Sequence[str]) -> Recall | ListTalks:
    name = params[0].upper() if params else ""
    if name not in _SPANS:
        raise Bad("Unknown command")
    count, span = _SPANS[name]
    wanted = count + 2 + (name != "TARGETS")
    if len(params) != wanted:
        raise Bad("Insufficient parameters" if len(params) < wanted else "Too many parameters")
    target = "" if name == "TARGETS" else params[1]
    limit = _limit(params[-1], HISTORY_MAX)
    bounds = [_reference(text, name, target) for text in params[-1 - count : -1]]
    if name == "TARGETS":
        one, other = (bound for bound in bounds if isinstance(bound, int))
        return ListTalks(min(one, other), max(one, other), limit, first=one <= other)
    return Recall(target, span(*bounds), limit, events="draft/event-playback" in session.caps)


def _reference(text: str, name: str, target: str) -> Bound:
    if name == "LATEST" and text == "*":
        return ""
    kind, equals, value = text.partition("=")
    if kind == "timestamp":
        return _moment(value, text)
    if kind == "msgid" and name != "TARGETS":
        if not is_id(value):
            raise Bad("Invalid msgid", text)
        return value
    if not equals:
        raise Bad("Invalid message reference", text)
    why = "Messages can be referred to by timestamp and msgid, targets by timestamp"
    raise Bad(why, target or "*", text, code="INVALID_MSGREFTYPE")


def _between(start: Bound, end: Bound) -> Span:
    """ "Counted starting from … the first message selector"; "forwards or backwards in time"."""
    match start, end:
        case (str(), str()) | (int(), int()) if start > end:  # type: ignore[operator]
            return Span(after=end, before=start)
        case (str(), int()) | (int(), str()):
            return Span(after=start, before=end, first=True, either=True)
    return Span(after=start, before=end, first=True)


# Of each subcommand: how many references it has, and which span they make.
_SPANS: dict[str, tuple[int, Callable[..., Span]]] = {
    "AFTER": (1, lambda bound: Span(after=bound, first=True)),
    "AROUND": (1, lambda bound: Span(around=bound)),
    "BEFORE": (1, lambda bound: Span(before=bound)),
    "BETWEEN": (2, _between),
    "LATEST": (1, lambda bound: Span(after=bound)),
    "TARGETS": (2, _between),
}


def _recalled(session: "IrcSession") -> Callable[[Recalled], None]:
    def answered(recalled: Recalled) -> None:
        session.open_batch("chathistory", recalled.target)
        session.entries(recalled.entries)

    return answered


def _talks(session: "IrcSession") -> Callable[[Talks], None]:
    def answered(talks: Talks) -> None:
        session.open_batch("draft/chathistory-targets")
        for name, at in talks.talks:
            session.send("CHATHISTORY", "TARGETS", name, timestamp(at))

    return answered


def _no_history(session: "IrcSession", given: str, target: str, refused: Refused) -> None:
    """ "If the target does not exist or the client does not have permissions to query it, …
    INVALID_TARGET"; "if no message history can be returned due to an error, … MESSAGE_ERROR".
    """
    code = "MESSAGE_ERROR" if refused.code is Code.UNAVAILABLE else "INVALID_TARGET"
    session.fail("CHATHISTORY", code, given, target, "Messages could not be retrieved")


# ── MARKREAD ───────────────────────────────────────────────────────────────────────────────────


def markread(session: "IrcSession", message: Message) -> Commands:
    target = message.param(0)
    if not target:
        session.fail("MARKREAD", "NEED_MORE_PARAMS", "Missing parameters")
        return ()
    try:
        command = _read_markread(target, message.params[1:])
    except Bad as bad:
        session.fail("MARKREAD", bad.code, *bad.context, str(bad))
        return ()
    text = "The read timestamp could not be set"
    session.otherwise = lambda _: session.fail("MARKREAD", "INTERNAL_ERROR", target, text)
    return [command]


def _read_markread(target: str, rest: Sequence[str]) -> MarkRead | ShowMark:
    if room_problem(target) if target.startswith("#") else nick_problem(target):
        raise Bad("Invalid parameters", target)
    if not rest:
        return ShowMark(target)
    # "The timestamp MUST NOT be a literal *."
    kind, _, value = rest[0].partition("=")
    at = read_timestamp(value)
    if kind != "timestamp" or at is None:
        raise Bad("Invalid parameters", target, rest[0])
    return MarkRead(target, at)


# ── SEARCH ─────────────────────────────────────────────────────────────────────────────────────


def search(session: "IrcSession", message: Message) -> Commands:
    try:
        command = _read_search(parse_tags(message.param(0)))
    except Bad as bad:
        session.fail("SEARCH", bad.code, *bad.context, str(bad))
        return ()
    session.otherwise = lambda refused: _no_search(session, refused)
    session.answered = _found(session)
    return [command]


def _read_search(attributes: dict[str, str]) -> Seek:
    """Times are inclusive: "at or after", "at or before"."""
    if unknown := attributes.keys() - {"in", "from", "after", "before", "text", "limit"}:
        raise Bad("Unknown attributes", *sorted(unknown))
    if not attributes:
        raise Bad("There is nothing to search for")
    after = _moment(attributes["after"], "after") - 1 if "after" in attributes else ""
    before = _moment(attributes["before"], "before") + 1 if "before" in attributes else ""
    limit = _limit(attributes.get("limit", str(FOUND_MAX)), FOUND_MAX)
    words, target, nick = (attributes.get(key, "") for key in ("text", "in", "from"))
    return Seek(words, limit, target, nick, Span(after, before))


def _found(session: "IrcSession") -> Callable[[Found], None]:
    def answered(found: Found) -> None:
        session.open_batch("soju.im/search")
        session.entries(found.entries)

    return answered


def _no_search(session: "IrcSession", refused: Refused) -> None:
    if refused.code is Code.UNAVAILABLE:
        session.fail("SEARCH", "INTERNAL_ERROR", "The search could not be run")
    else:
        session.fail("SEARCH", "INVALID_PARAMS", "in", refused.why)


# ── parameters ─────────────────────────────────────────────────────────────────────────────────


def _limit(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not int(text):
        raise Bad("Invalid limit", text)
    return min(int(text), most)


def _moment(value: str, given: str) -> int:
    """In unix milliseconds."""
    if (at := read_timestamp(value)) is None:
        raise Bad("Invalid timestamp", given)
    return at
