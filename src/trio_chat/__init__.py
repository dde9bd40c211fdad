"""trio-chat: a small chat server and client on trio.

async with trio_chat.open_chat("127.0.0.1", 55555, nick="echo") as chat:
    async for message in chat: ...

server = await nursery.start(trio_chat.serve, trio_chat.Settings(port=0))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trio_chat.app import serve
    from trio_chat.client.chat import Chat, Incoming, Message, open_chat
    from trio_chat.core.events import (
        AwaySet,
        Change,
        Departed,
        Joined,
        Kicked,
        Left,
        ModesSet,
        Notice,
        Origin,
        Renamed,
        Said,
        Topic,
        TopicSet,
    )
    from trio_chat.errors import (
        CannotConnect,
        CannotListen,
        ChatError,
        ConnectionLost,
        NotAdmitted,
        SettingsError,
        Unsupported,
    )
    from trio_chat.protocols.client import (
        Acknowledged,
        Earlier,
        Failed,
        InRoom,
        Lag,
        Linked,
        Look,
        MarkedRead,
        Member,
        OutOfRoom,
        PageEnd,
        Roster,
        Run,
        Sent,
        Stamped,
        Typing,
        Unlinked,
    )
    from trio_chat.protocols.resume_state import ResumeState
    from trio_chat.protocols.unacked import new_token
    from trio_chat.server.server import Server
    from trio_chat.settings import Settings

# Where each public name lives. They are imported when they are asked for: the command line wants
# its --help at once, and a client no server.
_HOMES = {
    "trio_chat.app": ("serve",),
    "trio_chat.client.chat": ("Chat", "Incoming", "Message", "open_chat"),
    "trio_chat.core.events": (
        "AwaySet",
        "Change",
        "Departed",
        "Joined",
        "Kicked",
        "Left",
        "ModesSet",
        "Notice",
        "Origin",
        "Renamed",
        "Said",
        "Topic",
        "TopicSet",
    ),
    "trio_chat.errors": (
        "CannotConnect",
        "CannotListen",
        "ChatError",
        "ConnectionLost",
        "NotAdmitted",
        "SettingsError",
        "Unsupported",
    ),
    "trio_chat.protocols.client": (
        "Acknowledged",
        "Earlier",
        "Failed",
        "InRoom",
        "Lag",
        "Linked",
        "Look",
        "MarkedRead",
        "Member",
        "OutOfRoom",
        "PageEnd",
        "Roster",
        "Run",
        "Sent",
        "Stamped",
        "Typing",
        "Unlinked",
    ),
    "trio_chat.protocols.resume_state": ("ResumeState",),
    "trio_chat.protocols.unacked": ("new_token",),
    "trio_chat.server.server": ("Server",),
    "trio_chat.settings": ("Settings",),
}

__all__ = [
    "Acknowledged",
    "AwaySet",
    "CannotConnect",
    "CannotListen",
    "Change",
    "Chat",
    "ChatError",
    "ConnectionLost",
    "Departed",
    "Earlier",
    "Failed",
    "InRoom",
    "Incoming",
    "Joined",
    "Kicked",
    "Lag",
    "Left",
    "Linked",
    "Look",
    "MarkedRead",
    "Member",
    "Message",
    "ModesSet",
    "NotAdmitted",
    "Notice",
    "Origin",
    "OutOfRoom",
    "PageEnd",
    "Renamed",
    "ResumeState",
    "Roster",
    "Run",
    "Said",
    "Sent",
    "Server",
    "Settings",
    "SettingsError",
    "Stamped",
    "Topic",
    "TopicSet",
    "Typing",
    "Unlinked",
    "Unsupported",
    "new_token",
    "open_chat",
    "serve",
]


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
