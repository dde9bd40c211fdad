"""Requests of HTTP and their answers: the files of the page, and the upgrade to WebSocket.

A page of somebody else's must not get hold of this chat in a browser that can reach it: a WebSocket
is opened only to pages of our own (``Origin``), and nothing is answered under a name that is not
ours (``Host``), because a name of theirs may lead to this machine ("DNS rebinding").
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from ipaddress import ip_address

from websockets.exceptions import NegotiationError
from websockets.http11 import Request
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from trio_chat.protocols import http
from trio_chat.protocols.web.files import File, Files
from trio_chat.protocols.web.frames import SUBPROTOCOLS, TEXT, logger
from trio_chat.protocols.web.requests import Answer, BadRequest, read_request, refusal

# Scripts, styles and pictures of our own and nothing else, no plug-ins, in nobody's frame; no text
# becomes markup.
_POLICY = "; ".join(
    (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'"),
        *("img-src 'self'", "manifest-src 'self'", "base-uri 'none'", "form-action 'none'"),
        *("frame-ancestors 'none'", "require-trusted-types-for 'script'"),
    )
)
_SAFE = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|\Z))", re.IGNORECASE)

# So much of a name is logged, and so many names: whoever asks has made them up.
_LOGGED, _LOGGED_MAX = 100, 100


@dataclass(frozen=True)
class Site:
    """The page under its names. ``hosts`` are those it answers to besides addresses, all if empty;
    ``origins`` those of other pages that may open a WebSocket.
    """

    files: Files
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    _logged: set[str] = field(default_factory=set, init=False, compare=False)

    def answer(
        self,
        head: bytes,
        now: float,
        *,
        secure: bool,
        forwarded: bool = False,
        close: bool = False,
    ) -> Answer:
        """Answer a request of which this is the head, at this unix time in seconds. ``secure`` says
        that it came over TLS, ``forwarded`` that a proxy has handed it on, ``close`` that a file is
        the last answer.
        """
        try:
            protocol = ServerProtocol(select_subprotocol=_select, logger=logger)
            request = read_request(head, protocol)
            host = self._host(request, forwarded=forwarded)
            if _has_token(request, "Upgrade", "websocket"):
                self._check_origin(request, f"{'https' if secure else 'http'}://{host}")
                return _upgraded(protocol, request)
            return self._file(request, now, close=close)
        except BadRequest as bad:
            return refusal(bad)

    def _host(self, request: Request, *, forwarded: bool) -> str:
        """The host that a request is for, as it says, or the proxy that was asked."""
        asked = _one(request, "X-Forwarded-Host") if forwarded else ""
        host = (asked or _one(request, "Host")).lower()
        name = re.sub(r":\d*\Z", "", host)
        if not name:
            raise BadRequest(HTTPStatus.BAD_REQUEST, "The request names no host.")
        if self.hosts and name not in self.hosts and not _is_address(name):
            why = "This server does not go by that name: the setting web.hosts lists its names."
            self._log(f"the name {name[:_LOGGED]!r} is not in web.hosts (421)")
            raise BadRequest(HTTPStatus.MISDIRECTED_REQUEST, why)
        return host

    def _file(self, request: Request, now: float, *, close: bool) -> Answer:
        path = request.path.partition("?")[0]
        file = self.files.by_path.get(path)
        if file is None:
            raise BadRequest(HTTPStatus.NOT_FOUND, "There is no such page here.")
        tag = f'W/"{file.tag}"'
        headers = {
            "Date": formatdate(now, usegmt=True),
            "ETag": tag,
            "Cache-Control": "no-cache",
            "Vary": "Accept-Encoding",
        }
        close = close or request.protocol == "HTTP/1.0"
        if close := close or _has_token(request, "Connection", "close"):
            headers["Connection"] = "close"
        if tag.removeprefix("W/") in ",".join(request.headers.get_all("If-None-Match")):
            return Answer(http.head(HTTPStatus.NOT_MODIFIED, headers), is_last=close)
        body = _body(request, file, headers)
        head = http.head(HTTPStatus.OK, headers | _SAFE)
        return Answer(head + (b"" if request.method == "HEAD" else body), is_last=close)

    def _check_origin(self, request: Request, own: str) -> None:
        origin = _one(request, "Origin").lower()  # browsers always send one, and others need not
        if origin and origin != own and origin not in self.origins:
            why = "A page of another origin may not chat here: the setting web.origins lists those."
            self._log(f"the origin {origin[:_LOGGED]!r} is not in web.origins (403)")
            raise BadRequest(HTTPStatus.FORBIDDEN, why)

    def _log(self, why: str) -> None:
        """Tell the owner once: it is an attack, or a setting that is missing."""
        if why not in self._logged and len(self._logged) < _LOGGED_MAX:
            self._logged.add(why)
            logger.warning(
                "refused a browser: %s", why, extra={"event": "browser-refused", "reason": why}
            )


def _upgraded(protocol: ServerProtocol, request: Request) -> Answer:
    response = protocol.accept(request)
    data = response.serialize()
    if response.status_code != HTTPStatus.SWITCHING_PROTOCOLS:
        return Answer(data, is_last=True, is_refusal=True)
    return Answer(data, start=SUBPROTOCOLS.get(protocol.subprotocol or "", TEXT))


def _select(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The first that we know, in the client's order; who offers none gets text."""
    known = [name for name in offered if name in SUBPROTOCOLS]
    if offered and not known:
        raise NegotiationError(f"the subprotocols here are {', '.join(SUBPROTOCOLS)}")
    return known[0] if known else None


def _is_address(host: str) -> bool:
    """Whether a host is an address, which nobody can make lead somewhere else."""
    with suppress(ValueError):
        return bool(ip_address(host.removeprefix("[").removesuffix("]")))
    return False


def _body(request: Request, file: File, headers: dict[str, str]) -> bytes:
    """The content of a file, as the client takes it; ``headers`` are told how."""
    takes_gzip = _GZIP.search(",".join(request.headers.get_all("Accept-Encoding")))
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    body = file.compressed if takes_gzip else file.data
    headers |= {"Content-Type": file.type, "Content-Length": str(len(body))}
    return body


def _one(request: Request, name: str) -> str:
    """The value of a header that may come once; empty if it does not."""
    values = request.headers.get_all(name)
    if len(values) > 1:
        raise BadRequest(HTTPStatus.BAD_REQUEST, f"The request has several headers {name}.")
    return values[0] if values else ""


def _has_token(request: Request, name: str, token: str) -> bool:
    tokens = ",".join(request.headers.get_all(name)).lower().split(",")
    return token in [each.strip() for each in tokens]
