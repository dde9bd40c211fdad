"""AUTHENTICATE as a client may send it, whatever it sends."""

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.commands import LogIn, Prove
from trio_chat.core.views import Challenge
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.irc.sasl import Sasl


class Client:
    def __init__(self) -> None:
        self.out = ReplyBuffer(ServerInfo("srv", "net", "1", "now"), lambda: 0.0)
        self._sasl = Sasl(self.out, private=True)

    def say(self, param: str) -> list[LogIn | Prove]:
        """What it asks for; each message of SCRAM is answered by a challenge."""
        commands = []
        for ask in self._sasl.authenticate(Message("AUTHENTICATE", (param,))):
            assert isinstance(ask.command, LogIn | Prove)
            commands.append(ask.command)
            if ask.on_answer:
                ask.on_answer(Challenge(b"go on"))
        return commands

    def answers(self) -> list[str]:
        self.out.finish()
        lines = self.out.data_to_send().decode().split("\r\n")[:-1]
        return [line.split()[1] for line in lines]


PARAMS = st.one_of(
    st.sampled_from(["PLAIN", "scram-sha-256", "*", "+", "EXTERNAL", "A" * 400, "A" * 401]),
    st.binary(max_size=299).map(lambda data: b64encode(data).decode() or "+"),
    st.text(min_size=1, max_size=20),
)


@given(st.lists(PARAMS, max_size=12))
def test_whatever_comes_is_answered_or_asked_for_and_little_is_kept(params: list[str]) -> None:
    client = Client()
    for param in params:
        asked = client.say(param)
        assert len(asked) <= 1
        answers = client.answers()
        if not asked and len(param) != 400:
            assert answers
        assert len(client._sasl._chunks) <= 1200


@given(st.text(min_size=1).filter(lambda t: "\0" not in t), st.text(min_size=1, max_size=200))
def test_a_name_and_a_password_come_as_they_are(name: str, password: str) -> None:
    data = f"\0{name}\0{password}".encode(errors="ignore")
    text = b64encode(data).decode()
    chunks = [text[at : at + 400] for at in range(0, len(text), 400)]
    client = Client()
    client.say("PLAIN")
    asked = [command for chunk in chunks for command in client.say(chunk)]
    asked += client.say("+") if len(text) % 400 == 0 else []
    if "\0" in password or len(text) > 1200:
        assert asked == []
    else:
        assert asked == [LogIn(name, password)]


@given(st.lists(st.binary(max_size=299), min_size=1, max_size=4))
def test_the_messages_of_scram_come_as_they_are(messages: list[bytes]) -> None:
    client = Client()
    client.say("SCRAM-SHA-256")
    asked = [
        command for data in messages for command in client.say(b64encode(data).decode() or "+")
    ]
    assert asked == [Prove(data, first=not at) for at, data in enumerate(messages)]
