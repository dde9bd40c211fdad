"""Sentences for people from a session's messages, worded as in the plain dialect.

Something that a session tells twice, as a message and in words, is told once.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby

from trio_chat.core.events import AwaySet, Departed, Kicked, Left, Renamed, Said
from trio_chat.core.views import AwayReply, Masks, Notice, RoomWelcome, Topic
from trio_chat.protocols.casemapping import OURS, Casemapping
from trio_chat.protocols.client import (
    CUT_SHORT,
    MAYBE_LOST,
    Acknowledged,
    Earlier,
    Failed,
    Linked,
    Message,
    Roster,
    Sent,
    State,
    Unlinked,
)
from trio_chat.protocols.irc.text import is_room, is_split
from trio_chat.protocols.plain.wording import notices, wording

# Texts of ours that are remembered until their outcome: more than may be on their way.
_OURS_MAX = 2000

# People named who are gone in a netsplit.
_NAMED_MAX = 10

# What is told before the words of a text that has failed for this reason.
_FAILURES = {
    MAYBE_LOST: "This may not have arrived",
    CUT_SHORT: "Only the beginning of this was said",
}


class Sentences:
    """``nick`` is our nickname, ``names`` the server's casemapping, ``last`` the text of the last
    notice.
    """

    def __init__(self) -> None:
        self.nick = self.last = ""
        self.names = Casemapping()
        self._ours: dict[str, Sent] = {}
        self._again: Sequence[str] = ()  # words that were told already and may follow

    def is_me(self, nick: str) -> bool:
        return self.names.same(nick, self.nick)

    def was_told(self, message: Message) -> bool:
        """Whether the message before has already told this."""
        again, self._again = self._again, ()
        if isinstance(message, Earlier | State) or not again:
            return False
        return wording(message) == again

    def of(self, message: Message) -> Sequence[Message]:
        """Return what to tell of a message; for Roster there is ``company``."""
        match message:
            case Linked(nick, casemapping=names):
                self.nick = nick
                self.names.learn(names or OURS)
            case Unlinked():
                return [Notice(lost(message))]
            case Sent():
                self._note(message)
            case Acknowledged(token) if token in self._ours:
                return [self._said(self._ours[token])]
            case Failed(token, why):
                return self._failed(token, why)
            case Topic():
                return self._topic(message)
            case Masks():
                return notices(message)
            case Kicked():
                return self._kicked(message)
            case AwaySet(nick, text):
                return self._away(nick, text)
            case Renamed(nick, to) if self.is_me(nick):
                self.nick = to
            case Notice(text):
                self.last = text
        return () if isinstance(message, State) else [message]

    def company(self, roster: Roster) -> Sequence[Message]:
        """Tell who is in a room that we have just entered."""
        others = sum(not self.is_me(member.nick) for member in roster.members)
        return notices(RoomWelcome(roster.room, self.nick, others, first=False))

    def _note(self, sent: Sent) -> None:
        self._ours[sent.token] = sent
        if len(self._ours) > _OURS_MAX:
            del self._ours[next(iter(self._ours))]

    def _said(self, sent: Sent) -> Message:
        room, to = (sent.target, "") if is_room(sent.target) else ("", sent.target)
        return Said(room, self.nick, sent.text, action=sent.action, to=to, notice=sent.notice)

    def _failed(self, token: str, why: str) -> Sequence[Message]:
        """Tell that a text has failed, with its words. The reason may have been told just before,
        or may come again.
        """
        what = _FAILURES.get(why, "Not sent")
        told = [Notice(why)] if what == "Not sent" and why != self.last else []
        if sent := self._ours.get(token):
            told.append(Notice(f"{what}: {sent.text}"))
        self._again = wording(Notice(why))
        return told

    def _topic(self, topic: Topic) -> Sequence[Message]:
        """Tell the topic once: who set it, and when, comes in a second message."""
        self._again = wording(topic)
        return () if topic.at else [topic]

    def _kicked(self, kicked: Kicked) -> Sequence[Message]:
        """Tell that they left, too, which follows by itself if it is us, or on a plain server."""
        told = notices(kicked)[:1]
        if self.is_me(kicked.target):
            return told
        left = Left(kicked.room, kicked.target)
        self._again = wording(left)
        return [*told, left]

    def _away(self, nick: str, text: str) -> Sequence[Message]:
        if self.is_me(nick):
            away = "You have been marked as being away"
            return [Notice(away if text else "You are no longer marked as away")]
        return notices(AwayReply(nick, text)) if text else [Notice(f"{nick} is back.")]


def together(messages: Sequence[Message]) -> Iterator[tuple[Sequence[Message], Sequence[Message]]]:
    """Group messages of a kind, each group with its heading. A netsplit is told by the heading
    alone.
    """
    for kind, group in groupby(messages, _kind):
        alike = tuple(group)
        if kind == "split" and len(alike) > 1:
            yield [_split([m.nick for m in alike if isinstance(m, Departed)])], ()
        elif kind == "replay":
            number = f"last {len(alike)} messages" if len(alike) > 1 else "last message"
            yield [Notice(f"The {number}:")], alike
        else:
            yield (), alike


def _kind(message: Message) -> str:
    """Name the kind; a plain server's replay has no times, so it needs a heading."""
    match message:
        case Departed(why=why) if is_split(why):
            return "split"
        case Earlier(time="", found=False):
            return "replay"
    return ""


def lost(unlinked: Unlinked) -> str:
    """Say why the connection is lost, and when the next attempt is, if there is one."""
    why = f"{unlinked.why[:1].upper()}{unlinked.why[1:].rstrip('.')}."
    if not unlinked.retry:
        return why
    wait = max(round(unlinked.retry), 1)
    return f"{why} Trying again in {wait} second{'s' if wait > 1 else ''}."


def _split(nicks: Sequence[str]) -> Message:
    more = len(nicks) - _NAMED_MAX
    names = [*nicks[:_NAMED_MAX], *([f"{more:,} more"] if more > 0 else [])]
    return Notice(f"The network has split. Lost with it: {', '.join(names)}.")
