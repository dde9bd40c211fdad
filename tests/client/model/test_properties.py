"""Whatever comes, and however often: each line once and in the server's order, counters that a
recount confirms, and a screen that can follow by what it is told.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TypeVar

import pytest

from seeds import seeds
from trio_chat.client.model import Buffer, Line, Model
from trio_chat.core.events import Departed, Joined, Left, Renamed
from trio_chat.core.views import Notice
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Linked,
    MarkedRead,
    Member,
    Message,
    OutOfRoom,
    PageEnd,
    Roster,
    Sent,
    Stamped,
    Typing,
    Unlinked,
)
from trio_chat.protocols.irc.times import moment_of

ROOMS = ("#a", "#b")
NICKS = ("alice", "bob", "me")

OTHERS: list[Message] = [
    Joined("#a", "alice"), Left("#a", "bob"), Departed("alice"), Renamed("bob", "rob"),
    Renamed("rob", "bob"), Notice("hi"), Unlinked("lost", 1), Linked("me", "net", frozenset()),
    InRoom("#a"), OutOfRoom("#b"), Typing("#a", "bob", True), Failed("none", "no"),
    Acknowledged("none"), Stamped("", "alice", "psst", to="me"),
]  # fmt: skip

T = TypeVar("T")


def time_of(number: int) -> str:
    """Half an hour from one message to the next: there are midnights in between."""
    day, half = divmod(number, 48)
    return f"2024-12-{1 + day % 31:02}T{half // 2:02}:{half % 2 * 30:02}:00.000Z"


class Server:
    """``log`` is what each room has, as the server has it; ``sent`` what we have said and the
    server may never get; ``shown`` which ids have come to us, and ``unread`` which of them nobody
    has read.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.model = Model("me")
        self.now = moment_of(time_of(0)) or 0.0
        self.number = 0
        self.focused = True
        self.log: dict[str, list[Stamped]] = {room: [] for room in ROOMS}
        self.sent: dict[str, tuple[str, str]] = {}
        self.shown: dict[str, set[str]] = {room: set() for room in ROOMS}
        self.unread: dict[str, dict[str, Stamped]] = {room: {} for room in ROOMS}
        self.marks: dict[str, float] = {}
        self.tell(Linked("me", "net", frozenset()))
        for room in ROOMS:
            self.tell(InRoom(room))
            self.tell(Roster(room, tuple(map(Member, NICKS))))

    # ── what the screen does ───────────────────────────────────────────────────────────────

    def tell(self, message: Message) -> None:
        self.model.update(message, self.now)

    def buffer(self, room: str) -> Buffer:
        return next(buffer for buffer in self.model.buffers if buffer.name == room)

    def sees(self, room: str) -> bool:
        return self.focused and self.model.current.name == room

    # ── what the server does ───────────────────────────────────────────────────────────────

    def log_it(self, room: str, nick: str, text: str, token: str = "") -> Stamped:
        self.number += 1
        self.now = moment_of(time_of(self.number)) or 0.0
        time = time_of(self.number)
        message = Stamped(room, nick, text, token=token, msgid=f"m{self.number}", time=time)
        self.log[room].append(message)
        return message

    def room(self) -> str:
        return self.random.choice(ROOMS)

    def pick(self, things: Iterable[T]) -> list[T]:
        """One of them, if there are any."""
        several = list(things)
        return [self.random.choice(several)] if several else []

    def some(self, room: str) -> list[Stamped]:
        """A piece of the log, more often of its end."""
        end = max(len(self.log[room]) - self.random.choice([0, 0, 3, 10, 30]), 0)
        return self.log[room][max(end - self.random.randrange(1, 12), 0) : end]

    def arrive(self, room: str, message: Stamped, *, live: bool, page: bool = False) -> None:
        """The recount: it has come to us, in one way or another."""
        new = message.msgid not in self.shown[room]
        self.shown[room].add(message.msgid)
        if not new or message.nick == "me" or self.sees(room):
            return
        mark = self.marks.get(room)
        if live or (mark is None and not page) or (mark is not None and moment(message) > mark):
            self.unread[room][message.msgid] = message

    def somebody_says_something(self) -> None:
        """And perhaps it does not reach us."""
        room, nick, lost = self.room(), self.random.choice(NICKS), self.random.random() < 0.4
        for _ in range(self.random.randrange(1, 4)):
            message = self.log_it(room, nick, f"text {self.number} for me")
            if not lost:
                self.arrive(room, message, live=True)
                self.tell(message)

    def something_comes_late(self) -> None:
        room = self.room()
        for message in self.some(room):
            self.arrive(room, message, live=False)
            self.tell(replace(message, late=True))

    def a_page_comes(self) -> None:
        room = self.room()
        page = self.some(room)
        for message in page:
            self.arrive(room, message, live=False, page=True)
            self.tell(Earlier(message, message.time))
        if self.random.random() < 0.8:
            self.tell(PageEnd(room, len(page), complete=False))

    def we_say_something(self) -> None:
        room, token = self.room(), f"t{len(self.sent)}"
        self.sent[token] = room, f"ours {token}"
        self.tell(Sent(token, room, f"ours {token}"))

    def the_server_gets_what_we_have_said(self) -> None:
        had = {message.token for log in self.log.values() for message in log}
        for token in self.pick(token for token in self.sent if token not in had):
            message = self.log_it(self.sent[token][0], "me", self.sent[token][1], token)
            if self.random.random() < 0.7:
                self.acknowledge(message)

    def the_server_acknowledges_again(self) -> None:
        for message in self.pick(m for m in self.log[self.room()] if m.token):
            self.acknowledge(message)

    def acknowledge(self, message: Stamped) -> None:
        self.shown[message.room].add(message.msgid)
        self.tell(Acknowledged(message.token, message.msgid, message.time))

    def what_we_have_said_fails(self) -> None:
        for token in self.pick(self.sent):
            self.tell(Failed(token, "no"))

    def we_have_read_elsewhere(self) -> None:
        room = self.room()
        for message in self.pick(self.log[room][-10:]):
            self.read_up_to(room, moment(message))
            self.tell(MarkedRead(room, message.time))

    def read_up_to(self, room: str, up_to: float) -> None:
        self.marks[room] = max(self.marks.get(room, 0.0), up_to)
        for msgid, message in list(self.unread[room].items()):
            if moment(message) <= up_to:
                del self.unread[room][msgid]

    def something_else_happens(self) -> None:
        self.tell(self.random.choice(OTHERS))

    # ── what the person does ───────────────────────────────────────────────────────────────

    def we_go_to_another_buffer(self) -> None:
        self.turn_away()
        self.model.select(self.buffer(self.random.choice(["net", *ROOMS])), self.now)
        self.look()

    def the_screen_has_focus_or_not(self) -> None:
        on = self.random.random() < 0.5
        if not on:
            self.turn_away()
        self.model.focus(on, self.now)
        self.focused = on
        self.look()

    def look(self) -> None:
        if self.sees(self.model.current.name):
            self.unread.get(self.model.current.name, {}).clear()
            self.turn_away()

    def turn_away(self) -> None:
        """What has been shown is read, up to the newest of it."""
        room = self.model.current.name
        if room in ROOMS and self.focused and self.shown[room]:
            self.read_up_to(room, max(map(moment, self.came(room))))

    def we_send_again(self) -> None:
        lines = [line for buffer in self.model.buffers for line in buffer.lines]
        for line in self.pick(line for line in lines if line.state == "failed"):
            assert self.model.resend(line)

    def came(self, room: str) -> list[Stamped]:
        return [message for message in self.log[room] if message.msgid in self.shown[room]]

    # ── what holds ─────────────────────────────────────────────────────────────────────────

    def each_message_is_there_once_and_in_order(self) -> None:
        for room in ROOMS:
            lines = [line for line in self.buffer(room).lines if line.id]
            shown = [(line.id, line.nick, line.text) for line in lines]
            assert shown == [(m.msgid, m.nick, m.text) for m in self.came(room)]

    def what_has_not_arrived_is_there_once(self) -> None:
        for room in ROOMS:
            arrived = {message.token for message in self.came(room)}
            waiting = {t for t, (where, _) in self.sent.items() if where == room} - arrived
            lines = [line for line in self.buffer(room).lines if line.state != "sent"]
            assert sorted(line.token for line in lines) == sorted(waiting)

    def what_is_on_its_way_is_at_the_end(self) -> None:
        for room in ROOMS:
            pending = [line.state == "pending" for line in self.buffer(room).lines]
            assert pending == sorted(pending)
            count = len(self.buffer(room).lines.pending)
            assert count == sum(pending)

    def the_counters_are_right(self) -> None:
        for room in ROOMS:
            buffer, unread = self.buffer(room), self.unread[room]
            assert buffer.unread == buffer.mentions == len(unread)
            if unread:
                first = next(m for m in self.log[room] if m.msgid in unread)
                assert buffer.unread_from == first.msgid

    def days_are_told_where_they_begin(self) -> None:
        for buffer in self.model.buffers:
            lines = [line for line in buffer.lines if line.state != "pending"]
            assert not lines or lines[0].kind != "day"
            for before, behind in pairwise(lines):
                if before.kind == "day":
                    assert day(before) == day(behind)
                else:
                    assert behind.kind == "day" or day(behind) <= day(before)

    def keys_are_unique(self) -> None:
        keys = [line.key for buffer in self.model.buffers for line in buffer.lines]
        assert len(set(keys)) == len(keys)


