"""``trio-chat hash-password``: makes hashes of passwords for the settings."""

import getpass
import sys

from trio_chat.cli.exits import exit_on_error
from trio_chat.errors import SettingsError
from trio_chat.server.passwords import hash_password


def run_hash_password(*, debug: bool) -> None:
    """Ask for a password without showing it, and print its hash."""
    with exit_on_error(debug=debug):
        print(hash_password(_typed() if sys.stdin.isatty() else _piped()))


def _typed() -> str:
    try:
        password = _not_empty(getpass.getpass("Password: "))
        again = getpass.getpass("Repeat it: ")
    except EOFError:
        raise SettingsError("no password was given") from None
    if password != again:
        raise SettingsError("the two passwords differ")
    return password


def _piped() -> str:
    try:
        line = sys.stdin.buffer.readline().decode()
    except UnicodeDecodeError:
        raise SettingsError("the password is not UTF-8") from None
    return _not_empty(line.removesuffix("\n").removesuffix("\r"))


def _not_empty(password: str) -> str:
    if not password.strip():
        raise SettingsError("no password was given")
    return password
