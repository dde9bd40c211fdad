"""The wording of the plain dialect, and how a client understands it.

Nothing anybody says can look like something else: what people say begins with their nickname, which
has no blank and none of ``:>!*``, and the server's own sentences begin with ``*** ``. That is also
how it tells what was said before: ``*** 2024-12-31 23:59:59 alice: text``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from trio_chat.core.events import (
    RESET_HOURS,
    AccountBlocked,
    AccountDropped,
    AccountSet,
    AccountUnblocked,
    Announced,
    Banned,
    Departed,
    Entry,
    InvitationRevoked,
    Invited,
    Joined,
    KeyDropped,
    KeyMade,
    Kicked,
    Killed,
    Left,
    Locked,
    ModesSet,
    OfModeration,
    OperatorMade,
    PasswordSet,
    PreferenceSet,
    Redacted,
    Renamed,
    Reported,
    RoomRenamed,
    Said,
    TopicSet,
    Unbanned,
    Unlocked,
    UserModesSet,
)
from trio_chat.core.names import fold
from trio_chat.core.preferences import told
from trio_chat.core.refusals import Code
from trio_chat.core.views import (
    AccountView,
    AnotherNick,
    AwayReply,
    Ban,
    BanEffect,
    Bans,
    Blocks,
    Copy,
    Devices,
    DeviceView,
    Found,
    LockEffect,
    Masks,
    Members,
    Mentions,
    Missed,
    NewKey,
    Notice,
    Offer,
    People,
    Recalled,
    Refused,
    RoomMoved,
    Rooms,
    RoomWelcome,
    Shown,
    Topic,
    Unheard,
    UserView,
)
from trio_chat.core.words import described, known_as, reason, some_of
from trio_chat.protocols.durations import ending, lasting, moment, stamp, written
from trio_chat.protocols.invitation import REVOKED
from trio_chat.protocols.plain import modes

#: What people are told when they have settled something about their account.
SETTLED = {
    AccountSet: "You are logged out.",
    AccountDropped: "Your account is deleted. Nobody else can have its name.",
    PasswordSet: (
        "Your password has been changed. Everybody who came by the old one is logged out. Tokens, "
        "and devices that are kept, log in until you drop them."
    ),
    KeyMade: "This device will log in by itself next time.",
    KeyDropped: "That token no longer works.",
    InvitationRevoked: REVOKED,
}

_BLOCKED = (
    "{} cannot write to you in private any more, nor invite you, on whatever device you are. What "
    "they say in rooms is still shown."
)
_UNHEARD = "You have blocked {}, so no answer of theirs will reach you."

# Seconds for which a ban of a network is proposed if that of the account is for good: others may
# share the network.
_AWHILE = 7200

#: How the server's own sentences begin.
OURS = "*** "

GREETING = "NICK"
CONNECTED = "Connected to server!"
ALWAYS_IN_A_ROOM = (
    "You are always in one room here: /join ROOM goes to another, /quit leaves the chat."
)
ASK_TO_UNLOCK = "This chat has a password. Enter it now, or /login NAME PASSWORD."
ASK_FOR_INVITATION = (
    "This chat is for those who have an account or an invitation. Enter the invitation now, or "
    "/login NAME PASSWORD."
)
ASK_TO_LOG_IN = "This chat is for those who have an account. Enter /login NAME PASSWORD now."
ASK_WHILE_LOCKED = "Enter /login NAME PASSWORD now."  # after why, and until when
CANNOT_LOG_IN = "Cannot log in as "  # the beginning of the refusal of /login
GOODBYE = " Goodbye!"  # the end of the sentence by which the server ends a connection


@dataclass(frozen=True, slots=True)
class Welcome:
    """Tell a client that it has been let in."""


@dataclass(frozen=True, slots=True)
class NearNick:
    """Tell a client that it has been let in under another nickname than it wanted, and why."""

    why: str


@dataclass(frozen=True, slots=True)
class InRoom:
    """Tell a client that it is now in this room, under this nickname."""

    room: str
    nick: str


@dataclass(frozen=True, slots=True)
class Replay:
    """Tell a client that the next ``count`` messages were said before it came."""

    count: int


@dataclass(frozen=True, slots=True)
class Company:
    """Tell a client who is in a room, as far as it may know; the answer to /who."""

    room: str
    nicks: tuple[str, ...]


Heard = (
    Said | Joined | Left | Renamed | TopicSet | Topic | Kicked | Notice
    | Welcome | NearNick | InRoom | Replay | Company
)  # fmt: skip


def notices(shown: Shown) -> list[Notice]:
    """Tell of something in sentences of the server's."""
    return [Notice(text.removeprefix(OURS)) for text in wording(shown)]


