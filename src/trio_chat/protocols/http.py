"""Responses of HTTP: their heads, and refusals in words for people."""

from collections.abc import Mapping
from http import HTTPStatus

_NONE: Mapping[str, str] = {}


def head(status: HTTPStatus, headers: Mapping[str, str]) -> bytes:
    """The head of a response, with the line that ends it."""
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def refusal(status: HTTPStatus, why: str, headers: Mapping[str, str] = _NONE) -> bytes:
    """A response that tells people why it is not what was asked for, and ends the connection."""
    body = f"{why}\r\n".encode()
    own = {
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "X-Content-Type-Options": "nosniff",
    }
    return head(status, own | dict(headers)) + body
