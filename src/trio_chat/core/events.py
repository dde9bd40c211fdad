"""The events: what happened. The log stores them, ``apply`` applies them, dialects write them.

``nick`` is the nickname at that moment, so an event can be read without the state. ``user_id`` is a
person's id: it stays when the nickname changes, and is never shown; a client, which is not told of
it, leaves it empty.
"""

import re
from dataclasses import replace
from typing import NamedTuple, TypeGuard

from trio_chat.core.fact import fact
from trio_chat.core.metadata import Values
from trio_chat.core.names import fold
from trio_chat.core.room_state import RoomState


@fact
class Origin:
    """A person's address and name beside the nickname, under the names that IRC has for them.

    ``user`` and ``host`` are parts of every address ``nick!user@host``, ``name`` is the "real
    name", ``account`` is empty for somebody who is not logged in, ``bot`` says whether they call
    themselves a bot.
    """

    user: str = ""
    host: str = ""
    name: str = ""
    account: str = ""
    bot: bool = False


NOWHERE = Origin()


@fact
class Change:
    """A mode that is set, or removed unless ``add``.

    ``user_id`` is the id of the member named by the argument, ``identity`` that member's, if it is
    known. An entry of a list that is added is for so many ``seconds``, or for good if they are 0,
    and may have a reason, ``why``. ``whom`` is who was named, if the entry does not say it.
    """

    add: bool
    mode: str
    argument: str = ""
    user_id: str = ""
    identity: str = ""
    seconds: int = 0
    why: str = ""
    whom: str = ""


@fact
class RoomOpened:
    """A room is open from now on, with this ``state``, and nobody is in it yet."""

    room: str
    state: RoomState


@fact
class RoomClosed:
    """A room that nobody is in is closed; if somebody has come meanwhile, it stays open."""

    room: str


@fact
class Unknown:
    """Something that a later version of the program knows has happened. It changes nothing here,
    but what is judged from then on is judged after it.
    """

    room: str


@fact
class Said:
    r"""A text, said in a room or to one person, whose nickname and id are ``to`` and ``to_id``.
    Without an id, ``to`` is the account of somebody who was not here. Of who was, ``to_account`` is
    the account, if they are logged in. It waits for either (``waits_for``).

    ``action`` says that it was said by /me; a ``notice`` must not be answered automatically. A
    ``status`` (the prefix ``@`` or ``+``) limits it to members who have at least that. ``tags`` are
    IRCv3 client-only tags of the sender's client, as they stand in a line. Of all that have the
    same ``token`` only the first is stored and shown: the others are the same message, sent again.

    A text may have several lines, with ``\n`` between them. ``concat_at`` are the places in it (in
    characters) where the sender's client has cut one long line into several.
    """

    room: str
    nick: str
    text: str
    user_id: str = ""
    action: bool = False
    to: str = ""
    to_id: str = ""
    notice: bool = False
    status: str = ""
    tags: str = ""
    origin: Origin = NOWHERE
    token: str = ""
    concat_at: tuple[int, ...] = ()
    to_account: str = ""


@fact
class Signalled:
    """Tags without a text, for clients only: that somebody is typing, say, or agrees."""

    room: str
    nick: str
    tags: str
    user_id: str = ""
    to: str = ""
    to_id: str = ""
    status: str = ""
    origin: Origin = NOWHERE


@fact
class Redacted:
    """``nick`` has removed the message ``msgid``, which ``author`` had said, or set as a ``topic``.

    Of the message it has the author, and whom it was said to (``to``, ``status``), but no words.
    """

    room: str
    nick: str
    msgid: str
    author: str
    why: str = ""
    user_id: str = ""
    author_id: str = ""
    to: str = ""
    status: str = ""
    origin: Origin = NOWHERE
    topic: bool = False


