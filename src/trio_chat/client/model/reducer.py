"""What each message of the session's changes: a row each in the table at the end."""

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from trio_chat.client.members import STATUS, with_prefix
from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.lines import Kind, Line
from trio_chat.client.model.news import cleaned
from trio_chat.client.model.presence_summary import PresenceSummary
from trio_chat.client.model.world import World
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


def hear(world: World, message: Message, now: float) -> None:
    _HEARD[type(message)](world, cleaned(message), now)


# ── what is said ───────────────────────────────────────────────────────────────────────────────


def _said(world: World, said: Said, now: float) -> None:
    if world.ignores(said.nick, said.origin) or said.room in world.closed:
        return
    stamped = said if isinstance(said, Stamped) else Stamped(said.room, said.nick, said.text)
    if _comes_back(world, said, stamped):
        return
    buffer = _buffer_of(world, said)
    if buffer.lines.knows(stamped.msgid):
        return
    line = _line_of(world, buffer, said, stamped.msgid, stamped.time, now)
    (buffer.lines.add_late if stamped.late else buffer.lines.add)(line)
    if stamped.late:
        _reveal(world, buffer, line)
    _note_newest(world, buffer, line, stamped.time)
    buffer.spoke(said.nick, line.time)
    if not line.own:
        _notice_it(world, buffer, line, late=stamped.late)
    world.trim(buffer)


def _notice_it(world: World, buffer: Buffer, line: Line, *, late: bool) -> None:
    """Somebody else has said it. What was said late may have been read elsewhere."""
    if line.mention:
        world.mentions.append(line)
    if not (world.sees(buffer) or (late and line.time <= buffer.marked)):
        buffer.count(line)
    if not late:
        private = buffer.kind == "person"
        world.changes.ring("private" if private else "mention" if line.mention else "")


def _reveal(world: World, buffer: Buffer, line: Line) -> None:
    """Somebody else has said it while nobody was here."""
    if world.sees(buffer) and not line.own:
        buffer.reveal(line)


def _earlier(world: World, earlier: Earlier, now: float) -> None:
    said = earlier.said
    if world.ignores(said.nick, said.origin) or said.room in world.closed:
        return
    if earlier.found:
        _found(world, earlier, now)
        return
    msgid = said.msgid if isinstance(said, Stamped) else ""
    buffer = _buffer_of(world, said)
    known = buffer.lines.knows(msgid) or buffer.lines.full
    if known or _comes_back(world, said, Stamped("", "", "", msgid=msgid, time=earlier.time)):
        return
    line = _line_of(world, buffer, said, msgid, earlier.time, now)
    buffer.lines.add_earlier(line)
    _reveal(world, buffer, line)
    _note_newest(world, buffer, line, earlier.time)
    if not line.own and buffer.is_news(line) and not world.sees(buffer):
        buffer.count(line)


def _found(world: World, earlier: Earlier, now: float) -> None:
    """Somebody has searched for it: it has its place elsewhere."""
    moment = moment_of(earlier.time)
    when = "" if moment is None else f"{world.days.short(moment)} "
    said = earlier.said
    text = f"{when}{_buffer_name(world, said)} {wording(said)[0]}"
    world.show(world.answers(now), world.line("own note", text, now))


def _comes_back(world: World, said: Said, stamped: Stamped) -> bool:
    """Whether it is ours, and shown already. Others see a token only once the text has arrived."""
    buffer, line = world.ours.get(said.token, (None, None)) if said.token else (None, None)
    if buffer is None or line is None or (line.state == "sent" and not world.is_me(said.nick)):
        return False
    if line.state != "sent":
        _confirm(world, buffer, line, stamped.msgid, stamped.time)
    return True


def _buffer_of(world: World, said: Said) -> Buffer:
    """What services tell in private needs no buffer of its own."""
    name = _buffer_name(world, said)
    if not said.room and (not said.to or (said.notice and not world.is_me(said.nick))):
        return world.find(name) or world.server
    return world.open(name)


