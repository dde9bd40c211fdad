"""Views, shown and not stored: answers, what newcomers see, and to whom something goes."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import field

from trio_chat.core.events import (
    NOWHERE,
    AccountSet,
    AwaySet,
    Entry,
    Event,
    Invited,
    Left,
    ModesSet,
    NameSet,
    Origin,
    RoomRenamed,
    Said,
    Signalled,
)
from trio_chat.core.fact import fact
from trio_chat.core.metadata import Values
from trio_chat.core.refusals import Code
from trio_chat.core.room_state import Mask


@fact
class UserView:
    """A person as somebody else may see them. Moments are in unix milliseconds.

    ``modes`` are their own, ``status`` the prefixes they have in the room in question, and
    ``rooms`` those that may be told, each with its prefixes before it. ``secure`` says that they
    came over TLS. Only operators of the server are told the real ``address``, and if the server is
    a node of several, the names of the ``nodes`` where their connections are; they, and the person,
    are told of the ``devices`` if there are several.
    """

    nick: str
    origin: Origin = NOWHERE
    user_id: str = ""
    away: str = ""
    modes: str = ""
    status: str = ""
    rooms: tuple[str, ...] = ()
    since: int = 0
    spoke: int = 0
    secure: bool = False
    address: str = ""
    devices: "tuple[DeviceView, ...]" = ()
    nodes: tuple[str, ...] = ()


@fact
class RoomWelcome:
    """A room as it is shown to a newcomer; made from the room's state, and not stored.

    ``others`` is how many were in it before, ``first`` whether the newcomer comes from nowhere and
    not from another room, ``recent`` what was said last, oldest first.
    """

    room: str
    nick: str
    others: int = 0
    first: bool = True
    topic: "Topic | None" = None
    recent: tuple[Entry, ...] = ()


@fact
class Copy:
    """An event told to somebody whom it would not reach otherwise.

    That is whoever did it, those who could have done it, or those who watch the person. Operators
    of a room have a copy of its bans, as IRC tells the room neither their end nor their reason.
    """

    of: "Said | Signalled | Left | Invited | AwaySet | NameSet | AccountSet | ModesSet"


@fact
class Presence:
    """Tells a watcher that a nickname has come (with its origin), or gone (without)."""

    watcher: str
    nick: str
    origin: Origin | None = None


@fact
class LoggedOut:
    """Tells connections that they are logged out by no doing of their own: they end."""

    nick: str
    origin: Origin


class Block:
    """Some members of a room, of whom the same is told as long as the block is.

    Dialects keep in ``written`` the lines that they have written of it, in each way they do.
    """

    __slots__ = ("_view", "written")

    def __init__(self, view: Callable[[], Sequence[UserView]]) -> None:
        self._view = view
        self.written: dict[Hashable, Sequence[str]] = {}

    @property
    def people(self) -> Sequence[UserView]:
        """The members, seen when they are asked for."""
        return self._view()


@fact
class Members:
    """The answer to ListMembers, in the order of joining; ``secret`` if the room is.

    If ``more`` it is empty, and the answer itself follows.
    """

    room: str
    blocks: tuple[Block, ...] = ()
    secret: bool = False
    more: bool = False

    @property
    def people(self) -> Sequence[UserView]:
        """All of them."""
        return [seen for block in self.blocks for seen in block.people]


@fact
class RoomView:
    """A room in a list. Moments are in unix milliseconds; 0 is never."""

    name: str
    members: int
    topic: str = ""
    topic_at: int = 0
    created: int = 0


@fact
class Rooms:
    """The answer to ListRooms, the fullest first, or a part of it if ``more`` follow."""

    rooms: tuple[RoomView, ...]
    more: bool = False


@fact
class Topic:
    """The answer to ShowTopic; ``by`` and ``at`` (unix milliseconds) say who set it and when."""

    room: str
    text: str
    by: str = ""
    at: int = 0


@fact
class Modes:
    """The answer to ShowModes: letters, and the arguments of those that have one."""

    room: str
    letters: str
    arguments: tuple[str, ...]
    created: int


@fact
class Masks:
    """The answer to ShowMasks: one of a room's lists, named by its mode.

    A client is also told the server's bans like this, without a ``room``.
    """

    room: str
    mode: str
    masks: tuple[Mask, ...]


@fact
class Ban:
    """A ban of the server; moments are in unix milliseconds, ``until`` is 0 if it is for good.

    Its ``kind`` says what ``value`` is: an ``account``, a ``network`` or a ``mask``. Those whom it
    fits may not come in, or, if it only is a ``mute``, not speak. It is known by its ``number``.
    ``whom`` is the nickname by which the operator has named somebody, if that is not the value.
    It was set ``by`` a nickname, whose ``account`` that was, if any, or user of the system.
    """

    number: int
    kind: str
    value: str
    mute: bool = False
    until: int = 0
    why: str = ""
    by: str = ""
    at: int = 0
    whom: str = ""
    account: str = ""


@fact
class Lock:
    """The lock of the chat: guests may neither come in nor speak, and nobody may register.

    ``until`` (unix milliseconds) is 0 if it is not known when it ends.
    """

    until: int = 0
    why: str = ""
    by: str = ""
    at: int = 0


@fact
class BanEffect:
    """The answer to SetBan: it hits so many of the ``others`` here, and lasts so many seconds; for
    ever, if that is 0.

    ``replaced`` is the number of the ban whose place it takes, 0 if there is none. One that
    ``is_wide`` may be a mistake: it fits most people here, or the operator who has set it. With
    ``shuts_out`` that operator cannot come back from where they are. With ``as_guests`` those whom
    it hits can come back as guests, from these ``networks`` as far as they can be banned. If the
    one who was named ``has_gone``, it is about where they came from.
    """

    ban: Ban
    hit: int
    others: int
    seconds: int = 0
    replaced: int = 0
    is_wide: bool = False
    shuts_out: bool = False
    as_guests: bool = False
    networks: tuple[str, ...] = ()
    has_gone: bool = False


@fact
class LockEffect:
    """The answer to LockChat: it mutes so many of the ``others`` here, and lasts so many seconds;
    until UnlockChat, if that is 0.
    """

    seconds: int
    muted: int
    others: int


@fact
class Bans:
    """The answer to ListBans, by number, or a part of it if ``more`` follow.

    Of all bans, or of those that are about ``whom``.
    """

    bans: tuple[Ban, ...]
    more: bool = False
    whom: str = ""


@fact
class People:
    """The answer to FindPeople, FindNicks and FindPast, or a part of it if ``more`` follow.

    ``of`` is what was searched for, if one.
    """

    of: str
    people: tuple[UserView, ...]
    more: bool = False


@fact
class Counts:
    """The answer to Count."""

    people: int
    invisible: int
    operators: int
    rooms: int
    most: int


@fact
class Invitations:
    """The answer to ShowInvitations."""

    rooms: tuple[str, ...]


@fact
class AccountView:
    """The answer to ShowAccount; ``made`` is in unix milliseconds.

    Only its owner is told of the ``keys``: each label, and when it was made. ``operator`` says that
    the owner is an operator of the server.
    """

    name: str
    made: int
    keys: tuple[tuple[str, int], ...] | None = None
    operator: bool = False


@fact
class Blocks:
    """The answer to ListBlocks: the names of accounts."""

    names: tuple[str, ...]


@fact
class DeviceView:
    """A connection of somebody's, as they and operators of the server are told of it.

    ``number`` names it, ``label`` is that of the key that it has shown, if any; ``by_password``
    whether the password has logged it in (None if nobody is logged in), and ``client`` in words
    what is at its other end. It came at ``since`` (unix milliseconds), and is ``here`` if it is
    asked from it. Only operators of the server are told its ``node``, if there are several.
    """

    number: str
    label: str = ""
    by_password: bool | None = True
    client: str = ""
    address: str = ""
    secure: bool = False
    since: int = 0
    here: bool = False
    node: str = ""


@fact
class Devices:
    """The answer to ListDevices, in the order in which they came."""

    devices: tuple[DeviceView, ...]


@fact
class RoomMoved:
    """A room that has another name now, for one of its members; made from its state, not stored.

    ``nick`` and ``origin`` are the member's.
    """

    event: RoomRenamed
    nick: str
    origin: Origin
    topic: "Topic | None"
    members: Members


@fact
class Metadata:
    """Metadata of a room or a person, as it is or has just become; an empty value is none.

    The answer to ShowMetadata, SetMetadata and ClearMetadata. It is ``whole`` for somebody who has
    just come, and is told all that is their own.
    """

    target: str
    values: Values
    whole: bool = False


@fact
class AllMetadata:
    """The answer to SyncMetadata: of whoever has some; a part of it if ``more`` follow."""

    of: tuple[Metadata, ...]
    more: bool = False


@fact
class SyncLater:
    """The answer to SyncMetadata where that may be much: the rooms that can be asked for."""

    rooms: tuple[str, ...]


@fact
class NewKey:
    """The answer to MakeKey and ResetAccount: the secret, which nobody can be told again.

    It is for the owner of the account ``label``, if that was ``reset``.
    """

    label: str
    secret: str = field(repr=False)
    reset: bool = False


@fact
class Challenge:
    """The answer to Prove: the server's next message."""

    message: bytes