@fact
class Joined:
    """Somebody has entered a room, with an ``away`` message if they are away.

    ``status`` holds the letters of the status they come with. The event is ``guarded`` if it was
    judged by who else is in the room, or changes what the room remembers: then those who come at
    the same moment are judged again, by the room as it is after it. Only a guarded one has an
    ``identity``, if that is known. Whoever ``founds`` the room is its founder from then on. They
    have come ``back`` if their account was there before, ``absent`` if nothing of theirs is
    connected. Here and below, it was done ``via`` this
    connection of theirs, or their first.
    """

    room: str
    nick: str
    user_id: str = ""
    away: str = ""
    origin: Origin = NOWHERE
    guarded: bool = False
    status: str = ""
    identity: str = ""
    founds: bool = False
    via: str = ""
    back: bool = False
    absent: bool = False


@fact
class Looked:
    """One connection of somebody's, ``device``, shows a room from now on in which they are."""

    room: str
    nick: str
    user_id: str = ""
    origin: Origin = NOWHERE
    device: str = ""


@fact
class Left:
    """Somebody has left a room by themselves."""

    room: str
    nick: str
    user_id: str = ""
    why: str = ""
    origin: Origin = NOWHERE


@fact
class Kicked:
    """``nick`` has removed ``target``, who is logged in to an account or none, from the room."""

    room: str
    nick: str
    target: str
    why: str = ""
    user_id: str = ""
    target_id: str = ""
    origin: Origin = NOWHERE
    target_identity: str = ""
    target_account: str = ""


@fact
class PlaceSet:
    """An account is in a room from now on, or is ``gone`` from it, though nobody comes or goes."""

    room: str
    account: str
    gone: bool = False


@fact
class Invited:
    """``nick`` has invited ``target`` to the room."""

    room: str
    nick: str
    target: str
    user_id: str = ""
    target_id: str = ""
    origin: Origin = NOWHERE


@fact
class TopicSet:
    """The room's topic is now ``text``; an empty one means none."""

    room: str
    nick: str
    text: str
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class ModesSet:
    """The modes of a room, its lists, or the status of its members have changed.

    ``nick`` is empty if the time of bans is up, which nobody does.
    If this shuts the room, ``present`` are the known identities that are in it at that moment;
    ``banned`` are those in it whom a ban fits now, if the room remembers them. ``founder`` is the
    identity of its new founder, if it has one.
    """

    room: str
    nick: str
    changes: tuple[Change, ...]
    user_id: str = ""
    origin: Origin = NOWHERE
    present: tuple[str, ...] = ()
    banned: tuple[str, ...] = ()
    founder: str = ""


@fact
class RoomRenamed:
    """The room has another name from now on, ``to``; its log goes on by that."""

    room: str
    nick: str
    to: str
    why: str = ""
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class RoomMetadataSet:
    """Some of a room's metadata has other ``values``, or is gone if they are empty."""

    room: str
    nick: str
    values: Values
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class Arrived:
    """Somebody has a nickname now, and is in no room yet.

    ``identity`` is set if they can show that they are the person they were before: it stays the
    same when they come again, which ``user_id`` does not. ``secure`` says that they came over TLS.
    ``key`` is the hash of the secret that they have shown, if any. If they are logged in, that is a
    key to the account; or else its password was given, which is named by ``password_id``.
    ``address`` is the real one that they come from, for bans; only operators are told of it.
    ``client`` is in words what they have come by. With ``one_room`` their connection shows one room
    at a time. With ``absent`` they have none: the
    server brings them, as their account is always on.
    """

    nick: str
    user_id: str = ""
    origin: Origin = NOWHERE
    identity: str = ""
    secure: bool = False
    key: str = ""
    password_id: int = 0
    address: str = ""
    client: str = ""
    one_room: bool = False
    absent: bool = False


@fact
class Attached:
    """Somebody who is here, and logged in, has come on one more connection, ``device``, which shows
    none of their rooms yet. ``modes`` are theirs, ``rooms`` those in which they were as a guest on
    it just before; the rest is that of ``Arrived``.
    """

    nick: str
    user_id: str = ""
    device: str = ""
    origin: Origin = NOWHERE
    secure: bool = False
    key: str = ""
    password_id: int = 0
    address: str = ""
    client: str = ""
    one_room: bool = False
    modes: str = ""
    rooms: tuple[str, ...] = ()


