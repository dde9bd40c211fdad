"""The lists that can be opened in place of the log. ``take`` gets the chosen thing."""

from collections.abc import Callable, Iterator
from functools import partial

from trio_chat.client.model import Buffer, Line, Model
from trio_chat.client.tui.choice import (
    Choice,
    Item,
    buffer_item,
    line_item,
    link_item,
    member_item,
    text_item,
)
from trio_chat.client.tui.help import find_help
from trio_chat.client.tui.members import ranked
from trio_chat.client.tui.rows import day_and_clock
from trio_chat.client.tui.text import find_links
from trio_chat.core.names import fold
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks
from trio_chat.protocols.clean import clean
from trio_chat.protocols.plain.modes import briefly

_TO_COPY = 500  # last lines whose texts and links can be copied


def the_help(model: Model) -> Choice:
    commands = model.complete("/", 1)
    return Choice("Help", find=lambda words: find_help(words, commands))


def found_lines(model: Model, take: Callable[[Line], None]) -> Choice:
    buffer = model.current

    def found(words: str) -> Iterator[list[Item]]:
        for lines in model.look_for(words, buffer):
            yield [line_item(line, take) for line in lines]

    return Choice(f"Search in {buffer.name}", find=found, label="search", newest_last=True)


def rooms(model: Model, take: Callable[[Buffer], None]) -> Choice:
    def found(words: str) -> Iterator[list[Item]]:
        buffers = enumerate(model.buffers, 1)
        yield [buffer_item(n, b, take) for n, b in buffers if _fits(words, b.name)]

    return Choice("Go to", find=found, label="go to")


def people(model: Model, take: Callable[[str], None]) -> Choice:
    buffer = model.current

    def found(words: str) -> Iterator[list[Item]]:
        members = ranked(buffer.members.values())
        yield [member_item(member, take) for member in members if _fits(words, member.nick)]

    return Choice(f"People in {buffer.name}", find=found)


def _fits(words: str, name: str) -> bool:
    return fold(words.strip()) in fold(name)


def calls(model: Model, take: Callable[[Line], None]) -> Choice:
    items = [line_item(line, take) for line in model.mentions]
    return Choice("Mentions", items, newest_last=True)


def messages(model: Model, take: Callable[[str], None]) -> Choice:
    items = [line_item(line, lambda line: take(line.text)) for line in _said(model)]
    return Choice("Copy a message", items, newest_last=True)


def removable(model: Model, take: Callable[[Line], None]) -> Choice:
    lines = [line for line in _said(model) if line.id]
    items = [line_item(line, take) for line in lines]
    return Choice("Remove a message, or report it", items, newest_last=True)


def links(model: Model, take: Callable[[str], None]) -> Choice:
    """The links in the topic and in what was said, each once."""
    texts = [model.current.topic, *(line.text for line in _said(model))]
    found = dict.fromkeys(link for text in texts for _, link in find_links(text))
    return Choice("Copy a link", [link_item(link, take) for link in found], newest_last=True)


def _said(model: Model) -> list[Line]:
    lines = model.current.lines[-_TO_COPY:]
    return [line for line in lines if line.kind in ("said", "action", "notice", "own note")]


def bans(bans: Masks, take: Callable[[Mask], None]) -> Choice:
    """The bans of a room or of the server, for those who want to lift one."""

    def found(words: str) -> Iterator[list[Item]]:
        told = ((clean(briefly(mask, _end(mask))), mask) for mask in bans.masks)
        yield [text_item(text, partial(take, mask)) for text, mask in told if _fits(words, text)]

    return Choice(f"{bans_of(bans.room)}: Enter lifts one", find=found)


def _end(ban: Mask) -> str:
    """The minute by which it is over."""
    return day_and_clock(60 * -(-ban.until // 60_000)) if ban.until else ""


def bans_of(room: str) -> str:
    return f"Bans of {clean(room) or 'the server'}"


def menu(title: str, *rows: tuple[str, Callable[[], None]]) -> Choice:
    return Choice(title, [text_item(text, take) for text, take in rows])
