"""The server's end of IRC, without a server: lines in, and what is asked and answered."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import commands, next_command
from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Command,
    DirectMessage,
    Enter,
    Join,
    Kick,
    Leave,
    Quit,
    Request,
    Say,
    TagMessage,
    Watch,
)
from trio_chat.core.events import Arrived, Entry, Event, Joined, Origin, Said
from trio_chat.core.logs import log_of
from trio_chat.core.names import fold
from trio_chat.core.queries import (
    Count,
    FindNicks,
    ListMembers,
    ListTalks,
    LookUp,
    MarkRead,
    Query,
    Recall,
    Seek,
    ShowMark,
)
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import RoomState
from trio_chat.core.views import Answer, AwayReply, Found, Marked, Recalled, Refused, Talks
from trio_chat.protocols.irc.caps import CAPS
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.lines import ENDLESS
from trio_chat.protocols.session import Ask, Handled, Says

INFO = ServerInfo("chat.local", "network", "version", "just now")
NOW = 1_700_000_000
ID = f"{NOW}000-1"

ME, BOB = "1", "2"
#: What those are told who look for what was said by them.
REFUSALS = {
    "nobody": Refused("There is nothing.", Code.UNREADABLE, ("nobody",)),
    "broken": Refused("The disk is broken.", Code.UNAVAILABLE),
}

#: All that a client needs to be let in, with every capability.
HELLO = b"CAP REQ :%s\r\nNICK alice\r\nUSER a 0 * :Alice\r\nCAP END\r\n" % " ".join(CAPS).encode()


class Desk:
    """A chat of one connection and of bob, who is in #room and away: it does what is asked, in the
    order in which a connection does it, and keeps what was asked and what was sent.
    """

    def __init__(self) -> None:
        self.session = IrcSession(INFO, lambda: NOW, private=True)
        self.chat = Chat(replay=0)
        self.asked: list[Command] = []
        self.sent = b""
        self.past: tuple[Entry, ...] = ()
        origin = Origin("b", "host", "Bob")
        self.chat.open_room(RoomState("#room"))
        self._happen(Arrived("bob", BOB, origin))
        self._happen(Joined("#room", "bob", BOB, origin=origin))
        self.chat.people[BOB].away = "out"

    def feed(self, data: bytes) -> Sequence[Message]:
        """What is sent because of this."""
        before = len(self.sent)
        self.session.receive_data(data)
        while (run := self.session.next_run()) is not None:
            self.asked += commands(run)
            if isinstance(run, Says):
                self._submit(run.messages)
            elif isinstance(run, Ask):
                self._do(run)
        self.sent += self.session.data_to_send()
        lines = self.sent[before:].decode().split("\r\n")[:-1]
        return [message for line in lines if (message := parse(line))]

    def _do(self, ask: Ask) -> None:
        match ask.command:
            case Quit() | Watch():
                pass
            case Enter(nick, origin=origin):
                arrived = Arrived(nick, ME, replace(origin, host="host"))
                self._happen(arrived)
                self._follow(arrived)
            case command if isinstance(command, Query):
                for answer in self.chat.answer(ME, command):
                    self._reply(answer, ask)
            case command if isinstance(command, LookUp):
                self._reply(self._look_up(command), ask)
            case command:
                self._submit([command], ask)

    def _follow(self, event: Event) -> None:
        for ask in self.session.done(event):
            self.asked.append(ask.command)
            self._do(ask)

    def _reply(self, answer: Answer, ask: Ask | None) -> None:
        tell = ask and (ask.on_refused if isinstance(answer, Refused) else ask.on_answer)
        (tell or self.session.reply)(answer)

    def _look_up(self, command: LookUp) -> Answer:
        match command:
            case Recall(target) | Seek(target=target) if target in REFUSALS:
                return REFUSALS[target]
            case Recall(target):
                return Recalled(target, self.past)
            case ListTalks():
                return Talks((("#room", 1), ("bob", NOW * 1000)))
            case Seek():
                return Found(self.past)
            case MarkRead(target, at):
                return Marked(target, at)
            case ShowMark(target):
                return Marked(target, 0)

    def _submit(self, requests: Sequence[Request], ask: Ask | None = None) -> None:
        self.sent += self.session.data_to_send()
        outcomes = []
        own = self.session.own
        for request in requests:
            if isinstance(request, Join) and not self.chat.room(request.room):
                self.chat.open_room(RoomState(request.room))
            outcomes += self.chat.decide(ME, request)
        for outcome in outcomes:
            if not isinstance(outcome, Refused | AwayReply):
                for delivery in self._happen(outcome):
                    if self._concerns_me(delivery):
                        dialect = own if delivery.by == ME else self.session.dialect
                        self.sent += dialect.render(delivery.shown, ID, NOW * 1000)
        for outcome in outcomes:
            if isinstance(outcome, Refused | AwayReply):
                self._reply(outcome, ask)
            else:
                self._follow(outcome)

    def _happen(self, event: Event) -> Sequence:
        return self.chat.apply(Entry(log_of(event), ID, event, NOW * 1000))

    def _concerns_me(self, delivery) -> bool:
        rooms = self.chat.people[ME].rooms
        return ME in delivery.people or any(room in rooms for room in delivery.rooms)


def entered(*caps: str) -> Desk:
    """Somebody who has been let in, with these capabilities, and is in #room."""
    desk = Desk()
    desk.feed(b"CAP REQ :%s\r\nNICK alice\r\nUSER a 0 * :Alice\r\nCAP END\r\n"
              b"JOIN #room\r\n" % " ".join(caps).encode())  # fmt: skip
    assert fold("#room") in desk.chat.people[ME].rooms
    return desk


