"""Whom ``trio-chat client`` trusts: the pins that are kept, and the question to the person.

The question comes before anything else is on the terminal, and never again: when a connection is
made anew, the certificate is the one trusted now, or that is an error.
"""

import datetime
import os
import sys
from collections.abc import Sequence
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
from trio_chat.settings.pins import each_pin, pin_of, shown_pin
from trio_chat.settings.places import Address

# Names of a certificate that are shown; its owner may have put in thousands.
_NAMES_MAX = 10


def pins_file() -> Path:
    """Where pins are kept."""
    return platformdirs.user_state_path("trio-chat") / "pins"


def with_pin(settings: Settings) -> Settings:
    """Add the pin of each address, if it is known or the person trusts it now. Raises
    SettingsError, CannotConnect and NotTrusted.
    """
    addresses, client, known = settings.addresses, settings.client, Pins(pins_file())
    try:
        given = each_pin(client.pin, len(addresses))
    except ValueError as error:
        raise SettingsError(f"client.pin: {error}") from None
    pins: list[str] = []
    for address, pin in zip(addresses, given, strict=True):
        pins.append(_pin_of(address, pin, settings, known, pins))
    return settings.model_copy(update={"client": client.model_copy(update={"pin": ",".join(pins)})})


def _pin_of(
    address: Address, given: str, settings: Settings, pins: Pins, others: Sequence[str]
) -> str:
    """The pin to go by at an address. A certificate that one of the ``others`` shows is trusted
    here as well: it is one chat, and nobody else has its key.
    """
    client, known = settings.client, _known(pins, address, given)
    pin = given or known
    try:
        speaks_tls = uses_tls(client.tls, address, pin)
    except ValueError as error:
        remedy = (
            ""
            if given
            else f". If its operator says that it no longer speaks TLS, remove its line from "
            f"{pins.path}"
        )
        raise SettingsError(f"client.tls=off: {error}{remedy}") from None
    if speaks_tls and not pin and is_interactive(settings):
        may_wait = client.retry or len(settings.addresses) > 1
        return _meet(address, pins, may_wait=may_wait, others=others)
    if speaks_tls and pin != known and client.state:
        _check_and_keep(address, pins, pin, known)
    return pin


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


def _meet(address: Address, pins: Pins, *, may_wait: bool, others: Sequence[str]) -> str:
    """Look at the certificate of a server that we do not know. Returns its pin if the person trusts
    it, or it is one of the ``others``; nothing if this system does, or there is none to look at
    yet and that ``may_wait``.
    """
    try:
        _try(address, "")
    except CannotConnect:
        if not may_wait:
            raise
    except NotTrusted as error:
        pin = pin_of(error.certificate)
        if pin not in others and not _asked(error):
            raise NotTrusted(f"you do not trust the certificate of {address}") from None
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
