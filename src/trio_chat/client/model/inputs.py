"""The history of inputs."""

import re
from collections.abc import Sequence

from trio_chat.protocols.confidential import is_confidential, says_password
from trio_chat.protocols.slashes import spelled_out

#: Inputs of the whole program.
INPUTS_MAX = 500

_LONGEST = 5000  # characters; a pasted book is not worth remembering

# Other commands that may hold a password, for a server or its services: never written to a file.
_SECRET = re.compile(
    r"/(raw\s+)?(pass|oper|authenticate|ns|nickserv)\b"
    r"|/raw\s+register\b"
    r"|/invitation\s+(revoke\s+)?\S{43}"
    r"|/(raw\s+privmsg|msg|notice|query)\s+\S*serv\b"
    r"|/join\s+\S+\s+\S",
    re.IGNORECASE,
)


class Inputs:
    """Walks ``before`` and ``after``; the line being written waits at the end."""

    def __init__(self, inputs: Sequence[str] = ()) -> None:
        self._inputs = list(inputs[-INPUTS_MAX:])
        self._at = len(self._inputs)
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember an input, unless it repeats the last, or holds a password."""
        is_new = self._inputs[-1:] != [text] and not _has_password(text)
        if is_new and text.strip() and len(text) <= _LONGEST:
            self._inputs.append(text)
            del self._inputs[:-INPUTS_MAX]
        self._at, self._draft = len(self._inputs), ""

    def before(self, text: str) -> str:
        if self._at == len(self._inputs):
            self._draft = text
        if not self._at:
            return text
        self._at -= 1
        return self._inputs[self._at]

    def after(self, text: str) -> str:
        if self._at == len(self._inputs):
            return text
        self._at += 1
        return self._draft if self._at == len(self._inputs) else self._inputs[self._at]

    @property
    def lasting(self) -> tuple[str, ...]:
        """The inputs that may be kept in a file."""
        return tuple(filter(may_last, self._inputs))


def may_last(text: str) -> bool:
    """Whether it may be kept in a file."""
    is_secret = _has_password(text) or _SECRET.match(spelled_out(text))
    return len(text) <= _LONGEST and not is_secret


def _has_password(text: str) -> bool:
    return is_confidential(text) or says_password(text)
