"""The functions that the engine runs for us (``order.lua``), and the keys they have."""

import hashlib
from importlib.resources import files

# As the file has it; in an engine each version has a name of its own.
_NAME = "trio_chat"

# In the order in which the functions expect them.
_KEYS = (
    *("log", "meta", "barriers", "barriers:old", "tokens", "tokens:old"),
    *("nodes", "replies", "gone", "healed", "checkpoint"),
)


class Library:
    """The functions, for the chat with a name. ``text`` is what the engine is to load."""

    def __init__(self, chat: str) -> None:
        text = files(__package__).joinpath("order.lua").read_text()
        self._name = f"{_NAME}_{hashlib.sha256(text.encode()).hexdigest()[:12]}"
        self.text = text.replace(_NAME, self._name)
        self.log = f"{{{chat}}}log"
        self._keys = (str(len(_KEYS)), *(f"{{{chat}}}{key}" for key in _KEYS))

    def call(self, function: str, *arguments: str | bytes) -> tuple[str | bytes, ...]:
        """The command that calls a function."""
        return ("FCALL", f"{self._name}_{function}", *self._keys, *arguments)
