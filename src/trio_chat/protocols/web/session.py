"""The server's end of a browser's connection: requests of HTTP, until one of them upgrades it to
WebSocket; then a session of IRC, a line in each message.

What has come is read piece by piece, as the pace of the connection allows: each request and each
frame that ends no message is charged as a line.
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from websockets.frames import CloseCode

from trio_chat.core.commands import Quit
from trio_chat.core.events import Event
from trio_chat.core.views import Answer, Refused
from trio_chat.protocols import http
from trio_chat.protocols.forwarded import HEAD_END
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.session import HANDLED, Ask, Dialect, OwnDialect, Run, Session
from trio_chat.protocols.web.dialect import OwnWebDialect, web_dialect
from trio_chat.protocols.web.frames import TEXT, Frames, frame_end, framed
from trio_chat.protocols.web.requests import BadRequest, refusal, take_head
from trio_chat.protocols.web.site import Site

# The bytes of frames that are read at a time: some 300 of the smallest, in a few milliseconds.
_PIECE = 2048


class WebSession(Session):
    """A browser's connection (see ``protocols.session.Session`` for the contract) around ``irc``.

    ``clock`` gives unix time in seconds; ``secure`` says that the browser speaks TLS; ``forwarded``
    that a proxy hands requests on: a connection has one then, as the next may be of somebody else.
    It has one as well while ``is_full`` says that the server has no place for another connection:
    the browser would keep the one that has brought the page, and be refused its WebSocket for it.
    """

    protocol = "web"
    has_ping = True

    def __init__(
        self,
        irc: IrcSession,
        site: Site,
        clock: Callable[[], float],
        *,
        secure: bool,
        forwarded: bool = False,
        is_full: Callable[[], bool] = lambda: False,
    ) -> None:
        self._irc, self._site, self._clock = irc, site, clock
        self._secure, self._forwarded, self._is_full = secure, forwarded, is_full
        self._unread = b""
        self._answer = b""  # to a request; the next is read when it has been sent
        self._frames: Frames | None = None  # since the upgrade
        self._start = TEXT
        self._close, self._code = b"", CloseCode.POLICY_VIOLATION
        self._charged = 0  # what has come and asks for nothing
        self._is_over = self._has_quit = False
        self._refusals = 0

    @property
    def client(self) -> str:
        return "a browser"

    @property
    def refusals(self) -> int:
        return self._refusals + self._irc.refusals

    @property
    def dialect(self) -> Dialect:
        return web_dialect(self._irc.dialect, self._start)

    @property
    def own(self) -> OwnDialect:
        return OwnWebDialect(self._irc.own, self._start)

    def greeting(self) -> bytes:
        """Nothing: browsers speak first."""
        return b""

    def receive_data(self, data: bytes) -> None:
        self._unread += data

    def receive_eof(self) -> None:
        """Drop what is not complete."""

    def next_run(self) -> Run | None:
        while (run := self._irc.next_run()) is None:
            if self._charged:
                self._charged -= 1
                return HANDLED
            if self._is_over:
                return self._quit()
            if not self._read_on():
                return None
        if isinstance(run, Ask) and isinstance(run.command, Quit):
            self._has_quit = True
        return run

    def _quit(self) -> Run | None:
        run = None if self._has_quit else Ask(Quit(""))
        self._has_quit = True
        return run

    def _read_on(self) -> bool:
        """Read a piece of what has come; returns whether there was one."""
        if self._frames is None:
            return self._read_request()
        piece, self._unread = self._unread[:_PIECE], self._unread[_PIECE:]
        if piece:
            self._read_frames(self._frames, piece)
        return bool(piece)

    def _read_request(self) -> bool:
        try:
            if (found := take_head(self._unread)) is None:
                return False
            head, self._unread = found
            answer = self._site.answer(
                head,
                self._clock(),
                secure=self._secure,
                forwarded=self._forwarded,
                close=self._forwarded or self._is_full(),
            )
        except BadRequest as bad:
            answer = refusal(bad)
        self._answer = answer.data
        self._charged += 1
        self._refusals += answer.is_refusal
        if answer.start:
            self._frames, self._start = Frames(), answer.start
        else:
            # A client that does not wait for its answer has to ask again (RFC 9112, 9.3.2).
            self._is_over = answer.is_last or bool(self._unread)
        return True

    def _read_frames(self, frames: Frames, piece: bytes) -> None:
        for message in frames.receive(piece):
            if message is None:
                self._charged += 1
            else:
                self._irc.receive_data(message + b"\r\n")
        self._is_over = frames.is_over

    # ── what becomes of it ─────────────────────────────────────────────────────────────────

    def done(self, event: Event) -> Iterable[Ask]:
        return self._irc.done(event)

    def done_elsewhere(self, event: Event) -> Iterable[Ask]:
        return self._irc.done_elsewhere(event)

    def room_renamed(self, room: str, to: str) -> None:
        self._irc.room_renamed(room, to)

    def reply(self, answer: Answer) -> None:
        self._irc.reply(answer)

    def ping(self) -> None:
        self._irc.ping()

    def server_stops(self) -> None:
        self._code = CloseCode.GOING_AWAY
        self._irc.server_stops()

    def overruns(self) -> None:
        self._code = CloseCode.TRY_AGAIN_LATER

    def farewell(self, words: str, refused: Refused | None = None) -> None:
        """Say why in a line of IRC, then close (RFC 6455, 7.4.1, tells the codes)."""
        self._irc.farewell(words, refused)
        if self._frames:
            goodbye = self._has_quit or not words
            self._close = self._frames.close(CloseCode.NORMAL_CLOSURE if goodbye else self._code)
        elif words and self._unread:
            self._answer = http.refusal(HTTPStatus.REQUEST_TIMEOUT, words)

    def data_to_send(self) -> bytes:
        data, self._answer = self._answer, b""
        if self._frames:
            data += b"".join(self._frames.pongs) + framed(self._irc.data_to_send(), self._start)
            self._frames.pongs.clear()
        data += self._close
        self._close = b""
        return data

    def cut(self, data: bytes, at: int) -> int:
        """The end of a frame, or any place in an answer of HTTP."""
        if self._frames is None:
            return at
        begin = data.index(HEAD_END) + len(HEAD_END) if data.startswith(b"HTTP/") else 0
        return frame_end(data, max(at, begin), begin)
