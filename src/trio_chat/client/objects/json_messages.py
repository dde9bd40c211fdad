"""What programs are told: messages as objects of JSON.

The fields and the texts beside them are what docs/client.schema.json is made of. Those that have a
default are left out where they have nothing else to tell.
"""

import json
import re
from dataclasses import asdict
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field

import trio_chat.core.events as events
import trio_chat.core.views as views
from trio_chat.protocols import client
from trio_chat.protocols.client import Earlier, Message
from trio_chat.protocols.irc.times import timestamp

Nick = Annotated[str, Field(description="A nickname.")]
RoomName = Annotated[str, Field(description="A room.")]
Target = Annotated[str, Field(description="A room or a person.")]
Msgid = Annotated[str, Field(description="The server's id of the message.")]
Time = Annotated[str, Field(description="ISO 8601, in UTC: 2026-01-31T09:30:00.000Z.")]
Why = Annotated[str, Field(description="Why; for people.")]
TokenOfOurs = Annotated[str, Field(description="That of the request say, or one of its pieces.")]


class Object(BaseModel):
    """What is told of."""

    type: str


class _ByPerson(Object):
    """Done by somebody, at an address that the server shows."""

    user: str = Field(default="", description="The first part of their address.")
    host: str = Field(default="", description="The second part of their address.")
    account: str = Field(default="", description="Where they have logged in, if they have.")
    bot: bool = Field(default=False, description="Whether they say that they are a bot.")


class Said(_ByPerson):
    """Somebody has said something, in a room or to one person."""

    type: Literal["said"]
    room: RoomName = ""
    nick: Nick
    text: str = Field(description="What was said.")
    to: str = Field(default="", description="To whom it was said, if in private.")
    action: bool = Field(default=False, description="Said by /me: * alice waves.")
    notice: bool = Field(default=False, description="Not to be answered automatically.")
    status: str = Field(default="", description="For those only who have @ or + in the room.")
    msgid: Msgid = ""
    time: Time = ""
    late: bool = Field(default=False, description="Said while we were cut off.")
    earlier: bool = Field(default=False, description="Said before we came: not to be answered.")
    found: bool = Field(default=False, description="Found by /search.")
    token: str = Field(default="", description="That of the request say, if we have said it.")


class Joined(_ByPerson):
    """Somebody else has entered a room."""

    type: Literal["joined"]
    room: RoomName = ""
    nick: Nick
    name: str = Field(default="", description='Their "real name".')


class Left(_ByPerson):
    """Somebody else has left a room."""

    type: Literal["left"]
    room: RoomName
    nick: Nick
    why: Why = ""


class Departed(_ByPerson):
    """Somebody has left the server, and so every room."""

    type: Literal["departed"]
    nick: Nick
    why: Why = ""


class Kicked(_ByPerson):
    """Somebody was sent out of a room."""

    type: Literal["kicked"]
    room: RoomName
    nick: Nick
    target: str = Field(description="Who was sent out, by nick.")
    why: Why = ""


class Renamed(_ByPerson):
    """Somebody, maybe we ourselves, has another nickname."""

    type: Literal["renamed"]
    nick: Nick
    to: str = Field(description="Their nickname now.")


class TopicIs(_ByPerson):
    """A room's topic was set; or it is told, as it was set earlier."""

    type: Literal["topic"]
    room: RoomName
    nick: str = Field(default="", description="Who has set it, if that is known.")
    text: str = Field(description="Empty, if there is none.")
    time: Time = ""
    earlier: bool = Field(default=False, description="It was not set just now.")


class Change(BaseModel):
    """One mode is set or removed."""

    add: bool = Field(description="Whether it is set.")
    mode: str = Field(description="Its letter.")
    argument: str = Field(description="Whom or what it is about; empty, if it has none.")


class Modes(_ByPerson):
    """The modes of a room or its members have changed."""

    type: Literal["modes"]
    room: RoomName
    nick: Nick
    changes: list[Change]


class Away(_ByPerson):
    """Somebody, maybe we ourselves, is away or back."""

    type: Literal["away"]
    nick: Nick
    text: str = Field(description="Their message; empty, if they are back.")


class Notice(Object):
    """A sentence for people: what has no object of its own, as answers to commands and refusals."""

    type: Literal["notice"]
    text: str
    room: str = Field(default="", description="The room or person that it is about.")


class Member(BaseModel):
    """Somebody in a room."""

    nick: Nick
    prefixes: str = Field(description="@ of who leads it, + of who may speak; the highest first.")
    away: bool
    bot: bool


class Roster(Object):
    """Everybody who is in a room: it replaces what was known."""

    type: Literal["roster"]
    room: RoomName
    members: list[Member]


class InRoom(Object):
    """We have entered a room; also when we come back to it after a cut."""

    type: Literal["in_room"]
    room: RoomName


class OutOfRoom(Object):
    """We are not in a room any more: we have left it, were sent out, or not let in again."""

    type: Literal["out_of_room"]
    room: RoomName
    why: Why


