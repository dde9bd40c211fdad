"""The assembly of the server: the one place besides the command line that knows the store."""

import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path

import platformdirs
import trio

from trio_chat.errors import SettingsError
from trio_chat.server.health import Health, open_health
from trio_chat.server.listeners import NONE_PASSED, Sockets
from trio_chat.server.server import Server
from trio_chat.settings import HistorySettings, Settings
from trio_chat.settings.engine import parse
from trio_chat.settings.values import AUTO
from trio_chat.storage.base import Log
from trio_chat.storage.key import kept_key, need_key, new_key
from trio_chat.storage.memory import MemoryLog
from trio_chat.storage.private import reason
from trio_chat.storage.sqlite.log import open_sqlite
from trio_chat.storage.sqlite.maintenance import Retention

logger = logging.getLogger(__name__)

_DAY = 86_400  # seconds


async def serve(
    settings: Settings | None = None,
    sockets: Sockets = NONE_PASSED,
    *,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a chat server in the caller's nursery, until it is cancelled or stopped.

    ``server = await nursery.start(serve, settings)`` gives the running server: ``server.addresses``
    says where it listens, ``server.stop()`` ends it gracefully. Without settings they are read from
    the environment; ``sockets`` listen already, in place of those that the settings name.

    Raises CannotListen if an address cannot be had, CannotOpenStore if the history, the server's
    key or its own certificate cannot, and SettingsError if there is no certificate where the
    settings say.
    """
    settings = settings or Settings()
    history, files = history_file(settings.history), own_files(settings)
    first = _is_new(history)
    is_lost = first and _had_history(settings)
    health, keepalive = Health(), settings.limits.keepalive

    @cache
    def key() -> bytes:
        return kept_key(files["key"], first=first) if files else new_key()

    async with (
        open_health(health, settings.ops.listen, keepalive=keepalive, passed=sockets.ops),
        open_log(settings, key, lambda: need_key(files["key"])) as log,
    ):
        if is_lost:
            logger.warning(
                "there was no history in %s, but the server's key: this begins an empty one. If "
                "there is another, stop this server, and see history.store",
                history,
                extra={"event": "history-new", "path": str(history)},
            )
        server = Server(
            settings,
            log,
            key(),
            own_certificate=files.get("certificate.pem"),
            admin=admin_socket(settings),
            sockets=sockets,
            health=health,
        )
        await server.run(task_status=task_status)


def _is_new(history: Path | None) -> bool:
    """Whether there is no history yet. If it cannot be seen, it is for the store to say so."""
    return history is None or not os.path.exists(history)


def _had_history(settings: Settings) -> bool:
    """Whether there seems to have been a history: the server's key is there. A node may have been
    given the key of the others before its first start.
    """
    if settings.nodes.through or history_file(settings.history) is None:
        return False
    return os.path.exists(own_files(settings)["key"])


@asynccontextmanager
async def open_log(
    settings: Settings,
    key: Callable[[], bytes] = new_key,
    need_key: Callable[[], None] = lambda: None,
) -> AsyncIterator[Log]:
    """Open the store that the settings ask for. ``key`` gives the server's, which a backup may
    bring with it; ``need_key`` raises SettingsError if there is none yet. Raises CannotOpenStore
    and SettingsError.
    """
    history = settings.history
    path = history_file(history)
    if settings.nodes.through:
        async with _open_shared(settings, path, key, need_key) as log:
            yield log
        return
    if path is None:
        yield MemoryLog(
            per_room=history.per_room,
            total_bytes=history.memory_bytes,
            rooms=2 * settings.limits.rooms,  # with those that were there before (OpenLogs.charge)
            age=history.days * _DAY,
        )
        return
    async with open_sqlite(
        path,
        retention=retention(history),
        cache_bytes=history.cache_bytes,
        refuse=history.on_failure == "refuse",
        files=own_files(settings),
    ) as log:
        yield log


def _check_authorities(file: Path) -> None:
    """See that there are authorities in a file. Raises SettingsError."""
    try:
        ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        why = "there is no certificate in it, in PEM"
    except OSError as error:
        why = reason(error, file)
    else:
        return
    raise SettingsError(f"nodes.through: cannot use {file}: {why}")


def _open_shared(
    settings: Settings,
    path: Path | None,
    key: Callable[[], bytes],
    need_key: Callable[[], None],
) -> AbstractAsyncContextManager[Log]:
    try:
        from trio_chat.storage.shared.log import open_shared  # what it needs is an extra
    except ImportError as error:
        raise SettingsError(
            f"nodes.through: this needs {error.name}: pip install 'trio-chat[nodes]'"
        ) from error
    if path is None:
        raise SettingsError("nodes.through: this needs a history in a file, not memory:")
    nodes, history = settings.nodes, settings.history
    address = parse(nodes.through)
    if address.ca:
        _check_authorities(Path(address.ca))
    return open_shared(
        path,
        address,
        nodes.password.get_secret_value(),
        key,
        need_key=need_key,
        name=nodes.name or socket.gethostname(),
        lease=nodes.lease,
        patience=nodes.patience,
        keep=nodes.keep,
        retention=retention(history),
        cache_bytes=history.cache_bytes,
        files=own_files(settings),
    )


def retention(history: HistorySettings) -> Retention:
    """The limits of what is kept in a file."""
    return Retention(history.days * _DAY, history.per_room, history.total_bytes)


def key_file(settings: Settings) -> Path | None:
    """The path of the server's key; None if it is new at each start."""
    if settings.server.key:
        return Path(settings.server.key).expanduser()
    history = history_file(settings.history)
    return history.with_name("key") if history else None


def own_files(settings: Settings) -> Mapping[str, Path]:
    """The files that must outlive the server besides its history, by their names in a backup; none
    if they are new at each start.
    """
    if file := key_file(settings):
        return {"key": file, "certificate.pem": file.with_name("certificate.pem")}
    return {}


def admin_socket(settings: Settings) -> Path | None:
    """The path of the operators' socket; None if there is none."""
    if settings.ops.admin != AUTO:
        return Path(settings.ops.admin).expanduser() if settings.ops.admin else None
    file = key_file(settings)
    return file.with_name("admin") if file else None


def history_file(history: HistorySettings) -> Path | None:
    """The path of the history; None if it is in memory."""
    if history.store == "memory:":
        return None
    if history.store:
        return Path(history.store.removeprefix("sqlite:")).expanduser()
    return platformdirs.user_data_path("trio-chat") / "chat.db"
