"""The screen as a whole: it shows the model, and tells it what is typed.

    ┌──────────────────────────────────────────────┐
    │ TopBar                                       │
    ├─────────┬───────────────────────────┬────────┤
    │ Rooms   │ MessageLog, or a Chooser  │ Members│
    ├─────────┴───────────────────────────┴────────┤
    │ StatusBar                                    │
    │ Prompt                                       │
    └──────────────────────────────────────────────┘

Keys go to the key controller, messages to the model. After either, ``_draw`` shows everything
again, and each widget repaints only if it differs.
"""

import os
import time
from collections.abc import Callable, Sequence

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from trio_chat.client import requests
from trio_chat.client.model import Line, Model
from trio_chat.client.tui.alerts import Alerts
from trio_chat.client.tui.bars import StatusBar, TopBar
from trio_chat.client.tui.chooser import Chooser
from trio_chat.client.tui.guest import FRAME, Arrived, Guest, Host, Network, run
from trio_chat.client.tui.input import Prompt
from trio_chat.client.tui.key_controller import KeyController
from trio_chat.client.tui.log import MessageLog
from trio_chat.client.tui.members import Members
from trio_chat.client.tui.rooms import Rooms
from trio_chat.client.tui.theme import PALETTES, THEME_OF, THEMES
from trio_chat.protocols.client import Message
from trio_chat.settings import ScreenSettings

# Columns from which there is place for a list beside the log, such that 50 cells or so are left for
# what is said: with 80 the bar below tells in which rooms something is new.
_ROOMS_FROM = 92
_MEMBERS_FROM = 116

# Cells for the list of rooms, and where there is more place.
_ROOMS, _ROOMS_WIDE = 19, 24
_ROOMS_WIDE_FROM = 120

# For how long a network that was told to quit may still say goodbye.
_GOODBYE = 3.0  # seconds


def show(model: Model, network: Network, settings: ScreenSettings) -> int:
    """Show the chat until the person leaves or ``network`` ends; returns the exit code.

    Only where standard input, output and error are a terminal. Raises what ``network`` raises if
    it is a ChatError, and ScreenFailed for all else.
    """
    return run(ChatApp(model, network, settings), mouse=settings.mouse)


