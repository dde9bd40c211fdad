"""``trio-chat client`` on the full screen: joins model, saved state and network."""

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import trio

from trio_chat.cli.device import opened, resume_state
from trio_chat.client import requests
from trio_chat.client.connection import DEFAULT_ROOM
from trio_chat.client.model import Model, SavedState, Unsent
from trio_chat.client.runner import ChatRunner
from trio_chat.client.state import State
from trio_chat.client.tui.app import show
from trio_chat.protocols.client import Message
from trio_chat.protocols.irc.client.multiline import one_message
from trio_chat.protocols.irc.text import is_room, room_name
from trio_chat.protocols.resume_state import ResumeState
from trio_chat.protocols.unacked import Unacked, on_its_way
from trio_chat.settings import Settings

# The most that is forgotten if the program is killed or the machine goes down.
_SAVE_EVERY = 5.0  # seconds


def run_screen(settings: Settings, nick_for: Callable[[str], str]) -> int:
    """Chat until the person leaves; returns the exit code. Raises ChatError.

    ``nick_for`` chooses the nickname of somebody who was logged in to this account, if to any.
    """
    with opened(settings) as state:
        nick = nick_for(state.kept.account)
        model = _model(settings, nick, state)
        resume = _resume_state(settings, state)

        def kept() -> SavedState:
            return replace(model.kept(), account=resume.account)

        async def network(
            news: trio.MemorySendChannel[Message],
            wanted: trio.MemoryReceiveChannel[requests.Request],
        ) -> None:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_keep_saving, state, kept)
                with news, wanted:
                    await ChatRunner(_to_named_room(settings), nick, wanted, news, resume).run()
                nursery.cancel_scope.cancel("the chat has ended")

        try:
            return show(model, network, settings.screen)
        finally:
            model.miss(resume.heard, time.time())
            _save_at_last(state, kept())


def _model(settings: Settings, nick: str, state: State) -> Model:
    model = Model(
        nick,
        offset=_offset,
        tells_typing=settings.client.typing,
        kept=state.kept,
        room=_named_room(settings),
    )
    for note in state.notes:
        model.note(note, time.time())
    return model


def _named_room(settings: Settings) -> str:
    """The room that somebody has named. Those who have not are in the lobby if nowhere else."""
    return settings.client.room if "room" in settings.client.model_fields_set else ""


def _to_named_room(settings: Settings) -> Settings:
    client = settings.client.model_copy(update={"room": _named_room(settings)})
    return settings.model_copy(update={"client": client})


def _resume_state(settings: Settings, saved: State) -> ResumeState:
    """Treat texts that were unacknowledged when the program ended as after a lost connection."""
    state = resume_state(settings, saved)
    state.unacked.extend(map(_on_its_way, saved.kept.unsent))
    state.been.update((name, None) for name in saved.kept.buffers if is_room(name))
    if named := _named_room(settings):
        state.been.pop(room_name(named), None)
    else:
        state.otherwise = DEFAULT_ROOM
    return state


def _on_its_way(text: Unsent) -> Unacked:
    if text.notice:  # always a single line
        return on_its_way(text.token, text.target, text.text, False, notice=True)
    return one_message(text.token, text.target, text.text, text.action)


def _offset(moment: float) -> float:
    """Seconds that local time is ahead of UTC at a moment."""
    offset = datetime.fromtimestamp(moment).astimezone().utcoffset()
    return offset.total_seconds() if offset else 0.0


async def _keep_saving(state: State, kept: Callable[[], SavedState]) -> None:
    while True:
        await trio.to_thread.run_sync(state.save, kept())
        await trio.sleep(_SAVE_EVERY)


def _save_at_last(state: State, kept: SavedState) -> None:
    """Save, and print what the person has to know: the screen is gone."""
    why = state.save(kept)
    if why:
        print(f"trio-chat: {why}", file=sys.stderr)
    if count := len(kept.unsent):
        texts = "1 text has" if count == 1 else f"{count:,} texts have"
        later = "will be sent next time" if state.lasts and not why else "and cannot be remembered"
        print(f"trio-chat: {texts} not arrived: {later}", file=sys.stderr)
