"""BATCH as clients send it (ircv3.net, "client-batch"): a message of several lines ("multiline").

One batch is open at a time. It holds no more than a message may, and nothing is said before it has
ended. Its first fault is told; from then on its lines are dropped.
"""

import re
from dataclasses import dataclass, field

from trio_chat.core.names import fold
from trio_chat.protocols.irc.fitting import fits
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.multiline import CONCAT, MAX_BYTES, MAX_LINES, MULTILINE, Piece
from trio_chat.protocols.irc.reply_buffer import Fault, ReplyBuffer
from trio_chat.protocols.irc.text import CTCP, read_action

_REFERENCE = re.compile("[A-Za-z0-9-]{1,64}")

# Lines that may come within a batch: a client answers a PING whenever it comes.
_BETWEEN = {"PING", "PONG"}


@dataclass
class Collected:
    """An open batch, and its message so far; ``opening`` is the line that opened it."""

    opening: Message
    label: str
    command: str = ""  # PRIVMSG or NOTICE, once there is a line
    pieces: list[Piece] = field(default_factory=list)
    size: int = 0  # bytes
    action: bool = False  # known at the end
    failed: bool = False

    @property
    def reference(self) -> str:
        """The name by which its lines refer to it."""
        return self.opening.params[0][1:]

    @property
    def target(self) -> str:
        """The room or nickname that the message is for."""
        return self.opening.param(2)

    def forget(self) -> str:
        """Give the message up, and return the label that is still to be answered."""
        label, self.label = self.label, ""
        self.failed, self.pieces = True, []
        return label


class Wrong(Fault):
    """A fault of a batch."""

    code = "MULTILINE_INVALID"


def is_part(message: Message) -> bool:
    """Whether a line belongs to a batch, opens or ends one."""
    return "batch" in message.tags or message.command == "BATCH"


class Collector:
    """The batch that a client has open, if any. Faults are told in ``out``."""

    __slots__ = ("_batch", "_out")

    def __init__(self, out: ReplyBuffer) -> None:
        self._out = out
        self._batch: Collected | None = None

    def interrupt(self, message: Message) -> None:
        """Forget the batch because of a line that is not part of it."""
        if self._batch and message.command not in _BETWEEN:
            self.spoil("Only lines of the batch may come before its end")
            self._batch = None

    def spoil(self, why: str) -> None:
        """Give up the message of an open batch because something has come that is no line of it.

        The thing that came has a reply of its own.
        """
        batch = self._batch
        if batch and not batch.failed:
            wrong = Wrong(why)
            self._out.fail_earlier(batch.forget(), "BATCH", wrong.code, *wrong.context, why)

    def collect(self, message: Message) -> Collected | None:
        """Take a line of a batch. Returns the batch when this line ends it and it is a message."""
        try:
            if message.command != "BATCH":
                self._add(message)
            elif message.param(0).startswith("+"):
                self._open(message)
            else:
                return self._close(message)
        except Wrong as wrong:
            self._fail(wrong)
        return None

    def _fail(self, wrong: Wrong) -> None:
        """Refuse the batch: the line that opened it and the line in hand, each by its label."""
        out, batch = self._out, self._batch
        if batch and batch.failed:
            return
        if batch and (label := batch.forget()):
            out.fail_earlier(label, "BATCH", wrong.code, *wrong.context, str(wrong))
            if not out.labelled:
                return
        out.fail("BATCH", wrong.code, *wrong.context, str(wrong))

    def _open(self, message: Message) -> None:
        before = self._batch
        if "batch" in message.tags or (before and not before.failed):
            raise Wrong("Batches cannot be nested")
        batch = self._batch = Collected(message, self._out.take_label())
        kind = message.param(1)
        if not _REFERENCE.fullmatch(batch.reference):
            code = "INVALID_REFTAG"
            raise Wrong("A reference has letters, digits and hyphens", batch.reference, code=code)
        if kind != MULTILINE:
            why = "Unknown batch type"
            raise Wrong(why, batch.reference, kind, code="UNKNOWN_TYPE")
        if not batch.target or "," in batch.target:
            raise Wrong("A multiline batch has one target")

    def _add(self, message: Message) -> None:
        batch = self._batch
        if batch and batch.failed:
            return
        if batch is None or message.tags["batch"] != batch.reference:
            raise Wrong("No batch with that reference is open")
        piece = Piece(message.param(1), joined=CONCAT in message.tags)
        self._check_line(batch, message, piece)
        batch.command = message.command
        batch.size += len(piece.text.encode()) + (bool(batch.pieces) and not piece.joined)
        batch.pieces.append(piece)
        if len(batch.pieces) > MAX_LINES:
            most = str(MAX_LINES)
            raise Wrong("Multiline batch max-lines exceeded", most, code="MULTILINE_MAX_LINES")
        if batch.size > MAX_BYTES:
            most = str(MAX_BYTES)
            raise Wrong("Multiline batch max-bytes exceeded", most, code="MULTILINE_MAX_BYTES")

    def _check_line(self, batch: Collected, message: Message, piece: Piece) -> None:
        command, given = message.command, message.param(0)
        if command not in ("PRIVMSG", "NOTICE") or (batch.command or command) != command:
            raise Wrong("A multiline batch has either PRIVMSG lines or NOTICE lines")
        if self._out.labelled or message.tags.keys() - {"batch", CONCAT}:
            raise Wrong("Tags belong to the line that opens the batch")
        if fold(given) != fold(batch.target):
            code = "MULTILINE_INVALID_TARGET"
            raise Wrong("Invalid multiline target", batch.target, given, code=code)
        if piece.joined and not piece.text:
            raise Wrong("Invalid multiline batch with concatenated blank line")
        if not fits(self._out.peer.address, command, given, piece.text):
            raise Wrong("A line of the batch is too long")

    def _close(self, message: Message) -> Collected | None:
        batch = self._batch
        if batch and batch.failed:
            if message.param(0) == f"-{batch.reference}":
                self._batch = None
            return None
        if batch is None or message.param(0) != f"-{batch.reference}" or "batch" in message.tags:
            raise Wrong("No batch with that reference is open")
        try:
            _unframe(batch)
        except Wrong as wrong:
            self._fail(wrong)
            return None
        finally:
            self._batch = None
        return batch


def _unframe(batch: Collected) -> None:
    """Take the frame of an action (CTCP ACTION) off, which spans all of the lines.

    No other CTCP may be in a batch: to those who are sent its lines one by one, it would be a
    question to answer.
    """
    pieces = batch.pieces
    if pieces:
        first, batch.action = read_action(pieces[0].text)
        pieces[0] = Piece(first)
    if batch.action:
        last = pieces[-1]
        pieces[-1] = last._replace(text=last.text.removesuffix(CTCP))
    if not any(piece.text for piece in pieces):
        raise Wrong("Invalid multiline batch with blank lines only")
    if any(CTCP in piece.text for piece in pieces):
        raise Wrong("A CTCP message has one line")
