"""WebSocket after the upgrade (RFC 6455): lines of IRC in messages, a line in each.

The specification is "WebSocket" of ircv3.net. The server masks nothing and compresses nothing, so a
frame is the same for everybody whom a line is sent to.
"""

import logging
from collections.abc import Sequence

from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side

from trio_chat.protocols.irc.info import LINE_MAX, TAGS_MAX

#: The longest message in bytes, in however many fragments: a line, and the ending that it needs not
#: have.
MESSAGE_MAX = TAGS_MAX + LINE_MAX

TEXT, BINARY = 0x81, 0x82  # how a whole message begins

#: How messages of each subprotocol begin.
SUBPROTOCOLS = {"text.ircv3.net": TEXT, "binary.ircv3.net": BINARY}

# A length up to the first stands in one byte; up to the second, in two bytes after this mark.
_SHORT, _IN_TWO = 125, 126

#: For the library. What peers send is in no log: passwords are among it.
logger = logging.getLogger(__name__)
logger.setLevel(logging.WARNING)


def framed(lines: bytes, start: int) -> bytes:
    """Lines that end with CR LF as messages that begin with ``start``. A line fits 64 KiB."""
    out: list[bytes] = []
    for line in lines.split(b"\r\n"):
        size = len(line)
        if size > _SHORT:
            out += (bytes((start, _IN_TWO)), size.to_bytes(2, "big"), line)
        elif size:
            out += (bytes((start, size)), line)
    return b"".join(out)


def frame_end(data: bytes, at: int, begin: int = 0) -> int:
    """Where the first frame ends that reaches beyond ``at``. The server has made the frames, which
    ``begin`` there.
    """
    end = begin
    while end <= at:
        size = data[end + 1]
        if size == _IN_TWO:
            end += 4 + int.from_bytes(data[end + 2 : end + 4], "big")
        else:
            end += 2 + size
    return end


class Frames:
    """The frames of one connection. ``is_over`` says that it is closed, or broken: then nothing
    more is read, and ``close`` is the last that is sent.
    """

    __slots__ = ("_close", "_fragments", "_is_text", "_protocol", "pongs")

    def __init__(self) -> None:
        self._protocol = Protocol(Side.SERVER, max_size=MESSAGE_MAX, logger=logger)
        self._fragments: list[bytes] = []  # of the message that is coming
        self._is_text = False
        self._close = b""
        self.pongs: list[bytes] = []

    @property
    def is_over(self) -> bool:
        return self._protocol.close_sent is not None

    def receive(self, data: bytes) -> Sequence[bytes | None]:
        """Take bytes; the messages that are complete with them, and None for each other frame."""
        self._protocol.receive_data(data)
        received: list[bytes | None] = []
        for frame in self._protocol.events_received():
            message = self._message(frame) if isinstance(frame, Frame) else None
            if message is not None and (fault := self._fault(message)):
                self._protocol.fail(*fault)
                break
            received.append(message)
        self._answer()
        return received

    def close(self, code: CloseCode) -> bytes:
        """The frame that ends it, or answers the peer's that does."""
        if not self.is_over:
            self._protocol.send_close(code)
            self._answer()
        return self._close

    def _message(self, frame: Frame) -> bytes | None:
        """The message that a frame completes."""
        if frame.opcode not in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            return None
        if frame.opcode is not Opcode.CONT:
            self._is_text = frame.opcode is Opcode.TEXT
        self._fragments.append(bytes(frame.data))
        if not frame.fin:
            return None
        message = b"".join(self._fragments)
        self._fragments.clear()
        return message.removesuffix(b"\n").removesuffix(b"\r")

    def _fault(self, message: bytes) -> tuple[CloseCode, str] | None:
        """Whether a message is no line, and why. Lines are checked for UTF-8 by the session, but
        "an endpoint … MUST _Fail the WebSocket Connection_" by such a text (8.1).
        """
        if b"\n" in message:
            return CloseCode.POLICY_VIOLATION, "A message holds one line."
        if self._is_text and not is_utf8(message):
            return CloseCode.INVALID_DATA, "A text was not UTF-8."
        return None

    def _answer(self) -> None:
        """Take what the protocol has to say: its last frame, once that closes, is kept."""
        written = [data for data in self._protocol.data_to_send() if data]
        if self.is_over and written:
            self._close = written.pop()
        self.pongs += written


def is_utf8(data: bytes) -> bool:
    """Whether bytes are text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
