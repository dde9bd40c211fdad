"""What an operator's program is told on the operators' socket, as objects of JSON.

The ``text`` of each is for people, its ``type`` tells which other fields there are. Whoever did it
is told as ``by``, and as whom they were known: ``by_account``, their account, or on this socket
their name on the machine.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from trio_chat.core.events import (
    RESET_HOURS,
    AccountDropped,
    Announced,
    Banned,
    Change,
    InvitationRevoked,
    Kicked,
    Killed,
    Locked,
    ModesSet,
    OperatorDropped,
    Origin,
    Redacted,
    RoomRenamed,
    TopicSet,
    Unbanned,
    Unlocked,
)
from trio_chat.core.modes import MUTE
from trio_chat.core.room_state import Mask
from trio_chat.core.views import (
    AccountView,
    Audited,
    Ban,
    BanEffect,
    Bans,
    Connections,
    ConnectionView,
    Draining,
    LockEffect,
    LogLevel,
    Masks,
    NewInvitation,
    NewKey,
    Nodes,
    Notice,
    People,
    Refused,
    Reloaded,
    Reports,
    RoomBanEffect,
    Rooms,
    Shown,
    Stats,
    Topic,
    UsedInvitations,
)
from trio_chat.core.words import account_or_user
from trio_chat.protocols.admin_stats import stats
from trio_chat.protocols.audit import audit_line, audit_notes, report_lines
from trio_chat.protocols.durations import moment
from trio_chat.protocols.irc.text import is_room
from trio_chat.protocols.irc.text import shown as readable
from trio_chat.protocols.irc.times import timestamp
from trio_chat.protocols.plain import modes
from trio_chat.protocols.plain.wording import OURS, SETTLED, wording

Object = dict[str, Any]

# Before a word, but not before the path of a file.
_SLASH = re.compile(r"(?<!\S)/(?=[^\s/]+(?!\S))")


def objects(shown: Shown) -> Iterator[Object]:
    """The objects that tell of something."""
    if tell := _OBJECTS.get(type(shown)):
        yield from tell(shown)
    else:  # lines that begin otherwise repeat it for the tutorial's client
        yield from _notices(line for line in wording(shown) if line.startswith(OURS))


def _notices(lines: Iterable[str]) -> Iterator[Object]:
    return ({"type": "notice", "text": _sentence(line)} for line in lines)


def _bare(sentence: str) -> str:
    """Name commands without the slash that they have in the chat."""
    return _SLASH.sub("", sentence)


def _sentence(line: str) -> str:
    return readable(line.removeprefix(OURS))


def _told(kind: str, shown: Shown, /, **fields: object) -> Iterator[Object]:
    """An object with its first sentence; others follow as notices."""
    first, *rest = (line for line in wording(shown) if line.startswith(OURS))
    yield {"type": kind, "text": _sentence(first), **fields}
    yield from _notices(rest)


def _by(nick: str, origin: Origin) -> Mapping[str, str]:
    return {"by": nick, "by_account": account_or_user(nick, origin)}


def _refused(refused: Refused) -> Iterator[Object]:
    code, text = refused.code.name.lower(), _bare(readable(refused.why))
    yield {"type": "refused", "text": text, "code": code}


# ── whom a ban or the lock hits ────────────────────────────────────────────────────────────────


def _effect(shown: BanEffect | RoomBanEffect | LockEffect, /, **fields: object) -> Iterator[Object]:
    first, *rest = map(_bare, wording(shown))
    yield {"type": "effect", "text": _sentence(first), "others": shown.others, **fields}
    yield from _notices(rest)


def _ban_effect(effect: BanEffect) -> Iterator[Object]:
    return _effect(
        effect,
        number=effect.ban.number,
        hit=effect.hit,
        wide=effect.is_wide,
        shuts_out=effect.shuts_out,
        replaced=effect.replaced,
        as_guests=effect.as_guests,
        networks=list(effect.networks),
    )


def _room_ban_effect(effect: RoomBanEffect) -> Iterator[Object]:
    return _effect(effect, room=effect.room, hit=effect.hit, spared=effect.spared)


def _lock_effect(effect: LockEffect) -> Iterator[Object]:
    return _effect(effect, hit=effect.muted)


# ── lists ──────────────────────────────────────────────────────────────────────────────────────


def _people(people: People) -> Iterator[Object]:
    for one in people.people:
        yield from _told(
            "person",
            People(people.of, (one,)),
            nick=one.nick,
            account=one.origin.account,
            rooms=list(one.rooms),
            address=one.address,
            host=one.origin.host,
            tls=one.secure,
            operator="o" in one.modes,
            since=timestamp(one.since),
            **({"nodes": list(one.nodes)} if one.nodes else {}),
        )


def _rooms(rooms: Rooms) -> Iterator[Object]:
    for room in rooms.rooms:
        about = {"room": room.name, "members": room.members, "topic": room.topic}
        yield from _told("room", Rooms((room,)), **about)


def _bans(bans: Bans) -> Iterator[Object]:
    for ban in bans.bans:
        by = {"by": ban.by, "by_account": ban.account}
        yield from _told("ban", Bans((ban,)), **_ban(ban), **_times(ban), **by)
    if not bans.bans:
        yield from _notices(wording(bans))


def _ban(ban: Ban | Banned) -> Object:
    fields = ("number", "kind", "value", "whom", "mute", "why")
    return {name: getattr(ban, name) for name in fields}


def _times(ban: Ban | Mask) -> Mapping[str, str]:
    """When a ban was set, and when it ends; empty if it never does."""
    return {"since": timestamp(ban.at), "until": timestamp(ban.until) if ban.until else ""}


def _masks(masks: Masks) -> Iterator[Object]:
    for mask in masks.masks:
        by = {"by": mask.by, "by_account": mask.account}
        yield from _told(
            "ban",
            Masks(masks.room, masks.mode, (mask,)),
            room=masks.room,
            number=mask.number,
            **_of_mask(mask.mask, mask.whom, mask.why),
            **_times(mask),
            **by,
        )
    if not masks.masks:
        yield from _notices(wording(masks))


def _of_mask(mask: str, whom: str, why: str) -> Object:
    return {"mask": mask, "whom": whom, "mute": mask.startswith(MUTE), "why": why}


def _audited(audited: Audited) -> Iterator[Object]:
    yield from _notices(map(_bare, audit_notes(audited)))
    for entry in audited.entries:
        yield {
            "type": "done",
            "text": readable(audit_line(entry)),
            "time": timestamp(entry.at),
            "room": getattr(entry.event, "room", ""),
        }


def _reports(reports: Reports) -> Iterator[Object]:
    if not reports.reports:
        yield from _notices(report_lines(reports))
    for entry, message in reports.reports:
        yield {
            "type": "report",
            "text": "".join(map(readable, report_lines(Reports(((entry, message),))))),
            "time": timestamp(entry.at),
            "msgid": getattr(entry.event, "msgid", ""),
        }


def _invitations(used: UsedInvitations) -> Iterator[Object]:
    if not used.invitations:
        yield from _notices(wording(used))
    for one in used.invitations:
        yield {
            "type": "invitation",
            "text": readable(one.text),
            "id": one.id,
            "used": one.used,
            "uses": one.uses,
            "users": list(one.users),
            "operator": one.operator,
            "revoked": one.revoked,
            "until": timestamp(one.until),
        }


def _connections(connections: Connections) -> Iterator[Object]:
    for one in connections.connections:
        yield {
            "type": "connection",
            "text": readable(_connection(one)),
            "number": one.number,
            "nick": one.nick,
            "address": one.address,
            "protocol": one.protocol,
            "tls": one.secure,
            "since": timestamp(one.since),
            "heard": round(one.heard, 3),
            "waiting": one.waiting,
            **({"node": one.node} if one.node else {}),
        }


def _connection(one: ConnectionView) -> str:
    how = f"{one.protocol} over TLS" if one.secure else one.protocol
    on = f" on {one.node}" if one.node else ""
    return (
        f"[{one.number}] {one.nick or '-'} by {how} from {one.address}{on} "
        f"since {moment(one.since)}, "
        f"heard {one.heard:.0f} s ago, {one.waiting} bytes waiting"
    )


def nothing_found(listed: Rooms | People) -> Notice:
    """The sentence for a list that has nothing in it."""
    if isinstance(listed, Rooms):
        return Notice("No rooms are open.")
    if listed.of == "*":
        return Notice("Nobody is in the chat.")
    found = "There is nobody in" if is_room(listed.of) else "Nobody was found for"
    return Notice(f"{found} {listed.of}.")


# ── what was done ──────────────────────────────────────────────────────────────────────────────


def _modes_set(event: ModesSet) -> Iterator[Object]:
    """Bans one by one, as they are listed; and all other modes."""
    by = _by(event.nick, event.origin)
    others = tuple(change for change in event.changes if change.mode != "b")
    for change in event.changes:
        if change.mode == "b":
            yield {"type": "banned" if change.add else "unbanned", **_mask_set(event, change), **by}
    if others:
        changes = [{"add": c.add, "mode": c.mode, "argument": c.argument} for c in others]
        text = " ".join(map(_sentence, modes.changed(_only(event, *others))))
        yield {"type": "modes", "text": text, "room": event.room, "changes": changes, **by}


def _mask_set(event: ModesSet, change: Change) -> Object:
    text = " ".join(map(_sentence, modes.changed(_only(event, change))))
    told = {"text": text, "room": event.room}
    told |= _of_mask(change.argument, change.whom, change.why)
    return told | {"seconds": change.seconds} if change.add else told


def _only(event: ModesSet, *changes: Change) -> ModesSet:
    return ModesSet(event.room, event.nick, changes)


def _kicked(event: Kicked) -> Iterator[Object]:
    about = {"room": event.room, "target": event.target, "account": event.target_account}
    return _told("kicked", event, **about, why=event.why, **_by(event.nick, event.origin))


def _killed(event: Killed) -> Iterator[Object]:
    about = {"target": event.target, "account": event.account, "why": event.why}
    return _told("killed", event, **about, **_by(event.nick, event.origin))


def _topic_set(event: TopicSet) -> Iterator[Object]:
    by = _by(event.nick, event.origin)
    return _told("topic", event, room=event.room, topic=event.text, **by)


def _topic(topic: Topic) -> Iterator[Object]:
    since = timestamp(topic.at) if topic.at else ""
    return _told("topic", topic, room=topic.room, topic=topic.text, by=topic.by, since=since)


def _renamed(event: RoomRenamed) -> Iterator[Object]:
    about = {"room": event.room, "to": event.to, "why": event.why}
    return _told("renamed", event, **about, **_by(event.nick, event.origin))


def _removed(event: Redacted) -> Iterator[Object]:
    about = {"room": event.room, "msgid": event.msgid, "author": event.author, "why": event.why}
    return _told("removed", event, of_topic=event.topic, **about, **_by(event.nick, event.origin))


def _banned(event: Banned) -> Iterator[Object]:
    by = _by(event.by, event.origin)
    return _told("banned", event, **_ban(event), seconds=event.seconds, **by)


def _unbanned(event: Unbanned) -> Iterator[Object]:
    about = {"number": event.number, "kind": event.kind, "value": event.value, "whom": event.whom}
    return _told("unbanned", event, **about, **_by(event.by, event.origin))


def _locked(event: Locked) -> Iterator[Object]:
    by = _by(event.by, event.origin)
    return _told("locked", event, seconds=event.seconds, why=event.why, **by)


def _account(account: AccountView) -> Iterator[Object]:
    about = {"account": account.name, "made": timestamp(account.made)}
    return _told("account", account, **about, operator=account.operator)


def _key(key: NewKey) -> Iterator[Object]:
    return _told("reset", key, account=key.label, secret=key.secret, hours=RESET_HOURS)


def _invitation(made: NewInvitation) -> Iterator[Object]:
    terms = {"invitation": made.link, "uses": made.uses, "days": made.days}
    return _told("invited", made, **terms)


def _nodes(told: Nodes) -> Iterator[Object]:
    for node in told.nodes:
        this = ", the one that you ask" if node.is_this else ""
        heard = (told.now - node.heard) / 1000
        text = (
            f"{node.name} ({node.id}{this}): {node.people} here, {node.connections} "
            f"connections; since {moment(node.since)}, heard of {max(heard, 0):.0f} s ago"
        )
        about = {"node": node.id, "name": node.name, "this": node.is_this}
        when = {"since": timestamp(node.since), "heard": timestamp(node.heard)}
        here = {"people": node.people, "connections": node.connections}
        yield {"type": "node", "text": text, **about, **when, **here}
    if told.behind is None:
        text = "The engine that they share does not answer. This is how it was before."
    else:
        text = f"The engine that they share answers. This server is {told.behind} events behind it."
    yield {"type": "engine", "text": text, "up": told.is_up, "behind": told.behind}


def _settled(kind: str, text: str, /, **fields: object) -> Sequence[Object]:
    return [{"type": kind, "text": text, **fields}]


def _account_dropped(event: AccountDropped) -> Sequence[Object]:
    text = f"The account {event.name} is deleted. Nobody else can have its name."
    return _settled("deleted", text, account=event.name)


def _operator_dropped(event: OperatorDropped) -> Sequence[Object]:
    text = f"{event.name} is no operator of this server any more."
    return _settled("demoted", text, account=event.name)


_OBJECTS: Mapping[type, Callable[[Any], Iterable[Object]]] = {
    Refused: _refused,
    BanEffect: _ban_effect,
    RoomBanEffect: _room_ban_effect,
    LockEffect: _lock_effect,
    Notice: lambda notice: _notices(map(_bare, wording(notice))),
    People: _people,
    Rooms: _rooms,
    Bans: _bans,
    Masks: _masks,
    Audited: _audited,
    Reports: _reports,
    UsedInvitations: _invitations,
    Connections: _connections,
    Nodes: _nodes,
    Stats: lambda told: [stats(told)],
    Draining: lambda told: _settled(
        "draining", told.text, seconds=told.seconds, connections=told.connections
    ),
    LogLevel: lambda told: _settled("log", told.text, level=told.level, was=told.was),
    Reloaded: lambda told: _settled("reloaded", told.text, restart=[*told.restart]),
    NewInvitation: _invitation,
    NewKey: _key,
    AccountView: _account,
    Topic: _topic,
    ModesSet: _modes_set,
    Kicked: _kicked,
    Killed: _killed,
    TopicSet: _topic_set,
    RoomRenamed: _renamed,
    Redacted: _removed,
    Banned: _banned,
    Unbanned: _unbanned,
    Locked: _locked,
    Unlocked: lambda event: _told("unlocked", event, **_by(event.by, event.origin)),
    Announced: lambda event: _told("announced", event, words=event.text, by=event.nick),
    AccountDropped: _account_dropped,
    OperatorDropped: _operator_dropped,
    InvitationRevoked: lambda event: _settled(
        "revoked", SETTLED[InvitationRevoked], invitation=event.invitation
    ),
}
