"""A server's description of itself (RPL_ISUPPORT), by which its modes are read."""

from collections.abc import Sequence

from trio_chat.core.events import Change

#: The prefixes of members on most servers, the highest first.
PREFIXES = "~&@%+"


class Supports:
    """The values of most servers hold until this one says otherwise."""

    def __init__(self) -> None:
        self.network = ""  # or the server's name, if it names no network
        self.prefixes = PREFIXES
        self.statuses = "qaohv"  # the modes that they stand for, in the same order
        self.bot = ""  # the flag of bots in WHO
        self._always, self._when_set = "beIk", "l"  # modes with an argument

    def learn(self, token: str) -> None:
        name, _, value = token.partition("=")
        match name:
            case "NETWORK":
                self.network = value
            case "BOT":
                self.bot = value[:1]
            case "PREFIX":
                self.statuses, _, self.prefixes = value.removeprefix("(").partition(")")
            case "CHANMODES":
                lists, always, when_set, *_ = (*value.split(","), "", "", "")
                self._always, self._when_set = lists + always, when_set

    def split(self, name: str) -> tuple[str, str]:
        """Split a member into prefixes and nickname."""
        nick = name.lstrip(self.prefixes) if self.prefixes else name
        return name[: len(name) - len(nick)], nick

    def changes(self, letters: str, arguments: Sequence[str]) -> tuple[Change, ...]:
        """Read ``+ov-k`` and its arguments, one for each mode that takes one."""
        left, found, add = list(arguments), [], True
        for letter in letters:
            if letter in "+-":
                add = letter == "+"
            else:
                takes = letter in self.statuses + self._always or (add and letter in self._when_set)
                found.append(Change(add, letter, left.pop(0) if takes and left else ""))
        return tuple(found)
