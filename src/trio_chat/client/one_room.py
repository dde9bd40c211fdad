"""One room at a time, for people who read and write lines.

A line on a terminal does not say which room it is from. So going to another room leaves the one
before, once the new one is entered. Lines after a /join are meant for the new room: nothing more is
read until we know whether we are there. If we are not let in, they are refused until the next
/join, not said elsewhere.
"""

from collections import deque
from collections.abc import Sequence

from trio_chat.client import requests
from trio_chat.client.connection import DEFAULT_ROOM
from trio_chat.client.sentences import Sentences, together
from trio_chat.core.events import Joined, Left, RoomRenamed
from trio_chat.core.views import Notice
from trio_chat.errors import Unsupported
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import InRoom, Message, OutOfRoom, Roster, Unlinked
from trio_chat.protocols.confidential import (
    NOT_CONFIDED,
    NOT_SAID,
    is_confided,
    says_password,
    text_of,
)
from trio_chat.protocols.irc.text import INVISIBLE, is_invisible, is_room, room_name
from trio_chat.protocols.plain.wording import ALWAYS_IN_A_ROOM
from trio_chat.protocols.slashes import spelled_out
from trio_chat.protocols.unacked import new_token

# Commands about the room where we are, unless they name another one.
_OF_THE_ROOM = {
    *("ban", "bans", "deop", "devoice", "history", "invite", "kick", "mode", "mute", "op", "part"),
    *("remove", "search", "topic", "unban", "voice", "who"),
}


