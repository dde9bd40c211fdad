"""The messages of clients: PRIVMSG and NOTICE, in one line or several, and tags without a text."""

import re
from collections.abc import Iterable, Iterator, Sequence

from trio_chat.core.commands import DirectMessage, Say, SetTopic, TagMessage
from trio_chat.core.letters import cut
from trio_chat.core.modes import STATUS
from trio_chat.core.names import distinct
from trio_chat.protocols.clean import clean
from trio_chat.protocols.confidential import NOT_SAID, is_held_back
from trio_chat.protocols.irc import batches, services
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.fitting import fits
from trio_chat.protocols.irc.info import IDENTITY, TARGETS_MAX
from trio_chat.protocols.irc.message import Message, render_tags
from trio_chat.protocols.irc.multiline import combined
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.irc.text import read_action
from trio_chat.protocols.session import Ask

# A client-only tag of our own: a message with the id of an earlier one is the same, sent again.
_ID = "+trio-chat/id"
_ID_FORM = re.compile("[A-Za-z0-9_-]{16,64}")

# "<client_prefix> [ <vendor> '/' ] <key_name>", the vendor a host's name (message-tags, "Format").
_KEY = re.compile(r"\+(?:[A-Za-z0-9.-]+/)?[A-Za-z0-9-]+")


def say(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    """Read PRIVMSG or NOTICE."""
    notice = message.command == "NOTICE"
    if not message.param(0):
        if not notice:
            out.numeric(n.ERR_NORECIPIENT, f"No recipient given ({message.command})")
        return
    if not message.param(1):
        if not notice:
            out.last_param(n.ERR_NOTEXTTOSEND, "No text to send")
        return
    if not notice and any(map(services.is_nickserv, message.params[0].split(","))):
        yield from services.nickserv(out, message.params[1])  # and nobody else hears a password
        return
    (text, action), tags = read_action(message.params[1]), _client_tags(message)
    targets = each_target(out, message.params[0])
    if why := _bad_id(message, targets):
        out.fail(message.command, "INVALID_ID", why)
        return
    for target in targets:
        # The line that others are sent is longer by the sender's address. It is better to refuse a
        # text than to cut it.
        if not fits(out.peer.address, message.command, target, message.params[1]):
            out.error(n.ERR_INPUTTOOLONG, "Input line was too long")
        else:
            yield _said(target, text, action, notice, tags, message.tags.get(_ID, ""))


def say_lines(out: ReplyBuffer, collector: batches.Collector, message: Message) -> Iterator[Ask]:
    """Read a line of a message that has several; its last line asks for all of it."""
    batch = collector.collect(message)
    if batch is None:
        return
    out.verb = batch.command
    out.answer_with(batch.label)
    text, concat_at = combined(batch.pieces)
    if why := _bad_id(batch.opening, [batch.target]):
        out.fail(batch.command, "INVALID_ID", why)
        return
    notice, tags = batch.command == "NOTICE", _client_tags(batch.opening)
    token = batch.opening.tags.get(_ID, "")
    yield _said(batch.target, text, batch.action, notice, tags, token, concat_at)


def unless_confidential(out: ReplyBuffer, asks: Iterable[Ask]) -> Sequence[Ask]:
    """What a line asks for; nothing, which is told, if it would say what may be a password."""
    asks = tuple(asks)
    if any(isinstance(ask.command, _SAYING) and is_held_back(ask.command.text) for ask in asks):
        why = NOT_SAID if IDENTITY in out.peer.caps else _NOT_SAID
        out.fail(out.verb, "MAY_HOLD_PASSWORD", why)
        return ()
    return asks


_SAYING = (Say, DirectMessage, SetTopic)

_NOT_SAID = (
    "Nobody was sent that, as a password may be in it. /msg NickServ IDENTIFY ACCOUNT PASSWORD "
    "logs in; a text that begins with two slashes is sent all the same."
)


def _said(
    target: str,
    text: str,
    action: bool,
    notice: bool,
    tags: str,
    token: str,
    concat_at: tuple[int, ...] = (),
) -> Ask:
    """The command for a room, or for a person."""
    status, room = _room_of(target)
    if room:
        return Ask(Say(room, text, action, notice, status, tags, token, concat_at))
    return Ask(DirectMessage(target, text, action, notice, tags, token, concat_at))


def _bad_id(message: Message, targets: Sequence[str]) -> str:
    """Why the message's own id is refused; empty if it is good, or there is none."""
    if _ID not in message.tags:
        return ""
    if len(targets) > 1:
        return "A message with an id can have only one target"
    if not _ID_FORM.fullmatch(message.tags[_ID]):
        return "An id has 16 to 64 letters, digits, - and _"
    return ""


def tagmsg(out: ReplyBuffer, message: Message) -> Iterator[Ask]:
    """Read TAGMSG: tags without a text."""
    if not message.param(0):
        out.numeric(n.ERR_NORECIPIENT, "No recipient given (TAGMSG)")
        return
    if tags := _client_tags(message):
        for target in each_target(out, message.params[0]):
            status, room = _room_of(target)
            yield Ask(TagMessage(tags, room, "" if room else target, status))


def _client_tags(message: Message) -> str:
    """The client-only tags of a message, those that begin with a plus; others are not relayed.

    Nor are tags whose key is malformed, or whose value would have to be cleaned because it steers a
    terminal, or hides or reverses text.
    """
    tags = message.tags.items()
    return render_tags({k: v for k, v in tags if _KEY.fullmatch(k) and clean(v) == v})


def each_target(out: ReplyBuffer, text: str) -> Sequence[str]:
    """The targets between commas, each once, as many as are allowed."""
    targets = distinct(target for target in text.split(",") if target)
    if len(targets) > TARGETS_MAX:
        too_many_targets(out, targets[TARGETS_MAX])
    return targets[:TARGETS_MAX]


def too_many_targets(out: ReplyBuffer, first: str) -> None:
    """Tell that targets are left out, of which ``first`` is the first: ERR_TOOMANYTARGETS (407)."""
    out.error(n.ERR_TOOMANYTARGETS, cut(first, 50), "Too many targets")


def _room_of(target: str) -> tuple[str, str]:
    """The status and room of a target such as ``@#room``; two empty texts for a person."""
    name = target.lstrip("".join(STATUS.values()))
    return (target[: len(target) - len(name)][:1], name) if name.startswith("#") else ("", "")