def shown(messages: Sequence[Message]) -> list[str]:
    """Commands and parameters, one line each."""
    return [" ".join([message.command, *message.params]) for message in messages]


# ── registration ───────────────────────────────────────────────────────────────────────────────

NICK_USER_PASS = [b"NICK alice\r\n", b"USER a 0 * :Alice A.\r\n", b"PASS secret\r\n"]


def entering(password: str) -> Enter:
    return Enter("alice", origin=Origin("a", name="Alice A."), password=password)


@pytest.mark.parametrize("order", list(permutations(NICK_USER_PASS)))
def test_nickname_and_user_come_in_any_order(order: Sequence[bytes]) -> None:
    """A password counts if it comes before the last of the two."""
    desk = Desk()
    desk.feed(b"".join(order))
    password = "" if order[-1].startswith(b"PASS") else "secret"
    assert desk.asked == [entering(password), Count()]


@pytest.mark.parametrize("order", list(permutations([*NICK_USER_PASS, b"CAP REQ :batch\r\n"])))
def test_whoever_negotiates_is_let_in_at_the_end_of_it(order: Sequence[bytes]) -> None:
    desk = Desk()
    desk.feed(b"CAP LS 302\r\n" + b"".join(order))
    assert desk.asked == []
    assert desk.feed(b"CAP END\r\n")[0].command == "001"
    assert desk.asked == [entering("secret"), Count()]


@pytest.mark.parametrize("order", list(permutations([*NICK_USER_PASS[:2], b"CAP END\r\n"])))
def test_negotiation_may_end_before_there_is_a_nickname(order: Sequence[bytes]) -> None:
    desk = Desk()
    desk.feed(b"CAP LS\r\n" + b"".join(order))
    assert desk.asked == [entering(""), Count()]


def test_a_nickname_in_use_can_be_replaced_by_another() -> None:
    session = IrcSession(INFO, lambda: NOW, private=True)
    session.receive_data(b"NICK taken\r\nUSER a 0 * :A\r\nNICK free\r\n")
    assert isinstance(session.next_run(), Handled)
    first = session.next_run()
    assert isinstance(first, Ask)
    assert isinstance(first.command, Enter)
    assert first.command.nick == "taken"
    first.on_refused(Refused("It is taken.", Code.NICK_TAKEN, ("taken",)))
    assert isinstance(second := next_command(session), Enter)
    assert second.nick == "free"
    assert session.data_to_send() == b":chat.local 433 * taken :It is taken.\r\n"


def test_what_a_newcomer_is_told_and_in_which_order() -> None:
    commands = [message.command for message in Desk().feed(HELLO)]
    assert commands[:5] == ["CAP", "001", "002", "003", "004"]
    assert "005" in commands
    assert commands[-1] == "422"  # there is no message of the day


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("JOIN #room", "451 * You have not registered"),
        ("PRIVMSG bob :hi", "451 * You have not registered"),
        ("NICK", "431 * No nickname given"),
        ("NICK :", "431 * No nickname given"),
        ("NICK a!b", "432 * a!b "),
        ("USER a 0 *", "461 * USER Not enough parameters"),
        ("USER a 0 * :", "461 * USER Not enough parameters"),
        ("USER !! 0 * :A", "468 * Your username is not valid"),
        ("PASS", "461 * PASS Not enough parameters"),
        ("PING", "409 * No origin specified"),
        ("PING me", "PONG chat.local me"),
        ("CAP", "461 * CAP Not enough parameters"),
        ("CAP NONSENSE", "410 * NONSENSE Invalid CAP command"),
        ("WHATEVER", "421 * WHATEVER Unknown command"),
    ],
)
def test_answers_before_registration(line: str, answer: str) -> None:
    """They name nobody: there is no nickname yet."""
    [said] = shown(Desk().feed(line.encode() + b"\r\n"))
    assert said.startswith(answer)


@pytest.mark.parametrize("line", ["USER b 0 * :B", "PASS again"])
def test_nobody_registers_twice(line: str) -> None:
    answer = entered().feed(line.encode() + b"\r\n")
    assert shown(answer) == ["462 alice You may not reregister"]


# ── capabilities ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("version", ["", " 301", " x", " 99999999999999999999", " -302", " ²"])
def test_an_old_client_is_told_all_capabilities_in_one_line(version: str) -> None:
    [listed] = Desk().feed(f"CAP LS{version}\r\n".encode())
    assert listed.params[:2] == ("*", "LS")
    assert listed.params[2].split() == list(CAPS)


@pytest.mark.parametrize("version", ["302", "303", "0302"])
def test_a_new_client_is_told_all_capabilities(version: str) -> None:
    """In as many lines as it takes, all but the last with a star."""
    lines = Desk().feed(f"CAP LS {version}\r\n".encode())
    assert [line.params[2] for line in lines[:-1]] == ["*"] * (len(lines) - 1)
    names = [word.partition("=")[0] for line in lines for word in line.params[-1].split()]
    assert sorted(names) == sorted(CAPS)


REQUESTS = [
    ([], []),
    (["REQ :batch"], ["batch"]),
    (["REQ :batch setname"], ["batch", "setname"]),
    (["REQ batch"], ["batch"]),
    (["REQ :batch setname", "REQ :-batch"], ["setname"]),
    (["REQ :batch", "REQ :-batch setname"], ["setname"]),
    (["REQ :batch", "REQ :setname no-such-thing"], ["batch"]),
    (["REQ :batch", "REQ :-no-such-thing"], ["batch"]),
    (["REQ :batch", "REQ :-batch no-such-thing"], ["batch"]),
    (["REQ :BATCH"], []),
    (["REQ :"], []),
    (["REQ"], []),
    (["REQ :cap-notify", "REQ :-cap-notify"], []),
    (["LS 302"], ["cap-notify"]),
    (["LS 302", "REQ :-cap-notify"], ["cap-notify"]),
    (["LS 302", "REQ :-cap-notify batch"], ["cap-notify"]),
    (["LS 302", "LS"], ["cap-notify"]),
    (["ls 302", "req :batch"], ["batch", "cap-notify"]),
]


