"""The members of rooms: the rosters, and the changes since."""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Renamed,
    RoomRenamed,
)
from trio_chat.protocols.casemapping import ByName, Casemapping
from trio_chat.protocols.client import Member, Message, OutOfRoom, Roster

#: The prefixes of members, on any server, by their modes, the highest first.
STATUS = {"q": "~", "a": "&", "o": "@", "h": "%", "v": "+"}


class Members:
    """``names`` is the server's casemapping."""

    def __init__(self, names: Casemapping) -> None:
        self._names = names
        self._rooms: ByName[ByName[Member]] = ByName(names)

    def of(self, room: str) -> Sequence[Member]:
        """Return a room's members; none if they are unknown."""
        return tuple(self._rooms.get(room, {}).values())

    def update(self, message: Message) -> None:
        match message:
            case Roster(room, members):
                self._rooms[room] = ByName(self._names, {m.nick: m for m in members})
            case OutOfRoom(room):
                self._rooms.pop(room, None)
            case Joined(room, nick):
                member = Member(nick, away=bool(message.away), bot=message.origin.bot)
                self._known(room)[nick] = member
            case Left(room, nick) | Kicked(room, target=nick):
                self._known(room).pop(nick, None)
            case Departed(nick):
                self._depart(nick)
            case RoomRenamed(room, to=to):
                self._rooms.rename(room, to)
            case Renamed(nick, to):
                self._rename(nick, to)
            case AwaySet(nick, text):
                self._change(nick, away=bool(text))
            case ModesSet(room):
                self._set_modes(message)

    def _known(self, room: str) -> ByName[Member]:
        """Return a room's members to change; changes are lost if there was no roster."""
        found = self._rooms.get(room)
        return ByName(self._names) if found is None else found

    def _depart(self, nick: str) -> None:
        for members in self._rooms.values():
            members.pop(nick, None)

    def _rename(self, nick: str, to: str) -> None:
        for members in self._rooms.values():
            if member := members.pop(nick, None):
                members[to] = replace(member, nick=to)

    def _change(self, nick: str, *, away: bool) -> None:
        for members in self._rooms.values():
            if member := members.get(nick):
                members[nick] = replace(member, away=away)

    def _set_modes(self, modes: ModesSet) -> None:
        members = self._known(modes.room)
        for change in modes.changes:
            member = members.get(change.argument)
            if member and change.mode in STATUS:
                prefixes = with_prefix(member.prefixes, change.mode, add=change.add)
                members[change.argument] = replace(member, prefixes=prefixes)


def with_prefix(prefixes: str, mode: str, *, add: bool) -> str:
    """Add or remove the prefix of a mode; the highest comes first."""
    has = {*prefixes} - {STATUS[mode]} | ({STATUS[mode]} if add else set())
    return "".join(prefix for prefix in STATUS.values() if prefix in has)
