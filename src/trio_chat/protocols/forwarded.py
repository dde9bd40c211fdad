"""The headers by which a proxy of HTTP says for whom it asks: X-Forwarded-For and -Proto.

They are of no standard, and what nearly all proxies send. Each proxy adds to them whom it has seen
itself, at the end. What stands before that may come from anybody, so only the proxies' own entries
are read.
"""

import ipaddress
import re
from collections.abc import Callable

from trio_chat.protocols.proxy import BadHeader, Header, name_of

#: How requests begin that the page may answer.
METHODS = (b"GET ", b"HEAD ")

#: The end of the head of a request.
HEAD_END = b"\r\n\r\n"

#: The longest head of a request.
HEAD_MAX = 16 * 1024  # bytes


def may_be_request(data: bytes) -> bool:
    """Whether a request for the page begins like this, or may do so."""
    return any(method.startswith(data[: len(method)]) for method in METHODS)


def read_forwarded(data: bytes, is_proxy: Callable[[str], bool]) -> Header | None:
    """What a proxy says in the head of a request, which is left in place; None if that is not
    complete yet. ``is_proxy`` tells whether an address is that of another proxy. Raises BadHeader.
    """
    end = data.find(HEAD_END, 0, HEAD_MAX)
    if end < 0:
        if len(data) >= HEAD_MAX:
            raise BadHeader("the head of its request is too long")
        return None
    chain = _values(data[:end], "X-Forwarded-For")
    if not chain:
        raise BadHeader("its request has no X-Forwarded-For")
    source = _address(chain.pop())
    while chain and is_proxy(source):
        source = _address(chain.pop())
    is_secure = _values(data[:end], "X-Forwarded-Proto")[-1:] == ["https"]
    return Header(source, data, is_request=True, is_secure=is_secure)


def _values(head: bytes, name: str) -> list[str]:
    """The parts of all headers of a name, in order."""
    found = re.findall(rf"(?im)^{name}:([^\r\n]*)", head.decode("latin-1"))
    return [part.strip() for part in ",".join(found).split(",") if part.strip()]


def _address(text: str) -> str:
    """An address, which some proxies write with a port."""
    found = re.fullmatch(r"\[([^]]*)\](?::\d+)?|([^:]*)(?::\d+)?|(.*)", text)
    try:
        return name_of(ipaddress.ip_address(found[found.lastindex or 3] if found else ""))
    except ValueError:
        raise BadHeader("its X-Forwarded-For names no address") from None
