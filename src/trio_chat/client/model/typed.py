"""Input of the person: a text, a command for the session, or a command of our own, which have a
row each in the table at the end.
"""

from collections.abc import Callable
from typing import NamedTuple

from trio_chat.client import requests
from trio_chat.client.model.attention import Asked, Attention
from trio_chat.client.model.lines import Line
from trio_chat.protocols.clean import clean
from trio_chat.protocols.command_table import COMMAND_TABLE
from trio_chat.protocols.confidential import (
    NOT_CONFIDED,
    NOT_SAID,
    is_confided,
    says_password,
    text_of,
)
from trio_chat.protocols.irc.client.batch import SEARCH
from trio_chat.protocols.irc.client.slash import SLASHES
from trio_chat.protocols.irc.multiline import MAX_BYTES, MAX_LINES, NEEDED
from trio_chat.protocols.irc.text import room_name
from trio_chat.protocols.slashes import (
    Row,
    complaint,
    near,
    overview,
    spelled_out,
)

#: The most lines of one paste. Nobody reads more, and a server would take minutes for them.
LINES_MAX = 500

_FOUND_MAX = 20  # lines that /search shows


class Own(NamedTuple):
    """A command: its ``arguments`` as /help shows them, how many of them are ``needed``, and a
    function of what follows the command.
    """

    arguments: str
    does: str
    needed: int
    act: Callable[[Attention, str, float], Asked]


def enter(model: Attention, text: str, now: float) -> Asked:
    """Do what was entered. A line alone may be a command; in several, a slash begins a path."""
    lines = _lines(text)
    if len(lines) != 1:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return _say(model, text.strip("\n"), len(lines), now)
    [line] = lines
    if says_password(line):
        model.note(NOT_SAID, now)
        return ()
    if _is_command(line):
        return _do(model, line, now)
    return _say(model, text_of(line), 1, now)


def is_said(text: str) -> bool:
    """Whether a text that is entered would be said, and is no command."""
    first, *others = _lines(text) or [""]
    return bool(others) or (bool(first) and not (says_password(first) or _is_command(first)))


def _lines(text: str) -> list[str]:
    return [line for line in text.replace("\r", "\n").split("\n") if line.strip()]


def _is_command(line: str) -> bool:
    return line.startswith("/") and not line.startswith("//")


def _say(model: Attention, text: str, lines: int, now: float) -> Asked:
    """Say a text: as one message if the server can do that, which the session knows."""
    target = model.current.target
    if is_confided(target, text):
        model.note(NOT_CONFIDED, now)
        return ()
    if lines > LINES_MAX:
        model.note(f"That is {lines:,} lines; at most {LINES_MAX} can be sent at once.", now)
    elif not target and lines:
        model.note("Nobody can read that here. /join ROOM enters a room.", now)
    elif lines:
        return [requests.Say(text, target)]
    return ()


def preview(model: Attention, text: str) -> str:
    """Describe how a text of several lines will be sent, by the limits of our own server."""
    count = sum(bool(line.strip()) for line in text.split("\n"))
    if model.caps >= NEEDED and count > 1:
        fits = text.count("\n") < MAX_LINES and len(text.encode("utf-8", "replace")) <= MAX_BYTES
        return f"1 message of {count} lines" if fits else f"{count} lines in several messages"
    return f"{count} message{'s' if count > 1 else ''}"


def _do(model: Attention, line: str, now: float) -> Asked:
    """Do a command; the session knows those that are not ours, or complains."""
    line = spelled_out(line)
    word, rest = (*line[1:].split(maxsplit=1), "", "")[:2]
    if word.lower() not in OWN and not _nearly_own(word.lower()):
        return _run(model, word.lower(), rest, line, now)
    if why := complaint(OWN if word.lower() in OWN else all_commands(), word, rest):
        model.note(why, now)
        return ()
    return OWN[word.lower()].act(model, rest.strip(), now)


def _nearly_own(word: str) -> bool:
    """Whether it resembles one of our commands, which the session cannot suggest."""
    return word not in SLASHES and near(all_commands(), word) in OWN


def _reconnect(model: Attention, rest: str, now: float) -> Asked:
    if rest:
        model.note(f"For another server, run: trio-chat client -H {clean(rest.split()[0])}", now)
        return ()
    return [requests.SlashCommand("/reconnect", model.current.target)]