@pytest.mark.parametrize(("lines", "caps"), REQUESTS, ids=[" ".join(r[0]) for r in REQUESTS])
def test_requested_capabilities_are_had_all_or_none(lines: list[str], caps: list[str]) -> None:
    desk = Desk()
    for line in lines:
        desk.feed(f"CAP {line}\r\n".encode())
    [listed] = desk.feed(b"CAP LIST\r\n")
    assert listed.params == ("*", "LIST", " ".join(caps))


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        ("batch", "ACK"),
        ("batch -setname", "ACK"),
        ("batch nonsense", "NAK"),
        ("-nonsense", "NAK"),
    ],
)
def test_a_request_is_answered_with_its_own_words(wanted: str, answer: str) -> None:
    [acknowledged] = Desk().feed(f"CAP REQ :{wanted}\r\n".encode())
    assert acknowledged.params == ("*", answer, wanted)


def test_capabilities_can_change_later_and_that_ends_nothing() -> None:
    desk = entered()
    assert shown(desk.feed(b"CAP REQ :batch\r\nCAP END\r\nCAP LIST\r\n")) == [
        "CAP alice ACK batch",
        "CAP alice LIST batch",
    ]


# ── the same bytes in other pieces ─────────────────────────────────────────────────────────────

SCRIPTS = [
    HELLO + b"JOIN #room\r\nPRIVMSG #room :hi\r\nPRIVMSG #room :ho\r\nPING 1\r\n",
    HELLO + b"PRIVMSG #nowhere :a\r\nPRIVMSG #nowhere :b\r\nNOTICE #nowhere :c\r\nPING 1\r\n",
    HELLO + b"PRIVMSG #nowhere :a\r\n@label=1 PING x\r\n@label=2 PRIVMSG #nowhere :b\r\n",
    HELLO + b"PRIVMSG #nowhere :a\r\nNAMES #nowhere\r\nPRIVMSG #nowhere :b\r\nPRIVMSG #x\r\n",
    HELLO + b"JOIN #room\r\nPRIVMSG #room :a\r\n@label=1 PRIVMSG #room :b\r\nPRIVMSG #room :\r\n",
    HELLO + b"JOIN #room\r\nPRIVMSG #room :a\r\nPRIVMSG #room :\xff\r\nPRIVMSG #room :b\r\n",
    HELLO + b"JOIN #a,#b,#a\r\nPRIVMSG #a,#b,bob :x\r\nPRIVMSG #a,#b,bob :y\r\nPART #a,#b :z\r\n",
    HELLO + b"JOIN #room\r\n@label=x JOIN #room\r\n@label=y PRIVMSG bob :hi\r\nAWAY :x\r\nAWAY\r\n",
    HELLO + b"@label=1 JOIN #a\r\n@label=2 MODE #a +bkl x y 3\r\n@label=3 MODE #a\r\nWHO #a\r\n",
    b"NICK alice\r\nUSER a 0 * :\xc3\x84\r\nWHOIS alice\r\nLIST\r\nNAMES\r\nTOPIC #room\r\n",
    b"CAP LS 302\nNICK alice\nUSER a 0 * a\nCAP END\n\n\n   \n:x\n@y\nJOIN :#room\nQUIT :bye\n",
    b"PASS x\r\nCAP LS\r\n"
    + b"PING "
    + b"x" * 510
    + b"\r\nNICK "
    + b"y" * 9000
    + b"\r\nPING z\r\n",
    HELLO
    + b"MONITOR + bob,carol\r\nMONITOR L\r\nMONITOR C\r\nNICK carol\r\nSETNAME :C\r\nHELP\r\n",
]


def output(pieces: Sequence[bytes]) -> bytes:
    desk = Desk()
    for piece in pieces:
        desk.feed(piece)
    return desk.sent


@pytest.mark.parametrize("script", SCRIPTS)
def test_line_by_line_is_as_whole(script: bytes) -> None:
    """What is said in a row may be asked for ahead: but nobody can see that."""
    assert output(script.splitlines(keepends=True)) == output([script])


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_line_that_has_not_ended_does_nothing(script: bytes) -> None:
    without = output([script])
    for rest in (b"P", b"PING 5", b"PING 5\r", b"\r", b"@a=b;c", b":", b"\xff"):
        assert output([script + rest]) == without


@given(st.sampled_from(SCRIPTS), st.lists(st.integers(0, 700), max_size=12))
def test_it_does_not_matter_where_the_pieces_end(script: bytes, cuts: list[int]) -> None:
    cuts = [0, *sorted(cuts), len(script)]
    pieces = [script[begin:end] for begin, end in pairwise(cuts)]
    assert output(pieces) == output([script])


def runs(session: IrcSession) -> list[list[Command]]:
    """All that it asks for, run by run."""
    return [commands(run) for run in iter(session.next_run, None)]


def test_what_is_said_in_a_row_goes_together() -> None:
    desk = entered()
    desk.session.receive_data(
        b"PRIVMSG #room :1\r\nPRIVMSG #room :2\r\nPRIVMSG #room :3\r\nPING x\r\n"
    )
    assert runs(desk.session) == [[Say("#room", text) for text in "123"], []]


