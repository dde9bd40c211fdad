"""To enter a room and miss nothing of it: what was said before we came (ircv3.net, "chathistory").

Whoever is new is told the last messages. Whoever comes back asks for what came after the last that
they have seen, page by page. What is said in the meantime waits until the pages are done, so that
everything is shown in order; and each message once, by its id.

A PING follows each request. The server answers in order, so with the PONG the page is there or
never comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import Enum, auto

from trio_chat.core.events import Notice, Said
from trio_chat.protocols.client import Earlier, Message, Stamped
from trio_chat.protocols.irc.past import Last, Past

_PING = "chathistory"  # and the number of the page

# Messages that somebody new is shown: a screen, and what trio-chat shows by itself.
_FIRST = 20

# Messages in a page, if the server does not say how many it gives, or would give more.
_PAGE = 100
_PAGE_MAX = 1000

# Messages that a gap is filled with; about an hour of a room in which everybody talks. As many may
# wait in the meantime.
_GAP_MAX = 5000

_TOO_LONG = f"Messages are missing here: more than {_GAP_MAX:,} were said meanwhile."
_UNKNOWN = "Messages may be missing here: the server could not tell all that was said meanwhile."


class _Ask(Enum):
    """What we have asked for."""

    FIRST = auto()  # the last messages, as we are new
    AFTER = auto()  # a page of the gap
    NEWEST = auto()  # the last messages, as the gap cannot be filled


class CatchUp:
    """``room`` is the one that we are about to catch up with, empty if there is none; ``send``
    takes a command and its parameters.
    """

    def __init__(self, past: Past, send: Callable[..., None]) -> None:
        self.room = ""
        self.page = _PAGE
        self.by_msgid = True
        self._past, self._send = past, send
        self._asked = _Ask.FIRST
        self._pages = 0
        self._came = 0  # messages in this page
        self._total = 0  # in all pages
        self._since = ""  # when we came, by the server's clock
        self._after = Last("", "")  # of which the page is what follows
        self._meets = False  # whether the page has come to what is held
        self._newest: list[Message] = []
        self._held: list[Message] = []
        self._waiting: set[str] = set()  # the ids of what is held
        self._speaker = ("", "")
        self._fresh = True

    def supports(self, token: str) -> None:
        """What the server says of itself (RPL_ISUPPORT). "If 0, … there is no maximum"."""
        name, _, value = token.partition("=")
        if name == "CHATHISTORY" and value.isdecimal():
            self.page = min(int(value[:9]) or _PAGE, _PAGE_MAX)
        elif name == "MSGREFTYPES":
            self.by_msgid = "msgid" in value.split(",")

    # ── questions and answers ──────────────────────────────────────────────────────────────

    def begin(self, room: str, time: str) -> Sequence[Message]:
        """We have entered it, at this time by the server's clock.

        Returns what has waited of a room that we were quick to leave.
        """
        waited = self._end()
        self.room = room
        self._total, self._since = 0, time
        self._ask(_Ask.AFTER if self._reference() != "*" else _Ask.FIRST)
        self._past.begin(room, time)
        return waited

    def _ask(self, what: _Ask, reference: str = "") -> None:
        self._asked, self._came, self._meets = what, 0, False
        self._after = self._last()
        self._pages += 1
        match what:
            case _Ask.FIRST:
                self._send("CHATHISTORY", "LATEST", self.room, "*", str(min(_FIRST, self.page)))
            case _Ask.AFTER:
                self._send("CHATHISTORY", "AFTER", self.room, self._reference(), str(self.page))
            case _Ask.NEWEST:
                self._send("CHATHISTORY", "LATEST", self.room, reference, str(self.page))
        self._send("PING", f"{_PING}{self._pages}")

    def _last(self) -> Last:
        return self._past.last.get(self.room.lower(), Last("", ""))

    def _reference(self) -> str:
        last = self._last()
        if last.msgid and self.by_msgid:
            return f"msgid={last.msgid}"
        return f"timestamp={last.time}" if last.time else "*"

    def expects(self, kind: str, target: str) -> bool:
        """Whether a batch is a page that we have asked for."""
        return bool(self.room) and kind == "chathistory" and target.lower() == self.room.lower()

    @property
    def fills_a_gap(self) -> bool:
        """Whether what comes in a page is news, and not from before our time."""
        return self._asked is not _Ask.FIRST

    def page_over(self) -> Sequence[Message]:
        """A page has come. Returns what can be shown now."""
        if not self.room:
            return ()
        if self._asked is _Ask.AFTER and self._last() != self._after and not self._meets:
            if self._total < _GAP_MAX:
                self._ask(_Ask.AFTER)
            else:
                self._ask(_Ask.NEWEST, self._reference())
            return ()
        full = self._asked is _Ask.NEWEST and self._came >= self.page
        return [*([Notice(_TOO_LONG)] if full else []), *self._end()]

    def failed(self) -> Sequence[Message]:
        """The server refuses. It may not know any more what we have seen last."""
        if self.room and self._asked is _Ask.AFTER:
            self._ask(_Ask.NEWEST, "*")
            return [Notice(_UNKNOWN)]
        return self._end()

    def ponged(self, token: str) -> Sequence[Message]:
        """The answer to a PING of ours: if it is to the last one, there is no answer but this."""
        return self.give_up() if token == f"{_PING}{self._pages}" else ()

    def give_up(self) -> Sequence[Message]:
        """There is no more to be had of it."""
        told = [Notice(_UNKNOWN)] if self.room and self.fills_a_gap else []
        return [*told, *self._end()]

    def _end(self) -> Sequence[Message]:
        waited = [*self._newest, *self._held]
        self.room, self._newest, self._held, self._waiting = "", [], [], set()
        return waited

    # ── each once, and in order ────────────────────────────────────────────────────────────

    def in_turn(self, message: Message) -> Sequence[Message]:
        """What to show now that this has come."""
        if isinstance(message, Earlier) and message.found:
            return [message]
        if self.room and _is_old(message):
            return self._in_page(message)
        if self.room and not isinstance(message, Notice):
            return self._hold(message)
        return [message] if self._is_new(message) else []

    def _hold(self, message: Message) -> Sequence[Message]:
        self._held.append(message)
        self._waiting.add(_msgid(message))
        return self._in_turn_all(self.give_up()) if len(self._held) > _GAP_MAX else ()

    def _in_page(self, message: Message) -> Sequence[Message]:
        """What has come by itself already is shown as such. So is what follows that: a page may
        overtake what is just being said. What has the time at which we came may answer our coming.
        """
        self._came += 1
        self._total += 1
        if isinstance(message, Earlier) and self._since and message.time >= self._since:
            message = message.said
        msgid = _msgid(message)
        if msgid and msgid in self._waiting:
            self._meets = True
            self._fresh, self._speaker = False, _speaker(message)
            return ()
        if self._meets:
            return self._hold(_now(message))
        if self._asked is _Ask.NEWEST:
            self._newest.append(message)
            return ()
        return [message] if self._is_new(message) else []

    def _in_turn_all(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [shown for message in messages for shown in self.in_turn(message)]

    def _is_new(self, message: Message) -> bool:
        """A line without an id may be the rest of a text of which only the first line has one."""
        said = _said(message)
        if not isinstance(said, Said):
            return True
        fresh = not isinstance(said, Stamped) or self._past.see(said)
        if _msgid(message) or _speaker(message) != self._speaker:
            self._fresh, self._speaker = fresh, _speaker(message)
        return self._fresh


def _is_old(message: Message) -> bool:
    return isinstance(message, Earlier) or (isinstance(message, Stamped) and message.late)


def _said(message: Message) -> Message:
    return message.said if isinstance(message, Earlier) else message


def _now(message: Message) -> Message:
    said = _said(message)
    return replace(said, late=False) if isinstance(said, Stamped) else said


def _msgid(message: Message) -> str:
    said = _said(message)
    return said.msgid if isinstance(said, Stamped) else ""


def _speaker(message: Message) -> tuple[str, str]:
    said = _said(message)
    return (said.room, said.nick) if isinstance(said, Said) else ("", "")
