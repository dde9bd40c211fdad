"""Pages of what was said before, for somebody who scrolls back (ircv3.net, "chathistory").

As in ``catchup``, a PING follows each request, and with the PONG the page is there or never comes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trio_chat.protocols.client import Message, PageEnd
from trio_chat.protocols.irc.client.catchup import CatchUp

_PING = "page"  # and the number of the question


@dataclass
class _Page:
    target: str
    number: int
    open: bool = False  # whether it is coming
    count: int = 0


class Pages:
    """``send`` takes a command and its parameters. Questions are numbered in one row with those of
    ``catch_up``, for the server answers in order.
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
        if before:
            self._send("CHATHISTORY", "BEFORE", target, f"msgid={before}", most)
        else:
            self._send("CHATHISTORY", "LATEST", target, "*", most)
        self._send("PING", f"{_PING}{number}")

    def expects(self, target: str) -> bool:
        """A page of it comes. Returns whether it is for who scrolls back; then it is open."""
        page = self._next(target)
        if page is not None:
            page.open = True
        return page is not None

    def _next(self, target: str) -> _Page | None:
        """Of which the next answer about it is; none if that is about a gap."""
        gap = self._catch_up.expected(target)
        pages = (p for p in self._asked if self._same(p.target, target) and not p.open)
        page = next(pages, None)
        return page if page and (not gap or page.number < gap) else None

    def _open(self, target: str) -> _Page | None:
        pages = (p for p in self._asked if p.open and self._same(p.target, target))
        return next(pages, None)

    def asked_for(self, target: str) -> bool:
        """Whether what comes of it now is for who scrolls back."""
        return self._open(target) is not None

    def came(self, target: str) -> None:
        """One more message of it."""
        if page := self._open(target):
            page.count += 1

    def over(self, target: str) -> Sequence[Message]:
        """The page has come. An empty one tells that there is nothing before it; one that is not
        full may only have been cut short by the server.
        """
        page = self._open(target)
        return self._end(page, complete=not page.count) if page else ()

    def failed(self, about: Sequence[str]) -> Sequence[Message]:
        """The server refuses what was asked about one of these."""
        pages = [page for name in about if (page := self._next(name))]
        return self._end(pages[0], complete=True) if pages else ()

    def ponged(self, token: str) -> Sequence[Message]:
        """If it is the answer to a PING of ours, there is no page but what has come."""
        for page in self._asked:
            if token == f"{_PING}{page.number}":
                return self._end(page, complete=False)
        return ()

    def _end(self, page: _Page, *, complete: bool) -> Sequence[Message]:
        self._asked.remove(page)
        return [PageEnd(page.target, page.count, complete)]
