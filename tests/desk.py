"""A model with a clock that stands still, and somebody who tells it things."""

from collections.abc import Sequence

from trio_chat.client import requests
from trio_chat.client.model import Buffer, Line, Model
from trio_chat.core.events import Origin
from trio_chat.protocols.client import Message, Stamped

#: 12:00 UTC on 31 December 2024, a Tuesday.
NOON = 1_735_646_400.0


def at(minute: int, second: int = 0, day: int = 31) -> str:
    """A moment around noon, as the server says it."""
    return f"2024-12-{day}T12:{minute:02}:{second:02}.000Z"


def said(
    nick: str,
    text: str,
    msgid: str = "",
    time: str = "",
    *,
    room: str = "#lobby",
    late: bool = False,
    sent_as: str = "",
    host: str = "",
) -> Stamped:
    origin = Origin(user="~u", host=host)
    return Stamped(
        room, nick, text, origin=origin, token=sent_as, msgid=msgid, time=time, late=late
    )


def told(nick: str, text: str, to: str = "me", **how: str) -> Stamped:
    """In private."""
    return Stamped("", nick, text, to=to, **how)


class Desk:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.now = NOON

    def hear(self, *messages: Message) -> Line | None:
        """The last line that calls."""
        calls = [self.model.update(message, self.now) for message in messages]
        return next(filter(None, reversed(calls)), None)

    def enter(self, text: str) -> Sequence[requests.Request]:
        return self.model.enter(text, self.now)

    def read_on(self, seconds: float = 0) -> Sequence[requests.Request]:
        self.now += seconds
        return list(self.model.read_on(self.now))

    def go(self, name: str) -> Sequence[requests.Request]:
        return self.model.select(self[name], self.now)

    def __getitem__(self, name: str) -> Buffer:
        return next(buffer for buffer in self.model.buffers if buffer.name == name)

    def names(self) -> list[str]:
        return [buffer.name for buffer in self.model.buffers]

    def lines(self, name: str) -> list[Line]:
        """Without those that tell that something has happened."""
        return [line for line in self[name].lines if line.kind not in ("event", "day")]

    def texts(self, name: str = "#lobby") -> list[str]:
        return [line.text for line in self.lines(name)]

    def events(self, name: str = "#lobby") -> list[str]:
        """Behind that we have entered."""
        return [line.text for line in self[name].lines if line.kind == "event"][1:]

    def notes(self) -> list[str]:
        return [line.text for line in self.model.current.lines if line.kind == "own note"]
