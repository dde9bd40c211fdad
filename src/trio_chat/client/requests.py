"""Requests to a client in many rooms, from the screen or a program. Answers come as messages.

``type`` is the name of a request in JSON. docs/client.schema.json is made from the annotations, and
the lines of programs are checked against them.
"""

from dataclasses import fields
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictInt

from trio_chat.core.fact import fact
from trio_chat.protocols.client import Requests
from trio_chat.protocols.irc.text import is_invisible
from trio_chat.protocols.irc.times import read_timestamp
from trio_chat.protocols.unacked import ID_FORM

# One name, without characters that would make it two names, or another part of a line.
_NAME = r"^[^\s\x00-\x1f\x7f:,]+$"
# Something visible; and the same on one line.
_SEEN = r"[^\s\x00-\x1f]"
_LINE = r"^[^\r\n\x00]*[^\s\x00-\x1f][^\r\n\x00]*$"


def _check_visible(text: str) -> str:
    if is_invisible(text):
        raise ValueError("nothing could be seen of it")
    return text


def _check_time(time: str) -> str:
    if read_timestamp(time) is None:
        raise ValueError("there is no such moment")
    return time


def _name(description: str) -> Any:
    return Field(pattern=_NAME, max_length=200, description=description)


Target = Annotated[str, _name("A room or a person, as one word; the first room if it is missing.")]
Room = Annotated[str, _name("A room, as one word.")]
Key = Annotated[str, _name("The room's password, as one word.")]
Text = Annotated[
    str,
    Field(pattern=_SEEN, description="A text that is not blank."),
    AfterValidator(_check_visible),
]
Why = Annotated[str, Field(description="The reason that others are shown.")]
Token = Annotated[
    str, Field(pattern=f"^{ID_FORM}$", description="16 to 56 ASCII letters, digits, - or _.")
]
Msgid = Annotated[
    str,
    Field(
        pattern=r"^[^\s\x00-\x1f]+$",
        max_length=400,
        description="The msgid of the message they came before; without it, the newest come.",
    ),
]
Limit = Annotated[
    StrictInt,
    Field(ge=1, le=1000, description="How many messages at most. A server may give fewer."),
]
Time = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        description="A time as in messages: 2026-01-31T09:30:00.000Z.",
    ),
    AfterValidator(_check_time),
]
Command = Annotated[
    str,
    Field(pattern=r"^/[^\r\n\x00]+$", description="One line that begins with a slash: /topic tea."),
]


@fact
class Request:
    """Something for the client to do."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")
    type: ClassVar[str]


@fact
class Say(Request):
    """Say a text: as one message or, where the server allows no more, as one for each line."""

    type = "say"
    text: Text
    target: Target = ""
    action: Annotated[StrictBool, Field(description="Say it with /me: * alice waves.")] = False
    token: Token = ""


@fact
class ResendText(Request):
    """Send a text again that has failed."""

    type = "resend"
    token: Annotated[str, Field(description="The token of the text.")]


@fact
class Join(Request):
    """Enter another room, and re-enter it after each lost connection until it is left."""

    type = "join"
    room: Room
    key: Key = ""


@fact
class Part(Request):
    """Leave a room."""

    type = "part"
    room: Room
    why: Why = ""


@fact
class History(Request):
    """Ask for earlier messages. They come as said, marked earlier, with page_end after them."""

    type = "history"
    target: Target = ""
    before: Msgid = ""
    limit: Limit = 100


@fact
class ReadUpTo(Request):
    """Mark everything up to a time as read. Without a time, ask how far that is."""

    type = "mark_read"
    target: Target = ""
    time: Time = ""


@fact
class TypingState(Request):
    """Show others that we are typing, or have stopped."""

    type = "typing"
    target: Target = ""
    active: Annotated[StrictBool, Field(description="False if we have stopped.")] = True


@fact
class SlashCommand(Request):
    """Run a command of the chat. /help lists them."""

    type = "command"
    line: Command
    target: Target = ""


@fact
class Raw(Request):
    """Send a line of IRC unchanged."""

    type = "raw"
    line: Annotated[str, Field(pattern=_LINE, description="One line that is not blank.")]


@fact
class GoAway(Request):
    """Be away, or back if there is no text."""

    type = "away"
    text: Annotated[str, Field(description="The away message, for people who write to us.")] = ""


@fact
class Leave(Request):
    """Leave the chat, once every text is acknowledged or has failed."""

    type = "quit"
    why: Why = ""


_ALL = (
    Say, ResendText, Join, Part, History, ReadUpTo, TypingState, SlashCommand, Raw, GoAway, Leave,
)  # fmt: skip

Targeted = Say | History | ReadUpTo | TypingState | SlashCommand

#: By their types.
KINDS: dict[str, type[Request]] = {kind.type: kind for kind in _ALL}


def ask(session: Requests, request: Request) -> None:
    """Call the method of the same name, with the same arguments. There is none for Leave."""
    method = "say_to" if isinstance(request, Say) else request.type
    getattr(session, method)(**{each.name: getattr(request, each.name) for each in fields(request)})
