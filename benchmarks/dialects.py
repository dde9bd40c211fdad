"""How the servers are spoken to: one small class for each way.

Lines are framed everywhere, and the texts are the same. Where a server does not show people what
they say themselves, the senders are connections beside the members, so that each message is shown
to each member everywhere.
"""

import re


class Dialect:
    """What clients send and read; nicknames are all of one length, so messages are, too.

    ``echo``: whether a sender is a member who reads their own messages. ``marker``: what comes once
    a client is inside; empty if nothing does. ``aside``: the server's own lines that may stand
    between messages. ``welcomed``: what ends the welcome of who is in no room, for IRC only.
    ``question``: something that is answered by one line, asked by a client that
    went in with ``elsewhere``; empty if there is no such thing. ``pause``: for how many seconds the
    server goes on asking newcomers things of its own accord.
    """

    echo = True
    marker = welcomed = b""
    aside: re.Pattern[bytes] | None = None
    question = b""
    pause = 0.0
    last_words: re.Pattern[bytes] | None = None  # what somebody too slow is told,
    counted: re.Pattern[bytes] | None = None  # and what the server's log says of them

    def enter(self, nick: str) -> bytes:
        """What a member sends first."""
        return b""

    def stand_by(self, nick: str) -> bytes:
        """What a sender that is no member sends first."""
        return self.enter(nick)

    def elsewhere(self, nick: str) -> bytes:
        """What somebody sends first who goes to another room."""
        return self.enter(nick)

    def foretold(self, line: bytes) -> bytes:
        """A line with zeros for what nobody can know beforehand; just as long."""
        return line

    def register(self, nick: str) -> bytes:
        """What somebody sends first who is in no room; for IRC only."""
        raise NotImplementedError

    def say(self, nick: str, text: bytes) -> bytes:
        raise NotImplementedError

    def shown(self, nick: str, text: bytes) -> bytes:
        """What every member reads when this one says that."""
        raise NotImplementedError

    def ending(self, nick: str, text: bytes) -> bytes:
        """How that ends, as far back as it can be known beforehand."""
        return self.shown(nick, text)


class Bare(Dialect):
    """No nicknames: what is sent is shown."""

    def say(self, nick: str, text: bytes) -> bytes:
        return self.shown(nick, text)

    def shown(self, nick: str, text: bytes) -> bytes:
        return nick.encode() + b": " + text + b"\n"


class Lines(Dialect):
    """The first line is the nickname, and the server puts it before each message."""

    marker = b"Connected to server!\n"

    def enter(self, nick: str) -> bytes:
        return nick.encode() + b"\n"

    def say(self, nick: str, text: bytes) -> bytes:
        return text + b"\n"

    def shown(self, nick: str, text: bytes) -> bytes:
        return nick.encode() + b": " + text + b"\n"


class Plain(Lines):
    """trio-chat's plain dialect: ``Lines``, and commands that begin with a slash."""

    aside = re.compile(rb"\w+ left!\n")
    question = b"/topic\n"
    last_words = re.compile(
        rb"\*\*\* You read too slowly: more than \d+ bytes were waiting\. Goodbye!\n\Z"
    )
    counted = re.compile(rb"disconnected: reads too slowly")

    def elsewhere(self, nick: str) -> bytes:
        return self.enter(nick) + b"/join #elsewhere\n"


class Broker(Dialect):
    """ncat: what is sent is shown to all others, with nothing before it."""

    echo = False

    def say(self, nick: str, text: bytes) -> bytes:
        return text + b"\n"

    def shown(self, nick: str, text: bytes) -> bytes:
        return text + b"\n"


class Irc(Dialect):
    """ngircd; senders speak from outside the channel, which its modes allow."""

    echo = False
    marker = b" 366 "  # RPL_ENDOFNAMES
    welcomed = b" 376 "  # RPL_ENDOFMOTD
    aside = re.compile(rb":\w+!\S+ QUIT [^\r\n]*\r\n")
    question = b"PING x\r\n"

    def enter(self, nick: str) -> bytes:
        return self.register(nick) + b"JOIN #bench\r\n"

    def stand_by(self, nick: str) -> bytes:
        return self.register(nick) + b"JOIN #" + nick.encode() + b"\r\n"

    def elsewhere(self, nick: str) -> bytes:
        return self.register(nick) + b"JOIN #elsewhere\r\n"

    def say(self, nick: str, text: bytes) -> bytes:
        return b"PRIVMSG #bench :" + text + b"\r\n"

    def shown(self, nick: str, text: bytes) -> bytes:
        return b":%b!~%b@127.0.0.1 " % (nick.encode(), nick.encode()) + self.say(nick, text)

    def register(self, nick: str) -> bytes:
        return b"NICK %b\r\nUSER %b 0 * :x\r\n" % (nick.encode(), nick.encode())