class Typing(Object):
    """Somebody is typing, or has stopped: in a room, or to us alone."""

    type: Literal["typing"]
    room: str = Field(description="The room; empty, if it is to one person.")
    nick: Nick
    active: bool
    to: str = Field(description="That person; empty, if it is in a room.")


class Sent(Object):
    """A text of ours is on its way. Acknowledged or failed, with the same token, follows."""

    type: Literal["sent"]
    token: TokenOfOurs
    target: Target
    text: str
    action: bool
    notice: bool = Field(default=False, description="Not to be answered automatically.")


class Acknowledged(Object):
    """A text of ours has arrived: this is its place among what others say."""

    type: Literal["acknowledged"]
    token: TokenOfOurs
    msgid: str = Field(description="The server's id of it; empty, if the server has none.")
    time: str = Field(description="ISO 8601, in UTC; empty, if the server does not say it.")


class Failed(Object):
    """A text of ours was refused, or may not have arrived. Resend sends it again."""

    type: Literal["failed"]
    token: TokenOfOurs
    why: Why


class PageEnd(Object):
    """All that a request history has asked for has come."""

    type: Literal["page_end"]
    target: Target
    count: int = Field(description="How many messages have come.")
    complete: bool = Field(description="Whether nothing older is kept.")


class MarkedRead(Object):
    """Up to when we have read, on any device."""

    type: Literal["marked_read"]
    target: Target
    time: str = Field(description="ISO 8601, in UTC; empty, if the server does not know.")


class Linked(Object):
    """The server has let us in."""

    type: Literal["linked"]
    nick: Nick
    network: str = Field(description="What the server calls the chat.")
    caps: Annotated[list[str], BeforeValidator(sorted)] = Field(
        description="What it can do, by the names of IRCv3."
    )
    casemapping: str = Field(
        default="", description="How it compares names, if that is not as trio-chat does."
    )


class Unlinked(Object):
    """We are cut off."""

    type: Literal["unlinked"]
    why: Why
    retry: float = Field(default=0, description="Seconds to the next attempt, if there is one.")


class Lag(Object):
    """How long the server takes to answer."""

    type: Literal["lag"]
    seconds: float


class Error(Object):
    """A line of the input was no request, and nothing has come of it."""

    type: Literal["error"]
    text: str = Field(description="What is wrong with it; for people.")
    line: int = Field(description="Its number in the input; the first is 1.")


AnyObject = (
    Said | Joined | Left | Departed | Kicked | Renamed | TopicIs | Modes | Away | Notice | Roster
    | InRoom | OutOfRoom | Typing | Sent | Acknowledged | Failed | PageEnd | MarkedRead | Linked
    | Unlinked | Lag | Error
)  # fmt: skip

#: What each message is told as; Earlier is what is in it.
TOLD: dict[type, type[Object]] = {
    client.Acknowledged: Acknowledged,
    client.Failed: Failed,
    client.InRoom: InRoom,
    client.Lag: Lag,
    client.Linked: Linked,
    client.MarkedRead: MarkedRead,
    client.OutOfRoom: OutOfRoom,
    client.PageEnd: PageEnd,
    client.Roster: Roster,
    client.Sent: Sent,
    client.Stamped: Said,
    client.Typing: Typing,
    client.Unlinked: Unlinked,
    events.AwaySet: Away,
    events.Departed: Departed,
    events.Joined: Joined,
    events.Kicked: Kicked,
    events.Left: Left,
    events.ModesSet: Modes,
    views.Notice: Notice,
    events.Renamed: Renamed,
    events.Said: Said,
    views.Topic: TopicIs,
    events.TopicSet: TopicIs,
}


def object_of(message: Message) -> Object:
    """What a program is told of it."""
    shown = message.said if isinstance(message, Earlier) else message
    fields = asdict(shown)
    fields |= fields.pop("origin", {})
    if isinstance(message, Earlier):
        fields |= {"earlier": True, "found": message.found}
        fields["time"] = message.time or fields.get("time", "")
    if isinstance(message, views.Topic):
        fields |= {"nick": message.by, "time": _iso(message.at), "earlier": True}
    kind = TOLD[type(shown)]
    return kind.model_validate({"type": type_of(kind), **fields})


def type_of(kind: type[Object]) -> str:
    """What stands in ``type``."""
    name: str = get_args(kind.model_fields["type"].annotation)[0]
    return name


def _iso(milliseconds: int) -> str:
    """Empty if it is not known; or no moment, as a server may have an odd clock."""
    try:
        return timestamp(milliseconds) if milliseconds else ""
    except (ValueError, OverflowError, OSError):
        return ""


def json_line(told: Object) -> str:
    """One line, without its ending, that is safe to print on a terminal, too."""
    fields: dict[str, Any] = told.model_dump(exclude_defaults=True)
    fields |= {name: fields.pop(name) for name in _ADDRESS if name in fields}
    return _STEERING.sub(_escaped, json.dumps(fields, ensure_ascii=False))


_ADDRESS = ("user", "host", "account", "bot")  # last, as it is not what one looks for

# What JSON lets stand as it is, though a terminal may obey it, or somebody see a line's end in it.
_STEERING = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
