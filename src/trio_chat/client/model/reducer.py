"""The changes that each message of the session makes: a row each in the table at the end."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from trio_chat.client.members import STATUS, with_prefix
from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.chat_state import ChatState
from trio_chat.client.model.lines import Kind, Line
from trio_chat.client.model.news import cleaned
from trio_chat.client.model.presence_summary import PresenceSummary
from trio_chat.client.sentences import lost
from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Origin,
    Redacted,
    Renamed,
    RoomRenamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Masks, Notice, Topic
from trio_chat.protocols.casemapping import OURS
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    Failed,
    InRoom,
    Lag,
    Linked,
    MarkedRead,
    Member,
    Message,
    Operator,
    OutOfRoom,
    PageEnd,
    RemovedMeanwhile,
    Roster,
    Run,
    Sent,
    Stamped,
    Typing,
    Unlinked,
)
from trio_chat.protocols.irc.text import is_room, is_split
from trio_chat.protocols.irc.times import moment_of
from trio_chat.protocols.plain.wording import notices, removal, wording


class Reducer(ChatState):
    """The chat, changed by the messages of the session."""

    def hear(self, message: Message, now: float) -> None:
        _HEARD[type(message)](self, cleaned(message), now)

    # ── what is said ─────────────────────────────────────────────────────────────────────────────

    def _on_said(self, said: Said, now: float) -> None:
        if self.ignores(said.nick, said.origin) or said.room in self.closed:
            return
        stamped = said if isinstance(said, Stamped) else Stamped(said.room, said.nick, said.text)
        if self._comes_back(said, stamped):
            return
        buffer = self._buffer_of(said)
        if buffer.lines.knows(stamped.msgid):
            return
        line = self._line_of(buffer, said, stamped.msgid, stamped.time, now)
        (buffer.lines.add_late if stamped.late else buffer.lines.add)(line)
        if stamped.late:
            self._reveal(buffer, line)
        self._note_newest(buffer, line, stamped.time)
        buffer.spoke(said.nick, line.time)
        if not line.own:
            self._notice_it(buffer, line, late=stamped.late)
        self.trim(buffer)

    def _notice_it(self, buffer: Buffer, line: Line, *, late: bool) -> None:
        """Count a line of somebody else, and ring. A late one may have been read elsewhere."""
        if line.mention:
            self.mentions.append(line)
        if not (self.sees(buffer) or (late and line.time <= buffer.marked)):
            buffer.count(line)
        if not late and (line.mention or buffer.kind == "person"):
            self.call = line

    def _reveal(self, buffer: Buffer, line: Line) -> None:
        """Show where the new lines begin, if somebody else said it while nobody was here."""
        if self.sees(buffer) and not line.own:
            buffer.reveal(line)

    def _on_earlier(self, earlier: Earlier, now: float) -> None:
        said = earlier.said
        if self.ignores(said.nick, said.origin) or said.room in self.closed:
            return
        if earlier.calls:
            self._note_call(earlier, now)
        if earlier.found:
            self._found(earlier, now)
        if earlier.calls or earlier.found:
            return
        msgid = said.msgid if isinstance(said, Stamped) else ""
        buffer = self._buffer_of(said)
        known = buffer.lines.knows(msgid) or buffer.lines.full
        if known or self._comes_back(said, Stamped("", "", "", msgid=msgid, time=earlier.time)):
            return
        line = self._line_of(buffer, said, msgid, earlier.time, now)
        buffer.lines.add_earlier(line)
        if not buffer.first_visit:
            self._reveal(buffer, line)
        self._note_newest(buffer, line, earlier.time)
        if not line.own and buffer.is_news(line) and not self.sees(buffer):
            buffer.count(line)

    def _note_call(self, earlier: Earlier, now: float) -> None:
        """Keep a message that mentions us, and that may be in no buffer of ours, in its place among
        the others.
        """
        said = earlier.said
        msgid = said.msgid if isinstance(said, Stamped) else ""
        place = self._buffer_name(said)
        buffer = self.find(place) or self.server
        if any(msgid and line.id == msgid for line in self.mentions):
            return
        line = buffer.lines.with_id(msgid) if buffer.lines.knows(msgid) else None
        if line is None:
            line = self._line_of(buffer, said, msgid, earlier.time, now)
            line.place = place
        line.mention = True
        calls = sorted([*self.mentions, line], key=lambda call: call.time)
        self.mentions = deque(calls, self.mentions.maxlen)
        self.has_more_calls = True

    def _found(self, earlier: Earlier, now: float) -> None:
        """Show a line that was searched for where that was asked."""
        moment = moment_of(earlier.time)
        when = "" if moment is None else f"{self.days.short(moment)} "
        said = earlier.said
        text = f"{when}{self._buffer_name(said)} {wording(said)[0]}"
        self.show(self.answers(now), self.line("own note", text, now))

    def _on_redacted(self, redacted: Redacted, now: float) -> None:
        """Tell of a removal in place of the words; in a line of its own if we do not have them."""
        own = self.is_me(redacted.nick)
        buffer = self.find(redacted.room or (redacted.to if own else redacted.nick))
        if buffer is None or buffer is self.server:
            return
        ignored = self.ignores(redacted.nick, redacted.origin)
        if buffer.lines.knows(redacted.msgid) and (line := buffer.lines.with_id(redacted.msgid)):
            self._blank(buffer, line, redacted.nick, "" if ignored else redacted.why)
        elif not ignored:
            self.tell(buffer, removal(redacted), now)

    def _on_removed_meanwhile(self, removed: RemovedMeanwhile, now: float) -> None:
        """Tell of it only in place of words that we have."""
        buffer = self.find(removed.room or removed.to) or self.find(removed.nick)
        if buffer and buffer.lines.knows(removed.msgid):
            self._on_redacted(removed, now)

    def _blank(self, buffer: Buffer, line: Line, by: str, why: str) -> None:
        buffer.forget([line])
        if line in self.mentions:
            self.mentions.remove(line)
        line.kind, line.runs, line.mention = "removed", (), False
        line.text = f"(removed by {by}: {why})" if why else f"(removed by {by})"

    def _comes_back(self, said: Said, stamped: Stamped) -> bool:
        """Whether it is ours and already shown. Others see a token once the text has arrived."""
        buffer, line = self.ours.get(said.token, (None, None)) if said.token else (None, None)
        if buffer is None or line is None or (line.state == "sent" and not self.is_me(said.nick)):
            return False
        if line.state != "sent":
            self._confirm(buffer, line, stamped.msgid, stamped.time)
        return True

    def _buffer_of(self, said: Said) -> Buffer:
        """The buffer of a text. Notices of services in private get none of their own."""
        name = self._buffer_name(said)
        if not said.room and (not said.to or (said.notice and not self.is_me(said.nick))):
            return self.find(name) or self.server
        return self.open(name)

    def _buffer_name(self, said: Said) -> str:
        """The room, or in private the other person."""
        return said.room or (said.to if self.is_me(said.nick) else said.nick)

    def _line_of(self, buffer: Buffer, said: Said, msgid: str, time: str, now: float) -> Line:
        kind: Kind = "action" if said.action else "notice" if said.notice else "said"
        moment = moment_of(time)
        before = _before(buffer, said)
        text = before + said.text
        line = self.line(kind, text, now if moment is None else moment, said.nick)
        line.runs = _runs(said, len(before))
        line.id, line.stamped, line.own = msgid, moment is not None, self.is_me(said.nick)
        line.prefix = buffer.prefix(said.nick)
        line.mention = not line.own and self.names_me(said.text)
        return line

    def _note_newest(self, buffer: Buffer, line: Line, time: str) -> None:
        if line.stamped and line.time > buffer.newest[0]:
            buffer.newest = line.time, time
        self.see(buffer)

    # ── what we say ──────────────────────────────────────────────────────────────────────────────

    def _on_sent(self, sent: Sent, now: float) -> None:
        if sent.token in self.ours:
            buffer, line = self.ours[sent.token]
            if line.state == "failed":
                buffer.lines.send_again(line)
            return
        buffer = self.open(sent.target)
        kind: Kind = "action" if sent.action else "notice" if sent.notice else "said"
        line = self.line(kind, sent.text, now, self.nick)
        line.own, line.state, line.token = True, "pending", sent.token
        line.prefix = buffer.prefix(self.nick)
        self.ours[sent.token] = buffer, line
        buffer.lines.add_pending(line)
        self.trim(buffer)

    def _on_acknowledged(self, acknowledged: Acknowledged, now: float) -> None:
        buffer, line = self.ours.get(acknowledged.token, (None, None))
        if buffer and line and line.state != "sent":
            self._confirm(buffer, line, acknowledged.msgid, acknowledged.time)

    def _confirm(self, buffer: Buffer, line: Line, msgid: str, time: str) -> None:
        """Confirm a line, or remove it if the text is already there."""
        if buffer.lines.knows(msgid):
            buffer.lines.remove(line)
            del self.ours[line.token]
            return
        buffer.lines.settle(line, msgid, moment_of(time))
        self._note_newest(buffer, line, time)
        buffer.spoke(line.nick, line.time)

    def _on_failed(self, failed: Failed, now: float) -> None:
        """Mark a text as failed, unless it has arrived."""
        buffer, line = self.ours.get(failed.token, (None, None))
        if buffer and line and line.state == "pending":
            buffer.lines.fail(line, failed.why)

    # ── rooms ────────────────────────────────────────────────────────────────────────────────────

    def _on_in_room(self, entered: InRoom, now: float) -> None:
        """Enter a room; after a reconnect that is not news."""
        self.closed.pop(entered.room, None)
        buffer = self.open(entered.room)
        if buffer.kind == "room" and not buffer.joined:
            buffer.joined = True
            buffer.first_visit = buffer.untried = False
            self.tell(buffer, f"You are in {entered.room}.", now)
        is_wanted = entered.room in self.wanted
        if self.nowhere or is_wanted:
            self.begun = None if is_wanted else buffer
            self.wanted.pop(entered.room, None)
            self.go_to(buffer)

    def _on_out_of_room(self, left: OutOfRoom, now: float) -> None:
        self.closed.pop(left.room, None)
        buffer = self.find(left.room)
        if buffer and buffer.joined:
            buffer.joined = False
            buffer.set_members(())
            self.tell(buffer, _with_reason(f"You have left {left.room}", left.why), now)
            if buffer is self.current and buffer is self.begun:
                self._go_elsewhere()

    def _go_elsewhere(self) -> None:
        """Go to the room that was read last, of those where we are; or to the next that we enter.

        A guest who has logged in leaves the room where they only began.
        """
        rooms = [buffer for buffer in self.buffers if buffer.joined]
        if rooms:
            self.go_to(max(rooms, key=lambda buffer: buffer.marked))
        self.nowhere = not rooms

    def _on_roster(self, roster: Roster, now: float) -> None:
        if buffer := self._room(roster.room):
            buffer.set_members(roster.members)

    def _on_topic_is(self, topic: Topic, now: float) -> None:
        if buffer := self._room(topic.room):
            buffer.topic = topic.text

    def _on_topic_set(self, topic: TopicSet, now: float) -> None:
        if buffer := self._room(topic.room):
            buffer.topic = topic.text
            self._tell(buffer, topic, now)

    def _on_modes_set(self, modes: ModesSet, now: float) -> None:
        buffer = self._room(modes.room)
        if buffer is None:
            return
        for change in modes.changes:
            member = buffer.members.get(change.argument)
            if member and change.mode in STATUS:
                prefixes = with_prefix(member.prefixes, change.mode, add=change.add)
                buffer.put(replace(member, prefixes=prefixes))
        self._tell(buffer, modes, now)

    def _room(self, name: str) -> Buffer | None:
        """The room's buffer, if it is open."""
        buffer = self.find(name)
        return buffer if buffer and buffer.kind == "room" else None

    def _person(self, nick: str) -> Buffer | None:
        buffer = self.find(nick)
        return buffer if buffer and buffer.kind == "person" else None

    def _tell(
        self,
        buffer: Buffer,
        event: TopicSet | ModesSet | Kicked | Renamed | RoomRenamed,
        now: float,
    ) -> None:
        lines = wording(event)
        if self.ignores(event.nick, event.origin):
            return
        for line in lines[:1] if isinstance(event, Kicked) else lines:  # who is kicked leaves, too
            self.tell(buffer, line.removeprefix("*** "), now)

    # ── come and go ──────────────────────────────────────────────────────────────────────────────

    def _on_joined(self, joined: Joined, now: float) -> None:
        if self.is_me(joined.nick):
            self._on_in_room(InRoom(joined.room), now)
        elif buffer := self._room(joined.room):
            buffer.put(Member(joined.nick, away=bool(joined.away), bot=joined.origin.bot))
            self._comes_or_goes(buffer, joined.nick, joined.origin, "joined", now)

    def _on_left(self, left: Left, now: float) -> None:
        if self.is_me(left.nick):
            self._on_out_of_room(OutOfRoom(left.room, left.why), now)
        elif (buffer := self._room(left.room)) and buffer.drop(left.nick):
            self._comes_or_goes(buffer, left.nick, left.origin, "left", now, left.why)

    def _on_departed(self, departed: Departed, now: float) -> None:
        if self.is_me(departed.nick):
            return
        for buffer in self.buffers:
            if buffer.drop(departed.nick) or buffer is self._person(departed.nick):
                self._comes_or_goes(
                    buffer, departed.nick, departed.origin, "left", now, departed.why
                )

    def _comes_or_goes(
        self, buffer: Buffer, nick: str, origin: Origin, did: str, now: float, why: str = ""
    ) -> None:
        buffer.stops_typing(nick)
        if self.ignores(nick, origin):
            return
        if buffer.kind == "room" and is_split(why):
            buffer.split_off(nick)
            self._add_noise(buffer, nick, "lost in a split", now)
        elif buffer.comes_back(nick) and did == "joined":
            self._add_noise(buffer, nick, did, now)
        elif buffer.kind == "person" or buffer.spoke_lately(nick, now):
            self.tell(buffer, _with_reason(f"{nick} {did}", why), now)
        else:
            self._add_noise(buffer, nick, did, now)

    def _add_noise(self, buffer: Buffer, nick: str, did: str, now: float) -> None:
        """Add to the line before if that is about the same, and of today."""
        summary = buffer.summary
        if summary is None or not buffer.lines.ends_with(summary.line, now):
            summary = buffer.summary = PresenceSummary(self.line("event", "", now))
            self.show(buffer, summary.line)
        summary.add(nick, did)

    def _on_kicked(self, kicked: Kicked, now: float) -> None:
        """Tell of a kick. If it is us, OutOfRoom follows, and is told only if this is not."""
        if buffer := self._room(kicked.room):
            buffer.drop(kicked.target)
            buffer.stops_typing(kicked.target)
            self._tell(buffer, kicked, now)
            if self.is_me(kicked.target) and not self.ignores(kicked.nick, kicked.origin):
                buffer.joined = False
                buffer.set_members(())

    def _on_renamed(self, renamed: Renamed, now: float) -> None:
        person = self._person(renamed.nick)
        own = self.is_me(renamed.nick)
        if own:
            self.set_nick(renamed.to)
        told = [b for b in self.buffers if b.rename(renamed.nick, renamed.to)]
        for buffer in told:
            self._tell(buffer, renamed, now)
        if own:
            self._tell(self.server, renamed, now)
        elif person:
            self.rename(person, renamed.to)
            self._tell(person, renamed, now)

    def _on_room_renamed(self, renamed: RoomRenamed, now: float) -> None:
        """Keep the room's page. One of an earlier room that had its new name is closed."""
        buffer = self._room(renamed.room)
        if buffer is None or not is_room(renamed.to):
            self._on_notice(notices(renamed)[0], now)
            return
        if (other := self.find(renamed.to)) and other is not buffer:
            self.remove(other)
        self.rename(buffer, renamed.to)
        self.read.rename(renamed.room, renamed.to)
        buffer.asking = False  # the answer is about the name that it had
        buffer.lines.end_page()
        self._tell(buffer, renamed, now)

    def _on_away(self, away: AwaySet, now: float) -> None:
        if self.is_me(away.nick):
            self.away = away.text
        for buffer in self.buffers:
            member = buffer.members.get(away.nick)
            if member and member.away != bool(away.text):
                buffer.put(replace(member, away=bool(away.text)))
        person = self._person(away.nick)
        if person and not self.ignores(away.nick, away.origin):
            is_away = _with_reason(f"{away.nick} is away", away.text)
            self.tell(person, is_away if away.text else f"{away.nick} is back.", now)

    def _on_typing(self, typing: Typing, now: float) -> None:
        buffer = self.find(typing.room or typing.nick)
        if buffer is None or buffer.kind == "server" or self.is_me(typing.nick):
            return
        if not typing.active:
            buffer.stops_typing(typing.nick)
        elif not self.ignores(typing.nick, Origin()):
            buffer.types(typing.nick, now)

    # ── the server and the connection ────────────────────────────────────────────────────────────

    def _on_notice(self, notice: Notice, now: float) -> None:
        """Show a refusal where one looks, unless it belongs to a buffer; mark an urgent one."""
        buffer = self.find(notice.room) if notice.room else None
        buffer = buffer or (self.current if notice.refusal else self.answers(now))
        line = self.line("notice", notice.text, now)
        line.mention = notice.urgent
        self.show(buffer, line)
        if line.mention:
            self._notice_it(buffer, line, late=False)

    def _on_page_end(self, end: PageEnd, now: float) -> None:
        """End a page; an empty one is the last, whatever the server says."""
        if buffer := self.find(end.target):
            buffer.asking = False
            buffer.complete = end.complete or not end.count
            buffer.lines.end_page()

    def _on_marked_read(self, marked: MarkedRead, now: float) -> None:
        moment = moment_of(marked.time)
        buffer = self.find(marked.target)
        if buffer:
            buffer.told = -inf if moment is None else moment
        if moment is None:
            return
        if moment > (moment_of(self.read.get(marked.target, "")) or -inf):
            self.mark(marked.target, marked.time)
        if buffer:
            buffer.read_up_to(moment)

    def _on_masks(self, masks: Masks, now: float) -> None:
        """Keep them for a list on the screen; if there are none, say so."""
        if masks.masks:
            self.bans = masks
        else:
            self._on_notice(notices(masks)[0], now)

    def _on_linked(self, linked: Linked, now: float) -> None:
        self.linked, self.network, self.caps = True, linked.network, linked.caps
        self.names.learn(linked.casemapping or OURS)
        self.set_nick(linked.nick)
        if linked.network and self.server.name != linked.network:
            self.server.name = linked.network
        self.status = f"Connected to {linked.network or 'the server'} as {linked.nick}."
        self.tell(self.server, self.status, now)

    def _on_unlinked(self, unlinked: Unlinked, now: float) -> None:
        """Forget who was typing, what the server was asked and told, and that we rule it."""
        self.linked = self.rules = False
        for buffer in self.buffers:
            buffer.asking, buffer.told = False, -inf
            buffer.lines.end_page()
            for nick in buffer.typing:
                buffer.stops_typing(nick)
        self.status = lost(unlinked)
        self.tell(self.server, self.status, now)
        self.tell_long(unlinked.why, now)

    def _on_operator(self, operator: Operator, now: float) -> None:
        self.rules = operator.on

    def _on_lag(self, lag: Lag, now: float) -> None:
        self.lag = lag.seconds


