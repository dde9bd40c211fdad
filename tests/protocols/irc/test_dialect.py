"""How events look in IRC, to whoever has which capabilities."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trio_chat.core.events import (
    Announced,
    Arrived,
    AwaySet,
    Change,
    Departed,
    Entry,
    Invited,
    Joined,
    Kicked,
    Left,
    ModesSet,
    NameSet,
    Origin,
    Redacted,
    Renamed,
    Said,
    Signalled,
    TopicSet,
    UserModesSet,
)
from trio_chat.core.views import (
    Block,
    Copy,
    Marked,
    Members,
    Notice,
    Presence,
    RoomWelcome,
    Shown,
    Topic,
    UserView,
)
from trio_chat.protocols.irc.caps import CAPS, RENDERED
from trio_chat.protocols.irc.dialect import IrcDialect, irc_dialect, own_dialect, time_tag
from trio_chat.protocols.irc.fitting import wrapped, written
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.protocols.irc.multiline import Piece, combined

HERE = Origin("a", "host", "Alice A.", account="")
KNOWN = replace(HERE, account="acc")
BOT = replace(HERE, bot=True)
ID = "0001700000000123-00000001"
AT, TIME = 1_700_000_000_123, "time=2023-11-14T22:13:20.123Z"
STAMP = "timestamp=2023-11-14T22:13:20.123Z"
ME = ":alice!a@host"
BEFORE = (Entry("#r", ID, Said("#r", "alice", "before", origin=HERE), AT),)


def look(shown: Shown, *caps: str, id: str = "", own: bool = False) -> list[str]:
    """The lines that it is, to who has these capabilities."""
    make = own_dialect if own else irc_dialect
    data = make(frozenset(caps), "srv").render(shown, id, AT)
    *lines, rest = data.decode().split("\r\n")
    assert rest == ""
    return lines


# ── without tags ───────────────────────────────────────────────────────────────────────────────

TOPIC = Topic("#r", "the topic", "bob", 1_700_000_000_999)
PEOPLE = Members(
    "#r",
    (
        Block(lambda: [UserView("alice", HERE, status="@+"), UserView("bob", HERE)]),
        Block(lambda: [UserView("x", HERE, status="+")]),
    ),
)

WAVES = Said("#r", "alice", "waves", action=True, origin=HERE)
ASKED = Said("#r", "alice", "\x01PING\x01", origin=HERE)
LINES = (
    Entry("#r", ID, Said("#r", "alice", "!deploy\n\nnow", origin=HERE), AT),
    Entry("#r", ID, Said("#r", "alice", "waves\nand goes", action=True, origin=HERE), AT),
)
TIMED = [
    ":srv NOTICE #r :Last messages (times in UTC):",
    f"{ME} NOTICE #r :[22:13:20] before",
    ":srv NOTICE #r :End of the last messages.",
]

LOOKS: list[tuple[Shown, str, list[str]]] = [
    (Said("#r", "alice", "hi", origin=HERE), "", [f"{ME} PRIVMSG #r :hi"]),
    (Said("#r", "alice", "", origin=HERE), "", [f"{ME} PRIVMSG #r :"]),
    (Said("#r", "alice", ":) x", origin=HERE), "", [f"{ME} PRIVMSG #r ::) x"]),
    (Said("#r", "alice", "hi", notice=True, origin=HERE), "", [f"{ME} NOTICE #r :hi"]),
    (Said("#r", "alice", "hi", status="@", origin=HERE), "", [f"{ME} PRIVMSG @#r :hi"]),
    (Said("#r", "alice", "waves", action=True, origin=HERE), "",
     [f"{ME} PRIVMSG #r :\x01ACTION waves\x01"]),
    (Said("a,b", "alice", "hi", to="bob", origin=HERE), "", [f"{ME} PRIVMSG bob :hi"]),
    (Said("a,b", "alice", "hi", to="bob", notice=True, origin=HERE), "", [f"{ME} NOTICE bob :hi"]),
    (Signalled("#r", "alice", "+typing=active", origin=HERE), "", []),
    (Signalled("#r", "alice", "+typing=active", origin=HERE), "message-tags",
     [f"@+typing=active {ME} TAGMSG #r"]),
    (Signalled("#r", "alice", "+x", status="+", origin=HERE), "message-tags",
     [f"@+x {ME} TAGMSG +#r"]),
    (Signalled("a,b", "alice", "+x", to="bob", origin=HERE), "message-tags",
     [f"@+x {ME} TAGMSG bob"]),
    (Redacted("#r", "alice", ID, "bob", "spam!", origin=HERE), "message-tags",
     [":srv NOTICE #r :A message of bob's was removed by alice (spam!)."]),
    (Redacted("#r", "alice", ID, "Alice", origin=HERE), "",
     [":srv NOTICE #r :alice removed a message of their own."]),
    (Redacted("a,b", "alice", ID, "alice", to="bob", origin=HERE), "",
     [":srv NOTICE bob :alice removed a message of their own."]),
    (Redacted("#r", "alice", ID, "bob", "some spam", origin=HERE), "draft/message-redaction",
     [f"{ME} REDACT #r {ID} :some spam"]),
    (Redacted("#r", "alice", ID, "bob", status="@", origin=HERE), "draft/message-redaction",
     [f"{ME} REDACT #r {ID}"]),
    (Redacted("a,b", "alice", ID, "alice", to="bob", origin=HERE), "draft/message-redaction",
     [f"{ME} REDACT bob {ID}"]),
    (Joined("#r", "alice", origin=HERE), "", [f"{ME} JOIN #r"]),
    (Joined("#r", "alice", origin=HERE), "extended-join", [f"{ME} JOIN #r * :Alice A."]),
    (Joined("#r", "alice", origin=KNOWN), "extended-join", [f"{ME} JOIN #r acc :Alice A."]),
    (Joined("#r", "alice", away="out", origin=HERE), "", [f"{ME} JOIN #r"]),
    (Joined("#r", "alice", away="out", origin=HERE), "away-notify",
     [f"{ME} JOIN #r", f"{ME} AWAY out"]),
    (Joined("#r", "alice", origin=HERE), "away-notify", [f"{ME} JOIN #r"]),
    (Left("#r", "alice", origin=HERE), "", [f"{ME} PART #r"]),
    (Left("#r", "alice", why="bye all", origin=HERE), "", [f"{ME} PART #r :bye all"]),
    (Copy(Left("#r", "alice", origin=HERE)), "", [f"{ME} PART #r"]),
    (Kicked("#r", "alice", "bob", "rude", origin=HERE), "", [f"{ME} KICK #r bob rude"]),
    (Kicked("#r", "alice", "bob", origin=HERE), "", [f"{ME} KICK #r bob alice"]),
    (Invited("#r", "alice", "bob", origin=HERE), "", [f"{ME} INVITE bob #r"]),
    (Copy(Invited("#r", "alice", "bob", origin=HERE)), "", []),
    (Copy(Invited("#r", "alice", "bob", origin=HERE)), "invite-notify", [f"{ME} INVITE bob #r"]),
    (Departed("alice", why="Quit: bye", origin=HERE), "", [f"{ME} QUIT :Quit: bye"]),
    (Departed("alice", why="quit", origin=HERE), "", [f"{ME} QUIT quit"]),
    (TopicSet("#r", "alice", "new", origin=HERE), "", [f"{ME} TOPIC #r :new"]),
    (TopicSet("#r", "alice", "", origin=HERE), "", [f"{ME} TOPIC #r :"]),
    (ModesSet("#r", "alice", (Change(True, "o", "bob"), Change(True, "v", "eve"),
                              Change(False, "k", "*"), Change(True, "t")), origin=HERE), "",
     [f"{ME} MODE #r +ov-k+t bob eve *"]),
    (UserModesSet("alice", (Change(True, "B"), Change(False, "i")), origin=HERE), "",
     [f"{ME} MODE alice +B-i"]),
    (Renamed("alice", "carol", origin=HERE), "", [f"{ME} NICK carol"]),
    (AwaySet("alice", "out", origin=HERE), "", []),
    (AwaySet("alice", "out", origin=HERE), "away-notify", [f"{ME} AWAY out"]),
    (AwaySet("alice", "", origin=HERE), "away-notify", [f"{ME} AWAY"]),
    (Copy(AwaySet("alice", "out", origin=HERE)), "away-notify", []),
    (Copy(AwaySet("alice", "out", origin=HERE)), "extended-monitor", []),
    (Copy(AwaySet("alice", "out", origin=HERE)), "away-notify extended-monitor",
     [f"{ME} AWAY out"]),
    (NameSet("alice", origin=HERE), "", []),
    (NameSet("alice", origin=HERE), "setname", [f"{ME} SETNAME :Alice A."]),
    (Copy(NameSet("alice", origin=HERE)), "setname", []),
    (Copy(NameSet("alice", origin=HERE)), "setname extended-monitor",
     [f"{ME} SETNAME :Alice A."]),
    (Announced("alice", "news", origin=HERE), "", [f"{ME} WALLOPS news"]),
    (Copy(Said("#r", "alice", "hi", origin=HERE)), "", [f"{ME} PRIVMSG #r :hi"]),
    (Copy(Signalled("#r", "alice", "+x", origin=HERE)), "message-tags", [f"@+x {ME} TAGMSG #r"]),
    (Arrived("alice", origin=HERE), " ".join(sorted(RENDERED)), []),
    (Presence("bob", "alice", HERE), "", [":srv 730 bob alice!a@host"]),
    (Presence("bob", "alice"), "", [":srv 731 bob alice"]),
    (Notice("one\ntwo words"), "", [":srv NOTICE * one", ":srv NOTICE * :two words"]),
    (RoomWelcome("#r", "alice"), "", []),
    (RoomWelcome("#r", "alice", recent=BEFORE), "", TIMED),
    (RoomWelcome("#r", "alice", recent=BEFORE), "batch message-tags",
     [":srv BATCH +h chathistory #r", f"@batch=h {ME} PRIVMSG #r :[22:13:20] before",
      ":srv BATCH -h"]),
    (RoomWelcome("#r", "alice", recent=BEFORE), "server-time",
     [":srv NOTICE #r :Last messages:", f"@{TIME} {ME} NOTICE #r :before", TIMED[-1]]),
    (RoomWelcome("#r", "alice", recent=(Entry("#r", ID, WAVES, AT), Entry("#r", ID, ASKED, AT))),
     "",
     [TIMED[0], f"{ME} NOTICE #r :[22:13:20] * alice waves", TIMED[-1]]),
    (RoomWelcome("#r", "alice", recent=LINES), "server-time",
     [":srv NOTICE #r :Last messages:", f"@{TIME} {ME} NOTICE #r :!deploy",
      f"@{TIME} {ME} NOTICE #r :now", f"@{TIME} {ME} NOTICE #r :* alice waves",
      f"@{TIME} {ME} NOTICE #r :* alice and goes", TIMED[-1]]),
    (RoomWelcome("#r", "alice", recent=(Entry("#r", ID, ASKED, AT),)), "", []),
    (RoomWelcome("#r", "alice", recent=(Entry("#r", ID, ASKED, AT),)), "batch server-time", []),
    (RoomWelcome("#r", "alice", recent=BEFORE), "batch server-time draft/chathistory", []),
    (RoomWelcome("#r", "alice", recent=BEFORE), "draft/chathistory", []),
    (Marked("#r", 0), "", []),
    (Marked("#r", 0), "draft/read-marker", [":srv MARKREAD #r *"]),
    (Marked("#r", 1_700_000_000_123), "draft/read-marker", [f":srv MARKREAD #r {STAMP}"]),
    (RoomWelcome("#r", "alice", recent=BEFORE), "batch server-time",
     [":srv BATCH +h chathistory #r", f"@batch=h;{TIME} {ME} PRIVMSG #r :before",
      ":srv BATCH -h"]),
    (RoomWelcome("#r", "alice", topic=TOPIC), "",
     [":srv 332 alice #r :the topic", ":srv 333 alice #r bob 1700000000"]),
    (RoomWelcome("#r", "alice", topic=replace(TOPIC, by="")), "no-implicit-names",
     [":srv 332 alice #r :the topic", ":srv 333 alice #r srv 1700000000"]),
    (Topic("#r", "an answer"), "", []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "caps", "lines"),
    LOOKS,
    ids=[f"{type(getattr(s, 'of', s)).__name__}-{caps}" for s, caps, _ in LOOKS],
)
def test_looks(shown: Shown, caps: str, lines: list[str]) -> None:
    assert look(shown, *caps.split()) == lines


@pytest.mark.parametrize("letter", ["👨‍👩‍👧‍👦", "🇩🇪", "e\u0301", "क्षि"])
def test_a_long_text_is_cut_between_letters(letter: str) -> None:
    text = "x" + letter * 400
    lines = look(Said("#r", "alice", text, origin=HERE))
    parts = [line.partition(" #r :")[2] for line in lines]
    assert "".join(parts) == text
    assert len(parts) > 1
    assert all(part.removeprefix("x").replace(letter, "") == "" for part in parts)


def test_a_quit_is_cut_between_letters() -> None:
    [line] = look(Departed("alice", why="👨‍👩‍👧‍👦" * 60, origin=HERE))
    assert len(line.encode()) <= 510
    assert line.partition("QUIT ")[2].replace("👨‍👩‍👧‍👦", "") == ""


@pytest.mark.parametrize("caps", ["", "server-time", "message-tags echo-message"])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\x01!"), min_size=1),
    action=st.booleans(),
)
@example(text="a\n\x01PING\x01", action=False)
@example(text="\x01".join("x" * n for n in range(380, 450)), action=False)
def test_without_batch_nothing_that_was_said_before_can_be_obeyed(
    caps: str, text: str, action: bool
) -> None:
    """No PRIVMSG, and no answer of a client (CTCP)."""
    said = Said("#r", "alice", text, action=action, origin=HERE)
    lines = look(RoomWelcome("#r", "bob", recent=(Entry("#r", ID, said),)), *caps.split())
    read = [message for line in lines if (message := parse(line))]
    assert {message.command for message in read} <= {"NOTICE"}
    assert not any(message.param(1).startswith("\x01") for message in read)


@pytest.mark.parametrize("caps", ["", "server-time", "batch server-time"])
def test_newcomers_see_what_was_said_whether_they_hear_an_echo_or_not(caps: str) -> None:
    """That of what they say from now on: what was said before, they may have said themselves."""
    entered = RoomWelcome("#r", "alice", recent=BEFORE)
    assert look(entered, *caps.split(), own=True) == look(entered, *caps.split())


@pytest.mark.parametrize(
    ("members", "caps", "names"),
    [
        (PEOPLE, "", ["= #r :@alice bob", "= #r :+x"]),
        (replace(PEOPLE, secret=True), "multi-prefix", ["@ #r :@+alice bob", "@ #r :+x"]),
        (PEOPLE, "userhost-in-names", ["= #r :@alice!a@host bob!a@host", "= #r :+x!a@host"]),
        (Members("#r", ()), "", []),
    ],
)
def test_names(members: Members, caps: str, names: list[str]) -> None:
    """Written in one way, and read by people of any name."""
    dialect = irc_dialect(frozenset(caps.split()), "srv")
    for nick in ("alice", "bob", "漢" * 20):
        assert dialect.names(nick, members) == [f":srv 353 {nick} {line}" for line in names]


SAID = Said("#r", "alice", "hi", tags="+draft/reply=1;+x", origin=HERE)


@pytest.mark.parametrize(
    ("event", "caps", "tags"),
    [
        (SAID, "", ""),
        (SAID, "server-time", f"@{TIME} "),
        (SAID, "message-tags", f"@msgid={ID};+draft/reply=1;+x "),
        (SAID, "message-tags server-time", f"@{TIME};msgid={ID};+draft/reply=1;+x "),
        (SAID, "account-tag", ""),
        (replace(SAID, origin=KNOWN), "account-tag", "@account=acc "),
        (replace(SAID, origin=KNOWN), "message-tags",
         f"@msgid={ID};+draft/reply=1;+x "),
        (replace(SAID, origin=BOT), "server-time", f"@{TIME} "),
        (replace(SAID, origin=BOT), "message-tags", f"@msgid={ID};bot;+draft/reply=1;+x "),
        (replace(SAID, origin=replace(BOT, account="acc"), tags=""),
         "message-tags account-tag server-time", f"@{TIME};msgid={ID};bot;account=acc "),
        (Renamed("alice", "carol", origin=KNOWN), "account-tag message-tags",
         f"@msgid={ID};account=acc "),
    ],
)  # fmt: skip
def test_tags_are_those_that_one_can_read(event: Shown, caps: str, tags: str) -> None:
    [line] = look(event, *caps.split(), id=ID)
    assert line.partition(":alice!")[0] == tags


def test_what_the_server_says_of_a_room_has_the_time_and_no_id() -> None:
    lines = look(RoomWelcome("#r", "alice", topic=TOPIC), "message-tags", "server-time", id=ID)
    assert [line.partition(" ")[0] for line in lines] == [f"@{TIME}"] * 2


def test_an_event_without_a_place_has_no_time() -> None:
    assert look(SAID, "server-time") == [f"{ME} PRIVMSG #r :hi"]


@pytest.mark.parametrize(
    ("milliseconds", "tag"),
    [
        (0, "time=1970-01-01T00:00:00.000Z"),
        (1, "time=1970-01-01T00:00:00.001Z"),
        (1_700_000_000_999, "time=2023-11-14T22:13:20.999Z"),
    ],
)
def test_times_have_three_places(milliseconds: int, tag: str) -> None:
    assert time_tag(milliseconds) == tag


# ── what one has done oneself ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("event", "caps", "shown"),
    [
        (SAID, "message-tags", False),
        (SAID, "echo-message", True),
        (Copy(SAID), "echo-message", True),
        (Copy(SAID), "", False),
        (Signalled("#r", "alice", "+x", origin=HERE), "message-tags", False),
        (Signalled("#r", "alice", "+x", origin=HERE), "message-tags echo-message", True),
        (AwaySet("alice", "out", origin=HERE), "away-notify", False),
        (Joined("#r", "alice", origin=HERE), "", True),
        (Renamed("alice", "carol", origin=HERE), "", True),
        (NameSet("alice", origin=HERE), "setname", True),
        (NameSet("alice", origin=HERE), "", False),
        (TopicSet("#r", "alice", "x", origin=HERE), "", True),
    ],
)
def test_what_one_is_shown_of_oneself(event: Shown, caps: str, shown: bool) -> None:
    assert bool(look(event, *caps.split(), own=True)) is shown


def test_those_with_the_same_capabilities_share_a_dialect() -> None:
    """Of which it depends that each line is rendered once."""
    assert irc_dialect(frozenset({"setname"}), "srv") is irc_dialect(frozenset({"setname"}), "srv")
    assert irc_dialect(frozenset(), "srv") is not irc_dialect(frozenset({"setname"}), "srv")
    assert CAPS.keys() > RENDERED


# ── long texts ─────────────────────────────────────────────────────────────────────────────────


def messages(data: bytes) -> list[Message]:
    """What was rendered, each line checked: one line, not too long, and what it says."""
    *lines, rest = data.split(b"\r\n")
    assert rest == b""
    found = []
    for line in lines:
        assert not {*b"\r\n\0"} & {*line}
        text = line.decode()
        tags, _, body = text.partition(" ") if text.startswith("@") else ("", "", text)
        assert len(body.encode()) <= 510
        assert len(tags.encode()) + 1 <= 8191
        message = parse(text)
        assert message is not None
        assert re.fullmatch("[A-Z]+|[0-9]{3}", message.command)
        found.append(message)
    return found


EVERYTHING = irc_dialect(RENDERED, "srv")
DIALECTS = [irc_dialect(frozenset(), "srv"), EVERYTHING, own_dialect(RENDERED, "srv")]


@pytest.mark.parametrize("action", [False, True])
@pytest.mark.parametrize("char", ["x", "ä", "漢", "👩"])
def test_a_long_text_is_told_in_several_lines(char: str, action: bool) -> None:
    """Each is of the same kind, only the first has the id, and nothing of it is lost."""
    text = char * 1300
    lines = messages(EVERYTHING.render(replace(SAID, text=text, action=action), ID, AT))
    assert len(lines) > 2
    assert [line.tags.get("msgid") for line in lines] == [ID, *[None] * (len(lines) - 1)]
    assert {line.tags.get("time") for line in lines} == {TIME.removeprefix("time=")}
    texts = [line.params[1] for line in lines]
    if action:
        assert all(t.startswith("\x01ACTION ") and t.endswith("\x01") for t in texts)
        texts = [t.removeprefix("\x01ACTION ").removesuffix("\x01") for t in texts]
    assert "".join(texts) == text


def test_a_long_text_is_parted_between_words() -> None:
    text = " ".join(["seven77"] * 200)
    texts = [line.params[1] for line in messages(EVERYTHING.render(replace(SAID, text=text)))]
    assert "".join(texts) == text
    assert all(t.endswith(" ") for t in texts[:-1])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=1500))
def test_no_text_is_lost_or_forged(text: str) -> None:
    """Line endings of all kinds among it: one of them begins another line of the message."""
    lines = messages(EVERYTHING.render(replace(SAID, text=text), ID, AT))
    if "\n" in text:
        start, *lines, end = lines
        assert (start.command, start.params[1:]) == ("BATCH", ("draft/multiline", "#r"))
        assert (end.command, end.params) == ("BATCH", (f"-{start.params[0][1:]}",))
    assert {(line.command, line.source, line.params[0]) for line in lines} == {
        ("PRIVMSG", "alice!a@host", "#r")
    }
    pieces = [Piece(line.params[1], "draft/multiline-concat" in line.tags) for line in lines]
    said = combined(pieces)[0] if "\n" in text else "".join(piece.text for piece in pieces)
    assert said == re.sub("[\r\0]", " ", text)


def test_names_are_wrapped() -> None:
    """All names come, in lines that may be sent."""
    people = tuple(
        UserView(f"nick{n:03}" + "漢" * 13, Origin("u" * 20, "h" * 39), status="@+")
        for n in range(300)
    )
    room = "#" + "漢" * 49
    for caps in (frozenset[str](), frozenset({"multi-prefix", "userhost-in-names"})):
        dialect = irc_dialect(caps, "s" * 63)
        names = dialect.names("漢" * 20, Members(room, (Block(lambda: people),)))
        lines = messages("".join(f"{line}\r\n" for line in names).encode())
        names = [name for line in lines for name in line.params[3].split()]
        assert len(lines) > 10
        assert [n.lstrip("@+").partition("!")[0] for n in names] == [p.nick for p in people]
        assert {line.params[:3] for line in lines} == {("漢" * 20, "=", room)}


def test_many_modes_are_told_in_several_lines() -> None:
    """None of them is cut off."""
    changes = tuple(Change(n % 3 > 0, "b", f"*!*@{n}" + "x" * 90) for n in range(20))
    lines = messages(EVERYTHING.render(ModesSet("#r", "alice", changes, origin=HERE), ID, AT))
    assert [mask for line in lines for mask in line.params[2:]] == [c.argument for c in changes]
    assert "".join(line.params[1] for line in lines).count("b") == 20
    added = {c.argument for c in changes if c.add}
    assert [line.params[1][0] == "+" for line in lines] == [p.params[2] in added for p in lines]
    assert len({line.tags.get("msgid") for line in lines}) == 2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([Change(True, "t")], ["+t"]),
        ([Change(True, "o", "a"), Change(True, "v", "b")], ["+ov", "a", "b"]),
        ([Change(True, "k", "x"), Change(False, "l"), Change(True, "n")], ["+k-l+n", "x"]),
        ([Change(True, "b", "x y"), Change(True, "b", ":z")], ["+bb", "x", "z"]),
        ([Change(True, "b", "a\rb"), Change(True, "b", ":")], ["+bb", "a", "*"]),
    ],
)
def test_changes_of_modes_as_parameters(changes: list[Change], words: list[str]) -> None:
    assert written(changes) == words


@given(st.lists(st.text("aä漢", min_size=1, max_size=12)), st.integers(36, 60))
def test_wrapped_lines_hold_all_words_and_no_more_than_they_may(
    words: list[str], most: int
) -> None:
    lines = wrapped(words, most)
    assert " ".join(lines).split() == words
    assert all(0 < len(line.encode()) <= most for line in lines)


# ── anything at all ────────────────────────────────────────────────────────────────────────────

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=700) | st.sampled_from(
    ["x" * 600, "漢" * 390, "a b " * 300, "\r\n", "\n" * 500, ":x", " ", ""]
)
letters = st.characters(categories=["Lu", "Ll", "Lo"])
nick = st.text(letters, min_size=1, max_size=20)
room = st.text(letters, min_size=1, max_size=49).map("#{}".format)
name = st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
safe = st.text("abcdef0123456789.-", min_size=1, max_size=20)
origin = st.builds(Origin, safe, safe, name, st.just("") | safe, st.booleans())
change = st.builds(Change, st.booleans(), st.sampled_from("beIklovimnst"), text)
changes = st.lists(change, min_size=1, max_size=20).map(tuple)
tags = st.sampled_from(["", "+typing=active", "+a;+b=\\s\\:"])
status = st.sampled_from(["", "@", "+"])
seen = st.builds(UserView, nick, origin, status=st.sampled_from(["", "@", "+", "@+"]))
topic = st.builds(Topic, room, text, st.just("") | nick, st.integers(0, 2_000_000_000_000))

said = st.builds(
    Said, room, nick, text, action=st.booleans(), to=st.just("") | nick, notice=st.booleans(),
    status=status, tags=tags, origin=origin,
)  # fmt: skip
signalled = st.builds(Signalled, room, nick, tags, to=st.just("") | nick, origin=origin)
left = st.builds(Left, room, nick, why=text, origin=origin)
invited = st.builds(Invited, room, nick, nick, origin=origin)
away_set = st.builds(AwaySet, nick, text, origin=origin)
name_set = st.builds(NameSet, nick, origin=origin)
happened: st.SearchStrategy[Shown] = st.one_of(
    said, signalled, left, invited, away_set, name_set,
    st.builds(Joined, room, nick, away=text, origin=origin),
    st.builds(Kicked, room, nick, nick, text, origin=origin),
    st.builds(Departed, nick, why=text, origin=origin),
    st.builds(TopicSet, room, nick, text, origin=origin),
    st.builds(ModesSet, room, nick, changes, origin=origin),
    st.builds(UserModesSet, nick, changes, origin=origin),
    st.builds(Renamed, nick, nick, origin=origin),
    st.builds(Arrived, nick, origin=origin),
    st.builds(Announced, nick, text, origin=origin),
    st.builds(Copy, st.one_of(said, signalled, left, invited, away_set, name_set)),
    st.builds(Presence, nick, nick, st.none() | origin),
    st.builds(Notice, text),
    st.builds(RoomWelcome, room, nick, topic=st.none() | topic),
)  # fmt: skip


@given(happened, st.sampled_from(DIALECTS), st.sampled_from(["", ID]))
def test_whatever_happens_is_lines_that_may_be_sent(
    shown: Shown, dialect: IrcDialect, id: str
) -> None:
    """They can be read, none is too long, and none of them is a second one made of a text."""
    for message in messages(dialect.render(shown, id, AT)):
        event = shown.of if isinstance(shown, Copy) else shown
        if message.source == "srv":
            assert isinstance(event, RoomWelcome | Presence | Notice)
        else:
            assert message.nick == event.nick  # type: ignore[union-attr]
