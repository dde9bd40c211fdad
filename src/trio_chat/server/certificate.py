"""The certificate that the server shows to those who speak TLS."""

import hashlib
import re
import ssl
from pathlib import Path

from trio_chat.errors import SettingsError

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


class Certificate:
    """A certificate and its key, as they are in two files. There is none before ``use``.

    ``context`` is made anew for each certificate: OpenSSL keeps the old one beside a new one.
    ``fingerprint`` is the SHA-256 of the certificate, in hexadecimal digits.
    """

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None
        self.fingerprint = ""

    def use(self, certificate: Path, key: Path) -> None:
        """Show this one from now on. Raises SettingsError, and leaves the old one in force."""
        try:
            found = _context(certificate, key), _fingerprint(certificate)
        except OSError as error:
            reason = getattr(error, "reason", "") or error.strerror or str(error)
            why = reason.replace("_", " ").lower()
            files = " and ".join(dict.fromkeys((str(certificate), str(key))))
            raise SettingsError(f"cannot use {files} for TLS: {why}") from error
        self.context, self.fingerprint = found


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
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(found[0])).hexdigest()
