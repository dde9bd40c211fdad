"""The server's password from a command, such as a password manager's."""

import shlex
import subprocess

from pydantic import SecretStr, TypeAdapter, ValidationError

from trio_chat.errors import SettingsError
from trio_chat.settings import Password, Settings


def with_password(settings: Settings) -> Settings:
    """The settings with what ``client.password_command`` prints as the password, unless there is
    one. It may ask the person something first. Raises SettingsError.
    """
    client = settings.client
    if not client.password_command.strip() or client.password.get_secret_value():
        return settings
    password = _password(_first_line_of(client.password_command))
    return settings.model_copy(update={"client": client.model_copy(update={"password": password})})


def _password(line: str) -> SecretStr:
    try:
        return TypeAdapter[SecretStr](Password).validate_python(line)
    except ValidationError:
        raise _refusal("what it prints cannot be a password") from None


def _first_line_of(command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, check=True)  # noqa: S603
        line = done.stdout.decode().split("\n")[0].removesuffix("\r")
    except subprocess.CalledProcessError as error:
        raise _refusal(f"it ended with {error.returncode}") from None
    except OSError as error:
        raise _refusal(f"it cannot be run: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise _refusal("what it prints is not UTF-8") from None
    except ValueError as error:  # a quotation without an end, or a NUL
        raise _refusal(str(error).lower()) from None
    if not line.strip():
        raise _refusal("it printed no password")
    return line


def _refusal(why: str) -> SettingsError:
    return SettingsError(f"client.password_command: {why}")
