"""Pins: the SHA-256 of the one certificate that a server may show."""

import hashlib
import re
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Sequence

_PREFIX = re.compile("sha-?256[:=]", re.IGNORECASE)


def read_pin(text: str) -> str:
    """Read a pin in any of its usual forms: 64 hexadecimal digits with or without colons, or 43
    characters of base64, as in a link; SHA256: may stand before it. Returns the digits. Raises
    ValueError.
    """
    digest = _digest(_PREFIX.sub("", text, count=1).strip())
    if len(digest) != hashlib.sha256().digest_size:
        raise ValueError("must be the SHA-256 of a certificate: 64 hexadecimal digits, or base64")
    return digest.hex()


def read_pins(text: str) -> str:
    """Read a pin for all addresses of a chat, or one for each with commas between them, which may
    be empty where there is none. Returns them as digits. Raises ValueError.
    """
    return ",".join(pin and read_pin(pin) for pin in map(str.strip, text.split(",")))


def each_pin(pins: str, addresses: int) -> Sequence[str]:
    """The pin of each address, from what ``read_pins`` returns. Raises ValueError."""
    each = pins.split(",")
    if len(each) not in (1, addresses):
        raise ValueError(f"{len(each)} pins for {addresses} addresses: give one for all or each")
    return each * addresses if len(each) == 1 else each


def _digest(text: str) -> bytes:
    try:
        if len(text) > 44:
            return bytes.fromhex(text.replace(":", ""))
        return b64decode(text.rstrip("=").replace("-", "+").replace("_", "/") + "=", validate=True)
    except ValueError:
        return b""


def shown_pin(pin: str) -> str:
    """A pin as people compare and copy it."""
    return f"SHA256:{pin}"


def pin_in_link(pin: str) -> str:
    """A pin as it is in a link."""
    return urlsafe_b64encode(bytes.fromhex(pin)).decode().rstrip("=")


def pin_of(certificate: bytes) -> str:
    """The pin of a certificate (DER)."""
    return hashlib.sha256(certificate).hexdigest()
