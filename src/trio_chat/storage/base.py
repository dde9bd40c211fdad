"""The Log: the interface of a store. One contract suite tests every implementation.

What is kept is what somebody may miss tomorrow (``core.events.is_persistent``); all other events
only get their place. Ids and times are two things. Ids give a log its order, live and in history,
and rise whatever the clock does. Times are what the clock said. A question about a moment is
answered by times: everything between the moments and nothing else, and in the order of times where
a page is taken out of it, so that paging by moments shows everything once.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol

import trio

from trio_chat.core.checkpoint import Checkpoint
from trio_chat.core.events import NOWHERE, Entry, Event, Origin, is_promised
from trio_chat.core.names import fold
from trio_chat.core.queries import ALL, Bound, Span
from trio_chat.core.realm import RealmState
from trio_chat.core.room_state import RoomState
from trio_chat.errors import BoxFull
from trio_chat.storage.ids import pack, unpack
from trio_chat.storage.tail import Intake, Tail

#: An id before all others.
START = "0"

#: Moments before and after all moments of entries (unix milliseconds).
NEVER, ENDLESS = -1, 1 << 62

#: Messages of each room that stay, whoever needs their space: a screenful.
FLOOR = 50

#: For so many days what operators do in a room stays, the last so many events, however short or
#: small history is to be. But not topics, which anybody may set, or the space would be anybody's.
AUDIT_DAYS, AUDIT_MAX = 90, 2_000

#: Read markers that are kept.
MARKS = 100_000

#: Messages that wait for an account until its owner has got them: of one sender, and in all.
WAITING_EACH, WAITING_MAX = 50, 1_000


@dataclass(frozen=True, slots=True)
class Search:
    """A search for all ``words`` in what was said in ``rooms`` (logs), perhaps by ``nick``.

    If ``words`` are blank, it is for all that ``nick`` said; for nothing, if that is empty as well.
    ``after`` and ``before`` are ids or moments, both exclusive.
    """

    words: str
    rooms: Sequence[str]
    nick: str = ""
    after: Bound = ""
    before: Bound = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens an account (by folded name), and is in no event; an empty verifier is none: the
    account is no more, and nothing waits for it.

    If the account is ``new``, nobody may have opened it before.
    """

    account: str
    verifier: str = field(repr=False)
    new: bool = False


