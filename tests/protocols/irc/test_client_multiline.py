"""Texts of several lines at the client's end, against lines as servers write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from irc_session import hear, new_session, offer, sent
from trio_chat.core.events import Said
from trio_chat.protocols.client import Acknowledged, Earlier, Failed, Sent, Stamped
from trio_chat.protocols.irc.client.multiline import messages_of, one_message
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.irc.message import parse
from trio_chat.protocols.irc.multiline import CONCAT, Limits, Piece, combined
from trio_chat.protocols.resume_state import ResumeState

MULTILINE = "draft/multiline=max-bytes=4096,max-lines=32"
CAPS = ("batch", "echo-message", "message-tags", "server-time", "draft/chathistory")
TOKEN = "0123456789abcdef"
LET_IN = [":s 001 bob :Hi", ":s 004 bob s trio-chat-1 x y", ":s 422 bob :None",
          ":bob!b@h JOIN #r", ":s 366 bob #r :End", ":s PONG s entered"]  # fmt: skip


def let_in(*caps: str, state: ResumeState | None = None) -> IrcClientSession:
    session = new_session(state, room="#r")
    offer(session, *caps)
    hear(session, *LET_IN)
    while asked := [line for line in sent(session) if line.startswith("PING chathistory")]:
        hear(session, *(f":s PONG s {line.split()[1]}" for line in asked))
    session.own_messages()
    return session


ONE = [
    f"@+trio-chat/id={TOKEN} BATCH +m draft/multiline #r",
    "@batch=m PRIVMSG #r a",
    "@batch=m PRIVMSG #r :",
    "@batch=m PRIVMSG #r :b c",
    "BATCH -m",
]


def test_it_asks_for_the_capability() -> None:
    session = new_session(room="#r")
    sent(session)
    hear(session, f":s CAP * LS :batch message-tags {MULTILINE}")
    assert sent(session) == ["CAP REQ :batch draft/multiline message-tags"]


def test_several_lines_are_one_message() -> None:
    """Sent as one, acknowledged as one."""
    session = let_in(*CAPS, MULTILINE)
    session.say_to("#r", "\na\r\n\nb c\n \n", token=TOKEN)
    assert session.own_messages() == [Sent(TOKEN, "#r", "a\n\nb c")]
    assert sent(session) == ONE
    echo = f"@+trio-chat/id={TOKEN};msgid=i;time=t :bob!b@h BATCH +x draft/multiline #r"
    inner = [f"@batch=x :bob!b@h PRIVMSG #r :{text}" for text in ("a", "", "b c")]
    assert hear(session, echo, *inner) == []
    assert hear(session, ":bob!b@h BATCH -x") == [Acknowledged(TOKEN, "i", "t")]
    assert not session.state.unacked


@pytest.mark.parametrize(
    "caps",
    [
        CAPS,
        (*CAPS, "draft/multiline"),
        (*CAPS, "draft/multiline=max-bytes=x"),
        ("echo-message", "message-tags", MULTILINE),
    ],
)
def test_elsewhere_each_line_is_a_message(caps: tuple[str, ...]) -> None:
    session = let_in(*caps)
    session.say_to("#r", "a\n\nb c\n", token=TOKEN)
    assert sent(session) == [
        f"@+trio-chat/id={TOKEN} PRIVMSG #r a",
        f"@+trio-chat/id={TOKEN}-2 PRIVMSG #r :b c",
    ]
    assert [m.text for m in session.own_messages() if isinstance(m, Sent)] == ["a", "b c"]


def test_without_a_connection_it_is_cut_as_with_the_one_before() -> None:
    """So what is said again with the same token is the same."""
    state = ResumeState()
    let_in(*CAPS, MULTILINE, state=state)
    offline = new_session(state, room="#r")
    offline.say_to("#r", "a\n\nb c", token=TOKEN)
    assert offline.own_messages() == [Sent(TOKEN, "#r", "a\n\nb c")]
    let_in(*CAPS, state=state)
    assert state.limits is None


def test_a_line_that_is_too_long_is_one_message_too() -> None:
    session = let_in(*CAPS, MULTILINE)
    session.say_to("#r", "x" * 1000, token=TOKEN)
    found = [message for line in sent(session) if (message := parse(line))]
    assert [m.command for m in found] == ["BATCH", "PRIVMSG", "PRIVMSG", "PRIVMSG", "BATCH"]
    assert [CONCAT in m.tags for m in found[1:-1]] == [False, True, True]
    assert "".join(m.params[1] for m in found[1:-1]) == "x" * 1000


def test_an_action_begins_in_the_first_line_and_ends_in_the_last() -> None:
    session = let_in(*CAPS, MULTILINE)
    session.say_to("#r", "waves\n\x01twice\x01", action=True)
    assert sent(session)[1:-1] == [
        "@batch=m PRIVMSG #r :\x01ACTION waves",
        "@batch=m PRIVMSG #r twice\x01",
    ]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x01\0")
                | st.sampled_from("\n\n x"), max_size=400)  # fmt: skip


@given(TEXTS, st.integers(30, 120), st.integers(1, 5))
def test_each_message_is_one_that_the_server_takes(text: str, size: int, lines: int) -> None:
    """And together they are the text, but for blank lines where one ends."""
    messages = messages_of("#r", text, False, TOKEN, Limits(size * 10, lines))
    said = []
    for message in messages:
        found = [line for one in message.line.split("\r\n") if (line := parse(one))]
        inner = [line for line in found if line.command == "PRIVMSG"]
        pieces = [Piece(line.params[1], CONCAT in line.tags) for line in inner]
        assert combined(pieces)[0] == message.text
        assert len(inner) == 1 or len(message.text.encode()) <= size * 10
        assert len(inner) <= lines
        assert message.text.strip()
        said.append(message.text)
    assert "".join("".join(said).split()) == "".join(text.split())
    assert len({message.token for message in messages}) == len(messages)


# ── what has become of it ──────────────────────────────────────────────────────────────────────

REFUSALS = [
    ":s FAIL BATCH MULTILINE_MAX_LINES 3 :Too many lines",
    ":s 404 bob #r :You may not",
]


@pytest.mark.parametrize("line", REFUSALS)
def test_it_fails_as_one(line: str) -> None:
    session = let_in(*CAPS, MULTILINE)
    session.say_to("#r", "a\nb", token=TOKEN)
    sent(session)
    [failed] = hear(session, line)
    assert isinstance(failed, Failed)
    assert failed.token == TOKEN
    session.own_messages()
    session.resend(TOKEN)
    assert session.own_messages() == [Sent(TOKEN, "#r", "a\nb")]
    assert sent(session)[1:] == ["@batch=m PRIVMSG #r a", "@batch=m PRIVMSG #r b", "BATCH -m"]


def test_after_a_cut_it_is_sent_again_as_one() -> None:
    state = ResumeState()
    state.unacked.append(one_message(TOKEN, "#r", "a\n\nb c", False))
    caps = (*CAPS, MULTILINE, "trio-chat/identity")
    session = new_session(state, room="#r")
    offer(session, *caps)
    hear(session, *LET_IN)
    lines = sent(session)
    hear(session, *(f":s PONG s {x.split()[1]}" for x in lines if x.startswith("PING chat")))
    assert sent(session) == ONE


def test_a_server_that_takes_one_line_is_not_sent_it_again() -> None:
    state = ResumeState()
    state.unacked.append(one_message(TOKEN, "#r", "a\nb", False))
    session = new_session(state, room="#r")
    offer(session, "echo-message", "message-tags", "trio-chat/identity")
    told = hear(session, *LET_IN)
    assert Failed(TOKEN, "This server takes one line at a time.") in told
    session.resend(TOKEN)
    assert not [line for line in sent(session) if "BATCH" in line]
    assert Failed(TOKEN, "This server takes one line at a time.") in session.own_messages()


# ── what others say ────────────────────────────────────────────────────────────────────────────

AL = ":al!a@h"


def batch(*lines: str, tags: str = "msgid=i;time=t") -> list[str]:
    inner = [f"@batch=x;{CONCAT} {AL} PRIVMSG #r :{line[1:]}" if line.startswith("+")
             else f"@batch=x {AL} PRIVMSG #r :{line}" for line in lines]  # fmt: skip
    return [f"@{tags} {AL} BATCH +x draft/multiline #r", *inner, f"{AL} BATCH -x"]


def test_a_batch_is_one_message_once() -> None:
    session = let_in(*CAPS, MULTILINE)
    [said] = hear(session, *batch("a ", "+b", "", "\x1b[2Jc"))
    assert isinstance(said, Stamped)
    assert (said.room, said.nick, said.text, said.msgid) == ("#r", "al", "a b\n\n␛[2Jc", "i")
    assert hear(session, *batch("a ", "+b", "", "c")) == []


@pytest.mark.parametrize(
    ("lines", "texts"),
    [
        (batch(), []),
        (batch("a")[:-1], []),
        (batch("\x01VERSION\x01", "x"), []),
        (["@msgid=1 :al!a@h PRIVMSG #r :a", ":al!a@h PRIVMSG #r :b"], ["a", "b"]),
        (["@batch=x :al!a@h PRIVMSG #r :alone"], ["alone"]),
        ([":al!a@h BATCH -x"], []),
        (
            [*batch("a")[:2], "@msgid=j :c!c@h PRIVMSG #r :c", *batch("b")[1:]],
            ["c", "a\nb"],
        ),
        ([*batch("a")[:1], "@batch=x :al!a@h JOIN #r", *batch("b")[1:]], ["b"]),
    ],
)
def test_whatever_else_a_server_sends(lines: list[str], texts: list[str]) -> None:
    """Lines one by one, as a server without multiline sends them, stay as they are."""
    told = hear(let_in(*CAPS, MULTILINE), *lines)
    assert [message.text for message in told if isinstance(message, Said)] == texts


def test_a_batch_without_end_does_not_grow_for_ever() -> None:
    session = let_in(*CAPS, MULTILINE)
    line = batch("x" * 60_000)[1]
    hear(session, batch()[0], *[line] * 100)
    [said] = hear(session, batch()[-1])
    assert isinstance(said, Said)
    assert len(said.text) <= 1024 * 1024


def test_in_history_it_is_a_batch_in_a_batch() -> None:
    session = let_in(*CAPS, MULTILINE)
    session.history("#r", "", 10)
    [asked, ping] = sent(session)
    start, *inner, end = batch("a", "b", tags="batch=h;msgid=i;time=2026-01-02T00:00:00.000Z")
    told = hear(session, ":s BATCH +h chathistory #r", start, *inner, f"@batch=h {end}",
                ":s BATCH -h", f":s PONG s {ping.split()[1]}")  # fmt: skip
    assert asked.startswith("CHATHISTORY LATEST #r")
    [earlier] = [message for message in told if isinstance(message, Earlier)]
    assert (earlier.said.text, earlier.said.room) == ("a\nb", "#r")
