"""Whatever a server says, in whichever order: the client goes on, or ends with a reason.

Nothing that comes out of a session is more than any front end can show.
"""

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from news import NICKS, NOON, ROOMS, TEXTS, TIMES, messages
from trio_chat.cli.screen import _offset as local_offset
from trio_chat.client.model import Model, SavedState
from trio_chat.client.objects.json_messages import json_line
from trio_chat.client.one_room import OneRoom
from trio_chat.client.text import coloured_text, dated_text, plain_text
from trio_chat.client.tui.rows import clock
from trio_chat.core.events import Said
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import (
    ClientSession,
    Earlier,
    Message,
    Stamped,
)
from trio_chat.protocols.irc.client import inbound
from trio_chat.protocols.irc.client.link import WANTED
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.plain.client import PlainClientSession
from trio_chat.protocols.resume_state import ResumeState

SHOW = [plain_text, dated_text, coloured_text, json_line]


@pytest.mark.parametrize("show", SHOW, ids=["plain", "dated", "coloured", "json"])
@given(message=messages)
@example(message=Stamped("#a", "\ud800", "x", time="9999-12-31T23:59:59.999-23:59", late=True))
@example(message=Stamped("#a", "al", "x", time="0001-01-01T00:00:00.000+23:59", late=True))
def test_whatever_is_told_can_be_shown(show, message: Message) -> None:
    show(message).encode()


@given(news=st.lists(messages, max_size=30))
def test_whatever_is_told_the_model_takes(news: list[Message]) -> None:
    model = Model("me")
    for message in news:
        model.update(message, NOON)
        model.tick(NOON)
        model.read_on(NOON)
        model.older(model.current)
    assert model.kept() is not None


