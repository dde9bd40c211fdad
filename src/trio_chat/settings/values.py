"""The types of settings that are not plain numbers and texts."""

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic_settings import NoDecode

from trio_chat.settings import engine
from trio_chat.settings.checks import (
    check_account,
    check_encoding,
    check_nick,
    check_password,
    check_room,
    read_room,
)
from trio_chat.settings.pins import read_pins
from trio_chat.settings.places import (
    Address,
    check_addresses,
    check_host,
    check_other,
    read_address,
)

#: The operators' socket is where it is found by itself.
AUTO = "auto"


def _split(value: object) -> object:
    """Split a list at its commas."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_network(text: str) -> str:
    try:
        return text if text == "unix" else str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is not an address, a network (10.0.0.0/8) or unix") from None


def _check_public_name(name: str) -> str:
    with suppress(ValueError):
        return str(ipaddress.ip_address(name))
    if not re.fullmatch(r"([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?){0,40}", name):
        raise ValueError("must be a host name or an address, without a port")
    return name


def _check_web_host(host: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        raise ValueError(f"{host!r} is not a name without a port")
    return host.lower()


def _check_origin(origin: str) -> str:
    if not re.fullmatch(r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?", origin):
        raise ValueError(f"{origin!r} is not https://HOST or https://HOST:PORT")
    return origin.lower()


def _check_page_url(url: str) -> str:
    if not url:
        return ""
    found = re.fullmatch(r"(https?://[^/?#@\s]+)(/[!-~]*)?", url)
    if not found or "?" in url or "#" in url:
        raise ValueError("must be https://HOST/ or https://HOST/PATH/")
    path = found[2] or "/"
    return _check_origin(found[1]) + (path if path.endswith("/") else f"{path}/")


def _check_words(words: str) -> str:
    if not words.isprintable() or len(words) > 100:
        raise ValueError("must be one line of at most 100 characters")
    return words


def _check_lobby(room: str) -> str:
    name = room.lstrip("#")
    kinds = {unicodedata.category(char)[0] for char in name if char not in "_-.+"}
    numbers = any(char.isnumeric() and not char.isdecimal() for char in room)
    if name in ("", room) or len(room) > 50 or kinds - {"L", "M", "N"} or numbers:
        raise ValueError("must be # and at most 49 letters, digits and _-.+")
    return room


def _check_store(store: str) -> str:
    kind = re.match(r"(\w{2,}):", store)
    if kind and kind[1] not in ("memory", "sqlite"):
        raise ValueError("must be a path, sqlite:PATH or memory:")
    if kind and kind[1] == "memory" and store != "memory:":
        raise ValueError("memory: takes no path")
    return store


# scrypt, the logarithm of its cost, salt and hash, as passwords.hash_password makes them.
_HASH = re.compile(r"scrypt:(1\d|20):[\w-]+=*:[\w-]+=*", re.ASCII)


def _check_socket(path: str) -> str:
    if path not in ("", AUTO) and not path.startswith(("/", "~")):
        raise ValueError("must be auto, a path from / or ~ on, or empty")
    return path


def _check_engine(address: str) -> str:
    if address:
        engine.parse(address)
    return address


def _check_hash(hashed: str) -> None:
    if hashed and not _HASH.fullmatch(hashed):
        raise ValueError("must be a hash as 'trio-chat hash-password' prints it")


def _check_operators(operators: str) -> None:
    for name, hashed in read_operators(operators).items():
        if not re.fullmatch(r"[!-~]{1,50}", name) or not _HASH.fullmatch(hashed):
            raise ValueError("must be NAME=HASH, or several of these separated by commas")


def read_operators(operators: str) -> dict[str, str]:
    """The hashes of operators' passwords, by name."""
    pairs = (pair.strip().partition("=") for pair in operators.split(","))
    return {name: hashed for name, _, hashed in pairs if name}


def _check_identity(identity: str) -> None:
    if not re.fullmatch(r"([A-Za-z0-9_-]{16,128})?", identity):
        raise ValueError(
            "must be 16 to 128 letters, digits, - and _ that nobody can guess, such as "
            "'openssl rand -hex 16' prints"
        )


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def check_secret(secret: SecretStr) -> SecretStr:
        check(secret.get_secret_value())
        return secret

    return AfterValidator(check_secret)


#: Marks what holds hashes of passwords alone: nobody gets in by those.
HASHED = "hashed"

PasswordHash = Annotated[SecretStr, _secret(_check_hash), HASHED]
Password = Annotated[SecretStr, _secret(check_password)]
Identity = Annotated[SecretStr, _secret(_check_identity)]
Operators = Annotated[SecretStr, _secret(_check_operators), HASHED]

Host = Annotated[str, AfterValidator(check_host)]
Encoding = Annotated[str, AfterValidator(check_encoding)]
Engine = Annotated[str, AfterValidator(_check_engine)]
PublicName = Annotated[str, AfterValidator(_check_public_name)]
PageUrl = Annotated[str, AfterValidator(_check_page_url)]
Words = Annotated[str, AfterValidator(_check_words)]
Lobby = Annotated[str, AfterValidator(_check_lobby)]
Socket = Annotated[str, AfterValidator(_check_socket)]
Store = Annotated[str, AfterValidator(_check_store)]
Account = Annotated[str, AfterValidator(lambda account: account and check_account(account))]
_Name = Annotated[str, AfterValidator(check_nick)]
Names = Annotated[tuple[_Name, ...], NoDecode, BeforeValidator(_split)]
Nick = Annotated[str, AfterValidator(lambda nick: nick and check_nick(nick))]
Room = Annotated[str, AfterValidator(check_room), AfterValidator(read_room)]

Pins = Annotated[str, AfterValidator(read_pins)]

_Other = Annotated[str, AfterValidator(check_other)]
Others = Annotated[
    tuple[_Other, ...],
    NoDecode,
    BeforeValidator(_split),
    AfterValidator(check_addresses),
]

_Address = Annotated[
    Address, BeforeValidator(lambda text: read_address(text) if isinstance(text, str) else text)
]
_Network = Annotated[str, AfterValidator(_check_network)]
_WebHost = Annotated[str, AfterValidator(_check_web_host)]
_Origin = Annotated[str, AfterValidator(_check_origin)]
Hosts = Annotated[tuple[_WebHost, ...], NoDecode, BeforeValidator(_split)]
Origins = Annotated[tuple[_Origin, ...], NoDecode, BeforeValidator(_split)]
Addresses = Annotated[tuple[_Address, ...], NoDecode, BeforeValidator(_split)]
Networks = Annotated[tuple[_Network, ...], NoDecode, BeforeValidator(_split)]
