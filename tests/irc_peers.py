"""IRC clients for tests, raw ones: lines on one side, a real server on the other."""

import base64
import hashlib
from functools import cache
from typing import Any

from peers import House, Peer
from peers import settings as plain_settings
from trio_chat.protocols.irc.message import Message, parse
from trio_chat.settings import IrcSettings, Settings


def settings(*, irc: dict[str, Any] | None = None, **sections: dict[str, Any]) -> Settings:
    """As ``peers.settings``; hosts are shown as they are, and there is an operator, unless ``irc``
    says otherwise.
    """
    operators = f"boss={cheap_hash('sesame')}"
    chosen = IrcSettings(**({"cloak": False, "operators": operators} | (irc or {})))
    return plain_settings(**sections).model_copy(update={"irc": chosen})


@cache
def cheap_hash(password: str) -> str:
    """Of a password, as hash_password makes it; but in a millisecond."""
    salt = b"salt"
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
    return ":".join(
        ["scrypt", "10", *(base64.urlsafe_b64encode(d).decode() for d in (salt, hashed))]
    )


class IrcPeer(Peer):
    """``news`` are the lines that came because of what others do, or of what it has sent."""

    _pings = 0

    async def say(self, *lines: str | bytes) -> None:
        data = (line.encode() if isinstance(line, str) else line for line in lines)
        await self.send(b"".join(line + b"\r\n" for line in data))

    async def news(self, *lines: str | bytes) -> list[str]:
        """Say something; then all lines that are new, tags and all, up to the answer to a PING."""
        self._pings += 1
        token = f"ping-{self._pings}"
        await self.say(*lines, f"PING {token}")
        answer = f"PONG chat.local :{token}\r\n"
        *new, last = (await self.until(answer)).split("\r\n")[:-1]
        assert last.endswith(f":chat.local {answer.rstrip()}")
        return new

    async def messages(self, *lines: str | bytes) -> list[Message]:
        """As ``news``, read."""
        return [message for line in await self.news(*lines) if (message := parse(line))]


async def irc_peer(
    house: House,
    nick: str = "",
    *caps: str,
    rooms: str = "#lobby",
    link: bool = False,
    password: str = "",
    secret: str = "",
    address: str = "",
    joins: str = "",
) -> IrcPeer:
    """A client over TCP, or over memory with ``link``, or from an ``address``; with a nickname it
    is in these rooms, and with a ``secret`` it can come again; if it is logged in to the account of
    somebody who is here, it ``joins`` them."""
    if address:
        raw = await house.link(address=address)
    else:
        raw = await (house.link() if link else house.connect())
    peer = IrcPeer(raw.stream)
    if nick:
        opening = [f"CAP REQ :{' '.join(caps)}"] if caps else []
        opening += [f"PASS {password}"] if password else []
        opening += ["CAP REQ trio-chat/identity", f"IDENTITY {secret}"] if secret else []
        opening += [f"NICK {nick}", f"USER {nick} 0 * :{nick.title()}", "CAP END"]
        lines = await peer.news(*opening, *([f"JOIN {rooms}"] if rooms else []))
        assert any(f" 001 {joins or nick} " in line for line in lines), lines
    return peer


async def lead(house: House, nick: str, room: str = "#lobby") -> None:
    """An operator of the server makes somebody who is in a room its operator, from outside."""
    boss = await irc_peer(house, "boss", rooms="")
    assert await boss.news("OPER boss sesame", f"MODE {room} +o {nick}", "PING x")
    await boss.say("QUIT")
    await boss.rest()


async def promote(house: House, nick: str) -> None:
    """Make somebody an operator of the server, without a thread that hashes a password."""
    person = house.server._hub.chat.person(nick)
    assert person
    [hub] = [one._hub for one in house.servers if person.user_id in one._hub.subscribers]
    await hub.operators.make(hub.subscribers[person.user_id])


async def irc_people(house: House, *nicks: str, caps: str = "") -> list[IrcPeer]:
    """Clients in the lobby, all with these capabilities, who have read that."""
    peers = [await irc_peer(house, nick, *caps.split()) for nick in nicks]
    for peer in peers:
        await peer.news()
    return peers
