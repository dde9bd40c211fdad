"""The collector of garbage in the process of a server.

Python's collector looks for circles of objects that nothing else refers to, among all that live. A
server keeps a hundred objects for each connection: to look at all of them again and again takes a
fifth of its time while people come, and holds everybody up for a third of a second at ten thousand,
for three at a hundred thousand. Connections leave no circles, so what is once found alive need not
be looked at again: it goes when nothing refers to it. A circle that breaks off later stays; there
is one now and then, for instance when the settings are read again.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# New objects before the collector looks at them, how often it then looks at those of the last time
# as well, and how often at all it has not yet frozen: about 50,000, in 10 ms.
_THRESHOLDS = 10_000, 1, 1
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