def test_what_one_line_says_in_two_rooms_is_two_runs() -> None:
    desk = entered()
    desk.session.receive_data(b"PRIVMSG #room,#b :1\r\nPRIVMSG #room,#b :2\r\n")
    rooms = ["#room", "#b", "#room", "#b"]
    expected = [[Say(room, text)] for room, text in zip(rooms, "1122", strict=True)]
    assert runs(desk.session) == expected


def test_what_has_an_id_goes_together_too() -> None:
    desk = entered()
    line = b"@+trio-chat/id=message-number-%04d PRIVMSG #room :%d\r\n"
    desk.session.receive_data(b"".join(line % (n, n) for n in range(4)))
    [run] = runs(desk.session)
    assert [say.token for say in run] == [f"message-number-{n:04}" for n in range(4)]


@pytest.mark.parametrize(
    "following",
    [b"@+trio-chat/id=bad PRIVMSG #room :2", b"@+trio-chat/id=0123456789abcdef NAMES #room",
     b"@label=1 PRIVMSG #room :2", b"PRIVMSG #other :2", b"NOTICE #room :2", b"PRIVMSG #room :",
     b"PRIVMSG #room :\xff", b"PRIVMSG #room :" + b"x" * 600, b"NAMES #room", b"PRIVMSG #room"],
)  # fmt: skip
def test_what_may_be_answered_otherwise_is_no_part_of_a_run(following: bytes) -> None:
    desk = entered(*CAPS)
    desk.session.receive_data(b"PRIVMSG #room :1\r\n" + following + b"\r\n")
    assert commands(desk.session.next_run()) == [Say("#room", "1")]


# ── limits ─────────────────────────────────────────────────────────────────────────────────────


def line_of(size: int, tags: int = 0) -> bytes:
    """A NICK of nobody: so many bytes with CR LF, after so many bytes of data in tags."""
    line = b"PING " + b"x" * (size - 7) + b"\r\n"
    return b"@" + b"t" * tags + b" " + line if tags else line


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (line_of(512), "PONG"),
        (line_of(513), "417"),
        (line_of(511, tags=4094), "PONG"),
        (line_of(512, tags=4094), "PONG"),
        (line_of(513, tags=4094), "417"),
        (line_of(512, tags=4095), "417"),
        (line_of(7, tags=4095), "417"),
        (line_of(512, tags=8189), "417"),
        (line_of(512, tags=20_000), "417"),
        (line_of(20_000), "417"),
        (b"x" * 9000 + b"\r\n", "417"),
    ],
    ids=lambda value: str(len(value)) if isinstance(value, bytes) else value,
)
def test_lines_have_a_longest_length(line: bytes, command: str) -> None:
    """ "512 bytes … including the trailing CR-LF"; and beside that 4094 bytes of tags."""
    desk = entered()
    assert [message.command for message in desk.feed(line)] == [command]
    assert shown(desk.feed(b"PING still-here\r\n")) == ["PONG chat.local still-here"]


def test_what_others_could_not_be_sent_whole_is_refused() -> None:
    """The sender's address is put before it; that may be too much."""
    desk = entered("echo-message")
    longest = 512 - len(":alice!a@host PRIVMSG #room :\r\n")
    [echo] = desk.feed(b"PRIVMSG #room :" + b"x" * longest + b"\r\n")
    assert echo.params == ("#room", "x" * longest)
    refused = desk.feed(b"PRIVMSG #room :" + b"x" * (longest + 1) + b"\r\n")
    assert shown(refused) == ["417 alice Input line was too long"]


def test_who_never_ends_a_line_is_let_go() -> None:
    desk = entered()
    for _ in range(ENDLESS // 65_536 + 2):
        desk.feed(b"x" * 65_536)
    assert [command for command in desk.asked if isinstance(command, Quit)] == [
        Quit("Your line never ended.")
    ]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"PRIVMSG #room :\xff\r\n", "PRIVMSG"),
        (b"\xc3\r\n", "*"),
        (b"NONE\xff x\r\n", "*"),
        (b"\x80 PING\r\n", "*"),
        (b"@a=\x80 PING x\r\n", "PING"),
    ],
)
@pytest.mark.parametrize("desk", [Desk, entered], ids=["before", "after"])
def test_what_is_no_utf8_is_rejected(desk: type[Desk], line: bytes, command: str) -> None:
    here = desk()
    asked = len(here.asked)
    answer = here.feed(line)
    assert shown(answer) == [f"FAIL {command} INVALID_UTF8 Message rejected, it is not UTF-8"]
    assert len(here.asked) == asked


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"NICK ol\0ga\r\n", "NICK"),
        (b"NS REGISTER pass\0word\r\n", "NS"),
        (b"PRIVMSG #room :a\0\r\n", "PRIVMSG"),
        (b"PRIV\0MSG #room :a\r\n", "*"),
    ],
)
def test_a_line_with_a_nul_is_rejected(line: bytes, command: str) -> None:
    """It would mean something else without that. Before a line it is nothing."""
    here = entered()
    asked = len(here.asked)
    answer = here.feed(line)
    assert shown(answer) == [f"FAIL {command} INVALID_PARAMS Message rejected, it has a NUL"]
    assert len(here.asked) == asked
    assert [answer.command for answer in here.feed(b"\0PING x\r\n")] == ["PONG"]


def test_a_lone_cr_is_dropped() -> None:
    """Else who takes a lone CR for the end of a line could be made to see a forged one."""
    desk = entered("echo-message", "message-tags")
    [echo] = desk.feed(b"@+k\rey=v\ralue PRIVMSG #room :a\rb\r\n")
    assert echo.params == ("#room", "ab")
    assert echo.tags["+key"] == "value"


