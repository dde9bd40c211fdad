"""What each command makes of a ``.env`` that nobody has named, and says of it on standard error."""

import ipaddress
import sys

from pydantic import SecretStr

from trio_chat.cli.configure import Configuration, variable
from trio_chat.cli.env_file import FOLDER_FILE
from trio_chat.errors import SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.settings import Address, Settings, check_place

_NAME_IT = f"If you trust that file, name it: --env-file {FOLDER_FILE}"

# Where a client goes.
_PLACE = ("host", "port")


def complaint(configuration: Configuration, *sections: str) -> str:
    """A line if the folder's file sets what it is not trusted with, in these sections or at all."""
    names = [n for n in configuration.distrusted if not sections or n.partition(".")[0] in sections]
    if not names:
        return ""
    variables = ", ".join(map(variable, names))
    return f"{FOLDER_FILE} of this folder may not set {variables}. {_NAME_IT}"


def refuse(configuration: Configuration, *sections: str) -> Settings:
    """The settings, if nothing has been left out of them: for a server that would do without its
    password what it was meant to do with one. Raises SettingsError.
    """
    if why := complaint(configuration, *sections):
        raise SettingsError(why)
    return configuration.settings


def for_server(configuration: Configuration) -> Settings:
    """No folder opens this machine to others, either. Raises SettingsError."""
    sections = {name.partition(".")[0] for name in configuration.distrusted} - {"client", "screen"}
    settings = refuse(configuration, *sections) if sections else configuration.settings
    if "host" in configuration.of_folder and not _is_loopback(settings.host):
        raise SettingsError(
            f"{FOLDER_FILE} of this folder may not set {variable('host')} to anything but this "
            f"machine's own address. {_NAME_IT}"
        )
    return settings


def for_client(configuration: Configuration) -> Settings:
    """No secret from the folder's file, and none for a server that only it names. Raises
    SettingsError.
    """
    if why := complaint(configuration, "client"):
        say(why)
    settings = configuration.settings
    try:
        check_place(settings.host, settings.port)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    secret = _secrets(settings)
    if not secret or configuration.of_folder.isdisjoint(_PLACE):
        return settings
    place = Address(settings.host, settings.port)
    what = " or ".join(secret)
    say(f"no {what} is sent to {place}, from {FOLDER_FILE} of this folder. {_NAME_IT}")
    nothing = {"password": SecretStr(""), "password_command": "", "identity": SecretStr("")}
    return settings.model_copy(update={"client": settings.client.model_copy(update=nothing)})


def _secrets(settings: Settings) -> list[str]:
    client = settings.client
    password = bool(client.password.get_secret_value() or client.password_command.strip())
    identity = bool(client.identity.get_secret_value())
    return ["password"] * password + ["identity"] * identity


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def say(line: str) -> None:
    print(f"trio-chat: {clean(line)}", file=sys.stderr)
