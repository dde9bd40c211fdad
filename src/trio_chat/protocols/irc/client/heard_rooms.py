"""What each line of a server's means to a client that is in many rooms: a message for each thing
that is known, and a sentence only for what has none.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trio_chat.core.events import (
    AwaySet,
    Departed,
    Joined,
    Kicked,
    Left,
    ModesSet,
    Notice,
    Said,
    Topic,
)
from trio_chat.errors import NotAdmitted
from trio_chat.protocols.client import MarkedRead, Member, Message, Roster, Typing
from trio_chat.protocols.irc.client.heard import (
    COMMANDS,
    NO_BATCH,
    NUMERICS,
    Batch,
    Heard,
    Messages,
    Table,
    answer_question,
    end_found,
    learn,
    may_refuse_text,
    origin_of,
    report,
    room_of,
    said_in,
    who_words,
)
from trio_chat.protocols.irc.client.outgoing import ID_TAG
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import CTCP, is_room, sentence, shown

if TYPE_CHECKING:
    from trio_chat.protocols.irc.client.rooms import RoomsSession

# Members of a room of whom we ask who is away: for more, the answer is too long.
_ASKED_ABOUT_MAX = 200

# The kind of the batch that tells with whom something was said (ircv3.net, "chathistory").
_TALKS = "draft/chathistory-targets"


# ── talk ───────────────────────────────────────────────────────────────────────────────────────


def _privmsg(session: "RoomsSession", line: Line) -> Messages:
    """Live, it is ours if we have said it. Before, we may have had another name; but then nobody
    else knows our token but from the server, which so has the message.
    """
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    live, own = not line.tags.get("batch"), session.is_me(line.nick)
    session.pages.came(batch.page)
    said = _with_partner(session, said_in(line), batch.page)
    if line.params[1].startswith(CTCP) and not said.action:
        if "!" in line.source and live and not own:
            answer_question(session, line)
        return ()
    token = line.tags.get(ID_TAG, "")
    if own or (not live and session.state.is_known(token)):
        token = session.ours(token, line.params[0], live=live)
        return [replace(said, token=token)]
    return [said]


def _with_partner(session: "RoomsSession", said: Said, page: str) -> Said:
    """In the history of a private conversation we may have had another name then."""
    if said.room or not page or is_room(page) or not session.state.names.same(said.nick, page):
        return said
    return replace(said, to=session.nick)


def _notice(session: "RoomsSession", line: Line) -> Messages:
    """From a person, or from the server itself, whose statistics at our leaving nobody wants."""
    if line.params[1].startswith(CTCP) or session.leaving:
        return ()
    if "!" in line.source:
        return _privmsg(session, line)
    target = shown(line.params[0])
    return [Notice(shown(line.params[1]), room=target if is_room(target) else "")]


def _tagmsg(session: "RoomsSession", line: Line) -> Messages:
    state = line.tags.get("+typing", "")
    if not state or session.is_me(line.nick) or line.tags.get("batch"):
        return ()
    target = line.params[0]
    room = room_of(target)
    return [Typing(room, line.nick, state == "active", to="" if room else target)]


def _batch(session: "RoomsSession", line: Line) -> Messages:
    """A batch within another is of the same kind."""
    sign, name = line.params[0][:1], line.params[0][1:]
    if sign != "+":
        batch = session.batches.pop(name, NO_BATCH)
        answers = session.pages.over(batch.page) or session.catch_up.page_over(batch.page)
        return answers or end_found(batch)
    if outer := session.batches.get(line.tags.get("batch", "")):
        session.batches[name] = outer._replace(page="")
        return ()
    session.batches[name] = _begun(session, line.param(1), line.param(2))
    return ()


def _begun(session: "RoomsSession", kind: str, target: str) -> Batch:
    if kind != "chathistory":
        return Batch(kind, found=session.has_come(kind))
    if session.pages.expects(target):
        return Batch(kind, target, asked=True)
    if session.catch_up.expected(target):
        return Batch(kind, target, late=session.catch_up.fills_a_gap(target))
    return Batch(kind, found=session.has_come(kind))


def _chathistory(session: "RoomsSession", line: Line) -> Messages:
    """With whom something was said while we were cut off. Rooms we catch up with as we enter."""
    batch = session.batches.get(line.tags.get("batch", ""), NO_BATCH)
    if batch.kind == _TALKS and not is_room(line.params[1]):
        session.talked(line.params[1], line.params[2])
    return ()


def _markread(session: "RoomsSession", line: Line) -> Messages:
    return [MarkedRead(line.params[0], line.param(1).removeprefix("timestamp=").strip("*"))]


# ── come and go ────────────────────────────────────────────────────────────────────────────────


def _join(session: "RoomsSession", line: Line) -> Messages:
    room, account, name = line.params[0], line.param(1), line.param(2)
    if not is_room(room) or " " in room:
        return ()
    if session.is_me(line.nick):
        session.address = line.source.partition("!")[2]
        return [*session.linked(), session.entered(room, line.tags.get("time", ""))]
    origin = replace(origin_of(line), account=account.removeprefix("*"), name=name)
    return [Joined(room, line.nick, origin=origin)]


def _part(session: "RoomsSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return [session.left(line.params[0], line.param(1))]
    return [Left(line.params[0], line.nick, why=line.param(1), origin=origin_of(line))]


def _quit(session: "RoomsSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [Departed(line.nick, why=line.param(0), origin=origin_of(line))]


def _kick(session: "RoomsSession", line: Line) -> Messages:
    room, target, why = line.params[0], line.params[1], line.param(2)
    reason = "" if why == line.nick else why
    kicked = Kicked(room, line.nick, target, reason, origin=origin_of(line))
    return [kicked, session.left(room, reason)] if session.is_me(target) else [kicked]


def _refused_to_enter(session: "RoomsSession", room: str, text: str) -> Message:
    """It is no use to ask again after each cut. Where we have been, we are not any more."""
    been_in = room in session.state.last
    out = session.left(room, text)
    return out if been_in else Notice(text, room=room, refusal=True)


# ── the room and the people ────────────────────────────────────────────────────────────────────


def _topic_is(session: "RoomsSession", line: Line) -> Messages:
    session.topics[line.params[1]] = line.params[2]
    return [Topic(line.params[1], line.params[2])]


def _topic_by(session: "RoomsSession", line: Line) -> Messages:
    """RPL_TOPICWHOTIME follows the topic, on most servers."""
    room, by, at = line.params[1], line.params[2].partition("!")[0], line.params[3]
    text = session.topics.pop(room, "")
    if not (text and at.isdecimal() and len(at) <= 12):
        return ()
    return [Topic(room, text, by, int(at) * 1000)]


def _no_topic(session: "RoomsSession", line: Line) -> Messages:
    return [Topic(line.params[1], "")]


def _mode(session: "RoomsSession", line: Line) -> Messages:
    """Modes that we get when we come in are the server's custom."""
    target, letters, *arguments = line.params
    if is_room(target):
        changes = session.supports.changes(letters, arguments)
        return [ModesSet(target, line.nick, changes, origin=origin_of(line))]
    if not session.has_settled:
        return ()
    return [Notice(f"{line.nick} set the mode of {target} {' '.join([letters, *arguments])}.")]


