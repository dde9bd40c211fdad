"""Passwords printed by a command such as a password manager."""

import shlex
import subprocess
from typing import TypeVar

from pydantic import SecretStr, TypeAdapter, ValidationError

from trio_chat.errors import SettingsError
from trio_chat.settings import ClientSettings, NodeSettings, Settings
from trio_chat.settings.described import variable
from trio_chat.settings.values import Password

_Section = TypeVar("_Section", ClientSettings, NodeSettings)


def with_passwords(settings: Settings) -> Settings:
    """Run the commands for passwords that we need and do not have. They may ask the person
    something. Raises SettingsError.
    """
    names = ["password", *(["account_password"] if settings.client.account else [])]
    client = settings.client
    for name in names:
        client = _with_password("client", client, name)
    if client.account and not client.account_password.get_secret_value():
        needed = variable("client.account_password")
        raise SettingsError(
            f"client.account: it needs a password. Set {needed} or {needed}_COMMAND"
        )
    return settings if client is settings.client else settings.model_copy(update={"client": client})


def with_engine_password(settings: Settings) -> Settings:
    """Run the command for the password of the engine that servers share, if they do. Raises
    SettingsError.
    """
    if not settings.nodes.through:
        return settings
    nodes = _with_password("nodes", settings.nodes, "password")
    return settings.model_copy(update={"nodes": nodes})


def _with_password(section: str, settings: _Section, name: str) -> _Section:
    setting = f"{name}_command"
    command: str = getattr(settings, setting)
    if not command.strip() or getattr(settings, name).get_secret_value():
        return settings
    try:
        return settings.model_copy(update={name: _password(_first_line_of(command))})
    except _NoPassword as error:
        raise SettingsError(f"{section}.{setting}: {error}") from None


class _NoPassword(Exception):
    """The command has not printed one."""


def _password(line: str) -> SecretStr:
    try:
        return TypeAdapter[SecretStr](Password).validate_python(line)
    except ValidationError:
        raise _NoPassword("its output cannot be a password") from None


def _first_line_of(command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, check=True)  # noqa: S603
        line = done.stdout.decode().split("\n")[0].removesuffix("\r")
    except subprocess.CalledProcessError as error:
        raise _NoPassword(f"it exited with {error.returncode}") from None
    except OSError as error:
        raise _NoPassword(f"cannot run it: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise _NoPassword("its output is not UTF-8") from None
    except ValueError as error:  # an unclosed quotation, or a NUL
        raise _NoPassword(str(error).lower()) from None
    if not line.strip():
        raise _NoPassword("it printed no password")
    return line
