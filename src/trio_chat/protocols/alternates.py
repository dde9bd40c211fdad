"""The nicknames that a client tries when the one it wants is taken."""

from trio_chat.core.names import alternate_nick, fold

# One person may have this many clients; beyond that something else is wrong.
_ATTEMPTS = 30

# The number that alternate_nick puts after a name.
_COUNT = len("_30")


class Alternates:
    """Nicknames in turn; ``nick`` is the present one. Unless ``allowed``, there are no others."""

    def __init__(self, wanted: str, *, allowed: bool) -> None:
        self.nick = self.wanted = wanted
        self._base, self._allowed = wanted, allowed
        self._refused: set[str] = set()

    def next(self, refused: str) -> bool:
        """Go on to the next nickname, as the server has refused ``nick``, which it may have cut to
        ``refused``. Returns whether there is one.
        """
        self._refused.add(fold(self.nick))
        if not self._allowed or len(self._refused) > _ATTEMPTS:
            return False
        if refused and len(refused) < len(self.nick) and self.nick.startswith(refused):
            self._base = self.wanted[: max(1, len(refused) - _COUNT)]
        self.nick = alternate_nick(self._base, lambda nick: fold(nick) in self._refused)
        return True

    def notice(self, nick: str, why: str = "") -> str:
        """Return a sentence for the person, once the server has let us in as ``nick``; empty if it
        is the one wanted. ``why`` is the server's, if it has said it.
        """
        if not self._refused:
            return ""
        why = why or f"The nickname {self.wanted} is taken."
        return f"{why} You are {nick} for now; /nick changes that."
