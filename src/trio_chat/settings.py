"""Typed settings: what can be set, in which unit, within which bounds, and what it does.

A setting's name in the environment follows from its field: ``limits.line_bytes`` is
``TRIO_CHAT_LIMITS__LINE_BYTES``.
"""

import codecs
import ipaddress
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "TRIO_CHAT_"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen or to connect: a host and a TCP port, or ``unix:PATH`` with port 0."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        if self.unix_path:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def unix_path(self) -> str:
        """The path of a Unix socket; empty for TCP."""
        return self.host.removeprefix("unix:") if self.host.startswith("unix:") else ""


def _read_addresses(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(_read_address(part.strip()) for part in value.split(",") if part.strip())


def _read_address(text: str) -> Address:
    if text.startswith("unix:") and text != "unix:":
        return Address(text)
    found = re.fullmatch(r"(?:\[(?P<v6>[^\]]+)\]|(?P<name>[^:\[\]]+)):(?P<port>\d{1,5})", text)
    if found is None or int(found["port"]) > 65_535:
        raise ValueError(f"{text!r} is none of HOST:PORT, [IPV6]:PORT, unix:PATH")
    return Address(found["v6"] or found["name"], int(found["port"]))


def _read_networks(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _check_network(text: str) -> str:
    if text == "unix":
        return text
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(
            f"{text!r} is none of an address, a network such as 10.0.0.0/8, unix"
        ) from None


@dataclass(frozen=True, slots=True)
class Place:
    """What somebody has written for a host: it may hold more. ``port`` and ``room`` are empty if it
    does not; ``is_url`` tells whether it has a port anyhow, that of IRC.
    """

    host: str
    port: str = ""
    room: str = ""
    is_url: bool = False


#: What irc:// means without a port (draft-butcher-irc-url).
IRC_PORT = "6667"

_HOST = "it is a name, an address, *, or unix:PATH"
_PORT = (
    "after the colon stands a port, a number from 0 up to 65535; an IPv6 address needs [brackets]"
)


def read_place(text: str) -> Place:
    """HOST, HOST:PORT, an IPv6 address in brackets or not, unix:PATH, irc://HOST:PORT/ROOM. Raises
    ValueError.
    """
    if text.startswith("unix:") or not text or any(map(str.isspace, text)):
        return Place(check_host(text))
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return Place(*_host_and_port(text))
    if scheme.lower() != "irc":
        raise ValueError(
            "encrypted connections (TLS) are not there yet: irc:// is not encrypted"
            if scheme.lower() in ("ircs", "tls", "ssl")
            else "of addresses with :// there is only irc://HOST:PORT/ROOM"
        )
    where, _, path = rest.replace("#", "/#", 1).partition("/")
    if "@" in where:
        raise ValueError(
            "an address holds no nickname and no password: those are TRIO_CHAT_CLIENT__NICK and "
            "TRIO_CHAT_CLIENT__PASSWORD"
        )
    path, _, query = path.partition("?")
    name, *flags = unquote(path).lstrip("/").split(",")
    _check_flags(flags, query)
    return Place(*_host_and_port(where), name and read_room(name), is_url=True)


# What draft-butcher-irc-url lets stand behind a room, and makes no difference to us: whoever lacks
# a password is told so by the server.
_FLAGS = {"ischannel", "isserver", "isnetwork", "needpass"}


def _check_flags(flags: Sequence[str], query: str) -> None:
    """What follows the room in an address. Raises ValueError."""
    if {"isnick", "isuser"} & set(flags):
        raise ValueError("it names a person, not a room")
    if "needkey" in flags or query.startswith("key="):
        raise ValueError("an address holds no key of a room: /join ROOM KEY enters it")
    if query:
        raise ValueError("nothing can follow a ? in it")
    if unknown := [flag for flag in flags if flag not in _FLAGS]:
        raise ValueError(f"it names one room; {unknown[0]!r} behind that means nothing")


def without_password(host: str) -> str:
    """What somebody has written for a host, fit to be shown."""
    return host if host.startswith("unix:") else re.sub(r"^(\w+://)?.*@", r"\1(hidden)@", host)


def _host_and_port(text: str) -> tuple[str, str]:
    if text.count(":") > 1 and "[" not in text:
        return _ipv6(text), ""
    found = re.fullmatch(r"(?:\[([^\[\]]*)\]|([^:\[\]/@]+))(?::(.*))?", text)
    if found is None:
        raise ValueError(_HOST)
    address, name, port = found.groups()
    if port is not None and not (re.fullmatch(r"[0-9]{1,5}", port) and int(port) <= 65_535):
        raise ValueError(_PORT)
    return (name or _ipv6(address)), port or ""


def _ipv6(text: str) -> str:
    """It may end with a zone, as fe80::1%eth0."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        raise ValueError(
            _PORT if "[" not in text and text.rpartition(":")[2].isdigit() else _HOST
        ) from None
    return text


def check_host(host: str) -> str:
    """A host and nothing else. Raises ValueError."""
    if not host or host == "unix:" or any(c.isspace() for c in host):
        raise ValueError(_HOST)
    if not host.startswith("unix:") and read_place(host) != Place(host):
        raise ValueError(f"{_HOST}, without a port or a room")
    return host


def check_place(host: str, port: int) -> None:
    """Where one can connect to. Raises ValueError."""
    try:
        if "://" in host and not host.startswith("unix:"):
            raise ValueError(f"{_HOST}, without a port or a room")
        check_host(host)
    except ValueError as error:
        raise ValueError(f"host {without_password(host)!r}: {error}") from None
    if host == "*":
        raise ValueError("host '*': only a server is everywhere")
    if not host.startswith("unix:") and (type(port) is not int or not 1 <= port <= 65_535):
        raise ValueError(f"port {port!r}: it is a whole number from 1 up to 65535")


# What no server takes as a part of a nickname, or as its first character.
_NO_NICK = re.compile(r"^[#&$]|[\s,:!@*?]")
_NAME_MAX = 200  # characters; the names of every server are shorter, and fit into a line


def check_nick(nick: str) -> str:
    """One that some server may take. Raises ValueError."""
    if not 0 < len(nick) <= _NAME_MAX or not nick.isprintable() or _NO_NICK.search(nick):
        raise ValueError(f"{nick!r} cannot be a nickname")
    return nick


def check_room(room: str) -> str:
    """One that some server may have. Raises ValueError."""
    if not _ROOM.fullmatch(read_room(room)) or not room.isprintable():
        raise ValueError(f"{room!r} cannot be a room")
    return room


def check_key(key: str) -> str:
    """Of a room. Raises ValueError."""
    if key and (len(key.split()) != 1 or key.startswith(":") or "," in key):
        raise ValueError("the key of a room is one word, without a comma")
    return key


_ROOM = re.compile(r"[#&][^\s,:\x00-\x1f\x7f]{1,199}")


def read_room(room: str) -> str:
    """A room's name as somebody writes it: what it begins with may be missing."""
    return f"#{room}" if room and not room.startswith(("#", "&")) else room


def _check_lobby(room: str) -> str:
    name = room.lstrip("#")
    kinds = {unicodedata.category(char)[0] for char in name if char not in "_-.+"}
    numbers = any(char.isnumeric() and not char.isdecimal() for char in room)
    if name in ("", room) or len(room) > 50 or kinds - {"L", "M", "N"} or numbers:
        raise ValueError("it begins with # and goes on with letters, digits and _-.+ (at most 49)")
    return room


def check_encoding(encoding: str) -> str:
    """Lines are split at LF and commands known by "/": so ASCII must be a part of it. Nor may bytes
    mean one thing here and another one there, or stand for what is no text.
    """
    ascii_text = "".join(map(chr, range(128)))
    try:
        name = codecs.lookup(encoding).name
        if ascii_text.encode(name) != ascii_text.encode("ascii"):
            raise ValueError("it must have ASCII as a part, as utf-8 and latin-1 have")
        if name.startswith("iso2022") or name == "raw-unicode-escape":
            raise ValueError("it switches between meanings; utf-8 does not")
    except (LookupError, UnicodeError):
        raise ValueError("there is no such text encoding; utf-8 is one") from None
    return name


def _check_store(store: str) -> str:
    kind = re.match(r"(\w{2,}):", store)
    if kind and kind[1] not in ("memory", "sqlite"):
        raise ValueError("it is a path, sqlite:PATH or memory:")
    if kind and kind[1] == "memory" and store != "memory:":
        raise ValueError("memory: has no path")
    return store


# scrypt, the logarithm of its cost, salt and hash, as passwords.hash_password makes them.
_HASH = re.compile(r"scrypt:(1\d|20):[\w-]+=*:[\w-]+=*", re.ASCII)


def _check_hash(hashed: SecretStr) -> SecretStr:
    if hashed.get_secret_value() and not _HASH.fullmatch(hashed.get_secret_value()):
        raise ValueError("it is no hash as 'trio-chat hash-password' prints it")
    return hashed


def _check_operators(operators: SecretStr) -> SecretStr:
    for name, hashed in _pairs(operators):
        if not re.fullmatch(r"[!-~]{1,50}", name) or not _HASH.fullmatch(hashed):
            raise ValueError("it is not NAME=HASH, or several of these with commas between them")
    return operators


def _pairs(operators: SecretStr) -> list[tuple[str, str]]:
    pairs = (pair.strip().partition("=") for pair in operators.get_secret_value().split(","))
    return [(name, hashed) for name, _, hashed in pairs if name]


def check_password(password: str) -> str:
    """One that fits into a line, whatever is spoken. Raises ValueError, which does not show it."""
    if password != password.strip() or not (password.isprintable() and len(password) <= 200):
        raise ValueError(
            "the password is one line of at most 200 characters, with no blank around it"
        )
    return password


def _check_password(password: SecretStr) -> SecretStr:
    return SecretStr(check_password(password.get_secret_value()))


def _check_own_nick(nick: str) -> str:
    return check_nick(nick) if nick else nick


def _check_identity(identity: SecretStr) -> SecretStr:
    if not re.fullmatch(r"([A-Za-z0-9_-]{16,128})?", identity.get_secret_value()):
        raise ValueError(
            "it is 16 to 128 letters, digits, - and _ that nobody can guess, such as those that "
            "'openssl rand -hex 16' prints"
        )
    return identity


Bytes = Annotated[int, Field(json_schema_extra={"unit": "bytes"})]
Seconds = Annotated[float, Field(json_schema_extra={"unit": "seconds"})]
Messages = Annotated[int, Field(json_schema_extra={"unit": "messages"})]
PasswordHash = Annotated[SecretStr, AfterValidator(_check_hash)]
Password = Annotated[SecretStr, AfterValidator(_check_password)]
Identity = Annotated[SecretStr, AfterValidator(_check_identity)]
Operators = Annotated[SecretStr, AfterValidator(_check_operators)]
Addresses = Annotated[tuple[Address, ...], NoDecode, BeforeValidator(_read_addresses)]

Networks = Annotated[
    tuple[Annotated[str, AfterValidator(_check_network)], ...],
    NoDecode,
    BeforeValidator(_read_networks),
]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """How the server listens and stops."""

    listen: Addresses = Field(
        default=(),
        description="More addresses to listen on, separated by commas: HOST:PORT, [IPV6]:PORT or "
        "unix:PATH.",
    )
    lobby: Annotated[str, AfterValidator(_check_lobby)] = Field(
        default="#lobby", description="The room that everybody enters first."
    )
    room_modes: str = Field(
        default="n",
        pattern="^[imnst]*$",
        description="The modes of a new room, by their IRC letters: n lets only members speak, t "
        "lets only operators set the topic, m lets only people with a voice speak, s "
        "hides the room, i lets in only those who are invited.",
    )
    greeting_delay: Seconds = Field(
        # Most clients of IRC speak within milliseconds, some only after a second (Konversation),
        # and ours after 0.15 s, or later while it draws its screen.
        default=2,
        ge=0.2,
        le=10,
        description="How long a new connection may be silent before it is asked for a nickname.",
    )
    password: PasswordHash = Field(
        default=SecretStr(""),
        description="The password that everybody needs to get in, as hashed by 'trio-chat "
        "hash-password'.",
    )
    key: str = Field(
        default="",
        description="The file with the server's own secret, by which addresses are cloaked; it "
        "makes bans of addresses outlive a restart, and is made if it is missing. If "
        "empty, the file key beside the history; with memory:, a new secret at each "
        "start.",
    )
    shutdown_grace: Seconds = Field(
        default=5,
        ge=0,
        le=300,
        description="How long a stopping server goes on sending what clients have not read yet.",
    )


class IrcSettings(Section):
    """What IRC clients are told."""

    server_name: str = Field(
        default="chat.local",
        pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*(\.[A-Za-z0-9](-?[A-Za-z0-9])*)*$",
        max_length=63,
        description="The server's name, from which its own lines come.",
    )
    network: str = Field(
        default="trio-chat",
        pattern=r"^[!-~]+$",
        max_length=40,
        description="The name of this chat as clients show it, one word.",
    )
    motd: str = Field(
        default="",
        max_length=20_000,
        description="The message of the day, shown to everybody who connects.",
    )
    operators: Operators = Field(
        default=SecretStr(""),
        description="The people who may become operators of the server, separated by commas: "
        "NAME=HASH, as hashed by 'trio-chat hash-password'.",
    )
    cloak: bool = Field(
        default=True,
        description="Whether others see a cloaked host in place of somebody's address.",
    )

    def hashes(self) -> dict[str, str]:
        """The hashes of the operators' passwords, by name."""
        return dict(_pairs(self.operators))


class LimitSettings(Section):
    """What one client may cost, and all from one address; all of it is on by default."""

    connections: int = Field(
        default=10_000, ge=1, le=1_000_000, description="The most connections at once."
    )
    connections_per_address: int = Field(
        default=2_000,
        ge=1,
        le=1_000_000,
        description="The most connections from one address (for IPv6, from one /64 network).",
    )
    arrivals_per_second: float = Field(
        default=5,
        gt=0,
        le=1_000_000,
        json_schema_extra={"unit": "connections per second"},
        description="How fast new connections may keep coming from one address; others are turned "
        "away.",
    )
    arrival_burst: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        json_schema_extra={"unit": "connections"},
        description="How many connections may come from one address at once, as after an outage, "
        "before that speed applies.",
    )
    guesses_per_minute: float = Field(
        default=10,
        gt=0,
        le=1_000_000,
        json_schema_extra={"unit": "guesses per minute"},
        description="How often wrong passwords may keep coming from one address; beyond that none "
        "is even looked at.",
    )
    guess_burst: int = Field(
        default=10,
        ge=1,
        le=1_000_000,
        json_schema_extra={"unit": "guesses"},
        description="How many wrong passwords may come from one address at once before that "
        "applies.",
    )
    exempt: Networks = Field(
        default=("127.0.0.0/8", "::1/128", "unix"),
        description="Addresses and networks that many people share, such as a proxy's, separated "
        "by commas; unix stands for Unix sockets. Of the limits per address only "
        "connections_per_address applies to them.",
    )
    registration: Seconds = Field(
        default=60,
        gt=0,
        le=3600,
        description="How long a connection may take to give its nickname.",
    )
    line_bytes: Bytes = Field(
        default=4096, ge=64, le=65_536, description="The longest line that a client may send."
    )
    messages_per_second: float = Field(
        default=10,
        gt=0,
        le=1_000_000,
        json_schema_extra={"unit": "messages per second"},
        description="How fast a client may keep writing; a faster one is read more slowly.",
    )
    message_burst: Messages = Field(
        default=100,
        ge=10,  # the nickname and the first room are among them
        le=1_000_000,
        description="How many messages may come at once, as from a paste, before that speed "
        "applies.",
    )
    writers_per_address: float = Field(
        default=8,
        ge=1,
        le=1_000_000,
        json_schema_extra={"unit": "clients"},
        description="All connections from one address together may write as fast as so many "
        "clients; beyond that they take turns.",
    )
    outbox_bytes: Bytes = Field(
        default=1_048_576,
        ge=262_144,
        le=1_073_741_824,
        description="How much may wait for a client that reads too slowly before it is "
        "disconnected.",
    )
    keepalive: Seconds = Field(
        default=60,
        ge=10,
        le=7200,
        description="After how long a silence TCP checks whether the peer is still there.",
    )
    ping: Seconds = Field(
        default=90,
        ge=1,
        le=7200,
        description="After how long a silence an IRC client is sent a PING; it has as long to "
        "answer.",
    )
    rooms: int = Field(
        default=1000,
        ge=1,
        le=1_000_000,
        description="The most rooms at once, not counting the lobby; from one address, only as "
        "many as are left for others.",
    )
    rooms_each: int = Field(
        default=100, ge=1, le=10_000, description="The most rooms that one client may be in."
    )


class HistorySettings(Section):
    """What was said before, and where it is kept."""

    store: Annotated[str, AfterValidator(_check_store)] = Field(
        default="",
        description="Where history is kept: the path of a file, or memory: to forget everything "
        "when the server stops. If empty, chat.db in the data directory of your "
        "account.",
    )
    replay: Messages = Field(
        default=20,
        ge=0,
        le=1000,
        description="How many of a room's last messages a newcomer is shown.",
    )
    days: float = Field(
        default=0,
        ge=0,
        le=36_500,
        json_schema_extra={"unit": "days"},
        description="How long history is kept; 0 means for ever.",
    )
    per_room: Messages = Field(
        default=1_000_000,
        ge=1,
        le=1_000_000_000,
        description="How many messages of each room are kept.",
    )
    total_bytes: Bytes = Field(
        default=4_294_967_296,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="How large the file may become; beyond that, comings and goings are removed "
        "first, then the oldest messages of whoever has most.",
    )
    memory_bytes: Bytes = Field(
        default=67_108_864,
        ge=1_048_576,
        le=1_099_511_627_776,
        description="With memory:, about how much memory history may take.",
    )
    cache_bytes: Bytes = Field(
        default=8_388_608,
        ge=65_536,
        le=1_099_511_627_776,
        description="How much memory may be used to cache the file.",
    )
    on_failure: Literal["refuse", "continue"] = Field(
        default="refuse",
        description="What happens to messages when the disk is full or broken: refuse them, or "
        "continue without storing them.",
    )


class ClientSettings(Section):
    """How the client behaves."""

    nick: Annotated[str, AfterValidator(_check_own_nick)] = Field(
        default="",
        description="The nickname to use; empty is the name of your account, or one like it if "
        "somebody has that.",
    )
    protocol: Literal["auto", "plain", "irc"] = Field(
        default="auto",
        description="What to speak: irc, or plain, as the tutorial's server does; auto listens for "
        "a moment and finds out.",
    )
    room: Annotated[str, AfterValidator(check_room), AfterValidator(read_room)] = Field(
        default="#lobby",
        description="The room to enter; where plain is spoken, #lobby is whichever room the server "
        "puts newcomers into.",
    )
    password: Password = Field(
        default=SecretStr(""),
        description="What the server asks for, if it lets in only those who know its password. Not "
        "for the command line, where others can read it.",
    )
    password_command: str = Field(
        default="",
        description="A command that prints this password, as 'pass show chat'; it is run once, "
        "without a shell.",
    )
    identity: Identity = Field(
        default=SecretStr(""),
        description="A secret by which a trio-chat server knows you again, as for a bot that says "
        "once more what may not have arrived before it was started anew; empty is a new one each "
        "time, but for the full screen, which remembers its own.",
    )
    retry: bool = Field(
        default=False,
        description="Whether to connect again when the server cannot be reached or is lost.",
    )
    plain: bool = Field(
        default=False,
        description="Whether to print line after line on a terminal, too, as for a screen reader, "
        "instead of drawing on the full screen.",
    )
    typing: bool = Field(
        default=False,
        description="Whether to let others know, from the full screen, that you type.",
    )
    state: bool = Field(
        default=True,
        description="Whether the full screen remembers, in a file that is yours alone, what you "
        "typed and read, and what has not arrived yet.",
    )
    json_lines: bool = Field(
        default=False,
        description="Whether to read and print JSON, an object a line, as programs want it.",
    )


class ScreenSettings(Section):
    """How the client's full screen looks, and how it calls somebody who does not look."""

    theme: Literal["dark", "light", "terminal"] = Field(
        default="dark",
        description="Its colours; terminal takes those that the terminal has. With NO_COLOR in the "
        "environment there are none.",
    )
    mouse: bool = Field(
        default=False,
        description="Whether the mouse scrolls and selects here; then the terminal itself does not "
        "select any more.",
    )
    title: bool = Field(
        default=True, description="Whether the window's title tells the room, and who has called."
    )
    bell: bool = Field(
        default=True, description="Whether to ring when somebody names you or writes to you alone."
    )
    notify: Literal["auto", "osc9", "osc777", "off"] = Field(
        default="auto",
        description="How to ask the terminal for a notification of that, when it is not looked at; "
        "auto takes what it probably knows.",
    )


class LogSettings(Section):
    """What the server reports on its standard error; texts of messages only at debug level."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important level of report that is written."
    )
    format: Literal["auto", "text", "json"] = Field(
        default="auto",
        description="Whether each report is a line of text or of JSON; auto is text on a terminal.",
    )


class Settings(BaseSettings):
    """Everything that can be set. ``Settings()`` reads the environment and nothing else."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a password may be in it
    )

    host: Annotated[str, AfterValidator(check_host)] = Field(
        default="127.0.0.1",
        description="Where the server listens and the client connects to: a name, an address, "
        "* for all addresses (server only), or unix:PATH; also with a port, as HOST:PORT or "
        "[IPV6]:PORT, and for the client as irc://HOST:PORT/ROOM.",
    )
    port: int = Field(
        default=55555,
        ge=0,
        le=65_535,
        description="The TCP port; with 0 the server takes a free one.",
    )
    encoding: Annotated[str, AfterValidator(check_encoding)] = Field(
        default="utf-8", description="The encoding of plain text, which must include ASCII."
    )
    server: ServerSettings = ServerSettings()
    irc: IrcSettings = IrcSettings()
    limits: LimitSettings = LimitSettings()
    history: HistorySettings = HistorySettings()
    client: ClientSettings = ClientSettings()
    screen: ScreenSettings = ScreenSettings()
    log: LogSettings = LogSettings()

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, given: Any) -> Any:
        """A host may hold more than that, which must not contradict what else is given."""
        if not isinstance(given, dict) or not isinstance(given.get("host"), str):
            return given
        try:
            place = read_place(given["host"])
        except ValueError:
            return given  # what is wrong with it is told by its own validator
        return _with_place(given, place)


def _with_place(given: dict[str, Any], place: Place) -> dict[str, Any]:
    client = given.get("client", {})
    port = given.get("port", place.port or (IRC_PORT if place.is_url else None))
    if place.port and str(port) != place.port:
        raise ValueError(f"host {given['host']!r} and port {port} contradict each other")
    whole = given | {"host": place.host} | ({} if port is None else {"port": port})
    if place.room and isinstance(client, dict):
        whole["client"] = {"room": place.room, **client}
    elif place.room and "room" not in client.model_fields_set:
        whole["client"] = client.model_copy(update={"room": place.room})
    return whole
