"""What a client in many rooms can be asked to do: facts, one for each method of the same meaning
that ``Requests`` has (protocols/client.py). Their answers come as messages.
"""

from trio_chat.core.fact import fact


@fact
class SayTo:
    """``token`` as in ``Requests.say_to``."""

    target: str
    text: str
    action: bool = False
    token: str = ""


@fact
class Resend:
    """Of a text that has failed."""

    token: str


@fact
class JoinRoom:
    room: str
    key: str = ""


@fact
class PartRoom:
    room: str
    why: str = ""


@fact
class AskHistory:
    """The messages before this one; or the last ones, if it is empty."""

    target: str
    before_msgid: str
    limit: int


@fact
class MarkRead:
    """Up to this time (ISO 8601); or ask until when that is, if it is empty."""

    target: str
    time: str


@fact
class SetTyping:
    target: str
    active: bool


@fact
class RunCommand:
    """A slash command that was typed in the buffer of ``target``."""

    line: str
    target: str


@fact
class SendRaw:
    line: str


@fact
class SetAway:
    """Back, if there is no text."""

    text: str


@fact
class Quit:
    words: str = ""


Intent = (
    SayTo | Resend | JoinRoom | PartRoom | AskHistory | MarkRead | SetTyping | RunCommand | SendRaw
    | SetAway | Quit
)  # fmt: skip
