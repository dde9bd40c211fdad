"""Catching up with rooms and private conversations (ircv3.net, "chathistory").

In a new room we ask for the last messages; after a lost connection, page by page for all that came
after the last message seen. Live messages, of any room, are held until the pages are done. So
everything is shown in order, and each message once, by its id.

A PING follows each request. The server answers in order: once the PONG is there, so is the page, or
it never comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import Any

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Redacted,
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Notice, Topic
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import (
    Earlier,
    InRoom,
    Message,
    OutOfRoom,
    RemovedMeanwhile,
    Roster,
    Stamped,
)
from trio_chat.protocols.resume_state import Last, ResumeState

#: History with everything that happened, removals too: wanted only until we have caught up, since
#: pages for reading would be full of people who come and go.
PLAYBACK = "draft/event-playback"

_PING = "chathistory"  # and the number of the page

# Messages to show in a new room: a screen full, and what trio-chat shows by itself.
_FIRST = 20

# Messages in a page, if the server does not say how many it gives; and at most.
_PAGE = 100
_PAGE_MAX = 1000

# Messages to fill a gap with: about an hour of a busy room. As many may be held meanwhile.
_GAP_MAX = 5000

_TOO_LONG = f"Messages are missing here: more than {_GAP_MAX:,} were said in the meantime."
_UNKNOWN = (
    "Messages may be missing here: the server did not send all that was said in the meantime."
)

# Messages whose order matters. Sentences to us alone are not among them.
_HELD = (
    *(Said, Redacted, Joined, Left, Renamed, TopicSet),
    *(Departed, Kicked, ModesSet, AwaySet, OutOfRoom),
)

# Messages that answer our entering a room; they need only stay behind those that are held.
_STATE = (Topic, Roster)


class _Ask(Enum):
    """The kind of request."""

    FIRST = auto()  # the last messages, as we are new
    AFTER = auto()  # a page of the gap
    NEWEST = auto()  # the last messages, as the gap cannot be filled


_NOTHING = Last("", "")


@dataclass
class _Gap:
    """A room or conversation that we are catching up with."""

    target: str
    since: str = ""  # when we entered, by the server's clock
    asked: _Ask = _Ask.FIRST
    number: int = 0  # of the page
    came: int = 0  # messages in this page
    total: int = 0  # messages in all pages
    after: Last = _NOTHING  # the message before this page
    meets: bool = False  # whether this page has reached the messages that are held
    newest: list[Message] = field(default_factory=list)


class CatchUp:
    """``send`` takes a command and its parameters; ``buffer_of`` names the room or conversation of
    a message.
    """

    def __init__(
        self, state: ResumeState, send: Callable[..., None], buffer_of: Callable[[Said], str]
    ) -> None:
        self.page = _PAGE
        self.waits = False  # whether we do not know yet what to catch up with
        self.plays_back = False  # whether pages have all events, until we have caught up
        self.numbered = 0  # requests
        self.names = state.names
        self._state, self._send, self._buffer_of = state, send, buffer_of
        self._gaps: ByName[_Gap] = ByName(state.names)
        self._held: list[Message] = []
        self._waiting: set[tuple[str, str]] = set()  # places and ids of the messages held
        self._by_msgid = True
        self._speaker = ("", "")
        self._fresh = True

    def supports(self, token: str) -> None:
        """Read a token of RPL_ISUPPORT. "If 0, … there is no maximum"."""
        name, _, value = token.partition("=")
        if name == "CHATHISTORY" and value.isdecimal():
            self.page = min(int(value[:9]) or _PAGE, _PAGE_MAX)
        elif name == "MSGREFTYPES":
            self._by_msgid = "msgid" in value.split(",")

    @property
    def busy(self) -> bool:
        """Whether live messages are held."""
        return self.waits or bool(self._gaps)

    # ── requests and answers; these return messages to show ────────────────────────────────

    def begin(self, target: str, time: str) -> None:
        """Catch up with a room that we have entered at ``time``, by the server's clock."""
        gap = self._gaps[target] = _Gap(target, since=time)
        reference = self._reference(gap)
        self._ask(gap, _Ask.FIRST if reference == "*" else _Ask.AFTER, reference)
        self._state.begin(target, time)

    def _ask(self, gap: _Gap, what: _Ask, reference: str) -> None:
        gap.asked, gap.came, gap.meets = what, 0, False
        gap.after = self._last(gap)
        self.numbered += 1
        gap.number = self.numbered
        verb = "AFTER" if what is _Ask.AFTER else "LATEST"
        most = min(_FIRST, self.page) if what is _Ask.FIRST else self.page
        self._send("CHATHISTORY", verb, gap.target, reference, str(most))
        self._send("PING", f"{_PING}{gap.number}")

    def _last(self, gap: _Gap) -> Last:
        return self._state.last.get(gap.target, _NOTHING)

    def _reference(self, gap: _Gap) -> str:
        last = self._last(gap)
        if last.msgid and self._by_msgid:
            return f"msgid={last.msgid}"
        return f"timestamp={last.time}" if last.time else "*"

    def expected(self, target: str) -> int:
        """Return the number of the open request for this history; 0 if there is none."""
        gap = self._gaps.get(target)
        return gap.number if gap else 0

    def fills_a_gap(self, target: str) -> bool:
        """Whether a page of it holds news, not what was said before we first came."""
        gap = self._gaps.get(target)
        return gap is not None and gap.asked is not _Ask.FIRST

    def page_over(self, target: str) -> Sequence[Message]:
        """Handle the end of a page."""
        gap = self._gaps.get(target)
        if gap is None:
            return ()
        if gap.asked is _Ask.AFTER and self._last(gap) != gap.after and not gap.meets:
            what = _Ask.AFTER if gap.total < _GAP_MAX else _Ask.NEWEST
            self._ask(gap, what, self._reference(gap))
            return ()
        full = gap.asked is _Ask.NEWEST and gap.came >= self.page
        return [*([Notice(_TOO_LONG, room=gap.target)] if full else []), *self._close(gap)]

    def failed(self, about: Sequence[str] = ()) -> Sequence[Message]:
        """Handle a refusal that names one of these targets, or else is about our first request. The
        server may have forgotten the last message that we have seen.
        """
        gaps = [self._gaps[name] for name in about if name in self._gaps]
        gaps = gaps or sorted(self._gaps.values(), key=lambda gap: gap.number)
        if not gaps:
            return ()
        if gaps[0].asked is _Ask.AFTER:
            self._ask(gaps[0], _Ask.NEWEST, "*")
            return [Notice(_UNKNOWN, room=gaps[0].target)]
        return self._close(gaps[0])

    def ponged(self, token: str) -> Sequence[Message]:
        """Handle a PONG. If a page has not come by then, it never will."""
        for gap in self._gaps.values():
            if token == f"{_PING}{gap.number}":
                return self._give_up(gap)
        return ()

    def _give_up(self, gap: _Gap) -> Sequence[Message]:
        told = [Notice(_UNKNOWN, room=gap.target)] if gap.asked is not _Ask.FIRST else []
        return [*told, *self._close(gap)]

    def go_on(self) -> Sequence[Message]:
        """Note that we know now what to catch up with."""
        self.waits = False
        return self._release()

    def give_up(self) -> Sequence[Message]:
        """Stop catching up, as live messages cannot be held any longer."""
        self.waits = False
        return [m for gap in tuple(self._gaps.values()) for m in self._give_up(gap)]

    def _close(self, gap: _Gap) -> Sequence[Message]:
        del self._gaps[gap.target]
        return [*gap.newest, *self._release()]

    def _release(self) -> Sequence[Message]:
        """Return the messages held, unless another gap would hold them again."""
        if self.busy:
            return ()
        if self.plays_back:
            self.plays_back = False
            self._send("CAP", "REQ", f"-{PLAYBACK}")
        held, self._held, self._waiting = self._held, [], set()
        return held

    def rename(self, room: str, to: str) -> None:
        """Let a room have another name, also in what is held: that is shown after it is told."""
        gap = self._gaps.get(room)
        self._gaps.rename(room, to)
        if gap:
            gap.target = to
            gap.newest = [self._renamed(message, room, to) for message in gap.newest]
        self._held = [self._renamed(message, room, to) for message in self._held]
        old, new = self.names.fold(room), self.names.fold(to)
        self._waiting = {(new if at == old else at, msgid) for at, msgid in self._waiting}

    def _renamed(self, message: Any, room: str, to: str) -> Any:
        if isinstance(message, Earlier):
            return replace(message, said=self._renamed(message.said, room, to))
        known = self.names.same(getattr(message, "room", ""), room)
        return replace(message, room=to) if known else message

    # ── each once, and in order ────────────────────────────────────────────────────────────

    def in_turn(self, message: Message) -> Sequence[Message]:
        """Return what to show now that this message has come."""
        found = isinstance(message, Earlier) and (message.found or message.calls)
        if found or isinstance(message, RemovedMeanwhile):
            return [message]
        gap = self._gaps.get(self._place(message))
        if gap and _is_old(message):
            return self._in_page(gap, message)
        if self.busy and not _is_old(message) and self._has_a_place(message):
            return self._hold(message)
        return [message] if self._is_new(message) else []

    def _has_a_place(self, message: Message) -> bool:
        """Whether it must not be shown before messages that are held, or will be."""
        if isinstance(message, _STATE):
            return bool(self._held)
        return isinstance(message, _HELD) or self._is_back(message)

    def _is_back(self, message: Message) -> bool:
        """Whether it re-enters a room whose OutOfRoom is held."""
        return isinstance(message, InRoom) and any(
            self.names.same(out.room, message.room) for out in self.left
        )

    @property
    def left(self) -> Sequence[OutOfRoom]:
        """Each OutOfRoom that is held: nothing else will tell it."""
        return [held for held in self._held if isinstance(held, OutOfRoom)]

    def _hold(self, message: Message) -> Sequence[Message]:
        self._held.append(message)
        self._waiting.add((self.names.fold(self._place(message)), _msgid(message)))
        return self._in_turn_all(self.give_up()) if len(self._held) > _GAP_MAX else ()

    def _in_page(self, gap: _Gap, message: Message) -> Sequence[Message]:
        """Take a message of a page. One that has also come live is shown as live, and so are those
        after it, since a page may overtake live messages. So is one with the time of our entering,
        which may answer it.
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

    def passed(self, target: str, last: Last) -> None:
        """Count an event of a page that is no message. The next page begins after it, too."""
        gap = self._gaps.get(target)
        if gap is None:
            return
        gap.came += 1
        gap.total += 1
        if gap.asked is _Ask.AFTER and not gap.meets and last.msgid:
            self._state.last[gap.target] = last

    def _in_turn_all(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [shown for message in messages for shown in self.in_turn(message)]

    def _is_new(self, message: Message) -> bool:
        """Whether it is new. A line without an id may go on with the text of the line before."""
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
