"""The client's end of IRC: modern.ircdocs.horse, and the extensions of ircv3.net that a server has.

``inbound`` reads the server's lines. This puts the messages in order, leaves out those that came
before, and turns our own into Acknowledged.
"""

from collections.abc import Sequence

from trio_chat.core.events import Said
from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted, Unsupported
from trio_chat.protocols.client import CUT_SHORT, Acknowledged, Earlier, Message, Stamped
from trio_chat.protocols.irc.client.inbound import IrcInbound
from trio_chat.protocols.irc.client.slash import lines_of_slash
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import is_cut
from trio_chat.protocols.moderation import BadDuration
from trio_chat.protocols.unacked import lines_of


class IrcClientSession(IrcInbound):
    """The whole session. It speaks first."""

    def command(self, line: str, target: str = "") -> None:
        if not self.registered:
            super().command(line, target)
            return
        self._target = target
        try:
            for read in lines_of_slash(self, " ".join(lines_of(line))):
                self._do(read)
        except (Unsupported, BadDuration) as error:
            self.refuse(target, str(error))

    # ── what the server says ───────────────────────────────────────────────────────────────

    def receive_data(self, data: bytes) -> Sequence[Message]:
        told: list[Message] = []
        try:
            for line in self._lines.feed(data):
                told += self._understand(line)
        except NotAdmitted:
            self._own[:0] = told
            raise
        return told

    def _understand(self, data: bytes | None) -> Sequence[Message]:
        if data is None:
            return [Notice("A line was too long.")]
        line = self._read(data)
        if line is None:
            return ()
        self._count_answered(line)
        whole = self._reassembly.take(line)
        return self._understand_whole(whole) if whole else ()

    def _understand_whole(self, line: Line) -> Sequence[Message]:
        told: Sequence[Message] = self.understand(line)
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
        """Return a message of ours that has come before, if it answers a text that was resent with
        the same token: the server then shows us the first again.
        """
        if not isinstance(message, Stamped) or message.late or self.catch_up.busy:
            return ()
        return [message] if self.state.is_known(message.token) else ()

    def _remember(self, time: str) -> None:
        """Note that nothing said until now is missing, unless we are still catching up. A server's
        clock may go back.
        """
        if time and ((self._talking and not self.catch_up.busy) or not self.state.since):
            self.state.since = time

    def _settle(self) -> Sequence[Message]:
        """Do what follows once a line has been understood."""
        rooms, self._new_rooms = self._new_rooms, []
        for room, time in rooms if self.keeps_history else ():
            self.catch_up.begin(room, time)
        # Texts that arrived just before a connection was lost may be in what we catch up with.
        if self.has_settled and not (self._talking or self.catch_up.busy):
            self._talking = True
            return self._send_again()
        return ()

    def _acknowledge(self, message: Message) -> Sequence[Message]:
        """Turn a text of ours that is back, in its turn, into Acknowledged."""
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
    if isinstance(said, Stamped):
        return Acknowledged(said.token, said.msgid, said.time)
    return Acknowledged(said.token)
