"""``trio-chat invite``: makes a link that lets somebody in, for whoever owns the server's data."""

import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from trio_chat.app import key_file
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.reach import connect
from trio_chat.cli.trust import for_server
from trio_chat.errors import SettingsError
from trio_chat.server.admission import new_token
from trio_chat.server.certificate import Certificate
from trio_chat.server.links import link_to, way_in
from trio_chat.settings import AccountSettings, Settings
from trio_chat.settings.places import Address
from trio_chat.storage.key import read_key

# The settings that a link depends on; none of them is secret.
_READ = (
    *("host=", "port=", "history.store=", "accounts.", "tls.", "web.enabled=", "web.url="),
    *("server.key=", "server.listen=", "server.public_name="),
    "server.others=",
)


# How long an address on this machine may take to answer.
_WAIT = 1.0  # seconds


def command_beside(
    options: Mapping[str, str | None], assignments: Sequence[str], env_file: Path | None, port: int
) -> str:
    """The command that invites people to a server which was started with these options, and
    listens on this port.
    """
    words = ["trio-chat", "invite"]
    if host := options.get("host"):
        words += ["--host", host]
    if options.get("port"):
        words += ["--port", str(port)]
    for assignment in assignments:
        if assignment.startswith(_READ):
            words += ["--set", assignment]
    if env_file:
        words += ["--env-file", str(env_file)]
    return shlex.join(words)


def run_invite(
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    uses: int,
    days: int,
    operator: bool,
    debug: bool,
) -> None:
    """Print a link with a new invitation, and the command that goes there."""
    with exit_on_error(debug=debug):
        settings = for_server(load(options, assignments, env_file))
        _check(settings.accounts, operator=operator)
        file = key_file(settings)
        if file is None:
            raise SettingsError(
                "history.store=memory: such a server keeps no key; /invitation invites people there"
            )
        try:
            token = new_token(_key(file), time.time(), uses=uses, days=days, operator=operator)
        except ValueError as error:
            raise SettingsError(str(error)) from None
        room = settings.client.room if options.get("client.room") else ""
        _warn_if_nobody_listens(settings)
        link = _link(settings, file.with_name("certificate.pem"), token, room)
        lines = "\n".join(way_in(link, uses, days, settings.web))
        print(f"{lines}{_what_follows(settings.accounts, operator=operator)}")


def _key(file: Path) -> bytes:
    """The key of a server that has been there. Raises CannotOpenStore and SettingsError."""
    with suppress(PermissionError):
        if not file.exists():
            raise SettingsError(f"there is no key in {file} yet: start the server once")
    return read_key(file)


def _check(accounts: AccountSettings, *, operator: bool) -> None:
    """Make no invitation that is of no use. Raises SettingsError."""
    if accounts.registration != "closed":
        return
    if accounts.guests == "closed":
        raise SettingsError(
            "accounts.guests and accounts.registration are closed, so an invitation lets nobody in"
        )
    if operator:
        raise SettingsError(
            "accounts.registration=closed: nobody can register there, so an invitation makes "
            "nobody an operator; accounts.operators does"
        )


def _what_follows(accounts: AccountSettings, *, operator: bool) -> str:
    """What becomes of those who come, if it is more than a guest."""
    if operator:
        return " Whoever registers with it is an operator of this server."
    return " They have to register there." if accounts.guests == "closed" else ""


def _warn_if_nobody_listens(settings: Settings) -> None:
    """Say so if a link leads nowhere: the server may have been started with other settings."""
    addresses = settings.listened
    if not any(map(_is_listened_on, addresses)):
        print(
            f"trio-chat: no server listens at {' or '.join(map(str, addresses))} now. If yours has "
            "other settings, invite by the command that it prints when it starts.",
            file=sys.stderr,
        )


def _is_listened_on(address: Address) -> bool:
    try:
        connect(address, _WAIT).close()
    except OSError:
        return False
    return True


def _link(settings: Settings, own_certificate: Path, token: str, room: str) -> str:
    """The link to a server with these settings.

    One that has made a certificate for itself listens beyond this machine, even if only its own
    command line said so.
    """
    addresses: Sequence[Address] = settings.listened
    certificate = Certificate()
    if settings.tls.certificate:
        certificate.use(*settings.tls.files)
    elif own_certificate.exists():
        certificate.use(own_certificate, own_certificate)
        if all(address.is_local for address in addresses):
            addresses = [Address("*", settings.port)]
    return link_to(settings, addresses, certificate.fingerprint, token=token, room=room)
