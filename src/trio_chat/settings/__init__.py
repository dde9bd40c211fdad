"""Typed settings: what can be set, in which unit, within which bounds, and what it does.

A setting's name in the environment follows from its field: ``limits.line_bytes`` is
``TRIO_CHAT_LIMITS__LINE_BYTES``.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from trio_chat.errors import SettingsError
from trio_chat.settings import values
from trio_chat.settings.described import PREFIX, settings_error
from trio_chat.settings.places import Address, Place, each_address, read_place

_MILLION = 1_000_000
_MEGABYTE = 2**20
_TERABYTE = 2**40


def _setting(default: Any, description: str, *, unit: str = "", **bounds: Any) -> Any:
    return Field(
        default,
        description=description,
        json_schema_extra={"unit": unit} if unit else None,
        **bounds,
    )


def _number(default: float, least: float, most: float, description: str, unit: str = "") -> Any:
    return _setting(default, description, unit=unit, ge=least, le=most)


def _rate(default: float, unit: str, description: str) -> Any:
    return _setting(default, description, unit=unit, gt=0, le=_MILLION)


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ServerSettings(Section):
    """How the server listens and stops."""

    listen: values.Addresses = _setting(
        (), "More addresses to listen on, separated by commas: HOST:PORT, [IPV6]:PORT or unix:PATH."
    )
    proxies: values.Networks = _setting(
        (),
        "Addresses and networks of proxies that connect for others, separated by commas; unix "
        "stands for Unix sockets. Connections from there have to begin with a header of the PROXY "
        "protocol, version 1 or 2, or be requests of HTTP with X-Forwarded-For, and come from the "
        "address in that. A server with proxies is one that others can reach.",
    )
    lobby: values.Lobby = _setting("#lobby", "The room that everybody enters first.")
    room_modes: str = _setting(
        "n",
        "The modes of a new room, as IRC letters: n lets only members speak, t lets only operators "
        "set the topic, m lets only people with a voice speak, s hides the room, i lets in only "
        "those who are invited.",
        pattern="^[imnst]*$",
    )
    # Most IRC clients speak within milliseconds, some only after a second (Konversation), and ours
    # after 0.15 s, or later while it draws its screen.
    greeting_delay: float = _number(
        2,
        0.2,
        10,
        "How long a new connection may be silent before it is asked for a nickname.",
        "seconds",
    )
    password: values.PasswordHash = _setting(
        SecretStr(""),
        "The password that guests need to get in, hashed by 'trio-chat hash-password'. Whoever has "
        "an account or an invitation needs none.",
    )
    public_name: values.PublicName = _setting(
        "",
        "The name or address by which others reach the server. It is written into the certificate "
        "that the server makes for itself; if empty, the names and addresses of this machine are.",
    )
    others: values.Others = _setting(
        (),
        "The other servers of this chat, separated by commas: HOST, HOST:PORT or [IPV6]:PORT; "
        "without a port, with that of this one. Invitations name them, too, so a client goes there "
        "when this server does not answer. All of them show the same certificate.",
    )
    contact: values.Words = _setting(
        "",
        "Where those can turn to who are banned, or kept out by the lock: an address of mail, say. "
        "They are told it together with the reason.",
    )
    key: str = _setting(
        "",
        "The file with the server's secret, which cloaks addresses so that bans of them outlive a "
        "restart; it is created if missing. If empty, the file key beside the history; with "
        "memory:, a new secret at each start.",
    )
    shutdown_grace: float = _number(
        5,
        0,
        300,
        "How long a stopping server keeps sending what clients have not read yet.",
        "seconds",
    )


class TlsSettings(Section):
    """Encryption."""

    certificate: str = _setting(
        "",
        "The file with the server's certificate and those of its issuers, in PEM. If empty, a "
        "server that others can reach makes a certificate for itself: certificate.pem beside its "
        "key; with memory:, a new one at each start.",
    )
    key: str = _setting(
        "",
        "The file with the key of tls.certificate, in PEM, without a password.",
        validate_default=True,
    )
    clear: Literal["loopback", "private", "anyone"] = _setting(
        "loopback",
        "Who may come without TLS: those on this machine (loopback addresses and Unix sockets), "
        "also those in private networks, or anyone.",
    )
    handshake: float = _number(10, 1, 60, "How long the handshake of TLS may take.", "seconds")

    sts_days: int = _number(
        0,
        0,
        3650,
        "For how long IRC clients are told to speak only TLS with this server (sts); 0 tells them "
        "nothing. Only with a certificate of a CA, which all of them trust.",
        "days",
    )

    @property
    def files(self) -> tuple[Path, Path]:
        """The paths of the certificate and of its key."""
        return Path(self.certificate).expanduser(), Path(self.key).expanduser()

    @field_validator("key")
    @classmethod
    def _fits(cls, key: str, others: ValidationInfo) -> str:
        if bool(key) != bool(others.data.get("certificate")):
            raise ValueError("tls.certificate and tls.key need each other: set both or neither")
        return key

    @field_validator("sts_days")
    @classmethod
    def _is_trusted(cls, days: int, others: ValidationInfo) -> int:
        if days and not others.data.get("certificate"):
            raise ValueError("needs a certificate of a CA: set tls.certificate, too")
        return days


class WebSettings(Section):
    """The page in the browser."""

    enabled: bool = _setting(
        True, "Whether browsers are shown a page to chat with; otherwise they are turned away."
    )
    title: values.Words = _setting("", "The name of the page; if empty, that of irc.network.")
    url: values.PageUrl = _setting(
        "",
        "Where a proxy has the page: https://HOST/ or https://HOST/PATH/. What the server prints, "
        "and invitations, lead there; its host and its origin are among ours.",
    )
    hosts: values.Hosts = _setting(
        (),
        "The names by which browsers may reach the page besides addresses, separated by commas, "
        "without ports. If empty, any; but from this machine only localhost and "
        "server.public_name, or pages of others could reach it by a name of theirs.",
    )
    origins: values.Origins = _setting(
        (),
        "Pages of others that may chat here over WebSocket, such as another web client, separated "
        "by commas: https://HOST or https://HOST:PORT.",
    )


class IrcSettings(Section):
    """The server as IRC clients see it."""

    server_name: str = _setting(
        "chat.local",
        "The server's name, which its own lines come from.",
        pattern=r"^[A-Za-z0-9](-?[A-Za-z0-9])*(\.[A-Za-z0-9](-?[A-Za-z0-9])*)*$",
        max_length=63,
    )
    network: str = _setting(
        "trio-chat",
        "The name of this chat in clients, one word.",
        pattern=r"^[!-~]+$",
        max_length=40,
    )
    motd: str = _setting(
        "", "The message of the day, shown to everybody who connects.", max_length=20_000
    )
    operators: values.Operators = _setting(
        SecretStr(""),
        "The people who may become operators of the server, separated by commas: NAME=HASH, hashed "
        "by 'trio-chat hash-password'.",
    )
    cloak: bool = _setting(True, "Whether others see a cloaked host instead of a person's address.")

    def hashes(self) -> dict[str, str]:
        """The hashes of the operators' passwords, by name."""
        return values.read_operators(self.operators.get_secret_value())


