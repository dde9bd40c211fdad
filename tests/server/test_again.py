"""What is sent again appears once; who comes again is the same; and what cannot be kept is told."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from irc_peers import irc_peer, irc_people, lead, settings
from peers import House, running
from trio_chat.core.events import Entry, Event, elsewhere, is_persistent
from trio_chat.core.room_state import RoomState
from trio_chat.errors import Unavailable
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.noted import must_be_noted

ME = ":alice!alice@127.0.0.1"
ID = "@+trio-chat/id=0123456789abcdef"
SECRET = "correct-horse-battery-staple"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with running(settings()) as running_house:
        yield running_house


@pytest.fixture
async def busy() -> AsyncIterator[House]:
    limits = {"messages_per_second": 1_000_000, "message_burst": 1_000_000}
    async with running(settings(limits=limits)) as running_house:
        yield running_house


# ── sent again ─────────────────────────────────────────────────────────────────────────────────

ECHO = "message-tags server-time batch echo-message labeled-response standard-replies"


@pytest.mark.parametrize("target", ["#lobby", "bob"])
@pytest.mark.parametrize("verb", ["PRIVMSG", "NOTICE"])
async def test_what_is_sent_again_is_answered_by_its_first_echo(
    house: House, verb: str, target: str
) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps=ECHO)
    await alice.news()
    [echo] = await alice.news(f"{ID};+a=b {verb} {target} :hello")
    assert await bob.news() == [echo]
    assert await alice.news(f"{ID} {verb} {target} :in other words") == [echo]
    assert await alice.news(f"{ID};label=L {verb} {target} :hello") == [f"@label=L;{echo[1:]}"]
    assert await bob.news() == []


async def test_who_has_the_nickname_next_has_ids_of_their_own(house: House) -> None:
    bob = await irc_peer(house, "bob")
    for text in ("hello", "I am another alice"):
        alice = await irc_peer(house, "alice", *ECHO.split())
        await alice.news(f"{ID} PRIVMSG #lobby :{text}")
        await alice.say("QUIT")
        await alice.rest()
    said = [line.partition(" :")[2] for line in await bob.news() if " PRIVMSG " in line]
    assert said == ["hello", "I am another alice"]


@pytest.mark.parametrize("verb", ["PRIVMSG", "NOTICE"])
@pytest.mark.parametrize(
    ("caps", "answer"),
    [
        ("standard-replies", "NOTE {verb} ALREADY_SENT {id} :That was already sent"),
        ("", "NOTICE alice :{verb}: That was already sent"),
    ],
)
async def test_who_hears_no_echo_is_told_in_words(
    house: House, caps: str, answer: str, verb: str
) -> None:
    alice = await irc_peer(house, "alice", *caps.split())
    bob = await irc_peer(house, "bob", "message-tags")
    assert await alice.news(f"{ID} {verb} #lobby :hello") == [":bob!bob@127.0.0.1 JOIN #lobby"]
    [heard] = await bob.messages()
    assert heard.tags["+trio-chat/id"] == "0123456789abcdef"
    [line] = await alice.news(f"{ID} {verb} #lobby :hello")
    assert line.startswith(f":chat.local {answer.format(verb=verb, id=heard.tags['msgid'])}")
    assert await bob.news() == []


async def test_the_ids_of_others_are_their_own(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob")
    await alice.news(f"{ID} PRIVMSG #lobby :mine")
    await bob.news(f"{ID} PRIVMSG #lobby :mine, too")
    assert await alice.news() == [":bob!bob@127.0.0.1 PRIVMSG #lobby :mine, too"]


async def test_a_run_that_is_sent_again_after_a_loss_appears_once(busy: House) -> None:
    """The connection was cut in the middle; who was on it comes again, and sends all of it."""
    house, bob = busy, await irc_peer(busy, "bob")
    alice = await irc_peer(house, "alice", *ECHO.split(), secret=SECRET)
    lines = [f"@+trio-chat/id=message-number-{n:04} PRIVMSG #lobby :{n}" for n in range(500)]
    await alice.news(*lines[:300])
    again = await irc_peer(house, "alice", *ECHO.split(), secret=SECRET)
    echoes = [message for message in await again.messages(*lines) if message.command == "PRIVMSG"]
    assert len({message.tags["msgid"] for message in echoes}) == len(echoes) == 500
    heard = [message for message in await bob.messages() if message.command == "PRIVMSG"]
    assert [message.params[1] for message in heard] == [str(n) for n in range(500)]


BAD_IDS = ["", "=", "=short", "=" + "x" * 65, "=0123456789abcdé-0", r"=0123456789\sabcdef"]


@pytest.mark.parametrize("verb", ["PRIVMSG", "NOTICE"])
@pytest.mark.parametrize("id", BAD_IDS)
async def test_a_bad_id_is_refused_with_its_message(house: House, id: str, verb: str) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps="standard-replies")
    await alice.news()
    assert await alice.news(f"@+trio-chat/id{id} {verb} #lobby :hello") == [
        f":chat.local FAIL {verb} INVALID_ID :An id has 16 to 64 letters, digits, - and _"
    ]
    assert await bob.news() == []


async def test_an_id_is_for_one_message(house: House) -> None:
    alice, bob = await irc_people(house, "alice", "bob", caps="standard-replies")
    await alice.news()
    assert await alice.news(f"{ID} PRIVMSG #lobby,bob :hello") == [
        ":chat.local FAIL PRIVMSG INVALID_ID :A message with an id can have only one target"
    ]
    assert await bob.news() == []


# ── come again ─────────────────────────────────────────────────────────────────────────────────


async def test_who_comes_again_has_their_nickname_back(house: House) -> None:
    bob = await irc_peer(house, "bob")
    before = await irc_peer(house, "alice", secret=SECRET)
    await bob.news()
    alice = await irc_peer(house, "Alice", secret=SECRET)
    assert (await before.rest()).endswith(
        "ERROR :Closing link: You have connected again. Goodbye!\r\n"
    )
    assert await bob.news() == [
        f"{ME} QUIT :connected again",
        ":Alice!Alice@127.0.0.1 JOIN #lobby",
    ]
    assert await alice.news() == []


@pytest.mark.parametrize("opening", [[], [f"IDENTITY {SECRET}x"], [f"IDENTITY {SECRET.upper()}"]])
async def test_nobody_else_has_a_nickname_for_that(house: House, opening: list[str]) -> None:
    alice = await irc_peer(house, "alice", secret=SECRET)
    other = await irc_peer(house)
    lines = await other.news(
        "CAP REQ trio-chat/identity", *opening, "NICK alice", "USER a 0 * :A", "CAP END"
    )
    assert lines[-1] == ":chat.local 433 * alice :The nickname alice is taken."
    assert await alice.news() == []


async def test_who_has_shown_no_secret_loses_a_nickname_to_nobody(house: House) -> None:
    alice = await irc_peer(house, "alice")
    other = await irc_peer(house)
    opening = ["CAP REQ trio-chat/identity", f"IDENTITY {SECRET}", "NICK alice", "USER a 0 * :A"]
    lines = await other.news(*opening, "CAP END")
    assert lines[-1] == ":chat.local 433 * alice :The nickname alice is taken."
    assert await alice.news() == []


async def test_one_person_may_be_here_twice_under_two_nicknames(house: House) -> None:
    alice = await irc_peer(house, "alice", secret=SECRET)
    await irc_peer(house, "alicia", secret=SECRET)
    assert await alice.news() == [":alicia!alicia@127.0.0.1 JOIN #lobby"]


BAD_SECRETS = ["short", "x" * 129, "0123456789abcde.", ":0123456789abcdef x"]


@pytest.mark.parametrize("secret", BAD_SECRETS)
async def test_a_bad_secret_is_refused(house: House, secret: str) -> None:
    peer = await irc_peer(house)
    lines = await peer.news("CAP REQ trio-chat/identity", f"IDENTITY {secret}")
    text = "A secret has 16 to 128 letters, digits, - and _"
    assert lines[-1] == f":chat.local FAIL IDENTITY INVALID_SECRET :{text}"


async def test_identity_needs_its_capability_and_comes_before_all_else(house: House) -> None:
    alice = await irc_peer(house, "alice")
    assert await alice.news(f"IDENTITY {SECRET}") == [
        ":chat.local 421 alice IDENTITY :Unknown command"
    ]
    assert (await alice.news("CAP REQ trio-chat/identity", f"IDENTITY {SECRET}"))[-1] == (
        ":chat.local FAIL IDENTITY ALREADY_REGISTERED :You are already registered"
    )


# ── a store that is full ───────────────────────────────────────────────────────────────────────

FULL = "There is no space left."


class Full(MemoryLog):
    """Keeps nothing any more once ``full`` is set."""

    full = False

    def __init__(self) -> None:
        super().__init__(per_room=1000, total_bytes=1_000_000, rooms=100)

    async def append(self, room: str, events: Sequence[Event], **how: Any) -> Sequence[Entry]:
        kept = (is_persistent(e) and not elsewhere(e) for e in events)
        self._refuse_if_full(any(kept) or any(map(must_be_noted, events)))
        return await super().append(room, events, **how)

    async def save(self, room: str, id: str, state: RoomState) -> None:
        self._refuse_if_full()
        await super().save(room, id, state)

    def _refuse_if_full(self, concerned: bool = True) -> None:
        if self.full and concerned:
            raise Unavailable(FULL)


@pytest.fixture
def store() -> Full:
    return Full()


@pytest.fixture
async def shop(store: Full) -> AsyncIterator[House]:
    async with running(settings(), store) as running_house:
        yield running_house


MARK = "MARKREAD #lobby timestamp=2020-01-01T00:00:00.000Z"
UNKEPT = [
    ("PRIVMSG #lobby :x", f"FAIL PRIVMSG TEMPORARILY_UNAVAILABLE #lobby :{FULL}"),
    ("NOTICE #lobby :x", f"FAIL NOTICE TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("PRIVMSG bob :x", f"FAIL PRIVMSG TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("TOPIC #lobby :x", f"FAIL TOPIC TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("MODE #lobby +s", f"FAIL MODE TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("KICK #lobby bob", f"FAIL KICK TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("PART #lobby", f"FAIL PART TEMPORARILY_UNAVAILABLE :{FULL}"),
    (MARK, "FAIL MARKREAD INTERNAL_ERROR #lobby :The read timestamp could not be set"),
    ("JOIN #new", f"FAIL JOIN TEMPORARILY_UNAVAILABLE :{FULL}"),
    ("JOIN #known", f"FAIL JOIN TEMPORARILY_UNAVAILABLE :{FULL}"),
]


@pytest.mark.parametrize(("line", "answer"), UNKEPT, ids=[line for line, _ in UNKEPT])
async def test_what_cannot_be_kept_is_refused_and_shown_to_nobody(
    shop: House, store: Full, line: str, answer: str
) -> None:
    bob = await irc_peer(shop, "bob", rooms="#known")
    alice = await irc_peer(
        shop, "alice", "standard-replies", "draft/read-marker", secret="alice" * 4
    )
    await lead(shop, "alice")
    await bob.news("JOIN #lobby")
    await alice.news()
    store.full = True
    assert await alice.news(line) == [f":chat.local {answer}"]
    assert await bob.news() == []
    store.full = False
    assert f"{answer}" not in "".join(await alice.news(line))


async def test_clients_of_others_know_the_numeric(shop: House, store: Full) -> None:
    bob = await irc_peer(shop, "bob", "standard-replies", rooms="#known")
    store.full = True
    assert await bob.news("PRIVMSG #known :x") == [f":chat.local 404 bob #known :{FULL}"]


async def test_people_come_and_go_though_nothing_can_be_kept(shop: House, store: Full) -> None:
    """What they do for themselves is not stored; and nicknames are free again."""
    alice = await irc_peer(shop, "alice", "standard-replies")
    store.full = True
    carol = await shop.connect()
    await carol.send(b"carol\nhello\n")
    assert f"*** {FULL}\n" in await carol.until("You are not in any room.\n")
    await carol.send(b"/quit\n")
    await carol.rest()
    await alice.say("QUIT")
    await alice.rest()
    store.full = False
    await irc_peer(shop, "alice")
    await shop.connect("carol")


async def test_plain_people_are_told_in_a_sentence(shop: House, store: Full) -> None:
    carol = await shop.connect("carol")
    store.full = True
    await carol.send(b"hello\n")
    assert await carol.until("\n") == f"*** {FULL}\n"