def _buffer_name(world: World, said: Said) -> str:
    """Of a private conversation, it is the other one's."""
    return said.room or (said.to if world.is_me(said.nick) else said.nick)


def _line_of(world: World, buffer: Buffer, said: Said, msgid: str, time: str, now: float) -> Line:
    kind: Kind = "action" if said.action else "notice" if said.notice else "said"
    moment = moment_of(time)
    before = _before(buffer, said)
    text = before + said.text
    line = world.line(kind, text, now if moment is None else moment, said.nick)
    line.runs = _runs(said, len(before))
    line.id, line.stamped, line.own = msgid, moment is not None, world.is_me(said.nick)
    line.prefix = buffer.prefix(said.nick)
    line.mention = not line.own and world.names_me(said.text)
    return line


def _before(buffer: Buffer, said: Said) -> str:
    """What cannot be seen otherwise: that not all of the room hear it, or from where it is."""
    if said.room and buffer.kind == "server":
        return f"({said.room}) "
    return f"(to {said.status} only) " if said.status else ""


def _runs(said: Said, offset: int) -> tuple[Run, ...]:
    runs = said.runs if isinstance(said, Stamped) else ()
    return tuple(Run(run.start + offset, run.end + offset, run.look) for run in runs)


def _note_newest(world: World, buffer: Buffer, line: Line, time: str) -> None:
    if line.stamped and line.time > buffer.newest[0]:
        buffer.newest = line.time, time
    world.see(buffer)


# ── what we say ────────────────────────────────────────────────────────────────────────────────


def _sent(world: World, sent: Sent, now: float) -> None:
    if sent.token in world.ours:
        buffer, line = world.ours[sent.token]
        if line.state == "failed":
            buffer.lines.send_again(line)
        return
    buffer = world.open(sent.target)
    kind: Kind = "action" if sent.action else "notice" if sent.notice else "said"
    line = world.line(kind, sent.text, now, world.nick)
    line.own, line.state, line.token = True, "pending", sent.token
    line.prefix = buffer.prefix(world.nick)
    world.ours[sent.token] = buffer, line
    buffer.lines.add_pending(line)
    world.trim(buffer)


def _acknowledged(world: World, acknowledged: Acknowledged, now: float) -> None:
    buffer, line = world.ours.get(acknowledged.token, (None, None))
    if buffer and line and line.state != "sent":
        _confirm(world, buffer, line, acknowledged.msgid, acknowledged.time)


def _confirm(world: World, buffer: Buffer, line: Line, msgid: str, time: str) -> None:
    """If it is there already, the line is one too many."""
    if buffer.lines.knows(msgid):
        buffer.lines.remove(line)
        del world.ours[line.token]
        return
    buffer.lines.settle(line, msgid, moment_of(time))
    _note_newest(world, buffer, line, time)
    buffer.spoke(line.nick, line.time)


def _failed(world: World, failed: Failed, now: float) -> None:
    """What has arrived cannot fail any more."""
    buffer, line = world.ours.get(failed.token, (None, None))
    if buffer and line and line.state == "pending":
        buffer.lines.fail(line, failed.why)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────────


def _in_room(world: World, entered: InRoom, now: float) -> None:
    """After a reconnect it is no news."""
    world.closed.pop(entered.room, None)
    buffer = world.open(entered.room)
    if buffer.kind == "room" and not buffer.joined:
        buffer.joined = True
        world.tell(buffer, f"You are in {entered.room}.", now)
    if world.nowhere or entered.room in world.wanted:
        world.wanted.pop(entered.room, None)
        world.go_to(buffer)


def _out_of_room(world: World, left: OutOfRoom, now: float) -> None:
    world.closed.pop(left.room, None)
    buffer = world.find(left.room)
    if buffer and buffer.joined:
        buffer.joined = False
        buffer.set_members(())
        world.tell(buffer, _with_reason(f"You have left {left.room}", left.why), now)


