"""The changes that each message of the session makes: a row each in the table at the end."""

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
    Renamed,
    Said,
    TopicSet,
)
from trio_chat.core.views import Notice, Topic
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
    OutOfRoom,
    PageEnd,
    Roster,
    Run,
    Sent,
    Stamped,
    Typing,
    Unlinked,
)
from trio_chat.protocols.irc.text import is_split
from trio_chat.protocols.irc.times import moment_of
from trio_chat.protocols.plain.wording import wording


def hear(state: ChatState, message: Message, now: float) -> None:
    _HEARD[type(message)](state, cleaned(message), now)


# ── what is said ───────────────────────────────────────────────────────────────────────────────


def _said(state: ChatState, said: Said, now: float) -> None:
    if state.ignores(said.nick, said.origin) or said.room in state.closed:
        return
    stamped = said if isinstance(said, Stamped) else Stamped(said.room, said.nick, said.text)
    if _comes_back(state, said, stamped):
        return
    buffer = _buffer_of(state, said)
    if buffer.lines.knows(stamped.msgid):
        return
    line = _line_of(state, buffer, said, stamped.msgid, stamped.time, now)
    (buffer.lines.add_late if stamped.late else buffer.lines.add)(line)
    if stamped.late:
        _reveal(state, buffer, line)
    _note_newest(state, buffer, line, stamped.time)
    buffer.spoke(said.nick, line.time)
    if not line.own:
        _notice_it(state, buffer, line, late=stamped.late)
    state.trim(buffer)


def _notice_it(state: ChatState, buffer: Buffer, line: Line, *, late: bool) -> None:
    """Count a line of somebody else, and ring. A late one may have been read elsewhere."""
    if line.mention:
        state.mentions.append(line)
    if not (state.sees(buffer) or (late and line.time <= buffer.marked)):
        buffer.count(line)
    if not late and (line.mention or buffer.kind == "person"):
        state.call = line


def _reveal(state: ChatState, buffer: Buffer, line: Line) -> None:
    """Show where the new lines begin, if somebody else said it while nobody was here."""
    if state.sees(buffer) and not line.own:
        buffer.reveal(line)


def _earlier(state: ChatState, earlier: Earlier, now: float) -> None:
    said = earlier.said
    if state.ignores(said.nick, said.origin) or said.room in state.closed:
        return
    if earlier.found:
        _found(state, earlier, now)
        return
    msgid = said.msgid if isinstance(said, Stamped) else ""
    buffer = _buffer_of(state, said)
    known = buffer.lines.knows(msgid) or buffer.lines.full
    if known or _comes_back(state, said, Stamped("", "", "", msgid=msgid, time=earlier.time)):
        return
    line = _line_of(state, buffer, said, msgid, earlier.time, now)
    buffer.lines.add_earlier(line)
    if not buffer.first_visit:
        _reveal(state, buffer, line)
    _note_newest(state, buffer, line, earlier.time)
    if not line.own and buffer.is_news(line) and not state.sees(buffer):
        buffer.count(line)


def _found(state: ChatState, earlier: Earlier, now: float) -> None:
    """Show a line that was searched for where that was asked."""
    moment = moment_of(earlier.time)
    when = "" if moment is None else f"{state.days.short(moment)} "
    said = earlier.said
    text = f"{when}{_buffer_name(state, said)} {wording(said)[0]}"
    state.show(state.answers(now), state.line("own note", text, now))


def _comes_back(state: ChatState, said: Said, stamped: Stamped) -> bool:
    """Whether it is ours and already shown. Others see a token only once the text has arrived."""
    buffer, line = state.ours.get(said.token, (None, None)) if said.token else (None, None)
    if buffer is None or line is None or (line.state == "sent" and not state.is_me(said.nick)):
        return False
    if line.state != "sent":
        _confirm(state, buffer, line, stamped.msgid, stamped.time)
    return True


def _buffer_of(state: ChatState, said: Said) -> Buffer:
    """The buffer of a text. Notices of services in private get none of their own."""
    name = _buffer_name(state, said)
    if not said.room and (not said.to or (said.notice and not state.is_me(said.nick))):
        return state.find(name) or state.server
    return state.open(name)