@fact
class AwayReply:
    """The answer to a message or an invitation for somebody who is away."""

    nick: str
    text: str


@fact
class Unheard:
    """Whoever writes to somebody has blocked them, and will not be shown the answer."""

    nick: str


@fact
class Refused:
    """A refusal: ``why``, in a sentence, its ``code``, and what it is ``about``."""

    why: str
    code: Code = Code.OTHER
    about: tuple[str, ...] = ()


@fact
class AnotherNick:
    """Tells somebody who was let in that they are called ``nick``, as they could not be called what
    they wanted.
    """

    nick: str
    refused: Refused


@fact
class Notice:
    """A sentence of the server's own for one person.

    A client may know which ``room``, or conversation, it is about, and whether it is a ``refusal``
    of something that was wanted, or ``urgent``: that person has to look at something.
    """

    text: str
    room: str = ""
    refusal: bool = field(default=False, compare=False)
    urgent: bool = field(default=False, compare=False)


@fact
class RoomBanEffect(Notice):
    """The answer to SetRoomBan, if there is more to tell than whom it names.

    It fits so many (``hit``) of the ``others`` in the room. Those are removed, unless it only
    mutes, or is taken for a mistake: then they are ``spared``, and may not speak.
    """

    hit: int = 0
    others: int = 0
    spared: bool = False


