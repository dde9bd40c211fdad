"""What was said lately: of each message who said it and where, so that it can be named by that."""

from trio_chat.protocols.casemapping import Casemapping

# Messages that are remembered, of all rooms together: 200 bytes each.
_MOST = 1000


class Lately:
    """The last messages that have an id, in the order in which they came."""

    def __init__(self, names: Casemapping) -> None:
        self._same = names.same
        self._said: dict[str, tuple[str, str]] = {}  # by id, the place and the nickname

    def note(self, msgid: str, place: str, nick: str) -> None:
        """Note a message in a room or conversation."""
        self._said[msgid] = place, nick
        if len(self._said) > _MOST:
            del self._said[next(iter(self._said))]

    def last(self, place: str, nick: str) -> str:
        """The id of somebody's last message in a place; empty if none is known."""
        for msgid, (where, who) in reversed(self._said.items()):
            if self._same(where, place) and self._same(who, nick):
                return msgid
        return ""

    def rename(self, room: str, to: str) -> None:
        """Note that a room has another name."""
        for msgid, (where, who) in self._said.items():
            if self._same(where, room):
                self._said[msgid] = to, who

    def forget(self, msgid: str) -> str:
        """Forget a message that was removed; returns who had said it, empty if that is unknown."""
        _, nick = self._said.pop(msgid, ("", ""))
        return nick
