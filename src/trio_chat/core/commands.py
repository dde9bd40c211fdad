"""What somebody asks. Who asks is not in here: the connection knows, and says it beside."""

from trio_chat.core.events import NOWHERE, Change, Origin
from trio_chat.core.fact import fact


@fact
class Enter:
    """Let me in under this nickname, or, if it cannot be and ``near`` is set, under a like one.

    With a ``secret`` I am whoever came with it before.
    """

    nick: str
    near: bool = False
    origin: Origin = NOWHERE
    password: str = ""
    secret: str = ""


@fact
class Say:
    """Text to a room; what the fields mean is told at ``events.Said``.

    ``token`` is an id that the sender has given it: if it is sent again, it is the same message.
    """

    room: str
    text: str
    action: bool = False
    notice: bool = False
    status: str = ""
    tags: str = ""
    token: str = ""
    seams: tuple[int, ...] = ()


@fact
class Tell:
    """Text to one person."""

    nick: str
    text: str
    action: bool = False
    notice: bool = False
    tags: str = ""
    token: str = ""
    seams: tuple[int, ...] = ()


@fact
class Signal:
    """Tags without a text, to a room, or to one person if ``room`` is empty."""

    tags: str
    room: str = ""
    nick: str = ""
    status: str = ""


@fact
class Join:
    room: str
    key: str = ""


@fact
class Leave:
    room: str
    why: str = ""


@fact
class Kick:
    room: str
    nick: str
    why: str = ""


@fact
class Invite:
    room: str
    nick: str


@fact
class Rename:
    nick: str


@fact
class SetTopic:
    """A room's topic; an empty text removes it."""

    room: str
    text: str


@fact
class SetModes:
    """Changes that name a member do so by nickname, in ``argument``."""

    room: str
    changes: tuple[Change, ...]


@fact
class SetUserModes:
    changes: tuple[Change, ...]


@fact
class SetAway:
    """An empty text means that I am back."""

    text: str


@fact
class SetName:
    name: str


@fact
class Announce:
    """Text to all operators, and to whoever wants to hear such."""

    text: str


@fact
class Quit:
    """Goodbye. ``why`` is what the one who leaves is told, ``words`` what all others are."""

    why: str = "Goodbye!"
    words: str = ""


@fact
class Operate:
    """Make me an operator of this server."""

    name: str
    password: str


@fact
class Kill:
    """Cut somebody off. For operators."""

    nick: str
    why: str


@fact
class Reload:
    """Read the settings again. For operators."""


@fact
class Watch:
    """Tell me from now on when these nicknames come and go."""

    nicks: tuple[str, ...]


@fact
class Unwatch:
    nicks: tuple[str, ...]


@fact
class ListMembers:
    room: str


@fact
class ListRooms:
    """Those that may be seen; only these, if any are named."""

    rooms: tuple[str, ...] = ()


@fact
class ShowTopic:
    room: str


@fact
class ShowModes:
    room: str


@fact
class ShowMasks:
    """One of a room's lists, by its mode."""

    room: str
    mode: str


@fact
class FindPeople:
    """By nickname; or those in a room; or by a mask that may have wildcards."""

    of: str


@fact
class FindNicks:
    """Those of these nicknames that are here."""

    nicks: tuple[str, ...]


@fact
class FindPast:
    """People who had this nickname and do not have it now."""

    nick: str


@fact
class ShowInvitations:
    """The rooms that I have been invited to, and have not entered since."""


@fact
class Count:
    pass


#: A place among entries: an id, or a moment (unix milliseconds), or nowhere if it is empty.
Bound = str | int


@fact
class Span:
    """What is between two bounds, both exclusive: the last of it, or the ``first``; or what is next
    to one of them, on both sides, and that itself. Where one is missing, there is no end.

    If it is not known which of two bounds comes first, the order is ``either``.
    """

    after: Bound = ""
    before: Bound = ""
    first: bool = False
    around: Bound = ""
    either: bool = False


@fact
class Recall:
    """What happened before, in a room, or between somebody and me: ``target`` names them.

    At the most ``limit`` of it; with ``events`` also what was not said, such as who came and went.
    """

    target: str
    span: Span
    limit: int
    events: bool = False


@fact
class ListTalks:
    """My rooms, and the people I have talked with, where the last was said between two moments
    (unix milliseconds, both exclusive), by that: the last ones, or the ``first``.
    """

    after: int
    before: int
    limit: int
    first: bool = False


@fact
class Seek:
    """What was said with all of these ``words`` in it, by ``nick`` if that is given, in ``target``
    or else wherever I may read; the last ``limit`` of it.
    """

    words: str
    limit: int
    target: str = ""
    nick: str = ""
    span: Span = Span()


@fact
class MarkRead:
    """I have read what was said there up to this moment, in unix milliseconds."""

    target: str
    at: int


@fact
class ShowMark:
    target: str


#: What Chat.decide makes an event of, or refuses.
Request = (
    Say | Tell | Signal | Join | Leave | Kick | Invite | Rename | SetTopic | SetModes
    | SetUserModes | SetAway | SetName | Announce
)  # fmt: skip
#: What Chat.answer answers.
Query = (
    ListMembers | ListRooms | ShowTopic | ShowModes | ShowMasks | FindPeople | FindNicks | FindPast
    | ShowInvitations | Count
)  # fmt: skip
#: What is looked up in the log.
LookUp = Recall | ListTalks | Seek | MarkRead | ShowMark
Command = Enter | Quit | Operate | Kill | Reload | Watch | Unwatch | Request | Query | LookUp