# ── labels ─────────────────────────────────────────────────────────────────────────────────────

#: Lines, and how many answers each has.
ANSWERED = [
    ("PING x", 1),
    ("PONG x", 0),
    ("NOTICE #nowhere :x", 0),
    ("PRIVMSG #nowhere :x", 1),
    ("PRIVMSG #room :x", 1),
    ("PRIVMSG bob :x", 2),  # the echo, and that he is away
    ("NOTICE bob :x", 1),
    ("PRIVMSG alice :x", 1),
    ("TAGMSG #room", 0),
    ("NICK alice", 0),
    ("NICK carol", 1),
    ("AWAY :x", 1),
    ("SETNAME :x", 1),
    ("TOPIC #room", 1),
    ("MOTD", 1),
    ("VERSION", 4),
    ("WHOIS nobody", 2),
    ("WHO #room", 3),
    ("PART #room", 1),
    ("INVITE bob #room", 1),
    ("NONSENSE", 1),
    ("USER a 0 * :A", 1),
    ("OPER a", 1),
    ("KICK #room bob", 1),
    ("CAP LIST", 1),
    ("CHATHISTORY", 1),
    ("CHATHISTORY LATEST nobody * 5", 1),
    ("MARKREAD bob", 1),
    ("MARKREAD", 1),
    ("SEARCH", 1),
    ("IDENTITY x", 1),
]
ALL_CAPS = tuple(CAPS)


@pytest.mark.parametrize(("line", "count"), ANSWERED, ids=[line for line, _ in ANSWERED])
def test_each_label_is_answered_exactly_once(line: str, count: int) -> None:
    """On the only answer, on a batch that holds several, or on an ACK."""
    answers = entered(*ALL_CAPS).feed(f"@label=L {line}\r\n".encode())
    if line == "PRIVMSG alice :x":  # the message itself is none of the answers
        answers = [m for m in answers if m.command != "PRIVMSG" or "label" in m.tags]
    assert [message.tags.get("label") for message in answers] == [
        "L",
        *[None] * (len(answers) - 1),
    ]
    if count == 0:
        assert shown(answers) == ["ACK"]
    elif count == 1:
        assert len(answers) == 1
        assert answers[0].command not in ("ACK", "BATCH")
    else:
        first, *inside, last = answers
        name = first.params[0].removeprefix("+")
        assert shown([first, last]) == [f"BATCH +{name} labeled-response", f"BATCH -{name}"]
        assert [message.tags.get("batch") for message in inside] == [name] * count


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("CHATHISTORY LATEST bob * 5", "chathistory bob"),
        ("CHATHISTORY TARGETS {} {} 5", "draft/chathistory-targets"),
        ("SEARCH text=x", "soju.im/search"),
    ],
)
@pytest.mark.parametrize("size", [0, 1, 2])
def test_what_was_said_before_is_one_batch_and_that_has_the_label(
    line: str, kind: str, size: int
) -> None:
    """ "An existing type applicable to the entire response"."""
    desk = entered(*ALL_CAPS)
    desk.past = (Entry("#room", ID, Said("#room", "bob", "hi", BOB)),) * size
    stamp = "timestamp=2020-01-01T00:00:00.000Z"
    first, *inside, last = desk.feed(f"@label=L {line.format(stamp, stamp)}\r\n".encode())
    name = first.params[0].removeprefix("+")
    assert shown([first, last]) == [f"BATCH +{name} {kind}", f"BATCH -{name}"]
    assert first.tags["label"] == "L"
    assert [(m.tags["batch"], m.tags.get("label")) for m in inside] == [(name, None)] * len(inside)
    assert len(inside) == (2 if "TARGETS" in line else size)


@pytest.mark.parametrize(
    "line", ["JOIN #new", "JOIN #a,#b", "MODE #room", "PRIVMSG #room,bob :x", "PART #room,#nowhere"]
)
def test_what_several_things_follow_from_is_a_batch(line: str) -> None:
    first, *inside, last = entered(*ALL_CAPS).feed(f"@label=L {line}\r\n".encode())
    name = first.params[0].removeprefix("+")
    assert (first.command, first.tags.get("label")) == ("BATCH", "L")
    assert shown([last]) == [f"BATCH -{name}"]
    assert [message.tags.get("batch") for message in inside] == [name] * len(inside)
    assert inside


@given(st.lists(st.sampled_from([line for line, _ in ANSWERED if line[:4] != "PART"]), max_size=8))
def test_labels_never_stick_to_the_answers_of_other_lines(lines: list[str]) -> None:
    """Every second line has a label; all come at once."""
    labelled = [f"@label=L{n} {line}" if n % 2 else line for n, line in enumerate(lines)]
    answers = entered(*ALL_CAPS).feed("".join(f"{line}\r\n" for line in labelled).encode())
    labels = [message.tags["label"] for message in answers if "label" in message.tags]
    assert labels == [f"L{n}" for n in range(1, len(lines), 2)]


@pytest.mark.parametrize(
    ("label", "answered"),
    [
        ("x" * 64, "x" * 64),
        ("x" * 65, None),
        ("ä" * 32, "ä" * 32),
        ("ä" * 33, None),
        ("", None),
        (r"a\sb\:c\\d\n", "a b;c\\d\n"),
    ],
)
def test_a_label_is_given_back_as_it_was_or_not_at_all(label: str, answered: str | None) -> None:
    [answer] = entered(*ALL_CAPS).feed(f"@label={label} PING x\r\n".encode())
    assert answer.command == "PONG"
    assert answer.tags.get("label") == answered


