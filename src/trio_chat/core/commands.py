"""The commands: what somebody asks for.

Who asks is not in them: the connection knows that, and passes it along.
"""

from dataclasses import field

from trio_chat.core.events import NOWHERE, Change, Entry, Origin
from trio_chat.core.fact import fact
from trio_chat.core.metadata import Values
from trio_chat.core.queries import LookUp, Query

# The longest texts, in characters; a topic in bytes: what fits an IRC line beside an address.
AWAY_MAX, KEY_MAX, KICK_MAX, TOPIC_MAX = 200, 32, 200, 390

LIST_MAX = 100  # entries on each of a room's lists

#: The time for which the chat is locked if nobody says how long.
LOCK_SECONDS = 3600

#: The longest time for which a ban can be set, or the chat locked; and the longest reason.
SECONDS_MAX, WHY_MAX = 10 * 366 * 86_400, 200


@fact
class Enter:
    """Let me in under this nickname; if that cannot be and ``near`` is set, under one like it.

    ``password`` is the server's, or an invitation, or ``name:password`` of an account; with an
    ``account`` it is that account's, or the secret of one of its keys. With a ``secret`` I am the
    person who came with it before. ``origin`` is what others will see of me, ``secure`` whether I
    come over TLS, ``client`` in words by what I come, ``one_room`` whether my protocol shows me one
    room at a time.
    """

    nick: str
    near: bool = False
    origin: Origin = NOWHERE
    password: str = field(default="", repr=False)
    account: str = ""
    secret: str = field(default="", repr=False)
    secure: bool = False
    client: str = ""
    one_room: bool = False


@fact
class Say:
    """Say a text in a room; the fields are those of ``events.Said``.

    ``token`` is an id that the sender has given the message: sent again, it is the same message.
    """

    room: str
    text: str
    action: bool = False
    notice: bool = False
    status: str = ""
    tags: str = ""
    token: str = ""
    concat_at: tuple[int, ...] = ()


@fact
class DirectMessage:
    """Say a text to one person; the fields are those of ``events.Said``."""

    nick: str
    text: str
    action: bool = False
    notice: bool = False
    tags: str = ""
    token: str = ""
    concat_at: tuple[int, ...] = ()


@fact
class TagMessage:
    """Send tags without a text to a room, or to one person if ``room`` is empty."""

    tags: str
    room: str = ""
    nick: str = ""
    status: str = ""


@fact
class Join:
    """Enter a room, which is made if there is none; ``key`` is its key, if it has one. I come
    ``back`` if my account was there: no client can say that. My client has been there, and enters
    it ``again`` by itself: where the account's rooms come back, that is no reason to enter it. Or
    my client enters it because I have named none: only if I am in no room ``otherwise``.

    Here and below, I ask ``via`` this connection of mine, or my first.
    """

    room: str
    key: str = ""
    via: str = ""
    back: bool = False
    again: bool = False
    otherwise: bool = False


@fact
class Look:
    """Show me here a room in which I am by another device of mine."""

    room: str
    via: str = ""


@fact
class LookAround:
    """Show me all rooms in which I am by another device of mine, one after the other."""


@fact
class ComeBack:
    """Let me be in the rooms where my account was. If ``room`` is not empty, it is where I begin
    if there are none: I leave it if there are others, as a guest who has logged in. If my protocol
    shows me one room at a time, show me the last of them, or that room.
    """

    room: str = ""


@fact
class EndDevice:
    """End another connection of mine, by the ``number`` that ListDevices has told."""

    number: str


@fact
class Leave:
    """Leave a room; ``why`` is told to those who stay."""

    room: str
    why: str = ""
    via: str = ""


@fact
class Kick:
    """Remove somebody from a room; for its operators."""

    room: str
    nick: str
    why: str = ""


@fact
class Invite:
    """Invite somebody to a room."""

    room: str
    nick: str


@fact
class Rename:
    """Take another nickname; if ``forced``, because that of an account was left with it."""

    nick: str
    forced: bool = False


@fact
class SetTopic:
    """Set a room's topic; an empty text removes it."""

    room: str
    text: str


@fact
class RenameRoom:
    """Give a room another name; ``why`` is told to its members."""

    room: str
    to: str
    why: str = ""


@fact
class SetModes:
    """Change a room's modes, its lists, or its members' status.

    Changes that concern a member name them by nickname, in ``argument``.
    """

    room: str
    changes: tuple[Change, ...]


@fact
class SetUserModes:
    """Change my own modes."""

    changes: tuple[Change, ...]


@fact
class SetAway:
    """Say that I am away, and why; an empty text means that I am back."""

    text: str


@fact
class SetName:
    """Change my "real name"."""

    name: str


@fact
class Announce:
    """Say something to all operators, and to everybody who wants to hear announcements."""

    text: str