class AccountSettings(Section):
    """Accounts, the passwords that open them, and who is let in without one."""

    guests: Literal["auto", "open", "invited", "closed"] = _setting(
        "auto",
        "Who is let in without an account: everybody (open), those with an invitation or the "
        "server's password (invited), or nobody (closed): then an invitation lets one in to "
        "register; before that one can enter and read, but say nothing. auto is open if the "
        "server listens on this machine alone, and invited beyond.",
    )
    registration: Literal["auto", "open", "invited", "closed"] = _setting(
        "auto",
        "Who may register an account: everybody who is let in (open), those with an invitation or "
        "the server's password (invited), or nobody (closed). auto is open if the server listens "
        "on this machine alone, and invited beyond.",
    )
    operators: values.Names = _setting(
        (),
        "The accounts whose owners are operators of the server, separated by commas. One that is "
        "yet to be registered can be only on this machine, or with an invitation for operators.",
    )

    # RFC 7677 (section 4) wants 4096 at least; today OWASP wants 600,000 of PBKDF2 with SHA-256.
    iterations: int = _number(
        600_000,
        4096,
        10_000_000,
        "How slow it is made to guess a password of which somebody has got the verifier: so many "
        "rounds of PBKDF2. For passwords that are set from now on.",
        "iterations",
    )
    password_min: int = _number(8, 1, 100, "The fewest characters of a password.", "characters")


