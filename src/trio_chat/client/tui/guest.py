"""Textual and trio in one thread: Textual's loop is the host, trio is its guest.

Three rules keep the two loops apart:

- trio calls the screen only by ``post_message``, the screen calls trio only by what never waits:
  ``send_nowait``, ``receive_nowait``, ``Event.set``, ``CancelScope.cancel``;
- the channel between them is bounded. The first message wakes the screen, which takes what there
  is, a frame at a time, and can then be woken again;
- a guest that is not stopped loses its ``finally`` blocks, so the screen never ends before it.

All of Textual's private names that we use are in this module: ``_driver`` and its mouse support,
``_fatal_error``, ``_exit_renderables``, the table of key sequences, the decoder and parser of
input, the driver, and the thread that writes.
"""

import asyncio
import codecs
import fcntl
import os
import signal
import struct
import termios
import threading
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

# Messages that may wait to be shown; beyond that the network waits, and TCP with it.
_HEARD = 1000

# What may be asked for at a time; more than the longest paste that a server lets pass at once.
_ASKED = 10_000

# Seconds between two looks whether the screen has gone before it took a key.
_LOOK = 0.1

# Messages taken at a time: they fit into a frame, so keys never wait longer.
_BATCH = 500

#: Seconds between repaints, however much arrives: 30 a second look like motion.
FRAME = 0.033

# Seconds that the network has for saying goodbye when the screen must close: whoever closes it may
# not wait as long as a server would.
_GOODBYE = 1.0


