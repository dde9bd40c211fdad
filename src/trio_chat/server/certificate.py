"""The certificate that the server shows to those who speak TLS."""

import logging
import re
import ssl
from collections.abc import Iterable
from pathlib import Path

from trio_chat.errors import SettingsError
from trio_chat.settings.pins import pin_of, shown_pin

logger = logging.getLogger(__name__)

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Certificate:
    """A certificate and its key, as they are in two files. There is none before ``use``.

    ``context`` is made anew for each certificate: OpenSSL keeps the old one beside a new one. Those
    who are connected keep the context they came with. ``fingerprint`` is the SHA-256 of the
    certificate, in hexadecimal digits.
    """

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None
        self.fingerprint = ""
        self._files: tuple[Path, ...] = ()
        self._seen: list[object] = []

    def use(self, certificate: Path, key: Path) -> None:
        """Show this one from now on. Raises SettingsError, and leaves the old one in force."""
        self._files = certificate, key
        self._seen = _look_at(self._files)
        try:
            context, fingerprint = _context(certificate, key), _fingerprint(certificate)
        except OSError as error:
            reason = getattr(error, "reason", "") or error.strerror or str(error)
            why = reason.replace("_", " ").lower()
            files = " and ".join(dict.fromkeys((str(certificate), str(key))))
            raise SettingsError(f"cannot use {files} for TLS: {why}") from error
        if self.fingerprint not in ("", fingerprint):
            logger.info("there is a new certificate, %s", shown_pin(fingerprint))
        self.context, self.fingerprint = context, fingerprint

    def look(self) -> None:
        """Use what is in the files if they have changed. If that is no pair, as while they are
        replaced one after the other, the old one stays in force until they change again.
        """
        if self._seen != _look_at(self._files):
            try:
                self.use(self._files[0], self._files[1])
            except SettingsError as error:
                logger.error("the old certificate stays in force: %s", error)


def _look_at(files: Iterable[Path]) -> list[object]:
    """The marks by which a change of the files is seen, even if it is a link to another file."""
    marks: list[object] = []
    for file in files:
        try:
            found = file.stat()
        except OSError as error:
            marks.append(error.errno)
        else:
            marks.append((found.st_dev, found.st_ino, found.st_ctime_ns, found.st_size))
    return marks


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0  # nobody comes back so often that tickets would pay
    context.load_cert_chain(certificate, key, password=_no_password)
    return context


def _no_password() -> str:
    """Called for an encrypted key: otherwise OpenSSL would ask at the terminal, and wait."""
    return ""


def _fingerprint(file: Path) -> str:
    """The fingerprint of the first certificate in a file: those that follow are its issuers."""
    found = _PEM.search(file.read_text("ascii", "replace"))
    if found is None:
        raise OSError("it has no CERTIFICATE in PEM")
    return pin_of(ssl.PEM_cert_to_DER_cert(found[0]))