def _away(session: "RoomsSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [AwaySet(line.nick, line.param(0), origin=origin_of(line))]


def _away_told(session: "RoomsSession", line: Line) -> Messages:
    """RPL_UNAWAY and RPL_NOWAWAY: the server repeats no text."""
    gone = line.command == "306"
    if not gone:
        session.state.away = ""
    return [AwaySet(session.nick, session.state.away or line.params[-1] if gone else "")]


def _is_away(session: "RoomsSession", line: Line) -> Messages:
    nick, text = line.params[1:3]
    return [Notice(f"{nick} is away: {text}", room=nick)]


def _end_of_names(session: "RoomsSession", line: Line) -> Messages:
    room = line.params[1]
    names = [session.supports.split(name) for name in session.names.pop(room, ())]
    if room not in session.inside:
        return [Notice(_in_words(room, names))]
    roster = Roster(room, tuple(Member(nick, prefixes) for prefixes, nick in names))
    if room not in session.entering:  # somebody has asked
        return [roster, Notice(_in_words(room, names), room=room)]
    del session.entering[room]
    if "away-notify" in session.caps and len(names) <= _ASKED_ABOUT_MAX:
        session.people[room] = []
        session.send("WHO", room)
    return [roster]


def _in_words(room: str, names: Sequence[tuple[str, str]]) -> str:
    nicks = sorted((nick for _, nick in names), key=str.lower)
    return f"In {room} ({len(nicks)}): {', '.join(nicks)}" if nicks else f"Nobody is in {room}."


def _name_reply(session: "RoomsSession", line: Line) -> Messages:
    room, names = line.params[-2:]
    session.names.setdefault(room, []).extend(names.split())
    return ()


def _who_reply(session: "RoomsSession", line: Line) -> Messages:
    if (people := session.people.get(line.params[1])) is not None:
        people.append(line)
        return ()
    return [Notice(who_words(line.params))]


def _end_of_who(session: "RoomsSession", line: Line) -> Messages:
    people = session.people.pop(line.params[1], None)
    if not people:
        return ()
    return [Roster(people[0].params[1], tuple(_member(session, person) for person in people))]


def _member(session: "RoomsSession", line: Line) -> Member:
    """Flags are H or G (here, gone), maybe ``*`` of operators and that of bots, and prefixes."""
    nick, flags = line.params[5], line.params[6]
    prefixes = "".join(flag for flag in flags if flag in session.supports.prefixes)
    bot = bool(session.supports.bot) and session.supports.bot in flags[1:]
    return Member(nick, prefixes, away=flags.startswith("G"), bot=bot)


# ── the server ─────────────────────────────────────────────────────────────────────────────────


def _pong(session: "RoomsSession", line: Line) -> Messages:
    match line.params[-1]:
        case "finish":
            return session.ponged()
        case "alive":
            return session.alive()
        case "entered":
            return session.settled()
        case "lag":
            return session.lag_known()
        case asked:
            return session.pages.ponged(asked) or session.catch_up.ponged(asked)


def _supports(session: "RoomsSession", line: Line) -> Messages:
    for token in line.params[1:-1]:
        session.supports.learn(token)
        learn(session, token)
    return ()


def _end_of_motd(session: "RoomsSession", line: Line) -> Messages:
    session.supports.network = session.supports.network or line.source
    return session.linked()


def _fail(session: "RoomsSession", line: Line) -> Messages:
    about, text = line.params[2:-1], sentence(line.params[2:-1], line.params[-1])
    match line.params[0].upper():
        case "IDENTITY":
            session.not_identified()
        case "CHATHISTORY":
            return session.pages.failed(about) or session.catch_up.failed(about)
        case "BATCH":
            return session.refused_batch(text) or report(session, line)
        case "PRIVMSG" | "NOTICE":
            return session.refused(about, text) or report(session, line)
        case _ if not session.admitted:
            raise NotAdmitted(line.params[-1])
    return report(session, line)


def _refused(session: "RoomsSession", line: Line) -> Messages:
    *about, why = line.params[1:]
    text = sentence(about, why)
    if rooms := [word for word in about if is_room(word) and session.answered(word)]:
        if advice := _ADVICE.get(line.command, ""):
            text = f"{text.rstrip('.')}. {advice.format(rooms[0])}"
        if not session.admitted and session.state.names.same(rooms[0], session.state.home):
            raise NotAdmitted(text)
        return [_refused_to_enter(session, rooms[0], text)]
    failed = session.refused(about, text) if may_refuse_text(session, line) else ()
    return failed or [replace(_notice_about(session, text, about), refusal=True)]


def _notice_about(session: "RoomsSession", text: str, about: Sequence[str]) -> Notice:
    """Where we are not, somebody may have asked for it all the same."""
    rooms = [word for word in about if word in session.inside or is_room(word)]
    return Notice(text, room=rooms[0] if rooms else "")


# What one can do about it that one may not enter.
_ADVICE = {
    "471": "It may have room later: /join {0} tries again.",
    "473": "Somebody in it can /invite you.",
    "475": "/join {0} KEY enters it.",
    "477": "It is for those who are logged in here.",
}


TABLE = Table(
    COMMANDS
    | {
        "AWAY": Heard(_away),
        "BATCH": Heard(_batch, 1, talk=True),
        "CHATHISTORY": Heard(_chathistory, 3),
        "FAIL": Heard(_fail, 3),
        "JOIN": Heard(_join, 1),
        "KICK": Heard(_kick, 2),
        "MARKREAD": Heard(_markread, 1),
        "MODE": Heard(_mode, 2),
        "NOTICE": Heard(_notice, 2, talk=True),
        "PART": Heard(_part, 1),
        "PONG": Heard(_pong, 1),
        "PRIVMSG": Heard(_privmsg, 2, talk=True),
        "QUIT": Heard(_quit),
        "TAGMSG": Heard(_tagmsg, 1),
    },
    {
        **NUMERICS,
        "005": (3, _supports),
        "301": (3, _is_away),
        "305": (2, _away_told),
        "306": (2, _away_told),
        "315": (2, _end_of_who),
        "331": (2, _no_topic),
        "332": (3, _topic_is),
        "333": (4, _topic_by),
        "352": (8, _who_reply),
        "353": (3, _name_reply),
        "366": (2, _end_of_names),
        "376": (1, _end_of_motd),
        "422": (1, _end_of_motd),
    },
    _refused,
    _notice_about,
)