@fact
class NewInvitation(Notice):
    """The answer to MakeInvitation: a ``link``, or a token where there is none, for so many people
    (``uses``), and so many ``days``.
    """

    link: str = ""
    uses: int = 1
    days: int = 1


@fact
class UsedInvitation:
    """An invitation that was used, or ``revoked``: how often, of how many times; by which accounts,
    as far as they are known; and until when it could be (unix milliseconds).
    """

    text: str
    id: str
    used: int
    uses: int
    users: tuple[str, ...]
    operator: bool
    revoked: bool
    until: int


@fact
class UsedInvitations(Notice):
    """The answer to ListInvitations."""

    invitations: tuple[UsedInvitation, ...] = ()


@fact
class Reloaded(Notice):
    """The answer to Reload: the names of changed settings that need a ``restart``."""

    restart: tuple[str, ...] = ()


@fact
class LogLevel(Notice):
    """The answer to SetLogLevel: which ``level`` it is, and ``was`` before."""

    level: str = ""
    was: str = ""


@fact
class NodeView:
    """A server of a chat of several: its id and its ``name``, since when it takes part, when it was
    last heard from (unix milliseconds), and how many people and connections are there. It may be
    the one that was asked (``is_this``).
    """

    id: str
    name: str
    since: int
    heard: int
    people: int
    connections: int
    is_this: bool = False


@fact
class Nodes:
    """The answer to ListNodes at a moment (``now``): the servers that are one chat, whether the
    engine that they share answers, and if so by how many events the one that was asked is
    ``behind``.
    """

    now: int
    nodes: tuple[NodeView, ...]
    is_up: bool
    behind: int | None


