"""The facts that IRC clients are told of a server."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from trio_chat.core.commands import AWAY_MAX, KEY_MAX, KICK_MAX, LIST_MAX, TOPIC_MAX
from trio_chat.core.modes import ACCOUNT, COUNTED, FLAGS, KEYED, LISTS, MUTE, STATUS
from trio_chat.core.names import NAME_MAX, NICK_MAX, ROOM_MAX
from trio_chat.protocols.irc.message import word

#: The capability to register an account (ircv3.net, "account-registration"); and trio-chat's own: a
#: client shows who it was, and finds the commands of our own client.
REGISTRATION, IDENTITY = "draft/account-registration", "trio-chat/identity"
#: The capability, and the kind of batch, of what was said to somebody while they were not here.
MISSED = "trio-chat/missed"
#: The capability of a client that is not to come into the rooms where its owner was.
NO_ROOMS = "trio-chat/no-rooms"
#: The tag of a JOIN by which a client enters again, by itself, a room where it has been.
REMEMBERED_TAG = "+trio-chat/remembered"
#: The tag of a JOIN by which a client enters a room only if its owner is in none otherwise.
OTHERWISE_TAG = "+trio-chat/otherwise"
REDACTION = "draft/message-redaction"

#: Tags of trio-chat's own: the time (seconds) and the reason of a ban of a room, and whom it is
#: about, on its MODE; on a NOTICE that it says again what those tell; and that somebody has to look
#: at it soon.
SECONDS_TAG, WHY_TAG, WHOM_TAG = "trio-chat/seconds", "trio-chat/why", "trio-chat/whom"
AGAIN_TAG, URGENT_TAG = "trio-chat/again", "trio-chat/urgent"

#: The mechanism of a login that tells the password (RFC 4616).
PLAIN = "PLAIN"

#: The capability to be told that a room has another name.
RENAMING = "draft/channel-rename"

#: The capability to describe people and rooms, and to be told of that.
METADATA = "draft/metadata-3"

TARGETS_MAX = 4  # of one PRIVMSG, NOTICE, TAGMSG or KICK
WATCHED_MAX = 100  # nicknames of one client's MONITOR list
HISTORY_MAX = 200  # messages of one CHATHISTORY
FOUND_MAX = 100  # messages of one SEARCH
LINE_MAX = 512  # bytes with CR LF (modern.ircdocs.horse, "Message Format")
SASL_CHUNK = 400  # characters of base64 in one AUTHENTICATE; a shorter one is the last
TAGS_MAX = 8191  # bytes with "@" and the blank (message-tags, "Size limit")
CLIENT_TAGS_MAX = 4094  # bytes of data that a client may send in them

_TOKENS = 12  # per line: 13 are legal, but TinyIRC and ircII read no more before the last text


@dataclass(frozen=True)
class ServerInfo:
    """A server's name, network, version and limits; ``created`` is its start, in words.

    ``account_required`` says that guests need an invitation, or are not let in at all;
    ``registration`` is the value of the capability to register, None if nobody can;
    ``build`` names the content of the page in the browser, empty if there is none.
    """

    name: str
    network: str
    version: str
    created: str
    motd: Sequence[str] = ()
    rooms_each: int = 100
    account_required: bool = False
    registration: str | None = "before-connect"
    build: str = ""

    @cached_property
    def support(self) -> Sequence[str]:
        """The lines of RPL_ISUPPORT (005) after the nickname: every client is told the same."""
        tokens = [word(token) for token in self._tokens()]
        lines = (tokens[begin : begin + _TOKENS] for begin in range(0, len(tokens), _TOKENS))
        return [f"{' '.join(line)} :are supported by this server" for line in lines]

    def _tokens(self) -> Iterator[str]:
        """The tokens of RPL_ISUPPORT: all that they promise is kept."""
        yield "CASEMAPPING=ascii"
        yield "CHANTYPES=#"
        yield f"PREFIX=({''.join(STATUS)}){''.join(STATUS.values())}"
        yield f"STATUSMSG={''.join(STATUS.values())}"
        yield f"CHANMODES={LISTS},{KEYED},{COUNTED},{FLAGS}"
        yield "EXCEPTS=e"
        yield "INVEX=I"
        yield f"MAXLIST={LISTS}:{LIST_MAX}"
        yield "MODES=20"
        yield f"CHANLIMIT=#:{self.rooms_each}"
        yield f"CHANNELLEN={ROOM_MAX}"
        yield f"NICKLEN={NICK_MAX}"
        yield f"TOPICLEN={TOPIC_MAX}"
        yield f"AWAYLEN={AWAY_MAX}"
        yield f"NAMELEN={NAME_MAX}"
        yield f"KEYLEN={KEY_MAX}"
        yield f"KICKLEN={KICK_MAX}"
        several = ("PRIVMSG", "NOTICE", "TAGMSG", "KICK", "NAMES")
        targets = [f"{name}:{TARGETS_MAX}" for name in several]
        yield f"TARGMAX={','.join(targets)},JOIN:,PART:,WHOIS:1,WHOWAS:1"
        yield f"EXTBAN=,{ACCOUNT[0]}{MUTE[0]}"
        yield f"ACCOUNTEXTBAN={ACCOUNT[0]}"
        yield "ELIST=CMNTU"
        yield "SAFELIST"
        yield f"MONITOR={WATCHED_MAX}"
        yield f"CHATHISTORY={HISTORY_MAX}"
        yield "MSGREFTYPES=msgid,timestamp"
        yield "WHOX"
        yield "BOT=B"
        yield "UTF8ONLY"
        if self.account_required:
            yield "draft/ACCOUNTREQUIRED"
        yield f"NETWORK={self.network}"
        if self.build:
            yield f"trio-chat/BUILD={self.build}"