@pytest.mark.parametrize("caps", [(), ("batch",), ("labeled-response",), ("message-tags",)])
def test_no_label_without_the_capabilities_for_it(caps: tuple[str, ...]) -> None:
    [answer] = entered(*caps).feed(b"@label=L PING x\r\n")
    assert "label" not in answer.tags


def test_a_label_is_not_relayed_to_others() -> None:
    desk = entered("message-tags", "echo-message", "labeled-response")
    [echo] = desk.feed(b"@label=L;+draft/reply=1;other=2 PRIVMSG #room :x\r\n")
    assert {key: value for key, value in echo.tags.items() if key != "msgid"} == {
        "+draft/reply": "1"
    }


def test_the_end_answers_a_label_too() -> None:
    desk = entered(*ALL_CAPS)
    desk.feed(b"@label=L QUIT :bye\r\n")
    desk.session.farewell("Quit: bye")
    *_, error = desk.session.data_to_send().decode().split("\r\n")[:-1]
    assert error.endswith("ERROR :Closing link: Quit: bye")
    assert desk.asked[-1] == Quit("Quit: bye", "bye")


# ── lists of targets ───────────────────────────────────────────────────────────────────────────

LISTS = [
    ("PRIVMSG bob,BOB,bоb :x", [DirectMessage("bob", "x")]),
    ("NOTICE #room,#ROOM,@#room :x",
     [Say("#room", "x", notice=True), Say("#room", "x", notice=True, status="@")]),
    ("@+x TAGMSG bob,BOB", [TagMessage("+x", nick="bob")]),
    ("JOIN #a,#A,#b k1,k2,k3", [Join("#a", "k1"), Join("#b", "k3")]),
    ("JOIN #a,#b,#c k1,,k3,k4", [Join("#a", "k1"), Join("#b"), Join("#c", "k3")]),
    ("JOIN #a,#b k1", [Join("#a", "k1"), Join("#b")]),
    ("PART #a,#A,#b :bye", [Leave("#a", "bye"), Leave("#b", "bye")]),
    ("KICK #room bob,BOB,eve :out", [Kick("#room", "bob", "out"), Kick("#room", "eve", "out")]),
    ("KICK #a,#b bob,eve :out", [Kick("#a", "bob", "out"), Kick("#b", "eve", "out")]),
    ("KICK #a,#A,#b bob,BOB,bob", [Kick("#a", "bob"), Kick("#b", "bob")]),
    ("KICK #a,#b,#c,#d,#e a,b,c,d,e", [Kick(f"#{name}", name) for name in "abcd"]),
    ("NAMES #a,#A", [ListMembers("#a")]),
    ("WHOIS bob,BOB", [FindNicks(("bob",), rooms=True)]),
    ("MONITOR + bob,BOB,,eve", [Watch(("bob", "eve")), FindNicks(("bob", "eve"))]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "commands"), LISTS, ids=[line for line, _ in LISTS])
def test_what_is_named_twice_is_meant_once(line: str, commands: list[Command]) -> None:
    """Whatever its case and its look; and what belongs to it stays with it."""
    desk = entered("message-tags", "no-implicit-names")
    before = len(desk.asked)
    desk.feed(f"{line}\r\n".encode())
    assert desk.asked[before:] == commands


# ── tags of clients ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "relayed"),
    [
        ("+a=b;+draft/reply=x;+example.com/y-1", "+a=b;+draft/reply=x;+example.com/y-1"),
        (r"+a=b\:\sc\\;+e=", r"+a=b\:\sc\\;+e"),
        ("+a=1;+a=2", "+a=2"),
        ("+A=1;+a=2", "+A=1;+a=2"),
        ("+é=x;+ok", "+ok"),
        ("+;++a;+/a;+a/;+a/b/c;+a_b;+a.b;+a,b;a=1;+b/c", "+b/c"),
        ('+"=1;+a\x07=1;+<b>;+ok', "+ok"),
        ("+a=x\x07y;+ok", "+ok"),
        ("+a=\x1b[2J;+b=\x7f;+c=\x85;+ok=é", "+ok=é"),
        (
            "+a=x\u202ey;+b=\u2066;+c=\u200b;+d=\ufeff;+ok=👩‍👧 שלום".replace(" ", ""),
            "+ok=👩‍👧שלום",
        ),
        (r"+a=x\ny;+b=\r;+ok", "+ok"),
        (r"+a=1;+a=\n;+ok", "+ok"),
        ("label=1;msgid=2;time=3;account=4;+ok", "+ok"),
    ],
)
def test_only_tags_that_are_some_are_relayed(given: str, relayed: str) -> None:
    desk = entered("message-tags")
    before = len(desk.asked)
    desk.feed(f"@{given} PRIVMSG #room :x\r\n@{given} TAGMSG #room\r\n".encode())
    assert desk.asked[before:] == [Say("#room", "x", tags=relayed), TagMessage(relayed, "#room")]


@pytest.mark.parametrize("tags", ["+é=x", "+a=\x07", "a=b", "+"])
def test_a_tagmsg_with_none_left_is_none(tags: str) -> None:
    desk = entered(*ALL_CAPS)
    before = len(desk.asked)
    assert shown(desk.feed(f"@label=L;{tags} TAGMSG #room\r\n".encode())) == ["ACK"]
    assert desk.asked[before:] == []


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5))
def test_what_is_relayed_has_neither_other_keys_nor_control_characters(
    tags: dict[str, str],
) -> None:
    text = ";".join(f"+{key}={value}" for key, value in tags.items())
    text = "".join(char for char in text if char not in "\r\n\0 ")
    desk = entered("message-tags", "echo-message")
    [echo] = desk.feed(f"@{text} PRIVMSG #room :x\r\n".encode(errors="replace"))
    for key, value in echo.tags.items():
        assert re.fullmatch(r"msgid|\+([A-Za-z0-9.-]+/)?[A-Za-z0-9-]+", key)
        assert not any(unicodedata.category(char) == "Cc" for char in value)


