"""What follows for the connections here from what has happened, besides what they see.

Some have to end, and the sessions of others have to know.
"""

from collections.abc import Iterable

from trio_chat.core.chat import Chat
from trio_chat.core.effects.identity import without_rule
from trio_chat.core.events import (
    DeviceEnded,
    Event,
    Killed,
    RoomRenamed,
    ToldToOthers,
    UserModesSet,
)
from trio_chat.core.limits import refuse_banned
from trio_chat.core.names import fold
from trio_chat.core.views import Ban
from trio_chat.core.words import parting
from trio_chat.server.audience import Audiences, Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.open_logs import OpenLogs


class Consequences:
    """Draws the consequences of events that are being applied."""

    def __init__(
        self,
        chat: Chat,
        logs: OpenLogs,
        audiences: Audiences,
        subscribers: dict[str, Subscriber],
    ) -> None:
        self._chat, self._logs = chat, logs
        self._audiences, self._subscribers = audiences, subscribers

    def end_killed(self, killed: Killed) -> None:
        """End the connections of somebody whom an operator has disconnected."""
        for subscriber in self._audiences.of_person(killed.target_id):
            words = f"Killed ({killed.nick} ({killed.why}))"
            subscriber.end(Ending.KILLED, words, words)

    def end_device(self, ended: DeviceEnded) -> None:
        """End a connection here that its owner has ended."""
        if subscriber := self._subscribers.get(ended.device):
            reason = "connected again" if ended.again else "ended from elsewhere"
            how = "connected again" if ended.again else "ended this from another device"
            subscriber.end(Ending.ACCOUNT, reason, f"You have {how}. Goodbye!")

    def end_logged_out(self, ids: Iterable[str], by: str = "") -> None:
        """End connections that were logged out ``by`` one of them, or from elsewhere."""
        for id in ids:
            if subscriber := self._subscribers.get(id):
                how = "are logged out here" if id == by else "were logged out from elsewhere"
                subscriber.end(Ending.ACCOUNT, "logged out", f"You {how}. Goodbye!")

    def expel(self) -> None:
        """End the connections here of all whom a ban has just come to fit."""
        for user_id in [*self._chat.banned]:
            del self._chat.banned[user_id]
            for subscriber in self._audiences.of_person(user_id):
                limit = self._chat.people[user_id].limit
                if isinstance(limit, Ban):
                    refused = refuse_banned(self._chat, limit)
                    words = parting(refused.why)
                    subscriber.end(Ending.BANNED, "banned", words, refused)

    def room_renamed(self, event: RoomRenamed) -> None:
        """Note that a room has another name now, and let its members' sessions know."""
        if fold(event.room) != fold(event.to):
            self._logs.renamed(fold(event.room), fold(event.to))
        room = self._chat.room(event.to)
        for user_id in room.members if room else ():
            for subscriber in self._audiences.of_person(user_id):
                subscriber.on_renamed(event.room, event.to)

    def tell_others(self, event: ToldToOthers, by: str) -> None:
        """Let the other connections of a person know what they have done by one of them, though
        that may have gone.
        """
        for subscriber in self._audiences.of_person(event.user_id):
            if subscriber.id != by:
                subscriber.on_done(self._as_told(event, subscriber))

    def _as_told(self, event: Event, subscriber: Subscriber) -> Event:
        """An event as the session of a connection is told of it, which may act without ``o``."""
        if not isinstance(event, UserModesSet) or not subscriber.stand_in(self._chat):
            return event
        return without_rule(event)
