"""Textual and trio in one thread: Textual's loop is the host, trio is its guest.

Three rules keep the two loops apart:

- trio calls the screen by ``post_message`` only, and the screen trio only by what never waits:
  ``send_nowait``, ``receive_nowait``, ``Event.set``, ``CancelScope.cancel``;
- the channel between them is bounded. A message that arrives wakes the screen once; the screen
  takes what there is, a frame at a time, and then lets itself be woken again;
- a guest that is not stopped loses its ``finally`` blocks. So the screen never ends before it.

All of Textual's private names that we need are in this module: ``_driver`` and what turns its mouse
on and off, ``_fatal_error``, ``_exit_renderables``, the table of key sequences, how input is
decoded and parsed, and the thread that writes.
"""

import asyncio
import codecs
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

import outcome
import trio
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.app import App
from textual.drivers import linux_driver
from textual.drivers._writer_thread import WriterThread
from textual.message import Message as Wake
from textual.strip import Strip

from trio_chat.client import requests
from trio_chat.client.tui.pasting import Pastes
from trio_chat.errors import ChatError, ScreenFailed
from trio_chat.protocols.client import Message

#: What the guest does: it sends what it hears, and takes what it is asked for, until it has
#: nothing more to do. It closes both channels.
Network = Callable[
    [trio.MemorySendChannel[Message], trio.MemoryReceiveChannel[requests.Request]], Awaitable[None]
]

# Messages that have come and are not shown yet. Then the network waits, and TCP with it.
_HEARD = 1000

# What may be asked for at a time; more than the longest paste that a server lets pass at once.
_ASKED = 10_000

# Messages taken in one go: a frame's time is enough for them, so keys never wait for longer.
_BATCH = 500

# One repaint in this time, however much comes: 30 in a second look like motion.
FRAME = 0.033  # seconds

# For how long the network may say goodbye when the screen has to go: who ends us may have a shorter
# patience with us than any server.
_GOODBYE = 1.0  # seconds


class Arrived(Wake):
    """There are messages again."""


