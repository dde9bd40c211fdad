"""Certificates for tests: a CA of their own, and peers who speak TLS to a server and trust it."""

import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import trio
import trustme

from peers import PATIENCE, House, Peer
from trio_chat.settings.pins import pin_of


@cache
def authority() -> trustme.CA:
    """The CA of this run."""
    return trustme.CA()


@dataclass(frozen=True)
class Files:
    """The files of a certificate and its key."""

    certificate: Path
    key: Path

    @property
    def settings(self) -> dict[str, Any]:
        return {"certificate": str(self.certificate), "key": str(self.key)}

    @property
    def variables(self) -> dict[str, str]:
        """The settings for the environment of a process."""
        return {f"TRIO_CHAT_TLS__{name.upper()}": value for name, value in self.settings.items()}

    @property
    def pin(self) -> str:
        """The pin of the certificate, which comes before those of its issuers."""
        first, end, _ = self.certificate.read_text().partition("-----END CERTIFICATE-----")
        return pin_of(ssl.PEM_cert_to_DER_cert(first + end))


def issue(folder: Path, *names: str) -> Files:
    """Issue a certificate to these names, or to localhost, and write it to a folder."""
    issued = authority().issue_cert(*(names or ("localhost", "127.0.0.1")))
    folder.mkdir(exist_ok=True)
    files = Files(folder / "certificate.pem", folder / "key.pem")
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    files.key.write_bytes(issued.private_key_pem.bytes())
    return files


def trusting() -> ssl.SSLContext:
    """The context of a client that trusts the CA of this run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # takes a while with those of the system
    authority().configure_trust(context)
    return context


def untrusting() -> ssl.SSLContext:
    """The context of a client that takes any certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def connect(port: int, *, over_tls: bool) -> trio.abc.Stream:
    """A stream to a server on this machine."""
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    if not over_tls:
        return stream
    return trio.SSLStream(stream, trusting(), server_hostname="localhost", https_compatible=True)


async def secured(
    house: House, nick: str = "", context: ssl.SSLContext | None = None, *, address: str = ""
) -> Peer:
    """A peer over TLS; from an ``address`` it comes over memory, where the test's clock rules."""
    raw = await (house.link(address=address) if address else house.connect())
    stream = trio.SSLStream(raw.stream, context or trusting(), server_hostname="localhost")
    with trio.fail_after(PATIENCE):
        await stream.do_handshake()
    house.peers.remove(raw)
    return await house.take_in(stream, nick)


class Hand:
    """A client's end of TLS by hand: bytes in and out, for what streams would not do."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = context or trusting()
        self.tls = context.wrap_bio(self._in, self._out, server_hostname="localhost")

    def hello(self) -> bytes:
        """The ClientHello, by which a handshake begins."""
        with suppress(ssl.SSLWantReadError):
            self.tls.do_handshake()
        return self._out.read()

    async def shake(self, stream: trio.abc.Stream) -> None:
        while True:
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                await stream.send_all(self._out.read())
                data = await stream.receive_some()
                assert data, "closed in the middle of a handshake"
                self._in.write(data)
            else:
                await stream.send_all(self._out.read())
                return

    def seal(self, *texts: bytes) -> bytes:
        """A record for each text."""
        for text in texts:
            self.tls.write(text)
        return self._out.read()

    def farewell(self) -> bytes:
        """The record that ends our side."""
        with suppress(ssl.SSLWantReadError):
            self.tls.unwrap()
        return self._out.read()

    def open(self, sealed: bytes) -> bytes:
        """All that is in these records, which end where the server has said farewell."""
        self._in.write(sealed)
        text = b""
        with suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            while piece := self.tls.read(16384):
                text += piece
        return text
