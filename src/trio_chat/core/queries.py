"""The queries, which ask about the state, and the look-ups, which ask about the log."""

from trio_chat.core.fact import fact

AUDITED_MAX = 500  # entries of an audit


@fact
class ListMembers:
    """List the members of a room."""

    room: str


@fact
class ListRooms:
    """List the rooms that I may see; only these, if any are named."""

    rooms: tuple[str, ...] = ()


@fact
class ShowTopic:
    """Show a room's topic."""

    room: str


@fact
class ShowModes:
    """Show a room's modes."""

    room: str


@fact
class ShowMasks:
    """Show one of a room's lists, named by its mode."""

    room: str
    mode: str


@fact
class FindPeople:
    """Find people by nickname, by room, or by a mask that may have wildcards; for operators of the
    server also by a network, and by masks of where they really come from.

    They are shown in that room, or in the first of theirs that I may know of; with ``rooms``, in
    all of these.
    """

    of: str
    rooms: bool = False


@fact
class FindNicks:
    """Find the people who have these nicknames now; with ``rooms``, also where they are."""

    nicks: tuple[str, ...]
    rooms: bool = False


@fact
class FindPast:
    """Find people who had this nickname and do not have it now."""

    nick: str


@fact
class ShowInvitations:
    """Show the rooms that I have been invited to and have not entered since."""


@fact
class ShowAccount:
    """Show an account: that of this name, or mine if it is empty."""

    name: str = ""


@fact
class ListBlocks:
    """List the accounts that I have blocked."""


@fact
class ShowPreferences:
    """Show what I have chosen for my account."""


@fact
class ListDevices:
    """List my connections; I ask ``via`` this one of them, or my first."""

    via: str = ""


@fact
class ShowMetadata:
    """Show the metadata of a room, of somebody, or mine if neither is named."""

    room: str = ""
    nick: str = ""


@fact
class SyncMetadata:
    """Show what a room and its members have under these keys; with ``soon``, not of a large one.

    Without a room, say only in which of mine there may be some.
    """

    room: str
    keys: tuple[str, ...]
    soon: bool = False


@fact
class ListBans:
    """List the bans of the server; those that are about ``whom``, if anybody is named, who may be a
    person, a network, an account or a mask. For operators of the server.
    """

    whom: str = ""


@fact
class Count:
    """Count the people and the rooms."""


#: A place among entries: an id, or a moment (unix milliseconds); empty is no bound.
Bound = str | int


@fact
class Span:
    """The range between two bounds, both exclusive; its last entries, or its ``first``.

    With ``around``, the entries next to that place on both sides, and the one that is there. A
    missing bound is no bound. If it is not known which of two bounds comes first, the order is
    ``either``.
    """

    after: Bound = ""
    before: Bound = ""
    first: bool = False
    around: Bound = ""
    either: bool = False


ALL = Span()


@fact
class Recall:
    """Look up what happened in a room, or between somebody and me; ``target`` names it.

    At most ``limit`` entries; with ``events`` also what was not said, such as who came and went.
    """

    target: str
    span: Span
    limit: int
    events: bool = False


@fact
class ExportAccount:
    """Write all that is kept about my account, but what was said."""


@fact
class ListTalks:
    """List my rooms and the people I have talked with, by when something was last said there.

    That moment is between ``after`` and ``before`` (unix milliseconds, both exclusive). At most
    ``limit`` of them: the last ones, or the ``first``.
    """

    after: int
    before: int
    limit: int
    first: bool = False


@fact
class Seek:
    """Search for messages with all of these ``words``, by ``nick`` if that is given.

    In ``target``, or else wherever I may read; the last ``limit`` of them.
    """

    words: str
    limit: int
    target: str = ""
    nick: str = ""
    span: Span = ALL


@fact
class ListMentions:
    """List the last ``limit`` messages of others that mention me, in the rooms where I am."""

    limit: int


@fact
class Audit:
    """Look up the last ``limit`` things that operators have done: ``of`` a room, or of somebody by
    name; if it is empty, of the server, or of the rooms that I lead.
    """

    of: str
    limit: int


@fact
class ListReports:
    """List the last ``limit`` reports that I may see."""

    limit: int


@fact
class MarkRead:
    """Note that I have read what was said there up to this moment, in unix milliseconds."""

    target: str
    at: int


@fact
class ShowMark:
    """Show up to when I have read what was said there."""

    target: str


#: Queries: Chat.answer answers them from the state.
Query = (
    ListMembers | ListRooms | ShowTopic | ShowModes | ShowMasks | FindPeople | FindNicks | FindPast
    | ShowInvitations | ShowAccount | ListBlocks | ShowPreferences | ListDevices | ShowMetadata
    | SyncMetadata
    | ListBans | Count
)  # fmt: skip
#: Look-ups: the server's archive answers them from the log.
LookUp = (
    Recall
    | ListTalks
    | Seek
    | ListMentions
    | Audit
    | ListReports
    | MarkRead
    | ShowMark
    | ExportAccount
)