class ChatApp(Host):
    """``network`` tells the news of which the model is made, and does what is wanted of it."""

    CSS = """
    Screen { background: $background; color: $foreground; }
    TopBar, StatusBar { height: 1; background: $panel; }
    Prompt { height: 1; }
    #middle { height: 1fr; }
    Rooms { background: $panel; }
    Members { width: 20; background: $panel; }
    MessageLog, Chooser { width: 1fr; padding: 0 1; }
    """

    def __init__(
        self,
        model: Model,
        network: Network,
        settings: ScreenSettings,
        now: Callable[[], float] = time.time,
    ) -> None:
        # See no-color.org: an empty one means nothing. Textual asks only if it is there.
        self._colourless = bool(os.environ.get("NO_COLOR") or os.environ.pop("NO_COLOR", None))
        super().__init__(ansi_color=True if self._colourless else None)
        self._model, self._network, self._now = model, network, now
        self._rooms_wanted: bool | None = None  # as there is place, until the person says
        self._members_wanted: bool | None = None
        self._mouse = settings.mouse
        self._drawn = 0.0
        self._goodbye = False
        self._looking = False  # whether a search goes on by itself
        self._alerts = Alerts(
            self.write_to_terminal,
            lambda: self.app_focus,
            title=settings.title,
            bell=settings.bell,
            notify=settings.notify,
            environment=os.environ,
        )
        self._top, self._status = TopBar(), StatusBar()
        self._rooms, self._members = Rooms(), Members()
        self._messages, self._chooser = MessageLog(), Chooser()
        self._controller = KeyController(model, self._messages, self, self._ask, now)
        self._prompt = Prompt(self._press, self._paste)
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEME_OF["terminal" if self._colourless else settings.theme]

    def compose(self) -> ComposeResult:
        yield self._top
        with Horizontal(id="middle"):
            yield self._rooms
            yield self._messages
            yield self._chooser
            yield self._members
        yield self._status
        yield self._prompt

    def on_mount(self) -> None:
        self._fold(self.size.width)
        self._prompt.focus()
        self._alerts.begin()
        self.guest = Guest(self._network, lambda: self.post_message(Arrived()), self.guest_ended)
        self._ask(self._model.start(self._now()))
        self.set_interval(1, self._tick)

    async def on_unmount(self) -> None:
        """Textual calls that of the host by itself."""
        self._alerts.end()

    def last_wishes(self) -> Sequence[requests.Request]:
        return () if self._goodbye else [*self._model.leave(), requests.Leave()]

    def miss(self, messages: Sequence[Message]) -> None:
        self._model.miss(messages, self._now())

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def on_arrived(self) -> None:
        """At once if it is quiet, and else when a frame is over."""
        wait = self._drawn + FRAME - time.monotonic()
        if wait <= 0:
            self._take()
        else:
            self.set_timer(wait, self._take)

    def _take(self) -> None:
        if self.guest is None:
            return
        call: Line | None = None
        for message in self.guest.take():
            call = self._model.update(message, self._now()) or call
        if call is not None:  # however many: it rings once
            self._alerts.call(call.nick, call.text)
        self._controller.follow()
        self._draw()

    def _tick(self) -> None:
        self._model.tick(self._now())
        self._draw()
        self._ask(self._model.read_on(self._now()))

    def on_app_focus(self) -> None:
        self._ask(self._model.focus(True, self._now()))
        self._draw()

    def on_app_blur(self) -> None:
        self._ask(self._model.focus(False, self._now()))
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        self._fold(event.size.width)

    def on_resized(self) -> None:
        self._draw()

    def on_rooms_chosen(self, event: Rooms.Chosen) -> None:
        self._controller.go_to(event.buffer)
        if event.menu:
            self._controller.show_room_menu()
        self._draw()

    def on_members_chosen(self, event: Members.Chosen) -> None:
        self._controller.show_person(event.nick)
        self._draw()

    def on_chooser_moved(self, event: Chooser.Moved) -> None:
        self._controller.move_choice(event.rows)
        self._draw()

    def on_chooser_taken(self, event: Chooser.Taken) -> None:
        self._controller.take(event.number)
        self._draw()

    def on_message_log_top(self) -> None:
        self._ask(self._model.older(self._model.current))

    def _press(self, key: str, character: str) -> None:
        self._controller.press(key, character)
        self._draw()

    def _paste(self, text: str) -> None:
        self._controller.paste(text)
        self._draw()

    # ── what the key controller wants ──────────────────────────────────────────────────────

    def _ask(self, asked: Sequence[requests.Request]) -> None:
        for request in asked:
            if self.guest is not None:
                self.guest.ask(request)

    def leave(self, words: str) -> None:
        """Let the network say goodbye; asked twice, or if that takes long, go at once."""
        self._ask(self._model.leave())
        if self._goodbye or self.guest is None or not self.guest.ask(requests.Leave(words)):
            self.close(0)
        self._goodbye = True
        self._controller.hint = "leaving…"
        self.set_timer(_GOODBYE, lambda: self.close(0))

    @property
    def busy(self) -> bool:
        return self.guest is None or self.guest.busy or self.guest.ended

    def toggle_rooms(self) -> None:
        self._rooms_wanted = not self._rooms.display
        self._fold(self.size.width)

    def toggle_members(self) -> None:
        self._members_wanted = not self._members.display
        self._fold(self.size.width)

    def next_theme(self) -> None:
        if self._colourless:
            self._controller.hint = "NO_COLOR is set"
            return
        names = list(PALETTES)
        self.theme = names[(names.index(self.theme) + 1) % len(names)]

    def toggle_mouse(self) -> None:
        self._mouse = not self._mouse
        self.use_mouse(self._mouse)
        self._controller.hint = (
            "the mouse clicks here" if self._mouse else "the mouse is the terminal's"
        )

    def redraw(self) -> None:
        """Something else has written on the terminal."""
        self.screen.refresh()

    def copy_selection(self) -> bool:
        """What was selected by the mouse; returns whether something was."""
        text = self.screen.get_selected_text()
        if not text:
            return False
        self.copy_to_clipboard(text)
        self.screen.clear_selection()
        return True

    # ── drawing ────────────────────────────────────────────────────────────────────────────

    def _fold(self, width: int) -> None:
        """Lists beside the log only where it keeps enough place, unless the person says so."""
        rooms, members = self._rooms_wanted, self._members_wanted
        self._rooms.styles.width = _ROOMS if width < _ROOMS_WIDE_FROM else _ROOMS_WIDE
        self._rooms.display = width >= _ROOMS_FROM if rooms is None else rooms
        self._members.display = width >= _MEMBERS_FROM if members is None else members

    def _draw(self) -> None:
        model, controller, palette = self._model, self._controller, PALETTES[self.theme]
        self._drawn = time.monotonic()
        self._messages.display, self._chooser.display = (
            controller.choice is None,
            controller.choice is not None,
        )
        self._top.show(model, palette)
        self._rooms.show(model.buffers, model.current, palette)
        self._members.show(model.current, palette)
        self._messages.keep(model.buffers)
        self._messages.selectable = self._mouse
        self._messages.show(model.current, palette)
        if controller.choice is not None:
            self._chooser.show(controller.choice, palette)
        self._status.show(model, palette, hint=self._hint(), rooms_hidden=not self._rooms.display)
        self._prompt.show(controller.editor, self._label(), self._ghost(), palette)
        self._alerts.show_title(
            model.current.name or model.network,
            unread=sum(buffer.unread for buffer in model.buffers),
            calls=sum(buffer.mentions for buffer in model.buffers),
        )
        if controller.choice is not None and controller.choice.looks_further and not self._looking:
            self._looking = True
            self.call_after_refresh(self._look_further)  # what has been written is seen first

    def _look_further(self) -> None:
        self._looking = False
        if self._controller.choice is not None:
            self._controller.choice.look_further()
            self._draw()

    def _hint(self) -> str:
        controller = self._controller
        if controller.hint:
            return controller.hint
        if controller.choice is not None:
            return "Enter takes, Esc closes" if controller.choice.takes else "Esc closes"
        if question := controller.question:
            return question
        return "" if self._messages.follows else "↓ more below: End"

    def _label(self) -> str:
        choice = self._controller.choice
        return f"{choice.label} ❯ " if choice and choice.find else "❯ "

    def _ghost(self) -> str:
        """What might be written here."""
        if self._controller.choice is not None:
            return ""
        target = self._model.current.target
        return f"Message {target}" if target else "/join #room enters a room, /help for more"
