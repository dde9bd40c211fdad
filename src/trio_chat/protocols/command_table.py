"""The commands of our clients, in the terminal and in the browser: how each is written, what it
does, and how many words it needs. What it sends stands with the client.
"""

from collections.abc import Mapping

from trio_chat.protocols import invitation
from trio_chat.protocols.audit import OF_AUDIT, OF_REPORT, OF_REPORTS
from trio_chat.protocols.moderation import OF_MODERATION
from trio_chat.protocols.slashes import OF_ACCOUNTS, OF_MENTIONS, OF_STATUS

_OF_TALK = {
    "help": ("", "show this list", 0),
    "nick": ("NAME", "change your nickname", 1),
    "me": ("TEXT", "say what you do: * alice waves", 1),
    "msg": ("NAME TEXT", "say something to one person only", 2),
    "notice": ("NAME TEXT", "send a notice, which bots do not answer", 2),
    "query": ("NAME [TEXT]", "talk to one person in private", 1),
    "away": ("[TEXT]", "mark yourself away; without a text, back", 0),
    "history": ("[NUMBER]", "show the last messages in the room, with their times", 0),
    "search": ("WORDS", "search for messages with all these words", 1),
    "remove": (
        "last|last NAME|topic|ID [WHY]",
        "remove your last message, or a topic; an operator also others'",
        1,
    ),
    "whois": ("NAME", "show who somebody is", 1),
    "raw": ("LINE", "send a line of IRC unchanged", 1),
    "reconnect": ("", "reconnect", 0),
    "quit": ("[WORDS]", "leave", 0),
}

_OF_ROOMS = {
    "join": ("ROOM [KEY]", "go to another room, or make a new one", 1),
    "part": ("[ROOM] [WHY]", "leave the room", 0),
    "invite": ("NAME [ROOM]", "invite somebody to the room", 1),
    "kick": ("[ROOM] NAME [WHY]", "remove somebody from the room, if you are its operator", 1),
    "rooms": ("", "list the rooms", 0),
    "who": ("[ROOM]", "list the people in the room", 0),
    "rename": ("[ROOM] NAME [WHY]", "give the room another name", 1),
    "topic": ("[ROOM|TEXT]", "show the room's topic or set it; - removes it", 0),
    "mode": ("[MODES]", "show the room's modes or set them, as in +o NAME", 0),
}

_OF_PAGES = {
    "close": ("", "close this page and leave the room", 0),
    "page": ("NAME", "go to another page, by name or number", 1),
    "clear": ("", "clear this page", 0),
    "ignore": ("[MASK]", "hide what NAME or NAME!USER@HOST says; * matches anything", 0),
    "unignore": ("MASK", "stop ignoring", 1),
}

#: The commands, as rows of /help begin, by their names.
COMMAND_TABLE: Mapping[str, tuple[str, str, int]] = dict(
    sorted(
        {
            **_OF_TALK,
            **_OF_ROOMS,
            **_OF_PAGES,
            **OF_STATUS,
            **OF_ACCOUNTS,
            **OF_MODERATION,
            "invitation": (invitation.ARGUMENTS, invitation.DOES, 0),
            "mentions": OF_MENTIONS,
            "report": OF_REPORT,
            "reports": OF_REPORTS,
            "audit": OF_AUDIT,
        }.items()
    )
)
