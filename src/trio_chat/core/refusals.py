"""The reasons for refusals, for dialects that have a code for them."""

from enum import Enum, auto


class Code(Enum):
    """A reason. The comment beside each names what the refusal is ``about``, in this order."""

    OTHER = auto()
    BAD_COMMAND = auto()
    NO_SUCH_NICK = auto()  # nick
    CANNOT_WRITE_TO = auto()  # nick
    NO_SUCH_ROOM = auto()  # room
    CANNOT_SAY = auto()  # room
    NICK_TAKEN = auto()  # nick
    NICK_OWNED = auto()  # nick
    BAD_NICK = auto()  # nick
    SAME_NICK = auto()
    BAD_NAME = auto()
    CANNOT_RENAME = auto()  # nick, room
    CANNOT_SET_NAME = auto()
    BAD_ROOM = auto()  # room
    CANNOT_RENAME_ROOM = auto()  # room, new name
    ROOM_NAME_TAKEN = auto()  # room, new name
    BAD_ARGUMENT = auto()  # room, mode, argument
    TOO_MANY_ROOMS = auto()  # room
    NOT_IN_ROOM = auto()  # room
    TARGET_NOT_IN_ROOM = auto()  # nick, room
    ALREADY_IN_ROOM = auto()  # nick, room
    FULL = auto()  # room
    INVITE_ONLY = auto()  # room
    BANNED = auto()  # room
    BAD_MASK = auto()
    NO_SUCH_BAN = auto()
    NOT_BANNABLE = auto()
    TOO_MANY_BANS = auto()
    NO_CHANGE = auto()
    BANNED_FROM_CHAT = auto()
    MUTED = auto()
    LOCKED = auto()
    TOO_MANY_DEVICES = auto()
    NEED_ACCOUNT = auto()  # room or nick
    NEED_ACCOUNT_TO_SAY = auto()  # room
    BAD_KEY = auto()  # room
    NEED_OP = auto()  # room
    LIST_FULL = auto()  # room, mask, mode
    NOT_AN_OPERATOR = auto()
    WRONG_PASSWORD = auto()
    BAD_PASSWORD = auto()
    BAD_INVITATION = auto()
    ACCOUNT_REQUIRED = auto()
    INVITATION_REQUIRED = auto()
    NEED_INVITATION = auto()
    WEAK_PASSWORD = auto()
    ACCOUNT_EXISTS = auto()  # nick
    LOGGED_IN = auto()
    NOT_LOGGED_IN = auto()
    TOO_LONG = auto()
    TOO_FAST = auto()  # seconds
    TOO_MANY_CONNECTIONS = auto()  # seconds
    SHUTTING_DOWN = auto()  # seconds
    BAD_METADATA_KEY = auto()  # key
    BAD_METADATA_VALUE = auto()  # key
    METADATA_FULL = auto()  # room or nick
    UNAVAILABLE = auto()
    UNREADABLE = auto()  # room or nick
    UNKNOWN_MESSAGE = auto()
    NOT_THE_AUTHOR = auto()
    TOO_LATE_TO_REDACT = auto()  # seconds
