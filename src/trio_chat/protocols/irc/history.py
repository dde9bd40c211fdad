"""The history that clients ask for: CHATHISTORY, MARKREAD (ircv3.net), SEARCH (soju.im/search),
and MENTIONS, which is our own.

What is found is written by the dialect that wrote it live, so its ids, times, tags and sources are
the same.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from trio_chat.core.events import is_id
from trio_chat.core.names import nick_problem, room_problem
from trio_chat.core.queries import Bound, ListTalks, MarkRead, Recall, Seek, ShowMark, Span
from trio_chat.core.refusals import Code
from trio_chat.core.views import Found, Mentions, Recalled, Refused, Talks
from trio_chat.protocols.irc.info import FOUND_MAX, HISTORY_MAX
from trio_chat.protocols.irc.message import Message, parse_tags
from trio_chat.protocols.irc.reply_buffer import Fault, ReplyBuffer
from trio_chat.protocols.irc.times import read_timestamp, timestamp
from trio_chat.protocols.plain.wording import notices
from trio_chat.protocols.session import Ask
from trio_chat.protocols.slashes import OF_MENTIONS, read_mentions

Asks = Iterable[Ask]


# ── CHATHISTORY ────────────────────────────────────────────────────────────────────────────────


def chathistory(out: ReplyBuffer, message: Message) -> Asks:
    """Read CHATHISTORY. The answer is a batch of "chathistory", or a FAIL."""
    given = message.param(0)
    try:
        command = _read_chathistory(out, message.params)
    except Fault as fault:
        out.fail("CHATHISTORY", fault.code, given or "*", *fault.context, str(fault))
        return ()
    target = command.target if isinstance(command, Recall) else "*"
    refused = partial(_no_history, out, given, target)
    if isinstance(command, ListTalks):
        return [Ask(command, partial(_talks, out), refused)]
    return [Ask(command, partial(_recalled, out, target), refused)]


def _read_chathistory(out: ReplyBuffer, params: Sequence[str]) -> Recall | ListTalks:
    name = params[0].upper() if params else ""
    if name not in _SPANS:
        raise Fault("Unknown command")
    count, span = _SPANS[name]
    wanted = count + 2 + (name != "TARGETS")
    if len(params) != wanted:
        raise Fault("Insufficient parameters" if len(params) < wanted else "Too many parameters")
    target = "" if name == "TARGETS" else params[1]
    limit = _limit(params[-1], HISTORY_MAX)
    bounds = [_reference(text, name, target) for text in params[-1 - count : -1]]
    if name == "TARGETS":
        one, other = (bound for bound in bounds if isinstance(bound, int))
        return ListTalks(min(one, other), max(one, other), limit, first=one <= other)
    return Recall(target, span(*bounds), limit, events="draft/event-playback" in out.peer.caps)


def _reference(text: str, name: str, target: str) -> Bound:
    if name == "LATEST" and text == "*":
        return ""
    kind, equals, value = text.partition("=")
    if kind == "timestamp":
        return _moment(value, text)
    if kind == "msgid" and name != "TARGETS":
        if not is_id(value):
            raise Fault("Invalid msgid", text)
        return value
    if not equals:
        raise Fault("Invalid message reference", text)
    why = "Messages can be referred to by timestamp and msgid, targets by timestamp"
    raise Fault(why, target or "*", text, code="INVALID_MSGREFTYPE")


def _between(start: Bound, end: Bound) -> Span:
    """The span of BETWEEN, which is "counted starting from … the first message selector", and may
    go "forwards or backwards in time".
    """
    match start, end:
        case (str(), str()) | (int(), int()) if start > end:  # type: ignore[operator]
            return Span(after=end, before=start)
        case (str(), int()) | (int(), str()):
            return Span(after=start, before=end, first=True, either=True)
    return Span(after=start, before=end, first=True)


# For each subcommand the number of its references, and the span that they make.
_SPANS: dict[str, tuple[int, Callable[..., Span]]] = {
    "AFTER": (1, lambda bound: Span(after=bound, first=True)),
    "AROUND": (1, lambda bound: Span(around=bound)),
    "BEFORE": (1, lambda bound: Span(before=bound)),
    "BETWEEN": (2, _between),
    "LATEST": (1, lambda bound: Span(after=bound)),
    "TARGETS": (2, _between),
}


def _recalled(out: ReplyBuffer, target: str, recalled: Recalled) -> None:
    """Answer for a room by its name, and for somebody by the name that was asked for, because it is
    by that name that clients know the conversation.
    """
    name = recalled.target
    out.open_batch("chathistory", name if name.startswith("#") else target)
    out.show_entries(recalled.entries)


def _talks(out: ReplyBuffer, talks: Talks) -> None:
    out.open_batch("draft/chathistory-targets")
    for name, at in talks.talks:
        out.send("CHATHISTORY", "TARGETS", name, timestamp(at))


def _no_history(out: ReplyBuffer, given: str, target: str, refused: Refused) -> None:
    """Tell why there is no history.

    "If the target does not exist or the client does not have permissions to query it, …
    INVALID_TARGET"; "if no message history can be returned due to an error, … MESSAGE_ERROR".
    """
    code = "MESSAGE_ERROR" if refused.code is Code.UNAVAILABLE else "INVALID_TARGET"
    out.fail("CHATHISTORY", code, given, target, "Messages could not be retrieved")


# ── MARKREAD ───────────────────────────────────────────────────────────────────────────────────


def markread(out: ReplyBuffer, message: Message) -> Asks:
    """Read MARKREAD. The answer is a MARKREAD with the moment that counts, or a FAIL."""
    target = message.param(0)
    if not target:
        out.fail("MARKREAD", "NEED_MORE_PARAMS", "Missing parameters")
        return ()
    try:
        command = _read_markread(target, message.params[1:])
    except Fault as fault:
        out.fail("MARKREAD", fault.code, *fault.context, str(fault))
        return ()
    text = "The read timestamp could not be set"
    return [Ask(command, on_refused=lambda _: out.fail("MARKREAD", "INTERNAL_ERROR", target, text))]


def _read_markread(target: str, rest: Sequence[str]) -> MarkRead | ShowMark:
    if room_problem(target) if target.startswith("#") else nick_problem(target):
        raise Fault("Invalid parameters", target)
    if not rest:
        return ShowMark(target)
    # "The timestamp MUST NOT be a literal *."
    kind, _, value = rest[0].partition("=")
    at = read_timestamp(value)
    if kind != "timestamp" or at is None:
        raise Fault("Invalid parameters", target, rest[0])
    return MarkRead(target, at)


# ── SEARCH ─────────────────────────────────────────────────────────────────────────────────────


def search(out: ReplyBuffer, message: Message) -> Asks:
    """Read SEARCH. The answer is a batch of "soju.im/search", or a FAIL."""
    try:
        command = _read_search(parse_tags(message.param(0)))
    except Fault as fault:
        out.fail("SEARCH", fault.code, *fault.context, str(fault))
        return ()
    return [Ask(command, partial(_found, out), partial(_no_search, out))]


def _read_search(attributes: dict[str, str]) -> Seek:
    """Read the attributes of a search. Its times are inclusive: "at or after", "at or before"."""
    if unknown := attributes.keys() - {"in", "from", "after", "before", "text", "limit"}:
        raise Fault("Unknown attributes", *sorted(unknown))
    if not attributes:
        raise Fault("There is nothing to search for")
    after = _moment(attributes["after"], "after") - 1 if "after" in attributes else ""
    before = _moment(attributes["before"], "before") + 1 if "before" in attributes else ""
    limit = _limit(attributes.get("limit", str(FOUND_MAX)), FOUND_MAX)
    words, target, nick = (attributes.get(key, "") for key in ("text", "in", "from"))
    return Seek(words, limit, target, nick, Span(after, before))


def _found(out: ReplyBuffer, found: Found) -> None:
    out.open_batch("soju.im/search")
    out.show_entries(found.entries)


# ── MENTIONS ───────────────────────────────────────────────────────────────────────────────────


def mentions(out: ReplyBuffer, message: Message) -> Asks:
    """Read MENTIONS, which is our own. It is answered as a search, or else by NOTICEs."""
    if (asked := read_mentions(message.param(0))) is None:
        out.fail("MENTIONS", "INVALID_PARAMS", f"Usage: MENTIONS {OF_MENTIONS[0]}")
        return ()
    return [Ask(asked, partial(_mentioned, out), partial(_no_search, out))]


def _mentioned(out: ReplyBuffer, found: Mentions) -> None:
    if "soju.im/search" in out.peer.caps:
        out.open_batch("soju.im/search", "mentions")
        out.show_entries(found.entries)
        return
    for notice in notices(found):
        out.send_trailing("NOTICE", out.peer.nick, notice.text)


def _no_search(out: ReplyBuffer, refused: Refused) -> None:
    if refused.code is Code.UNAVAILABLE:
        out.fail(out.verb, "INTERNAL_ERROR", "The search could not be run")
    else:
        out.fail(out.verb, "INVALID_PARAMS", "in", refused.why)


# ── parameters ─────────────────────────────────────────────────────────────────────────────────


def _limit(text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit()) or not int(text):
        raise Fault("Invalid limit", text)
    return min(int(text), most)


def _moment(value: str, given: str) -> int:
    """Read a moment, in unix milliseconds. Raises Fault."""
    if (at := read_timestamp(value)) is None:
        raise Fault("Invalid timestamp", given)
    return at
