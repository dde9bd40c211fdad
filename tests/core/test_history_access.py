"""Who may read what was said before."""

import pytest

from ring import Ring
from trio_chat.core.commands import DirectMessage, Rename
from trio_chat.core.events import Entry
from trio_chat.core.history_access import Source, partner, source
from trio_chat.core.names import private_room
from trio_chat.core.refusals import Code
from trio_chat.core.views import Refused


@pytest.fixture
def ring() -> Ring:
    """Alice and bob have talked; each is known by an identity."""
    ring = Ring()
    ring.enter("alice", "#Den", identity="~a")
    ring.enter("bob", identity="~b")
    ring.enter("eve", "#hall")
    ring.ask("id-alice", DirectMessage("bob", "hi"))
    return ring


def last(ring: Ring) -> list[Entry]:
    """Of each conversation the last."""
    return [entry for entry in ring.entries if "," in entry.room]


TALK = Source(private_room("~a", "~b"), "bob")

TARGETS = [
    ("alice", "#den", Source("#den", "#Den")),
    ("alice", "#DEN", Source("#den", "#Den")),
    ("alice", "BOB", TALK),
    ("alice", "eve", Source(private_room("~a", "id-eve"), "eve")),
    ("alice", "alice", Source(private_room("~a", "~a"), "alice")),
    ("bob", "alice", TALK._replace(name="alice")),
    ("alice", "#hall", Code.UNREADABLE),
    ("alice", "#nowhere", Code.UNREADABLE),
    ("alice", "nobody", Code.UNREADABLE),
    ("alice", private_room("~a", "~b"), Code.UNREADABLE),
    ("eve", private_room("~a", "~b"), Code.UNREADABLE),
    ("bob", "", Code.NO_SUCH_ROOM),
]


@pytest.mark.parametrize(("nick", "target", "found"), TARGETS)
def test_what_somebody_means_by_a_name(
    ring: Ring, nick: str, target: str, found: Source | Code
) -> None:
    answer = source(ring.chat, ring.person(nick), target, last(ring))
    assert (answer.code if isinstance(answer, Refused) else answer) == found


def test_a_room_is_read_as_long_as_one_is_in_it(ring: Ring) -> None:
    ring.put("eve", "#den")
    assert source(ring.chat, ring.person("eve"), "#den") == Source("#den", "#Den")
    ring.depart("alice")
    assert source(ring.chat, ring.person("eve"), "#den") == Source("#den", "#Den")


@pytest.mark.parametrize("nick", ["alice", "bob"])
def test_who_has_gone_is_found_by_the_nickname_they_had(ring: Ring, nick: str) -> None:
    other = "bob" if nick == "alice" else "alice"
    ring.depart(other)
    assert source(ring.chat, ring.person(nick), other, last(ring)) == TALK._replace(name=other)
    assert partner(ring.chat, ring.person(nick), last(ring)[0]) == other


@pytest.mark.parametrize("nick", ["alice", "bob"])
def test_and_so_is_who_comes_again_on_another_connection(ring: Ring, nick: str) -> None:
    """Nothing tells of an old message who on earth has said it, but the nickname."""
    other = "bob" if nick == "alice" else "alice"
    ring.depart("alice")
    ring.depart("bob")
    ring.enter("x", identity=f"~{nick[0]}")
    ring.ask("id-x", Rename(nick))
    assert source(ring.chat, ring.person("x"), other, last(ring)) == TALK._replace(name=other)


def test_a_nickname_means_who_has_it_now(ring: Ring) -> None:
    ring.ask("id-bob", Rename("rob"))
    assert partner(ring.chat, ring.person("alice"), last(ring)[0]) == "rob"
    ring.enter("bob2")
    ring.ask("id-bob2", Rename("bob"))
    found = source(ring.chat, ring.person("alice"), "bob", last(ring))
    assert found == Source(private_room("~a", "id-bob2"), "bob")
