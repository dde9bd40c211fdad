"""How far each command trusts a ``.env`` that nobody has named, and what it says about it."""

import sys

from trio_chat.cli.configure import Configuration
from trio_chat.cli.env_file import FOLDER_FILE
from trio_chat.errors import SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.settings import Settings
from trio_chat.settings.described import variable
from trio_chat.settings.places import Address, check_place

_NAME_IT = f"If you trust it, use --env-file {FOLDER_FILE}"

# Settings of a client that are not for every server.
_SECRETS = (
    *("invitation", "password", "password_command"),
    *("account", "account_password", "account_password_command", "identity"),
)

# Where a client connects.
_PLACE = ("host", "port", "client.others")


def complaint(configuration: Configuration, *sections: str) -> str:
    """Complain of settings the folder's file is not trusted with, in these sections or in any."""
    names = [n for n in configuration.distrusted if not sections or n.partition(".")[0] in sections]
    if not names:
        return ""
    variables = ", ".join(map(variable, names))
    return f"{FOLDER_FILE} in this folder may not set {variables}. {_NAME_IT}"


def refuse(configuration: Configuration, *sections: str) -> Settings:
    """The settings, unless some were distrusted: a server must not run without a password that it
    was meant to have. Raises SettingsError.
    """
    if why := complaint(configuration, *sections):
        raise SettingsError(why)
    return configuration.settings


def for_server(configuration: Configuration) -> Settings:
    """The settings, unless the folder would open this machine to others. Raises SettingsError."""
    sections = {name.partition(".")[0] for name in configuration.distrusted} - {"client", "screen"}
    settings = refuse(configuration, *sections) if sections else configuration.settings
    if "host" in configuration.of_folder and not _is_loopback(Address(settings.host)):
        raise SettingsError(
            f"{FOLDER_FILE} in this folder may set {variable('host')} only to this machine's own "
            f"address. {_NAME_IT}"
        )
    return settings


def for_client(configuration: Configuration) -> Settings:
    """The settings, without secrets if the server was named only by the folder's file. Raises
    SettingsError.
    """
    if why := complaint(configuration, "client"):
        say(why)
    settings = configuration.settings
    try:
        for address in settings.addresses:
            check_place(address.host, address.port)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    if "client.pin" in configuration.of_folder:
        raise SettingsError(f"{FOLDER_FILE} in this folder may not set a pin. {_NAME_IT}")
    secret = _secrets(settings)
    if not secret or configuration.of_folder.isdisjoint(_PLACE):
        return settings
    place = settings.addresses[0]
    what = " or ".join(secret)
    say(f"no {what} is sent to {place}, named by {FOLDER_FILE} in this folder. {_NAME_IT}")
    nothing = {name: type(getattr(settings.client, name))("") for name in _SECRETS}
    return settings.model_copy(update={"client": settings.client.model_copy(update=nothing)})


def _secrets(settings: Settings) -> list[str]:
    client = settings.client
    password = bool(client.password.get_secret_value() or client.password_command.strip())
    account = bool(client.account)
    identity = bool(client.identity.get_secret_value())
    return ["password"] * password + ["account"] * account + ["identity"] * identity


def _is_loopback(address: Address) -> bool:
    return address.is_local and not address.unix_path


def say(line: str) -> None:
    print(f"trio-chat: {clean(line)}", file=sys.stderr)
