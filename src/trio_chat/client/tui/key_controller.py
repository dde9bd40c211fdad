"""What the keys do. No drawing here: after each key the app shows what has come of it."""

from collections.abc import Callable, Sequence
from typing import Protocol

from trio_chat.client import requests
from trio_chat.client.model import LINES_MAX, Buffer, Candidate, Line, Model, preview
from trio_chat.client.tui import lists
from trio_chat.client.tui.choice import Choice
from trio_chat.client.tui.editing import EDITING, Editor
from trio_chat.client.tui.keys import BOUND, CHOOSING, EVER, NUMBERS
from trio_chat.protocols.clean import clean

_PAGE = 10  # rows


class Log(Protocol):
    """The log that is shown."""

    def scroll_pages(self, pages: int) -> None: ...
    def to_top(self) -> None: ...
    def to_end(self) -> None: ...
    def show_line(self, line: Line) -> None: ...


class Screen(Protocol):
    """What else is there. ``busy`` if nothing can be sent now."""

    @property
    def busy(self) -> bool: ...

    def toggle_rooms(self) -> None: ...
    def toggle_members(self) -> None: ...
    def toggle_mouse(self) -> None: ...
    def next_theme(self) -> None: ...
    def redraw(self) -> None: ...
    def copy_selection(self) -> bool: ...
    def copy_to_clipboard(self, text: str) -> None: ...
    def leave(self, words: str) -> None: ...