@fact
class SetMetadata:
    """Set metadata of a room, of somebody, or mine if neither is named; empty values remove it."""

    values: Values
    room: str = ""
    nick: str = ""


@fact
class ClearMetadata:
    """Remove all metadata of a room, of somebody, or mine if neither is named."""

    room: str = ""
    nick: str = ""


@fact
class Register:
    """Make my nickname an account, opened by this password; an ``operator``'s if I was invited as
    one, or as the ``first`` while there is none. ``here`` says that I am on the server's machine.

    Who is not let in yet names the nickname that they want, and may show the ``secret`` with which
    they will come, as in Enter. ``invitation`` is the id of the one by which I was let in.
    """

    password: str = field(repr=False)
    invitation: str = ""
    operator: bool = False
    first: bool = False
    here: bool = False
    nick: str = ""
    secret: str = field(default="", repr=False)
    via: str = ""


@fact
class LogIn:
    """Log me in to an account, by its password or by the secret of one of its keys.

    Once that has been checked, the ``key`` says which one it was, or the ``password_id`` which of
    the passwords that the account has had.
    """

    name: str
    password: str = field(default="", repr=False)
    key: str = ""
    password_id: int = 0
    via: str = ""


@fact
class Prove:
    """Log me in to an account by SCRAM-SHA-256 (RFC 7677), which does not send the password.

    ``message`` is my next message; the ``first`` one begins anew. The last one is empty.
    """

    message: bytes = field(repr=False)
    first: bool = False


@fact
class LogOut:
    """Log me out: from now on I am who I am on this connection.

    ``forget`` also drops the key that this client has shown, so it stays logged out.
    """

    forget: bool = False


@fact
class SetPassword:
    """Give my account another password."""

    password: str = field(repr=False)
    via: str = ""


@fact
class MakeKey:
    """Make a key to my account, under a ``label`` of its own.

    ``key`` is the hash of its secret, which the server makes up; or the one that this client has
    ``shown``, which then logs it in from now on, under a label like that one.
    """

    label: str
    key: str = ""
    shown: bool = False
    via: str = ""


@fact
class Prefer:
    """Choose something for my account: turn a ``preference`` on or off."""

    preference: str
    on: bool
    via: str = ""


@fact
class ResetAccount:
    """Let the owner of an account in who has forgotten its password; for operators of the server.

    ``key`` is the hash of a secret, which the server makes up: it opens the account once.
    """

    name: str
    key: str = ""


@fact
class DropOperator:
    """Let the owner of an account be no operator of the server any more; for operators of it."""

    name: str


@fact
class DropKey:
    """Let one of my account's keys, named by its label or itself, log nobody in any more."""

    label: str = ""
    key: str = ""
    via: str = ""


@fact
class BlockAccount:
    """Let somebody reach me in private no more; named by their nickname or their account."""

    name: str


@fact
class UnblockAccount:
    """Let them reach me again."""

    name: str


@fact
class DropAccount:
    """Delete my account, for ever; ``name`` is its name once more."""

    name: str
    via: str = ""


@fact
class DeleteAccount:
    """Delete somebody's account, for ever; for operators of the server."""

    name: str


@fact
class UseInvitation:
    """Let me in, or let me register, by this invitation."""

    token: str


@fact
class CheckInvitation:
    """Tell me, before I am let in, whether this invitation is good."""

    token: str


@fact
class MakeInvitation:
    """Make an invitation for so many people and days; for operators of the server."""

    uses: int = 1
    days: int = 7


@fact
class ListInvitations:
    """List the invitations that were used; for operators of the server."""


@fact
class RevokeInvitation:
    """Let an invitation, named by its id, let nobody in any more; for operators of the server."""

    id: str


@fact
class SetBan:
    """Keep somebody out of this chat, or only ``mute`` them; for operators of the server.

    ``whom`` is a network or an address, ``a:NAME`` (an account), a mask, or somebody's name. It is
    for so many ``seconds``, or for good if they are 0.
    """

    whom: str
    seconds: int = 0
    mute: bool = False
    why: str = ""


@fact
class LiftBan:
    """Lift a ban, named by its number or by whom it is about; for operators of the server."""

    which: str


@fact
class LockChat:
    """Keep guests out and mute, and let nobody register; for operators of the server.

    For so many ``seconds``, or until UnlockChat if they are 0. If they are None, it is for
    ``LOCK_SECONDS``, and no lock that is there already is changed.
    """

    seconds: int | None = None
    why: str = ""


@fact
class UnlockChat:
    """End that; for operators of the server."""


