"""A message of several lines on IRC: a text and its lines, what clients send and are sent."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runs import commands
from trio_chat.core.commands import DirectMessage, Enter, Say
from trio_chat.core.events import Arrived, Entry, Origin, Said
from trio_chat.core.views import Copy, Notice, RoomWelcome
from trio_chat.protocols.irc.batches import Collected
from trio_chat.protocols.irc.dialect import irc_dialect
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.message import parse
from trio_chat.protocols.irc.multiline import (
    NEEDED,
    Piece,
    combined,
    parted,
)
from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.irc.verbs import VERBS
from trio_chat.protocols.session import Handled

CONCAT = "draft/multiline-concat"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n  "), max_size=200)

# ── a text and its lines ───────────────────────────────────────────────────────────────────────


@given(text=TEXTS, concat_at=st.lists(st.integers(-1, 210)).map(sorted), most=st.integers(4, 40))
def test_whatever_the_lines_are_the_text_is_the_same(
    text: str, concat_at: list[int], most: int
) -> None:
    pieces = parted(text, concat_at, most)
    assert combined(pieces)[0] == text
    assert all(len(piece.text.encode()) <= most for piece in pieces)
    assert not any("\n" in piece.text for piece in pieces)
    assert not any(piece.joined and not piece.text for piece in pieces)


@given(st.lists(st.tuples(st.text("ab ", min_size=1), st.booleans()).map(lambda p: Piece(*p))))
def test_lines_stay_as_their_sender_has_cut_them(pieces: list[Piece]) -> None:
    if not pieces:
        return
    pieces[0] = pieces[0]._replace(joined=False)
    text, concat_at = combined(pieces)
    assert parted(text, concat_at, 1000) == pieces


# ── what a client sends ────────────────────────────────────────────────────────────────────────


class Client:
    """Alice with these capabilities; what she has asked for, and what she is answered."""

    def __init__(self, *caps: str) -> None:
        self.session = IrcSession(
            ServerInfo("srv", "net", "1", "now"), lambda: 1_700_000_000, private=True
        )
        self.said: list[Say | DirectMessage] = []
        wanted = " ".join([*sorted(NEEDED), "standard-replies", *caps])
        self.feed(f"CAP REQ :{wanted}", "NICK alice", "USER a 0 * :A", "CAP END")

    def feed(self, *lines: str | bytes) -> list[str]:
        data = [line.encode() if isinstance(line, str) else line for line in lines]
        self.session.receive_data(b"".join(line + b"\r\n" for line in data))
        while (run := self.session.next_run()) is not None:
            for command in commands(run):
                match command:
                    case Enter(nick):
                        self.session.done(Arrived(nick, "1", Origin("a", "host")))
                    case Say() | DirectMessage():
                        self.said.append(command)
                    case _:
                        pass
        return self.session.data_to_send().decode().split("\r\n")[:-1]


def open_batch(client: Client) -> Collected | None:
    return client.session._parts.collector._batch


def batch(*lines: str, target: str = "#r", tags: str = "") -> list[str]:
    """PRIVMSG lines in a batch; one that begins with + goes on where the one before ends."""
    inner = [
        f"@batch=1;{CONCAT} PRIVMSG {target} :{line[1:]}"
        if line.startswith("+")
        else f"@batch=1 PRIVMSG {target} :{line}"
        for line in lines
    ]
    return [f"{tags}BATCH +1 draft/multiline {target}", *inner, "BATCH -1"]


ID = "+trio-chat/id=0123456789abcdef"

SAID = [
    (batch("hi", "", "how is ", "+all?"), Say("#r", "hi\n\nhow is all?", concat_at=(11,))),
    (batch("one"), Say("#r", "one")),
    (batch("one ", "+two"), Say("#r", "one two", concat_at=(4,))),
    (batch("", "x", ""), Say("#r", "\nx\n")),
    (batch("+a", "b"), Say("#r", "a\nb")),
    (batch("hi", "ho", target="bob"), DirectMessage("bob", "hi\nho")),
    (batch("hi", "ho", target="@#r"), Say("#r", "hi\nho", status="@")),
    (batch("\x01ACTION a", "b\x01"), Say("#r", "a\nb", action=True)),
    (batch("\x01ACTION a\x01"), Say("#r", "a", action=True)),
    (batch("a", "b", tags=f"@{ID};+x=y;other "),
     Say("#r", "a\nb", tags=f"{ID};+x=y", token="0123456789abcdef")),
    ([line.replace("PRIVMSG", "notice") for line in batch("a", "b")],
     Say("#r", "a\nb", notice=True)),
    ([line.replace("PRIVMSG #r", "PRIVMSG #R") for line in batch("a", "b")], Say("#r", "a\nb")),
    (batch("a\r", "b"), Say("#r", "a\nb")),
    (batch(*["x"] * 32), Say("#r", "\n".join("x" * 32))),
    # With their line feeds these are 4,096 bytes.
    (batch(*["x" * 255] * 15, "x" * 256), Say("#r", "\n".join(["x" * 255] * 16) + "x")),
    ([*batch("a")[:2], "PING me", "PONG x", *batch("b")[1:]], Say("#r", "a\nb")),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "say"), SAID)
def test_a_batch_is_one_message(lines: list[str], say: Say | DirectMessage) -> None:
    """Which is said at its end, and not before."""
    client = Client()
    answers = client.feed(*lines[:-1])
    assert client.said == []
    answers += client.feed(lines[-1])
    assert client.said == [say]
    assert [line for line in answers if "PONG" not in line] == []


def opened(*lines: str | bytes, target: str = "#r") -> list[str | bytes]:
    return [f"BATCH +1 draft/multiline {target}", *lines]


LINE = "@batch=1 PRIVMSG #r :x"
WRONG: list[tuple[str, list[str | bytes], str]] = [
    ("other target", opened("@batch=1 PRIVMSG #other :x"), "MULTILINE_INVALID_TARGET #r #other"),
    ("no target", opened("@batch=1 PRIVMSG"), "MULTILINE_INVALID_TARGET #r *"),
    ("too many lines", opened(*[LINE] * 33), "MULTILINE_MAX_LINES 32"),
    ("too many bytes", opened(*[LINE + "y" * 409] * 10), "MULTILINE_MAX_BYTES 4096"),
    ("line feeds count", opened(*[LINE + "x" * n for n in (*[254] * 14, 255, 255)]),
     "MULTILINE_MAX_BYTES 4096"),
    ("blank and joined", opened(LINE, f"@batch=1;{CONCAT} PRIVMSG #r :"), "MULTILINE_INVALID"),
    ("another reference", opened("@batch=2 PRIVMSG #r :x"), "MULTILINE_INVALID"),
    ("no batch", [LINE], "MULTILINE_INVALID"),
    ("no such batch ends", ["BATCH -1"], "MULTILINE_INVALID"),
    ("another batch ends", opened(LINE, "BATCH -2"), "MULTILINE_INVALID"),
    ("blank", opened("@batch=1 PRIVMSG #r :", "@batch=1 PRIVMSG #r", "BATCH -1"),
     "MULTILINE_INVALID"),
    ("empty", opened("BATCH -1"), "MULTILINE_INVALID"),
    ("both kinds", opened(LINE, "@batch=1 NOTICE #r :x"), "MULTILINE_INVALID"),
    ("another command", opened("@batch=1 JOIN #r"), "MULTILINE_INVALID"),
    ("an unknown command", opened("@batch=1 NONSENSE"), "MULTILINE_INVALID"),
    ("other tags", opened("@batch=1;+x PRIVMSG #r :x"), "MULTILINE_INVALID"),
    ("nested", opened("@batch=1 BATCH +2 draft/multiline #r"), "MULTILINE_INVALID"),
    ("two at a time", opened(LINE, "BATCH +2 draft/multiline #r"), "MULTILINE_INVALID"),
    ("a list of targets", opened(target="#r,#s"), "MULTILINE_INVALID"),
    ("nobody", ["BATCH +1 draft/multiline"], "MULTILINE_INVALID"),
    ("another type", ["BATCH +1 netsplit"], "UNKNOWN_TYPE 1 netsplit"),
    ("no type", ["BATCH +1"], "UNKNOWN_TYPE 1 *"),
    ("a bad reference", ["BATCH +a_b draft/multiline #r"], "INVALID_REFTAG a_b"),
    ("no reference", ["BATCH"], "MULTILINE_INVALID"),
    ("too long for others", opened("@batch=1 PRIVMSG #r :" + "x" * 489), "MULTILINE_INVALID"),
    ("a question", opened("@batch=1 PRIVMSG #r :\x01VERSION\x01", "BATCH -1"),
     "MULTILINE_INVALID"),
    ("a question below", opened(LINE, "@batch=1 PRIVMSG #r :\x01VERSION\x01", "BATCH -1"),
     "MULTILINE_INVALID"),
    ("not UTF-8", opened(LINE, b"@batch=1 PRIVMSG #r :\xff"), "MULTILINE_INVALID"),
    ("no line at all", opened(LINE, "@batch=1 PRIVMSG #r :" + "x" * 9000), "MULTILINE_INVALID"),
    ("something between", opened(LINE, "AWAY"), "MULTILINE_INVALID"),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "code"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_what_is_wrong_with_a_batch_is_told_once(lines: list[str | bytes], code: str) -> None:
    """And nothing of it is said, whatever follows; but the next one is."""
    client = Client()
    answers = client.feed(*lines)
    failed = [line for line in answers if " FAIL BATCH " in line]
    assert len(failed) == 1
    assert failed[0].startswith(f":srv FAIL BATCH {code} :")
    end = "BATCH -a_b" if "a_b" in code else "BATCH -1"
    client.feed(*[line for line in (LINE, end) if end not in lines])
    assert client.said == []
    client.feed(*batch("a", "b"))
    assert client.said == [Say("#r", "a\nb")]


def test_a_batch_that_never_ends_holds_no_more_than_a_message() -> None:
    client = Client()
    client.feed(*opened(*[LINE] * 1000))
    batch = open_batch(client)
    assert batch
    assert batch.pieces == []
    assert client.session.refusals == 1


def test_each_line_of_a_batch_counts_for_the_flood_control() -> None:
    session = Client().session
    lines = batch("a", "b", "c")
    session.receive_data("".join(f"{line}\r\n" for line in lines).encode())
    assert isinstance(session.next_run(), Handled)
    count = 1
    while session.next_run() is not None:
        count += 1
    assert count == len(lines)


def test_without_the_capability_there_is_no_such_command() -> None:
    client = Client()
    client.feed("CAP REQ :-draft/multiline")
    assert client.feed("BATCH +1 draft/multiline #r") == [":srv 421 alice BATCH :Unknown command"]
    assert client.feed(LINE) == []
    assert client.said == [Say("#r", "x")]
    assert VERBS["BATCH"].cap == "draft/multiline"


def test_the_label_is_that_of_the_line_which_opens() -> None:
    """So no line before the end has an answer; and what is wrong is told with the label."""
    client = Client("labeled-response")
    lines = batch("a", "b", tags="@label=x ")
    assert client.feed(*lines[:-1]) == []
    [failed] = client.feed("@batch=1 PRIVMSG #s :c")
    assert failed.startswith("@label=x :srv FAIL BATCH MULTILINE_INVALID_TARGET #r #s :")
    assert client.feed("BATCH -1") == []
    [refused] = client.feed(batch("a")[0], "@batch=1;label=y PRIVMSG #r :a")
    assert refused.startswith("@label=y :srv FAIL BATCH MULTILINE_INVALID :")


#: Lines with labels, and the labels of their answers with what these begin with.
LABELLED: list[tuple[list[str | bytes], list[tuple[str, str]]]] = [
    ([*batch("a", tags="@label=x ")[:2], "@label=y PING z"], [("y", "PONG")]),
    ([*batch("a", tags="@label=x ")[:2], "@label=y NONSENSE"], [("x", "FAIL"), ("y", "421")]),
    ([*batch("a", tags="@label=x ")[:2], "@label=y AWAY"], [("x", "FAIL"), ("y", "ACK")]),
    ([*batch("a")[:2], "@label=y NONSENSE"], [("", "FAIL"), ("y", "421")]),
    ([*batch("a", tags="@label=x ")[:2], "@batch=1;label=y PRIVMSG #r :b", "BATCH -1"],
     [("x", "FAIL"), ("y", "FAIL")]),
    (["@label=x BATCH +1 draft/multiline #r", "@label=y BATCH +2 draft/multiline #r",
      "@label=z;batch=2 PRIVMSG #r :a", "@label=u BATCH -2", "@label=v BATCH -1"],
     [("x", "FAIL"), ("y", "FAIL"), ("z", "ACK"), ("u", "ACK"), ("v", "ACK")]),
    ([*batch("a", tags="@label=x ")[:2], b"@label=y;batch=1 PRIVMSG #r :\xff", "BATCH -1"],
     [("x", "FAIL"), ("y", "FAIL")]),
    ([*batch("a", tags="@label=x ")[:2], "@label=y;batch=1 PRIVMSG #r :" + "x" * 9000],
     [("x", "FAIL"), ("y", "417")]),
    ([*batch("a", tags="@label=x ")[:2], "@batch=1 PRIVMSG #r :" + "x" * 9000],
     [("x", "FAIL"), ("", "417")]),
    (["@label=x BATCH +1 nonsense", "@label=y BATCH -1"], [("x", "FAIL"), ("y", "ACK")]),
    (["@label=x BATCH +a_b draft/multiline #r"], [("x", "FAIL")]),
    (["@label=x BATCH"], [("x", "FAIL")]),
    (["@label=x BATCH -1"], [("x", "FAIL")]),
    (["@label=x;batch=9 PRIVMSG #r :a"], [("x", "FAIL")]),
    (batch(tags="@label=x "), [("x", "FAIL")]),
    ([*batch("a", tags="@label=x ")[:2], "@label=y BATCH -1"], [("y", "ACK"), ("x", "ACK")]),
    ([*batch("a")[:2], "@label=y BATCH -1"], [("y", "ACK")]),
    ([b"@label=x PRIVMSG #r :\xff"], [("x", "FAIL")]),
    ([b"@+a=\xff;label=x PRIVMSG #r :a"], [("x", "FAIL")]),
    ([b"@label=\xff PRIVMSG #r :a"], [("", "FAIL")]),
    (["@label=x PRIVMSG #r :" + "x" * 500], [("x", "417")]),
    (["@label=x PRIVMSG #r :" + "x" * 20000], [("x", "417")]),
    ([f"@label=x;+a={'x' * 5000} PRIVMSG #r :a"], [("x", "417")]),
    ([f"@label={'x' * 65} PRIVMSG #r :" + "x" * 500], [("", "417")]),
    (["@label= PRIVMSG #r :" + "x" * 500], [("", "417")]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "answers"), LABELLED)
def test_each_line_with_a_label_has_one_answer(
    lines: list[str | bytes], answers: list[tuple[str, str]]
) -> None:
    client = Client("labeled-response")
    found = [message for line in client.feed(*lines) if (message := parse(line))]
    assert [(m.tags.get("label", ""), m.command) for m in found] == answers


PARTS = st.sampled_from(
    [
        "BATCH +1 draft/multiline #r", "BATCH +2 draft/multiline #r", "BATCH +3 nonsense",
        "BATCH -1", "BATCH -2", "BATCH", "PRIVMSG #r :a", "NONSENSE", "PING x", "AWAY",
        b"PRIVMSG #r :\xff", b"PRIVMSG #r :" + b"x" * 9000,
    ]
)  # fmt: skip


@given(st.lists(st.tuples(PARTS, st.sampled_from(["", ";batch=1", ";batch=2"])), max_size=12))
def test_no_label_has_two_answers_and_none_is_forgotten(
    parts: list[tuple[str | bytes, str]],
) -> None:
    """But for that of a batch that is still open."""
    client = Client("labeled-response")
    lines = [
        f"@label=l{number}{tag} ".encode() + (line if isinstance(line, bytes) else line.encode())
        for number, (line, tag) in enumerate(parts)
    ]
    found = [message for line in client.feed(*lines) if (message := parse(line))]
    labels = [message.tags["label"] for message in found if "label" in message.tags]
    if batch := open_batch(client):
        labels += [batch.label] if batch.label else []
    assert sorted(labels) == sorted(f"l{number}" for number in range(len(parts)))


def test_what_nobody_has_asked_for_has_no_label() -> None:
    session = Client("labeled-response").session
    session.receive_data(b"@label=x AWAY\r\n")
    assert session.next_run() is not None
    session.reply(Notice("You are sending too fast"))
    assert session.next_run() is None
    lines = session.data_to_send().decode().split("\r\n")[:-1]
    assert lines == [":srv NOTICE alice :You are sending too fast", "@label=x :srv ACK"]


# ── what others are sent ───────────────────────────────────────────────────────────────────────

HERE = Origin("a", "host", "Alice", account="acc")
ME = ":alice!a@host"
TEXT = Said("#r", "alice", "hello\n\nhow is all?", origin=HERE, tags="+x=y", concat_at=(14,))
EVENT_ID = "0001700000000123-00000001"
AT, TIME = 1_700_000_000_123, "time=2023-11-14T22:13:20.123Z"
NAME = "m000170000000012300000001"


def look(said: Said | Copy | RoomWelcome, *caps: str, id: str = EVENT_ID) -> list[str]:
    data = irc_dialect(frozenset(caps), "srv").render(said, id, AT)
    return data.decode().split("\r\n")[:-1]


def test_who_knows_multiline_is_sent_a_batch() -> None:
    lines = look(TEXT, *NEEDED, "server-time", "account-tag")
    assert lines == [
        f"@{TIME};msgid={EVENT_ID};+x=y;account=acc {ME} BATCH +{NAME} draft/multiline #r",
        f"@batch={NAME} {ME} PRIVMSG #r :hello",
        f"@batch={NAME} {ME} PRIVMSG #r :",
        f"@batch={NAME} {ME} PRIVMSG #r :how is ",
        f"@batch={NAME};{CONCAT} {ME} PRIVMSG #r :all?",
        f"{ME} BATCH -{NAME}",
    ]


@pytest.mark.parametrize("missing", sorted(NEEDED))
def test_all_others_are_sent_the_lines_that_are_not_blank(missing: str) -> None:
    """Only the first has the id."""
    lines = look(TEXT, *(NEEDED - {missing}), "server-time")
    assert [line.partition(f"{ME} ")[2] for line in lines] == [
        "PRIVMSG #r :hello", "PRIVMSG #r :how is ", "PRIVMSG #r :all?",
    ]  # fmt: skip
    found = [message for line in lines if (message := parse(line))]
    assert {message.tags["time"] for message in found} == {TIME.removeprefix("time=")}
    tags = [(message.tags.get("msgid"), message.tags.get("+x")) for message in found]
    first = (None, None) if missing == "message-tags" else (EVENT_ID, "y")
    assert tags == [first, (None, first[1]), (None, first[1])]


def test_an_action_is_one_in_the_batch_and_several_without() -> None:
    said = Said("#r", "alice", "waves\nand goes", action=True, origin=HERE)
    texts = [line.partition(" #r :")[2] for line in look(said, *NEEDED)]
    assert texts == ["", "\x01ACTION waves", "and goes\x01", ""]
    texts = [line.partition(" #r :")[2] for line in look(said)]
    assert texts == ["\x01ACTION waves\x01", "\x01ACTION and goes\x01"]


def test_long_tags_are_not_repeated_with_each_line() -> None:
    """Else one message of 4 KB would be one of 130 KB to everybody."""
    said = replace(TEXT, text="\n".join(["x"] * 32), tags="+x=" + "y" * 4000, concat_at=())
    lines = look(said, "message-tags", "account-tag")
    assert len(lines) == 32
    assert "yyy" in lines[0]
    assert lines[1] == f"@account=acc {ME} PRIVMSG #r :x"
    assert sum(map(len, lines)) < 8000


def test_in_the_last_messages_it_is_a_batch_in_a_batch() -> None:
    entered = RoomWelcome("#r", "bob", recent=(Entry("#r", EVENT_ID, TEXT, AT),))
    lines = look(entered, *NEEDED, "server-time", id="1-2")
    found = [message for line in lines if (message := parse(line))]
    assert [(m.command, m.params[0], m.tags.get("batch")) for m in found] == [
        ("BATCH", "+h12", None),
        ("BATCH", f"+{NAME}", "h12"),
        *[("PRIVMSG", "#r", NAME)] * 4,
        ("BATCH", f"-{NAME}", "h12"),
        ("BATCH", "-h12", None),
    ]


SAYABLE = st.characters(exclude_categories=["Cs"], exclude_characters="\r\0\x01")


@given(st.text(SAYABLE | st.just("\n"), max_size=600))
def test_what_one_client_is_sent_another_may_send(text: str) -> None:
    said = replace(TEXT, text=text, concat_at=(3, 5))
    lines = [m for line in look(said, *NEEDED, id="") if (m := parse(line))]
    inner = [m for m in lines if m.command == "PRIVMSG"]
    if not text.strip("\n") or len(inner) > 32:
        return
    client = Client()
    tags = [f"batch=1;{CONCAT}" if CONCAT in message.tags else "batch=1" for message in inner]
    client.feed("BATCH +1 draft/multiline #r")
    client.feed(*(f"@{t} PRIVMSG #r :{m.params[1]}" for t, m in zip(tags, inner, strict=True)))
    client.feed("BATCH -1")
    assert [say.text for say in client.said] == [text]


def test_of_a_message_in_several_lines_the_first_alone_has_its_id_and_label() -> None:
    """For it is one, and was asked for once."""
    dialect = irc_dialect(frozenset({"message-tags", "server-time", "account-tag"}), "srv")
    lines = dialect.render(TEXT, EVENT_ID, AT, "label=x").decode().split("\r\n")[:-1]
    tags = [message.tags.keys() for line in lines if (message := parse(line))]
    rest = {"time", "+x", "account"}
    assert tags == [{*rest, "msgid", "label"}, rest, rest]
