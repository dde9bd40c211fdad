"""How long trio's loop has been busy at a stretch: nobody else is served meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import trio


class LoopLag(trio.abc.Instrument):
    """The longest pass of the loop since it was asked last, once it is installed as an instrument.

    An instrument sees each pass; a task that looks at the clock would miss most of the short ones.
    """

    def __init__(self) -> None:
        self._began = perf_counter()
        self._longest = 0.0
        self._is_installed = False

    def after_io_wait(self, timeout: float) -> None:
        """A pass begins."""
        self._began = perf_counter()

    def before_io_wait(self, timeout: float) -> None:
        """It is over."""
        self._longest = max(self._longest, perf_counter() - self._began)

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Look at all passes as long as the context lasts."""
        self._is_installed = True
        trio.lowlevel.add_instrument(self)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(self)
            self._is_installed = False

    def take(self) -> float | None:
        """The longest in seconds, after which it begins anew; None if it is not installed."""
        longest, self._longest = self._longest, 0.0
        return longest if self._is_installed else None
