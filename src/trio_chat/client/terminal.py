"""A terminal: what is typed stays in one piece at the bottom while messages come in above it.

prompt_toolkit does that. It has a loop of its own, so it runs in a thread; messages go through its
output, which takes the prompt away, prints, and puts the prompt back.
"""

import threading
from collections.abc import Callable

import trio
from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import StdoutProxy

from trio_chat.protocols.plain.client import Message

# How long the prompt stays untouched between two prints, so that a busy room does not make it
# flicker. Nobody notices a message that comes this much later.
_BREATH = 0.05  # seconds


class Terminal:
    """``text`` makes what is printed of a message."""

    def __init__(self, text: Callable[[Message], str]) -> None:
        self._text = text
        self._session: PromptSession[str] = PromptSession(erase_when_done=True)
        self._output = StdoutProxy(sleep_between_writes=_BREATH, raw=True)

    async def read(self, lines: trio.MemorySendChannel[str]) -> None:
        """Hand on each line that is typed; close the channel at Ctrl-D.

        Raises KeyboardInterrupt at Ctrl-C. The terminal is as it was when this returns.
        """
        with lines:
            while (line := await self._ask()) is not None:
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

    async def _ask(self) -> str | None:
        done = threading.Event()

        def ask() -> str | None:
            try:
                return self._session.prompt("> ")
            except EOFError:
                return None
            finally:
                done.set()

        try:
            return await trio.to_thread.run_sync(ask, abandon_on_cancel=True)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):  # short: the prompt ends as soon as it is told to
                self._end_prompt()
                await trio.to_thread.run_sync(done.wait)
            raise

    def _end_prompt(self) -> None:
        app = self._session.app
        if app.loop is not None:
            app.loop.call_soon_threadsafe(lambda: app.is_running and app.exit(exception=EOFError))