@fact
class Detached:
    """One connection of somebody's has ended, ``device``; they are still here on another, or as
    their account is always on. If neither is so any more, they have gone, as by ``Departed``, whose
    fields ``why`` and ``seen`` are.
    """

    nick: str
    user_id: str = ""
    device: str = ""
    origin: Origin = NOWHERE
    seen: str = ""
    why: str = ""


@fact
class DeviceEnded:
    """A connection of somebody's is ended by its owner, ``device``: from another one, or by coming
    ``again`` from the same device. It goes by ``Detached`` or ``Departed``.
    """

    user_id: str
    device: str
    again: bool = False


@fact
class Renamed:
    """Somebody has another nickname; ``rooms`` (folded) are those whose history shows it."""

    nick: str
    to: str
    user_id: str = ""
    origin: Origin = NOWHERE
    rooms: tuple[str, ...] = ()


@fact
class Departed:
    """Somebody has gone, and so has left every room; ``rooms`` are those (folded).

    ``seen`` is the id up to which they have read everything, empty if that is not known. ``via`` is
    their last connection, if it is not their first: they stay if they have come on another.
    """

    nick: str
    user_id: str = ""
    why: str = ""
    origin: Origin = NOWHERE
    rooms: tuple[str, ...] = ()
    seen: str = ""
    via: str = ""


@fact
class AwaySet:
    """Somebody is away; or back, if ``text`` is empty."""

    nick: str
    text: str
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class NameSet:
    """Somebody has another "real name", the one in ``origin``."""

    nick: str
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class AccountSet:
    """Somebody has logged in to the account in ``origin``, or logged out if that is none.

    ``identity`` is the account's; with none they are who they are on this connection. A ``key`` or
    a password, named by ``password_id``, has opened it.
    """

    nick: str
    user_id: str = ""
    origin: Origin = NOWHERE
    identity: str = ""
    key: str = ""
    password_id: int = 0
    via: str = ""


@fact
class MetadataSet:
    """Some metadata of somebody without an account has other ``values``, or is gone.

    ``by`` is the id of whoever has set it.
    """

    nick: str
    values: Values
    user_id: str = ""
    by: str = ""


@fact
class UserModesSet:
    """Somebody's own modes have changed."""

    nick: str
    changes: tuple[Change, ...]
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class ReadUpTo:
    """Somebody has read a room or a conversation, ``target``, up to a moment (unix milliseconds).

    The store keeps it for their ``identity``, if that is not empty, charged to a ``source``; then
    the event is shown with the latest moment that they have ever told. If it is ``quiet``, none of
    their connections is told.
    """

    target: str
    at: int
    user_id: str = ""
    identity: str = ""
    source: str = ""
    quiet: bool = False


@fact
class Got:
    """Messages with these ids wait for nobody any more: they have been got."""

    ids: tuple[str, ...]


@fact
class Announced:
    """An operator has said something to all operators, and to people who want to hear it."""

    nick: str
    text: str
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class AccountMade:
    """Somebody has registered their nickname, and is logged in.

    ``identity`` is what the account is known by from now on. ``key`` is set if they had shown a
    secret: whoever shows it again is logged in. ``operator`` says that its owner is an operator of
    the server. ``metadata`` is what they had as a guest, ``invitation`` the one that let them in.
    """

    name: str
    identity: str
    user_id: str = ""
    key: str = ""
    operator: bool = False
    metadata: Values = ()
    via: str = ""
    invitation: str = ""


@fact
class AccountDropped:
    """An account is no more; nobody else can ever have its name.

    Its owner has deleted it, or an operator of the server, ``by`` name.
    """

    name: str
    user_id: str = ""
    by: str = ""
    origin: Origin = NOWHERE
    via: str = ""


@fact
class PasswordSet:
    """An account has another password, of which no event tells anything."""

    name: str
    user_id: str = ""
    via: str = ""


@fact
class AccountMetadataSet:
    """Some of an account's metadata has other ``values``, or is gone.

    ``user_id`` is the id of whoever has set it.
    """

    name: str
    values: Values
    user_id: str = ""


