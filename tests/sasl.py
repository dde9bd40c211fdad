"""Logins of raw IRC clients, by the mechanisms that there are."""

from base64 import b64decode, b64encode

from irc_peers import IrcPeer
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.scram import ScramClient

PLAIN, SCRAM = "PLAIN", "SCRAM-SHA-256"


def chunks(data: bytes) -> list[str]:
    """As the lines of AUTHENTICATE that a client sends."""
    text = b64encode(data).decode()
    parts = [text[at : at + 400] for at in range(0, len(text), 400)]
    if len(text) % 400 == 0:
        parts.append("+")
    return [f"AUTHENTICATE {part}" for part in parts]


def plain(name: str, password: str, act_as: str = "") -> list[str]:
    return chunks(f"{act_as}\0{name}\0{password}".encode())


async def by_plain(peer: IrcPeer, name: str, password: str) -> list[Message]:
    """The answer to all of it."""
    start, *answer = await peer.messages("AUTHENTICATE PLAIN", *plain(name, password))
    assert start == Message("AUTHENTICATE", ("+",))
    return answer


async def by_scram(peer: IrcPeer, name: str, password: str) -> list[Message]:
    """The answer to the last message; the server's own proof is right, if it comes so far."""
    client = ScramClient(name, password, "our-nonce")
    _, challenge = await peer.messages(f"AUTHENTICATE {SCRAM}", *chunks(client.first()))
    proof = chunks(client.prove(b64decode(challenge.params[0])))
    answer = await peer.messages(*proof)
    if answer[0].command == "AUTHENTICATE":
        client.check(b64decode(answer[0].params[0]))
        return await peer.messages("AUTHENTICATE +")
    return answer


WAYS = {PLAIN: by_plain, SCRAM: by_scram}


def numerics(messages: list[Message]) -> list[str]:
    return [message.command for message in messages]
