"""Responses of HTTP: their heads, and refusals in words for people."""

from collections.abc import Mapping
from http import HTTPStatus

#: No headers.
NONE: Mapping[str, str] = {}

#: The type of what people read.
TEXT = "text/plain; charset=utf-8"


def head(status: HTTPStatus, headers: Mapping[str, str]) -> bytes:
    """The head of a response, with the line that ends it."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def last_head(status: HTTPStatus, type: str, size: int, headers: Mapping[str, str] = NONE) -> bytes:
    """The head of a response with a body of this type and size, after which the connection ends."""
    own = {
        "Connection": "close",
        "Content-Type": type,
        "Content-Length": str(size),
        "X-Content-Type-Options": "nosniff",
    }
    return head(status, own | dict(headers))


def refusal(status: HTTPStatus, why: str, headers: Mapping[str, str] = NONE) -> bytes:
    """A response that tells people why it is not what was asked for, and ends the connection."""
    body = f"{why}\r\n".encode()
    return last_head(status, TEXT, len(body), headers) + body
