"""The certificate that the server shows to those who speak TLS.

A file may be on a disk that does not answer. So while the server runs, its files are read in a
thread, and nobody waits for that.
"""

import logging
import re
import ssl
import stat
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import trio

from trio_chat.errors import SettingsError
from trio_chat.settings.pins import pin_of, shown_pin
from trio_chat.storage.private import reason

logger = logging.getLogger(__name__)

# After so long somebody should look why the files cannot be read. The thread reads on.
_PATIENCE = 10.0  # seconds

_PEM = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile("-----BEGIN ([A-Z ]*)PRIVATE KEY-----(.*Proc-Type: 4,ENCRYPTED)?", re.DOTALL)

in_thread = partial(trio.to_thread.run_sync, abandon_on_cancel=True)

_Files = tuple[Path, Path]
_Marks = Sequence[object]
_Pair = tuple[ssl.SSLContext, str]


class Certificate:
    """A certificate and its key, as they are in two files. There is none before ``use``.

    ``context`` is made anew for each certificate: OpenSSL keeps the old one beside a new one. Those
    who are connected keep the context they came with. ``fingerprint`` is the SHA-256 of the
    certificate, in hexadecimal digits.
    """

    def __init__(self) -> None:
        self.context: ssl.SSLContext | None = None
        self.fingerprint = ""
        self._files: _Files | None = None
        self._seen: _Marks = ()
        self._turn = trio.CapacityLimiter(1)  # one thread that waits for a disk is enough

    def use(self, certificate: Path, key: Path) -> None:
        """Show this one from now on. Raises SettingsError, and leaves the old one in force."""
        self._want((certificate, key))
        self._take(*_read((certificate, key), ()))

    async def renew(self, certificate: Path, key: Path) -> None:
        """As ``use``, while the server runs."""
        self._want((certificate, key))
        await self._read(())

    async def look(self) -> None:
        """Use what is in the files if they have changed. If that is no pair, as while they are
        replaced one after the other, the old one stays in force until they change again, and
        SettingsError is raised.
        """
        await self._read(self._seen)

    def _want(self, files: _Files) -> None:
        if files != self._files:
            self._files, self._turn = files, trio.CapacityLimiter(1)

    async def _read(self, seen: _Marks) -> None:
        if (files := self._files) is None:
            return
        with trio.move_on_after(_PATIENCE) as patience:
            found = await in_thread(_read, files, seen, limiter=self._turn)
        if patience.cancelled_caught:
            raise _useless(files, f"to read them takes more than {_PATIENCE:.0f} seconds")
        if files == self._files:  # nobody has asked for others meanwhile
            self._take(*found)

    def _take(self, seen: _Marks, found: _Pair | SettingsError | None) -> None:
        self._seen = seen
        if isinstance(found, SettingsError):
            raise found
        if found is None:
            return
        context, fingerprint = found
        if self.fingerprint not in ("", fingerprint):
            logger.info(
                "there is a new certificate, %s",
                shown_pin(fingerprint),
                extra={"event": "certificate-renewed"},
            )
        self.context, self.fingerprint = context, fingerprint


def _read(files: _Files, seen: _Marks) -> tuple[_Marks, _Pair | SettingsError | None]:
    """What is in the files, and the marks by which a change is seen; None if it is ``seen``."""
    marks = _look_at(files)
    if marks == seen:
        return marks, None
    try:
        return marks, _pair(files)
    except SettingsError as error:
        return marks, error


def _look_at(files: _Files) -> _Marks:
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


def _pair(files: _Files) -> _Pair:
    """Read them. Raises SettingsError, which names what is wrong with which."""
    certificate, key = files
    found = _PEM.search(_text(certificate))
    if found is None:
        raise _useless((certificate,), "there is no certificate in it, in PEM")
    private = _KEY.search(_text(key))
    if private is None:
        raise _useless((key,), "there is no private key in it, in PEM")
    if "ENCRYPTED" in private[0]:
        raise _useless((key,), "the key has a password, which nobody is here to be asked for")
    try:
        fingerprint = pin_of(ssl.PEM_cert_to_DER_cert(found[0]))
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(cadata=found[0])
    except (ValueError, ssl.SSLError):
        raise _useless((certificate,), "the certificate in it is damaged") from None
    try:
        return _context(certificate, key), fingerprint
    except ssl.SSLError as error:
        raise _useless(files, _why(error)) from error
    except OSError as error:  # it has gone since
        raise _useless(files, reason(error, key)) from error


def _text(file: Path) -> str:
    """What is in a file. One that is no regular file might let its reader wait for ever."""
    try:
        if not stat.S_ISREG(file.stat().st_mode):
            raise _useless((file,), "it is no regular file")
        return file.read_text("ascii", "replace")
    except OSError as error:
        raise _useless((file,), reason(error, file)) from error


def _useless(files: Sequence[Path], why: str) -> SettingsError:
    named = " and ".join(dict.fromkeys(map(str, files)))
    return SettingsError(f"cannot use {named} for TLS: {why}")


def _why(error: ssl.SSLError) -> str:
    """Why OpenSSL does not take a certificate and a key, each of which looks like one."""
    told = error.reason or ""
    if told == "KEY_VALUES_MISMATCH":
        return "the key is not that of the certificate"
    if told.isupper() and not told.endswith("_LIB"):
        return f"OpenSSL says: {told.replace('_', ' ').lower()}"
    return "the key, or a certificate after the first one, is damaged"


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
