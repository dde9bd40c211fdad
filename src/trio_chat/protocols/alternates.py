"""Which nickname a client takes if the one that it would like is taken."""

from trio_chat.core.names import fold, near_nick

# Of one account so many clients may be there; then something else is wrong.
_ATTEMPTS = 30

# What near_nick puts behind a name.
_COUNT = len("_30")


class Alternates:
    """``nick`` is what is tried now. Unless others are ``allowed``, there is no other."""

    def __init__(self, wanted: str, *, allowed: bool) -> None:
        self.nick = self.wanted = wanted
        self._base, self._allowed = wanted, allowed
        self._refused: set[str] = set()

    def next(self, refused: str) -> bool:
        """The server has refused ``nick``, and writes it like this: it may have cut it. Returns
        whether there is another one, which is ``nick`` from now on.
        """
        self._refused.add(fold(self.nick))
        if not self._allowed or len(self._refused) > _ATTEMPTS:
            return False
        if refused and len(refused) < len(self.nick) and self.nick.startswith(refused):
            self._base = self.wanted[: max(1, len(refused) - _COUNT)]
        self.nick = near_nick(self._base, lambda nick: fold(nick) in self._refused)
        return True

    def notice(self, nick: str) -> str:
        """What the person is to know of it, once the server has let us in as ``nick``."""
        if not self._refused:
            return ""
        return f"The nickname {self.wanted} is taken. You are {nick} for now; /nick changes that."
