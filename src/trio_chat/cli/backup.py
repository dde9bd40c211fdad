"""``trio-chat history backup`` and ``restore``: all that a server keeps, in one file."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from trio_chat.app import history_file, own_files
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.trust import refuse
from trio_chat.errors import SettingsError
from trio_chat.settings import Settings
from trio_chat.storage.sqlite.backup import back_up
from trio_chat.storage.sqlite.restore import restore


def run_backup(
    file: Path,
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    replace: bool,
    debug: bool,
) -> None:
    """Copy the history, the server's key and its certificate to a file."""
    with exit_on_error(debug=debug):
        settings = refuse(load({}, assignments, env_file), "history", "server")
        path, files = kept(settings), own_files(settings)
        with Progress("backing up") as progress:
            names = back_up(path, file, files, replace=replace, progress=progress)
        parts = " and ".join(map(str, [path, *names]))
        print(f"backed up {parts} to {file}: {megabytes(file.stat().st_size)}")


def run_restore(
    backup: Path,
    assignments: Sequence[str],
    env_file: Path | None,
    *,
    debug: bool,
) -> None:
    """Put a backup in the place of the history, of the server's key and of its certificate."""
    with exit_on_error(debug=debug):
        settings = refuse(load({}, assignments, env_file), "history", "server")
        path, files = kept(settings), own_files(settings)
        with Progress("restoring") as progress:
            progress.say("checking the backup")
            restored = restore(backup, path, files, progress=progress)
        for place in [path, *(files[name] for name in restored.brought if name in files)]:
            print(f"restored {place}")
        for place in restored.kept:
            print(f"kept what was there before as {place}")
        if "key" not in restored.brought:
            why = "bans on addresses hold only with the key that it was made with"
            print(f"{backup} has no key: {why}")


def kept(settings: Settings) -> Path:
    """The file of the history. Raises SettingsError if it is in memory."""
    if path := history_file(settings.history):
        return path
    raise SettingsError("history.store=memory: such a server keeps nothing in a file")


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:,.1f} MB"


class Progress:
    """A line that tells what is done and how far, on a terminal; it goes when that has ended."""

    def __init__(self, what: str = "") -> None:
        self._what, self._is_seen, self._told = what, os.isatty(2), ""

    def __enter__(self) -> "Progress":
        return self

    def __call__(self, done: int, total: int) -> None:
        self.say(f"{self._what}: {100 * done // max(total, 1)} %")

    def say(self, told: str) -> None:
        """Tell something in place of what was told before."""
        if self._is_seen and told != self._told:
            print(f"\r{told.ljust(len(self._told))}", end="", file=sys.stderr, flush=True)
            self._told = told

    def __exit__(self, *args: object) -> None:
        if self._told:
            self.say(" " * len(self._told))
            print("\r", end="", file=sys.stderr, flush=True)
