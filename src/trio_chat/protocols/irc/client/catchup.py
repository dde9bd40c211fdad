"""To enter a room and miss nothing of it: what was said before we came (ircv3.net, "chathistory").
It is the same with private conversations after a cut.

Whoever is new is told the last messages. Whoever comes back asks for what came after the last that
they have seen, page by page. What is said in the meantime, wherever, waits until the pages are
done, so that everything is shown in order; and each message once, by its id.

A PING follows each request. The server answers in order, so with the PONG the page is there or
never comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Notice, Topic
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import Earlier, InRoom, Message, OutOfRoom, Roster, Stamped
from trio_chat.protocols.resume_state import Last, ResumeState

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

# What must be told in order. A sentence to us alone has no place among these.
_HELD = (
    *(Said, Joined, Left, Renamed, TopicSet),
    *(Departed, Kicked, ModesSet, AwaySet, OutOfRoom),
)

# What is told to whoever enters. It has a place behind what is held only.
_STATE = (Topic, Roster)


class _Ask(Enum):
    """What we have asked for."""

    FIRST = auto()  # the last messages, as we are new
    AFTER = auto()  # a page of the gap
    NEWEST = auto()  # the last messages, as the gap cannot be filled


_NOTHING = Last("", "")


@dataclass
class _Gap:
    """Of one room or conversation: what we are asking for, and how far that is."""

    target: str
    since: str = ""  # when we came, by the server's clock
    asked: _Ask = _Ask.FIRST
    number: int = 0  # of the page
    came: int = 0  # messages in this page
    total: int = 0  # in all pages
    after: Last = _NOTHING  # of which the page is what follows
    meets: bool = False  # whether the page has come to what is held
    newest: list[Message] = field(default_factory=list)


class CatchUp:
    """``send`` takes a command and its parameters. ``buffer_of`` tells of what is said in which
    room or conversation that is.
    """

    def __init__(
        self,
        state: ResumeState,
        send: Callable[..., None],
        buffer_of: Callable[[Said], str],
    ) -> None:
        self.page = _PAGE
        self.by_msgid = True
        self.waits = False  # whether it is not known yet what to catch up with
        self.numbered = 0  # questions
        self.names = state.names
        self._state, self._send, self._buffer_of = state, send, buffer_of
        self._gaps: ByName[_Gap] = ByName(state.names)
        self._held: list[Message] = []
        self._waiting: set[tuple[str, str]] = set()  # the places and ids of what is held
        self._speaker = ("", "")
        self._fresh = True

    def supports(self, token: str) -> None:
        """What the server says of itself (RPL_ISUPPORT). "If 0, … there is no maximum"."""
        name, _, value = token.partition("=")
        if name == "CHATHISTORY" and value.isdecimal():
            self.page = min(int(value[:9]) or _PAGE, _PAGE_MAX)
        elif name == "MSGREFTYPES":
            self.by_msgid = "msgid" in value.split(",")

    @property
    def busy(self) -> bool:
        """Whether what happens now has to wait."""
        return self.waits or bool(self._gaps)

    # ── questions and answers: what they return is to be shown in turn ─────────────────────

    def begin(self, target: str, time: str) -> None:
        """We have entered it, at this time by the server's clock."""
        gap = self._gaps[target] = _Gap(target, since=time)
        self._ask(gap, _Ask.AFTER if self._reference(gap) != "*" else _Ask.FIRST)
        self._state.begin(target, time)

    def _ask(self, gap: _Gap, what: _Ask, reference: str = "") -> None:
        gap.asked, gap.came, gap.meets = what, 0, False
        gap.after = self._last(gap)
        self.numbered += 1
        gap.number = self.numbered
        match what:
            case _Ask.FIRST:
                self._send("CHATHISTORY", "LATEST", gap.target, "*", str(min(_FIRST, self.page)))
            case _Ask.AFTER:
                page = str(self.page)
                self._send("CHATHISTORY", "AFTER", gap.target, self._reference(gap), page)
            case _Ask.NEWEST:
                self._send("CHATHISTORY", "LATEST", gap.target, reference, str(self.page))
        self._send("PING", f"{_PING}{gap.number}")

    def _last(self, gap: _Gap) -> Last:
        return self._state.last.get(gap.target, _NOTHING)

    def _reference(self, gap: _Gap) -> str:
        last = self._last(gap)
        if last.msgid and self.by_msgid:
            return f"msgid={last.msgid}"
        return f"timestamp={last.time}" if last.time else "*"

    def expected(self, target: str) -> int:
        """The number of the question about it that has no answer yet; 0 if there is none."""
        gap = self._gaps.get(target)
        return gap.number if gap else 0

    def fills_a_gap(self, target: str) -> bool:
        """Whether what comes in a page of it is news, and not from before our time."""
        gap = self._gaps.get(target)
        return gap is not None and gap.asked is not _Ask.FIRST

    def page_over(self, target: str) -> Sequence[Message]:
        """A page has come."""
        gap = self._gaps.get(target)
        if gap is None:
            return ()
        if gap.asked is _Ask.AFTER and self._last(gap) != gap.after and not gap.meets:
            if gap.total < _GAP_MAX:
                self._ask(gap, _Ask.AFTER)
            else:
                self._ask(gap, _Ask.NEWEST, self._reference(gap))
            return ()
        full = gap.asked is _Ask.NEWEST and gap.came >= self.page
        return [*([self._notice(_TOO_LONG, gap)] if full else []), *self._close(gap.target)]

    def failed(self, about: Sequence[str] = ()) -> Sequence[Message]:
        """The server refuses what we asked about one of these, or else what we asked first. It may
        not know any more what we have seen last.
        """
        gaps = [self._gaps[name] for name in about if name in self._gaps]
        gaps = gaps or sorted(self._gaps.values(), key=lambda gap: gap.number)
        if not gaps:
            return ()
        if gaps[0].asked is _Ask.AFTER:
            self._ask(gaps[0], _Ask.NEWEST, "*")
            return [self._notice(_UNKNOWN, gaps[0])]
        return self._close(gaps[0].target)

    def ponged(self, token: str) -> Sequence[Message]:
        """The answer to a PING of ours: if it is to the last one, there is no answer but this."""
        for gap in self._gaps.values():
            if token == f"{_PING}{gap.number}":
                return self._give_up(gap)
        return ()

    def _give_up(self, gap: _Gap) -> Sequence[Message]:
        """There is no more to be had of it."""
        told = [self._notice(_UNKNOWN, gap)] if gap.asked is not _Ask.FIRST else []
        return [*told, *self._close(gap.target)]

    def go_on(self) -> Sequence[Message]:
        """It is known now what to catch up with."""
        self.waits = False
        return self._release()

    def stop(self) -> Sequence[Message]:
        """Catch up with nothing any more."""
        return [m for gap in tuple(self._gaps.values()) for m in self._close(gap.target)]

    def give_up(self) -> Sequence[Message]:
        """There is no more to be had, or it cannot wait."""
        self.waits = False
        return [m for gap in tuple(self._gaps.values()) for m in self._give_up(gap)]

    def _close(self, target: str) -> Sequence[Message]:
        gap = self._gaps.pop(target, None)
        if gap is None:
            return ()
        return [*gap.newest, *self._release()]

    def _release(self) -> Sequence[Message]:
        """What has waited, once it need not any more."""
        if self.busy:
            return ()
        held, self._held, self._waiting = self._held, [], set()
        return held

    def _notice(self, text: str, gap: _Gap) -> Notice:
        return Notice(text, room=gap.target)

    # ── each once, and in order ────────────────────────────────────────────────────────────

    def in_turn(self, message: Message) -> Sequence[Message]:
        """What to show now that this has come."""
        if isinstance(message, Earlier) and message.found:
            return [message]
        gap = self._gaps.get(self._place(message))
        if gap and _is_old(message):
            return self._in_page(gap, message)
        if self.busy and not _is_old(message) and self._has_a_place(message):
            return self._hold(message)
        return [message] if self._is_new(message) else []

    def _has_a_place(self, message: Message) -> bool:
        """Whether it may not be told before what is held, or will be."""
        if isinstance(message, _STATE):
            return bool(self._held)
        return isinstance(message, _HELD) or self._is_back(message)

    def _is_back(self, message: Message) -> bool:
        """Whether we are in a room again before it is told that we were out of it."""
        return isinstance(message, InRoom) and any(
            self.names.same(out.room, message.room) for out in self.left
        )

    @property
    def left(self) -> Sequence[OutOfRoom]:
        """Of what waits, that we are not in a room any more: nothing else will tell it."""
        return [held for held in self._held if isinstance(held, OutOfRoom)]

    def _hold(self, message: Message) -> Sequence[Message]:
        self._held.append(message)
        self._waiting.add((self.names.fold(self._place(message)), _msgid(message)))
        return self._in_turn_all(self.give_up()) if len(self._held) > _GAP_MAX else ()

    def _in_page(self, gap: _Gap, message: Message) -> Sequence[Message]:
        """What has come by itself already is shown as such. So is what follows that: a page may
        overtake what is just being said. What has the time at which we came may answer our coming.
        """
        gap.came += 1
        gap.total += 1
        if isinstance(message, Earlier) and gap.since and message.time >= gap.since:
            message = message.said
        msgid = _msgid(message)
        if msgid and (self.names.fold(gap.target), msgid) in self._waiting:
            gap.meets = True
            self._fresh, self._speaker = False, self._speaker_of(message)
            return ()
        if gap.meets:
            return self._hold(_now(message))
        if gap.asked is _Ask.NEWEST:
            gap.newest.append(message)
            return ()
        return [message] if self._is_new(message) else []

    def _in_turn_all(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [shown for message in messages for shown in self.in_turn(message)]

    def _is_new(self, message: Message) -> bool:
        """A line without an id may be the rest of a text of which only the first line has one."""
        said = _said(message)
        if not isinstance(said, Said):
            return True
        fresh = not isinstance(said, Stamped) or self._state.see(said, self._place(said))
        if _msgid(message) or self._speaker_of(message) != self._speaker:
            self._fresh, self._speaker = fresh, self._speaker_of(message)
        return self._fresh

    def _place(self, message: Message) -> str:
        said = _said(message)
        return self._buffer_of(said) if isinstance(said, Said) else ""

    def _speaker_of(self, message: Message) -> tuple[str, str]:
        said = _said(message)
        return (self._place(said), said.nick) if isinstance(said, Said) else ("", "")


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
