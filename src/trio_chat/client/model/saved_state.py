"""The state that outlives the program, between the model and its file (client/state.py)."""

from trio_chat.core.fact import fact


@fact
class Unsent:
    """A text that the server has not acknowledged."""

    token: str
    target: str
    text: str
    action: bool = False
    notice: bool = False


@fact
class SavedState:
    """The state of one server: ``secret`` identifies us to it (protocols/resume_state.py), perhaps
    as the owner of an ``account``;
    ``inputs`` and ``unsent`` texts, oldest first; ``read`` has the time (ISO 8601) up to which each
    target has been read; the names of open ``buffers`` without the server's, and the ``current``
    one; the ``ignored`` masks; and ``drafts`` by buffer (the server's name is empty).
    """

    secret: str = ""
    account: str = ""
    inputs: tuple[str, ...] = ()
    read: tuple[tuple[str, str], ...] = ()
    unsent: tuple[Unsent, ...] = ()
    buffers: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    current: str = ""
    drafts: tuple[tuple[str, str], ...] = ()
