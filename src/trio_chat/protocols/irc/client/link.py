"""Our connection to a server of IRC: to be let in, to agree on capabilities, to send and to
receive, to know what has arrived, and to leave.
"""

import math
from collections import deque
from collections.abc import Collection, Container, Sequence
from contextlib import suppress

from trio_chat.core.letters import cut
from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import LINE_BYTES, Lag, Message
from trio_chat.protocols.irc.client.batch import Batch
from trio_chat.protocols.irc.client.catchup import CatchUp
from trio_chat.protocols.irc.client.outgoing import ID_TAG, Outgoing, encoded
from trio_chat.protocols.irc.client.slash import SEARCH
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body, parse
from trio_chat.protocols.irc.text import shown
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import GOODBYE, GREETING
from trio_chat.protocols.resume_state import UNACKED_MAX, ResumeState
from trio_chat.protocols.unacked import Unacked

#: trio-chat's own: to show who we were, so that what we send twice is not shown twice.
IDENTITY = "trio-chat/identity"

#: What we ask for, if the server has it: to hear ourselves, to be told what was said before we
#: came as such and when, to know more of people, and to be told of changes and refusals.
WANTED = {
    *("account-tag", "away-notify", "batch", "cap-notify", "chghost", "draft/chathistory"),
    *("echo-message", "extended-join", "message-tags", "server-time", "standard-replies"),
    IDENTITY,
    SEARCH,
}

# What is in the PING that asks for a sign of life and how long the server takes, and in its PONG.
_LAG = "lag"
_LAG_EVERY = 30.0  # seconds
_PINGS_MAX = 10  # without an answer

# A server answers a PING, however slowly it lets us talk; after QUIT it closes the connection.
_SILENCE = 30.0  # seconds
_SILENCE_AFTER_QUIT = 5.0  # seconds

# What an IRC server may say without naming itself as the source, before it has let us in.
_SERVER_WORDS = {"AUTHENTICATE", "BATCH", "CAP", "ERROR", "FAIL", "NOTE", "NOTICE", "PING", "WARN"}


