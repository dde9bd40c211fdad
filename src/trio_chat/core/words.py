"""Words that people write in commands, and are told in sentences."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime

from trio_chat.core.events import Banned, Origin, Unbanned
from trio_chat.core.names import fold
from trio_chat.core.views import Ban

# The rooms that are named in a sentence.
_NAMED = 10


def is_number(text: str) -> bool:
    """Whether somebody has written a number, in digits: fewer than ten, so that it has bounds."""
    return text.isascii() and text.isdigit() and len(text) < 10


def minute(at: int) -> str:
    """A moment (unix milliseconds) at which something ends, to the minute; never too early."""
    minutes = -(-at // 60_000)
    return f"{datetime.fromtimestamp(minutes * 60, UTC):%Y-%m-%d %H:%M} UTC"


def parting(why: str) -> str:
    """The last words to somebody whose connection ends, ``why`` in a sentence first."""
    return f"{before_another(why)} Goodbye!"


def before_another(sentence: str) -> str:
    """A sentence that another one follows: so it needs the full stop that is left out after an
    address to write to.
    """
    return sentence if sentence[-1:] in (".", "!", "?") else f"{sentence}."


def waiting(seconds: float) -> str:
    """A time to wait, as it stands in a sentence: ``45 seconds``, ``10 minutes``, ``3 hours``.

    It is rounded up, so that nobody comes too early.
    """
    for unit, length in (("hour", 3600), ("minute", 60)):
        if seconds > 1.5 * length:
            return f"{math.ceil(seconds / length)} {unit}s"
    number = max(1, math.ceil(seconds))
    return f"{number} second{'s' if number > 1 else ''}"


def some_of(number: int, others: int, where: str = "here") -> str:
    """So many of the others who are there: whoever is told is never meant."""
    if not number:
        return f"nobody {where}"
    if number < others:
        return f"{number} of the {others} others {where}"
    few = {1: "the only other person", 2: "both others"}
    return f"{few.get(others, f'all {others} others')} {where}"


def also_in(rooms: Sequence[str]) -> str:
    """The other rooms in which somebody is who is shown one, as a sentence."""
    more = f", and {len(rooms) - _NAMED} more" if len(rooms) > _NAMED else ""
    return f"You are in {', '.join(rooms[:_NAMED])}{more}, too."


def account_or_user(nick: str, origin: Origin) -> str:
    """The account that somebody has; or the system's user, if they are on the operators' socket."""
    return origin.account or (origin.user if origin.host == nick else "")


def known_as(nick: str, account: str) -> str:
    """Somebody by the nickname they had, and the account, unless that is the same."""
    return nick if not account or fold(account) == fold(nick) else f"{nick} ({account})"


def described(ban: Ban | Banned | Unbanned) -> str:
    """Whom a ban of the server is about."""
    return f"{ban.kind} {ban.value}{reason(ban.whom)}"


def reason(why: str) -> str:
    """A reason, as it stands in a sentence."""
    return f" ({why})" if why else ""
