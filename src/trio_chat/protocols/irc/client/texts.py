"""Our texts on an IRC connection: sent in order, and matched with what the server says of them.

A server that echoes tells what has arrived; others only tell what they refuse. PINGs find out what
was dropped without a word, for a server answers in order.
"""

import math
from collections import deque
from collections.abc import Collection, Sequence

from trio_chat.core.views import Notice
from trio_chat.protocols.client import MAYBE_LOST, Acknowledged, Lag, Message
from trio_chat.protocols.irc.client.link import LOG_IN, Introduction, IrcLink
from trio_chat.protocols.irc.client.multiline import is_batch, limits
from trio_chat.protocols.irc.client.outgoing import ID_TAG, encoded
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.resume_state import ONE_LINE, UNACKED_MAX, ResumeState
from trio_chat.protocols.unacked import Unacked, not_confirmed

# The text of the PING that keeps the connection alive and measures the lag.
_LAG = "lag"
_LAG_EVERY = 30.0  # seconds
_PINGS_MAX = 10  # without an answer

# A server answers a PING, however slowly it lets us talk; after QUIT it closes the connection.
_SILENCE = 30.0  # seconds
_SILENCE_AFTER_QUIT = 5.0  # seconds

_TOO_LATE = "The connection was lost before all of it was done: say it again."


