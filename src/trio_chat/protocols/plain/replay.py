"""What trio-chat shows to whoever enters a room: some of it may have been shown before.

There are no ids in the plain dialect. So what is known is told by comparing: what was shown last
ends with what the server begins with. And a text of ours that may not have arrived has, if it is
in what follows.
"""

from collections import deque
from collections.abc import Sequence

from trio_chat.core.events import Said
from trio_chat.core.names import fold
from trio_chat.core.views import Notice
from trio_chat.protocols.client import Acknowledged, Earlier, Message, PageEnd, Stamped
from trio_chat.protocols.irc.text import is_room, shown
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import Unacked

# Messages of a room that are known when they are shown again; a server shows newcomers fewer.
_SHOWN_MAX = 500

Words = tuple[str, str, bool]


class Replay:
    """``encoding`` is what our texts are sent in, and may change them."""

    def __init__(self, state: ResumeState, encoding: str) -> None:
        self._state, self._encoding = state, encoding
        self._said: list[Said] = []

    def remember(self, said: Said) -> None:
        """It was shown, in a room."""
        known = self._state.shown.setdefault(said.room, deque(maxlen=_SHOWN_MAX))
        known.append(_words(said))

    def add(self, said: Said) -> None:
        """It was said in the room before we entered, after what has been added already."""
        self._said.append(said)

    def end(self, room: str, nick: str) -> Sequence[Message]:
        """That is all: what of it is to be told in this room to whoever has this nickname."""
        said, self._said = self._said, []
        known = list(self._state.shown.get(room, ()))
        new = said[_overlap(known, list(map(_words, said))) :]
        for message in new:
            self.remember(message)
        if not known:
            return [*map(Earlier, new), PageEnd(room, len(new), complete=True)]
        missing = Notice("Some of what was said meanwhile may be missing here.", room=room)
        return [
            *([missing] if new == said else ()),
            *(self._late(message, nick) for message in new),
        ]

    def _late(self, said: Said, nick: str) -> Message:
        for text in self._state.failed.values() if said.nick == nick else ():
            if self.is_of(text, said):
                del self._state.failed[text.token]
                return Acknowledged(text.token)
        return Stamped(said.room, said.nick, said.text, action=said.action, late=True)

    def is_of(self, text: Unacked, said: Said) -> bool:
        """Whether this text of ours comes back as that, if we have said that."""
        sent = shown(text.text).encode(self._encoding, "replace").decode(self._encoding, "replace")
        return is_to(text, said) and sent.strip() == shown(said.text).strip()


def is_to(text: Unacked, said: Said) -> bool:
    """Whether they are said in the same way to the same; of a room, to that where we are."""
    place = fold(said.to) == fold(text.target) if said.to else is_room(text.target)
    return place and text.action == said.action


def _words(said: Said) -> Words:
    return said.nick, said.text, said.action


def _overlap(known: Sequence[Words], again: Sequence[Words]) -> int:
    """How many of the first of ``again`` are the last of ``known``; the more, the likelier."""
    for count in range(min(len(known), len(again)), 0, -1):
        if known[-count:] == again[:count]:
            return count
    return 0
