"""What is done about messages that were said before: they are removed, or reported."""

from collections.abc import Callable

from trio_chat.core.chat import Chat
from trio_chat.core.commands import FileReport, Redact, Remove, Report
from trio_chat.core.decide import Outcomes
from trio_chat.core.events import Entry, Redacted
from trio_chat.core.redaction import removed_words
from trio_chat.core.views import Refused
from trio_chat.errors import Unavailable
from trio_chat.server.archive import Archive
from trio_chat.server.audience import Subscriber
from trio_chat.server.ring import Ring, not_kept


class PastMessages:
    """Finds the messages that are meant, and lets them be removed or reported; ``now`` gives unix
    milliseconds.
    """

    def __init__(self, chat: Chat, ring: Ring, archive: Archive, now: Callable[[], int]) -> None:
        self._chat, self._ring, self._archive, self._now = chat, ring, archive, now

    async def remove(self, subscriber: Subscriber, remove: Remove) -> Outcomes:
        """Remove a message; whoever has not named it by its id is told which it was."""
        found = await self._find(subscriber, remove)
        if isinstance(found, Refused):
            return [found]
        outcomes = await self._ring.pursue(subscriber, Redact(found, self._now(), remove.why))
        if remove.id:
            return outcomes
        done = (outcome for outcome in outcomes if isinstance(outcome, Redacted))
        return [*outcomes, *(removed_words(found, redacted) for redacted in done)]

    async def report(self, subscriber: Subscriber, report: Report) -> Outcomes:
        """Report a message, once."""
        found = await self._find(subscriber, report)
        if isinstance(found, Refused):
            return [found]
        try:
            if await self._archive.has_reported(subscriber.person(self._chat), found):
                return [Refused("You have reported that message already.")]
        except Unavailable as error:
            return [not_kept(error)]
        return await self._ring.pursue(subscriber, FileReport(found, report.why))

    async def _find(self, subscriber: Subscriber, wanted: Remove | Report) -> Entry | Refused:
        """Find the message that somebody wants to remove or report."""
        try:
            return await self._archive.find(subscriber.person(self._chat), wanted)
        except Unavailable as error:
            return not_kept(error)