class LimitSettings(Section):
    """The most that one client, or all from one address, may use. All are on by default."""

    connections: int = _number(10_000, 1, _MILLION, "The most connections at once.")
    connections_per_address: int = _number(
        2_000,
        1,
        _MILLION,
        "The most connections from one address (for IPv6, from one /64 network).",
    )
    arrivals_per_second: float = _rate(
        5,
        "connections per second",
        "How fast new connections may keep coming from one address; more are turned away.",
    )
    arrival_burst: int = _number(
        200,
        1,
        _MILLION,
        "How many connections may come from one address at once, as after an outage, before that "
        "rate applies.",
        "connections",
    )
    guesses_per_minute: float = _rate(
        10,
        "guesses per minute",
        "How often wrong passwords may keep coming from one address; beyond that, passwords from "
        "it are not even checked.",
    )
    guess_burst: int = _number(
        10,
        1,
        _MILLION,
        "How many wrong passwords may come from one address at once before that rate applies.",
        "guesses",
    )
    registrations_per_hour: int = _number(
        5,
        1,
        _MILLION,
        "How many accounts may be registered from one address within an hour; a new password "
        "counts as one.",
        "registrations",
    )
    metadata_per_hour: int = _number(
        100,
        1,
        _MILLION,
        "How often metadata of people and rooms may be set from one address within an hour.",
        "changes",
    )
    exempt: values.Networks = _setting(
        ("127.0.0.0/8", "::1/128", "unix"),
        "Addresses and networks that many people share, such as a school's, separated by commas; "
        "unix stands for Unix sockets. Of the limits per address, only connections_per_address "
        "applies to them.",
    )
    registration: float = _setting(
        60,
        "How long a connection may take to give its nickname.",
        unit="seconds",
        gt=0,
        le=3600,
    )
    line_bytes: int = _number(4096, 64, 65_536, "The longest line that a client may send.", "bytes")
    messages_per_second: float = _rate(
        10,
        "messages per second",
        "How fast a client may keep writing; a faster one is read more slowly.",
    )
    message_burst: int = _number(
        100,
        10,  # the nickname and the first room are among them
        _MILLION,
        "How many messages may come at once, as from a paste, before that rate applies.",
        "messages",
    )
    writers_per_address: float = _number(
        8,
        1,
        _MILLION,
        "All connections from one address together may write as fast as this many clients; beyond "
        "that they take turns.",
        "clients",
    )
    outbox_bytes: int = _number(
        _MEGABYTE,
        _MEGABYTE // 4,
        2**30,
        "How much may wait for a slow reader before it is disconnected.",
        "bytes",
    )
    keepalive: float = _number(
        60,
        10,
        7200,
        "How long a connection may be silent before TCP checks whether the peer is still there.",
        "seconds",
    )
    ping: float = _number(
        90,
        1,
        7200,
        "How long an IRC client may be silent before it is sent a PING; it has as long to answer.",
        "seconds",
    )
    rooms: int = _number(
        1000,
        1,
        _MILLION,
        "The most rooms at once, not counting the lobby; from one address, only as many as are "
        "left for others.",
    )
    rooms_each: int = _number(100, 1, 10_000, "The most rooms that one client may be in.")


