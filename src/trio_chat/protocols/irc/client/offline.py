"""A client without a connection."""

from collections.abc import Sequence

from trio_chat.core.views import Notice
from trio_chat.errors import Unsupported
from trio_chat.protocols.client import Message, OutOfRoom, PageEnd, Requests
from trio_chat.protocols.irc.client.multiline import messages_of
from trio_chat.protocols.irc.client.outgoing import texts_of
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, room_name, shown
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.slashes import spelled_out
from trio_chat.protocols.unacked import Unacked, lines_of

_NO_CONNECTION = "There is no connection to the server."


class Offline(Requests):
    """Keeps rooms and texts in the ``state`` for the next connection. Requests that would be of no
    use by then have no answer, or an empty one. ``one_room``: on the next connection we can be in
    one room only, because plain is spoken.

    It is the base of every session, too: until the server has let us in, and where it cannot do
    what is wanted, a session does the same.
    """

    one_room = False

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
        if self.one_room:
            self.state.rooms.clear()
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
        """Do a command that the next connection can carry out; refuse all others."""
        word, text = (*spelled_out(" ".join(lines_of(line)))[1:].split(maxsplit=1), "", "")[:2]
        first, rest = (*text.split(maxsplit=1), "", "")[:2]
        match word.lower():
            case "join" if first:
                room = room_name(first.partition(",")[0])
                self.join(room, rest)
                self._own.append(Notice(f"{room} will be entered after reconnecting.", target))
            case "part" if is_room(first) or is_room(target):
                self.part(first if is_room(first) else target)
            case "me" if first and target:
                self.say_to(target, text, action=True)
            case "msg" if rest:
                self.say_to(first, rest)
            case "away":
                self.away(text)
            case "why" if lost := self.state.lost:
                self.refuse(target, f"{_NO_CONNECTION} {lost[:1].upper()}{lost[1:]}")
            case _:
                self.refuse(target, _NO_CONNECTION)

    def raw(self, line: str) -> None:
        """Raises Unsupported: the line may mean something else to the next server."""
        raise Unsupported(_NO_CONNECTION)

    def typing(self, target: str, active: bool) -> None:
        """Nobody is told."""

    def mark_read(self, target: str, time: str) -> None:
        """Nobody is told."""
