"""Completion of nicknames, rooms, commands and emoji."""

from collections.abc import Iterator, Sequence
from itertools import islice

from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.chat_state import ChatState
from trio_chat.client.model.emoji import emoji
from trio_chat.client.model.typed import all_commands

_MOST = 100  # candidates; nobody looks through more

_EMOJI_LETTERS = 2  # needed before an emoji is guessed, since ":D" is none


class Candidate(str):
    """A replacement for the word; ``note`` is shown beside it."""

    __slots__ = ("note",)
    note: str

    def __new__(cls, text: str, note: str = "") -> "Candidate":
        self = super().__new__(cls, text)
        self.note = note
        return self


def candidates(state: ChatState, text: str, cursor: int) -> Sequence[Candidate]:
    """Completions of the word before the cursor, the likeliest first, with a blank after it."""
    start = max(text.rfind(" ", 0, cursor), text.rfind("\n", 0, cursor)) + 1
    blank = "" if text[cursor:].startswith(" ") else " "
    return list(islice(_for_word(state, text[start:cursor], blank, first=start == 0), _MOST))


def _for_word(state: ChatState, word: str, blank: str, *, first: bool) -> Iterator[Candidate]:
    if word.startswith("/") and first:
        return _commands(word, blank)
    if word.startswith(("#", "&")):
        return _rooms(state, word, blank)
    if word.startswith(":"):
        return _emoji(word[1:])
    return _nicks(state, word, f":{blank}" if first else blank)


def _commands(word: str, behind: str) -> Iterator[Candidate]:
    for name, row in all_commands().items():
        if f"/{name}".startswith(word.lower()):
            yield Candidate(f"/{name}{behind}", f"{row.arguments}: {row.does}".removeprefix(": "))


def _rooms(state: ChatState, word: str, behind: str) -> Iterator[Candidate]:
    for buffer in state.buffers:
        if buffer.kind == "room" and state.names.fold(buffer.name).startswith(
            state.names.fold(word)
        ):
            yield Candidate(buffer.name + behind, buffer.topic)


def _emoji(name: str) -> Iterator[Candidate]:
    """Emoji whose names begin like this, then those with a later word that does."""
    name = name.lower()
    if len(name) < _EMOJI_LETTERS:
        return
    known = emoji().items()
    for short, picture in known:
        if short.startswith(name):
            yield Candidate(picture, f":{short}:")
    for short, picture in known:
        if f"_{name}" in short and not short.startswith(name):
            yield Candidate(picture, f":{short}:")


def _nicks(state: ChatState, word: str, behind: str) -> Iterator[Candidate]:
    """Nicknames: recent speakers first, then the others in alphabetical order."""
    if not word:
        return
    fold = state.names.fold
    nicks = {fold(nick): nick for nick in _people(state.current)}
    spoke = [folded for nick in state.current.speakers if (folded := fold(nick)) in nicks]
    silent = sorted(nicks.keys() - set(spoke))
    for folded in [*spoke, *silent]:
        if folded.startswith(fold(word)) and not state.is_me(folded):
            yield Candidate(nicks[folded] + behind)


def _people(buffer: Buffer) -> Iterator[str]:
    """The people who can be meant."""
    yield from (member.nick for member in buffer.members.values())
    if buffer.kind == "person":
        yield buffer.name
