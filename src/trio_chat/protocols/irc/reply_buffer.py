"""Replies to the line in hand, until it is known what they are.

If the line had a label (ircv3.net, "labeled-response"), that goes on the only reply, or on the
batch that holds several, or on an ACK if there is none. So replies wait until the line is done
with. A reply is a line of the server's, or something that is shown as everybody else was shown it:
that is written, with its tags, once it is known what those are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from trio_chat.core.events import Aside, Entry, Joined, Refused, Repeated, Shown, UserModesSet
from trio_chat.core.letters import cut as cut_text
from trio_chat.core.refusals import Code
from trio_chat.protocols.irc.caps import TAGGED
from trio_chat.protocols.irc.dialect import cut, time_tag
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.message import body, escape, trailing, word
from trio_chat.protocols.irc.numerics import REFUSALS
from trio_chat.protocols.irc.peer import Peer
from trio_chat.protocols.session import OwnDialect

# Commands whose own specifications want standard replies: "This capability allows servers to send
# arbitrary standard replies other than ones enabled by a specific specification".
_STANDARD = {"BATCH", "CHATHISTORY", "IDENTITY", "MARKREAD", "SEARCH"}

# Refusals that are told by a standard reply, and that go by another name there.
_STANDARD_CODES = {
    Code.BAD_NAME: "INVALID_REALNAME",
    Code.CANNOT_SET_NAME: "CANNOT_CHANGE_REALNAME",
    Code.UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}

_LABEL_MAX = 64  # bytes: "The value MUST NOT exceed 64 bytes" (labeled-response)

_AsShown = tuple[Shown, str, int]


class ReplyBuffer(OwnDialect):
    """``info`` is about the server, ``clock`` gives unix time in seconds.

    ``verb`` is that of the line in hand. While that has a label, this is how the client is shown
    what it has led to (``OwnDialect``).
    """

    def __init__(self, info: ServerInfo, clock: Callable[[], float]) -> None:
        self.info, self.clock = info, clock
        self.peer = Peer(info.name)
        self.verb = ""
        self.refusals = 0
        self._label, self._batch, self._batches = "", "", 0
        self._replies: list[str | _AsShown] = []
        self._was_shown = False  # something that has the label or is in the batch
        self._to_send: list[bytes] = []

    # ── replies ────────────────────────────────────────────────────────────────────────────

    def send(self, command: str, *params: str) -> None:
        """A line of the server's."""
        self._replies.append(f":{self.info.name} {body(command, *params)}")

    def send_trailing(self, command: str, *params: str) -> None:
        """As ``send``, with a colon before the last parameter even where it needs none."""
        self._replies.append(f":{self.info.name} {trailing(command, *params)}")

    def numeric(self, numeric: str, *params: str) -> None:
        """Parameters follow the nickname. Those in the middle are made such that they can be."""
        self.send(numeric, *self._addressed(params))

    def last_param(self, numeric: str, *params: str) -> None:
        """As ``numeric``, with a colon before the last one even where it needs none."""
        self.send_trailing(numeric, *self._addressed(params))

    def _addressed(self, params: Sequence[str]) -> Sequence[str]:
        return [self.peer.nick or "*", *map(word, params[:-1]), params[-1]]

    def lines(self, lines: Iterable[str]) -> None:
        """Lines that are written already, without tags."""
        self._replies += lines

    def show(self, shown: Shown, id: str = "", at: int = 0) -> None:
        """As everybody is shown it; nothing if the client is not told of such a thing."""
        if self.peer.dialect.render(shown, id, at):
            self._replies.append((shown, id, at))

    def show_entries(self, entries: Iterable[Entry]) -> None:
        """What happened before, as everybody was shown it then."""
        for _, id, event, at in entries:
            if isinstance(event, Joined):  # who was away then has long been back
                event = replace(event, away="")
            self.show(event, id, at)

    def unasked(self, text: str) -> None:
        """A notice of the server's that is no reply."""
        for line in text.splitlines():
            self._at_once("", "NOTICE", self.peer.nick or "*", line)

    # ── refusals ───────────────────────────────────────────────────────────────────────────

    def error(self, numeric: str, *params: str) -> None:
        """Refuse the line by a numeric: its parameters, and why."""
        self.refusals += 1
        self.last_param(numeric, *params)

    def fail(self, command: str, code: str, *context_and_text: str) -> None:
        """Refuse the line by ``FAIL`` (standard-replies)."""
        self.refusals += 1
        self._by_standard("FAIL", command, code, *context_and_text)

    def fail_earlier(self, label: str, command: str, code: str, *context_and_text: str) -> None:
        """Refuse what a line before this one, with this label or none, has begun."""
        self.refusals += 1
        *context, text = context_and_text
        self._at_once(label, "FAIL", command, code, *_context(context), text)

    def refuse(self, refused: Refused) -> None:
        """Tell why what the line in hand asked for cannot be."""
        code, about, verb = refused.code, refused.about, self.verb
        self.refusals += 1
        if code is Code.UNAVAILABLE and about and verb == "PRIVMSG":
            code = Code.CANNOT_SAY  # to a room
        if code is Code.SAME_NICK or (code is Code.ALREADY_IN_ROOM and verb == "JOIN"):
            return  # "no message" is what clients expect where nothing changes
        if code is Code.NO_SUCH_ROOM and verb in ("PRIVMSG", "NOTICE", "TAGMSG"):
            code = Code.CANNOT_SAY
        if verb == "NOTICE" and code is not Code.UNAVAILABLE:
            return  # "automatic replies MUST NEVER be sent in response to a NOTICE" (Modern)
        if numeric := REFUSALS.get(code):
            self.numeric(numeric, *(cut_text(word, 100) for word in about), refused.why)
        else:
            name = _STANDARD_CODES.get(code, code.name)
            self._by_standard("FAIL", verb or "*", name, refused.why)

    def tell_again(self, repeated: Repeated) -> None:
        """What they have sent again had arrived: they are answered as they were then."""
        entry = repeated.entry
        if "echo-message" in self.peer.caps:
            self.show_entries([entry])
        else:
            text = "That was sent already, and was not sent again"
            self._by_standard("NOTE", self.verb, "ALREADY_SENT", entry.id, text)

    def _by_standard(self, kind: str, command: str, code: str, *rest: str) -> None:
        """With a NOTICE to those who do not know such replies."""
        *context, text = rest
        peer = self.peer
        if "standard-replies" in peer.caps or command in _STANDARD or not peer.registered:
            self.send(kind, command, code, *_context(context), text)
        else:
            self.send("NOTICE", peer.nick, f"{command}: {text}")

    # ── labels and batches ─────────────────────────────────────────────────────────────────

    def begin(self, verb: str, tags: dict[str, str], *, several: bool = False) -> None:
        """A line is in hand, with these tags, of which its label is taken. ``several`` says that it
        may have several replies, whatever comes of it.
        """
        self.verb = verb
        label = tags.pop("label", "")
        if {"labeled-response", "batch"} <= self.peer.caps and len(label.encode()) <= _LABEL_MAX:
            self._label = escape(label)
        if several:
            self.expect_several()

    def expect_several(self) -> None:
        if self._label and not self._batch:
            self.open_batch("labeled-response")

    @property
    def labelled(self) -> bool:
        """Whether the line in hand has a label."""
        return bool(self._label)

    def take_label(self) -> str:
        """That of the line in hand, which has no reply of its own: a later line's is for both."""
        label, self._label = self._label, ""
        return label

    def answer_with(self, label: str) -> None:
        """What becomes of the line in hand answers an earlier one, which had this label, if any."""
        if label and self._label:
            self._at_once(self._label, "ACK")
        self._label = label or self._label

    def open_batch(self, kind: str, *params: str) -> None:
        """All replies to the line in hand are in a batch of this kind, if they can be.

        "The batch type MUST be … an existing type applicable to the entire response", or
        "labeled-response"; and "the start of the batch MUST be tagged with the label tag".
        """
        if "batch" not in self.peer.caps:
            return
        self._batches += 1
        self._batch = f"b{self._batches}"
        self._at_once(self._label, "BATCH", f"+{self._batch}", kind, *params)

    def finish(self) -> None:
        """Everything that follows from the line is known now."""
        if self._label and not self._batch:
            if len(self._replies) > 1:
                self.open_batch("labeled-response")
            elif not self._replies and not self._was_shown:
                self.send("ACK")
        if self._batch:
            self._flush(f"batch={self._batch}")
            self.send("BATCH", f"-{self._batch}")
            self._flush("")
        self._flush(f"label={self._label}" if self._label else "")
        self._label = self._batch = ""
        self._was_shown = False

    def _at_once(self, label: str, command: str, *params: str) -> None:
        """Send this before the replies to the line in hand, as none of them: with the label of the
        line that it answers, if that had one.
        """
        later, self._replies = self._replies, []
        self.send(command, *params)
        self._flush(f"label={label}" if label else "")
        self._replies = later

    # ── what the line has led to ───────────────────────────────────────────────────────────

    def differs(self, shown: Shown) -> bool:
        return True

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        """With the label of the line in hand."""
        if isinstance(shown, Aside | UserModesSet) and not self._batch:
            # There may be another reply beside it, and then both belong in a batch.
            self.show(shown, id, at)
            return b""
        tag = f"batch={self._batch}" if self._batch else f"label={self._label}"
        data = self.peer.own_dialect.lines(shown, id, at, tag)
        self._was_shown = self._was_shown or bool(data)
        return data

    # ── bytes ──────────────────────────────────────────────────────────────────────────────

    def send_now(self, line: str) -> None:
        """A line that is nobody's reply, as it is."""
        self._to_send.append(f"{line}\r\n".encode())

    def data_to_send(self) -> bytes:
        """What need not wait until the line is done with."""
        if not self._label or self._batch:
            self._flush(f"batch={self._batch}" if self._batch else "")
        data = b"".join(self._to_send)
        self._to_send.clear()
        return data

    def _flush(self, tag: str) -> None:
        """Write the replies, with a tag on each that is not in a batch of its own."""
        if not self._replies:
            return
        tags = [tag] if tag else []
        if "server-time" in self.peer.caps:
            tags.append(time_tag(int(self.clock() * 1000)))
        head = f"@{';'.join(tags)} " if tags and self.peer.caps & TAGGED else ""
        for reply in self._replies:
            if isinstance(reply, str):
                self._to_send.append(f"{head}{cut(reply)}\r\n".encode())
            else:
                self._to_send.append(self.peer.dialect.lines(*reply, tag))
        self._replies.clear()


def _context(params: Sequence[str]) -> Sequence[str]:
    """Of a standard reply, such that other parameters can follow it."""
    return [word(cut_text(param, 100)) for param in params]
