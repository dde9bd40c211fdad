"""The nicknames that a client tries when the one it would like is taken."""

from trio_chat.core.names import alternate_nick, fold

# So many clients of one person may be there; beyond that something else is wrong.
_ATTEMPTS = 30

# The number that alternate_nick puts after a name.
_COUNT = len("_30")


class Alternates:
    """Tries nicknames in turn; ``nick`` is the present one. Unless ``allowed``, there are no
    others.
    """

    def __init__(self, wanted: str, *, allowed: bool) -> None:
        self.nick = self.wanted = wanted
        self._base, self._allowed = wanted, allowed
        self._refused: set[str] = set()

    def next(self, refused: str) -> bool:
        """Take note that the server has refused ``nick``, which it may have cut: ``refused`` is how
        it writes it.

        Returns whether there is another one, which is then ``nick``.
        """
        self._refused.add(fold(self.nick))
        if not self._allowed or len(self._refused) > _ATTEMPTS:
            return False
        if refused and len(refused) < len(self.nick) and self.nick.startswith(refused):
            self._base = self.wanted[: max(1, len(refused) - _COUNT)]
        self.nick = alternate_nick(self._base, lambda nick: fold(nick) in self._refused)
        return True

    def notice(self, nick: str) -> str:
        """The sentence for the person, once the server has let us in as ``nick``; empty if it is
        the one wanted.
        """
        if not self._refused:
            return ""
        return f"The nickname {self.wanted} is taken. You are {nick} for now; /nick changes that."
