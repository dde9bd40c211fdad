"""What somebody asks. Who asks is not in here: the connection knows, and says it beside."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Enter:
    """Let me in under this nickname, or, if it cannot be and ``near`` is set, under a like one."""

    nick: str
    near: bool = False


@dataclass(frozen=True, slots=True)
class Say:
    """Text to a room that the speaker is in; ``action`` is /me."""

    room: str
    text: str
    action: bool = False


@dataclass(frozen=True, slots=True)
class Tell:
    """Text to one person."""

    nick: str
    text: str


@dataclass(frozen=True, slots=True)
class Join:
    room: str


@dataclass(frozen=True, slots=True)
class Leave:
    room: str


@dataclass(frozen=True, slots=True)
class Rename:
    nick: str


@dataclass(frozen=True, slots=True)
class SetTopic:
    """A room's topic; an empty text removes it."""

    room: str
    text: str


@dataclass(frozen=True, slots=True)
class Quit:
    """Goodbye. ``why`` is what the one who leaves is told."""

    why: str = "Goodbye!"


@dataclass(frozen=True, slots=True)
class ListMembers:
    room: str


@dataclass(frozen=True, slots=True)
class ListRooms:
    pass


@dataclass(frozen=True, slots=True)
class ShowTopic:
    room: str


#: What Chat.decide makes an event of, or refuses.
Request = Say | Tell | Join | Leave | Rename | SetTopic
#: What Chat.answer answers.
Query = ListMembers | ListRooms | ShowTopic
Command = Enter | Quit | Request | Query
