"""The rules of the chat, in two synchronous functions.

``decide`` judges a command and changes nothing; what it returns has not happened yet. ``apply``
changes the state by an event that has its place in the log, and says who hears it. The log alone
feeds ``apply``, so a room's state is a fold over its log: the same on every node, and the same
after a restart.
"""

from collections.abc import Iterable, Sequence

from trio_chat.core.answers import ANSWERS as _ANSWERS
from trio_chat.core.apply import EFFECTS
from trio_chat.core.blocks import ANSWERS as _OF_BLOCKS
from trio_chat.core.called import with_nicks_of_now
from trio_chat.core.commands import Confidential, Request
from trio_chat.core.decide import JUDGES, Outcomes, account_first, repair
from trio_chat.core.events import Entry
from trio_chat.core.moderation import ANSWERS as _OF_MODERATION
from trio_chat.core.queries import Query
from trio_chat.core.room import Person
from trio_chat.core.state import State
from trio_chat.core.views import Answer, Delivery

ANSWERS = {**_ANSWERS, **_OF_BLOCKS, **_OF_MODERATION}


class Chat(State):
    """The people and rooms that are here now, and the rules for them.

    Synchronous and without I/O. ``user_id`` is the id of a person who is here; an unknown id raises
    KeyError. Only ``apply`` changes rooms and people; call it with the entries of a log in their
    order, each once.
    """

    def decide(
        self, user_id: str, request: Request | Confidential, *, outsider: Person | None = None
    ) -> Outcomes:
        """Judge a request: the event that it would become, or refusals; empty if it is none.

        ``outsider`` is who asks, if they are not in the chat: somebody who is not let in yet, who
        may ask to Register only, or an operator on the operators' socket. Nothing is changed. All
        events returned belong to one log. A room to join must have been opened
        (``State.open_room``).
        """
        person = outsider or self.people[user_id]
        if self.accounts_only and (refused := account_first(person, request)):
            return [refused]
        return JUDGES[type(request)](self, person, request)

    def is_repair(
        self, user_id: str, request: Request | Confidential, *, outsider: Person | None = None
    ) -> str:
        """Describe, for the server's log, what only an operator of the server may do."""
        return repair(self, outsider or self.people[user_id], request)

    def apply(self, entry: Entry) -> Sequence[Delivery]:
        """Change the state by the next entry of a log, and return who is to be shown what."""
        event = with_nicks_of_now(self, entry.event)
        return EFFECTS[type(event)](self, event, entry)

    def answer(
        self, user_id: str, query: Query, *, outsider: Person | None = None
    ) -> Iterable[Answer]:
        """Look something up in the state for somebody; Refused if they may not know it.

        A long answer comes in parts, which are worked out one by one: the state may change between
        two of them.
        """
        return ANSWERS[type(query)](self, outsider or self.people[user_id], query)