class IrcLink:
    """``state`` is what stays for the next connection. ``farewell`` is why the server ends this
    one, if it says so.

    What is not UTF-8 is read in ``encoding``; what we say is UTF-8.
    """

    framed = True
    wanted: Container[str] = WANTED  # capabilities
    catch_up: CatchUp

    def __init__(
        self, nick: str | Alternates, *, encoding: str, state: ResumeState, password: str = ""
    ) -> None:
        self._nicks = nick if isinstance(nick, Alternates) else Alternates(nick, allowed=False)
        self.nick, self.room = self._nicks.nick, ""
        self.state = state
        self.admitted = False
        self.registered = False
        self.farewell = ""
        self.leaving = False  # whether we have said QUIT
        self.offered: set[str] = set()
        self.cap_values: dict[str, str] = {}  # of those that are offered
        self.caps: set[str] = set()
        self.address = ""  # ours, ``user@host``, as others see it
        # Of rooms, who is in them, while that is being told; and those of which it will be told.
        self.names: ByName[list[str]] = ByName(state.names)
        self.entering: ByName[None] = ByName(state.names)
        self.batches: dict[str, Batch] = {}  # those that are open
        self._wanted: list[str] = []  # kinds of batches that somebody at our side waits for
        self.outgoing = Outgoing()
        self._identified = False
        self._encoding = encoding
        self._lines = LineBuffer(LINE_BYTES)
        self._is_irc = False  # known once the server has said something
        self._talking = False  # whether what is waiting may be sent
        self._blindly: deque[Unacked] = deque(maxlen=UNACKED_MAX)  # sent; nothing tells of it
        # How many these were; and how many of them the server has answered, if only by a word.
        self._sent = self._answered = 0
        # Of each PING without an answer: the texts on their way then, and how many were sent.
        self._pinged: deque[tuple[Sequence[Unacked], int]] = deque(maxlen=_PINGS_MAX)
        self._ping_at, self._pinged_at, self._ponged = math.inf, 0.0, False
        self._last_words: str | None = None
        self._rounds = 0  # of PING and PONG that there may be before we leave
        self._own: list[Message] = []
        self._introduce(password)

    def _introduce(self, password: str) -> None:
        """Servers without capabilities answer CAP with an error, or not at all."""
        user = "".join(char for char in self.nick if char.isascii() and char.isalnum())[:10]
        self.send("CAP", "LS", "302")
        if password:
            self.send("PASS", password)
        self.send("NICK", self.nick)
        self.send("USER", user or "user", "0", "*", self.nick)

    def try_another(self, refused: str) -> bool:
        """Before we are in, the server has refused our nickname, which it writes like this. Returns
        whether we have another one.
        """
        if not self._nicks.next(refused):
            return False
        self.nick = self._nicks.nick
        self.send("NICK", self.nick)
        return True

    def welcomed(self, nick: str, time: str) -> None:
        """We are registered, as ``nick``."""
        self.nick = nick
        if notice := self._nicks.notice(nick):
            self.tell(notice)
        self.enter(time)

    # ── what is done with it ───────────────────────────────────────────────────────────────

    def enter(self, time: str) -> None:
        """We are registered, at this time if the server says so: go where we want to be."""
        raise NotImplementedError

    @property
    def waiting(self) -> bool:
        """Whether something is to be said that may not be sent yet."""
        raise NotImplementedError

    def _understand_line(self, line: Line) -> Sequence[Message]:
        raise NotImplementedError

    def _prepare(self) -> None:
        """Make lines of what may be said now."""
        raise NotImplementedError

    def _give_up(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """Those of them that have not come back may be lost."""
        raise NotImplementedError

    def _dropped(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """The server has dealt with them: those of them that have not come back will not."""
        raise NotImplementedError

    # ── what the server says ───────────────────────────────────────────────────────────────

    @property
    def silence(self) -> float:
        return _SILENCE_AFTER_QUIT if self.leaving else _SILENCE

    @property
    def undelivered(self) -> str:
        words = self.farewell or "The server closed the connection."
        missing = len(self.state.unacked) + self.state.unsaid
        if missing and not self.leaving:
            return f"{words} {missing} of our messages did not come back"
        # Without echoes only the PONG tells that all has arrived.
        waited = self._last_words is not None and "echo-message" not in self.caps
        return words if waited and not self.leaving else ""

    def receive_data(self, data: bytes) -> Sequence[Message]:
        told: list[Message] = []
        try:
            for line in self._lines.feed(data):
                told += self._understand(line)
        except NotAdmitted:
            self._own[:0] = told
            raise
        return told

    def _understand(self, data: bytes | None) -> Sequence[Message]:
        if data is None:
            return [Notice("A line was too long.")]
        text = self._decode(data)
        line = parse(text)
        if line is None or text == GREETING:  # trio-chat has asked, and we had spoken already
            return ()
        if not self._is_irc:
            self._recognise(line, text)
        self._count_answered(line)
        return self._understand_line(line)

    def _count_answered(self, line: Line) -> None:
        """Whatever comes may be the answer; but ERROR may be why there is none, and the PONG to an
        earlier PING of ours is none.
        """
        if line.command == "PONG" and line.params[-1:] == (_LAG,):
            _, sent = self._pinged[0] if self._pinged else ((), 0)
            self._answered = max(self._answered, sent)
        elif line.command != "ERROR":
            self._answered = self._sent

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode(self._encoding, "replace")

    def _recognise(self, line: Line, text: str) -> None:
        command = line.command
        self._is_irc = bool(line.source) or command.isdecimal() or command in _SERVER_WORDS
        if not self._is_irc:
            raise NotAdmitted(
                f"this server speaks no IRC. It says: {shown(cut(text, 200))}", about="protocol"
            )

    def is_me(self, nick: str) -> bool:
        return self.state.names.same(nick, self.nick)

    def want(self, kind: str) -> None:
        """Somebody at our side has asked for a batch of this kind."""
        self._wanted.append(kind)

    def has_come(self, kind: str) -> bool:
        """Whether somebody at our side waits for a batch of this kind: then this is it."""
        if kind not in self._wanted:
            return False
        self._wanted.remove(kind)
        return True

    def tell(self, text: str) -> None:
        """To the person at our side, by ourselves."""
        self._own.append(Notice(text))

    def own_messages(self) -> Sequence[Message]:
        messages, self._own = self._own, []
        return messages

    # ── capabilities ───────────────────────────────────────────────────────────────────────

    def ask_for_caps(self) -> None:
        """Of what the server offers; it must not wait for more if we want nothing."""
        possible = {cap for cap in self.offered - self.caps if cap in self.wanted}
        if "batch" not in self.offered:  # then nobody could tell what is history
            possible -= {"draft/chathistory"}
        if wanted := sorted(possible):
            self.send("CAP", "REQ", " ".join(wanted))
        else:
            self.end_of_caps()

    def acknowledged(self, caps: set[str]) -> None:
        self.caps |= {cap for cap in caps if not cap.startswith("-")}
        if IDENTITY in self.caps:  # of trio-chat, which reads slowly what comes too fast
            self.outgoing.paced = False
            self._identify()
        self.end_of_caps()

    def _identify(self) -> None:
        if self.state.secret and not self.registered and not self._identified:
            self._identified = True
            self.send("IDENTITY", self.state.secret)

    def end_of_caps(self) -> None:
        if not self.registered:
            self.send("CAP", "END")

    def not_identified(self) -> None:
        """The server could not tell what we said before from something new."""
        self._identified = False

    @property
    def keeps_history(self) -> bool:
        return {"batch", "draft/chathistory"} <= self.caps

    @property
    def _echoes(self) -> bool:
        return "echo-message" in self.caps

    @property
    def tells_twice_said(self) -> bool:
        """Whether the server shows a text that is sent twice only once, and to us each time."""
        return self._identified and self._echoes and "message-tags" in self.caps

    # ── what goes out ──────────────────────────────────────────────────────────────────────

    @property
    def due(self) -> float:
        return self.outgoing.due if self.leaving else min(self.outgoing.due, self._ping_at)

    def send(self, command: str, *params: str) -> None:
        """Before everything that waits. Neither registration nor a PONG has a penalty.

        What a server has named in a way in which nobody can name it is not spoken of.
        """
        with suppress(ValueError):
            self.outgoing.send(body(command, *params), counts=self.registered and command != "PONG")

    def answer(self, command: str, *params: str) -> None:
        """To somebody who has asked something of our client."""
        with suppress(ValueError):
            self.outgoing.answer(body(command, *params))

    def be_away(self, text: str) -> Sequence[str]:
        """The lines that say so; without a text, that we are back."""
        return [body("AWAY", *([text] if text else []))]

    def data_to_send(self, now: float) -> bytes:
        if self._ponged:
            self._ponged = False
            self._own.append(Lag(now - self._pinged_at))
        if now >= self._ping_at and not self.leaving:
            self._ping_at, self._pinged_at = now + _LAG_EVERY, now
            self._pinged.append((self._out(), self._sent))
            self.send("PING", _LAG)
        lines = self.outgoing.at_once(now)
        while line := self._next_line(now):
            lines.append(line)
        return encoded(lines)

    def _out(self) -> Sequence[Unacked]:
        """The texts that the server has been sent: not those that a cut has left, before they are
        sent again, and not the last one while a line waits for its turn.
        """
        texts = tuple(self.state.unacked) if self._talking else ()
        return texts[:-1] if self.outgoing.lines else texts

    def _next_line(self, now: float) -> str:
        self._prepare()
        if self._rounds == 2 and self._talking and not (self.waiting or self.leaving):
            self._rounds = 1
            self.outgoing.lines.append("PING finish")
        return self.outgoing.next_line(now)

    def _tagged(self, text: Unacked) -> str:
        return f"@{ID_TAG}={text.token} {text.line}" if "message-tags" in self.caps else text.line

    # ── what has arrived ───────────────────────────────────────────────────────────────────

    def _has_room(self) -> bool:
        """Whether another text may be on its way. If not, ask what has become of the others: what a
        server has dropped without a word must not keep the rest for ever.
        """
        if not (self._echoes and self.state.full):
            return True
        if not any(texts for texts, _ in self._pinged):
            self.ping()
        return False

    @property
    def unanswered(self) -> Sequence[Unacked]:
        """What was sent blindly, and nothing has come after."""
        unanswered = self._sent - self._answered
        return tuple(self._blindly)[-unanswered:] if unanswered else ()

    def sent_blindly(self, texts: Sequence[Unacked]) -> None:
        """The server sends nothing back: it only tells what it refuses."""
        self._blindly.extend(texts)
        self._sent += len(texts)

    def take_blindly_sent(self, targets: Collection[str]) -> Unacked | None:
        """The oldest of them, or of those for one of these: it is refused."""
        text = next(self.state.among(self._blindly, targets), None)
        if text:
            self._blindly.remove(text)
        return text

    def _send_again(self) -> Sequence[Message]:
        """We are where we were before the cut. What is on its way since then may have arrived."""
        if self.tells_twice_said:
            for text in self.state.unacked:
                self.outgoing.send(self._tagged(text), counts=False)
            return ()
        return self._give_up(tuple(self.state.unacked))

    def ping(self) -> bool:
        """With the answer, all that was said before has been dealt with, too."""
        self._ping_at = -math.inf
        return True

    def alive(self) -> Sequence[Message]:
        """The server has answered; how long that took is known to who sends next."""
        self._ponged = True
        texts, _ = self._pinged.popleft() if self._pinged else ((), 0)
        return self._dropped(texts)

    # ── the end ────────────────────────────────────────────────────────────────────────────

    def finish(self, words: str) -> bool:
        """A server that gets QUIT may drop what it has not dealt with. What it has is in order
        before its PONG; so that is waited for, and for what is to come back after it one more.
        """
        self._last_words = words
        self._rounds = 2
        return False

    def ponged(self) -> Sequence[Message]:
        if self._last_words is None or self.leaving:
            return ()
        if self.state.unacked and self._rounds:
            self._rounds = 0
            self.send("PING", "finish")
            return ()
        self.leaving = True
        self.send("QUIT", *([self._last_words] if self._last_words else []))
        return self._dropped(tuple(self.state.unacked))

    def ended(self, why: str) -> Sequence[Message]:
        """The server ends the connection."""
        if not self.admitted:
            raise NotAdmitted(why)
        if self.leaving:
            return ()
        self.farewell = why.removesuffix(GOODBYE)
        return [Notice(why)]
