"""A model that does just what the screen can see, and networks that do what a test wants."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import cast

import textual.app
import textual.pilot
import trio
from textual import events
from textual.pilot import Pilot
from textual.strip import Strip

from processes import PATIENCE
from trio_chat.client import requests
from trio_chat.client.model import Buffer, Candidate, Line, Model
from trio_chat.client.model.search import search
from trio_chat.client.tui.app import ChatApp
from trio_chat.core.masks import full_mask
from trio_chat.protocols.client import Member
from trio_chat.settings import ScreenSettings

NOON = 1_700_049_600.0  # 2023-11-15 12:00 UTC

DEFAULT = ScreenSettings()

_keys = count(1)


def said(nick: str, text: str, time: float = NOON, **fields: object) -> Line:
    number = next(_keys)
    return Line(
        key=number, id=f"m{number}", time=time, nick=nick, text=text, **{"kind": "said"} | fields
    )


class FakeBuffer(Buffer):
    lines = members = typing = joined = mentions = complete = None

    def __init__(self, name: str, kind: str = "room", topic: str = "") -> None:
        self.name, self.kind, self.topic = name, kind, topic
        self.draft = ("", 0)
        self.lines = []
        self.members = {}
        self.mentions = self.news = 0
        self.first_unread = None
        self.typing = ()
        self.complete = False

    @property
    def unread(self) -> int:
        return self.news

    @property
    def target(self) -> str:
        return "" if self.kind == "server" else self.name

    def add_members(self, *nicks: str) -> None:
        for nick in nicks:
            bare = nick.lstrip("@+")
            self.members[bare] = Member(bare, prefixes=nick[: len(nick) - len(bare)])


class FakeModel(Model):
    """News are a buffer's name, a line, and whether it rings."""

    nick, network, status, away = "bob", "trio-chat", "", ""
    linked, lag, rules = True, 0.023, False
    caps = frozenset()
    mentions = ignored = ()
    bans = None
    has_more_calls = False

    def __init__(self, *names: str) -> None:
        self.all = [
            FakeBuffer("trio-chat", "server"),
            *(FakeBuffer(n) for n in names or ["#lobby"]),
        ]
        self.shown = self.all[1]
        self.asked_older = 0
        self.sent: list[tuple[str, str]] = []
        self.inputs: list[str] = []
        self.candidates: Sequence[str] = ()
        self.found: Sequence[Line] = ()

    buffers = property(lambda self: self.all)
    current = property(lambda self: self.shown)

    def update(self, message: object, now: float) -> Line | None:
        name, line, alert = message
        buffer = next(b for b in self.all if b.name == name)
        buffer.lines.append(line)
        if buffer is not self.shown:
            buffer.news += 1
        return line if alert else None

    def tick(self, now: float) -> None:
        """Nobody types."""

    def start(self, now: float) -> Sequence[requests.Request]:
        return ()

    def select(self, buffer: Buffer, now: float) -> Sequence[requests.Request]:
        self.shown = buffer
        buffer.news = buffer.mentions = 0
        return ()

    def focus(self, on: bool, now: float) -> Sequence[requests.Request]:
        return ()

    def leave(self) -> Sequence[requests.Request]:
        return ()

    def read_on(self, now: float) -> Sequence[requests.Request]:
        return ()

    def miss(self, messages: Iterable[object], now: float) -> None:
        self.missed = list(messages)

    def enter(self, text: str, now: float) -> Sequence[requests.Request]:
        self.inputs.append(text)
        if text.startswith("/quit"):
            return [requests.Leave(text[6:])]
        asked = [requests.Say(line, self.shown.name) for line in text.split("\n")]
        self.sent += [(request.target, request.text) for request in asked]
        return asked

    def typed(self, now: float) -> Sequence[requests.Request]:
        return ()

    def older(self, buffer: Buffer) -> Sequence[requests.Request]:
        self.asked_older += 1
        return ()

    def resend(self, line: Line) -> Sequence[requests.Request]:
        line.state = "pending"
        return ()

    def complete(self, text: str, cursor: int) -> Sequence[Candidate]:
        return [
            text if isinstance(text, Candidate) else Candidate(text) for text in self.candidates
        ]

    def before(self, text: str) -> str:
        return self.inputs[-1] if self.inputs else text

    def after(self, text: str) -> str:
        return ""

    def look_for(self, words: str, buffer: Buffer) -> Iterator[Sequence[Line]]:
        return search(words, buffer.lines)

    def open(self, name: str) -> Buffer:
        buffer = FakeBuffer(name, "person")
        self.all.append(buffer)
        return buffer

    def close(self, buffer: Buffer, now: float) -> Sequence[requests.Request]:
        self.all.remove(buffer)
        self.shown = self.all[0]
        return [requests.Part(buffer.name)]

    def ask(self, now: float) -> None:
        """All that is told has its place in the test."""

    def is_ignored(self, nick: str) -> bool:
        return full_mask(nick) in self.ignored

    def clear(self, buffer: Buffer) -> None:
        buffer.lines.clear()

    def ignore(self, mask: str, on: bool = True) -> bool:
        self.ignored = [full_mask(mask)] if on else []
        return True

    def where(self, line: Line) -> Buffer | None:
        return next((b for b in self.all if line in b.lines), None)