def wording(shown: Shown) -> list[str]:
    """The lines that tell of something, not cleaned yet."""
    match shown:
        case Said():
            return _said(shown)
        case Joined(nick=nick):
            return [f"{nick} joined!"]
        case Left(nick=nick) | Departed(nick=nick):
            return [f"{nick} left!"]
        case AccountBlocked(whom=whom):
            return [f"*** {_BLOCKED.format(whom)}"]
        case AccountUnblocked(whom=whom):
            return [f"*** {whom} can write to you in private, and invite you, again."]
        case Unheard(nick):
            return [f"*** {_UNHEARD.format(nick)}"]
        case PreferenceSet(preference=name, on=on):
            return [f"*** {told(name, on=on)}"]
        case Renamed(nick, to):
            return [f"*** {nick} is now {to}."]
        case Redacted():
            return [f"*** {removal(shown)}"]
        case RoomMoved(event):
            return wording(event)
        case RoomRenamed(room, nick, to, why):
            return [f"*** {nick} renamed {room} to {to}{reason(why)}."]
        case TopicSet(nick=nick, text=""):
            return [f"*** {nick} removed the topic."]
        case TopicSet(nick=nick, text=text):
            return [f"*** {nick} set the topic: {text}"]
        case Kicked(room, nick, target, why):
            because = f": {why}" if why else "."
            return [f"*** {nick} kicked {target} out of {room}{because}", f"{target} left!"]
        case Invited(room, nick, target):
            return [f"*** {nick} invites {target} to {room}."]
        case ModesSet():
            return modes.changed(shown)
        case Masks():
            return modes.listed(shown)
        case Banned() | Unbanned() | Locked() | Unlocked() | Killed() | OperatorMade() | Reported():
            return [f"*** {_moderated(shown)}"]
        case BanEffect():
            return [f"*** {line}" for line in _ban_effect(shown)]
        case LockEffect():
            return [f"*** {_lock_effect(shown)}"]
        case Bans(bans, whom=whom):
            about = f"No ban is about {whom}." if whom else "There are no bans."
            return [f"*** {_ban(ban)}" for ban in bans] or [f"*** {about}"]
        case Announced(nick, text):
            return [f"*** {nick} announces: {text}"]
        case Copy(Said(to=to) as said) if to and to != said.nick:
            return wording(said)
        case RoomWelcome():
            return _entered(shown)
        case Members(room, more=False):
            nicks = sorted((seen.nick for seen in shown.people), key=fold)
            return [f"*** In {room} ({len(nicks)}): {', '.join(nicks)}"]
        case People(people=people):
            return [f"*** {_person(seen)}" for seen in people]
        case Rooms(rooms):
            return [f"*** {r.name} ({r.members}) {r.topic}".rstrip() for r in rooms]
        case Topic(room, ""):
            return [f"*** {room} has no topic."]
        case Topic(room, text):
            return [f"*** The topic of {room}: {text}"]
        case Recalled(name, entries):
            where = f"in {name}" if name.startswith("#") else f"between {name} and you"
            return _earlier(entries, f"Last messages {where}", f"Nothing has been said {where}.")
        case Mentions(entries):
            return _earlier(entries, "Mentions of you", "Nobody has mentioned you.", in_rooms=True)
        case Missed(entries=entries):
            return _earlier(entries, "While you were not here", "")
        case Found(entries):
            return _earlier(entries, "Found", "Nothing was found.")
        case Blocks(names):
            return [f"*** You have blocked {', '.join(names) or 'nobody'}."]
        case Devices(devices):
            return [f"*** {device(one)}" for one in devices]
        case AccountView():
            return _account(shown)
        case NewKey(name, secret, reset=True):
            return [
                f"*** Tell the owner of {name}: /login {name} {secret}, and then /password NEW.",
                f"*** It is shown only once, and works once, within {RESET_HOURS} hours.",
            ]
        case NewKey(label, secret):
            return [
                f"*** {label}: {secret}",
                "*** Keep it: it is shown only once. It works instead of your password.",
            ]
        case Offer(operator):
            return [f"*** {offer(operator=operator, how='/register PASSWORD')}"]
        case UserModesSet(changes=changes):
            return [_RULES[change.add] for change in changes if change.mode == "o"]
        case AwayReply(nick, text):
            return [f"*** {nick} is away: {text}"]
        case AnotherNick(nick, refused):
            return [f"*** {explained(refused)} You are {nick} for now; /nick changes that."]
        case Refused(why, Code.LOCKED):
            return [f"*** {why}", f"*** {_LOGIN_FIRST}"]
        case Refused():
            return [f"*** {line}" for line in explained(shown).splitlines()]
        case Notice(text):
            return [f"*** {line}" for line in text.splitlines()]
        case _:  # things that concern people elsewhere, and answers that only IRC asks for
            return []


