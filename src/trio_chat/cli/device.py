"""What a device keeps of a person for a server, so that they are known when they come again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import platformdirs

from trio_chat.cli.trust import say
from trio_chat.client.runner import device, resume_state_of
from trio_chat.client.state import State, open_state
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.settings import Settings


@contextmanager
def opened(settings: Settings) -> Iterator[State]:
    """The saved state for the server; one that is not saved with ``--no-state``."""
    with open_state(_directory(settings), str(settings.addresses[0])) as saved:
        yield saved


def _directory(settings: Settings) -> Path | None:
    """Usually ``~/.local/state/trio-chat``; None to remember nothing."""
    return platformdirs.user_state_path("trio-chat") if settings.client.state else None


def resume_state(settings: Settings, saved: State) -> ResumeState:
    """Begin a chat as who we were. ``client.identity`` is somebody else's."""
    if settings.client.identity:
        return resume_state_of(settings)
    kept = saved.kept
    return ResumeState(
        secret=kept.secret, device=device() if saved.lasts else "", account=kept.account
    )


@contextmanager
def known(settings: Settings) -> Iterator[ResumeState]:
    """Chat as who we were, and keep who we are then. What only the full screen has stays there."""
    with opened(settings) as saved:
        for note in saved.notes:
            say(note)
        state = resume_state(settings, saved)
        _save(saved, state)  # before the server knows us by it
        try:
            yield state
        finally:
            _save(saved, state)


def _save(saved: State, state: ResumeState) -> None:
    if why := saved.save(replace(saved.kept, account=state.account)):
        say(why)
