"""Helpers for memory channels: sending without a checkpoint, and taking all that is there."""

from collections.abc import Iterator
from contextlib import suppress
from typing import TypeVar

import trio

_T = TypeVar("_T")


async def put(channel: trio.MemorySendChannel[_T], item: _T) -> None:
    """Send an item, without a checkpoint if there is room."""
    try:
        channel.send_nowait(item)
    except trio.WouldBlock:
        await channel.send(item)


def waiting(channel: trio.MemoryReceiveChannel[_T]) -> Iterator[_T]:
    """Take all that is there."""
    with suppress(trio.WouldBlock, trio.EndOfChannel, trio.ClosedResourceError):
        while True:
            yield channel.receive_nowait()
