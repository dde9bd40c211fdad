"""The poller: wakes the tasks that read when their sockets have something for them.

trio could do that. But it asks the kernel anew for each wait, and wakes all who are ready in one
pass of its loop: when thousands hang up at once, nothing else runs for a tenth of a second. Here
sockets are registered once, edge-triggered (epoll(7)), and a pass wakes a bounded number of
readers. To wake one of many costs half as much, and one alone a third more.
"""

import select
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import trio

from trio_chat.server.transport import READ, SocketLink

#: The most readers that are woken in a pass: by itself that takes a millisecond.
READERS = 256


class Poller:
    """Watches sockets for the links over them, as long as it is ``run``."""

    def __init__(self, epoll: select.epoll) -> None:
        self._epoll = epoll
        self._links: list[PolledLink | None] = []  # by descriptor

    def watch(self, sock: socket.socket, link: "PolledLink") -> None:
        """Tell a link when its socket can be read, until ``forget``."""
        self._epoll.register(sock, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLET)
        missing = sock.fileno() + 1 - len(self._links)
        self._links += [None] * missing
        self._links[sock.fileno()] = link

    def forget(self, sock: socket.socket) -> None:
        """Forget a socket that is about to be closed. To close it would not do: a process that was
        forked at that moment has it, too, and then the kernel goes on telling of it.
        """
        self._epoll.unregister(sock)
        self._links[sock.fileno()] = None

    async def run(self) -> None:
        """Wake readers until this is cancelled."""
        last = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
        while True:
            await trio.lowlevel.wait_readable(self._epoll.fileno())
            for descriptor, events in self._epoll.poll(0, READERS):
                if link := self._links[descriptor]:
                    link.on_readable(is_last=bool(events & last))


class PolledLink(SocketLink):
    """A link whose reader is woken by a poller."""

    __slots__ = ("_has_ended", "_is_woken", "_on_end", "_poller", "_reader")

    def __init__(self, sock: socket.socket, peer: str, *, keepalive: float, poller: Poller) -> None:
        super().__init__(sock, peer, keepalive=keepalive)
        self._poller = poller
        self._reader: trio.lowlevel.Task | None = None
        self._is_woken = self._has_ended = False
        self._on_end: Callable[[], object] | None = None
        poller.watch(sock, self)

    def on_readable(self, *, is_last: bool) -> None:
        """The poller reports that there is something to read; ``is_last`` if nothing follows."""
        self._has_ended = self._has_ended or is_last
        self.wake()
        if is_last and self._on_end:
            self._on_end()

    def readable(self) -> Awaitable[None]:
        if self._is_woken:
            return trio.lowlevel.checkpoint()  # noqa: ASYNC105 - who reads awaits it
        self._reader = trio.lowlevel.current_task()
        self._reader.custom_sleep_data = self  # as long as it waits here
        return trio.lowlevel.wait_task_rescheduled(_stop_waiting)  # noqa: ASYNC105

    def wake(self) -> None:
        self._is_woken = True
        if self._reader is not None and self._reader.custom_sleep_data is self:
            trio.lowlevel.reschedule(self._reader)

    def receive_now(self) -> bytes | None:
        self._is_woken = False
        if (data := super().receive_now()) is not None:
            # More data brings another event; what was there already, and the end, do not.
            self._is_woken = self._has_ended or len(data) == READ
        return data

    def has_finished(self) -> bool:
        return self._has_ended

    def on_end(self, call: Callable[[], object] | None) -> None:
        self._on_end = call

    async def aclose(self) -> None:
        self._poller.forget(self._socket)
        await super().aclose()


def _stop_waiting(raise_cancel: Any) -> trio.lowlevel.Abort:
    return trio.lowlevel.Abort.SUCCEEDED


@contextmanager
def open_poller() -> Iterator[Poller | None]:
    """A poller, to be ``run`` as long as the context lasts; None where the system has no epoll."""
    if not hasattr(select, "epoll"):
        yield None
        return
    with select.epoll() as epoll:
        yield Poller(epoll)
