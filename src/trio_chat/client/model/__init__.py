"""The terminal client's screen as data: no waiting, no clock, no drawing."""

from trio_chat.client.model.buffer import Buffer
from trio_chat.client.model.completion import Candidate
from trio_chat.client.model.lines import Line
from trio_chat.client.model.model import Model
from trio_chat.client.model.saved_state import SavedState, Unsent
from trio_chat.client.model.typed import LINES_MAX, preview

__all__ = [
    "LINES_MAX",
    "Buffer",
    "Candidate",
    "Line",
    "Model",
    "SavedState",
    "Unsent",
    "preview",
]