async def silent(news: trio.MemorySendChannel, asked: trio.MemoryReceiveChannel) -> None:
    """A network where nothing happens until somebody quits."""
    with news, asked:
        async for request in asked:
            if isinstance(request, requests.Leave):
                return


def shown(
    model: FakeModel,
    script: Callable[[Pilot, ChatApp], Awaitable[None]],
    size: tuple[int, int] = (80, 24),
    network: Callable = silent,
    settings: ScreenSettings = DEFAULT,
) -> ChatApp:
    """Run the app in a terminal of that size, and the script in it."""

    async def main() -> ChatApp:
        app = ChatApp(model, network, settings, now=lambda: NOON)
        async with asyncio.timeout(30), app.run_test(size=size) as pilot:
            await settle(pilot)
            await script(cast("Pilot", Hands(pilot)), app)
        return app

    return asyncio.run(main())


class Hands:
    """A pilot, and after all that it does a look at what has come of it."""

    def __init__(self, pilot: Pilot) -> None:
        self._pilot = pilot

    def __getattr__(self, name: str) -> Callable[..., Awaitable[None]]:
        async def act(*arguments: object, **keywords: object) -> None:
            await getattr(self._pilot, name)(*arguments, **keywords)
            await settle(self._pilot)

        return act


async def settle(pilot: Pilot) -> None:
    """Let all widgets do what follows from what has happened, and lay themselves out anew. That the
    terminal has another size Textual passes on only after some milliseconds.
    """
    for _ in range(2):
        pilot.app._check_resize()
        await pilot._wait_for_screen()
        await turns()
        pilot.app.screen._on_timer_update()
    await turns()


async def turns(min_sleep: float = 0, max_sleep: float = 0) -> None:
    """Let everybody in the loop have some."""
    for _ in range(30):
        await asyncio.sleep(0)


# Textual looks at the clock until the process seems idle: a twentieth of a second for each key.
textual.app.wait_for_idle = textual.pilot.wait_for_idle = turns


async def until(pilot: Pilot, true: Callable[[], bool]) -> None:
    """What trio does takes its own time."""
    async with asyncio.timeout(PATIENCE):
        while not true():
            await pilot.pause()


def burst(app: ChatApp, keys: Sequence[str]) -> None:
    """Keys as they come from a terminal, one right after the other."""
    for key in keys:
        app.post_message(events.Key(key, _CHARACTERS.get(key, key if len(key) == 1 else None)))


_CHARACTERS = {"enter": "\r", "backspace": "\x7f", "tab": "\t"}


def text_of(app: ChatApp) -> str:
    """What is on the screen."""
    return "\n".join(strip.text.rstrip() for strip in rows_of(app))


def rows_of(app: ChatApp) -> list[Strip]:
    """The same with its colours."""
    return app.screen._compositor.render_strips()


def demo_model() -> FakeModel:
    model = FakeModel("#lobby", "#python", "#cooking", "alice")
    lobby = model.all[1]
    lobby.topic = "tea at five: see https://example.org/tea (and bring cake)"
    lobby.add_members("@alice", "+bob", "carol", "Łukasz", "美咲", "erin_the_long_named")
    lobby.members["dave"] = Member("dave", away=True)
    lobby.members["helper"] = Member("helper", bot=True)
    call = said("carol", "bob: have you seen this?", mention=True)
    lobby.first_unread = call
    lobby.lines += [
        said("", "Wednesday, 15 November 2023", kind="day"),
        said("", "alice came in", kind="event"),
        said(
            "alice",
            "hello everybody, did you read https://example.org/a/very/long/link?with=query&and=more"
            "#part, it is about structured concurrency and cancellation",
            prefix="@",
        ),
        said("bob", "not yet", own=True),
        said("美咲", "こんにちは、みなさん。今日は天気がいいですね。散歩に行きましょうか。"),
        said("carol", "family 👨‍👩‍👧‍👦 flag 🇩🇪 thumbs 👍🏽 heart ❤️ done"),
        said("Łukasz", "waves", kind="action"),
        said("אבי", "שלום לכולם"),
        call,
        said("dave", "[bold]this is no markup[/bold] [@click=app.quit]nor this[/nope]"),
        said(
            "erin_the_long_named", "I say more than there is room for in a row, as people do " * 2
        ),
        said("services", "You are now identified", kind="notice"),
        said("bob", "this is on its way", own=True, state="pending"),
        said("bob", "this has failed", own=True, state="failed", why="you are muted"),
        said("", "dave went away", kind="event"),
    ]
    model.all[2].news, model.all[3].news = 12, 1
    model.all[4].news = model.all[4].mentions = 2
    lobby.typing = ("alice", "carol")
    return model
