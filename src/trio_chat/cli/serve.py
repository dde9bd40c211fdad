"""``trio-chat server``: the server as a process, with signals, a log and a limit of open files."""

import logging
import os
import resource
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from trio_chat.app import serve
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.invite import command_beside
from trio_chat.cli.log_handler import write_all
from trio_chat.cli.logs import logged_first, set_up_logging
from trio_chat.cli.password_command import with_engine_password
from trio_chat.cli.systemd import Manager, passed_sockets
from trio_chat.cli.trust import for_server
from trio_chat.core.views import Refused, Reloaded
from trio_chat.errors import SettingsError
from trio_chat.protocols.plain.wording import (
    ASK_FOR_INVITATION,
    ASK_TO_LOG_IN,
    ASK_WHILE_LOCKED,
)
from trio_chat.server.addresses import is_local
from trio_chat.server.garbage import looking_once
from trio_chat.server.links import in_browser
from trio_chat.server.listeners import Sockets
from trio_chat.server.server import Server
from trio_chat.settings import Settings
from trio_chat.settings.pins import shown_pin
from trio_chat.settings.places import Address

logger = logging.getLogger(__name__)

_STDOUT = 1

# The addresses that stand for all of this machine's, and by which they are reached from itself.
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104

# Who is let in, by what guests are asked.
_ADMITTED = {
    ASK_FOR_INVITATION: "Only those who have an account or an invitation are let in.",
    ASK_TO_LOG_IN: "Only those who have an account are let in.",
    ASK_WHILE_LOCKED: "The chat is locked: only those who have an account are let in.",
}

# Descriptors that are no connections: listeners, standard streams, trio's own, and some spare.
_OTHER_FILES = 64


def run_server(
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    debug: bool,
) -> None:
    """Run until a signal stops it. Returns normally (exit code 0) after SIGTERM or Ctrl-C."""

    def read_settings() -> Settings:
        return with_engine_password(for_server(load(options, assignments, env_file)))

    with exit_on_error(debug=debug):
        sockets = passed_sockets(os.environ)
        settings = read_settings()
        set_up_logging(settings.log)
        _allow_files(settings.limits.connections + _OTHER_FILES)
        start = partial(_serve, settings, sockets)
        invite = partial(_invite, options, assignments, env_file, is_passed=bool(sockets.chat))
        with Manager(os.environ) as manager, looking_once(), logged_first():
            trio.run(_main, start, manager, read_settings, invite)


async def _serve(
    settings: Settings, sockets: Sockets, *, task_status: trio.TaskStatus[Server]
) -> None:
    """Serve with copies of the sockets that were passed: another server may come after this one."""
    await serve(settings, sockets.copy(), task_status=task_status)


def _invite(
    options: Mapping[str, str | None],
    assignments: Sequence[str],
    env_file: Path | None,
    addresses: Sequence[Address],
    *,
    is_passed: bool,
) -> str:
    """The command that invites people to a server with these options and addresses."""
    first = addresses[0]
    if is_passed:  # so the options say nothing of where it listens
        first = min(addresses, key=lambda at: is_local(at.host))
        options = {"host": first.host, "port": str(first.port) if first.port else None}
    return command_beside(options, assignments, env_file, first.port)


async def _main(
    start: Callable[..., Awaitable[object]],
    manager: Manager,
    read_settings: Callable[[], Settings],
    invite: Callable[[Sequence[Address]], str],
) -> None:
    # Ignored, because a closing window may send several: its own, and its shell's.
    hangs_up = signal.signal(signal.SIGHUP, signal.SIG_IGN) is signal.SIG_DFL and _has_terminal()
    while await _run(start, manager, read_settings, invite, hangs_up):
        pass


async def _run(
    start: Callable[..., Awaitable[object]],
    manager: Manager,
    read_settings: Callable[[], Settings],
    invite: Callable[[Sequence[Address]], str],
    hangs_up: bool,
) -> bool:
    """Run a server until it has stopped. Returns whether another is to be started in its place."""
    async with trio.open_nursery() as nursery:
        # Signals are handled before anybody can know that we are there.
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            server: Server = await nursery.start(start)
            server.operations.on_reload = lambda: _reload(server, manager, read_settings)
            manager.ready()
            nursery.start_soon(manager.watch, server)
            nursery.start_soon(_announce, server, invite(server.addresses))
            async with trio.open_nursery() as heeding:
                heeding.start_soon(_heed, signals, server, hangs_up)
                await server.until_stopping()
                heeding.cancel_scope.cancel("the server stops")
            if server.starts_anew:
                await server.stopped.wait()
                nursery.cancel_scope.cancel("another one is started")
                return True
        # A second one ends us at once, even if we hang; SIGINT, too, without a traceback.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        manager.stopping()
        await server.stopped.wait()
        nursery.cancel_scope.cancel("the server has stopped")
    return False