class RoomSettings(Section):
    """The rules in rooms, and in private conversations."""

    redact_hours: int = _number(
        24,
        0,
        87_600,
        "How long people may remove what they have said; 0 means never. The operators of a room "
        "always may, there.",
        "hours",
    )


class HistorySettings(Section):
    """The history that is kept, and where."""

    store: values.Store = _setting(
        "",
        "Where history is kept: the path of a file, or memory: to forget everything when the "
        "server stops. If empty, chat.db in the data directory of your account.",
    )
    replay: int = _number(
        20, 0, 1000, "How many of a room's last messages a newcomer is shown.", "messages"
    )
    days: float = _number(0, 0, 36_500, "How long history is kept; 0 means for ever.", "days")
    per_room: int = _number(
        _MILLION, 1, 1_000_000_000, "How many messages of each room are kept.", "messages"
    )
    total_bytes: int = _number(
        2**32,
        _MEGABYTE,
        _TERABYTE,
        "How large the file may become; beyond that, comings and goings are removed first, then "
        "the oldest messages of whoever has most.",
        "bytes",
    )
    memory_bytes: int = _number(
        64 * _MEGABYTE,
        _MEGABYTE,
        _TERABYTE,
        "With memory:, about how much memory history may take.",
        "bytes",
    )
    cache_bytes: int = _number(
        8 * _MEGABYTE, 65_536, _TERABYTE, "How much memory may be used to cache the file.", "bytes"
    )
    on_failure: Literal["refuse", "continue"] = _setting(
        "refuse",
        "What happens to messages when the disk is full or broken: refuse them, or continue "
        "without storing them.",
    )


class ClientSettings(Section):
    """How the client behaves."""

    nick: values.Nick = _setting(
        "", "Your nickname. If empty, the name of your account, or a similar one if it is taken."
    )
    protocol: Literal["auto", "plain", "irc"] = _setting(
        "auto",
        "The protocol: irc, plain (which the tutorial's server speaks), or auto to listen for a "
        "moment and find out.",
    )
    room: values.Room = _setting(
        "#lobby",
        "The room to enter. With plain, #lobby is whichever room the server puts newcomers into.",
    )
    tls: Literal["auto", "on", "off"] = _setting(
        "auto",
        "Whether to speak TLS: on, off (in clear, for all on the way to read), or auto, which is "
        "on, but off on this machine. ircs:// and irc:// before the host say it, too.",
    )
    others: values.Others = _setting(
        (),
        "More addresses of the same chat, separated by commas: HOST, HOST:PORT or [IPV6]:PORT; "
        "without a port, with that of the first. The client goes on to the next one when the one "
        "where it is no longer answers. They may also stand after the first in the host: "
        "HOST,HOST:PORT.",
    )
    pin: values.Pins = _setting(
        "",
        "The SHA-256 of the server's certificate, in hexadecimal digits or base64, if it shall be "
        "that one and no other. If empty, it is the one that you trust since the last time, or has "
        "to be one that this system trusts. With client.others, one for all, or one for each with "
        "commas between them.",
    )
    invitation: values.Password = _setting(
        SecretStr(""),
        "An invitation to the chat, as a link has it. It is shown in place of the server's "
        "password.",
    )
    password: values.Password = _setting(
        SecretStr(""),
        "The server's password, if it has one.",
    )
    password_command: str = _setting(
        "",
        "A command that prints the server's password, such as 'pass show chat'. It runs once, "
        "without a shell.",
    )
    account: values.Account = _setting(
        "",
        "Your account on an IRC server, to log in to (SASL); its password is not the server's. If "
        "empty, you are there as a guest.",
    )
    account_password: values.Password = _setting(
        SecretStr(""),
        "The password of your account.",
    )
    account_password_command: str = _setting(
        "", "A command that prints the password of your account. It runs once, without a shell."
    )
    identity: values.Identity = _setting(
        SecretStr(""),
        "A secret by which a trio-chat server recognises you, so that a bot can send again after a "
        "restart what may not have arrived. If empty, a new one each time; the full screen "
        "remembers its own.",
    )
    rooms_back: bool = _setting(
        True,
        "Whether you are in the rooms where you were, as well as in those that this client enters, "
        "when you log in to a trio-chat server.",
    )
    retry: bool = _setting(
        False, "Whether to reconnect when the server is lost or cannot be reached."
    )
    plain: bool = _setting(
        False,
        "Whether to print one line after another even on a terminal, as for a screen reader, "
        "instead of drawing the full screen.",
    )
    typing: bool = _setting(False, "Whether the full screen lets others know that you are typing.")
    state: bool = _setting(
        True,
        "Whether the full screen remembers, in a file that only you can read, what you typed and "
        "read and what has not arrived yet.",
    )
    json_lines: bool = _setting(
        False, "Whether to read and print JSON, one object per line, for programs."
    )