# ── single answers ─────────────────────────────────────────────────────────────────────────────

ANSWERS = [
    ("PRIVMSG", "411 alice No recipient given (PRIVMSG)"),
    ("PRIVMSG #room", "412 alice No text to send"),
    ("NOTICE #room", ""),
    ("PRIVMSG a,b,c,d,e :x", "407 alice e Too many targets"),
    ("KICK #a,#b bob", "461 alice KICK As many rooms as nicknames, or one room"),
    ("KICK #a,#b bob,carl,dan", "461 alice KICK As many rooms as nicknames, or one room"),
    ("KICK #room a,b,c,d,e", "407 alice e Too many targets"),
    ("USERHOST alice ALICE", "302 alice alice=+a@host"),
    ("ISON alice ALICE", "303 alice alice"),
    ("WHO alice %", "352 alice #room a host chat.local alice H 0 Alice"),
    ("WHO alice %xyz", "352 alice #room a host chat.local alice H 0 Alice"),
    ("WHO alice %tn,5", "354 alice 5 alice"),
    ("WHOIS", "431 alice No nickname given"),
    ("WHOIS elsewhere alice", "402 alice elsewhere No such server"),
    ("NAMES", "366 alice * End of /NAMES list"),
    ("ISON nobody", "303 alice "),
    ("USERHOST bob", "302 alice bob=-b@host"),
    ("MODE alice", "221 alice +"),
    ("MODE bob", "502 alice Can't change or view modes for other users"),
    ("MODE nobody", "401 alice nobody No such nick"),
    ("MODE #room +y", "472 alice y is unknown mode char to me"),
    ("MODE #room : ", "472 alice * is unknown mode char to me"),
    ("MODE #room +l", "461 alice MODE Not enough parameters"),
    ("MODE alice +y", "501 alice Unknown MODE flag"),
    ("JOIN 0", "403 alice 0 "),
    ("JOIN :", "403 alice * "),
    ("TAGMSG #room", "421 alice TAGMSG Unknown command"),
    ("MONITOR C", ""),
    ("HELP nonsense", "524 alice nonsense There is no help on that"),
    ("INFO elsewhere", "402 alice elsewhere No such server"),
    ("LINKS", "365 alice * End of LINKS list"),
    ("LINKS elsewhere *.example", "365 alice *.example End of LINKS list"),
    ("LINKS :", "365 alice * End of LINKS list"),
    ("MOTD CHAT.local", "422 alice There is no message of the day"),
    ("PING :", "409 alice No origin specified"),
    ("nick :", "431 alice No nickname given"),
    ("KICK #room", "461 alice KICK Not enough parameters"),
]


@pytest.mark.parametrize(("line", "answer"), ANSWERS, ids=[line for line, _ in ANSWERS])
def test_answers(line: str, answer: str) -> None:
    answers = shown(entered().feed(line.encode() + b"\r\n"))
    assert answers[0].startswith(answer) if answer else answers == []


NO_HISTORY = [
    ("CHATHISTORY LATEST nobody * 5",
     "FAIL CHATHISTORY INVALID_TARGET LATEST nobody Messages could not be retrieved"),
    ("CHATHISTORY latest broken * 5",
     "FAIL CHATHISTORY MESSAGE_ERROR latest broken Messages could not be retrieved"),
    ("SEARCH in=nobody", "FAIL SEARCH INVALID_PARAMS in There is nothing."),
    ("SEARCH in=broken", "FAIL SEARCH INTERNAL_ERROR The search could not be run"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "answer"), NO_HISTORY, ids=[line for line, _ in NO_HISTORY])
def test_why_nothing_was_found(line: str, answer: str) -> None:
    """By standard replies, though nobody has asked for those: the commands' specifications do."""
    desk = entered("draft/chathistory", "soju.im/search")
    before = desk.session.refusals
    assert shown(desk.feed(line.encode() + b"\r\n")) == [answer]
    assert desk.session.refusals == before + 1


def test_one_line_changes_20_modes_at_the_most() -> None:
    desk = entered()
    desk.feed(b"JOIN #mine\r\n")
    letters, names = "b" * 25, " ".join(f"n{number}" for number in range(25))
    [mode] = desk.feed(f"MODE #mine +{letters} {names}\r\n".encode())
    assert mode.params == ("#mine", "+" + "b" * 20, *(f"n{n}!*@*" for n in range(20)))


def test_userhost_answers_for_five_nicknames_at_the_most() -> None:
    desk = entered()
    for number in range(7):
        desk.chat.apply(Entry("", ID, Arrived(f"n{number}", f"{number}x", Origin("u", "h"))))
    for line in ("n0 n1 n2 n3 n4 n5 n6", "n0 n1 :n2 n3 n4 n5 n6"):
        [found] = desk.feed(f"USERHOST {line}\r\n".encode())
        assert found.params == ("alice", " ".join(f"n{number}=+u@h" for number in range(5)))


# ── LIST ───────────────────────────────────────────────────────────────────────────────────────

MINUTE = 60_000

#: Rooms with 2 to 4 people, their ages and those of their topics in minutes.
LISTED = {"#old": (4, 30, 0), "#tea": (3, 20, 5), "#new": (2, 10, 10)}

