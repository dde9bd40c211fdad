"""Whom ``trio-chat client`` trusts: the pins that are kept, and the question to the person.

The question comes before anything else is on the terminal, and never again: when a connection is
made anew, the certificate is the one trusted now, or that is an error.
"""

import datetime
import os
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs
import trio

from trio_chat.cli.trust import say
from trio_chat.client.dial import dial
from trio_chat.client.pins import DamagedPins, Pins
from trio_chat.client.tls import uses_tls
from trio_chat.errors import CannotConnect, NotTrusted, SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.settings import Settings
from trio_chat.settings.pins import pin_of, shown_pin
from trio_chat.settings.places import Address

# Names of a certificate that are shown; its owner may have put in thousands.
_NAMES_MAX = 10


def pins_file() -> Path:
    """Where pins are kept."""
    return platformdirs.user_state_path("trio-chat") / "pins"


def with_pin(settings: Settings) -> Settings:
    """Add the pin of the server, if it is known or the person trusts it now. Raises SettingsError,
    CannotConnect and NotTrusted.
    """
    address, client = Address(settings.host, settings.port), settings.client
    pins = Pins(pins_file())
    known = _known(pins, address, client.pin)
    try:
        speaks_tls = uses_tls(client.tls, address, client.pin or known)
    except ValueError as error:
        remedy = (
            ""
            if client.pin
            else f". If its operator says that it no longer speaks TLS, remove its line from "
            f"{pins.path}"
        )
        raise SettingsError(f"client.tls=off: {error}{remedy}") from None
    pin = client.pin or known
    if speaks_tls and not pin and is_interactive(settings):
        pin = _meet(address, pins, retry=client.retry)
    elif speaks_tls and pin != known and client.state:
        _check_and_keep(address, pins, pin, known)
    return settings.model_copy(update={"client": client.model_copy(update={"pin": pin})})


def _known(pins: Pins, address: Address, given: str) -> str:
    """The pin that is kept. Without it nobody is trusted who would not be at first sight; unless
    one is ``given``, raises SettingsError if there is one that cannot be read.
    """
    try:
        return pins.of(address)
    except DamagedPins as error:
        if error.of_server and not given:
            raise SettingsError(
                f"{error}, so nobody can tell whether {address} is the server that you trust. "
                "Correct the line, or remove it to be asked anew"
            ) from None
        say(f"{error}. Correct or remove that line; until then nothing is added there")
    except OSError as error:
        if not address.is_local:  # where a file may be out of reach, as for a service
            say(f"{pins.path} cannot be read: {_reason(error)}")
    return ""


def _keep(pins: Pins, address: Address, pin: str) -> None:
    try:
        with suppress(DamagedPins):  # which was said when it was read
            pins.keep(address, pin, datetime.date.today().isoformat())  # noqa: DTZ011 - local
    except OSError as error:
        say(f"{pins.path} cannot be written: {_reason(error)}")


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def is_interactive(settings: Settings) -> bool:
    """Whether a person can be asked."""
    return not settings.client.json_lines and all(map(os.isatty, (0, 2)))


def _meet(address: Address, pins: Pins, *, retry: bool) -> str:
    """Look at the certificate of a server that we do not know. Returns its pin if the person trusts
    it; nothing if this system does, or there is none to look at yet.
    """
    try:
        _try(address, "")
    except CannotConnect:
        if not retry:
            raise
    except NotTrusted as error:
        if not _asked(error):
            raise NotTrusted(f"you do not trust the certificate of {address}") from None
        pin = pin_of(error.certificate)
        _keep(pins, address, pin)
        return pin
    return ""


def _check_and_keep(address: Address, pins: Pins, pin: str, known: str) -> None:
    """Keep a pin that was given, but only if the server has it: it may be mistyped. A link may be
    from anybody, so it is told if the server was known by another pin.
    """
    try:
        _try(address, pin)
    except CannotConnect:
        return  # the chat will say why, or try again
    if known:
        say(f"{address} is now trusted with {shown_pin(pin)}, no longer {shown_pin(known)}")
    _keep(pins, address, pin)


def _try(address: Address, pin: str) -> None:
    """Shake hands and hang up."""

    async def shake_hands() -> None:
        stream = await dial(address, tls=True, pin=pin)
        await trio.aclose_forcefully(stream)

    trio.run(shake_hands)


def _asked(error: NotTrusted) -> bool:
    """Show a certificate, and ask whether to trust it."""
    pin = shown_pin(pin_of(error.certificate))
    lines = [f"{error.what}:", f"  {pin}", *_description(error.certificate)]
    print("\n".join(map(clean, lines)), file=sys.stderr)
    question = "Its operator can tell whether it is the right one. Trust it from now on? [y/N] "
    print(question, end="", file=sys.stderr, flush=True)
    answer = ""
    try:
        answer = sys.stdin.readline()
    finally:
        if not answer.endswith("\n"):
            print(file=sys.stderr)  # what follows begins a line
    return answer.strip().lower() in ("y", "yes")


def _description(certificate: bytes) -> list[str]:
    """Tell what a certificate says of itself, as far as it can be read."""
    from cryptography import x509  # slow to load, and seldom needed

    try:
        read = x509.load_der_x509_certificate(certificate)
        try:
            names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            of = [str(name.value) for name in names]
        except x509.ExtensionNotFound:
            of = [read.subject.rfc4514_string()]
        valid = f"{read.not_valid_before_utc:%Y-%m-%d} to {read.not_valid_after_utc:%Y-%m-%d}"
    except ValueError:
        return ["  It cannot be read."]
    shown = ", ".join(of[:_NAMES_MAX]) + (" and others" if of[_NAMES_MAX:] else "")
    return [f"  for    {shown}", f"  valid  {valid}"]