class ScreenSettings(Section):
    """How the client's full screen looks, and how it calls for attention."""

    theme: Literal["dark", "light", "terminal"] = _setting(
        "dark",
        "The colours; terminal means the terminal's own. NO_COLOR in the environment turns them "
        "off.",
    )
    mouse: bool = _setting(
        False,
        "Whether the mouse scrolls and clicks in the screen instead of selecting text in the "
        "terminal.",
    )
    title: bool = _setting(True, "Whether the window's title shows the room and what is unread.")
    bell: bool = _setting(
        True, "Whether to ring when somebody mentions you or writes to you in private."
    )
    notify: Literal["auto", "osc9", "osc777", "off"] = _setting(
        "auto",
        "How to ask the terminal for a notification then, while its window is not focused; auto "
        "picks what the terminal probably understands.",
    )


class NodeSettings(Section):
    """Several servers that are one chat, through Redis or Valkey."""

    through: values.Engine = _setting(
        "",
        "The engine that the servers of this chat share, and the chat's name there: "
        "redis://[USER@]HOST[:PORT]/NAME, rediss://… for TLS, unix:[USER@]PATH?NAME, or "
        "sentinel://HOST[:PORT],…/SERVICE/NAME. Each server keeps a copy of the history in its own "
        "file, and all have the same server.key. If empty, this server is a chat of its own.",
    )
    password: values.Password = _setting(
        SecretStr(""),
        "The engine's password.",
    )
    password_command: str = _setting(
        "",
        "A command that prints the engine's password, such as 'pass show redis'. It runs when the "
        "settings are read, without a shell.",
    )
    name: values.Words = _setting(
        "",
        "The name of this server among the others, for those who run them. If empty, the name of "
        "the machine.",
    )
    lease: float = _number(
        4, 2, 60, "After how long the people of a server leave that tells nothing.", "seconds"
    )
    patience: float = _number(
        10,
        1,
        300,
        "How long people wait for an engine that does not answer before they are refused.",
        "seconds",
    )
    keep: int = _number(
        200_000,
        10_000,
        10_000_000,
        "How many of the last events the engine keeps: a server that has missed more cannot catch "
        "up without a backup of another one's history.",
        "events",
    )


class OpsSettings(Section):
    """Running the server."""

    admin: values.Socket = _setting(
        values.AUTO,
        "The Unix socket by which 'trio-chat admin' reaches the server: on it, root and the user "
        "that runs the server are operators, and all others are turned away. auto is the file "
        "admin beside the server's key, or none if there is no such file; empty is none.",
    )
    listen: values.Addresses = _setting(
        (),
        "Where the server answers health checks and scrapes by HTTP (/healthz, /readyz, /metrics), "
        "separated by commas: HOST:PORT, [IPV6]:PORT or unix:PATH. All who can reach it can read "
        "them, so keep it from strangers.",
    )
    drain: int = _number(
        60,
        0,
        86_400,
        "How long people have to leave after 'trio-chat admin drain', before the server ends.",
        "seconds",
    )


