"""trio-chat: a small chat server and client on trio.

async with trio_chat.open_chat("127.0.0.1", 55555, nick="echo") as chat:
    async for message in chat: ...

server = await nursery.start(trio_chat.serve, trio_chat.Settings(port=0))
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trio_chat.app import serve as serve
    from trio_chat.client.chat import Chat as Chat
    from trio_chat.client.chat import Incoming as Incoming
    from trio_chat.client.chat import Message as Message
    from trio_chat.client.chat import open_chat as open_chat
    from trio_chat.core.events import AwaySet as AwaySet
    from trio_chat.core.events import Change as Change
    from trio_chat.core.events import Departed as Departed
    from trio_chat.core.events import Joined as Joined
    from trio_chat.core.events import Kicked as Kicked
    from trio_chat.core.events import Left as Left
    from trio_chat.core.events import ModesSet as ModesSet
    from trio_chat.core.events import Origin as Origin
    from trio_chat.core.events import Redacted as Redacted
    from trio_chat.core.events import Renamed as Renamed
    from trio_chat.core.events import RoomRenamed as RoomRenamed
    from trio_chat.core.events import Said as Said
    from trio_chat.core.events import TopicSet as TopicSet
    from trio_chat.core.room_state import Mask as Mask
    from trio_chat.core.views import Masks as Masks
    from trio_chat.core.views import Notice as Notice
    from trio_chat.core.views import Topic as Topic
    from trio_chat.errors import CannotConnect as CannotConnect
    from trio_chat.errors import CannotListen as CannotListen
    from trio_chat.errors import ChatError as ChatError
    from trio_chat.errors import ConnectionLost as ConnectionLost
    from trio_chat.errors import LoginFailed as LoginFailed
    from trio_chat.errors import NotAdmitted as NotAdmitted
    from trio_chat.errors import NotTrusted as NotTrusted
    from trio_chat.errors import SettingsError as SettingsError
    from trio_chat.errors import Uninvited as Uninvited
    from trio_chat.errors import Unsupported as Unsupported
    from trio_chat.protocols.client import Acknowledged as Acknowledged
    from trio_chat.protocols.client import Earlier as Earlier
    from trio_chat.protocols.client import Failed as Failed
    from trio_chat.protocols.client import InRoom as InRoom
    from trio_chat.protocols.client import Lag as Lag
    from trio_chat.protocols.client import Linked as Linked
    from trio_chat.protocols.client import Look as Look
    from trio_chat.protocols.client import MarkedRead as MarkedRead
    from trio_chat.protocols.client import Member as Member
    from trio_chat.protocols.client import Operator as Operator
    from trio_chat.protocols.client import OutOfRoom as OutOfRoom
    from trio_chat.protocols.client import PageEnd as PageEnd
    from trio_chat.protocols.client import RemovedMeanwhile as RemovedMeanwhile
    from trio_chat.protocols.client import Roster as Roster
    from trio_chat.protocols.client import Run as Run
    from trio_chat.protocols.client import Sent as Sent
    from trio_chat.protocols.client import Stamped as Stamped
    from trio_chat.protocols.client import Typing as Typing
    from trio_chat.protocols.client import Unlinked as Unlinked
    from trio_chat.protocols.resume_state import ResumeState as ResumeState
    from trio_chat.protocols.unacked import new_token as new_token
    from trio_chat.server.server import Server as Server
    from trio_chat.settings import Settings as Settings

# Where each public name lives. They are imported when they are asked for: the command line wants
# its --help at once, and a client no server.
_HOMES = {
    "trio_chat.app": "serve",
    "trio_chat.client.chat": "Chat Incoming Message open_chat",
    "trio_chat.core.events": (
        "AwaySet Change Departed Joined Kicked Left ModesSet Origin Redacted Renamed RoomRenamed "
        "Said TopicSet"
    ),
    "trio_chat.core.room_state": "Mask",
    "trio_chat.core.views": "Masks Notice Topic",
    "trio_chat.errors": (
        "CannotConnect CannotListen ChatError ConnectionLost LoginFailed NotAdmitted "
        "NotTrusted SettingsError Uninvited Unsupported"
    ),
    "trio_chat.protocols.client": (
        "Acknowledged Earlier Failed InRoom Lag Linked Look MarkedRead Member Operator "
        "OutOfRoom PageEnd RemovedMeanwhile Roster Run Sent Stamped Typing Unlinked"
    ),
    "trio_chat.protocols.resume_state": "ResumeState",
    "trio_chat.protocols.unacked": "new_token",
    "trio_chat.server.server": "Server",
    "trio_chat.settings": "Settings",
}
__all__ = sorted(name for names in _HOMES.values() for name in names.split())


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names.split():
            return getattr(import_module(home), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