def _before(buffer: Buffer, said: Said) -> str:
    """Words before a text for what its place does not show: its room, or that not all get it."""
    if said.room and buffer.kind == "server":
        return f"({said.room}) "
    return f"(to {said.status} only) " if said.status else ""


def _runs(said: Said, offset: int) -> tuple[Run, ...]:
    runs = said.runs if isinstance(said, Stamped) else ()
    return tuple(Run(run.start + offset, run.end + offset, run.look) for run in runs)


def _with_reason(what: str, why: str) -> str:
    return f"{what}: {why}" if why else f"{what}."


_HEARD: dict[type, Callable[[Reducer, Any, float], None]] = {
    Acknowledged: Reducer._on_acknowledged,
    AwaySet: Reducer._on_away,
    Departed: Reducer._on_departed,
    Earlier: Reducer._on_earlier,
    Failed: Reducer._on_failed,
    InRoom: Reducer._on_in_room,
    Joined: Reducer._on_joined,
    Kicked: Reducer._on_kicked,
    Lag: Reducer._on_lag,
    Left: Reducer._on_left,
    Linked: Reducer._on_linked,
    MarkedRead: Reducer._on_marked_read,
    Masks: Reducer._on_masks,
    ModesSet: Reducer._on_modes_set,
    Notice: Reducer._on_notice,
    Operator: Reducer._on_operator,
    OutOfRoom: Reducer._on_out_of_room,
    PageEnd: Reducer._on_page_end,
    Redacted: Reducer._on_redacted,
    RemovedMeanwhile: Reducer._on_removed_meanwhile,
    Renamed: Reducer._on_renamed,
    RoomRenamed: Reducer._on_room_renamed,
    Roster: Reducer._on_roster,
    Said: Reducer._on_said,
    Sent: Reducer._on_sent,
    Stamped: Reducer._on_said,
    Topic: Reducer._on_topic_is,
    TopicSet: Reducer._on_topic_set,
    Typing: Reducer._on_typing,
    Unlinked: Reducer._on_unlinked,
}
