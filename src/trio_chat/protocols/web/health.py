"""Requests of those who run the server: whether it lives, whether it is ready for people, and its
figures.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from websockets.http11 import Request

from trio_chat.protocols import http
from trio_chat.protocols.forwarded import may_be_request
from trio_chat.protocols.metrics import CONTENT_TYPE
from trio_chat.protocols.web.requests import BadRequest, read_request, refusal, take_head

#: What is answered if all is well.
OK = "ok"

_REQUEST_MAX = 4096  # bytes

_ALLOWED = {"Allow": "GET, HEAD"}
_FRESH = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class HealthSite:
    """The pages for those who run the server. ``ready`` gives OK, or in a word why nobody should be
    sent to it; ``metrics`` a text of figures.
    """

    ready: Callable[[], str]
    metrics: Callable[[], bytes]

    def answer(self, data: bytes) -> bytes | None:
        """The response to a request of which this has come; None if that is not all of it."""
        try:
            if not may_be_request(data):
                why = "Only GET and HEAD are answered here."
                raise BadRequest(HTTPStatus.METHOD_NOT_ALLOWED, why, _ALLOWED)
            if (found := take_head(data, _REQUEST_MAX)) is None:
                return None
            return self._page(read_request(found[0]))
        except BadRequest as bad:
            return refusal(bad).data

    def _page(self, request: Request) -> bytes:
        status, type, body = HTTPStatus.OK, http.TEXT, f"{OK}\n".encode()
        match request.path.partition("?")[0]:
            case "/healthz":
                pass
            case "/readyz":
                if (told := self.ready()) != OK:
                    status, body = HTTPStatus.SERVICE_UNAVAILABLE, f"{told}\n".encode()
            case "/metrics":
                type, body = CONTENT_TYPE, self.metrics()
            case _:
                why = "There is no such page here, but /healthz, /readyz and /metrics."
                raise BadRequest(HTTPStatus.NOT_FOUND, why)
        head = http.last_head(status, type, len(body), _FRESH)
        return head if request.method == "HEAD" else head + body
