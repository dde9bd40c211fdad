"""The account's name and password, asked for on the terminal of a person who is not let in without.

Nothing of it is kept: the full screen has the server know this device from then on.
"""

import getpass
import sys

from pydantic import SecretStr, TypeAdapter, ValidationError

from trio_chat.cli.trust import say
from trio_chat.errors import NotAdmitted, SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.settings import Settings
from trio_chat.settings.values import Account, Password


def with_login(settings: Settings, refused: NotAdmitted, nick: str) -> Settings:
    """Add the account that the person names, or else the one called like the ``nick``. Raises the
    refusal if they give no password, and SettingsError if it can be none.
    """
    say(str(refused))
    address = settings.addresses[0]
    print(clean(f"Account at {address} [{nick}]: "), end="", file=sys.stderr, flush=True)
    name = sys.stdin.readline()
    if not name.endswith("\n"):
        print(file=sys.stderr)  # what follows begins a line
        raise refused
    try:
        password = getpass.getpass("Password: ")
    except EOFError:
        raise refused from None
    if not password.strip():
        raise refused
    try:
        login = {
            "account": TypeAdapter[str](Account).validate_python(name.strip() or nick),
            "account_password": TypeAdapter[SecretStr](Password).validate_python(password),
        }
    except ValidationError:
        raise SettingsError("that can be no account or no password") from None
    return settings.model_copy(update={"client": settings.client.model_copy(update=login)})