CONDITIONS = [
    ("", "#old #tea #new"),
    (">2", "#old #tea"), ("<3", "#new"), (">4", ""), ("<2", ""),
    ("U>3", "#old"), ("u<4", "#tea #new"),
    ("C<20", "#new"), ("C>20", "#old"), ("c<21", "#tea #new"), ("C>19", "#old #tea"),
    ("T<10", "#tea"), ("T>5", "#new"), ("T<11", "#tea #new"), ("t>4", "#tea #new"),
    (">2,C<30", "#tea"), (">2,<4", "#tea"),
    ("#t*", "#tea"), ("!#t*", "#old #new"), ("!#t*,<3", "#new"),
    (">x", ""), ("C>", ""), (">²", ""), ("X>1", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "rooms"), CONDITIONS, ids=[c or "all" for c, _ in CONDITIONS]
)
def test_rooms_are_listed_that_fulfil_each_condition(conditions: str, rooms: str) -> None:
    desk = entered()
    desk.feed(b"PART #room\r\n")
    for room, (members, age, topic_age) in LISTED.items():
        then = NOW * 1000 - age * MINUTE
        topic = {"topic": "t", "topic_at": NOW * 1000 - topic_age * MINUTE} if topic_age else {}
        desk.chat.open_room(RoomState(room, created=then, **topic))
        for number in range(members):
            who = f"{room}{number}"
            desk.chat.apply(Entry("", ID, Arrived(f"{room[1:]}{number}", who)))
            desk.chat.apply(Entry(room, ID, Joined(room, f"{room[1:]}{number}", who)))
    found = desk.feed(f"LIST {conditions}".rstrip().encode() + b"\r\n")
    named = [message.params[1] for message in found if message.command == "322"]
    assert [room for room in named if room != "#room"] == rooms.split()


def test_a_mask_is_one_word() -> None:
    """Otherwise what is after its blank would be taken for another parameter."""
    desk = entered()
    desk.feed(b"JOIN #mine\r\nMODE #mine +k key\r\n")
    [mode] = desk.feed(b"MODE #mine +b-k :x y\r\n")
    assert mode.params == ("#mine", "+b-k", "x!*@*", "key")
    listed = desk.feed(b"MODE #mine b\r\n")
    assert listed[0].params[:3] == ("alice", "#mine", "x!*@*")


def test_nobody_is_left_out_of_an_answer_for_want_of_room() -> None:
    desk = entered()
    nicks = [f"nick{n:04}{'x' * 12}" for n in range(24)]
    for nick in nicks:
        desk.chat.apply(Entry("", ID, Arrived(nick, nick, Origin("u" * 20, "h" * 39))))
    found = desk.feed(f"ISON {' '.join(nicks)}\r\n".encode())
    assert [nick for line in found for nick in line.params[1].split()] == nicks
    found = desk.feed(f"USERHOST {' '.join(nicks[:5])}\r\n".encode())
    assert [w.partition("=")[0] for line in found for w in line.params[1].split()] == nicks[:5]


def test_a_ping_is_sent_to_who_is_in_only() -> None:
    session = IrcSession(INFO, lambda: NOW, private=True)
    session.ping()
    assert session.data_to_send() == b""
    desk = entered()
    desk.session.ping()
    assert desk.session.data_to_send() == b"PING :chat.local\r\n"


def test_refusals_are_counted() -> None:
    desk = entered()
    before = desk.session.refusals
    desk.feed(b"PRIVMSG #nowhere :x\r\nNONSENSE\r\nKICK\r\n\xff\r\n")
    assert desk.session.refusals == before + 4


# ── what may be a password ─────────────────────────────────────────────────────────────────────

_WRONG = [
    *(
        "/login hunter22",
        "/LOGIN bob hunter22",
        "/logn x",
        "/register x",
        "/password x",
        "/token x",
    ),
    *("/msg NickServ IDENTIFY x", "/ns identify x", "/quote PASS x", "/nickserv identify x"),
    *("login bob hunter22", "identify hunter22", "PASS x", "/pass x", "/oper boss x"),
]
_TO_OTHERS = ["PRIVMSG #room", "PRIVMSG bob", "NOTICE #room", "PRIVMSG bob,#room", "TOPIC #room"]


@given(
    line=st.sampled_from(_WRONG),
    before=st.text(st.sampled_from(" \t\u00a0\u200b\x02\x1f"), max_size=4),
    to=st.sampled_from(_TO_OTHERS),
    framed=st.booleans(),
)
def test_what_may_be_a_password_reaches_nobody(
    line: str, before: str, to: str, framed: bool
) -> None:
    desk = entered()
    text = f"{before}{line}"
    if framed and to.startswith("PRIVMSG"):
        text = f"\x01ACTION {text}\x01"
    asked = len(desk.asked)
    [told] = desk.feed(f"{to} :{text}\r\n".encode())
    assert desk.asked[asked:] == []
    assert told.command == "NOTICE"
    assert "/msg NickServ IDENTIFY ACCOUNT PASSWORD logs in" in told.params[1]
    desk.feed(f"{to} ://{line}\r\n".encode())
    assert len(desk.asked) > asked


def test_it_ends_a_run_of_messages_and_costs_no_other() -> None:
    desk = entered("standard-replies")
    asked = len(desk.asked)
    texts = ("one", "/login hunter22", "two")
    told = desk.feed("".join(f"PRIVMSG #room :{text}\r\n" for text in texts).encode())
    assert desk.asked[asked:] == [Say("#room", "one"), Say("#room", "two")]
    [failed] = [message for message in told if message.command == "FAIL"]
    assert [*failed.params[:2]] == ["PRIVMSG", "MAY_HOLD_PASSWORD"]