@fact
class SetRoomBan:
    """Keep somebody out of a room, and remove them; or only ``mute`` them there.

    ``whom`` is somebody's name, ``a:NAME`` (an account) or a mask. It is for so many ``seconds``,
    or for good if they are 0.
    """

    room: str
    whom: str
    seconds: int = 0
    mute: bool = False
    why: str = ""


@fact
class LiftRoomBan:
    """Lift a ban of a room, named by its number, or all of those that are about somebody."""

    room: str
    which: str


@fact
class MatchStatus:
    """Give me, on one of my connections, the status in a room that belongs to who I am now.

    ``guest`` is the identity that I had before if I had no account: what I have there becomes the
    account's. If I had one, or have none any more, it is empty, and nothing is brought along.
    """

    room: str
    user_id: str
    guest: str = ""


@fact
class Remove:
    """Remove what was said in a room, or between somebody and me; ``target`` names it.

    ``id`` is that of the message, or of a topic. Without one it is the last message there by
    ``nick``; by me, if that is empty, too; or the last ``topic`` of which the words are there.
    """

    target: str
    id: str = ""
    why: str = ""
    nick: str = ""
    topic: bool = False


@fact
class Report:
    """Report what was said in a room, or between somebody and me, to the operators.

    ``target`` names the place, and ``id`` the message; without one, it is the last one by ``nick``.
    """

    target: str
    id: str = ""
    why: str = ""
    nick: str = ""


@fact
class FileReport:
    """Report this message, which the server has found for Report."""

    entry: Entry
    why: str


@fact
class Redact:
    """Remove this message or topic, which the server has found for Remove; ``now`` is in unix
    milliseconds.
    """

    entry: Entry
    now: int
    why: str = ""

    @property
    def room(self) -> str:
        """The log that it is in."""
        return self.entry.room


@fact
class Quit:
    """Say goodbye. ``why`` is told to the one who leaves, ``words`` to all others."""

    why: str = "Goodbye!"
    words: str = ""


@fact
class Operate:
    """Make me an operator of this server; ``name`` is the one in its settings."""

    name: str
    password: str = field(repr=False)


@fact
class Kill:
    """Disconnect somebody; for operators of the server."""

    nick: str
    why: str


@fact
class Reload:
    """Read the settings again; for operators of the server."""


@fact
class ShowStats:
    """Show how the server is; for operators of it."""


@fact
class ListNodes:
    """List the servers that are one chat; for operators of one."""


@fact
class ListConnections:
    """List all connections of the server; for operators of it."""


@fact
class SetLogLevel:
    """Log nothing less important than this ``level`` until the settings are read again; if it is
    empty, show which is in force. For operators of the server.
    """

    level: str = ""


@fact
class Drain:
    """Let nobody else come in, and end the server when all have left, or after so many seconds; if
    they are None, after those of the settings. For operators of the server.
    """

    seconds: int | None = None
    why: str = ""


@fact
class EndDrain:
    """Let everybody come in again; for operators of the server."""


@fact
class Watch:
    """Tell me from now on when these nicknames come and go; or no longer, unless ``on``."""

    nicks: tuple[str, ...]
    on: bool = True


@fact
class Subscribe:
    """Tell me from now on, or no more unless ``on``, when metadata under these keys changes."""

    keys: tuple[str, ...]
    on: bool = True


@fact
class ExplainLimits:
    """Explain what I may not do just now, and until when; in a ``room``, if one is named."""

    room: str = ""


#: Requests: Chat.decide makes events of them, or refuses them.
Request = (
    Say | DirectMessage | TagMessage | Join | Look | Leave | Kick | Invite | Rename | SetTopic
    | SetModes | RenameRoom | SetUserModes | SetAway | SetName | SetMetadata | ClearMetadata
    | Announce
    | LogOut | DropKey | BlockAccount | UnblockAccount | DropAccount | DeleteAccount | Prefer
    | DropOperator | MatchStatus | RevokeInvitation | Redact
    | FileReport | SetBan | LiftBan | LockChat | UnlockChat | SetRoomBan | LiftRoomBan | Kill
)  # fmt: skip
#: Requests with a secret: who asks must know it, or it is to be kept. The server sees to that
#: first; then Chat.decide judges the rest.
Confidential = Register | LogIn | SetPassword | MakeKey | ResetAccount
#: Concerning the server itself, which carries them out.
OfServer = Reload | ShowStats | ListNodes | ListConnections | SetLogLevel | Drain | EndDrain
#: Concerning invitations to this chat: only the server can read and write their tokens.
OfInvitation = UseInvitation | CheckInvitation | MakeInvitation | ListInvitations
Command = (
    Enter | LookAround | ComeBack | EndDevice | Quit | Operate | Watch | Subscribe | Remove
    | Report | ExplainLimits | OfInvitation | OfServer
    | Prove | Request | Confidential | Query | LookUp
)  # fmt: skip
