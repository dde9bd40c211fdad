"""The effects of events: each ``_on_…`` applies one kind of event, and says who hears it.

Who hears what is decided in these functions, and nowhere else; their docstrings name the hearers.
"""

from collections.abc import Callable, Sequence
from typing import Any

from trio_chat.core.events import Entry
from trio_chat.core.state import State
from trio_chat.core.views import Delivery

Deliveries = Sequence[Delivery]

#: The effect of each kind of event: it changes the state, and returns who is to be shown what.
Effects = dict[type, Callable[[State, Any, Entry], Deliveries]]
