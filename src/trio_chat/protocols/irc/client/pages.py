"""Pages of history for scrolling back (ircv3.net, "chathistory").

As in ``catchup``, a PING follows each request: once the PONG is there, so is the page, or it never
comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trio_chat.protocols.client import Message, PageEnd
from trio_chat.protocols.irc.client.catchup import CatchUp

_PING = "page"  # and the number of the request


@dataclass
class _Page:
    target: str
    number: int
    open: bool = False  # whether it is coming
    count: int = 0


class Pages:
    """``send`` takes a command and its parameters. Requests share the numbers of ``catch_up``, as
    the server answers all of them in order.
    """

    def __init__(self, send: Callable[..., None], catch_up: CatchUp) -> None:
        self._send, self._catch_up = send, catch_up
        self._same = catch_up.names.same
        self._asked: list[_Page] = []

    def ask(self, target: str, before: str, limit: int) -> None:
        self._catch_up.numbered += 1
        number = self._catch_up.numbered
        self._asked.append(_Page(target, number))
        most = str(max(1, min(limit, self._catch_up.page)))
        since = ("BEFORE", target, f"msgid={before}") if before else ("LATEST", target, "*")
        self._send("CHATHISTORY", *since, most)
        self._send("PING", f"{_PING}{number}")

    def expects(self, target: str) -> bool:
        """Open the page that now begins, unless it fills a gap. Returns whether there is one."""
        page = self._next(target)
        if page is not None:
            page.open = True
        return page is not None

    def _next(self, target: str) -> _Page | None:
        """Return the page that the next answer is about; None if it is about a gap."""
        gap = self._catch_up.expected(target)
        page = self._first(target, is_open=False)
        return page if page and (not gap or page.number < gap) else None

    def _first(self, target: str, *, is_open: bool = True) -> _Page | None:
        same = (page for page in self._asked if self._same(page.target, target))
        return next((page for page in same if page.open == is_open), None)

    def asked_for(self, target: str) -> bool:
        """Whether a page of this history is open."""
        return self._first(target) is not None

    def came(self, target: str) -> None:
        """Count a message of the open page."""
        if page := self._first(target):
            page.count += 1

    def over(self, target: str) -> Sequence[Message]:
        """Handle the end of a page. Only an empty one means that there is nothing older, as the
        server may cut others short.
        """
        page = self._first(target)
        return self._end(page, complete=not page.count) if page else ()

    def failed(self, about: Sequence[str]) -> Sequence[Message]:
        """Handle a refusal that names one of these targets."""
        pages = [page for name in about if (page := self._next(name))]
        return self._end(pages[0], complete=True) if pages else ()

    def ponged(self, token: str) -> Sequence[Message]:
        """Handle a PONG. What has not come of its page by then never will."""
        for page in self._asked:
            if token == f"{_PING}{page.number}":
                return self._end(page, complete=False)
        return ()

    def _end(self, page: _Page, *, complete: bool) -> Sequence[Message]:
        self._asked.remove(page)
        return [PageEnd(page.target, page.count, complete)]