class Arrived(Wake):
    """Messages have arrived."""


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
        self._first: list[Message] = []  # the message that woke the screen
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
        """Wake the screen once for everything that is there by the time it takes messages."""
        async for message in self._heard:
            self._first.append(message)
            self._taken = trio.Event()
            self._wake()
            await self._taken.wait()

    def _on_done(self, result: outcome.Outcome[None]) -> None:
        self._done.set_result(result)
        self._ended()

    def take(self) -> list[Message]:
        """Take what has arrived, up to a batch; the next message wakes again."""
        taken, self._first = self._first, []
        with suppress(trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
            while len(taken) < _BATCH:
                taken.append(self._heard.receive_nowait())
        self._taken.set()
        return taken

    def ask(self, request: requests.Request) -> bool:
        """Ask for something; returns whether that was possible."""
        try:
            self._asked.send_nowait(request)
        except (trio.WouldBlock, trio.BrokenResourceError, trio.ClosedResourceError):
            return False
        return True

    @property
    def busy(self) -> bool:
        """Whether so much is waiting that a paste might not fit."""
        return self._asked.statistics().current_buffer_used > _ASKED // 2

    @property
    def ended(self) -> bool:
        return self._done.done()

    async def stop(self, last: Sequence[requests.Request] = ()) -> outcome.Outcome[None]:
        """Let it do the ``last`` requests, if that does not take long; then cancel it and wait for
        its end, even if we are cancelled. Returns how it ended. Its messages can still be taken.
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
    """A key for Textual's table."""

    value: str


def read_alt_keys() -> None:
    """Make Alt+1 work, which Textual takes for the ``¡`` of a Mac's Option key. It recognises other
    Alt keys only if nothing follows for a tenth of a second, and else types a ``^``.
    """
    table = cast("dict[str, object]", ANSI_SEQUENCES_KEYS)
    table |= {f"\x1b{key}": (_AltKey(f"alt+{key}"),) for key in "0123456789adm"}
    table["\x1b\r"] = (_AltKey("alt+enter"),)


class _Decoder(codecs.getincrementaldecoder("utf-8")):  # type: ignore[misc]
    """Replaces bytes that are not UTF-8. Textual reads when there is something to read: if that is
    nothing, the terminal has gone, and Textual would read for ever.
    """

    def __init__(self) -> None:
        super().__init__(errors="replace")

    def decode(self, data: bytes, final: bool = False) -> str:
        if not data and not final:
            raise EOFError("the terminal has gone")
        return str(super().decode(data, final))


def read_forgivingly() -> None:
    """Keep Textual reading after invalid bytes, and end it with the terminal."""
    vars(linux_driver)["getincrementaldecoder"] = lambda encoding: _Decoder


class Parser(XTermParser):
    """Takes pasted bytes for text."""

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


class Driver(linux_driver.LinuxDriver):
    """Reads no key before there is a line that takes it: Textual would lose it.

    What was typed before the screen was there is in the terminal's queue, which has made newlines
    of Enter: they would pass for a key that begins another line.
    """

    def run_input_thread(self) -> None:
        ahead = _waiting(self.fileno).replace(b"\n", b"\r")
        takes_keys: threading.Event = getattr(self._app, "takes_keys")  # noqa: B009
        while not (self.exit_event.is_set() or takes_keys.wait(_LOOK)):
            pass
        for event in Parser().feed(ahead.decode(errors="replace")):
            self.process_message(event)
        super().run_input_thread()


def _waiting(terminal: int) -> bytes:
    """What waits to be read."""
    number = struct.unpack("i", fcntl.ioctl(terminal, termios.FIONREAD, bytes(4)))[0]
    return os.read(terminal, number) if number else b""


def paste_text() -> None:
    vars(linux_driver)["XTermParser"] = Parser


class Writer(WriterThread):
    """Discards output when the terminal has gone. Textual's own thread dies of that, and writers
    wait for its full queue for ever.
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
    """Avoid a reference cycle for each row of each frame, which Textual makes of uncut rows; to
    collect them takes up to 80 ms in which no key is handled.
    """
    Strip.divide = _divided  # type: ignore[method-assign, assignment]


_divide = Strip.divide


def _divided(strip: Strip, cuts: Iterable[int]) -> Sequence[Strip]:
    within = [cut for cut in cuts if cut <= strip.cell_length]
    return [strip] if within == [strip.cell_length] else _divide(strip, within)


def ask_the_terminal() -> None:
    """Ask for its size, instead of trusting exported variables that never change."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


class Host(App[None], inherit_bindings=False):
    """An app with a guest. A subclass has ``on_arrived``, ``last_wishes`` and ``miss``, and says
    when it ``takes_keys``.

    ``last_code`` is the exit code if the guest ends first, ``failed`` the error that ended the app,
    ``result`` how the guest ended.
    """

    ENABLE_COMMAND_PALETTE = False

    guest: Guest | None = None
    code: int | None = None
    last_code = 0
    result: outcome.Outcome[None] | None = None
    failed: Exception | None = None

    def __init__(self, *, ansi_color: bool | None = None) -> None:
        self.takes_keys = threading.Event()
        super().__init__(driver_class=Driver, ansi_color=ansi_color)

    def guest_ended(self) -> None:
        """Close, because the guest has ended."""
        self.close(self.last_code)

    def close(self, code: int) -> None:
        """Exit with this code, unless we are exiting already."""
        if self.code is None:
            self.code = code
            self.exit()

    async def on_unmount(self) -> None:
        """Stop the guest, also after a failure."""
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
        """The last requests for the guest."""
        return ()

    def miss(self, messages: Sequence[Message]) -> None:
        """Take messages that came too late to be shown."""

    def write_to_terminal(self, sequence: str) -> None:
        """Write a sequence of ours, in which all text is cleaned."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(sequence)

    def use_mouse(self, on: bool) -> None:
        """Let the terminal report the mouse to us, or use it for selecting text."""
        driver = self._driver
        if isinstance(driver, linux_driver.LinuxDriver):
            driver._mouse = True  # else neither call does anything
            if on:
                driver._enable_mouse_support()
            else:
                driver._disable_mouse_support()

    def _handle_exception(self, error: Exception) -> None:
        if self.failed is None:
            self.failed = error
        super()._handle_exception(error)

    def panic(self, *renderables: object) -> None:
        """End after a failure of Textual's threads, as when the terminal has gone."""
        if self.failed is None:
            self.failed = OSError("the terminal cannot be read")
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """End without a traceback, whose locals hold people's messages."""
        self._close_messages_no_wait()

    def _print_error_renderables(self) -> None:
        """Print nothing: the error is raised."""
        self._exit_renderables.clear()


def run(app: Host, *, mouse: bool = False) -> int:
    """Show the app until it ends, and restore the terminal; returns the exit code.

    Raises the guest's ChatError, and ScreenFailed for every other error.
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
    """Leave at the first signal; the second has its default effect. But a closing window sends
    SIGHUP more than once (the kernel and the shell do), which must not end us while we say goodbye,
    nor while the state is saved after the loop has closed.
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