def removal(redacted: Redacted) -> str:
    """A sentence that tells of a removal; a client may not know of whose message or topic."""
    nick, author, because = redacted.nick, redacted.author, reason(redacted.why)
    what = "topic" if redacted.topic else "message"
    if fold(nick) == fold(author):
        return f"{nick} removed a {what} of their own{because}."
    whose = f"A {what} of {author}'s" if author else f"A {what}"
    return f"{whose} was removed by {nick}{because}."


_RULES = {
    True: "*** You are an operator of this server now.",
    False: "*** You are no operator of this server any more.",
}


_LOGIN_FIRST = "If you have one, begin with /login NAME PASSWORD instead of a nickname."

# The refusals after which a command of ours helps.
_WAYS = {
    Code.NICK_OWNED: "{about} is somebody's: /login PASSWORD if it is you.",
    Code.NEED_ACCOUNT: "{why} (/register PASSWORD, /login PASSWORD)",
    Code.NEED_ACCOUNT_TO_SAY: "{why} (/register PASSWORD, /login PASSWORD)",
    Code.NEED_INVITATION: "{why} Give it first: /invitation TOKEN",
}


def explained(refused: Refused) -> str:
    """The sentence of a refusal, with the command that helps."""
    about = refused.about[0] if refused.about else ""
    return _WAYS.get(refused.code, "{why}").format(why=refused.why, about=about)


def offer(*, operator: bool, how: str) -> str:
    """Offer somebody who has come by an invitation to register; ``how`` is the command."""
    if operator:
        return (
            "With your invitation, your account becomes an operator of this server; as a guest you "
            f"are none. Make your nickname yours: {how}"
        )
    return (
        "You are here by an invitation. Make your nickname yours, and you need none next time: "
        f"{how}"
    )


def _moderated(event: OfModeration) -> str:
    match event:
        case Banned(number, seconds=seconds, why=why, by=by):
            return f"{by} set ban {number}: {_about(event)}{lasting(seconds)}{reason(why)}."
        case Unbanned(number, by):
            ended = f"{by} lifted ban {number}" if by else f"Ban {number} has expired"
            return f"{ended}: {described(event)}." if event.value else f"{ended}."  # an older one
        case Locked(seconds, why, by):
            rule = "only people with an account may come in and speak"
            return f"{by} locked this chat{lasting(seconds)}{reason(why)}: {rule}."
        case Unlocked(by):
            return f"{by} opened this chat again." if by else "This chat is open again."
        case Killed(nick, target, why):
            return f"{nick} disconnected {target}: {why}"
        case Reported():
            return f"{report(event)}: /reports shows it."
        case OperatorMade(nick, name):
            return f"{nick} became an operator of this server by the password {name}."


