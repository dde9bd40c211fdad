"""The server's password, printed by a command such as a password manager."""

import shlex
import subprocess

from pydantic import SecretStr, TypeAdapter, ValidationError

from trio_chat.errors import SettingsError
from trio_chat.settings import Settings
from trio_chat.settings.values import Password


def with_password(settings: Settings) -> Settings:
    """Run ``client.password_command`` for the password, unless there is one. The command may ask
    the person something. Raises SettingsError.
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
        raise _refusal("its output cannot be a password") from None


def _first_line_of(command: str) -> str:
    try:
        done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, check=True)  # noqa: S603
        line = done.stdout.decode().split("\n")[0].removesuffix("\r")
    except subprocess.CalledProcessError as error:
        raise _refusal(f"it exited with {error.returncode}") from None
    except OSError as error:
        raise _refusal(f"cannot run it: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise _refusal("its output is not UTF-8") from None
    except ValueError as error:  # an unclosed quotation, or a NUL
        raise _refusal(str(error).lower()) from None
    if not line.strip():
        raise _refusal("it printed no password")
    return line


def _refusal(why: str) -> SettingsError:
    return SettingsError(f"client.password_command: {why}")