class IrcTexts(IrcLink):
    """Texts and commands wait in ``state.unsent``, and texts on their way in ``state.unacked``."""

    def __init__(self, we: Introduction, state: ResumeState) -> None:
        super().__init__(we, state)
        self._talking = False  # whether what waits may be sent
        self._returned: set[str] = set()  # tokens of texts that are back but held for their turn
        self._blindly: deque[Unacked] = deque(maxlen=UNACKED_MAX)  # sent to a server without echoes
        # How many texts were sent blindly, and how many of them something has come after.
        self._sent = self._answered = 0
        # For each unanswered PING: the texts then on their way, and how many were sent blindly.
        self._pinged: deque[tuple[Sequence[Unacked], int]] = deque(maxlen=_PINGS_MAX)
        self._ping_at, self._pinged_at, self._ponged = math.inf, 0.0, False
        self._last_words: str | None = None
        self._rounds = 0  # of PING and PONG still possible before we leave

    @property
    def arrived(self) -> bool:
        return self._talking

    @property
    def silence(self) -> float:
        return _SILENCE_AFTER_QUIT if self.leaving else _SILENCE

    @property
    def undelivered(self) -> str:
        words = self.farewell or "The server closed the connection."
        missing = len(self.state.unacked) + self.state.unsaid
        if missing and not self.leaving:
            return f"{words} {not_confirmed(missing)}"
        # Without echoes only the PONG tells that all has arrived.
        waited = self._last_words is not None and not self._echoes
        return words if waited and not self.leaving else ""

    # ── what goes out ──────────────────────────────────────────────────────────────────────

    @property
    def waiting(self) -> bool:
        return bool(self.state.unsent or self.outgoing.lines)

    @property
    def due(self) -> float:
        return self.outgoing.due if self.leaving else min(self.outgoing.due, self._ping_at)

    def data_to_send(self, now: float) -> bytes:
        if self._ponged:
            self._ponged = False
            self._own.append(Lag(now - self._pinged_at))
        if now >= self._ping_at and not self.leaving:
            self._ping_at, self._pinged_at = now + _LAG_EVERY, now
            self._pinged.append((self._on_their_way(), self._sent))
            self.send("PING", _LAG)
        lines = self.outgoing.at_once(now)
        while line := self._next_line(now):
            lines.append(line)
        return encoded(lines)

    def _on_their_way(self) -> Sequence[Unacked]:
        """The texts sent on this connection: none that a lost connection has left before they are
        resent, and not the last one while its line is still queued.
        """
        texts = tuple(self.state.unacked) if self._talking else ()
        return texts[:-1] if self.outgoing.lines else texts

    def _next_line(self, now: float) -> str:
        self._prepare()
        if self._rounds == 2 and self._talking and not self._is_busy:
            self._rounds = 1
            self.outgoing.lines.append("PING finish")
        return self.outgoing.next_line(now)

    @property
    def _is_busy(self) -> bool:
        return self.waiting or self.leaving or self.logging_in

    def _prepare(self) -> None:
        """Queue what may be sent now."""
        while self._may_go_on() and self.state.unsent and self._has_room():
            if line := self._line_of(self.state.unsent.popleft()):
                self.outgoing.lines.append(line)

    def _may_go_on(self) -> bool:
        return self._talking and not (self.logging_in or self.outgoing.lines)

    def _line_of(self, what: Unacked | str) -> str:
        """Return the line to send; empty if it cannot be sent."""
        if isinstance(what, str):
            self.logging_in = what is LOG_IN
            return what
        if not self._takes(what):
            self._own += self.state.fail([what], ONE_LINE)
            return ""
        if self._echoes:
            self.state.unacked.append(what)
        else:
            self._blindly.append(what)
            self._sent += 1
            self._own.append(Acknowledged(what.token))
        return self._tagged(what)

    def _takes(self, text: Unacked) -> bool:
        """Whether this server takes a text that was perhaps cut for another one."""
        return not is_batch(text) or limits(self.caps, self.cap_values) is not None

    def _tagged(self, text: Unacked) -> str:
        return f"@{ID_TAG}={text.token} {text.line}" if "message-tags" in self.caps else text.line

    def _has_room(self) -> bool:
        """Whether another text may be sent. If not, ask what has become of the others: texts that a
        server drops without a word must not hold up the rest for ever.
        """
        if not (self._echoes and self.state.full):
            return True
        if not any(texts for texts, _ in self._pinged):
            self.ping()
        return False

    def _send_again(self) -> Sequence[Message]:
        """Resend what was on its way when the last connection was lost, or give it up."""
        others = [text for text in self.state.unacked if not self._takes(text)]
        told = self._give_up(others, ONE_LINE)
        if not self.tells_twice_said:
            return [*told, *self._give_up(tuple(self.state.unacked))]
        for text in self.state.unacked:
            self.outgoing.send(self._tagged(text), counts=False)
        return told

    # ── what becomes of it ─────────────────────────────────────────────────────────────────

    def ours(self, token: str, target: str, *, live: bool) -> str:
        """Return the token of our text that is back. A server without tags echoes in order."""
        if not token and live and not self.tells_twice_said:
            text = self._oldest([target]) or self._oldest()
            token = text.token if text else ""
        self._returned.add(token)
        return token

    def refused(
        self, targets: Sequence[str], why: str, *, for_now: bool = False
    ) -> Sequence[Message]:
        """Fail the text to one of these targets that the server has refused: the oldest one."""
        if text := self._oldest(targets):
            return self._give_up([text], why, for_now=for_now)
        blind = next(self.state.among(self._blindly, targets), None)
        if blind is None:
            return ()
        self._blindly.remove(blind)
        return self._fail_after_all(blind, why)

    def already_said(self, msgid: str) -> Sequence[Message]:
        """Acknowledge the text that had arrived before a connection was lost, and was removed since
        then: the oldest one, as the server answers in order.
        """
        text = self._oldest()
        if text is None or not (self.tells_twice_said and self.state.acknowledge(text.token)):
            return ()
        return [Acknowledged(text.token, msgid)]

    def refused_batch(self, why: str) -> Sequence[Message]:
        """Fail the text of several lines that the server has refused: the oldest one."""
        batches = [text for text in self.state.unacked if is_batch(text)]
        left = [text for text in batches if text.token not in self._returned]
        return self._give_up(left[:1], why)

    def _fail_after_all(self, text: Unacked, why: str) -> Sequence[Message]:
        """Fail a text that was acknowledged; people, who have seen that, are also told in words."""
        return [*self.state.fail([text], why), Notice(why, room=text.target, refusal=True)]

    def _oldest(self, targets: Collection[str] = ()) -> Unacked | None:
        return self.state.oldest(targets, but=self._returned)

    def _give_up(
        self, texts: Sequence[Unacked], why: str = MAYBE_LOST, *, for_now: bool = False
    ) -> Sequence[Message]:
        """Fail those of these texts that are not back."""
        lost = [text for text in texts if text.token not in self._returned]
        given_up = [text for text in lost if self.state.acknowledge(text.token)]
        return self.state.fail(given_up, why, for_now=for_now)

    def _dropped(self, texts: Sequence[Unacked]) -> Sequence[Message]:
        """Fail those of these texts that are not back, though the server has dealt with them."""
        return [told for text in texts for told in self._give_up([text], _why_dropped(text))]

    # ── PING and PONG ──────────────────────────────────────────────────────────────────────

    def ping(self) -> bool:
        self._ping_at = -math.inf
        return True

    def alive(self) -> Sequence[Message]:
        """Handle the answer to our PING; ``data_to_send`` knows how long it took."""
        self._ponged = True
        self.logging_in = False  # a server that says nothing to that must not hold up the rest
        texts, _ = self._pinged.popleft() if self._pinged else ((), 0)
        return self._dropped(texts)

    def _count_answered(self, line: Line) -> None:
        """Take any line for an answer to what was sent; but ERROR may be why there is none, and a
        PONG only answers what was sent before its PING.
        """
        if line.command == "PONG" and line.params[-1:] == (_LAG,):
            _, sent = self._pinged[0] if self._pinged else ((), 0)
            self._answered = max(self._answered, sent)
        elif line.command != "ERROR":
            self._answered = self._sent

    def cut(self) -> Sequence[Message]:
        """Fail what was sent blindly without an answer. The next connection resends the rest."""
        dropped = self.state.drop_confided()
        unanswered = self._sent - self._answered
        lost = tuple(self._blindly)[-unanswered:] if unanswered else ()
        failed = [told for text in lost for told in self._fail_after_all(text, MAYBE_LOST)]
        return [*failed, *([Notice(_TOO_LATE, refusal=True)] if dropped else [])]

    def finish(self, words: str) -> None:
        """Leave after a PONG, since a server that gets QUIT may drop what it has not dealt with;
        and after one more, if texts are to come back.
        """
        self._last_words = words
        self._rounds = 2

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


def _why_dropped(text: Unacked) -> str:
    if text.notice:
        return f"{text.target} did not get this notice. The server does not say why."
    return MAYBE_LOST
