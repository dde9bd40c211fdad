"""What the person at the screen wants of the session: each is one of its methods and what it takes.

A ``target`` is a room or a nickname; empty, it is the server itself.
"""

from trio_chat.core.fact import fact


@fact
class SayTo:
    target: str
    text: str
    action: bool = False


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
    """For the messages before this one; for the newest if it is empty."""

    target: str
    before_msgid: str
    limit: int


@fact
class MarkRead:
    """Up to this moment, ISO 8601."""

    target: str
    time: str


@fact
class SetTyping:
    target: str
    active: bool


@fact
class RunCommand:
    """A line that begins with a slash, typed in the buffer ``target``."""

    line: str
    target: str


@fact
class Resend:
    token: str


@fact
class Quit:
    """To leave the chat and the program, with some last words or none."""

    why: str = ""


Intent = (
    SayTo | JoinRoom | PartRoom | AskHistory | MarkRead | SetTyping | RunCommand | Resend | Quit
)
