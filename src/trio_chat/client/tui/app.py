"""The whole screen: it shows the model, and tells it what is typed.

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
from typing import ParamSpec

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal

from trio_chat.client import requests
from trio_chat.client.model import Buffer, Line, Model
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

P = ParamSpec("P")

# Columns from which a list fits beside the log, leaving 50 cells or so for texts. With 80, the bar
# below tells which rooms have something new.
_ROOMS_FROM = 92
_MEMBERS_FROM = 116

# Cells for the list of rooms, and on wider screens.
_ROOMS, _ROOMS_WIDE = 19, 24
_ROOMS_WIDE_FROM = 120

# Seconds that the network has for saying goodbye when told to quit.
_GOODBYE = 3.0


def show(model: Model, network: Network, settings: ScreenSettings) -> int:
    """Show the chat until the person leaves or ``network`` ends; returns the exit code.

    Only where standard input, output and error are a terminal. Raises what ``network`` raises if
    it is a ChatError, and ScreenFailed for all else.
    """
    return run(ChatApp(model, network, settings), mouse=settings.mouse)


class ChatApp(Host):
    """``network`` sends the messages that the model takes, and carries out the requests."""

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
        # An empty NO_COLOR means nothing (no-color.org), but Textual asks only whether it is set.
        self._colourless = bool(os.environ.get("NO_COLOR") or os.environ.pop("NO_COLOR", None))
        super().__init__(ansi_color=True if self._colourless else None)
        self._model, self._network, self._now = model, network, now
        self._rooms_wanted: bool | None = None  # if it fits, until the person decides
        self._members_wanted: bool | None = None
        self._mouse = settings.mouse
        self._drawn = 0.0
        self._goodbye = False
        self._looking = False  # whether a search continues by itself
        self._alerts = Alerts(
            self.write_to_terminal,
            lambda: self.app_focus,
            title=settings.title,
            bell=settings.bell,
            notify=settings.notify,
            environment=os.environ,
        )
        self._top, self._status = TopBar(), StatusBar()
        self._messages = MessageLog(model.current, self._ask_older)
        self._controller = KeyController(model, self._messages, self, self._ask, now)
        self._rooms = Rooms(self._then_draw(self._choose_room))
        self._members = Members(self._then_draw(self._controller.show_person))
        self._chooser = Chooser(
            self._then_draw(self._controller.move_choice), self._then_draw(self._controller.take)
        )
        self._prompt = Prompt(
            self._then_draw(self._controller.press), self._then_draw(self._controller.paste)
        )
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
        self.call_later(self.takes_keys.set)
        self._alerts.begin()
        self.guest = Guest(self._network, lambda: self.post_message(Arrived()), self.guest_ended)
        self._ask(self._model.start(self._now()))
        self.set_interval(1, self._tick)

    async def on_unmount(self) -> None:
        """End the alerts; Textual itself calls the host's ``on_unmount``."""
        self._alerts.end()

    def last_wishes(self) -> Sequence[requests.Request]:
        return () if self._goodbye else [*self._model.leave(), requests.Leave()]

    def miss(self, messages: Sequence[Message]) -> None:
        self._model.miss(messages, self._now())

    # ── what happens ───────────────────────────────────────────────────────────────────────

    def on_arrived(self) -> None:
        """Take messages at once when it is quiet, or else after the current frame."""
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
        if bans := self._model.take_bans():
            self._controller.show_bans(bans)
        if self._model.take_more_calls():
            self._controller.more_mentions()
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

    def _then_draw(self, act: Callable[P, object]) -> Callable[P, None]:
        def act_and_draw(*arguments: P.args, **keywords: P.kwargs) -> None:
            act(*arguments, **keywords)
            self._draw()

        return act_and_draw

    def _choose_room(self, buffer: Buffer, menu: bool) -> None:
        self._controller.go_to(buffer)
        if menu:
            self._controller.show_room_menu()

    def _ask_older(self) -> None:
        self._ask(self._model.older(self._model.current))

    # ── what the key controller wants ──────────────────────────────────────────────────────

    def _ask(self, asked: Sequence[requests.Request]) -> None:
        for request in asked:
            if self.guest is not None:
                self.guest.ask(request)

    def leave(self, words: str, code: int = 0) -> None:
        """Let the network say goodbye; if asked twice, or if that takes long, go at once."""
        self.last_code = code
        self._ask(self._model.leave())
        if self._goodbye or self.guest is None or not self.guest.ask(requests.Leave(words)):
            self.close(code)
        self._goodbye = True
        self._controller.hint = "leaving…"
        self.set_timer(_GOODBYE, lambda: self.close(code))

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
        self._controller.hint = "the mouse clicks here" if self._mouse else "the mouse selects text"

    def redraw(self) -> None:
        """Repaint everything, as after another program wrote on the terminal."""
        self.screen.refresh()

    def copy_selection(self) -> bool:
        """Copy what the mouse has selected; returns whether there was anything."""
        text = self.screen.get_selected_text()
        if not text:
            return False
        self.copy_to_clipboard(text)
        self.screen.clear_selection()
        return True

    # ── drawing ────────────────────────────────────────────────────────────────────────────

    def _fold(self, width: int) -> None:
        """Show the lists beside the log if they fit, unless the person has decided."""
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
            self.call_after_refresh(self._look_further)  # after the keys so far are shown

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
            return "Enter selects, Esc closes" if controller.choice.takes else "Esc closes"
        if question := controller.question:
            return question
        return "" if self._messages.follows else "↓ more below (End)"

    def _label(self) -> str:
        choice = self._controller.choice
        return f"{choice.label} ❯ " if choice and choice.find else "❯ "

    def _ghost(self) -> str:
        """A hint in the empty line."""
        if self._controller.choice is not None:
            return ""
        target = self._model.current.target
        return f"Message {target}" if target else "/join #room to enter a room, /help for more"
