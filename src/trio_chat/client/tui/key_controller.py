"""Does what each key means. Nothing is drawn here: after each key the app draws everything."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Protocol

from trio_chat.client import requests
from trio_chat.client.model import LINES_MAX, Buffer, Candidate, Line, Model, preview
from trio_chat.client.tui import lists
from trio_chat.client.tui.choice import Choice
from trio_chat.client.tui.editing import EDITING, Editor
from trio_chat.client.tui.keys import BOUND, CHOOSING, EVER, NUMBERS
from trio_chat.client.tui.log import MessageLog
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks
from trio_chat.protocols.clean import clean
from trio_chat.protocols.irc.info import IDENTITY, MISSED, REDACTION
from trio_chat.protocols.plain.modes import about
from trio_chat.protocols.slashes import MENTIONS_MAX

_MENTIONS = f"MENTIONS {MENTIONS_MAX}"

_INTERRUPTED = 130  # as a shell reports SIGINT


class Screen(Protocol):
    """The screen around the log. It is ``busy`` if nothing can be sent now."""

    @property
    def busy(self) -> bool: ...
    def toggle_rooms(self) -> None: ...
    def toggle_members(self) -> None: ...
    def toggle_mouse(self) -> None: ...
    def next_theme(self) -> None: ...
    def redraw(self) -> None: ...
    def copy_selection(self) -> bool: ...
    def copy_to_clipboard(self, text: str) -> None: ...
    def leave(self, words: str, code: int = 0) -> None: ...


class KeyController:
    """``choice`` is the list shown in place of the log, ``hint`` a remark on the last key."""

    def __init__(
        self,
        model: Model,
        log: MessageLog,
        screen: Screen,
        ask: Callable[[Sequence[requests.Request]], None],
        now: Callable[[], float],
    ) -> None:
        self._model, self.log, self.screen = model, log, screen
        self._ask, self._now = ask, now
        self.editor = Editor()
        self.choice: Choice | None = None
        self._calls: Choice | None = None  # the list of mentions, as it was opened last
        self.hint = ""
        self._room = model.current  # where what is being written belongs
        self._completion: _Completion | None = None
        self._interrupted = False
        self._take_draft()

    def press(self, key: str, character: str) -> None:
        """Do what a key means; ``character`` is what it writes, if anything."""
        before = self.editor.text
        interrupted, self._interrupted = self._interrupted, False
        self.hint = ""
        if key not in ("tab", "shift+tab"):
            self._completion = None
        if key == "ctrl+c":
            self.interrupt(again=interrupted)
        elif key in NUMBERS and self.choice is None:
            self._go_to_number(NUMBERS[key])
        elif bound := (BOUND if self.choice is None else CHOOSING | EVER).get(key):
            action, step = bound
            attrgetter(action)(self)(*([step] if step else []))
        elif edit := EDITING.get(key):
            edit(self.editor)
        elif character:
            self.editor.insert(character)
        self._written(before)

    def _written(self, before: str) -> None:
        """Keep what has been written, which outlives the program however that ends."""
        self._keep_draft()
        if self.editor.text == before:
            return
        if self.choice is not None:
            self.choice.look_for(self.editor.text)
        elif self.editor.text and not self.editor.text.startswith("/"):
            self._ask(self._model.typed(self._now()))

    def paste(self, text: str) -> None:
        """Insert a pasted text, without its final newline. Several lines are sent only by Enter."""
        lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
        if self.choice is not None:
            lines = [" ".join(lines)]
        before = self.editor.text
        self.editor.paste("\n".join(clean(line) for line in lines))
        self._written(before)

    @property
    def question(self) -> str:
        """Ask what to do with several lines; empty for one."""
        if "\n" not in self.editor.text:
            return ""
        count = self._lines_to_send
        if count > LINES_MAX:
            return f"{count:,} lines are too many (at most {LINES_MAX}); Esc discards them"
        return f"Enter sends {preview(self._model, self.editor.text)}, Esc discards"

    @property
    def _lines_to_send(self) -> int:
        """The number of lines that are not blank."""
        return sum(bool(line.strip()) for line in self.editor.text.split("\n"))

    # ── sending ────────────────────────────────────────────────────────────────────────────

    def send(self) -> None:
        text = self.editor.text
        if not text.strip():
            return
        if self.screen.busy:  # the text stays in the line
            self.hint = "too much is waiting to be sent; try again"
            return
        if self._lines_to_send > LINES_MAX:
            return
        if self._model.is_for_nobody(text):
            self.hint = "nobody can read that here; /join ROOM enters a room"
            return
        self.editor.set("")
        command, _, words = text.strip().partition(" ")
        if command == "/help":
            self.help(words)
            return
        self.log.to_end()
        self._do(self._model.enter(text, self._now()))
        self.follow()

    def _do(self, asked: Sequence[requests.Request]) -> None:
        self._ask([request for request in asked if not isinstance(request, requests.Leave)])
        for request in asked:
            if isinstance(request, requests.Leave):
                self.screen.leave(request.why)

    def resend(self) -> None:
        """Send the last failed message again."""
        failed = [line for line in self._model.current.lines if line.state == "failed"]
        if failed:
            self._ask(self._model.resend(failed[-1]))
        else:
            self.hint = "nothing has failed here"

    def before(self) -> None:
        if not self.editor.up():
            self.editor.set(self._model.before(self.editor.text))

    def after(self) -> None:
        if not self.editor.down():
            self.editor.set(self._model.after(self.editor.text))

    def complete(self, step: int) -> None:
        """Put in the next or the previous candidate for the word before the cursor."""
        if self._completion is None:
            self._completion = _Completion(self.editor, self._model)
        self.hint = self._completion.put(self.editor, step)

    # ── leaving ────────────────────────────────────────────────────────────────────────────

    def interrupt(self, *, again: bool) -> None:
        if self.screen.copy_selection():
            self.hint = "copied"
        elif self.choice is not None:
            self.close()
        elif self.editor.text:
            self.editor.set("")
        elif again:
            self.screen.leave("", _INTERRUPTED)
        else:
            self._interrupted = True
            self.hint = "press Ctrl+C again to quit"

    def end_of_input(self) -> None:
        if self.editor.text:
            self.editor.delete()
        else:
            self.screen.leave("")

    # ── other rooms ────────────────────────────────────────────────────────────────────────

    def go_to(self, buffer: Buffer) -> None:
        if buffer is not self._model.current:
            self._ask(self._model.select(buffer, self._now()))
            self.follow()

    def follow(self) -> None:
        """Change to the current room's draft, whatever made it current, so that nothing is said in
        the wrong room. What was begun before there was a room goes along.
        """
        room = self._model.current
        if room is self._room:
            return
        if self.choice is not None:
            self.close()
        self._keep_draft()
        left = self._room
        if left.kind == "server" and not room.draft[0]:
            room.draft, left.draft = left.draft, ("", 0)
            self.hint = ""  # it was about the line that has gone
        self._room = room
        self._take_draft()

    def _keep_draft(self) -> None:
        """Keep the line, unless a list is open: then it holds what to search for."""
        if self.choice is None:
            self._room.draft = self.editor.text, self.editor.cursor

    def _take_draft(self) -> None:
        self.editor.set(*self._room.draft)

    def _go_to_number(self, number: int) -> None:
        if number <= len(self._model.buffers):
            self.go_to(self._model.buffers[number - 1])

    def go_by(self, step: int) -> None:
        self.go_to(self._around()[step % len(self._model.buffers)])

    def _around(self) -> list[Buffer]:
        """All buffers, the current one first."""
        buffers = list(self._model.buffers)
        place = buffers.index(self._model.current)
        return buffers[place:] + buffers[:place]

    def next_news(self) -> None:
        """Go where we are mentioned, or else where anything is unread."""
        others = self._around()[1:]
        news = [b for b in others if b.mentions] or [b for b in others if b.unread]
        if news:
            self.go_to(news[0])
        else:
            self.hint = "nothing is unread"

    # ── the log ────────────────────────────────────────────────────────────────────────────

    def to_top(self) -> None:
        """Go to the start of the line, or of the log if the line is empty."""
        if self.editor.text:
            self.editor.home()
        else:
            self.log.to_top()

    def to_end(self) -> None:
        if self.editor.text:
            self.editor.end()
        else:
            self.log.to_end()

    # ── lists in its place ─────────────────────────────────────────────────────────────────

    def _open(self, choice: Choice) -> None:
        """Open a list, which takes over the line until it is closed; one may lead to another."""
        self._keep_draft()
        self.editor.set("")
        self.choice = choice

    def close(self) -> None:
        if self.choice is None:
            self.editor.drop_paste()
            return
        self.choice = None
        self._take_draft()

    def help(self, words: str = "") -> None:
        self._open(lists.the_help(self._model))
        if words:
            self.paste(words)

    def search(self) -> None:
        self._open(lists.found_lines(self._model, self._show_line))

    def mentions(self) -> None:
        """Show what mentions us; the server may know what we have not been shown here."""
        self._open(lists.calls(self._model, self._show_line))
        self._calls = self.choice
        if MISSED in self._model.caps:
            self._ask([requests.Raw(_MENTIONS)])

    def more_mentions(self) -> None:
        """Show also what the server knows, with the same one chosen, if the list is still open."""
        if (before := self._calls) is not None and self.choice is before:
            self.choice = self._calls = lists.calls(self._model, self._show_line)
            self._calls.move(before.chosen - len(before.items) + 1)

    def _show_line(self, line: Line) -> None:
        self.close()
        if buffer := self._model.where(line):
            self.go_to(buffer)
            self.log.show_line(line)
        elif line.place and (buffer := self._model.find(line.place)):
            self.go_to(buffer)
            self.hint = "PageUp loads what was said before"

    def copy_message(self) -> None:
        self._open(lists.messages(self._model, self._copy))

    def remove_message(self) -> None:
        """Choose a message to remove, or one of somebody else's to report."""
        if REDACTION not in self._model.caps:
            self.hint = "messages cannot be removed here"
            return
        self._open(lists.removable(self._model, self._ask_what_to_do))

    def _ask_what_to_do(self, line: Line) -> None:
        remove = partial(self._write_about, line, "remove", "removes")
        report = partial(self._write_about, line, "report", "shows the operators")
        if line.own or IDENTITY not in self._model.caps:
            self._closing(remove)()
        else:
            rows = [("remove it", remove)] if self._leads else []
            self._menu(f"What {line.nick} said", *rows, ("report it to the operators", report))

    def _write_about(self, line: Line, command: str, does: str) -> None:
        """Begin a command about a message; the reason may follow."""
        self.editor.set(f"/{command} {line.id} ")
        self.hint = f"Enter {does} what {line.nick} said; you may write why"

    def copy_link(self) -> None:
        self._open(lists.links(self._model, self._copy))

    def _copy(self, text: str) -> None:
        self.close()
        self.screen.copy_to_clipboard(text)
        self.hint = "copied"

    def go_by_name(self) -> None:
        self._open(lists.rooms(self._model, self._close_and_go_to))

    def _close_and_go_to(self, buffer: Buffer) -> None:
        self.close()
        self.go_to(buffer)

    # ── people and rooms ───────────────────────────────────────────────────────────────────

    def people(self) -> None:
        buffer = self._model.current
        if buffer.kind == "person":
            self.show_person(buffer.name)
            return
        self._open(lists.people(self._model, self.show_person))

    def show_person(self, nick: str) -> None:
        """Offer what can be done with a person."""
        ignored = self._model.is_ignored(nick)
        ignore = "stop ignoring" if ignored else "ignore: hide everything they say and do"
        self._menu(
            nick,
            ("message in private", lambda: self.go_to(self._model.open(nick))),
            ("mention here", lambda: self.editor.insert(f"{nick}: ")),
            ("see who it is", lambda: self._run(f"/whois {nick}")),
            (ignore, lambda: self._ignore(nick, on=not ignored)),
            *self._against(nick),
        )

    def _against(self, nick: str) -> Iterator[tuple[str, Callable[[], object]]]:
        """What an operator of the room can do about somebody; the rest of the line is theirs."""
        if self._leads and nick != self._model.nick:
            yield "mute here, for so long", lambda: self.editor.set(f"/mute {nick} 1h ")
            yield "ban from here, for so long", lambda: self.editor.set(f"/ban {nick} 1d ")

    @property
    def _leads(self) -> bool:
        """Whether the person is an operator of the room that is shown, or of its server."""
        room = self._model.current
        member = room.members.get(self._model.nick) if room.kind == "room" else None
        may_all = self._model.rules and IDENTITY in self._model.caps and room.kind == "room"
        return may_all or bool(member and "@" in member.prefixes)

    def show_bans(self, bans: Masks) -> None:
        """Show who is banned from a room or the server; unless another list is being read."""
        if self.choice is None:
            self._open(lists.bans(bans, partial(self._ask_to_lift, bans.room)))

    def _ask_to_lift(self, room: str, ban: Mask) -> None:
        undo = f"/unban {room}" if room else "/uban del"
        command = f"{undo} {ban.number or ban.mask}"
        lift = (f"lift the {clean(about(ban.mask, ban.whom))}", lambda: self._run(command))
        self._menu(lists.bans_of(room), ("leave it as it is", lambda: None), lift)

    def _ignore(self, nick: str, *, on: bool) -> None:
        self._model.ignore(nick, on)
        self.hint = f"{nick} is ignored" if on else f"{nick} is no longer ignored"

    def _run(self, command: str) -> None:
        self._model.ask(self._now())
        self._ask([requests.SlashCommand(command, self._model.current.target)])

    def show_room_menu(self) -> None:
        """Offer what can be done with the room or conversation."""
        buffer = self._model.current
        empty = ("clear this page (PageUp loads it again)", lambda: self._model.clear(buffer))
        close = "close and leave the room" if buffer.kind == "room" else "close"
        topic = ("set the topic", lambda: self.editor.set(f"/topic {buffer.topic}"))
        bans = ("see who is banned", lambda: self._run("/bans"))
        person = ("more about this person", lambda: self.show_person(buffer.name))
        more = {"room": [topic, bans], "person": [person], "server": []}[buffer.kind]
        first = [] if buffer.kind == "server" else [(close, lambda: self._leave_room(buffer))]
        self._menu(buffer.name, *first, *more, empty)

    def _leave_room(self, buffer: Buffer) -> None:
        self._ask(self._model.close(buffer, self._now()))
        self.follow()

    def _menu(self, title: str, *rows: tuple[str, Callable[[], object]]) -> None:
        self._open(lists.menu(title, *((text, self._closing(act)) for text, act in rows)))

    def _closing(self, act: Callable[[], object]) -> Callable[[], None]:
        def close_and_act() -> None:
            self.close()
            act()

        return close_and_act

    def move_choice(self, rows: int) -> None:
        if self.choice is not None:
            self.choice.move(rows)

    def take_chosen(self) -> None:
        if self.choice is not None:
            self.choice.take()

    def take(self, number: int) -> None:
        """Choose this item of the list, if it is still there."""
        if self.choice is not None and number < len(self.choice.items):
            self.choice.chosen = number
            self.choice.take()
            self._keep_draft()


class _Completion:
    """A word that is being completed: its candidates in turn, and then the word itself."""

    def __init__(self, editor: Editor, model: Model) -> None:
        text, self._end = editor.text, editor.cursor
        self._begin = max(text.rfind(blank, 0, self._end) for blank in " \n") + 1
        word = text[self._begin : self._end]
        self._candidates = [*model.complete(text, self._end), word]
        self._chosen = -1

    def put(self, editor: Editor, step: int) -> str:
        """Put in the next candidate; returns a remark on it."""
        if len(self._candidates) == 1:
            return "no completions"
        start = -1 if step < 0 and self._chosen < 0 else self._chosen + step
        self._chosen = start % len(self._candidates)
        candidate = self._candidates[self._chosen]
        editor.replace(self._begin, self._end, candidate)
        self._end = self._begin + len(candidate)
        count = len(self._candidates) - 1  # without the word itself
        place = f"{self._chosen + 1} of {count}" if count > 1 and self._chosen < count else ""
        note = candidate.note if isinstance(candidate, Candidate) else ""
        return "  ".join(filter(None, (note, place)))