class Guest:
    """trio, running ``network`` in the host's thread until ``stop``.

    ``wake`` is called when messages have come after there were none; ``ended`` when it is over.
    """

    def __init__(
        self,
        network: Network,
        wake: Callable[[], object],
        ended: Callable[[], object],
    ) -> None:
        self._network, self._wake, self._ended = network, wake, ended
        self._asked, self._asked_of = trio.open_memory_channel[requests.Request](_ASKED)
        self._heard_by, self._heard = trio.open_memory_channel[Message](_HEARD)
        self._first: list[Message] = []  # what has woken the screen
        self._taken = trio.Event()
        self._scope = trio.CancelScope()
        self._done: asyncio.Future[outcome.Outcome[None]] = (
            asyncio.get_running_loop().create_future()
        )
        self._start()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        trio.lowlevel.start_guest_run(
            self._run,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            run_sync_soon_not_threadsafe=loop.call_soon,
            done_callback=self._on_done,
            host_uses_signal_set_wakeup_fd=True,  # asyncio does; without this signals get lost
        )

    async def _run(self) -> None:
        with self._scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._wake_again)
                await self._network(self._heard_by, self._asked_of)

    async def _wake_again(self) -> None:
        """Wake the screen once for all that is there when it comes to take it."""
        async for message in self._heard:
            self._first.append(message)
            self._taken = trio.Event()
            self._wake()
            await self._taken.wait()

    def _on_done(self, result: outcome.Outcome[None]) -> None:
        self._done.set_result(result)
        self._ended()

    def take(self) -> list[Message]:
        """Whatever has come, up to a batch. Then the next message wakes again."""
        taken, self._first = self._first, []
        with suppress(trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
            while len(taken) < _BATCH:
                taken.append(self._heard.receive_nowait())
        self._taken.set()
        return taken

    def ask(self, request: requests.Request) -> bool:
        """Returns whether there was somebody to take it, and a place for it."""
        try:
            self._asked.send_nowait(request)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    @property
    def busy(self) -> bool:
        """Whether so much waits to be done that a paste might find no place."""
        return self._asked.statistics().current_buffer_used > _ASKED // 2

    @property
    def ended(self) -> bool:
        return self._done.done()

    async def stop(self, last: Sequence[requests.Request] = ()) -> outcome.Outcome[None]:
        """Let it do this first, if that does not take long; then cancel it and wait for its end,
        whatever happens to us meanwhile. Tells how it ended. What it has heard can still be taken.
        """
        if last and all(map(self.ask, last)):
            with suppress(asyncio.CancelledError):
                await asyncio.wait([self._done], timeout=_GOODBYE)
        self._scope.cancel("the screen is closed")
        while not self._done.done():
            with suppress(asyncio.CancelledError):
                await asyncio.shield(self._done)
        return self._done.result()


@dataclass(frozen=True)
class _AltKey:
    """As Textual's table of keys wants it."""

    value: str


def read_alt_keys() -> None:
    """Let Alt+1 be Alt+1.

    Textual takes Esc 1 for the ``¡`` of a Mac's Option key; other keys with Alt it knows only if
    nothing follows for a tenth of a second, and otherwise types a ``^``.
    """
    table = cast("dict[str, object]", ANSI_SEQUENCES_KEYS)
    table |= {f"\x1b{key}": (_AltKey(f"alt+{key}"),) for key in "0123456789adm"}
    table["\x1b\r"] = (_AltKey("alt+enter"),)


class _Decoder(codecs.getincrementaldecoder("utf-8")):  # type: ignore[misc]
    """Takes a byte that is no UTF-8 for an odd letter. Textual asks when there is something to be
    read: if that is nothing, the terminal has gone, and Textual would ask for ever.
    """

    def __init__(self) -> None:
        super().__init__(errors="replace")

    def decode(self, data: bytes, final: bool = False) -> str:
        if not data and not final:
            raise EOFError("the terminal has gone")
        return str(super().decode(data, final))


def read_forgivingly() -> None:
    """Either would end Textual's reading, or never end it, and with that the program."""
    vars(linux_driver)["getincrementaldecoder"] = lambda encoding: _Decoder


class Parser(XTermParser):
    """Takes what is pasted for text."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._pastes = Pastes()

    def feed(self, data: str) -> Iterator[Wake]:
        if not data or (data := self._pastes.feed(data, time.monotonic())):  # the end
            yield from super().feed(data)

    def tick(self) -> Iterator[Wake]:
        if data := self._pastes.tick(time.monotonic()):
            yield from super().feed(data)
        yield from super().tick()


def paste_text() -> None:
    vars(linux_driver)["XTermParser"] = Parser


class Writer(WriterThread):
    """Where there is no terminal any more, takes what is written all the same. Textual's own dies
    of it, and whoever writes then waits for a place in its queue for ever.
    """

    def run(self) -> None:
        try:
            super().run()
        except OSError:
            while self._queue.get() is not None:
                pass


def write_forgivingly() -> None:
    vars(linux_driver)["WriterThread"] = Writer


def cut_without_cycles() -> None:
    """A row that is not cut Textual keeps among its own pieces, a cycle for each row of each frame;
    to find them all takes up to 80 ms, in which no key is seen.
    """
    Strip.divide = _divided  # type: ignore[method-assign, assignment]


_divide = Strip.divide


def _divided(strip: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
    within = [cut for cut in cuts if cut <= strip.cell_length]
    return [strip] if within == [strip.cell_length] else _divide(strip, within)


def ask_the_terminal() -> None:
    """For its size: where these are exported they tell, once and for all, what it was before."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


class Host(App[None], inherit_bindings=False):
    """An app with a guest. What its parts do, ``on_arrived``, ``guest_ended``, ``last_wishes`` and
    ``miss``, is a subclass's.

    ``failed`` is the error that ended the app, ``result`` how the guest ended.
    """

    ENABLE_COMMAND_PALETTE = False

    guest: Guest | None = None
    code: int | None = None
    result: outcome.Outcome[None] | None = None
    failed: Exception | None = None

    def guest_ended(self) -> None:
        """The guest has ended, by itself or because it was told to."""
        self.close(0)

    def close(self, code: int) -> None:
        """Go now, with this exit code, unless we are going already."""
        if self.code is None:
            self.code = code
            self.exit()

    async def on_unmount(self) -> None:
        """Comes after failures, too."""
        if self.guest is None:
            return
        last: Sequence[requests.Request] = ()
        try:
            last = self.last_wishes()
        finally:
            self.result = await self.guest.stop(last)
        while heard := self.guest.take():
            self.miss(heard)

    def last_wishes(self) -> Sequence[requests.Request]:
        """What the guest has still to do."""
        return ()

    def miss(self, messages: Sequence[Message]) -> None:
        """They came too late to be shown."""

    def write_to_terminal(self, sequence: str) -> None:
        """Nothing but sequences of ours, with nothing but cleaned text in them."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def use_mouse(self, on: bool) -> None:
        """Let the terminal tell us of the mouse, or select by it itself."""
        driver = self._driver
        if isinstance(driver, linux_driver.LinuxDriver):
            driver._mouse = True  # without it, neither of the two does anything
            if on:
                driver._enable_mouse_support()
            else:
                driver._disable_mouse_support()

    def _handle_exception(self, error: Exception) -> None:
        if self.failed is None:
            self.failed = error
        super()._handle_exception(error)

    def panic(self, *renderables: object) -> None:
        """Textual's threads call this when they fail, as when the terminal has gone."""
        if self.failed is None:
            self.failed = OSError("the terminal cannot be read")
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Instead of printing everybody's messages, which are among the locals of each frame."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Nothing is printed by Textual: what went wrong is raised."""
        self._exit_renderables.clear()


def run(app: Host, *, mouse: bool = False) -> int:
    """Show the app until it ends; returns the exit code. The terminal is as it was by then.

    Raises what the guest raised if that is for people, and ScreenFailed for every other error.
    """
    read_alt_keys()
    read_forgivingly()
    paste_text()
    write_forgivingly()
    cut_without_cycles()
    ask_the_terminal()
    asyncio.run(_show(app, mouse=mouse))
    if app.failed is not None:
        raise ScreenFailed.of(app.failed) from app.failed
    if app.result is not None:
        _raise_for_people(app.result)
    return app.code or 0


async def _show(app: Host, *, mouse: bool) -> None:
    """The first signal leaves, the second one does what it does without us. But a window that is
    closed hangs up more than once, for the kernel does so and the shell, too: that must not end us
    while we say goodbye, nor while what there is to remember is written, when the loop is closed.
    """
    loop = asyncio.get_running_loop()

    def leave(number: signal.Signals) -> None:
        loop.remove_signal_handler(number)
        signal.signal(number, signal.SIG_DFL)
        app.close(128 + number)

    def hang_up(number: int, frame: object) -> None:
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(app.close, 128 + number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, leave, number)
    signal.signal(signal.SIGHUP, hang_up)
    await app.run_async(mouse=mouse)


def _raise_for_people(result: outcome.Outcome[None]) -> None:
    try:
        result.unwrap()
    except* ChatError:
        raise
    except* Exception as group:
        raise ScreenFailed.of(group) from group
