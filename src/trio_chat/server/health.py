"""Health checks and metrics, by HTTP at an address for those who run the server.

It is never the chat's own address: strangers shall not read this, and it has to answer while the
chat is full. It is opened before the store, and closed after it.

Nobody who can reach it can do harm: requests are short, have to come soon, and only so many are
answered at a time. If there is one more, the one that has taken longest makes room. So somebody who
connects and says nothing keeps nobody out.
"""

import logging
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

import trio

from trio_chat.protocols import http
from trio_chat.protocols.metrics import Value, render
from trio_chat.server.addresses import is_local
from trio_chat.server.listeners import Listener, accept_all, open_listeners
from trio_chat.server.loop_lag import LoopLag
from trio_chat.server.metrics import METRICS, of_process
from trio_chat.server.transport import Link
from trio_chat.settings.places import Address

if TYPE_CHECKING:
    from trio_chat.protocols.web.health import HealthSite

logger = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds for a request and its answer
_AT_ONCE = 8  # requests

_TOO_SLOW = f"The request did not come within {_PATIENCE:g} seconds."
_TOO_MANY = f"More than {_AT_ONCE} have asked at once."


class Health:
    """Answers requests about a server, which sets ``ready`` and ``figures``: one gives ``ok``, or
    in a word why nobody should be sent there, the other the values of its figures.
    """

    def __init__(self) -> None:
        self.ready: Callable[[], str] = lambda: "starting"
        self.figures: Callable[[], Mapping[str, Value]] = dict
        self._lag = LoopLag()
        self._present: dict[trio.CancelScope, None] = {}  # who came first is first

    async def serve(self, listeners: Sequence[Listener]) -> None:
        """Answer all who connect there, until cancelled."""
        self._site()  # loaded now, while nobody waits
        with self._lag.installed():
            async with trio.open_nursery() as nursery:
                for listener in listeners:
                    nursery.start_soon(accept_all, listener, partial(self._take, nursery))

    def _take(self, nursery: trio.Nursery, link: Link) -> None:
        if len(self._present) >= _AT_ONCE:
            longest = next(iter(self._present))
            del self._present[longest]
            longest.cancel("too many ask at once")
        self._present[scope := _soon()] = None
        nursery.start_soon(self._handle, link, scope)

    async def _handle(self, link: Link, scope: trio.CancelScope) -> None:
        """Answer a request, and close the link. An error ends this one, and no other."""
        try:
            await self._answer(link, scope)
        except Exception:
            logger.exception("failed to answer a request", extra={"event": "failed"})
        finally:
            self._present.pop(scope, None)
            await link.aclose()

    async def answer(self, link: Link, first: bytes) -> None:
        """Answer one request, of which this has come already."""
        await self._answer(link, _soon(), first)

    async def _answer(self, link: Link, scope: trio.CancelScope, first: bytes = b"") -> None:
        """The same, as long as the scope allows; then a peer that has not asked is told why."""
        is_heard = False
        with suppress(trio.BrokenResourceError):
            with scope:
                response = await _heard(link, self._site(), first)
                is_heard = True
                await link.send_all(response)
                await link.finish()
            if not is_heard:
                _turn_away(link, is_late=scope.deadline <= trio.current_time())

    def _site(self) -> "HealthSite":
        # The library takes 60 ms to load, and many servers are asked by nobody.
        from trio_chat.protocols.web.health import HealthSite

        return HealthSite(lambda: self.ready(), self._metrics)

    def _metrics(self) -> bytes:
        lag = self._lag.take()
        looked = {} if lag is None else {"trio_chat_loop_lag_seconds": lag}
        return render(METRICS, {**of_process(), **looked, **self.figures()})


def _soon() -> trio.CancelScope:
    return trio.CancelScope(deadline=trio.current_time() + _PATIENCE)


async def _heard(link: Link, site: "HealthSite", data: bytes) -> bytes:
    """The response to what is asked over a link; nothing if its peer ends before."""
    while not data or (response := site.answer(data)) is None:
        if not (more := await link.receive()):
            return b""
        data += more
    return response


def _turn_away(link: Link, *, is_late: bool) -> None:
    """Tell a peer, if that takes no wait, that it has been too slow, or one of too many."""
    status = HTTPStatus.REQUEST_TIMEOUT if is_late else HTTPStatus.SERVICE_UNAVAILABLE
    with suppress(OSError):
        link.write_now(http.refusal(status, _TOO_SLOW if is_late else _TOO_MANY))


@asynccontextmanager
async def open_health(
    health: Health,
    addresses: Sequence[Address],
    *,
    keepalive: float,
    passed: Sequence[socket.socket] = (),
) -> AsyncIterator[None]:
    """Answer at these addresses, or with the sockets that were ``passed`` instead, as long as the
    context lasts. Raises CannotListen.
    """
    if not (addresses or passed):
        yield
        return
    failed = None
    async with open_listeners(
        addresses, None, keepalive=keepalive, passed=passed, setting="ops.listen"
    ) as listeners:
        for listener in listeners:
            _tell_of(listener.address)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(health.serve, listeners)
            try:
                yield
            except Exception as error:  # noqa: BLE001  (the nursery would make a group of it)
                failed = error
            nursery.cancel_scope.cancel("the server has ended")
    if failed:
        raise failed


def _tell_of(address: Address) -> None:
    logger.info(
        "answering GET /healthz, /readyz and /metrics at %s",
        address,
        extra={"event": "health-listening"},
    )
    if not is_local(address.host):
        logger.warning(
            "everybody who can reach %s can read its health and metrics (ops.listen)",
            address,
            extra={"event": "health-exposed"},
        )
