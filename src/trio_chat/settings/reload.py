"""What a server that runs takes from settings that are read again; all else needs a restart."""

from collections.abc import Sequence
from functools import reduce

from trio_chat.settings import Settings
from trio_chat.settings.described import all_settings

#: The settings that change while the server runs: some at once, others for new connections. A new
#: setting is not among them until somebody has made the server take it.
TAKEN = frozenset(
    (
        *("encoding", "server.room_modes", "server.greeting_delay", "server.password"),
        *("server.public_name", "server.others", "server.contact", "server.shutdown_grace"),
        *("tls.certificate", "tls.key", "tls.clear", "tls.handshake", "tls.sts_days"),
        *("web.enabled", "web.title", "web.url", "web.hosts", "web.origins"),
        *("irc.motd", "irc.operators"),
        *("accounts.guests", "accounts.registration", "accounts.operators"),
        *("accounts.iterations", "accounts.password_min"),
        *("limits.connections", "limits.connections_per_address", "limits.arrivals_per_second"),
        *("limits.arrival_burst", "limits.guesses_per_minute", "limits.guess_burst"),
        *("limits.registrations_per_hour", "limits.metadata_per_hour", "limits.exempt"),
        *("limits.registration", "limits.line_bytes", "limits.messages_per_second"),
        *("limits.message_burst", "limits.writers_per_address", "limits.outbox_bytes"),
        *("limits.ping", "limits.rooms", "limits.rooms_each"),
        *("rooms.redact_hours", "history.replay", "ops.drain", "log.level", "log.format"),
    )
)

# Sections that are not the server's.
_OF_CLIENTS = ("client", "screen")

_OF_SERVER = tuple(
    setting.name
    for setting in all_settings(Settings)
    if setting.name.partition(".")[0] not in _OF_CLIENTS
)


def needs_restart(name: str) -> bool:
    """Whether a server takes another value of this setting only when it is started again."""
    return name in _OF_SERVER and name not in TAKEN


def reloaded(old: Settings, new: Settings) -> tuple[Settings, Sequence[str]]:
    """The settings of a server that had the old ones and has read the new ones, and the names of
    those that differ but need a restart: they stay as they are, so that none counts in part.
    """
    waiting = [
        name for name in _OF_SERVER if needs_restart(name) and _of(old, name) != _of(new, name)
    ]
    settings = new
    for name in waiting:
        settings = _with(settings, name, _of(old, name))
    return settings, waiting


def _of(settings: Settings, name: str) -> object:
    return reduce(getattr, name.split("."), settings)


def _with(settings: Settings, name: str, value: object) -> Settings:
    section, _, field = name.rpartition(".")
    if not section:
        return settings.model_copy(update={field: value})
    changed = getattr(settings, section).model_copy(update={field: value})
    return settings.model_copy(update={section: changed})
