"""How a command reaches a server on its own machine."""

import socket

from trio_chat.settings.places import Address

# No name has to be looked up for these: on a bare system even localhost may lead nowhere.
_LOOPBACK = {"*": ("127.0.0.1", "::1"), "0.0.0.0": ("127.0.0.1",), "::": ("::1", "127.0.0.1")}  # noqa: S104


def connect(address: Address, patience: float) -> socket.socket:
    """A socket that is connected to where a server of this machine listens; a call waits for so
    many seconds. Raises OSError.
    """
    if not address.unix_path:
        return _first(_LOOPBACK.get(address.host, (address.host,)), address.port, patience)
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(patience)
        sock.connect(address.unix_path)
    except OSError:
        sock.close()
        raise
    return sock


def _first(hosts: tuple[str, ...], port: int, patience: float) -> socket.socket:
    *others, last = hosts
    for host in others:
        try:
            return socket.create_connection((host, port), patience)
        except OSError:
            continue
    return socket.create_connection((last, port), patience)
