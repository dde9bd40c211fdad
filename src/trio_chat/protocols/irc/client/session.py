"""The client's end of IRC: modern.ircdocs.horse, and of ircv3.net what the server offers of it.

What a line of the server's means is found in the tables of ``heard``. Here it is told: in its turn,
each message once, and what we have said ourselves as acknowledged.
"""

from collections.abc import Sequence

from trio_chat.core.events import Said
from trio_chat.protocols.client import CUT_SHORT, Acknowledged, Earlier, Message, Stamped
from trio_chat.protocols.irc.client.inbound import understand
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import is_cut


class IrcClientSession(IrcRooms):
    """It speaks first, and is in many rooms at once, and in private conversations."""

    def _understand_line(self, line: Line) -> Sequence[Message]:
        whole = self._reassembly.take(line)
        return self._understand_whole(whole) if whole else ()

    def _understand_whole(self, line: Line) -> Sequence[Message]:
        told: Sequence[Message] = understand(self, line)
        batch = self.batches.get(line.tags.get("batch", ""))
        if batch is None or not self.pages.asked_for(batch.page):
            told = self._in_turn(told)
        if "batch" not in line.tags:
            self._remember(line.tags.get("time", ""))
        messages = [*told, *self._settle()]
        return [known for message in messages for known in self._acknowledge(message)]

    def _in_turn(self, messages: Sequence[Message]) -> Sequence[Message]:
        return [
            shown
            for message in messages
            for shown in self.catch_up.in_turn(message) or self._answer(message)
        ]

    def _answer(self, message: Message) -> Sequence[Message]:
        """What was said before we came, and shown to us as such, we may say once more with the same
        token: then the server shows us the first again, and that is the answer to the second.
        """
        if not isinstance(message, Stamped) or message.late or self.catch_up.busy:
            return ()
        return [message] if self.state.is_known(message.token) else ()

    def _remember(self, time: str) -> None:
        """Nothing that was said until now is missing, unless we are about to ask for it. The clock
        of the server may have gone back.
        """
        if time and ((self._talking and not self.catch_up.busy) or not self.state.since):
            self.state.since = time

    def _settle(self) -> Sequence[Message]:
        """What follows once all that a line tells is told."""
        rooms, self._new_rooms = self._new_rooms, []
        for room, time in rooms if self.keeps_history else ():
            self.catch_up.begin(room, time)
        # What we said before a cut, and somebody has seen, may be in what we are catching up with.
        if self.has_settled and not (self._talking or self.catch_up.busy):
            self._talking = True
            return self._send_again()
        return ()

    def _acknowledge(self, message: Message) -> Sequence[Message]:
        """A text of ours has come, in its turn."""
        said = message.said if isinstance(message, Earlier) else message
        if not (isinstance(said, Said) and said.token):
            return [message]
        self._returned.discard(said.token)
        taken = self.state.take_token(said.token)
        text = self.state.failed.pop(said.token, None) or taken
        if text is None:
            return [message]
        if not is_cut(text.text, said.text):
            return [_place_of(said)]
        return [_place_of(said), *self._fail_after_all(text, CUT_SHORT)]


def _place_of(said: Said) -> Acknowledged:
    """As far as the server tells it."""
    if isinstance(said, Stamped):
        return Acknowledged(said.token, said.msgid, said.time)
    return Acknowledged(said.token)