async def _heed(signals: AsyncIterator[int], server: Server, hangs_up: bool) -> None:
    """Do what signals ask for, until one stops the server."""
    async for number in signals:
        if number != signal.SIGHUP or (hangs_up and not _has_terminal()):
            name = signal.Signals(number).name
            logger.info("stopping on %s", name, extra={"event": "stopping", "reason": name})
            server.stop()
            return
        server.operations.on_reload()


def _has_terminal() -> bool:
    """Whether the terminal that the server was started from still exists: its window is open."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _reload(
    server: Server, manager: Manager, read_settings: Callable[[], Settings]
) -> Reloaded | Refused:
    with manager.reloading():
        try:
            settings = read_settings()
        except SettingsError as error:
            why = "; ".join(str(error).splitlines())
            logger.error(
                "the old settings stay in force: %s",
                why,
                extra={"event": "reload-failed", "reason": why},
            )
            return Refused(f"The old settings stay in force: {why}")
        waiting = server.reload(settings)
        set_up_logging(settings.log)
        _allow_files(settings.limits.connections + _OTHER_FILES)
    if not waiting:
        logger.info("settings reloaded", extra={"event": "reloaded"})
        return Reloaded("The settings are reloaded.")
    but = f"these have changed and need a restart: {', '.join(waiting)}"
    logger.warning("settings reloaded, but %s", but, extra={"event": "restart-needed"})
    return Reloaded(f"The settings are reloaded, but {but}", restart=tuple(waiting))


async def _announce(server: Server, invite: str) -> None:
    """Print where to connect, in a thread, so that a stopped terminal or an unread pipe does not
    block the server.
    """
    lines = [f"trio-chat is listening on {address}" for address in server.addresses]
    text = os.fsencode("\n".join([*lines, *_ways_in(server, invite), ""]))
    await trio.to_thread.run_sync(write_all, _STDOUT, text, abandon_on_cancel=True)


def _ways_in(server: Server, invite: str) -> Iterator[str]:
    """How to join from this machine, and how from others; ``invite`` is the command for that."""
    first, web = server.addresses[0], server.settings.web
    reachable = _LOOPBACK.get(first.host, first.host)
    link = f"trio-chat client '{server.link()}'"
    if who := _ADMITTED.get(server.question.rpartition("\n")[2]):
        yield f"{who} Ctrl-C stops it."
        if server.question == ASK_FOR_INVITATION:
            yield f"To invite somebody: {invite}"
    elif server.settings.server.proxies or not is_local(reachable):
        how = f"Join it with: {link}" if server.link() else "People come by its proxy"
        yield f"{how}. Ctrl-C stops it."
        yield from in_browser(server.link(), web)
    else:
        yield f"Join it with {_on_this_machine(first, reachable)}. Ctrl-C stops it."
        if not first.unix_path:
            yield from in_browser(f"irc://{replace(first, host=reachable)}", web)
        if server.is_public:
            yield f"From elsewhere: {link}"
            yield from in_browser(server.link(), web)
    if server.is_public and server.link() and not server.settings.server.public_name:
        yield "If its links should name another host: --set server.public_name=HOST"
    if server.fingerprint:
        yield f"Its certificate is {shown_pin(server.fingerprint)}"
    if server.lacks_an_operator:
        yield from _of_owner(server, invite)


def _of_owner(server: Server, invite: str) -> Iterator[str]:
    """How the owner becomes an operator. The link is told on a terminal only: whoever comes first
    with it is the operator, and many may read a journal.
    """
    if os.isatty(_STDOUT):
        yield "To be its operator, join with this link (it works once, within a week) and register:"
        link = server.invite_owner()
        yield f"  trio-chat client '{link}'"
        yield from in_browser(link, server.settings.web)
    else:
        yield f"It has no operator yet. To become one: {invite} --operator"


def _on_this_machine(address: Address, reachable: str) -> str:
    if path := address.unix_path:
        return f"'trio-chat client --host {address.host}' or 'nc -U {path}'"
    where = "" if reachable == "127.0.0.1" else f" --host {reachable}"
    where += "" if address.port == 55555 else f" --port {address.port}"
    return f"'trio-chat client{where}' or 'nc {reachable} {address.port}'"


def _allow_files(number: int) -> None:
    """Raise the limit of open files, one per connection; warn if it cannot be high enough."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft < allowed:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
        except (OSError, ValueError):  # a filter of system calls forbids it: for EPERM, ValueError
            allowed = soft
    if allowed < number:
        logger.warning(
            "only %d files may be open, which limits the connections",
            allowed,
            extra={"event": "files-limited", "number": allowed},
        )
