"""The client at the other end of a connection, as the server knows it."""

from collections.abc import Mapping

from trio_chat.core.events import NOWHERE, Change
from trio_chat.core.masks import address
from trio_chat.core.metadata import Values
from trio_chat.core.modes import with_letter
from trio_chat.protocols.irc.caps import NO_CAPS, RENDERED
from trio_chat.protocols.irc.dialect import IrcDialect, OwnIrcDialect, irc_dialect, own_dialect

_NOBODY: Mapping[str, str] = {}


class Peer:
    """A client: its nickname, modes, capabilities, and the nicknames and keys of metadata that it
    watches.

    ``server`` is the name of the server. ``nick`` is empty until the client is registered.
    ``refused_nick`` is the last that it could not have because that is somebody's account;
    ``begun_in`` (folded) is the room that it has entered because it was in none;
    ``metadata`` is what it wants to have as soon as it is registered.
    """

    __slots__ = (
        "_server", "begun_in", "caps", "metadata", "modes", "nick", "origin", "refused_nick",
        "subs", "watched",
    )  # fmt: skip

    def __init__(self, server: str) -> None:
        self._server = server
        self.nick, self.origin, self.modes = "", NOWHERE, ""
        self.refused_nick = self.begun_in = ""
        self.watched: Mapping[str, str] = _NOBODY  # nicknames, by their folds
        self.subs: tuple[str, ...] = ()  # keys of metadata
        self.metadata: Values = ()
        self.caps = NO_CAPS

    @property
    def registered(self) -> bool:
        """Whether the client has been let in."""
        return bool(self.nick)

    @property
    def address(self) -> str:
        """The client's ``nick!user@host``, as others see it."""
        return address(self.nick, self.origin)

    @property
    def dialect(self) -> IrcDialect:
        """The dialect in which it is written to."""
        return irc_dialect(self.caps & RENDERED, self._server)

    @property
    def own_dialect(self) -> OwnIrcDialect:
        """The dialect in which it is shown its own actions."""
        return own_dialect(self.caps & RENDERED, self._server)

    def set_mode(self, change: Change) -> None:
        """Note that one of its modes has changed."""
        self.modes = with_letter(self.modes, change.mode, add=change.add)
