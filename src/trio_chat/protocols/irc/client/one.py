"""The client's end of IRC in one room: modern.ircdocs.horse, and of ircv3.net what the server
offers of it.

It speaks first, enters one room, and is in one room at a time, as somebody plain is: nothing in a
line on a terminal says which room it is from. What a line of the server's means is found in the
table of ``heard``, what a slash command asks for in that of ``slash``.
"""

from collections.abc import Sequence

from trio_chat.core.events import NOWHERE, Notice, Origin, Said
from trio_chat.errors import Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import Message
from trio_chat.protocols.irc.client.catchup import CatchUp
from trio_chat.protocols.irc.client.heard import understand
from trio_chat.protocols.irc.client.heard_one import TABLE
from trio_chat.protocols.irc.client.link import IrcLink
from trio_chat.protocols.irc.client.outgoing import LONGEST_ADDRESS, texts_of
from trio_chat.protocols.irc.client.slash import read_slash
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.irc.text import INVISIBLE, is_cut, is_invisible, is_room, room_name, shown
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import Unacked, lines_of


class IrcClientSession(IrcLink):
    """Messages are what a person is told: sentences, if there is nothing for a program in it."""

    table = TABLE

    def __init__(
        self,
        nick: str | Alternates,
        *,
        room: str,
        encoding: str,
        state: ResumeState,
        password: str = "",
    ) -> None:
        self._asked = [state.room or room_name(room)]  # rooms that we are on the way to
        self._keys = ByName(state.names, {self._asked[0]: state.key})
        self._chosen = False  # whether we are in a room because we asked for it
        self._new_room = ("", "")  # that we have just entered, and when
        self._commanded = 0  # commands that may still be refused
        self._texts = 0  # that we have said
        self._left: ByName[None] = ByName(state.names)  # rooms that we have left for another one
        super().__init__(nick, encoding=encoding, state=state, password=password)
        self.catch_up = CatchUp(self.state, self.send)

    # ── what the server says ───────────────────────────────────────────────────────────────

    def _understand_line(self, line: Line) -> Sequence[Message]:
        return [*self._in_turn(understand(self, line)), *self._settle()]

    def _in_turn(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [shown for message in messages for shown in self.catch_up.in_turn(message)]

    def _settle(self) -> Sequence[Message]:
        """What follows once all that a line tells is told."""
        waited: Sequence[Message] = ()
        room, time = self._new_room
        self._new_room = ("", "")
        if room and self.keeps_history:
            waited = self._in_turn(self.catch_up.stop())
            self.catch_up.begin(room, time)
        # What we said before a cut, and somebody has seen, may be in what we are catching up with.
        if self.admitted and not (self._talking or (self.catch_up.busy and self.state.unacked)):
            self._talking = True
            return [*waited, *self._send_again()]
        return waited

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def say(self, text: str) -> None:
        """Each line of it is a message, or several if it is too long; blank ones are none."""
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        lines = [f"/{line}" if line.startswith("/") else line for line in lines_of(text)]
        if lines and not self.waiting:
            self.here()
        self.state.waiting.extend(lines)

    def command(self, line: str) -> None:
        line = " ".join(lines_of(line))
        if self._may_unfold:
            self.outgoing.lines.extend(self._read_slash(line))
        else:
            self.state.waiting.append(line)

    @property
    def waiting(self) -> bool:
        return bool(self.state.waiting or self.outgoing.lines)

    @property
    def _may_unfold(self) -> bool:
        full = self._echoes and self.state.full
        return self._talking and not (self.outgoing.lines or self.state.waiting or full)

    def _prepare(self) -> None:
        """What waits becomes lines when its turn has come: only then it is known for which room."""
        while self._talking and self.state.waiting and not self.outgoing.lines and self._has_room():
            self.outgoing.lines.extend(self._lines_of(self.state.waiting.popleft()))

    def _lines_of(self, line: str) -> Sequence[str]:
        """A slash begins a command; two of them, a text that begins with one."""
        try:
            if line.startswith("/") and not line.startswith("//"):
                return self._read_slash(line)
            return self.talk(self.here(), line.removeprefix("/"))
        except Unsupported as error:
            self._refused += 1
            self.tell(str(error))
            return ()

    def _read_slash(self, line: str) -> Sequence[str]:
        texts = self._texts
        lines = read_slash(self, line)
        if lines and self._texts == texts:  # else it says something, and is counted as that
            self._commanded += 1
        return lines

    def talk(
        self, target: str, text: str, action: bool = False, notice: bool = False
    ) -> Sequence[str]:
        """The lines that say ``text`` to a room or a person."""
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        source = f"{self.nick}!{self.address or LONGEST_ADDRESS}"
        texts = texts_of(target, text, action, source=source, notice=notice)
        self._texts += len(texts)
        if not self._echoes:
            self._hear(texts)
            self.sent_blindly(texts)
            return [text.line for text in texts]
        self.state.unacked.extend(texts)
        return [self._tagged(text) for text in texts]

    def _hear(self, texts: Sequence[Unacked]) -> None:
        """Who says something is shown it, either way."""
        for text in texts:
            room, to = (text.target, "") if is_room(text.target) else ("", text.target)
            said = shown(text.text)
            self._own.append(
                Said(
                    room, self.nick, said, action=text.action, to=to, notice=text.notice,
                    origin=self._origin(),
                )
            )  # fmt: skip

    def _lost(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        return [self._left_out("This may not have arrived", text) for text in texts]

    def echoed(self, token: str, target: str, said: str) -> Sequence[Message]:
        """Something of ours has come back, as ``said``. A server without tags echoes in order."""
        text = self.state.take_token(token)
        if text is None and not (token or self.tells_twice_said):
            text = self.state.take([target]) or self.state.take()
        if text is None or not is_cut(text.text, said):
            return ()
        return [self._left_out("Only the beginning of this was said", text)]

    def refused(self, targets: Sequence[str]) -> Sequence[Message]:
        """The server has not taken what was said to one of these; which one, the order tells."""
        text = self.state.take(targets) or self.take_blindly_sent(targets)
        return [self._left_out("Not sent", text)] if text else []

    def refused_command(self) -> None:
        """If we have given none, it is about something that nobody at our side has asked for."""
        if self._commanded:
            self._commanded -= 1
            self._refused += 1

    def _left_out(self, what: str, text: Unacked) -> Message:
        self._refused += 1
        return Notice(f"{what}: {shown(text.text)}")

    def _origin(self) -> Origin:
        user, _, host = self.address.partition("@")
        return Origin(user, host) if host else NOWHERE

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def here(self) -> str:
        """The room that we are in, or on the way to. Raises Unsupported; also if we have wanted to
        go to another one and were not let in: what follows is not meant for here.
        """
        if not self._target:
            raise Unsupported("You are in no room. /join ROOM enters one.")
        if self.state.wanted and not self._asked:
            raise Unsupported(
                f"You are not in {self.state.wanted}. /join {self.room} goes on in {self.room}."
            )
        return self._target

    def there(self) -> str:
        return self.here()

    @property
    def _target(self) -> str:
        return self._asked[-1] if self._asked else self.room

    def enter(self, time: str) -> None:
        self.registered = True
        if self._asked:  # else somebody has seen to it already, as a bouncer does
            self.send(*_join(self._asked[0], self.state.key))

    def go_to(self, room: str, key: str) -> Sequence[str]:
        """What we say from now on is for that room; the one we are in is left once we are there."""
        if self.state.names.same(room, self._target):
            if not self.state.wanted or self._asked:
                raise Unsupported(f"You are in {room} already.")
            self.state.wanted = ""
            self.tell(f"You are in {room}.")
            return ()
        self.state.wanted = room
        self._asked.append(room)
        self._keys[room] = key
        return [body(*_join(room, key))]

    def entered(self, room: str, time: str) -> None:
        """We are in it, since ``time`` if the server says so. Rooms that we did not ask for (a
        bouncer enters them) change nothing.
        """
        asked = self.answered(room)
        self.admitted = True
        self.entering[room] = None
        if not asked and self.room:
            return
        if self.room and self._chosen:
            self._left[self.room] = None
            self.send("PART", self.room)
        if self.state.names.same(room, self.state.wanted):
            self.state.wanted = ""
        self.room, self._chosen = room, asked
        self.state.enter(room, self._keys.pop(room, ""))
        self._new_room = room, time

    def answered(self, room: str) -> bool:
        """As in IrcLink; all that we asked for before it was answered, too."""
        for index, asked in enumerate(self._asked):
            if self.state.names.same(asked, room):
                del self._asked[: index + 1]
                return True
        return False

    def left(self, room: str) -> bool:
        """We are not in it any more. Returns whether that is news."""
        self.state.leave(room)
        if self.state.names.same(room, self.room):
            self.room = ""
        known = room in self._left
        self._left.pop(room, None)
        return not known


def _join(room: str, key: str) -> Sequence[str]:
    return ["JOIN", room, key] if key else ["JOIN", room]
