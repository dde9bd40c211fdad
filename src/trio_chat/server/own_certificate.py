"""The certificate that a server makes for itself, if it has none of a CA.

Nobody vouches for it, so clients know it by its fingerprint.
"""

import datetime
import socket
from collections.abc import Sequence
from pathlib import Path

from trio_chat.core.networks import address_of
from trio_chat.errors import CannotOpenStore, SettingsError
from trio_chat.server.certificate import Certificate
from trio_chat.server.links import own_addresses
from trio_chat.settings.places import Address
from trio_chat.storage.private import make_whole, reason, warn_if_shared

_LIFE = datetime.timedelta(days=3653)  # ten years: those who know its fingerprint see any change
_NAME_MAX = 64  # characters of a common name (RFC 5280, appendix A.1)


def use_own(
    certificate: Certificate, file: Path, public_name: str, listened: Sequence[Address] = ()
) -> None:
    """Show the certificate in this file. If it is missing, it is made for this name, or without one
    for the machine's and the addresses at which a server is reached that listens at these. Raises
    CannotOpenStore.
    """
    try:
        if not file.exists():
            names = [public_name] if public_name else _names_of_host(listened)
            make_whole(file, _key_and_certificate(names))
        warn_if_shared(file, "the key of the server's certificate")
        certificate.use(file, file)
    except OSError as error:
        why = reason(error, file)
        raise CannotOpenStore(f"cannot keep the server's certificate in {file}: {why}") from error
    except SettingsError as error:
        raise CannotOpenStore(
            f"{error}. Put a backup in its place, or remove it, and clients are shown a new one"
        ) from error


def _names_of_host(listened: Sequence[Address]) -> list[str]:
    """The names by which others may reach this machine, the likeliest first."""
    name = socket.gethostname()
    hosts = own_addresses([at for at in listened if not at.unix_path])
    names = (name if name.isascii() else "", *hosts, "localhost", "127.0.0.1", "::1")
    return list(dict.fromkeys(filter(None, names)))


def _key_and_certificate(names: list[str]) -> bytes:
    """Make a key on the curve P-256 and its certificate, in PEM."""
    # It takes 45 ms to load, and a server needs it once in its life.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_NAME_MAX])])
    now = datetime.datetime.now(datetime.UTC)
    alternatives = [
        x509.IPAddress(address) if (address := address_of(name)) else x509.DNSName(name)
        for name in names
    ]
    certificate = (
        x509.CertificateBuilder(called, called, public, x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # some clocks are behind
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    return private + certificate.public_bytes(pem)
