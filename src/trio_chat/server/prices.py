"""The prices of commands, in lines: one line is about a tenth of a millisecond.

In small rooms nearly everything costs as much as a line. Where an answer grows with the number of
people or rooms, so does its price.
"""

from collections.abc import Callable
from typing import Any

from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    Command,
    DirectMessage,
    ExplainLimits,
    Join,
    Remove,
    RenameRoom,
    Report,
    SetAway,
    SetRoomBan,
    TagMessage,
)
from trio_chat.core.queries import (
    Audit,
    ExportAccount,
    FindNicks,
    FindPast,
    FindPeople,
    ListBans,
    ListMembers,
    ListMentions,
    ListReports,
    ListRooms,
    ListTalks,
    Recall,
    Seek,
    ShowMasks,
    SyncMetadata,
)
from trio_chat.core.room import Person

# The most that anything costs: nobody waits longer for an answer than for so many lines.
_MOST = 100

# What others are shown of those whom the lock or a ban of the server mutes. It costs them the most,
# or comings, goings and removals would flood the others in place of words. A report costs less, and
# a word to an operator, whom they may ask why: nobody is told to be too fast who has said only one.
_SHOWN = (Join, SetAway, Remove)
_TO_OPERATORS = 50


def price(chat: Chat, user_id: str, command: Command) -> int:
    """The cost of a command to the person with this id, who may not be let in yet."""
    find = _PRICES.get(type(command))
    person = chat.people.get(user_id)
    if person and person.limit is not None and (cost := _of_muted(chat, command)):
        return cost
    return 1 if find is None or person is None else min(find(chat, person, command), _MOST)


def _of_muted(chat: Chat, command: Command) -> int:
    """The cost to the muted of what others are shown all the same; 0 if it is nothing of that."""
    if isinstance(command, DirectMessage | TagMessage):
        other = chat.person(command.nick)
        return _TO_OPERATORS if other and other.is_operator else 0
    if isinstance(command, Report):
        return _TO_OPERATORS
    return _MOST if isinstance(command, _SHOWN) else 0


def _members(chat: Chat, name: str) -> int:
    room = chat.room(name)
    return len(room.members) if room else 0


def _seek(chat: Chat, person: Person, query: Seek) -> int:
    """2 ms in one room and 7 ms in a hundred, for words or a nickname; for neither, as Recall in
    each room.
    """
    rooms = 1 if query.target else len(person.rooms)
    if query.words.strip() or query.nick:
        return 10 + (rooms - 1) // 2
    return rooms * (1 + query.limit // 100)


def _find_people(chat: Chat, person: Person, query: FindPeople) -> int:
    """4 µs for each person shown; with a mask or a network, up to 2 more for each that it is
    compared with.
    """
    if query.of.startswith("#"):
        return 1 + _members(chat, query.of) // 25
    is_mask = bool({*query.of} & {*"*?.:/"})
    return 1 + is_mask * len(chat.people) // 16


_PRICES: dict[type, Callable[[Chat, Person, Any], int]] = {
    # A name is 0.5 µs for a plain person, for whom all are sorted. For IRC they have been written,
    # and each join sends all of them: 0.02 µs.
    ListMembers: lambda chat, person, query: 1 + _members(chat, query.room) // 200,
    Join: lambda chat, person, join: 1 + _members(chat, join.room) // 5000,
    FindPeople: _find_people,
    # Each is told by themselves, most of them all names.
    RenameRoom: lambda chat, person, rename: 1 + _members(chat, rename.room) // 5,
    # 1 µs for each member, and 4 for each who has some.
    SyncMetadata: lambda chat, person, query: 1 + _members(chat, query.room) // 50,
    # 10 µs each, and 25 for somebody in a hundred rooms.
    FindNicks: lambda chat, person, query: 1 + len(query.nicks) // 10,
    # 2 µs for each room.
    ListRooms: lambda chat, person, query: 1 + len(chat.rooms) // 50,
    # A part of 200 is told in a millisecond.
    ListBans: lambda chat, person, query: 1 + len(chat.realm.bans.all) // 50,
    # A mask is compared with each member, in 2 µs.
    SetRoomBan: lambda chat, person, ban: 1 + _members(chat, ban.room) // 100,
    # A hundred masks; a thousand people who have gone.
    ShowMasks: lambda chat, person, query: 2,
    FindPast: lambda chat, person, query: 3,
    # Of somebody, up to twenty pages of everything that was done, read in a thread.
    Audit: lambda chat, person, audit: 2 if audit.of[:1] in ("", "#") else 20,
    # A room may have to be opened for that.
    ExplainLimits: lambda chat, person, explain: 5 if explain.room else 1,
    # A page of a hundred is read in 0.5 ms, in a thread.
    Recall: lambda chat, person, query: 1 + query.limit // 100,
    # A commit of its own, after up to five pages of a hundred.
    Remove: lambda chat, person, remove: 5 if remove.id else 10,
    Report: lambda chat, person, report: 5 if report.id else 10,
    ListReports: lambda chat, person, query: 3 + query.limit // 10,
    # For somebody who is not here, the log of the conversation is opened and closed.
    DirectMessage: lambda chat, person, tell: 1 if chat.person(tell.nick) else 3,
    # As ListTalks, and a marker of each.
    ExportAccount: lambda chat, person, query: 20 + len(person.rooms),
    # Looks at all conversations, and once into each of the person's rooms.
    ListTalks: lambda chat, person, query: 5 + len(person.rooms) // 2,
    # As Seek in all rooms, for two names.
    ListMentions: lambda chat, person, query: 20 + len(person.rooms),
    # By an index; without words and nickname, a page of each room is read.
    Seek: _seek,
}