@fact
class KeyMade:
    """Whoever shows the secret of which ``key`` is the hash is logged in to an account.

    One that is a key of the account already has this label from now on. It is a ``device``'s if
    the client has made up the secret.
    """

    name: str
    key: str
    label: str
    device: bool = False


@fact
class KeyDropped:
    """A key logs nobody in any more."""

    name: str
    key: str
    user_id: str = ""
    via: str = ""


@fact
class AccountBlocked:
    """The owner of an account takes nothing in private from the account ``whom`` any more."""

    name: str
    whom: str


@fact
class AccountUnblocked:
    """The owner of an account takes what the account ``whom`` sends again."""

    name: str
    whom: str


@fact
class PreferenceSet:
    """The owner of an account has chosen something for it (``core.preferences``)."""

    name: str
    preference: str
    on: bool
    user_id: str = ""


#: So long what an operator lets the owner of an account in by is good.
RESET_HOURS = 72


@fact
class AccountReset:
    """An operator of the server, ``by`` name, lets the owner of an account in again.

    Whoever gives the secret of which ``key`` is the hash in place of the password is logged in,
    once, unless the account has another password by then, or ``RESET_HOURS`` have gone.
    """

    name: str
    key: str
    by: str = ""
    origin: Origin = NOWHERE


@fact
class OperatorDropped:
    """An operator of the server, ``by`` name, has taken from an account that it is one's."""

    name: str
    by: str = ""
    origin: Origin = NOWHERE


@fact
class Killed:
    """``nick``, an operator of the server, has disconnected ``target``, who is logged in to an
    ``account``, or to none.
    """

    nick: str
    target: str
    why: str = ""
    user_id: str = ""
    target_id: str = ""
    origin: Origin = NOWHERE
    account: str = ""


@fact
class Reported:
    """``nick`` has reported the message ``msgid``, said by ``author``, to the operators.

    It is in this ``log``: that of the room ``place``, or of a private conversation if that is
    empty.
    """

    nick: str
    place: str
    log: str
    msgid: str
    author: str
    why: str = ""
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class OperatorMade:
    """Somebody has become an operator of the server by the password ``name`` of its settings."""

    nick: str
    name: str
    user_id: str = ""
    origin: Origin = NOWHERE


@fact
class InvitationUsed:
    """An invitation to this chat has let in one more, known by ``identity`` if that is not empty.

    ``uses`` is how many it lets in, ``expires`` until when, in unix milliseconds; ``operator`` says
    whether it makes operators. The account ``name`` is one's from now on, if one is named.
    """

    invitation: str
    uses: int
    expires: int
    identity: str = ""
    name: str = ""
    operator: bool = False


@fact
class InvitationRevoked:
    """An invitation to this chat lets nobody in any more, whether it was used or not."""

    invitation: str
    by: str = ""


@fact
class Banned:
    """A ban of the server has been set, for so many ``seconds``, or for good if that is 0.

    Its other fields are those of ``views.Ban``. One of the same kind and value is replaced.
    """

    number: int
    kind: str
    value: str
    mute: bool = False
    seconds: int = 0
    why: str = ""
    by: str = ""
    user_id: str = ""
    whom: str = ""
    origin: Origin = NOWHERE


@fact
class Unbanned:
    """A ban of the server was lifted; if it has expired, by nobody.

    ``kind``, ``value`` and ``whom`` are those of the ban.
    """

    number: int
    by: str = ""
    user_id: str = ""
    kind: str = ""
    value: str = ""
    whom: str = ""
    origin: Origin = NOWHERE


@fact
class Locked:
    """The chat is locked for so many ``seconds``, or until somebody unlocks it if that is 0."""

    seconds: int = 0
    why: str = ""
    by: str = ""
    origin: Origin = NOWHERE


@fact
class Unlocked:
    """The chat is open again; if the time was up, by nobody."""

    by: str = ""
    origin: Origin = NOWHERE


