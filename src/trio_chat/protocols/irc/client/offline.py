"""A client without a connection."""

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
    """Keeps rooms and texts in the ``state`` for the next connection. Requests that would be of no
    use by then have no answer, or an empty one.
    """

    def __init__(self, state: ResumeState) -> None:
        self.state = state
        self._own: list[Message] = []

    def own_messages(self) -> Sequence[Message]:
        messages, self._own = self._own, []
        return messages

    def refuse(self, target: str, why: str) -> None:
        self._own.append(Notice(why, room=target, refusal=True))

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def join(self, room: str, key: str = "") -> None:
        room = room_name(room)
        self.state.rooms.pop(room, None)
        self.state.rooms[room] = (room, key)

    def part(self, room: str, why: str = "") -> None:
        self._own.append(self.left(room, why))

    def left(self, room: str, why: str) -> Message:
        """Note that we are no longer in a room, nor want to be."""
        self.state.leave(room)
        self.state.rooms.pop(room, None)
        return OutOfRoom(room, why)

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say_to(self, target: str, text: str, action: bool = False, token: str = "") -> None:
        """Cut the text as the last server wanted it."""
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
        """Queue a text."""
        self._own += self.state.take_on(text)

    def resend(self, token: str) -> None:
        if text := self.state.failed.pop(token, None):
            self.take_on(text)

    # ── other requests ─────────────────────────────────────────────────────────────────────

    def away(self, text: str) -> None:
        self.state.away = text

    def history(self, target: str, before: str, limit: int) -> None:
        self._own.append(PageEnd(target, 0, complete=False))

    def command(self, line: str, target: str = "") -> None:
        self.refuse(target, "There is no connection to the server.")

    def raw(self, line: str) -> None:
        """Raises Unsupported: the line may mean something else to the next server."""
        raise Unsupported("There is no connection to the server.")

    def typing(self, target: str, active: bool) -> None:
        """Nobody is told."""

    def mark_read(self, target: str, time: str) -> None:
        """Nobody is told."""
