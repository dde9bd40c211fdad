"""What one person says and hears on one connection after the other, to a server that keeps
everything. Sans-IO.
"""

from collections.abc import Sequence

from keeping_server import End, KeepingServer
from trio_chat.core.events import Said
from trio_chat.core.views import Notice
from trio_chat.protocols.client import Acknowledged, Earlier, Lag, Message, Sent
from trio_chat.protocols.irc.client.session import IrcClientSession
from trio_chat.protocols.resume_state import ResumeState


class Client:
    """In these ``rooms``, of which the first is where ``say_here`` says something."""

    def __init__(self, server: KeepingServer, rooms: Sequence[str] = ("#lobby",)) -> None:
        self.server, self.rooms = server, rooms
        self.state = ResumeState()
        self.heard: list[Message] = []
        self._now = 0
        self.connect()

    def connect(self) -> None:
        self.end: End = self.server.connect()
        self.session = IrcClientSession("me", rooms=self.rooms, encoding="utf-8", state=self.state)
        self._to_server, self._to_client = b"", b""

    def cut(self) -> None:
        self.end.cut()
        self.connect()

    def say(self, target: str, text: str) -> None:
        self.session.say_to(target, text)
        self.heard += self.session.own_messages()

    def say_here(self, *texts: str) -> None:
        for text in texts:
            self.say(self.rooms[0], text)

    def send(self, most: int | None = None) -> None:
        """So late that nobody is too fast. Or only so many bytes of it."""
        self._now += 100
        self._to_server += self.session.data_to_send(self._now)
        self.heard += self.session.own_messages()
        self.end.receive(self._to_server[:most])
        self._to_server = b"" if most is None else self._to_server[most:]

    def listen(self, most: int | None = None) -> None:
        self._to_client += self.end.take()
        self.heard += self.session.receive_data(self._to_client[:most])
        self._to_client = b"" if most is None else self._to_client[most:]

    def settle(self) -> None:
        """Until both are silent."""
        before = -1
        while before != (before := self._passed()):
            self.server.post()
            self.send()
            self.listen()

    def _passed(self) -> int:
        """How much, without what comes by the clock."""
        asked = [message for message in self.end.received if message.params != ("lag",)]
        return len(asked) + len(self.heard) - len(self.of(Lag))

    def texts(self, place: str = "") -> list[str]:
        """What we have said has its place where it is acknowledged. Everywhere, without a place."""
        found: list[tuple[str, str]] = []
        ours: dict[str, Sent] = {}
        for message in self.heard:
            said = message.said if isinstance(message, Earlier) else message
            if isinstance(said, Sent):
                ours[said.token] = said
            elif isinstance(said, Acknowledged):
                found.append((ours[said.token].target, ours[said.token].text))
            elif isinstance(said, Said):
                found.append((self.session.buffer_of(said), said.text))
        return [text for where, text in found if where == place or not place]

    def notices(self) -> list[str]:
        return [message.text for message in self.heard if isinstance(message, Notice)]

    def of(self, kind: type) -> list[Message]:
        return [message for message in self.heard if isinstance(message, kind)]


def connected(server: KeepingServer | None = None, rooms: Sequence[str] = ("#lobby",)) -> Client:
    client = Client(server or KeepingServer(), rooms)
    client.settle()
    return client