def moment(message: Stamped) -> float:
    return moment_of(message.time) or 0.0


def day(line: Line) -> int:
    return int(line.time // 86_400)


HAPPENS: list[Callable[[Server], None]] = [
    *[Server.somebody_says_something] * 3,
    *[Server.something_comes_late] * 2,
    *[Server.a_page_comes] * 2,
    *[Server.we_say_something] * 2,
    *[Server.the_server_gets_what_we_have_said] * 2,
    Server.the_server_acknowledges_again,
    Server.what_we_have_said_fails,
    Server.we_have_read_elsewhere,
    *[Server.something_else_happens] * 2,
    Server.we_go_to_another_buffer,
    Server.the_screen_has_focus_or_not,
    Server.we_send_again,
]

HOLDS: list[Callable[[Server], None]] = [
    Server.each_message_is_there_once_and_in_order,
    Server.what_has_not_arrived_is_there_once,
    Server.what_is_on_its_way_is_at_the_end,
    Server.the_counters_are_right,
    Server.days_are_told_where_they_begin,
    Server.keys_are_unique,
]


@pytest.mark.parametrize("seed", seeds(always=5, of=20))
def test_whatever_happens_all_holds(seed: int) -> None:
    random = Random(seed)
    server = Server(random)
    for _ in range(300):
        random.choice(HAPPENS)(server)
        for holds in HOLDS:
            holds(server)
