"""What the server knows of the client at the other end of a connection."""

from trio_chat.core.events import NOWHERE, Change
from trio_chat.core.masks import address
from trio_chat.core.modes import with_letter
from trio_chat.protocols.irc.caps import RENDERED
from trio_chat.protocols.irc.dialect import IrcDialect, OwnIrcDialect, irc_dialect, own_dialect


class Peer:
    """``server`` is the name of the server. There is a ``nick`` once the client is registered."""

    def __init__(self, server: str) -> None:
        self._server = server
        self.nick, self.origin, self.modes = "", NOWHERE, ""
        self.watched: dict[str, str] = {}  # nicknames, by their folds
        self.caps: frozenset[str] = frozenset()

    @property
    def registered(self) -> bool:
        return bool(self.nick)

    @property
    def address(self) -> str:
        """``nick!user@host``, as others see it."""
        return address(self.nick, self.origin)

    @property
    def dialect(self) -> IrcDialect:
        return irc_dialect(self.caps & RENDERED, self._server)

    @property
    def own_dialect(self) -> OwnIrcDialect:
        """How it is shown what it has done itself."""
        return own_dialect(self.caps & RENDERED, self._server)

    def set_mode(self, change: Change) -> None:
        self.modes = with_letter(self.modes, change.mode, add=change.add)
