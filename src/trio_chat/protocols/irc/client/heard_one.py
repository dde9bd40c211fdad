"""What each line of a server's means to a client that is in one room: in words, for people."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from trio_chat.core.events import (
    Absent,
    Entered,
    Joined,
    Kicked,
    Left,
    Members,
    Notice,
    Seen,
    Topic,
)
from trio_chat.errors import NotAdmitted
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
    may_refuse_text,
    notices,
    origin_of,
    report,
    said_in,
)
from trio_chat.protocols.irc.client.outgoing import ID_TAG
from trio_chat.protocols.irc.client.slash import SEARCH
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import CTCP, is_room, read_action, sentence, shown

if TYPE_CHECKING:
    from trio_chat.protocols.irc.client.one import IrcClientSession


def _privmsg(session: "IrcClientSession", line: Line) -> Messages:
    said = said_in(line)
    live, own = not line.tags.get("batch"), session.is_me(line.nick)
    token = line.tags.get(ID_TAG, "")
    # Live, it is ours if we have said it. Before, we may have had another name; but then nobody
    # else knows our token but from the server, which so has the message.
    cut: Messages = ()
    if own and live:
        cut = session.echoed(token, line.params[0], read_action(line.params[1])[0])
    elif not live:
        session.state.acknowledge(token)
    if not line.params[1].startswith(CTCP) or said.action:
        return [said, *cut]
    if "!" in line.source and live and not own:
        answer_question(session, line)
    return ()


def _notice(session: "IrcClientSession", line: Line) -> Messages:
    """From a person, or from the server itself, whose statistics at our leaving nobody wants."""
    if line.params[1].startswith(CTCP) or session.leaving:
        return ()
    return _privmsg(session, line) if "!" in line.source else [Notice(shown(line.params[1]))]


def _batch(session: "IrcClientSession", line: Line) -> Messages:
    """A batch within another is of the same kind."""
    sign, name = line.params[0][:1], line.params[0][1:]
    if sign != "+":
        batch = session.batches.pop(name, NO_BATCH)
        return session.catch_up.page_over(batch.page) if batch.page else end_found(batch)
    if outer := session.batches.get(line.tags.get("batch", "")):
        session.batches[name] = outer._replace(page="")
        return ()
    kind, target = line.param(1), line.param(2)
    page = target if kind == "chathistory" and session.catch_up.expected(target) else ""
    found = not page and session.has_come(kind)
    session.batches[name] = Batch(kind, page, session.catch_up.fills_a_gap(page), found)
    return ()


def _join(session: "IrcClientSession", line: Line) -> Messages:
    room, account, name = line.params[0], line.param(1), line.param(2)
    if not is_room(room) or " " in room:
        return ()
    origin = replace(origin_of(line), account=account.removeprefix("*"), name=name)
    if session.is_me(line.nick):
        session.address = line.source.partition("!")[2]
        session.entered(room, line.tags.get("time", ""))
    return [Joined(room, line.nick, origin=origin)]


def _part(session: "IrcClientSession", line: Line) -> Messages:
    """That we have left a room for another one is no news."""
    if session.is_me(line.nick) and not session.left(line.params[0]):
        return ()
    return [Left(line.params[0], line.nick, why=line.param(1), origin=origin_of(line))]


def _quit(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    return [Left(session.room, line.nick, why=line.param(0), origin=origin_of(line))]


def _kick(session: "IrcClientSession", line: Line) -> Messages:
    room, target, why = line.params[0], line.params[1], line.param(2)
    if session.is_me(target):
        session.left(room)
    told, *_ = notices(Kicked(room, line.nick, target, "" if why == line.nick else why))
    return [told, Left(room, target)]


def _mode(session: "IrcClientSession", line: Line) -> Messages:
    """Modes that we get when we come in are the server's custom."""
    target, *changes = line.params
    if not session.admitted:
        return ()
    whose = "" if is_room(target) else f" of {target}"
    return [Notice(f"{line.nick} set the mode{whose} {' '.join(changes)}.")]


def _away(session: "IrcClientSession", line: Line) -> Messages:
    if session.is_me(line.nick):
        return ()
    if text := line.param(0):
        return notices(Absent(line.nick, text))
    return [Notice(f"{line.nick} is back.")]


def _pong(session: "IrcClientSession", line: Line) -> Messages:
    match line.params[-1]:
        case "finish":
            return session.ponged()
        case "alive":
            return session.alive()
        case asked:
            return session.catch_up.ponged(asked)


def _fail(session: "IrcClientSession", line: Line) -> Messages:
    match line.params[0].upper():
        case "IDENTITY":
            session.not_identified()
        case "CHATHISTORY" if session.catch_up.busy:
            return session.catch_up.failed()
        case "CHATHISTORY":
            session.has_come("chathistory")
        case "SEARCH":
            session.has_come(SEARCH)
        case "PRIVMSG" | "NOTICE":
            return [*report(session, line), *session.refused(line.params[2:-1])]
        case _ if not session.admitted:
            raise NotAdmitted(line.params[-1])
    return report(session, line)


def _refused(session: "IrcClientSession", line: Line) -> Messages:
    *about, why = line.params[1:]
    text = sentence(about, why)
    kept_out = any(session.answered(word) for word in about if is_room(word))
    if kept_out and not session.admitted:
        raise NotAdmitted(text)
    may_be_text = not kept_out and may_refuse_text(session, line)
    refused = session.refused(about) if may_be_text else ()
    if not refused:
        session.refused_command()
    return [Notice(text), *refused]


def _end_of_names(session: "IrcClientSession", line: Line) -> Messages:
    room = line.params[1]
    names = session.names.pop(room, [])
    if room in session.entering:
        del session.entering[room]
        others = sum(not session.is_me(name) for name in names)
        return notices(Entered(room, session.nick, others, first=False))
    if not names:
        return [Notice(f"Nobody is in {room}.")]
    return notices(Members(room, tuple(Seen(name) for name in sorted(names, key=str.lower))))


def _topic_is(session: "IrcClientSession", line: Line) -> Messages:
    return notices(Topic(line.params[1], line.params[2]))


def _no_topic(session: "IrcClientSession", line: Line) -> Messages:
    return notices(Topic(line.params[1], ""))


def _notice_about(session: "IrcClientSession", text: str, about: Sequence[str]) -> Notice:
    return Notice(text)


TABLE = Table(
    COMMANDS
    | {
        "AWAY": Heard(_away),
        "BATCH": Heard(_batch, 1, talk=True),
        "FAIL": Heard(_fail, 3),
        "JOIN": Heard(_join, 1),
        "KICK": Heard(_kick, 2),
        "MODE": Heard(_mode, 2),
        "NOTICE": Heard(_notice, 2, talk=True),
        "PART": Heard(_part, 1),
        "PONG": Heard(_pong, 1),
        "PRIVMSG": Heard(_privmsg, 2, talk=True),
        "QUIT": Heard(_quit),
    },
    {
        **NUMERICS,
        "331": (2, _no_topic),
        "332": (3, _topic_is),
        "366": (2, _end_of_names),
    },
    _refused,
    _notice_about,
)
