"""The history of inputs."""

import re
from collections.abc import Sequence

from trio_chat.protocols.slashes import spelled_out

#: Inputs of the whole program.
INPUTS_MAX = 500

_LONGEST = 5000  # characters; a pasted book is not worth remembering

# Commands that may hold a password, for a server or its services: never written to a file.
_SECRET = re.compile(
    r"/(raw\s+)?(pass|oper|authenticate)\b"
    r"|\s*/(login|register|password)\b"
    r"|/(raw\s+privmsg|msg|notice|query)\s+\S*serv\b"
    r"|/join\s+\S+\s+\S",
    re.IGNORECASE,
)

# Commands that hold the password of somebody's account: not even remembered.
_PASSWORD = re.compile(r"\s*/(login|register|password)\s", re.IGNORECASE)


class Inputs:
    """Walks ``before`` and ``after``; the line being written waits at the end."""

    def __init__(self, inputs: Sequence[str] = ()) -> None:
        self._inputs = list(inputs[-INPUTS_MAX:])
        self._at = len(self._inputs)
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember an input, unless it repeats the last, or holds a password."""
        is_new = self._inputs[-1:] != [text] and not holds_password(text)
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


def holds_password(text: str) -> bool:
    """Whether it is a command with the password of an account, or was meant to be one."""
    return bool(_PASSWORD.match(text))


def may_last(text: str) -> bool:
    """Whether it may be kept in a file."""
    return len(text) <= _LONGEST and not _SECRET.match(spelled_out(text))
