"""All that the session may tell."""

from trio_chat.core.events import AwaySet, Departed, Kicked, ModesSet, Topic
from trio_chat.protocols.client import (
    Acknowledged,
    Failed,
    InRoom,
    Lag,
    Linked,
    MarkedRead,
    Message,
    OutOfRoom,
    PageEnd,
    Roster,
    Sent,
    Typing,
    Unlinked,
)

News = (
    Message | Kicked | ModesSet | Departed | AwaySet | Topic | Roster | InRoom | OutOfRoom | Typing
    | Sent | Acknowledged | Failed | PageEnd | MarkedRead | Linked | Unlinked | Lag
)  # fmt: skip
