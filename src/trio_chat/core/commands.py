"""What somebody asks. Who asks is not in here: the connection knows, and says it beside."""

from trio_chat.core.fact import fact


@fact
class Enter:
    """Let me in under this nickname, or, if it cannot be and ``near`` is set, under a like one."""

    nick: str
    near: bool = False


@fact
class Say:
    """Text to a room that the speaker is in; ``action`` is /me."""

    room: str
    text: str
    action: bool = False


@fact
class Tell:
    """Text to one person."""

    nick: str
    text: str


@fact
class Join:
    room: str


@fact
class Leave:
    room: str


@fact
class Rename:
    nick: str


@fact
class SetTopic:
    """A room's topic; an empty text removes it."""

    room: str
    text: str


@fact
class Quit:
    """Goodbye. ``why`` is what the one who leaves is told."""

    why: str = "Goodbye!"


@fact
class ListMembers:
    room: str


@fact
class ListRooms:
    pass


@fact
class ShowTopic:
    room: str


#: What Chat.decide makes an event of, or refuses.
Request = Say | Tell | Join | Leave | Rename | SetTopic
#: What Chat.answer answers.
Query = ListMembers | ListRooms | ShowTopic
Command = Enter | Quit | Request | Query
