"""The lines of a buffer, in their order."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["said", "action", "notice", "event", "day", "own note"]
State = Literal["sent", "pending", "failed"]

#: Lines that a buffer keeps; the oldest go.
LINES_MAX = 50_000


@dataclass(slots=True, eq=False)
class Line:
    """``key`` is its own as long as the program runs, whatever becomes of the line. ``time`` is unix
    time in seconds, the server's if it is ``stamped``. ``id`` is the server's, if it has one;
    ``token`` the session's, if we have said it. ``why`` it has failed.
    """

    key: int
    time: float
    text: str
    kind: Kind = "event"
    nick: str = ""
    prefix: str = ""
    id: str = ""
    own: bool = False
    mention: bool = False
    stamped: bool = False
    state: State = "sent"
    token: str = ""
    why: str = ""