class LogSettings(Section):
    """The server's log on standard error. No texts of messages appear in it."""

    level: Literal["debug", "info", "warning", "error"] = _setting(
        "info", "The least important level that is logged."
    )
    format: Literal["auto", "text", "json"] = _setting(
        "auto", "Whether each line is text or JSON; auto is text on a terminal, and JSON elsewhere."
    )


class Settings(BaseSettings):
    """All settings. ``Settings()`` reads the environment and nothing else. Raises SettingsError."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,  # a password may be in it
    )

    host: values.Host = _setting(
        "127.0.0.1",
        "Where the server listens and the client connects: a name, an address, * for all addresses "
        "(server only), or unix:PATH; also with a port, as HOST:PORT or [IPV6]:PORT, and for the "
        "client as a link, ircs://HOST:PORT/ROOM, or irc:// without encryption, or as several "
        "addresses of one chat, HOST:PORT,HOST:PORT.",
    )
    port: int = _number(55555, 0, 65_535, "The TCP port; with 0 the server takes a free one.")
    encoding: values.Encoding = _setting(
        "utf-8", "The encoding of plain text, which must include ASCII."
    )
    server: ServerSettings = ServerSettings()
    tls: TlsSettings = TlsSettings()
    web: WebSettings = WebSettings()
    irc: IrcSettings = IrcSettings()
    accounts: AccountSettings = AccountSettings()
    limits: LimitSettings = LimitSettings()
    rooms: RoomSettings = RoomSettings()
    history: HistorySettings = HistorySettings()
    client: ClientSettings = ClientSettings()
    screen: ScreenSettings = ScreenSettings()
    nodes: NodeSettings = NodeSettings()
    ops: OpsSettings = OpsSettings()
    log: LogSettings = LogSettings()

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Where the client finds its chat, the first place to go first."""
        return each_address(self.host, self.port, self.client.others)

    @property
    def listened(self) -> tuple[Address, ...]:
        """Where the server listens. Raises SettingsError if the host is several."""
        if self.client.others:
            raise SettingsError(
                "client.others: a server listens on one host; server.listen names more addresses"
            )
        return (Address(self.host, self.port), *self.server.listen)

    @model_validator(mode="wrap")
    @classmethod
    def _validate(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return validate(given)
        except ValidationError as error:
            raise settings_error(error, cls) from None

    @model_validator(mode="before")
    @classmethod
    def _take_apart(cls, given: Any) -> Any:
        """Take a port and a room out of the host, unless they contradict what else is given."""
        if not isinstance(given, dict) or not isinstance(given.get("host"), str):
            return given
        try:
            place = read_place(given["host"])
        except ValueError:
            return given  # the host's own validator complains
        return _with_place(given, place)


def _with_place(given: dict[str, Any], place: Place) -> dict[str, Any]:
    port = given.get("port", place.port or place.default_port or None)
    if place.port and str(port) != place.port:
        raise ValueError(f"host {given['host']!r} and port {port} contradict each other")
    whole = given | {"host": place.host} | ({} if port is None else {"port": port})
    named = {
        "room": place.room,
        "tls": place.tls,
        "pin": place.pin,
        "invitation": place.invite,
        "others": place.others,
    }
    if parts := {name: value for name, value in named.items() if value}:
        whole["client"] = _with_parts(given.get("client", {}), parts)
    return whole


def _with_parts(client: Any, parts: dict[str, Any]) -> Any:
    """Add what a link says of the client's settings, unless that is given there, too."""
    if isinstance(client, dict):
        return {**parts, **client}
    left = {name: value for name, value in parts.items() if name not in client.model_fields_set}
    return client.model_copy(update=left)