@pytest.mark.parametrize("place", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
@pytest.mark.parametrize("when", TIMES)
def test_whenever_it_was_said_it_has_a_time(monkeypatch, place: str, when: str) -> None:
    monkeypatch.setenv("TZ", place)
    time.tzset()
    try:
        model = Model("me", offset=local_offset)
        for number, moment in enumerate(["2023-11-15T12:00:00.000Z", when]):
            model.update(Stamped("#a", "al", "x", msgid=f"{number}", time=moment), NOON)
            model.update(Earlier(Said("#a", "al", "x"), time=moment), NOON)
        for line in model.buffers[1].lines:
            assert "-" not in clock(line.time)
            model.days.short(line.time)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_the_file_has_is_cleaned_before_it_is_shown() -> None:
    kept = SavedState(
        inputs=("\x1b[2J\ud800", "two\nlines"),
        buffers=("#\x1b\ud800",),
        ignored=("\x1b!*@*",),
        drafts=(("#\x1b\ud800", "\x1b[2J\ud800\nx"), ("#none", "y")),
    )
    model = Model("me", kept=kept)
    assert model.before("") == "two\nlines"
    assert model.before("") == "␛[2J"
    assert [buffer.name for buffer in model.buffers] == ["server", "#␛"]
    assert model.ignored == ["␛!*@*"]
    assert model.buffers[1].draft == ("␛[2J\nx", 6)


# ── lines of IRC ───────────────────────────────────────────────────────────────────────────────

# Known names come again, so that lines have to do with each other.
WORDS = st.sampled_from([
    *ROOMS, *NICKS, *TIMES, "*", "+", "-", "+b", "@#a", "~&@%+#a", "a,b", "#a,#b", "+1", "-1", "x",
    "H@", "G*", "=", "0", "9" * 30, "٣", "chathistory", "draft/multiline", "znc.in/playback",
    "draft/chathistory-targets", "soju.im/search", "netsplit", "LS", "ACK", "NAK", "NEW", "DEL",
    "page1", "chathistory1", "finish", "entered", "lag", "timestamp=x", "timestamp=*",
    "PREFIX=", "PREFIX=(ov", "PREFIX=ov)@+", "PREFIX=(ov)", "CHANMODES=", "CHANMODES=b", "BOT=",
    "CHATHISTORY=٣", "CHATHISTORY=-1", "MSGREFTYPES=", "NETWORK=", "CASEMAPPING=", "a\tb", "\u200b",
    "CASEMAPPING=strict-rfc1459", "CASEMAPPING=nope", "STATUSMSG=", "CHANTYPES=", "CHANTYPES=!+",
    "\x01", "\x01PING\x01", "\x01VERSION\x01", "\x01ACTION", "IDENTITY", "CHATHISTORY", "PRIVMSG",
])  # fmt: skip

COMMANDS = st.sampled_from(
    sorted(inbound.COMMANDS)
    + sorted(inbound.NUMERICS)
    + ["301", "311", "319", "352", "367", "372", "401", "403", "404", "433", "471", "473", "474"]
    + ["475", "477", "405", "437", "999", "٣٣٣", "X", ""]
)

SOURCES = st.sampled_from(
    ["", "me!u@h", "ME!u@h", "al!u@h", "al", "s.net", "!", "@", "!@", ":", "a\tb!u@h"]
)

TAGS = st.dictionaries(
    st.sampled_from(["time", "msgid", "batch", "+trio-chat/id", "+typing", "account", "", "label"]),
    st.sampled_from([*TIMES, "b1", "b2", "m1", "m2", "active", "\\", "t" * 16]),
    max_size=3,
)


def written(tags: dict[str, str], source: str, command: str, words: list[str], text: str) -> bytes:
    head = f"@{';'.join(f'{key}={value}' for key, value in tags.items())} " if tags else ""
    head += f":{source} " if source else ""
    line = f"{head}{command} {' '.join(words)} :{text}"
    return line.replace("\n", "").encode("utf-8", "replace") + b"\r\n"


LINES = st.builds(
    written, TAGS, SOURCES, COMMANDS, st.lists(WORDS, max_size=8), st.sampled_from(TEXTS) | WORDS
) | st.sampled_from([
    b"BATCH +b1 chathistory #a\r\n", b"BATCH +b2 draft/multiline #a\r\n", b"BATCH -b1\r\n",
    b"@batch=b1 BATCH +b2 chathistory #a\r\n", b"BATCH -b2\r\n", b":me!u@h JOIN #a\r\n",
    b":me!u@h PART #a\r\n", b":s 366 me #a :End\r\n", b":s 353 me = #a :@me +al\r\n", b"\r\n",
    b":me!u@h NICK you\r\n", b":x KICK #a me :out\r\n", b":s PONG s entered\r\n", b"\xff\xfe\r\n",
    b":a\tb!u@h PRIVMSG me :\x01VERSION\x01\r\n",
    b":\xe2\x80\x8b!u@h PRIVMSG me :\x01PING 1\x01\r\n",
    b":s BATCH +t draft/chathistory-targets\r\n",
    b"@batch=t CHATHISTORY TARGETS \xe2\x80\x8b x\r\n",
    b"@batch=t CHATHISTORY TARGETS a\tb x\r\n", b":me!u@h JOIN #\xe2\x80\x8b\r\n",
])  # fmt: skip


def admitted(session: ClientSession) -> ClientSession:
    caps = " ".join(sorted(WANTED | {"draft/multiline=max-bytes=4096", "draft/read-marker"}))
    session.data_to_send(0)
    session.receive_data(f":s CAP * LS :{caps}\r\n:s CAP me ACK :{caps}\r\n".encode())
    session.receive_data(b":s 001 me :Welcome\r\n:s 422 me :no motd\r\n:me!u@h JOIN #a\r\n")
    session.receive_data(b":s 353 me = #a :@me al\r\n:s 366 me #a :End\r\n:s PONG s entered\r\n")
    session.data_to_send(0)
    return session


def on_irc() -> ClientSession:
    return admitted(IrcClientSession("me", rooms=["#a"], encoding="utf-8", state=ResumeState()))


def on_plain() -> ClientSession:
    session = PlainClientSession("me", only_room="#a", encoding="utf-8", state=ResumeState())
    session.speak_first()
    return session


def hear(session: ClientSession, lines: list[bytes]) -> None:
    """Each line, and something of ours between them; all that comes of it is shown."""
    model, view = Model("me"), OneRoom("#a")
    try:
        for number, line in enumerate(lines):
            told = [*session.receive_data(line)]
            if number % 3 == 0:
                speak(session, number)
            assert isinstance(session.data_to_send(number), bytes)
            told += session.own_messages()
            for message in told:
                model.update(message, NOON)
                SHOW[-1](message).encode()
            for message in view.hear(told):
                for show in SHOW[:-1]:
                    show(message).encode()
        session.ping()
        session.finish("bye")
        session.data_to_send(1e6)
    except NotAdmitted:
        pass


def speak(session: ClientSession, number: int) -> None:
    try:
        session.say_to(["#a", "al", "\ud800"][number % 9 // 3], f"text {number}\n\ud800")
        session.history("#a", "", 10)
    except Unsupported:
        pass


PATIENT = settings(suppress_health_check=[HealthCheck.too_slow])


@PATIENT
@given(lines=st.lists(LINES, max_size=25))
def test_whatever_an_irc_server_says(lines) -> None:
    hear(on_irc(), lines)


@PATIENT
@given(lines=st.lists(LINES, max_size=12))
def test_whatever_an_irc_server_says_before_we_are_in(lines) -> None:
    rooms = ["#a", "#\ud800"]
    hear(IrcClientSession("me", rooms=rooms, encoding="utf-8", state=ResumeState()), lines)


SENTENCES = st.sampled_from([
    "NICK", "Connected to server!",
    "*** You are me in #a; nobody else is here yet. /help for more.",
    "*** The last message:", "*** The last 3 messages:", f"*** The last {'9' * 5000} messages:",
    "*** The last ٣ messages:", "*** me is now you.", "*** al removed the topic.",
    "*** al set the topic: \x1b", "*** The topic of #a: x", "*** #a has no topic.",
    "*** In #a (2): me, al", "*** In #a (2): , ,", "*** There is nobody in #a.",
    "*** al kicked me out of #a.", "*** al kicked bob out of #a: x", "me left!", "al left!",
    "me joined!", "al joined!", "*** x You are y for now; /nick z", "* al waves", "al -> me: psst",
    "me -> al: x",
    "al: hi", "me: text 0 ?", "me: text 3 ?", "*** The server is shutting down. Goodbye!",
    "*** This chat has a password.",
])  # fmt: skip


@PATIENT
@given(
    lines=st.lists(
        (SENTENCES | st.sampled_from(TEXTS)).map(lambda t: t.encode("utf-8", "replace") + b"\n")
        | st.binary(max_size=20),
        max_size=25,
    )
)
def test_whatever_a_plain_server_says(lines) -> None:
    hear(on_plain(), lines)