class KeyController:
    """``choice`` is the list that is shown in place of the log; ``hint`` a word on the last key."""

    def __init__(
        self,
        model: Model,
        log: Log,
        screen: Screen,
        ask: Callable[[Sequence[requests.Request]], None],
        now: Callable[[], float],
    ) -> None:
        self._model, self._log, self._screen = model, log, screen
        self._ask, self._now = ask, now
        self.editor = Editor()
        self.choice: Choice | None = None
        self.hint = ""
        self._room = model.current  # for which is what is being written
        self._completion: _Completion | None = None
        self._interrupted = False
        self._take_draft()

    def press(self, key: str, character: str) -> None:
        """``character`` is what the key writes, if it writes something."""
        before = self.editor.text
        interrupted, self._interrupted = self._interrupted, False
        self.hint = ""
        if key not in ("tab", "shift+tab"):
            self._completion = None
        if key == "ctrl+c":
            self._interrupt(again=interrupted)
        elif key in NUMBERS and self.choice is None:
            self._go_to_number(NUMBERS[key])
        elif action := self._action(key):
            getattr(self, f"_{action}")()
        elif edit := EDITING.get(key):
            edit(self.editor)
        elif character:
            self.editor.insert(character)
        self._written(before)

    def _action(self, key: str) -> str:
        table = BOUND if self.choice is None else CHOOSING | EVER
        return table.get(key, "")

    def _written(self, before: str) -> None:
        """What is written outlives us, however we end."""
        self._keep_draft()
        if self.editor.text == before:
            return
        if self.choice is not None:
            self.choice.look_for(self.editor.text)
        elif self.editor.text and not self.editor.text.startswith("/"):
            self._ask(self._model.typed(self._now()))

    def paste(self, text: str) -> None:
        """Several lines are shown before they are sent; a break at the end is no line."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
        if self.choice is not None:
            lines = [" ".join(lines)]
        before = self.editor.text
        self.editor.paste("\n".join(clean(line) for line in lines))
        self._written(before)

    @property
    def question(self) -> str:
        """What Enter would do, if several lines are written."""
        if "\n" not in self.editor.text:
            return ""
        count = self._lines_to_send
        if count > LINES_MAX:
            return f"{count:,} lines; at most {LINES_MAX} at once. Esc drops them"
        return f"Enter sends {preview(self._model, self.editor.text)}, Esc drops them"

    @property
    def _lines_to_send(self) -> int:
        """Each is a message; blank ones are none."""
        return sum(bool(line.strip()) for line in self.editor.text.split("\n"))

    # ── sending ────────────────────────────────────────────────────────────────────────────

    def _send(self) -> None:
        text = self.editor.text
        if not text.strip():
            return
        if self._screen.busy:  # the text stays, rather than be lost
            self.hint = "too much is waiting to be sent"
            return
        if self._lines_to_send > LINES_MAX:
            return
        self.editor.set("")
        command, _, words = text.strip().partition(" ")
        if command == "/help":
            self._help(words)
            return
        self._log.to_end()
        self._do(self._model.enter(text, self._now()))
        self.follow()

    def _do(self, asked: Sequence[requests.Request]) -> None:
        """One of them may be to leave."""
        self._ask([request for request in asked if not isinstance(request, requests.Leave)])
        for request in asked:
            if isinstance(request, requests.Leave):
                self._screen.leave(request.why)

    def _resend(self) -> None:
        """The last that has failed."""
        failed = [line for line in self._model.current.lines if line.state == "failed"]
        if failed:
            self._ask(self._model.resend(failed[-1]))
        else:
            self.hint = "nothing has failed here"

    def _before(self) -> None:
        if not self.editor.up():
            self.editor.set(self._model.before(self.editor.text))

    def _after(self) -> None:
        if not self.editor.down():
            self.editor.set(self._model.after(self.editor.text))

    def _complete(self) -> None:
        self._complete_by(1)

    def _complete_back(self) -> None:
        self._complete_by(-1)

    def _complete_by(self, step: int) -> None:
        if self._completion is None:
            self._completion = _Completion(self.editor, self._model)
        self.hint = self._completion.put(self.editor, step)

    # ── leaving ────────────────────────────────────────────────────────────────────────────

    def _interrupt(self, *, again: bool) -> None:
        if self._screen.copy_selection():
            self.hint = "copied"
        elif self.choice is not None:
            self._close()
        elif self.editor.text:
            self.editor.set("")
        elif again:
            self._screen.leave("")
        else:
            self._interrupted = True
            self.hint = "Ctrl+C once more quits"

    def _end_of_input(self) -> None:
        if self.editor.text:
            self.editor.delete()
        else:
            self._screen.leave("")

    # ── other rooms ────────────────────────────────────────────────────────────────────────

    def go_to(self, buffer: Buffer) -> None:
        if buffer is not self._model.current:
            self._ask(self._model.select(buffer, self._now()))
            self.follow()

    def follow(self) -> None:
        """Another room is shown, for whatever reason. Each keeps what was being written in it, so
        that nothing is said in the wrong one.
        """
        room = self._model.current
        if room is self._room:
            return
        if self.choice is not None:
            self._close()
        self._keep_draft()
        self._room = room
        self._take_draft()

    def _keep_draft(self) -> None:
        """While a list is shown, the line is for a search."""
        if self.choice is None:
            self._room.draft = self.editor.text, self.editor.cursor

    def _take_draft(self) -> None:
        self.editor.set(*self._room.draft)

    def _go_to_number(self, number: int) -> None:
        if number <= len(self._model.buffers):
            self.go_to(self._model.buffers[number - 1])

    def _next_room(self) -> None:
        self._go_by(1)

    def _previous_room(self) -> None:
        self._go_by(-1)

    def _go_by(self, step: int) -> None:
        self.go_to(self._around()[step % len(self._model.buffers)])

    def _around(self) -> list[Buffer]:
        """All, the current one first."""
        buffers = list(self._model.buffers)
        place = buffers.index(self._model.current)
        return buffers[place:] + buffers[:place]

    def _next_news(self) -> None:
        """Where we are called before where somebody talks."""
        others = self._around()[1:]
        news = [b for b in others if b.mentions] or [b for b in others if b.unread]
        if news:
            self.go_to(news[0])
        else:
            self.hint = "nothing new"

    # ── the log ────────────────────────────────────────────────────────────────────────────

    def _page_up(self) -> None:
        self._log.scroll_pages(-1)

    def _page_down(self) -> None:
        self._log.scroll_pages(1)

    def _to_top(self) -> None:
        """Of the line, while one is written."""
        if self.editor.text:
            self.editor.home()
        else:
            self._log.to_top()

    def _to_end(self) -> None:
        if self.editor.text:
            self.editor.end()
        else:
            self._log.to_end()

    def _toggle_rooms(self) -> None:
        self._screen.toggle_rooms()

    def _toggle_members(self) -> None:
        self._screen.toggle_members()

    def _toggle_mouse(self) -> None:
        self._screen.toggle_mouse()

    def _next_theme(self) -> None:
        self._screen.next_theme()

    def _redraw(self) -> None:
        self._screen.redraw()

    # ── lists in its place ─────────────────────────────────────────────────────────────────

    def _open(self, choice: Choice) -> None:
        """What is being written waits, for a search has the line. One may lead to another."""
        self._keep_draft()
        self.editor.set("")
        self.choice = choice

    def _close(self) -> None:
        if self.choice is None:
            self.editor.drop_paste()
            return
        self.choice = None
        self._take_draft()

    def _help(self, words: str = "") -> None:
        self._open(lists.the_help(self._model))
        if words:
            self.paste(words)

    def _search(self) -> None:
        self._open(lists.found_lines(self._model, self._show_line))

    def _mentions(self) -> None:
        self._open(lists.calls(self._model, self._show_line))

    def _show_line(self, line: Line) -> None:
        self._close()
        if buffer := self._model.where(line):
            self.go_to(buffer)
            self._log.show_line(line)

    def _copy_message(self) -> None:
        self._open(lists.messages(self._model, self._copy))

    def _copy_link(self) -> None:
        self._open(lists.links(self._model, self._copy))

    def _copy(self, text: str) -> None:
        self._close()
        self._screen.copy_to_clipboard(text)
        self.hint = "copied"

    def _go_by_name(self) -> None:
        self._open(lists.rooms(self._model, self._close_and_go_to))

    def _close_and_go_to(self, buffer: Buffer) -> None:
        self._close()
        self.go_to(buffer)

    # ── people and rooms ───────────────────────────────────────────────────────────────────

    def _people(self) -> None:
        buffer = self._model.current
        if buffer.kind == "person":
            self.show_person(buffer.name)
            return
        self._open(lists.people(self._model, self.show_person))

    def show_person(self, nick: str) -> None:
        """What can be done with them."""
        ignored = self._model.is_ignored(nick)
        ignore = "do not ignore them any more" if ignored else "ignore: show nothing more of them"
        self._menu(
            nick,
            ("talk in private", lambda: self.go_to(self._model.open(nick))),
            ("write to them here", lambda: self.editor.insert(f"{nick}: ")),
            ("ask who that is", lambda: self._run(f"/whois {nick}")),
            (ignore, lambda: self._ignore(nick, on=not ignored)),
        )

    def _ignore(self, nick: str, *, on: bool) -> None:
        self._model.ignore(nick, on)
        self.hint = f"{nick} is ignored" if on else f"{nick} is not ignored any more"

    def _run(self, command: str) -> None:
        self._model.ask(self._now())
        self._ask([requests.SlashCommand(command, self._model.current.target)])

    def _room_menu(self) -> None:
        self.show_room_menu()

    def show_room_menu(self) -> None:
        """What can be done with the room, or the conversation."""
        buffer = self._model.current
        empty = ("empty this page; PageUp loads it again", lambda: self._model.clear(buffer))
        close = "close, and leave the room" if buffer.kind == "room" else "close"
        topic = ("set the topic", lambda: self.editor.set(f"/topic {buffer.topic}"))
        person = ("what else to do with them", lambda: self.show_person(buffer.name))
        more = {"room": [topic], "person": [person], "server": []}[buffer.kind]
        first = [] if buffer.kind == "server" else [(close, lambda: self._leave_room(buffer))]
        self._menu(buffer.name, *first, *more, empty)

    def _leave_room(self, buffer: Buffer) -> None:
        self._ask(self._model.close(buffer, self._now()))
        self.follow()

    def _menu(self, title: str, *rows: tuple[str, Callable[[], object]]) -> None:
        self._open(lists.menu(title, *((text, self._closing(act)) for text, act in rows)))

    def _closing(self, act: Callable[[], object]) -> Callable[[], None]:
        def close_and_act() -> None:
            self._close()
            act()

        return close_and_act

    def _choose_up(self) -> None:
        self.move_choice(-1)

    def _choose_down(self) -> None:
        self.move_choice(1)

    def _choose_page_up(self) -> None:
        self.move_choice(-_PAGE)

    def _choose_page_down(self) -> None:
        self.move_choice(_PAGE)

    def move_choice(self, rows: int) -> None:
        if self.choice is not None:
            self.choice.move(rows)

    def _take_chosen(self) -> None:
        if self.choice is not None:
            self.choice.take()

    def take(self, number: int) -> None:
        """That item of the list, if it is still there."""
        if self.choice is not None and number < len(self.choice.items):
            self.choice.chosen = number
            self.choice.take()
            self._keep_draft()


class _Completion:
    """A word that is being completed: its candidates, one after the other, and then itself."""

    def __init__(self, editor: Editor, model: Model) -> None:
        text, self._end = editor.text, editor.cursor
        self._begin = max(text.rfind(blank, 0, self._end) for blank in " \n") + 1
        word = text[self._begin : self._end]
        self._candidates = [*model.complete(text, self._end), word]
        self._chosen = -1

    def put(self, editor: Editor, step: int) -> str:
        """Put the next one in; returns what there is to say about it."""
        if len(self._candidates) == 1:
            return "nothing begins like that"
        start = -1 if step < 0 and self._chosen < 0 else self._chosen + step
        self._chosen = start % len(self._candidates)
        candidate = self._candidates[self._chosen]
        editor.replace(self._begin, self._end, candidate)
        self._end = self._begin + len(candidate)
        count = len(self._candidates) - 1  # the word itself is none
        place = f"{self._chosen + 1} of {count}" if count > 1 and self._chosen < count else ""
        note = candidate.note if isinstance(candidate, Candidate) else ""
        return "  ".join(filter(None, (note, place)))
