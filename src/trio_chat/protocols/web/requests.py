"""Requests of HTTP, and what becomes of those that are not answered as they wish."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from websockets.http11 import Request
from websockets.server import ServerProtocol

from trio_chat.protocols import http
from trio_chat.protocols.forwarded import HEAD_END, HEAD_MAX
from trio_chat.protocols.web.frames import logger


class BadRequest(Exception):
    """A request that is not answered as it wishes; the text tells people why."""

    def __init__(
        self, status: HTTPStatus, why: str, headers: Mapping[str, str] = http.NONE
    ) -> None:
        super().__init__(why)
        self.status, self.headers = status, headers


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes of a response. ``is_last`` says that the connection ends with it; with an upgrade
    it goes on in messages that begin with ``start``.
    """

    data: bytes
    is_last: bool = False
    is_refusal: bool = False
    start: int = 0


def refusal(bad: BadRequest) -> Answer:
    """A response that tells people why it is not what was asked for, and ends the connection."""
    data = http.refusal(bad.status, str(bad), bad.headers)
    return Answer(data, is_last=True, is_refusal=True)


def take_head(data: bytes, most: int = HEAD_MAX) -> tuple[bytes, bytes] | None:
    """The head of a request at the beginning of what has come, and the rest; None if it is not
    complete yet. Raises BadRequest if it has more than so many bytes.
    """
    data = data.lstrip(b"\r\n")
    end = data.find(HEAD_END, 0, most)
    if end >= 0:
        return data[: end + len(HEAD_END)], data[end + len(HEAD_END) :]
    if len(data) >= most:
        why = f"The head of the request is longer than {most} bytes."
        raise BadRequest(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why)
    return None


def read_request(head: bytes, protocol: ServerProtocol | None = None) -> Request:
    """The request of which this is the head; the ``protocol`` can upgrade it then. Raises
    BadRequest.
    """
    protocol = protocol or ServerProtocol(logger=logger)
    protocol.receive_data(head)
    for event in protocol.events_received():
        if isinstance(event, Request) and event.method in ("GET", "HEAD") and event.path[0] == "/":
            return event
    raise BadRequest(
        HTTPStatus.BAD_REQUEST, "Only GET and HEAD of a path, without a body, are answered here."
    )