def _ban_effect(effect: BanEffect) -> list[str]:
    """Tell an operator whom their ban hits."""
    ban = effect.ban
    lasts = lasting(effect.seconds) or " for good"
    hits = f"It hits {some_of(effect.hit, effect.others)}."
    lines = [f"Ban {ban.number}: {_about(ban)}{lasts}. {hits}"]
    if effect.has_gone:
        lines.append(f"{ban.whom} is not here any more: that is where {ban.whom} came from.")
    if effect.is_wide:
        lines.append(f"That may be more than you meant: /uban del {ban.number} lifts it.")
    if effect.replaced:
        lines.append(f"It takes the place of ban {effect.replaced}.")
    if effect.as_guests:
        lines.append(_as_guests(effect))
    if effect.shuts_out:
        lines.append(
            "It fits you as well: once you have left, you cannot come back from where you are."
        )
    return lines


def _as_guests(effect: BanEffect) -> str:
    """Tell an operator how those whose account is banned can come back, and what keeps them out."""
    mute, time = " mute" if effect.ban.mute else "", written(effect.seconds or _AWHILE)
    ways = " and ".join(f"/uban {network} {time}{mute}" for network in effect.networks)
    if ways:
        stop = "stops" if len(effect.networks) == 1 else "stop"
        return f"They can come back as a guest: {ways} {stop} that for all who come from there."
    return "They can come back as a guest: then /uban the nickname, or keep all guests out (/lock)."


def _lock_effect(effect: LockEffect) -> str:
    """Tell an operator whom the lock mutes."""
    ends = (
        f"It ends in {written(effect.seconds)}, or"
        if effect.seconds
        else "It lasts until you end it"
    )
    return f"{ends} with /lock off. It mutes {some_of(effect.muted, effect.others)}."


def _about(ban: Ban | Banned) -> str:
    return f"{described(ban)} may not {'speak' if ban.mute else 'come in'}"


def report(reported: Reported) -> str:
    """Tell who has reported whose message."""
    where = f"in {reported.place}" if reported.place else "in private"
    whose = f"a message of {reported.author}'s"
    return f"{reported.nick} reported {whose} {where}{reason(reported.why)}"


def device(seen: DeviceView) -> str:
    """A connection of somebody's, with what tells it from the others first."""
    here = " (this one)" if seen.here else ""
    name = f"{seen.label}, " if seen.label else ""
    how = {None: "", True: ", by the password", False: ", by a token"}[seen.by_password]
    where = f"from {seen.address} {'over' if seen.secure else 'without'} TLS"
    where += f" on {seen.node}" if seen.node else ""
    since = f"since {moment(seen.since)}"
    return f"Connection {seen.number}{here}: {name}{seen.client} {where}, {since}{how}."


def _ban(ban: Ban) -> str:
    because = f": {ban.why}" if ban.why else ""
    by = known_as(ban.by, ban.account)
    return f"Ban {ban.number}: {_about(ban)}, {ending(ban.until)}, by {by}{because}"


def _person(seen: UserView) -> str:
    """A person, as the server's operators are told of them."""
    named = f"{seen.nick} ({seen.origin.account})" if seen.origin.account else seen.nick
    where = f"in {', '.join(seen.rooms)}" if seen.rooms else "in no room"
    address = seen.address or seen.origin.host
    on = f" on {' and '.join(seen.nodes)}" if seen.nodes else ""
    return f"{named} {where}, from {address}{on} since {moment(seen.since)}"


def _said(said: Said) -> list[str]:
    nick, text = said.nick, said.text
    if "\n" in text or text.startswith("\x01"):
        return _line_by_line(said)
    whose = f"{nick} -> {said.to}: " if said.to else ""
    return [f"{whose}* {nick} {text}" if said.action else f"{whose or f'{nick}: '}{text}"]


def _line_by_line(said: Said) -> list[str]:
    """A message of several lines, each begun as a message, so that none looks otherwise.

    A question from one IRC client to another (CTCP) is not shown.
    """
    texts = [text for text in said.text.split("\n") if text and not text.startswith("\x01")]
    return [line for text in texts for line in _said(replace(said, text=text))]


