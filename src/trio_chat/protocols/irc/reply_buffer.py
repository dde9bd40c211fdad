"""The replies to the line in hand, held back until it is known how to label them.

The rules of labels and batches (ircv3.net, "labeled-response" and "batch"):

1. If the line has a label, the label goes on the only reply, on the batch that holds several, or on
   an ACK if there is none. So replies wait until the line is done with.
2. A line that may lead to several replies, or to events as well (JOIN, MODE), opens its batch at
   once: events come by way of the broadcaster, between its replies, and each is written with the
   label or the batch of that moment (``render``).
3. Events that a person is shown as their own are thus replies, too (``_was_shown``): no ACK then.
4. Something that is no reply (a PING, a notice nobody asked for, the answer to an earlier line)
   goes out at once, without the label.
5. A message of several lines is one request: its first line's label is taken from it
   (``take_label``), and answered by its last line (``answer_with``).

A reply is a line of the server's, or something that is shown as everybody else was shown it: that
is written with its tags, once those are known.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from trio_chat.core.events import Entry, Joined, Said, UserModesSet
from trio_chat.core.letters import cut as cut_text
from trio_chat.core.refusals import Code
from trio_chat.core.views import Copy, Refused, Repeated, Shown
from trio_chat.core.words import before_another
from trio_chat.protocols.irc.caps import TAGGED
from trio_chat.protocols.irc.dialect import time_tag
from trio_chat.protocols.irc.fitting import cut
from trio_chat.protocols.irc.hints import quoted
from trio_chat.protocols.irc.info import IDENTITY, URGENT_TAG, ServerInfo
from trio_chat.protocols.irc.message import body, escape, last, safe, trailing, word
from trio_chat.protocols.irc.numerics import REFUSALS
from trio_chat.protocols.irc.peer import Peer
from trio_chat.protocols.plain.wording import explained
from trio_chat.protocols.session import OwnDialect

# Commands whose own specifications demand standard replies; others need a capability: "This
# capability allows servers to send arbitrary standard replies other than ones enabled by a specific
# specification".
_STANDARD = {
    "BATCH", "CHATHISTORY", "IDENTITY", "MARKREAD", "METADATA", "REDACT", "REGISTER", "RENAME",
    "SEARCH",
}  # fmt: skip

# Codes of standard replies that differ from the name of the refusal.
_STANDARD_CODES = {
    Code.LOCKED: "ACCOUNT_REQUIRED",
    Code.BAD_NAME: "INVALID_REALNAME",
    Code.INVITATION_REQUIRED: "ACCOUNT_REQUIRED",
    Code.CANNOT_SET_NAME: "CANNOT_CHANGE_REALNAME",
    Code.UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}

# The refusals after which some command helps.
_WAYS = {
    Code.INVITATION_REQUIRED: (
        "{why} Log in, or give the invitation as the server's password (PASS)."
    ),
    Code.NEED_INVITATION: "{why} Give it first: /quote INVITATION TOKEN",
    Code.LOCKED: "{why} Log in as you come: by SASL, or by PASS ACCOUNT:PASSWORD.",
    Code.NICK_OWNED: (
        "{about} is somebody's account, or looks like one: log in by SASL, or by PASS "
        "ACCOUNT:PASSWORD, if it is you"
    ),
}

# Those that help only once somebody is in.
_WAYS_INSIDE = _WAYS | {
    Code.NICK_OWNED: (
        "{about} is somebody's account, or looks like one: /msg NickServ IDENTIFY "
        "ACCOUNT PASSWORD, if it is you"
    ),
}

_LABEL_MAX = 64  # bytes: "The value MUST NOT exceed 64 bytes" (labeled-response)

_AsShown = tuple[Shown, str, int]


class Fault(Exception):
    """A fault in a line: a text, and the ``code`` and ``context`` of its FAIL."""

    code = "INVALID_PARAMS"

    def __init__(self, why: str, *context: str, code: str = "") -> None:
        super().__init__(why)
        self.context, self.code = context, code or self.code


class ReplyBuffer(OwnDialect):
    """The replies of one connection; ``clock`` gives unix time in seconds.

    Call ``begin`` with each line, any of the methods that reply to it, then ``finish``. ``verb`` is
    the command of the line in hand. While that has a label, this is the client's ``OwnDialect``.
    """

    __slots__ = (
        "_batch", "_batches", "_label", "_replies", "_to_send", "_was_shown", "clock", "info",
        "is_cut", "peer", "refusals", "verb",
    )  # fmt: skip

    def __init__(self, info: ServerInfo, clock: Callable[[], float]) -> None:
        self.info, self.clock = info, clock
        self.peer = Peer(info.name)
        self.verb = ""
        self.refusals = 0
        self._label, self._batch, self._batches = "", "", 0
        self._replies: list[str | _AsShown] = []
        self._was_shown = False  # an event has gone out with the label or in the batch
        self.is_cut = False  # whether the server stops: what has no answer may not have happened
        self._to_send = b""

    # ── replies ────────────────────────────────────────────────────────────────────────────

    def send(self, command: str, *params: str) -> None:
        """Reply with a line from the server."""
        self._replies.append(f":{self.info.name} {body(command, *params)}")

    def send_trailing(self, command: str, *params: str) -> None:
        """Reply as ``send`` does, always with a colon before the last parameter."""
        self._replies.append(f":{self.info.name} {trailing(command, *params)}")

    def numeric(self, numeric: str, *params: str) -> None:
        """Reply with a numeric and ``params``; those before the last are cut to one word."""
        self._replies.append(f"{self._start(numeric, params)} {last(params[-1])}")

    def last_param(self, numeric: str, *params: str) -> None:
        """Reply as ``numeric`` does, with a colon before the last one even where it needs none."""
        self._replies.append(f"{self._start(numeric, params)} :{safe(params[-1])}")

    def _start(self, numeric: str, params: Sequence[str]) -> str:
        """A numeric up to its last parameter."""
        words = map(word, params[:-1])
        return " ".join([f":{self.info.name}", numeric, self.peer.nick or "*", *words])

    def lines(self, lines: Iterable[str]) -> None:
        """Reply with lines that are already written, without tags."""
        self._replies += lines

    def show(self, shown: Shown, id: str = "", at: int = 0) -> None:
        """Show something as everybody is shown it, if they are."""
        if self.peer.dialect.render(shown, id, at):
            self._replies.append((shown, id, at))

    def show_entries(self, entries: Iterable[Entry]) -> None:
        """Show what happened before, as everybody was shown it then."""
        for entry in entries:
            event = entry.event
            if isinstance(event, Joined):  # somebody who was away then has long been back
                event = replace(event, away="")
            self.show(event, entry.id, entry.at)

    def show_now(self, shown: Shown) -> None:
        """Show something that is no reply."""
        self._to_send += self.peer.dialect.render(shown)

    def unasked(self, text: str, room: str = "", *, urgent: bool = False) -> None:
        """Send a notice of the server's that is no reply; clients show it in the ``room``."""
        tag = URGENT_TAG if urgent and "message-tags" in self.peer.caps else ""
        for line in self._hinted(text, room).splitlines():
            self._at_once("", "NOTICE", room or self.peer.nick or "*", line, tag=tag)

    # ── refusals ───────────────────────────────────────────────────────────────────────────

    def error(self, numeric: str, *params: str) -> None:
        """Refuse the line by a numeric: its parameters, and why."""
        self.refusals += 1
        self.last_param(numeric, *params)

    def fail(self, command: str, code: str, *context_and_text: str) -> None:
        """Refuse the line by ``FAIL`` (ircv3.net, "standard-replies")."""
        self.refusals += 1
        self._by_standard("FAIL", command, code, *context_and_text)

    def fail_earlier(self, label: str, command: str, code: str, *context_and_text: str) -> None:
        """Refuse what an earlier line has begun, which had this label, or none if it is empty."""
        self.refusals += 1
        *context, text = context_and_text
        self._at_once(label, "FAIL", command, code, *_context(context), text)

    def refuse(self, refused: Refused) -> None:
        """Refuse what the line in hand asked for: by its numeric, or else by ``FAIL``."""
        code, about, verb, why = refused.code, refused.about, self.verb, self.why(refused)
        self.refusals += 1
        if code is Code.UNAVAILABLE and about and verb == "PRIVMSG":  # to a room
            if IDENTITY in self.peer.caps:  # our own clients want to know that it is for now
                self._by_standard("FAIL", verb, _STANDARD_CODES[code], *about, why)
                return
            code = Code.CANNOT_SAY
        if code is Code.SAME_NICK or (code is Code.ALREADY_IN_ROOM and verb == "JOIN"):
            return  # "no message" is what clients expect where nothing changes
        if code is Code.NO_SUCH_ROOM and verb in ("PRIVMSG", "NOTICE", "TAGMSG"):
            code = Code.CANNOT_SAY
        if verb == "NOTICE" and code is not Code.UNAVAILABLE:
            return  # "automatic replies MUST NEVER be sent in response to a NOTICE" (Modern)
        if code is Code.NICK_OWNED:
            self._refuse_nick(refused)
        if numeric := REFUSALS.get(code):
            self.numeric(numeric, *(cut_text(word, 100) for word in about), why)
        else:
            name = _STANDARD_CODES.get(code, code.name)
            # No command is to blame if somebody may not come in at all.
            command = "*" if name == "ACCOUNT_REQUIRED" else verb
            self._by_standard("FAIL", command, name, why)

    def why(self, refused: Refused) -> str:
        """The sentence of a refusal, with what helps: in our own client its command."""
        if IDENTITY in self.peer.caps:
            return explained(refused)
        about = refused.about[0] if refused.about else ""
        ways = _WAYS_INSIDE if self.peer.registered else _WAYS
        why = refused.why
        if way := ways.get(refused.code):
            why = way.format(why=before_another(why), about=about)
        return self._hinted(why, about)

    def _hinted(self, text: str, room: str) -> str:
        """A sentence with the commands that its reader has."""
        return text if IDENTITY in self.peer.caps else quoted(text, room)

    def _refuse_nick(self, refused: Refused) -> None:
        """Note a nickname that is somebody's account; our own client comes in by another one."""
        [self.peer.refused_nick] = refused.about
        if IDENTITY in self.peer.caps and not self.peer.registered:
            self.send("NOTE", "NICK", "NICKNAME_RESERVED", *refused.about, explained(refused))

    def tell_again(self, repeated: Repeated) -> None:
        """Answer a message that was sent again and had arrived before as it was answered then.

        Of one that was redacted in between there is nothing left to show.
        """
        entry = repeated.entry
        has_words = isinstance(entry.event, Said) and entry.event.text
        if has_words and "echo-message" in self.peer.caps:
            self.show_entries([entry])
        else:
            text = "That was already sent, and was not sent again"
            self._by_standard("NOTE", self.verb, "ALREADY_SENT", entry.id, text)

    def _by_standard(self, kind: str, command: str, code: str, *rest: str) -> None:
        """Reply with a standard reply, or with a NOTICE to clients that do not know those."""
        *context, text = rest
        peer = self.peer
        if "standard-replies" in peer.caps or command in _STANDARD or not peer.registered:
            self.send(kind, command, code, *_context(context), text)
        else:
            self.send("NOTICE", peer.nick, f"{command}: {text}")

    # ── labels and batches ─────────────────────────────────────────────────────────────────

    def begin(self, verb: str, tags: dict[str, str], *, several: bool = False) -> None:
        """Take a line in hand, and its label out of ``tags``.

        ``several`` says that it may have several replies, whatever comes of it. A label is heeded
        only if the client could be sent a batch.
        """
        self.verb = verb
        label = tags.pop("label", "")
        if {"labeled-response", "batch"} <= self.peer.caps and len(label.encode()) <= _LABEL_MAX:
            self._label = escape(label)
        if several:
            self.expect_several()

    def expect_several(self) -> None:
        """Open the batch of several replies now, if the line has a label."""
        if self._label and not self._batch:
            self.open_batch("labeled-response")

    def go_on(self) -> None:
        """Let the replies so far go out: more will follow."""
        if self._replies:
            self.expect_several()

    @property
    def labelled(self) -> bool:
        """Whether the line in hand has a label."""
        return bool(self._label)

    def take_label(self) -> str:
        """Take the label of the line in hand; the reply to a later line answers both."""
        label, self._label = self._label, ""
        return label

    def answer_with(self, label: str) -> None:
        """Answer an earlier line, which had this label, with the replies to the line in hand.

        The line in hand gets an ACK by its own label, if both have one.
        """
        if label and self._label:
            self._at_once(self._label, "ACK")
        self._label = label or self._label

    def open_batch(self, kind: str, *params: str) -> None:
        """Put all replies to the line in hand into a batch, if the client knows batches.

        "The batch type MUST be … an existing type applicable to the entire response", or
        "labeled-response"; and "the start of the batch MUST be tagged with the label tag".
        """
        if "batch" not in self.peer.caps:
            return
        self._batches += 1
        self._batch = f"b{self._batches}"
        self._at_once(self._label, "BATCH", f"+{self._batch}", kind, *params)

    def finish(self) -> None:
        """Label and release the replies: everything that follows from the line is known now."""
        if self._label and not self._batch:
            if len(self._replies) > 1:
                self.open_batch("labeled-response")
            elif not (self._replies or self._was_shown or self.is_cut):
                self.send("ACK")
        if self._batch:
            self._flush(f"batch={self._batch}")
            # The end of the batch is not in it, and has no label: only the start does.
            self.send("BATCH", f"-{self._batch}")
            self._flush("")
        self._flush(f"label={self._label}" if self._label else "")
        self._label = self._batch = ""
        self._was_shown = False

    def _at_once(self, label: str, command: str, *params: str, tag: str = "") -> None:
        """Send a line before the replies to the line in hand, as none of them.

        ``label`` is that of the line it answers, empty if there is none; ``tag`` is one of ours.
        """
        later, self._replies = self._replies, []
        self.send(command, *params)
        self._flush(f"label={label}" if label else tag)
        self._replies = later

    # ── what the line has led to ───────────────────────────────────────────────────────────

    def differs(self, shown: Shown) -> bool:
        """Always true: whatever the line leads to carries its label."""
        return True

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        """Write an event that the line in hand has led to, with its label or in its batch."""
        if isinstance(shown, Copy | UserModesSet) and not self._batch:
            # Another reply may follow, and then both belong in a batch: so it waits like a reply.
            if not self.peer.own_dialect.differs(shown):
                self.show(shown, id, at)
            return b""
        tag = f"batch={self._batch}" if self._batch else f"label={self._label}"
        data = self.peer.own_dialect.render(shown, id, at, tag)
        self._was_shown = self._was_shown or bool(data)
        return data

    # ── bytes ──────────────────────────────────────────────────────────────────────────────

    def send_now(self, line: str) -> None:
        """Send a line that is no reply, as it is."""
        self._to_send += f"{line}\r\n".encode()

    def data_to_send(self) -> bytes:
        """The bytes that need not wait until the line is done with."""
        # With a label and no batch yet, what is first may turn out to be the only reply: it waits.
        if not self._label or self._batch:
            self._flush(f"batch={self._batch}" if self._batch else "")
        data, self._to_send = self._to_send, b""
        return data

    def _flush(self, tag: str) -> None:
        """Write the replies, with a tag on each that is not in a batch of its own; and with the
        time, unless it has the one at which it happened.
        """
        if not self._replies:
            return
        tags = [tag] if tag else []
        if "server-time" in self.peer.caps:
            tags.append(time_tag(int(self.clock() * 1000)))
        ours = ";".join(tags) if self.peer.caps & TAGGED else ""
        head = f"@{ours} " if ours else ""
        written = [self._to_send]
        for reply in self._replies:
            if isinstance(reply, str):
                written.append(f"{head}{cut(reply)}\r\n".encode())
            else:
                shown, id, at = reply
                written.append(self.peer.dialect.render(shown, id, at, tag if id else ours))
        self._to_send = b"".join(written)
        self._replies.clear()


def _context(params: Sequence[str]) -> Sequence[str]:
    """The context of a standard reply, each made such that other parameters can follow it."""
    return [word(cut_text(param, 100)) for param in params]