@dataclass(frozen=True, slots=True)
class Move:
    """Another name for a log, and the state of its room from then on, but for its barrier.

    ``expect`` is for ``to`` as it is for the log itself in ``Log.append``.
    """

    to: str
    state: RoomState
    expect: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a store is, as far as it knows without looking.

    It takes so many ``bytes``, so many entries are ``unindexed``, and so many places for appends
    are ``free``. It ``is_failing`` if something could not be done because of its file, and nothing
    has been written since. ``waited`` is for how many seconds it has finished nothing that it was
    asked for.
    """

    bytes: int
    free: int
    unindexed: int = 0
    is_failing: bool = False
    waited: float = 0.0


@dataclass(frozen=True, slots=True)
class Node:
    """A node that lives: its ``name`` for people, since when it takes part and when it last said so
    (unix milliseconds, by the engine's clock), and the id up to which it had seen all then.
    """

    id: str
    name: str
    since: int
    beat: int
    seen: str


class Membership(Protocol):
    """The part that a node takes in a chat of several nodes.

    ``gone`` gives the ids of nodes that are gone, and which this one has to clear up. ``lost`` is
    set once this one takes part no more, and must start anew. The tail begins after the entry
    ``begin``, and ``end`` is the last one that there was when this node came: until it has applied
    that, its state is one of the past.
    """

    gone: trio.MemoryReceiveChannel[str]
    lost: trio.Event
    begin: str
    end: str

    @property
    def why(self) -> str:
        """Why this node takes part no more, in a sentence."""

    @property
    def nodes(self) -> Sequence[Node]:
        """The nodes that are alive, as far as this one knows; those that came first are first."""

    @property
    def names(self) -> Mapping[str, str]:
        """Their names by their ids, now and later."""

    @property
    def is_up(self) -> bool:
        """Whether the engine that they share has answered the last time."""

    @property
    def behind(self) -> int | None:
        """How many entries there are that this node has not taken yet; None while the engine does
        not answer.
        """

    @property
    def alive(self) -> Collection[str]:
        """The ids of the nodes that are alive, as far as this one knows."""

    async def checkpoint(self) -> Checkpoint | None:
        """The state after which the tail begins; None if nobody has been here before."""

    async def save(self, checkpoint: Checkpoint) -> None:
        """Keep a later state for nodes that start. Raises Unavailable."""

    async def cleared(self, node: str) -> None:
        """Note that the people of a node that was ``gone`` have gone. Raises Unavailable."""

    async def leave(self) -> None:
        """Take part no more, now that the people of this node have gone. Raises Unavailable."""


def next_to(id: str) -> str:
    """The lowest id after this one."""
    return unpack(pack(id) + 1)


def box_full(in_all: int, theirs: int) -> BoxFull | None:
    """The error if so many messages were to wait for an account, so many of them one sender's."""
    by_sender = theirs > WAITING_EACH
    return BoxFull(by_sender=by_sender) if by_sender or in_all > WAITING_MAX else None


def sender_of(event: Event) -> str:
    """Whom a message that waits is charged to: an account, or the source that a guest comes from,
    or they would only have to come again to say more. What is said to somebody who is here counts
    by itself, or it would take the places of what waits as its sender was told.
    """
    origin: Origin = getattr(event, "origin", NOWHERE)
    sender = f"={fold(origin.account)}" if origin.account else origin.host
    return sender if is_promised(event) else f"+{sender}"


def is_as_new(state: RoomState) -> bool:
    """Whether nothing was ever changed in a room, and nobody known has a status there."""
    plain = replace(state, created=0, flags=frozenset(), barrier="", left={})
    return plain == RoomState(state.name)


class Log(Protocol):
    """One ordered log per room; rooms are named by their folded names.

    Ids compare as strings and rise strictly, whatever the clock does: all logs share one order.
    ``Entry.at`` is the moment of an event, by the clock, and may go back.

    Every method that writes raises Unavailable if the store cannot keep it; then it is not shown.
    ``node`` names this run of the server, and no other: the ids of its connections, and so of the
    people who come by them, begin with it.
    """

    node: str
    _intake: Intake

    #: None if this is a chat of one node.
    membership: Membership | None = None

    @property
    def too_old(self) -> str:
        """The id up to which everything is older than what is kept, and is shown to nobody."""

    @property
    def newest(self) -> str:
        """The id of the last entry of all logs, which need not have been kept; or a later one."""

    async def append(
        self,
        room: str,
        events: Sequence[Event],
        *,
        expect: str = "",
        barrier: bool = False,
        secret: Secret | None = None,
        redact: str = "",
        move: Move | None = None,
        by: str = "",
    ) -> Sequence[Entry]:
        """Give the events their places, one after the other, and return their entries.

        An event with a token that the log has already is not appended: the entry that has the token
        is returned instead.

        ``expect`` is the id up to which the room's barriers are known to whoever judged the events:
        if there is a later one, nothing is appended and Conflict is raised. With ``barrier`` all of
        the events are barriers, and the last one becomes the room's. All of the events are appended
        or none; if the call is cancelled, it may have been either.

        ``by`` is that of the entries.

        Where accounts are (``places``) changes together with the events. So do read markers, by
        ReadUpTo: they never go back, except from one that a clock which was ahead had put into the
        future, and the entry has the latest moment. Beyond MARKS some are forgotten of the source
        that has most: those of its readers who have many, the longest unchanged first. And by Got
        messages wait no more. These two are never shown without being stored.

        A ``secret`` is kept together with the events, or none of it is. What goes into the log of
        accounts is never shown without being stored, and is kept for ever.

        With a ``move`` the log has another name from then on, and so have its read markers and the
        places of accounts; whoever
        appends by a judgement from before meets Conflict, by whichever name. If something that was
        said or changed has that name, Taken is raised. It is done lastingly, or Unavailable.

        Together with the events, the words of the message or topic with the id ``redact`` go: from
        then on nothing that reads the log finds it, and soon its bytes are gone as well. If it is
        sent again, it is still known by its token. If it is not there, Gone is raised, and nothing
        is appended.

        A message to an account (``events.waits_for``) waits from then on. Beyond WAITING_EACH of a
        sender, and WAITING_MAX in all, it is not appended, and BoxFull raised, if its owner is not
        here (``events.is_promised``). If they are, it takes the place of its sender's oldest of
        that kind, and does not wait where others have taken all places.
        """

    async def waiting(self, account: str) -> Sequence[Entry]:
        """The messages that wait for an account (by folded name), oldest first.

        They do until they are known to have been got, redacted, or gone from the log.
        """

    async def find(self, room: str, id: str, *, topics: bool = False) -> Entry | None:
        """The message with this id in a log, or with ``topics`` also the topic, whoever may see it;
        None if it is not there.
        """

    async def whereabouts(self, ids: Sequence[str]) -> Mapping[str, str]:
        """The logs, by the names they have now, that hold the messages with these ids. Those that
        are not there any more are left out; redacted ones may be.
        """

    async def history(
        self, room: str, span: Span = ALL, *, limit: int = 100, said: bool = False
    ) -> Sequence[Entry]:
        """The last ``limit`` entries between the bounds of a span, or its first; oldest first.

        They are those that all of the room's members have seen, or with ``said`` only messages. The
        order is that of ids. But if one of the bounds is a moment (unix milliseconds), it is that
        of times, and of ids where times are equal; an id then stands for its place in that order.
        """

    async def barriers(self, room: str, *, after: str) -> Sequence[Entry]:
        """All entries after an id that were appended as barriers, oldest first."""

    async def audit(self, room: str, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        """The last ``limit`` barriers before an id, oldest first; but no comings and goings.

        Where history outlives the server, they stay as AUDIT_DAYS has it, and in the log of
        accounts for ever.
        """

    async def audit_all(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        """The same of all logs together."""

    async def reports(self, *, before: str = "", limit: int = 100) -> Sequence[Entry]:
        """The last ``limit`` reports of messages before an id, oldest first."""

    async def talks(self, identity: str) -> Sequence[Entry]:
        """The last message of each conversation of this identity."""

    async def search(self, search: Search) -> Sequence[Entry]:
        """The last ``limit`` entries that a search finds, oldest first."""

    async def snapshot(self, room: str) -> tuple[str, RoomState | None]:
        """A room's saved state, and the id up to which it holds; (START, None) without one."""

    async def save(self, room: str, id: str, state: RoomState) -> None:
        """Keep the state of a room as it is after the entry ``id``."""

    async def close(self, room: str, id: str, state: RoomState) -> None:
        """Do as ``save`` does, for a room that nobody is in any more.

        If nothing was ever said or changed there, nothing of it is kept.
        """

    async def places(self, account: str) -> Sequence[str]:
        """The names of the rooms where an account (by folded name) is, whether its owner is here or
        not; the last that it has entered comes last.
        """

    async def secret(self, account: str) -> str:
        """The verifier that opens an account; empty if none does."""

    async def realm(self) -> tuple[str, RealmState]:
        """The saved state of the realm, and the id up to which it holds; as ``snapshot``."""

    async def save_realm(self, id: str, state: RealmState) -> None:
        """Keep the state of the realm as it is after the entry ``id``."""

    async def knows(self, room: str) -> bool:
        """Whether something that was said or changed in a room is still there."""

    async def marked(self, reader: str, target: str) -> int:
        """The latest moment (unix milliseconds) up to which an identity has read a target, by its
        folded name; 0 if nothing was marked (``append``).
        """

    async def settled(self) -> None:
        """Wait until all that was asked of the store before has been done, or has failed."""

    @property
    def condition(self) -> Condition:
        """How the store is now."""

    def probe(self) -> None:
        """Let the store look after its file, or write something if it is failing, unless it is busy
        already; ``condition`` tells later what has come of it.
        """

    def tail(self) -> AbstractAsyncContextManager[Tail]:
        """Each entry of each log once, in order, in batches of bounded size.

        There is one reader. When it leaves the context, appends raise trio.BrokenResourceError.
        """
        return self._intake.tail()