def _buffer_name(state: ChatState, said: Said) -> str:
    """The room, or in private the other person."""
    return said.room or (said.to if state.is_me(said.nick) else said.nick)


def _line_of(
    state: ChatState, buffer: Buffer, said: Said, msgid: str, time: str, now: float
) -> Line:
    kind: Kind = "action" if said.action else "notice" if said.notice else "said"
    moment = moment_of(time)
    before = _before(buffer, said)
    text = before + said.text
    line = state.line(kind, text, now if moment is None else moment, said.nick)
    line.runs = _runs(said, len(before))
    line.id, line.stamped, line.own = msgid, moment is not None, state.is_me(said.nick)
    line.prefix = buffer.prefix(said.nick)
    line.mention = not line.own and state.names_me(said.text)
    return line


def _before(buffer: Buffer, said: Said) -> str:
    """Words before a text for what its place does not show: its room, or that not all get it."""
    if said.room and buffer.kind == "server":
        return f"({said.room}) "
    return f"(to {said.status} only) " if said.status else ""


def _runs(said: Said, offset: int) -> tuple[Run, ...]:
    runs = said.runs if isinstance(said, Stamped) else ()
    return tuple(Run(run.start + offset, run.end + offset, run.look) for run in runs)


def _note_newest(state: ChatState, buffer: Buffer, line: Line, time: str) -> None:
    if line.stamped and line.time > buffer.newest[0]:
        buffer.newest = line.time, time
    state.see(buffer)


# ── what we say ────────────────────────────────────────────────────────────────────────────────


def _sent(state: ChatState, sent: Sent, now: float) -> None:
    if sent.token in state.ours:
        buffer, line = state.ours[sent.token]
        if line.state == "failed":
            buffer.lines.send_again(line)
        return
    buffer = state.open(sent.target)
    kind: Kind = "action" if sent.action else "notice" if sent.notice else "said"
    line = state.line(kind, sent.text, now, state.nick)
    line.own, line.state, line.token = True, "pending", sent.token
    line.prefix = buffer.prefix(state.nick)
    state.ours[sent.token] = buffer, line
    buffer.lines.add_pending(line)
    state.trim(buffer)


def _acknowledged(state: ChatState, acknowledged: Acknowledged, now: float) -> None:
    buffer, line = state.ours.get(acknowledged.token, (None, None))
    if buffer and line and line.state != "sent":
        _confirm(state, buffer, line, acknowledged.msgid, acknowledged.time)


def _confirm(state: ChatState, buffer: Buffer, line: Line, msgid: str, time: str) -> None:
    """Confirm a line, or remove it if the text is already there."""
    if buffer.lines.knows(msgid):
        buffer.lines.remove(line)
        del state.ours[line.token]
        return
    buffer.lines.settle(line, msgid, moment_of(time))
    _note_newest(state, buffer, line, time)
    buffer.spoke(line.nick, line.time)


def _failed(state: ChatState, failed: Failed, now: float) -> None:
    """Mark a text as failed, unless it has arrived."""
    buffer, line = state.ours.get(failed.token, (None, None))
    if buffer and line and line.state == "pending":
        buffer.lines.fail(line, failed.why)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def _in_room(state: ChatState, entered: InRoom, now: float) -> None:
    """Enter a room; after a reconnect that is not news."""
    state.closed.pop(entered.room, None)
    buffer = state.open(entered.room)
    if buffer.kind == "room" and not buffer.joined:
        buffer.joined = True
        buffer.first_visit = False
        state.tell(buffer, f"You are in {entered.room}.", now)
    if state.nowhere or entered.room in state.wanted:
        state.wanted.pop(entered.room, None)
        state.go_to(buffer)


def _out_of_room(state: ChatState, left: OutOfRoom, now: float) -> None:
    state.closed.pop(left.room, None)
    buffer = state.find(left.room)
    if buffer and buffer.joined:
        buffer.joined = False
        buffer.set_members(())
        state.tell(buffer, _with_reason(f"You have left {left.room}", left.why), now)


def _roster(state: ChatState, roster: Roster, now: float) -> None:
    if buffer := _room(state, roster.room):
        buffer.set_members(roster.members)


