"""A terminal: what is typed stays in one piece at the bottom while messages come in above it.

prompt_toolkit does that. It has a loop of its own, so it runs in a thread, one prompt from the
beginning to the end; messages go through its output, which takes the prompt away, prints, and
puts the prompt back.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

import trio
from prompt_toolkit import PromptSession
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.patch_stdout import StdoutProxy

from trio_chat.protocols.client import Message

# How long the prompt stays untouched between two prints, so that a busy room does not make it
# flicker. Nobody notices a message that comes this much later.
_BREATH = 0.05  # seconds

# Lines that have been typed or pasted and not been sent yet. When there are more, Enter waits.
_TYPED = 10_000


class Terminal:
    """``text`` makes what is printed of a message."""

    def __init__(self, text: Callable[[Message], str]) -> None:
        self._text = text
        self._typed, self._typed_lines = trio.open_memory_channel[str](_TYPED)
        self._ending = False
        keys = KeyBindings()
        keys.add("enter")(self._on_enter)
        keys.add("c-j")(self._on_enter)  # what Enter was before the prompt took the terminal
        self._prompt: PromptSession[str] = PromptSession("> ", key_bindings=keys)
        self._output = StdoutProxy(sleep_between_writes=_BREATH, raw=True)

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        """Hand on each line that is typed; close the channel at Ctrl-D.

        Raises KeyboardInterrupt at Ctrl-C. The terminal is as it was when this returns.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._hand_on, lines)
            try:
                await self._show_prompt()
            finally:
                self._typed.close()

    async def _hand_on(self, lines: trio.MemorySendChannel[str]) -> None:
        with lines:
            async for line in self._typed_lines:
                await lines.send(line)

    async def write(self, messages: trio.MemoryReceiveChannel[Message]) -> None:
        """Print messages until their channel is closed."""
        try:
            with messages:
                async for message in messages:
                    self._output.write(self._text(message) + "\n")
        finally:
            with trio.CancelScope(shield=True):  # short: it prints what is left and ends its thread
                await trio.to_thread.run_sync(self._output.close)

    async def _show_prompt(self) -> None:
        done = threading.Event()

        def prompt() -> None:
            try:
                self._prompt.prompt(pre_run=self._exit_if_ending)
            except EOFError:
                pass
            finally:
                done.set()

        try:
            await trio.to_thread.run_sync(prompt, abandon_on_cancel=True)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):  # short: the prompt ends as soon as it is told to
                self._end_prompt()
                await trio.to_thread.run_sync(done.wait)
            raise

    def _on_enter(self, event: KeyPressEvent) -> None:
        """In the prompt's thread. The line stays where it is if there is no place for it."""
        buffer = event.current_buffer
        if trio.from_thread.run_sync(self._take, buffer.text):
            buffer.reset(append_to_history=True)
            buffer.load_history_if_not_yet_loaded()

    def _take(self, line: str) -> bool:
        try:
            self._typed.send_nowait(line)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    def _end_prompt(self) -> None:
        """In any thread, and whether the prompt has begun yet or not."""
        self._ending = True
        if (loop := self._prompt.app.loop) is not None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(self._exit_if_ending)

    def _exit_if_ending(self) -> None:
        """In the prompt's thread."""
        future = self._prompt.app.future
        if self._ending and future is not None and not future.done():
            future.set_exception(EOFError)