OfRoom = (
    Unknown | RoomOpened | RoomClosed | Said | Signalled | Redacted | Joined | Looked | Left
    | Kicked | PlaceSet | Invited | TopicSet | ModesSet | RoomRenamed | RoomMetadataSet
)  # fmt: skip
OfPerson = (
    Arrived | Attached | Detached | DeviceEnded | Renamed | Departed | AwaySet | NameSet
    | AccountSet | MetadataSet | UserModesSet | ReadUpTo | Got | Announced
)  # fmt: skip
#: What somebody does by one connection, and their others have to know, those as well that come
#: while it happens.
ToldToOthers = Joined | Left | AwaySet | Renamed | AccountSet | NameSet | UserModesSet
OfAccount = (
    AccountMade | AccountDropped | PasswordSet | AccountMetadataSet | KeyMade | KeyDropped
    | AccountReset | OperatorDropped | AccountBlocked | AccountUnblocked | PreferenceSet
)  # fmt: skip
OfModeration = Banned | Unbanned | Locked | Unlocked | Killed | OperatorMade | Reported
OfRealm = OfAccount | InvitationUsed | InvitationRevoked | OfModeration
Event = OfRoom | OfPerson | OfRealm

#: The log of events that concern people and not a room. No room can have this name.
PEOPLE = ""

#: The log of events that concern accounts (``core.realm``). Nor can a room have this name.
REALM = "@"


class Entry(NamedTuple):
    """An event with its place in a log, and the moment when it happened.

    Ids compare as strings, and rise within a room's log whatever the clock does; they say nothing
    about times. ``at`` is what the clock said, in unix milliseconds, and may go back. ``by`` is the
    connection by which it was done, if its author is on several: only that one is shown it as its
    own. It is shown, and not stored.
    """

    room: str
    id: str
    event: Event
    at: int = 0
    by: str = ""


def is_id(text: str) -> bool:
    """Whether this could be the id of an entry; ``storage/ids.py`` makes them."""
    return re.fullmatch("[0-9]{13}-[0-9]{6}", text) is not None


def is_persistent(event: Event) -> bool:
    """Whether anybody needs the event tomorrow; others are shown and not stored."""
    match event:
        case Signalled(tags=tags):
            return not is_passing(tags)
        case Renamed(rooms=rooms) | Departed(rooms=rooms):
            return bool(rooms)
        case Joined(absent=True):
            return event.guarded
    kept = (
        Said | Redacted | Joined | Left | Kicked | TopicSet | ModesSet | RoomRenamed
        | RoomMetadataSet | OfRealm
    )  # fmt: skip
    return isinstance(event, kept)


_PASSING = ("+typing", "+draft/typing")


def is_passing(tags: str) -> bool:
    """Whether tags tell nothing but that somebody is typing."""
    return all(tag.partition("=")[0] in _PASSING for tag in tags.split(";"))


def elsewhere(event: Event) -> tuple[str, ...]:
    """The rooms (folded) whose history shows an event that is in the log of people."""
    return event.rooms if isinstance(event, Renamed | Departed) else ()


def is_missed(event: Event) -> bool:
    """Whether the event matters tomorrow; nobody misses comings and goings."""
    missed = Said | Redacted | Kicked | TopicSet | ModesSet | RoomRenamed | RoomMetadataSet
    return isinstance(event, missed)


def waits_for(event: Event) -> str:
    """The account (folded) that a message waits for until its owner is known to have got it; else
    empty.
    """
    if isinstance(event, Said) and event.to:
        return fold(event.to_account if event.to_id else event.to)
    return ""


def is_promised(event: Event) -> bool:
    """Whether a message waits for somebody who was not here, which its sender is told."""
    return isinstance(event, Said) and event.to != "" and not event.to_id


def is_for_members(event: Event) -> bool:
    """Whether all members of a room see the event, and so may see it again later."""
    return not isinstance(event, Said | Signalled | Redacted) or not event.status


def is_redactable(event: Event) -> TypeGuard[Said | TopicSet]:
    """Whether an event is one of which the words can be removed."""
    return isinstance(event, Said) or (isinstance(event, TopicSet) and event.text != "")


def without_words(event: Said | TopicSet) -> Said | TopicSet:
    """A message as it is kept once it is redacted: sent again, it is still known by its token."""
    if isinstance(event, TopicSet):
        return replace(event, text="")
    return replace(event, text="", tags="", concat_at=())
