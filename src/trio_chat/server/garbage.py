"""Garbage collection in a server's process.

Python's collector looks for cycles among all objects that live. A server has a hundred of them for
each connection. Looking at all of them again and again takes a fifth of its time while people come,
and holds everybody up for a third of a second at 10,000 connections, for three at 100,000.
Connections leave no cycles, so an object that was found alive once need not be looked at again: it
goes when nothing refers to it. A cycle that is left later stays in memory. There are few, for
instance when the settings are read again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# The new objects after which the collector looks at them; and after how many such looks it also
# looks at those of the last time, and at all that is not frozen yet: about 25,000, in 5 ms.
_THRESHOLDS = 5_000, 1, 1
_OLDEST = 2


@contextmanager
def looking_once() -> Iterator[None]:
    """Let the collector look at each object once, as long as this lasts."""
    before = gc.get_threshold()
    gc.set_threshold(*_THRESHOLDS)
    gc.callbacks.append(_freeze)
    gc.freeze()
    gc.collect()  # finds nothing; the next time is put off in proportion to what it has found
    try:
        yield
    finally:
        gc.callbacks.remove(_freeze)
        gc.set_threshold(*before)
        gc.unfreeze()


def _freeze(phase: str, info: dict[str, int]) -> None:
    if phase == "stop" and info["generation"] == _OLDEST:
        gc.freeze()


def look_now() -> None:
    """Look at the new objects, if each is looked at once.

    While many old ones go, the collector does not notice how many have come: in the end it would
    look at a hundred thousand of them in one go.
    """
    if _freeze in gc.callbacks:
        gc.collect(0)
        gc.freeze()