def _roster(world: World, roster: Roster, now: float) -> None:
    if buffer := _room(world, roster.room):
        buffer.set_members(roster.members)


def _topic_is(world: World, topic: Topic, now: float) -> None:
    if buffer := _room(world, topic.room):
        buffer.topic = topic.text
        world.changes.titles = True


def _topic_set(world: World, topic: TopicSet, now: float) -> None:
    if buffer := _room(world, topic.room):
        buffer.topic = topic.text
        world.changes.titles = True
        _tell(world, buffer, topic, now)


def _modes_set(world: World, modes: ModesSet, now: float) -> None:
    buffer = _room(world, modes.room)
    if buffer is None:
        return
    for change in modes.changes:
        member = buffer.members.get(change.argument)
        if member and change.mode in STATUS:
            prefixes = with_prefix(member.prefixes, change.mode, add=change.add)
            buffer.put(replace(member, prefixes=prefixes))
    _tell(world, buffer, modes, now)


def _room(world: World, name: str) -> Buffer | None:
    """What is known of a room matters only to who has it open."""
    buffer = world.find(name)
    return buffer if buffer and buffer.kind == "room" else None


def _person(world: World, nick: str) -> Buffer | None:
    buffer = world.find(nick)
    return buffer if buffer and buffer.kind == "person" else None


def _tell(
    world: World, buffer: Buffer, event: TopicSet | ModesSet | Kicked | Renamed, now: float
) -> None:
    if not world.ignores(event.nick, event.origin):
        world.tell(buffer, wording(event)[0].removeprefix("*** "), now)


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _joined(world: World, joined: Joined, now: float) -> None:
    if world.is_me(joined.nick):
        _in_room(world, InRoom(joined.room), now)
    elif buffer := _room(world, joined.room):
        buffer.put(Member(joined.nick, away=bool(joined.away), bot=joined.origin.bot))
        _comes_or_goes(world, buffer, joined.nick, joined.origin, "joined", now)


def _left(world: World, left: Left, now: float) -> None:
    if world.is_me(left.nick):
        _out_of_room(world, OutOfRoom(left.room, left.why), now)
    elif (buffer := _room(world, left.room)) and buffer.drop(left.nick):
        _comes_or_goes(world, buffer, left.nick, left.origin, "left", now, left.why)


def _departed(world: World, departed: Departed, now: float) -> None:
    if world.is_me(departed.nick):
        return
    for buffer in world.buffers:
        if buffer.drop(departed.nick) or buffer is _person(world, departed.nick):
            _comes_or_goes(world, buffer, departed.nick, departed.origin, "left", now, departed.why)


def _comes_or_goes(
    world: World, buffer: Buffer, nick: str, origin: Origin, did: str, now: float, why: str = ""
) -> None:
    buffer.set_typing(nick, until=None)
    if world.ignores(nick, origin):
        return
    if buffer.kind == "room" and is_split(why):
        buffer.split_off(nick)
        _add_noise(world, buffer, nick, "lost in a split", now)
    elif buffer.comes_back(nick) and did == "joined":
        _add_noise(world, buffer, nick, did, now)
    elif buffer.kind == "person" or buffer.spoke_lately(nick, now):
        world.tell(buffer, _with_reason(f"{nick} {did}", why), now)
    else:
        _add_noise(world, buffer, nick, did, now)


def _add_noise(world: World, buffer: Buffer, nick: str, did: str, now: float) -> None:
    """To the line before, if that is about the same, and of today."""
    if buffer.noise_on(now):
        buffer.more_noise(nick, did)
    else:
        line = world.line("event", "", now)
        buffer.begin_noise(PresenceSummary(line), nick, did)
        world.show(buffer, line)


def _with_reason(what: str, why: str) -> str:
    return f"{what}: {why}" if why else f"{what}."