def _topic_is(state: ChatState, topic: Topic, now: float) -> None:
    if buffer := _room(state, topic.room):
        buffer.topic = topic.text


def _topic_set(state: ChatState, topic: TopicSet, now: float) -> None:
    if buffer := _room(state, topic.room):
        buffer.topic = topic.text
        _tell(state, buffer, topic, now)


def _modes_set(state: ChatState, modes: ModesSet, now: float) -> None:
    buffer = _room(state, modes.room)
    if buffer is None:
        return
    for change in modes.changes:
        member = buffer.members.get(change.argument)
        if member and change.mode in STATUS:
            prefixes = with_prefix(member.prefixes, change.mode, add=change.add)
            buffer.put(replace(member, prefixes=prefixes))
    _tell(state, buffer, modes, now)


def _room(state: ChatState, name: str) -> Buffer | None:
    """The room's buffer, if it is open."""
    buffer = state.find(name)
    return buffer if buffer and buffer.kind == "room" else None


def _person(state: ChatState, nick: str) -> Buffer | None:
    buffer = state.find(nick)
    return buffer if buffer and buffer.kind == "person" else None


def _tell(
    state: ChatState, buffer: Buffer, event: TopicSet | ModesSet | Kicked | Renamed, now: float
) -> None:
    if not state.ignores(event.nick, event.origin):
        state.tell(buffer, wording(event)[0].removeprefix("*** "), now)


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _joined(state: ChatState, joined: Joined, now: float) -> None:
    if state.is_me(joined.nick):
        _in_room(state, InRoom(joined.room), now)
    elif buffer := _room(state, joined.room):
        buffer.put(Member(joined.nick, away=bool(joined.away), bot=joined.origin.bot))
        _comes_or_goes(state, buffer, joined.nick, joined.origin, "joined", now)


def _left(state: ChatState, left: Left, now: float) -> None:
    if state.is_me(left.nick):
        _out_of_room(state, OutOfRoom(left.room, left.why), now)
    elif (buffer := _room(state, left.room)) and buffer.drop(left.nick):
        _comes_or_goes(state, buffer, left.nick, left.origin, "left", now, left.why)


def _departed(state: ChatState, departed: Departed, now: float) -> None:
    if state.is_me(departed.nick):
        return
    for buffer in state.buffers:
        if buffer.drop(departed.nick) or buffer is _person(state, departed.nick):
            _comes_or_goes(state, buffer, departed.nick, departed.origin, "left", now, departed.why)


def _comes_or_goes(
    state: ChatState, buffer: Buffer, nick: str, origin: Origin, did: str, now: float, why: str = ""
) -> None:
    buffer.stops_typing(nick)
    if state.ignores(nick, origin):
        return
    if buffer.kind == "room" and is_split(why):
        buffer.split_off(nick)
        _add_noise(state, buffer, nick, "lost in a split", now)
    elif buffer.comes_back(nick) and did == "joined":
        _add_noise(state, buffer, nick, did, now)
    elif buffer.kind == "person" or buffer.spoke_lately(nick, now):
        state.tell(buffer, _with_reason(f"{nick} {did}", why), now)
    else:
        _add_noise(state, buffer, nick, did, now)


def _add_noise(state: ChatState, buffer: Buffer, nick: str, did: str, now: float) -> None:
    """Add to the line before if that is about the same, and of today."""
    summary = buffer.summary
    if summary is None or not buffer.lines.ends_with(summary.line, now):
        summary = buffer.summary = PresenceSummary(state.line("event", "", now))
        state.show(buffer, summary.line)
    summary.add(nick, did)


def _with_reason(what: str, why: str) -> str:
    return f"{what}: {why}" if why else f"{what}."


def _kicked(state: ChatState, kicked: Kicked, now: float) -> None:
    """Tell of a kick. If it is us, OutOfRoom follows, and is told only if this is not."""
    if buffer := _room(state, kicked.room):
        buffer.drop(kicked.target)
        buffer.stops_typing(kicked.target)
        _tell(state, buffer, kicked, now)
        if state.is_me(kicked.target) and not state.ignores(kicked.nick, kicked.origin):
            buffer.joined = False
            buffer.set_members(())