def _run(model: Attention, word: str, rest: str, line: str, now: float) -> Asked:
    """Hand a command to the session; /join also shows the room once it is entered."""
    model.ask(now)
    if word == "join" and rest:
        rooms = rest.split()[0].split(",")
        model.wanted[room_name(rooms[0])] = None
    return [requests.SlashCommand(line, model.current.target)]


def _query(model: Attention, rest: str, now: float) -> Asked:
    nick, text = (*rest.split(maxsplit=1), "")[:2]
    if is_confided(nick, text):
        model.note(NOT_CONFIDED, now)
        return ()
    buffer = model.open(nick)
    if not buffer.target:
        model.note("Too many pages are open. /close closes one.", now)
        return ()
    said = [requests.Say(text, buffer.target)] if text else []
    return [*model.select(buffer, now), *said]


def _close(model: Attention, rest: str, now: float) -> Asked:
    if model.current.kind == "server":
        model.note("The server's page cannot be closed. /quit leaves.", now)
        return ()
    return model.close(model.current, now)


def _ignore(model: Attention, mask: str, now: float) -> Asked:
    if not mask:
        model.note(f"Ignored: {', '.join(model.ignored) or 'nobody'}.", now)
    elif model.ignore(mask):
        model.note(f"{clean(mask)} is ignored from now on. /unignore {clean(mask)} ends that.", now)
    else:
        model.note(f"{clean(mask)} is already ignored, or too many are.", now)
    return ()


def _unignore(model: Attention, mask: str, now: float) -> Asked:
    done = model.ignore(mask, on=False)
    model.note(f"{clean(mask)} is {'no longer' if done else 'not'} ignored.", now)
    return ()


def _clear(model: Attention, rest: str, now: float) -> Asked:
    model.clear(model.current)
    return ()


def _search(model: Attention, words: str, now: float) -> Asked:
    """Let the server search if it can, since it has more than we have loaded."""
    if SEARCH in model.caps:
        return _run(model, "search", words, f"/search {words}", now)
    found = model.search(words)
    last = f"; the last {_FOUND_MAX}:" if len(found) > _FOUND_MAX else ""
    model.note(f"Found: {len(found)}{last}", now)
    for text in [_found(model, line) for line in found[-_FOUND_MAX:]]:
        model.note(text, now)
    return ()


def _found(model: Attention, line: Line) -> str:
    buffer = model.where(line)
    where = buffer.name if buffer else ""
    who = f"* {line.nick}" if line.kind == "action" else f"{line.nick}:"
    return f"{model.days.short(line.time)} {where} {who} {line.in_a_row}"


def _page(model: Attention, which: str, now: float) -> Asked:
    """Go to a buffer by its number, counted from 1, or by the beginning of its name."""
    if which.isdecimal() and 0 < int(which[:6]) <= len(model.buffers):
        return model.select(model.buffers[int(which[:6]) - 1], now)
    named = [b for b in model.buffers if _fits(model.names.fold, b.name, which)]
    if not named:
        model.note(f"There is no page {clean(which)}.", now)
        return ()
    return model.select(min(named, key=lambda buffer: len(buffer.name)), now)


def _fits(fold: Callable[[str], str], name: str, beginning: str) -> bool:
    return fold(name.lstrip("#&")).startswith(fold(beginning.lstrip("#&")))


def _help(model: Attention, rest: str, now: float) -> Asked:
    for line in overview(all_commands()):
        model.note(line, now)
    return ()


def all_commands() -> dict[str, Row]:
    """The session's commands and ours."""
    commands: dict[str, Row] = {**SLASHES, **OWN}
    return dict(sorted(commands.items()))


_ACTS: dict[str, Callable[[Attention, str, float], Asked]] = {
    "help": _help,
    "query": _query,
    "close": _close,
    "page": _page,
    "search": _search,
    "clear": _clear,
    "ignore": _ignore,
    "unignore": _unignore,
    "reconnect": _reconnect,
    "quit": lambda model, words, now: [*model.leave(), requests.Leave(words)],
}

OWN = {name: Own(*COMMAND_TABLE[name], act) for name, act in _ACTS.items()}
