"""The exceptions, one small tree; each carries a line that a person can act on."""

from collections.abc import Sequence


class ChatError(Exception):
    """The base of everything that trio-chat raises on purpose. ``str(error)`` is one line for
    people.

    ``about`` is the parameter that may be wrong (``host``, ``port``, ``protocol``), or else what
    would help, where that is known; so a program can say how it is changed there.
    """

    def __init__(self, *args: object, about: str = "") -> None:
        super().__init__(*args)
        self.about = about


class SettingsError(ChatError):
    """One or more settings are wrong; each line of the text names one. ``problems`` are the names
    and what is wrong with each, if the values themselves are.
    """

    def __init__(self, *args: object, problems: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(*args)
        self.problems = problems


class CannotListen(ChatError):
    """An address could not be bound."""


class CannotConnect(ChatError):
    """Nobody answers at the address, or it does not exist."""


class NotTrusted(ChatError):
    """The server shows a certificate that is not the one we trust; or one that nobody trusts here,
    which is the ``certificate`` (DER), as ``what`` says without advice. Nothing was said to it.
    """

    def __init__(
        self, *args: object, about: str = "", certificate: bytes = b"", what: str = ""
    ) -> None:
        super().__init__(*args, about=about)
        self.certificate, self.what = certificate, what


class ConnectionLost(ChatError):
    """The server has closed the connection, or the network has."""


class NotAdmitted(ChatError):
    """The server has refused to let us in; the text is the server's own."""


class LoginFailed(NotAdmitted):
    """The server does not log us in to our account, or cannot prove that it knows it. Trying again
    would not help.
    """


class Uninvited(NotAdmitted):
    """The server lets in nobody who does not have what we lack: an account, a password, or an
    invitation that is good. Trying again would not help.
    """


class NotSaid(ChatError):
    """Some of what we had to say was refused, could not be sent, may be lost, or was cut."""

    @classmethod
    def of(cls, *, messages: int = 0, lines: int = 0) -> "NotSaid":
        """Count ``messages`` that were not said, and input ``lines`` that could not become any."""
        whys = []
        if messages:
            were = "message or command was" if messages == 1 else "messages or commands were"
            whys.append(f"{messages:,} {were} refused or cut, or may not have arrived")
        if lines:
            were = "line of the input was" if lines == 1 else "lines of the input were"
            whys.append(f"{lines:,} {were} not understood, or too long")
        return cls("; ".join(whys))


class NotDone(ChatError):
    """The server has refused a command of its operator; the text is its own."""


class NotReady(ChatError):
    """The server is not ready for people, or does not answer whether it is."""


class Unsupported(ChatError):
    """The server cannot do what it was asked for."""


class ScreenFailed(ChatError):
    """The full screen has failed by a bug of ours, its ``__cause__``.

    The cause's text is not for the terminal: others may have written it.
    """

    @classmethod
    def of(cls, error: BaseException) -> "ScreenFailed":
        """Wrap the error that ended the screen."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        return cls(f"the screen failed ({type(error).__name__})", about="debug")


class Conflict(ChatError):
    """A barrier entered the room's log after the one that an event was judged by.

    ``barrier`` is its id. Wait until it has been applied, then judge the command again.
    """

    def __init__(self, barrier: str) -> None:
        super().__init__(f"judged before {barrier} was known")
        self.barrier = barrier


class Gone(ChatError):
    """The message that was to be redacted is not there, or not any more."""


class Taken(ChatError):
    """Another log has the name that one was to have."""


class BoxFull(ChatError):
    """No more messages are kept for somebody who is not here; ``by_sender`` says that it is this
    sender's that are too many.
    """

    def __init__(self, *, by_sender: bool) -> None:
        super().__init__("too many messages wait")
        self.by_sender = by_sender


class CannotOpenStore(ChatError):
    """The place for history cannot be opened, is in use, or is damaged."""


class DamagedStore(ChatError):
    """A check has found that something in the history is not as it should be."""


class Unavailable(ChatError):
    """The store cannot keep what it is given; the text says why, and may be shown to anybody."""


class Fenced(Unavailable):
    """The others think that this node is gone, or the engine knows of none. It can come again, as
    another one.
    """

    def __init__(self) -> None:
        super().__init__(
            "The engine does not count this server in any more: nothing was heard of it for longer "
            "than its lease, or the engine has forgotten the chat. It starts anew."
        )


class Missed(ChatError):
    """Entries after the last one that this node has read are not there any more, or the engine has
    lost that one. It can come again, by a checkpoint.
    """

    def __init__(self) -> None:
        super().__init__("Some of what this server has not seen is not in the engine any more.")