def _renamed(state: ChatState, renamed: Renamed, now: float) -> None:
    person = _person(state, renamed.nick)
    own = state.is_me(renamed.nick)
    if own:
        state.set_nick(renamed.to)
    told = [b for b in state.buffers if b.rename(renamed.nick, renamed.to)]
    for buffer in told:
        _tell(state, buffer, renamed, now)
    if own:
        _tell(state, state.server, renamed, now)
    elif person:
        state.rename(person, renamed.to)
        _tell(state, person, renamed, now)


def _away(state: ChatState, away: AwaySet, now: float) -> None:
    if state.is_me(away.nick):
        state.away = away.text
    for buffer in state.buffers:
        member = buffer.members.get(away.nick)
        if member and member.away != bool(away.text):
            buffer.put(replace(member, away=bool(away.text)))
    person = _person(state, away.nick)
    if person and not state.ignores(away.nick, away.origin):
        is_away = _with_reason(f"{away.nick} is away", away.text)
        state.tell(person, is_away if away.text else f"{away.nick} is back.", now)


def _typing(state: ChatState, typing: Typing, now: float) -> None:
    buffer = state.find(typing.room or typing.nick)
    if buffer is None or buffer.kind == "server" or state.is_me(typing.nick):
        return
    if not typing.active:
        buffer.stops_typing(typing.nick)
    elif not state.ignores(typing.nick, Origin()):
        buffer.types(typing.nick, now)


# ── the server and the connection ──────────────────────────────────────────────────────────────


def _notice(state: ChatState, notice: Notice, now: float) -> None:
    """Show a refusal where the person looks, unless it belongs to a buffer."""
    buffer = state.find(notice.room) if notice.room else None
    buffer = buffer or (state.current if notice.refusal else state.answers(now))
    state.show(buffer, state.line("notice", notice.text, now))


def _page_end(state: ChatState, end: PageEnd, now: float) -> None:
    """End a page; an empty one is the last, whatever the server says."""
    if buffer := state.find(end.target):
        buffer.asking = False
        buffer.complete = end.complete or not end.count
        buffer.lines.end_page()


def _marked_read(state: ChatState, marked: MarkedRead, now: float) -> None:
    moment = moment_of(marked.time)
    buffer = state.find(marked.target)
    if buffer:
        buffer.told = -inf if moment is None else moment
    if moment is None:
        return
    if moment > (moment_of(state.read.get(marked.target, "")) or -inf):
        state.mark(marked.target, marked.time)
    if buffer:
        buffer.read_up_to(moment)


def _linked(state: ChatState, linked: Linked, now: float) -> None:
    state.linked, state.network, state.caps = True, linked.network, linked.caps
    state.names.learn(linked.casemapping or OURS)
    state.set_nick(linked.nick)
    if linked.network and state.server.name != linked.network:
        state.server.name = linked.network
    state.status = f"Connected to {linked.network or 'the server'} as {linked.nick}."
    state.tell(state.server, state.status, now)


def _unlinked(state: ChatState, unlinked: Unlinked, now: float) -> None:
    """Forget who was typing, and what the server was asked and told."""
    state.linked = False
    for buffer in state.buffers:
        buffer.asking, buffer.told = False, -inf
        buffer.lines.end_page()
        for nick in buffer.typing:
            buffer.stops_typing(nick)
    state.status = lost(unlinked)
    state.tell(state.server, state.status, now)


def _lag(state: ChatState, lag: Lag, now: float) -> None:
    state.lag = lag.seconds


_HEARD: dict[type, Callable[[ChatState, Any, float], None]] = {
    Acknowledged: _acknowledged,
    AwaySet: _away,
    Departed: _departed,
    Earlier: _earlier,
    Failed: _failed,
    InRoom: _in_room,
    Joined: _joined,
    Kicked: _kicked,
    Lag: _lag,
    Left: _left,
    Linked: _linked,
    MarkedRead: _marked_read,
    ModesSet: _modes_set,
    Notice: _notice,
    OutOfRoom: _out_of_room,
    PageEnd: _page_end,
    Renamed: _renamed,
    Roster: _roster,
    Said: _said,
    Sent: _sent,
    Stamped: _said,
    Topic: _topic_is,
    TopicSet: _topic_set,
    Typing: _typing,
    Unlinked: _unlinked,
}
