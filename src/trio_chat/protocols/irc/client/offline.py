"""A client in many rooms that has no connection."""

from collections.abc import Sequence

from trio_chat.core.views import Notice
from trio_chat.errors import Unsupported
from trio_chat.protocols.client import Message, OutOfRoom, PageEnd, Requests
from trio_chat.protocols.irc.client.multiline import messages_of
from trio_chat.protocols.irc.client.outgoing import texts_of
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, room_name, shown
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import Unacked


class Offline(Requests):
    """Which rooms are wanted, and what is to be said, goes into the ``state``: the next connection
    goes on from there. What would be of no use by then has no answer, or an empty one.
    """

    def __init__(self, state: ResumeState) -> None:
        self.state = state
        self._own: list[Message] = []

    def own_messages(self) -> Sequence[Message]:
        messages, self._own = self._own, []
        return messages

    def refuse(self, target: str, why: str) -> None:
        """By ourselves."""
        self._own.append(Notice(why, room=target, refusal=True))

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def join(self, room: str, key: str = "") -> None:
        """We go there with the others."""
        room = room_name(room)
        self.state.rooms.pop(room, None)
        self.state.rooms[room] = (room, key)

    def part(self, room: str, why: str = "") -> None:
        self._own.append(self.left(room, why))

    def left(self, room: str, why: str) -> Message:
        """We are not in it any more, nor want to be."""
        self.state.leave(room)
        self.state.rooms.pop(room, None)
        return OutOfRoom(room, why)

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """As in Requests: cut as the last server has wanted it."""
        if is_invisible(text):
            self.refuse(target, INVISIBLE)
            return
        most = self.state.limits
        try:
            texts = (
                messages_of(target, text, action, token, most)
                if most
                else texts_of(target, text, action, token)
            )
        except ValueError:  # a name with a blank
            self.refuse(target, f"Nobody can be called {shown(target)}.")
            return
        for text_of_it in texts:
            self.take_on(text_of_it)

    def take_on(self, text: Unacked) -> None:
        """It is to be said in its turn."""
        self._own += self.state.take_on(text)

    def resend(self, token: str) -> None:
        """Send again what has failed."""
        if text := self.state.failed.pop(token, None):
            self.take_on(text)

    # ── what else we want ──────────────────────────────────────────────────────────────────

    def away(self, text: str) -> None:
        """It is said with all the rest."""
        self.state.away = text

    def history(self, target: str, before: str, limit: int) -> None:
        self._own.append(PageEnd(target, 0, complete=False))

    def command(self, line: str, target: str = "") -> None:
        self.refuse(target, "There is no connection to the server.")

    def raw(self, line: str) -> None:
        """Raises Unsupported: nobody could tell what it would mean to the next server."""
        raise Unsupported("There is no connection to the server.")

    def typing(self, target: str, active: bool) -> None:
        """Nobody is told."""

    def mark_read(self, target: str, time: str) -> None:
        """Nobody is told."""
