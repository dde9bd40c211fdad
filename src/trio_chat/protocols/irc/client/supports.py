"""What a server says of itself (RPL_ISUPPORT), and how its modes are to be read by that."""

from collections.abc import Sequence

from trio_chat.core.events import Change

#: Of members' nicknames on most servers, the highest first.
PREFIXES = "~&@%+"


class Supports:
    """Until the server says something else, it is as most are."""

    def __init__(self) -> None:
        self.network = ""  # or the server's name, if it tells of no network
        self.prefixes = PREFIXES
        self.statuses = "qaohv"  # the modes that these stand for, in the same order
        self.bot = ""  # what tells in WHO that somebody is a bot
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
        """The prefixes of a member, and the nickname."""
        nick = name.lstrip(self.prefixes) if self.prefixes else name
        return name[: len(name) - len(nick)], nick

    def changes(self, letters: str, arguments: Sequence[str]) -> tuple[Change, ...]:
        """``+ov-k`` and the arguments that follow, one for each mode that has one."""
        left, found, add = list(arguments), [], True
        for letter in letters:
            if letter in "+-":
                add = letter == "+"
            else:
                takes = letter in self.statuses + self._always or (add and letter in self._when_set)
                found.append(Change(add, letter, left.pop(0) if takes and left else ""))
        return tuple(found)