def _earlier(
    entries: Sequence[Entry], what: str, nothing: str, *, in_rooms: bool = False
) -> list[str]:
    """Old messages, begun as the server's own sentences, so that nobody can imitate them."""
    lines = [
        f"*** {stamp(at)} {f'{said.room} ' if in_rooms else ''}{line}"
        for said, at in ((cast("Said", entry.event), entry.at) for entry in entries)
        for line in wording(said)
    ]
    return [f"*** {what} (times in UTC):", *lines] if lines else [f"*** {nothing}"]


def _account(account: AccountView) -> list[str]:
    lines = [f"*** {account.name} is an account, made {moment(account.made)}."]
    if account.operator:
        lines.append("*** Its owner is an operator of this server.")
    for label, made in account.keys or ():
        lines.append(f"*** Token {label}, made {moment(made)}, logs in to it.")
    return lines


def _entered(entered: RoomWelcome) -> list[str]:
    few = {0: "nobody else is here yet", 1: "one other person is here"}
    company = few.get(entered.others, f"{entered.others} others are here")
    lines = [f"*** You are {entered.nick} in {entered.room}; {company}. /help for more."]
    if entered.first:
        lines.insert(0, CONNECTED)
    if entered.topic:
        lines += wording(entered.topic)
    recent = [line for entry in entered.recent for line in wording(entry.event)]
    if count := len(recent):
        lines.append("*** The last message:" if count == 1 else f"*** The last {count} messages:")
    return lines + recent


# A row for each pattern, with its meaning; the first that fits the whole line counts.
_READINGS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Heard]]] = [
    (re.compile(CONNECTED), lambda m: Welcome()),
    (re.compile(r"\*\*\* You are (\S+) in (#\S+); .*"), lambda m: InRoom(m[2], m[1])),
    (re.compile(r"\*\*\* The last message:"), lambda m: Replay(1)),
    (re.compile(r"\*\*\* The last (\d{1,6}) messages:"), lambda m: Replay(int(m[1]))),
    (re.compile(r"\*\*\* (\S+) is now (\S+)\."), lambda m: Renamed(m[1], m[2])),
    (re.compile(r"\*\*\* (\S+) removed the topic\."), lambda m: TopicSet("", m[1], "")),
    (re.compile(r"\*\*\* (\S+) set the topic: (.*)"), lambda m: TopicSet("", m[1], m[2])),
    (re.compile(r"\*\*\* The topic of (#\S+): (.*)"), lambda m: Topic(m[1], m[2])),
    (re.compile(r"\*\*\* (#\S+) has no topic\."), lambda m: Topic(m[1], "")),
    (re.compile(r"\*\*\* In (#\S+) \(\d+\): (.*)"), lambda m: Company(m[1], _names(m[2]))),
    (re.compile(r"\*\*\* There is nobody in (#\S+)\."), lambda m: Company(m[1], ())),
    (
        re.compile(r"\*\*\* (\S+) kicked (\S+) out of (#\S+?)(?:\.|: (.*))"),
        lambda m: Kicked(m[3], m[1], m[2], m[4] or ""),
    ),
    (re.compile(r"\*\*\* (.*) You are \S+ for now; /nick .*"), lambda m: NearNick(m[1])),
    (re.compile(r"\*\*\* (.*)"), lambda m: Notice(m[1])),
    (re.compile(r"\* (\S+) (.*)"), lambda m: Said("", m[1], m[2], action=True)),
    (re.compile(r"([^\s:]+) -> ([^\s:]+): (.*)"), lambda m: Said("", m[1], m[3], to=m[2])),
    (re.compile(r"([^\s:]+): (.*)"), lambda m: Said("", m[1], m[2])),
    (re.compile(r"(\S+) joined!"), lambda m: Joined("", m[1])),
    (re.compile(r"(\S+) left!"), lambda m: Left("", m[1])),
]


def _names(names: str) -> tuple[str, ...]:
    return tuple(name for name in names.split(", ") if name)


def reading(line: str) -> Heard:
    """The meaning of a line from a server; a line that fits nothing is a Notice.

    Its rooms are empty: the plain dialect leaves them to the client, which knows where it is.
    """
    for pattern, meaning in _READINGS:
        if found := pattern.fullmatch(line):
            return meaning(found)
    return Notice(line)