class Ircv3(Irc):
    """trio-chat's IRC, to clients that ask for times, ids and accounts, and for an echo."""

    echo = True
    welcomed = b" 422 "  # ERR_NOMOTD
    aside = re.compile(rb"@\S+ :\w+!\S+ QUIT [^\r\n]*\r\n")
    counted = Plain.counted
    _DIGITS = bytes.maketrans(b"123456789", b"000000000")

    def foretold(self, line: bytes) -> bytes:
        tags, blank, rest = line.partition(b" ")
        return tags.translate(self._DIGITS) + blank + rest if line.startswith(b"@") else line

    def shown(self, nick: str, text: bytes) -> bytes:
        tags = b"@time=0000-00-00T00:00:00.000Z;msgid=0000000000000-000000 "
        return tags + self.ending(nick, text)

    def ending(self, nick: str, text: bytes) -> bytes:
        return b":%b!%b@127.0.0.1 " % (nick.encode(), nick.encode()) + self.say(nick, text)

    def register(self, nick: str) -> bytes:
        caps = b"server-time message-tags account-tag echo-message"
        return b"CAP REQ :" + caps + b"\r\n" + super().register(nick) + b"CAP END\r\n"


class Web(Ircv3):
    """The same over WebSocket: a line in each message. Clients have to mask, and do so by zeros."""

    aside = re.compile(rb"\x81[^@]{1,3}@\S+ :\w+!\S+ QUIT [^\x81]*")
    _irc = Ircv3()
    _UPGRADE = (
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Protocol: text.ircv3.net\r\n\r\n"
    )

    def foretold(self, line: bytes) -> bytes:
        head, at, rest = line.partition(b"@")
        return head + self._irc.foretold(at + rest)

    def shown(self, nick: str, text: bytes) -> bytes:
        return _framed(self._irc.shown(nick, text))

    def ending(self, nick: str, text: bytes) -> bytes:
        return self._irc.ending(nick, text).removesuffix(b"\r\n")

    def enter(self, nick: str) -> bytes:
        return self._UPGRADE + _framed(self._irc.enter(nick), mask=bytes(4))

    def say(self, nick: str, text: bytes) -> bytes:
        return _framed(self._irc.say(nick, text), mask=bytes(4))


def _framed(lines: bytes, mask: bytes = b"") -> bytes:
    """Lines as messages of WebSocket (RFC 6455, 5.2)."""
    out, masked = [], 0x80 if mask else 0
    for line in lines.split(b"\r\n")[:-1]:
        size = len(line)
        head = bytes([0x81, masked | size]) if size < 126 else bytes([0x81, masked | 126])
        out.append(head + (size.to_bytes(2, "big") if size > 125 else b"") + mask + line)
    return b"".join(out)


class Redis(Dialect):
    """Publish and subscribe, in RESP2."""

    echo = False
    marker = b"bench\r\n:1\r\n"
    question = b"PING\r\n"

    def enter(self, nick: str) -> bytes:
        return b"SUBSCRIBE bench\r\n"

    def stand_by(self, nick: str) -> bytes:
        return b"ECHO bench\r\nINCR %b\r\n" % nick.encode()  # answered as a subscription is

    def elsewhere(self, nick: str) -> bytes:
        return self.stand_by(nick)

    def say(self, nick: str, text: bytes) -> bytes:
        return b"*3\r\n$7\r\nPUBLISH\r\n$5\r\nbench\r\n$%d\r\n%b\r\n" % (len(text), text)

    def shown(self, nick: str, text: bytes) -> bytes:
        return b"*3\r\n$7\r\nmessage\r\n$5\r\nbench\r\n$%d\r\n%b\r\n" % (len(text), text)


class Nats(Dialect):
    """Publish and subscribe."""

    echo = False
    pause = 2.6  # it pings each client once, 2 to 2.4 seconds after it has come
    marker = b"PONG\r\n"
    question = b"PING\r\n"

    def enter(self, nick: str) -> bytes:
        return self.stand_by(nick).replace(b"PING", b"SUB bench 1\r\nPING")

    def stand_by(self, nick: str) -> bytes:
        return b'CONNECT {"verbose":false,"pedantic":false}\r\nPING\r\n'

    def elsewhere(self, nick: str) -> bytes:
        return self.stand_by(nick)

    def say(self, nick: str, text: bytes) -> bytes:
        return b"PUB bench %d\r\n%b\r\n" % (len(text), text)

    def shown(self, nick: str, text: bytes) -> bytes:
        return b"MSG bench 1 %d\r\n%b\r\n" % (len(text), text)