@fact
class Stats:
    """The answer to ShowStats: how the server is ``now``, and what has happened since it ``began``
    (unix milliseconds).

    Its ``state`` is ``ok``, or in a word why nobody should be sent to it. ``connections`` are by
    protocol. Bytes are ``waiting`` for those who read slowly, and so many messages were ``said`` in
    rooms and in private; requests and connections were ``refused``, by code, most often first. It
    takes ``memory`` (bytes; 0 if that is not known), and its history ``stored``, which is
    ``failing`` if it could not be written the last time. Its loop was ``late`` by so many seconds
    when it looked last. Only people with an account may come in while it is ``locked``. ``node`` is
    its name, if it is one of several.
    """

    version: str
    began: int
    now: int
    state: str
    locked: bool
    people: int
    rooms: int
    connections: tuple[tuple[str, int], ...]
    said: tuple[int, int]
    refused: tuple[tuple[str, int], ...]
    waiting: int
    memory: int
    stored: int
    failing: bool
    late: float
    level: str
    node: str = ""


@fact
class Draining(Notice):
    """The answer to Drain: it takes so many ``seconds``, unless all ``connections`` end before."""

    seconds: int = 0
    connections: int = 0


@fact
class ConnectionView:
    """A connection, as operators of the server are told of it. ``number`` is that in the log, and
    ``nick`` empty before somebody is let in. It is there ``since`` (unix milliseconds), and was
    last ``heard`` so many seconds ago; so many bytes are ``waiting`` for its peer. ``node`` is the
    name of the server among several that are one chat.
    """

    number: int
    nick: str
    address: str
    protocol: str
    secure: bool
    since: int
    heard: float
    waiting: int
    node: str = ""


@fact
class Connections:
    """The answer to ListConnections: those of the server that was asked, the oldest first, or a
    part of them if ``more`` follow.
    """

    connections: tuple[ConnectionView, ...]
    more: bool = False


@fact
class Offer:
    """The offer to register, made to a guest whom an invitation has let in, in the ``room`` where
    they look. With one for operators, their account becomes an ``operator`` of the server.
    """

    operator: bool = False
    room: str = ""


@fact
class Repeated:
    """The answer to a text that was sent again: the entry that the first one became."""

    entry: Entry


@fact
class Recalled:
    """The answer to Recall, oldest first; ``target`` as it is called there."""

    target: str
    entries: tuple[Entry, ...]


@fact
class Missed:
    """What others have said to somebody who was not here, oldest first; it is shown to them once.
    ``nick`` is what they are called now.
    """

    nick: str
    entries: tuple[Entry, ...]


@fact
class Talks:
    """The answer to ListTalks: names, and when something was last said (unix milliseconds)."""

    talks: tuple[tuple[str, int], ...]


@fact
class Found:
    """The answer to Seek, oldest first."""

    entries: tuple[Entry, ...]


@fact
class Mentions:
    """The answer to ListMentions, oldest first."""

    entries: tuple[Entry, ...]


@fact
class Audited:
    """The answer to Audit, oldest first.

    Where there was too much to look through, ``since`` is the moment back to which all rooms were
    (unix milliseconds); else 0.
    """

    entries: tuple[Entry, ...]
    since: int = 0


@fact
class Reports:
    """The answer to ListReports, oldest first: each with its message, if that is still there."""

    reports: tuple[tuple[Entry, Entry | None], ...]


@fact
class Marked:
    """The answer to MarkRead and ShowMark: up to when they have read; 0 if nothing is known."""

    target: str
    at: int


Answer = (
    Members | Rooms | Topic | Modes | Masks | Bans | People | Counts | Invitations | AccountView
    | Devices | Blocks
    | Metadata | AllMetadata | SyncLater | NewKey | Challenge | AwayReply
    | Unheard | BanEffect | LockEffect
    | Refused | AnotherNick | Notice | Offer | Repeated | Recalled | Missed | Talks | Found
    | Mentions | Audited
    | Reports | Marked | Connections | Nodes | Stats
)  # fmt: skip
Shown = Event | RoomWelcome | RoomMoved | Copy | Presence | LoggedOut | Answer


@fact
class Delivery:
    """Something to show, once, to everybody in ``rooms`` (folded), to ``people`` (ids), on all of
    their connections, and on some ``devices`` alone (ids).

    ``by`` is the id of the person who made it happen, and who may be shown it in another way on the
    connection by which they did.
    """

    shown: Shown
    rooms: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    by: str = ""
