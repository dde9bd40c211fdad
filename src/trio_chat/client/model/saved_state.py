"""What outlives the program. The model says and takes it; client/state.py keeps it in a file."""

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
    """Of one server: ``inputs`` as they were typed, oldest first; up to when (ISO 8601) each target
    has been ``read``, by its name; ``unsent`` texts, oldest first; names of open ``buffers`` in
    their order, without the server's, and the ``current`` one of them; masks of who is ``ignored``;
    the ``secret`` by which the server knows us again (protocols/resume_state.py); and what has been
    begun and not sent, the ``drafts``, by the name of the buffer (the server's has none).
    """

    secret: str = ""
    inputs: tuple[str, ...] = ()
    read: tuple[tuple[str, str], ...] = ()
    unsent: tuple[Unsent, ...] = ()
    buffers: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    current: str = ""
    drafts: tuple[tuple[str, str], ...] = ()
