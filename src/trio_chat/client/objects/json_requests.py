"""What a program may ask for: objects of JSON, each of which is an intent.

The fields, their bounds and the texts beside them are what docs/client.schema.json is made of.
"""

import json
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from trio_chat.client.intents import (
    AskHistory,
    Intent,
    JoinRoom,
    MarkRead,
    PartRoom,
    Quit,
    Resend,
    RunCommand,
    SayTo,
    SendRaw,
    SetAway,
    SetTyping,
)
from trio_chat.core.letters import cut
from trio_chat.protocols.irc.text import is_invisible
from trio_chat.protocols.irc.times import read_timestamp
from trio_chat.protocols.unacked import ID_FORM, new_token

# One name, without what would make two of it on the way, or another part of a line.
_NAME = r"^[^\s\x00-\x1f\x7f:,]+$"
# Something that can be seen; and the same on one line.
_SEEN = r"[^\s\x00-\x1f]"
_LINE = r"^[^\r\n\x00]*[^\s\x00-\x1f][^\r\n\x00]*$"

Target = Annotated[
    str,
    Field(
        pattern=_NAME,
        max_length=200,
        description="A room or a person, as one word; the first room, if it is missing.",
    ),
]
Room = Annotated[str, Field(pattern=_NAME, max_length=200, description="A room, as one word.")]


def _check_visible(text: str) -> str:
    if is_invisible(text):
        raise ValueError("nothing could be seen of it")
    return text


def _check_time(time: str) -> str:
    if read_timestamp(time) is None:
        raise ValueError("there is no such moment")
    return time


Text = Annotated[
    str,
    Field(pattern=_SEEN, description="A text that is not blank."),
    AfterValidator(_check_visible),
]
Why = Annotated[str, Field(description="What the others are told.")]
Token = Annotated[
    str,
    Field(
        pattern=f"^{ID_FORM}$",
        description="16 to 56 letters of ASCII, digits, - and _.",
    ),
]


class Request(BaseModel):
    """``intent`` is what is wanted, of ``room`` where no target is named."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    type: str

    def intent(self, room: str) -> Intent:
        raise NotImplementedError


class Say(Request):
    """Say a text to a room or a person: as one message, or a message a line if that cannot be."""

    type: Literal["say"]
    text: Text
    target: Target = ""
    action: bool = Field(default=False, description="As /me does: * alice waves.")
    token: Token = ""

    def intent(self, room: str) -> SayTo:
        return SayTo(self.target or room, self.text, self.action, self.token or new_token())


class ResendText(Request):
    """Say again what has failed."""

    type: Literal["resend"]
    token: str = Field(description="That of the message failed.")

    def intent(self, room: str) -> Resend:
        return Resend(self.token)


class Join(Request):
    """Enter one more room; also again after each cut, until it is left."""

    type: Literal["join"]
    room: Room
    key: str = Field(
        default="", pattern=_NAME, max_length=200, description="The room's password, one word."
    )

    def intent(self, room: str) -> JoinRoom:
        return JoinRoom(self.room, self.key)


class Part(Request):
    """Leave a room."""

    type: Literal["part"]
    room: Room
    why: Why = ""

    def intent(self, room: str) -> PartRoom:
        return PartRoom(self.room, self.why)


class History(Request):
    """Ask for what was said before: it comes as said, earlier, and then page_end."""

    type: Literal["history"]
    target: Target = ""
    before: str = Field(
        default="",
        pattern=r"^[^\s\x00-\x1f]+$",
        max_length=400,
        description="The msgid of the message before which it was; missing, the last ones come.",
    )
    limit: int = Field(
        default=100, ge=1, le=1000, description="The most messages. A server may give fewer."
    )

    def intent(self, room: str) -> AskHistory:
        return AskHistory(self.target or room, self.before, self.limit)


class ReadUpTo(Request):
    """All up to a time has been read; without one, ask until when that is."""

    type: Literal["mark_read"]
    target: Target = ""
    time: Annotated[str, AfterValidator(_check_time)] = Field(
        default="",
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$",
        description="As that of a message: 2026-01-31T09:30:00.000Z.",
    )

    def intent(self, room: str) -> MarkRead:
        return MarkRead(self.target or room, self.time)


class TypingState(Request):
    """Show that a text is being written, or not any more."""

    type: Literal["typing"]
    target: Target = ""
    active: bool = Field(default=True, description="False if it is not any more.")

    def intent(self, room: str) -> SetTyping:
        return SetTyping(self.target or room, self.active)


class SlashCommand(Request):
    """Do a command of the chat; /help lists them."""

    type: Literal["command"]
    line: str = Field(
        pattern=r"^/[^\r\n\x00]+$", description="One line that begins with a slash: /topic tea."
    )
    target: Target = ""

    def intent(self, room: str) -> RunCommand:
        return RunCommand(self.line, self.target or room)


class Raw(Request):
    """Send a line of IRC as it is."""

    type: Literal["raw"]
    line: str = Field(pattern=_LINE, description="One line that is not blank.")

    def intent(self, room: str) -> SendRaw:
        return SendRaw(self.line)


class GoAway(Request):
    """Be away; without a text, be back."""

    type: Literal["away"]
    text: str = Field(default="", description="What others are told who write to us.")

    def intent(self, room: str) -> SetAway:
        return SetAway(self.text)


class Leave(Request):
    """End the chat, once it is known what has become of all that was said."""

    type: Literal["quit"]
    why: Why = ""

    def intent(self, room: str) -> Quit:
        return Quit(self.why)


AnyRequest = (
    Say | ResendText | Join | Part | History | ReadUpTo | TypingState | SlashCommand | Raw | GoAway
    | Leave
)  # fmt: skip

REQUESTS: TypeAdapter[AnyRequest] = TypeAdapter(Annotated[AnyRequest, Field(discriminator="type")])

#: By their types.
KINDS: dict[str, type[Request]] = {
    get_args(kind.model_fields["type"].annotation)[0]: kind for kind in get_args(AnyRequest)
}


class BadRequest(ValueError):
    """What a program has written is no request; the text is one line that says why."""


def read_request(line: bytes) -> Request:
    """Raises BadRequest."""
    try:
        return REQUESTS.validate_json(line)
    except ValidationError as error:
        raise BadRequest(_why(error)) from None


def _why(error: ValidationError) -> str:
    """Of all that is wrong the first thing, in a sentence."""
    first = error.errors(include_url=False, include_input=False)[0]
    kind, field = (*first["loc"], "", "")[:2]
    match first["type"]:
        case "json_invalid":
            return f"This is no JSON: {first['ctx']['error']}."
        case "model_type" | "model_attributes_type" | "dict_type":
            return "This is no object of JSON."
        case "union_tag_not_found":
            return f'"type" is missing. {_THERE_ARE}'
        case "union_tag_invalid":
            return f"There is no type {_quoted(first['ctx']['tag'])}. {_THERE_ARE}"
        case "missing":
            return f'"{field}" is missing in {kind}.'
        case "extra_forbidden":
            return f"There is no {_quoted(field)} in {kind}."
        case "string_pattern_mismatch" | "string_too_long" | "value_error":
            right = KINDS[str(kind)].model_fields[str(field)].description
            return f'"{field}" in {kind} is wrong. {right}'
    return f'"{field}" in {kind} is wrong. {first["msg"]}.'


_THERE_ARE = f"There are {', '.join(KINDS)}."

_QUOTED_MAX = 50  # characters of what somebody else has written


def _quoted(text: Any) -> str:
    return json.dumps(cut(str(text), _QUOTED_MAX), ensure_ascii=False)
