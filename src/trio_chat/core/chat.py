"""The rules of the chat, in two synchronous functions.

``decide`` judges a command and changes nothing; what it returns has not happened yet.
``apply`` changes the state by an event that has its place in the log, and says who hears it.
The log alone feeds ``apply``, so a room's state is a fold over its log: the same on every node,
the same after a restart.
"""

from collections.abc import Sequence

from trio_chat.core.answers import answer
from trio_chat.core.commands import Query, Request
from trio_chat.core.effects import take_effect
from trio_chat.core.events import Answer, Delivery, Entry
from trio_chat.core.judge import Outcomes, judge, repair
from trio_chat.core.state import State


class Chat(State):
    def decide(self, who: str, request: Request) -> Outcomes:
        """The event that this would be, or refusals; nothing if nothing would change.

        All events are of one log. ``who`` must be here, and a room to join open.
        """
        return judge(self, self.people[who], request)

    def is_repair(self, who: str, request: Request) -> str:
        """What of it somebody may do only as an operator of the server, for the log; or nothing."""
        return repair(self, self.people[who], request)

    def apply(self, entry: Entry) -> Sequence[Delivery]:
        """Change the state by an entry of the log, and say who hears it."""
        return take_effect(self, entry)

    def answer(self, who: str, query: Query) -> Answer:
        """Look something up for somebody."""
        return answer(self, self.people[who], query)
