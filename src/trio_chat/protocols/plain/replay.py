"""The last messages, which trio-chat replays to newcomers: some may have been shown before.

Plain messages have no ids. So the replay is compared with the messages shown last: where these end
as the replay begins, that part is known. A text of ours that may be lost has arrived if it is in
the rest.
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

# Messages of a room to compare with; a server replays fewer.
_SHOWN_MAX = 500

Words = tuple[str, str, bool]


class Replay:
    """``encoding`` is that of our texts, which it may change."""

    def __init__(self, state: ResumeState, encoding: str) -> None:
        self._state, self._encoding = state, encoding
        self._said: list[Said] = []

    def remember(self, said: Said) -> None:
        """Note a message that was shown in a room."""
        known = self._state.shown.setdefault(said.room, deque(maxlen=_SHOWN_MAX))
        known.append(_words(said))

    def add(self, said: Said) -> None:
        """Add a message of the replay."""
        self._said.append(said)

    def end(self, room: str, nick: str) -> Sequence[Message]:
        """Handle the end of the replay; returns what is new to us, who have this nickname."""
        said, self._said = self._said, []
        known = list(self._state.shown.get(room, ()))
        new = said[_overlap(known, list(map(_words, said))) :]
        for message in new:
            self.remember(message)
        if not known:
            return [*map(Earlier, new), PageEnd(room, len(new), complete=True)]
        missing = Notice("Some of what was said in the meantime may be missing here.", room=room)
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
        """Whether a message could be this text of ours."""
        sent = shown(text.text).encode(self._encoding, "replace").decode(self._encoding, "replace")
        return is_to(text, said) and sent.strip() == shown(said.text).strip()


def is_to(text: Unacked, said: Said) -> bool:
    """Whether a message has the target and manner of this text; a room is the one we are in."""
    place = fold(said.to) == fold(text.target) if said.to else is_room(text.target)
    return place and text.action == said.action


def _words(said: Said) -> Words:
    return said.nick, said.text, said.action


def _overlap(known: Sequence[Words], again: Sequence[Words]) -> int:
    """Count the first of ``again`` that are the last of ``known``, as many as possible."""
    for count in range(min(len(known), len(again)), 0, -1):
        if known[-count:] == again[:count]:
            return count
    return 0