def _kicked(world: World, kicked: Kicked, now: float) -> None:
    """If it is us, that we are out follows, and is told only if this is not."""
    if buffer := _room(world, kicked.room):
        buffer.drop(kicked.target)
        buffer.set_typing(kicked.target, until=None)
        _tell(world, buffer, kicked, now)
        if world.is_me(kicked.target) and not world.ignores(kicked.nick, kicked.origin):
            buffer.joined = False
            buffer.set_members(())


def _renamed(world: World, renamed: Renamed, now: float) -> None:
    person = _person(world, renamed.nick)
    own = world.is_me(renamed.nick)
    if own:
        world.set_nick(renamed.to)
    told = [b for b in world.buffers if b.rename(renamed.nick, renamed.to)]
    for buffer in told:
        _tell(world, buffer, renamed, now)
    if own:
        _tell(world, world.server, renamed, now)
    elif person:
        world.rename(person, renamed.to)
        _tell(world, person, renamed, now)


def _away(world: World, away: AwaySet, now: float) -> None:
    if world.is_me(away.nick):
        world.away = away.text
        world.changes.status = True
    for buffer in world.buffers:
        member = buffer.members.get(away.nick)
        if member and member.away != bool(away.text):
            buffer.put(replace(member, away=bool(away.text)))
    person = _person(world, away.nick)
    if person and not world.ignores(away.nick, away.origin):
        is_away = _with_reason(f"{away.nick} is away", away.text)
        world.tell(person, is_away if away.text else f"{away.nick} is back.", now)


def _typing(world: World, typing: Typing, now: float) -> None:
    buffer = world.find(typing.room or typing.nick)
    if buffer is None or buffer.kind == "server" or world.is_me(typing.nick):
        return
    if not typing.active:
        buffer.set_typing(typing.nick, until=None)
    elif not world.ignores(typing.nick, Origin()):
        buffer.types(typing.nick, now)


# ── the server and the connection ──────────────────────────────────────────────────────────────


def _notice(world: World, notice: Notice, now: float) -> None:
    """What is refused is seen where one looks, unless it has a place of its own."""
    buffer = world.find(notice.room) if notice.room else None
    buffer = buffer or (world.current if notice.refusal else world.answers(now))
    world.show(buffer, world.line("notice", notice.text, now))


def _page_end(world: World, end: PageEnd, now: float) -> None:
    """A page in which there is nothing is the last one, whatever is said of it."""
    if buffer := world.find(end.target):
        buffer.asking = False
        buffer.complete = end.complete or not end.count
        buffer.lines.end_page()


def _marked_read(world: World, marked: MarkedRead, now: float) -> None:
    moment = moment_of(marked.time)
    buffer = world.find(marked.target)
    if buffer:
        buffer.told = -inf if moment is None else moment
    if moment is None:
        return
    if moment > (moment_of(world.read.get(marked.target, "")) or -inf):
        world.mark(marked.target, marked.time)
    if buffer:
        buffer.read_up_to(moment)


def _linked(world: World, linked: Linked, now: float) -> None:
    world.linked, world.network, world.caps = True, linked.network, linked.caps
    world.names.learn(linked.casemapping or OURS)
    world.set_nick(linked.nick)
    if linked.network and world.server.name != linked.network:
        world.server.name = linked.network
        world.changes.buffers = world.changes.titles = True
    world.set_status(f"Connected to {linked.network or 'the server'} as {linked.nick}.")
    world.tell(world.server, world.status, now)


def _unlinked(world: World, unlinked: Unlinked, now: float) -> None:
    """Whoever was typing, and what was asked for or told, is not known any more."""
    world.linked = False
    for buffer in world.buffers:
        buffer.asking, buffer.told = False, -inf
        buffer.lines.end_page()
        for nick in buffer.typing:
            buffer.set_typing(nick, until=None)
    world.set_status(f"{unlinked.why}. Trying again in {unlinked.retry:.0f} s.")
    world.tell(world.server, world.status, now)


def _lag(world: World, lag: Lag, now: float) -> None:
    world.lag = lag.seconds
    world.changes.status = True


_HEARD: dict[type, Callable[[World, Any, float], None]] = {
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
