"""REDACT: the removal of a message (ircv3.net, "message-redaction")."""

from collections.abc import Iterable
from functools import partial

from trio_chat.core.commands import Remove
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

_CODES = {
    Code.UNKNOWN_MESSAGE: "UNKNOWN_MSGID",
    Code.NOT_THE_AUTHOR: "REDACT_FORBIDDEN",
    Code.TOO_LATE_TO_REDACT: "REDACT_WINDOW_EXPIRED",
    Code.UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


def redact(out: ReplyBuffer, message: Message) -> Iterable[Ask]:
    """Read REDACT. The answer is what everybody there is told, or a FAIL."""
    target, msgid = message.params[:2]
    command = Remove(target, msgid, message.param(2))
    return [Ask(command, on_refused=partial(_refused, out, target, msgid))]


def _refused(out: ReplyBuffer, target: str, msgid: str, refused: Refused) -> None:
    """Refuse by the codes of the specification; one of them names the window, in seconds."""
    if (code := _CODES.get(refused.code)) is None:
        out.fail("REDACT", "INVALID_TARGET", target, f"You cannot remove messages from {target}")
        return
    window = refused.about if refused.code is Code.TOO_LATE_TO_REDACT else ()
    out.fail("REDACT", code, target, msgid, *window, refused.why)