class OneRoom:
    """``wanted`` is the room to enter first, ``room`` the one where we are, or empty. ``home``
    has to let us in, or back in.

    ``asked`` holds requests that follow from messages. ``refused`` counts refused commands.
    """

    def __init__(self, wanted: str) -> None:
        self.room, self.home = "", room_name(wanted)
        self.refused = 0
        self.asked: deque[requests.Request] = deque()
        self._sentences = Sentences()
        self._same = self._sentences.names.same
        self._asked = [self.home]  # rooms that we are on the way to
        self._default = wanted == DEFAULT_ROOM  # a plain server may have another one
        self._plain = False
        self._chosen = False  # whether we are in a room because we asked for it
        self._kept_out = ""  # a room that has not let us in: the next lines are meant for it
        self._entering: ByName[None] = ByName(self._sentences.names)  # the roster is to come
        self._spoke_to = ""  # to whom we spoke last, if that was in private
        self._commanded = 0  # commands that may still be refused

    @property
    def moving(self) -> bool:
        """Whether we do not know yet in which room we are."""
        return bool(self._asked)

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def hear(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return what people are told of messages that have come together."""
        told: list[Message] = []
        for heading, alike in together(messages):
            told += heading
            for message in alike:
                told += () if self._sentences.was_told(message) else self._told(message)
        return told

    def _told(self, message: Message) -> Sequence[Message]:
        match message:
            case InRoom(room, greeting):
                return self._entered(room, greeting)
            case OutOfRoom(room, why):
                return self._left(room, why)
            case RoomRenamed(room, to=to):
                self._renamed(room, to)
            case Roster(room) if room in self._entering:
                del self._entering[room]
                return self._sentences.company(message)
            case Notice(refusal=True):
                self._count(message)
            case Unlinked():
                self._cut()
        return self._sentences.of(message)

    def _count(self, refusal: Notice) -> None:
        """Count a refusal, unless it is about something that the person has not asked for."""
        if self._is_answer(refusal.room):
            self._refuse(refusal.room)
        elif self._commanded:
            self._commanded -= 1
            self.refused += 1

    # ── rooms ──────────────────────────────────────────────────────────────────────────────

    def _is_answer(self, room: str) -> bool:
        """Whether this answers a request of ours to enter a room; then all before it are answered,
        too.
        """
        for index, asked in enumerate(self._asked):
            if self._same(asked, room):
                del self._asked[: index + 1]
                return True
        return False

    def _entered(self, room: str, greeting: str) -> Sequence[Message]:
        """Rooms that we did not ask for, as a bouncer may enter, change nothing."""
        self._plain = self._plain or bool(greeting)
        asked = self._is_answer(room)
        if greeting and self._default:
            asked, self._default = True, False
            self._asked.clear()
        if self._same(room, self.room) and not asked:
            return ()
        if asked or not self.room:
            self._go_on_in(room, chosen=asked)
        told = [Joined(room, self._sentences.nick)]
        if greeting:
            return [*told, Notice(greeting)]
        self._entering[room] = None
        return told

    def _go_on_in(self, room: str, *, chosen: bool) -> None:
        before, self.room = self.room, room
        if before and self._chosen and not self._same(before, room):
            self.asked.append(requests.Part(before))
        self.home, self._chosen = room, chosen
        if self._same(room, self._kept_out):
            self._kept_out = ""

    def _left(self, room: str, why: str) -> Sequence[Message]:
        """Tell that we are out of a room, unless we left it for another one."""
        if self._is_answer(room):
            self._refuse(room)
            return [Notice(why)] if why else ()
        if not self._same(room, self.room):
            return ()
        self.room = self.home = ""
        return () if self._plain and self._asked else [Left(room, self._sentences.nick)]

    def _renamed(self, room: str, to: str) -> None:
        self._entering.rename(room, to)
        if self._same(room, self.room):
            self.room = self.home = to

    def _refuse(self, room: str) -> None:
        """Note that a room has not let us in."""
        self._kept_out = room
        self.refused += 1
        if self._same(room, self.room):
            self.room = self.home = ""

    def give_up(self) -> Sequence[Message]:
        """Stop waiting for rooms that the server says nothing about."""
        asked, self._asked = self._asked, []
        for room in asked:
            self._refuse(room)
        return [Notice(f"{room}: the server did not answer.") for room in asked]

    def _cut(self) -> None:
        """Re-enter the present room first on the next connection."""
        if self.room and not any(self._same(self.room, asked) for asked in self._asked):
            self._asked.insert(0, self.room)
        self._entering.clear()

    # ── what we say ────────────────────────────────────────────────────────────────────────

    def read(self, line: str) -> requests.Request | Notice | None:
        """Return what a line asks for, or what to tell the person. A slash begins a command; two
        slashes, a text that begins with one. Raises Unsupported.
        """
        if not line.strip():
            return None
        if says_password(line):
            raise Unsupported(NOT_SAID)
        if line.startswith("/") and not line.startswith("//"):
            return self._command(spelled_out(line).strip())
        return self._say(text_of(line), self._here())

    def _say(self, text: str, target: str, *, action: bool = False) -> requests.Request:
        if is_invisible(text):
            raise Unsupported(INVISIBLE)
        if is_confided(target, text):
            raise Unsupported(NOT_CONFIDED)
        self._spoke_to = "" if is_room(target) else target
        return requests.Say(text, target, action, new_token())

    def _command(self, line: str) -> requests.Request | Notice:
        word, rest = (*line[1:].split(maxsplit=1), "", "")[:2]
        first, second = (*rest.split(maxsplit=1), "", "")[:2]
        match word.lower():
            case "join" if first:
                return self._join(room_name(first.partition(",")[0]), second)
            case "me" if rest:
                return self._say(rest, self._here(), action=True)
            case "msg" if second and not first.startswith(":") and "," not in first:
                return self._say(second, first)
            case "part" if self._plain:
                raise Unsupported(ALWAYS_IN_A_ROOM)
            case "reconnect":  # which the runner would obey
                raise Unsupported("Only the full screen has /reconnect.")
            case "remove" if rest.lower() == "last" and self._spoke_to:
                self._commanded += 1
                return requests.SlashCommand(line, self._spoke_to)
            case verb if verb in _OF_THE_ROOM and not is_room(rest):
                self._here()
        self._commanded += 1
        return requests.SlashCommand(line, self.room)

    def _join(self, room: str, key: str) -> requests.Request | Notice:
        kept_out, self._kept_out = self._kept_out, ""
        if not self._same(room, self.room):
            self._asked.append(room)
            return requests.Join(room, key)
        if not kept_out:
            raise Unsupported(f"You are already in {room}.")
        return Notice(f"You are in {room}.")

    def _here(self) -> str:
        """Return our room. Raises Unsupported if there is none, or the line is not meant for it."""
        if not self.room:
            raise Unsupported("You are not in a room. /join ROOM enters one.")
        if self._kept_out:
            raise Unsupported(
                f"You are not in {self._kept_out}. /join {self.room} goes on in {self.room}."
            )
        return self.room
