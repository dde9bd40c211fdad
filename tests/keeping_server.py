"""An IRC server that keeps everything: as small as it can be and still play by the
rules by which nothing is lost and nothing comes twice. Sans-IO.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from trio_chat.protocols.irc.message import Message, parse

CAPS = "batch message-tags server-time echo-message draft/chathistory trio-chat/identity"


@dataclass(frozen=True)
class Kept:
    id: str
    nick: str
    token: str
    text: str
    target: str = "#lobby"
    time: str = ""

    def line(self, extra: str = "") -> str:
        token = f";+trio-chat/id={self.token}" if self.token else ""
        tags = f"msgid={self.id};time={self.time}{token}{extra}"
        return f"@{tags} :{self.nick}!u@h PRIVMSG {self.target} :{self.text}"

    def place(self, me: str) -> str:
        """Where that belongs for ``me``: a room, or another person."""
        return self.nick if self.target == me else self.target


def moment(milliseconds: int) -> str:
    """As IRC has it; the world begins with 2026-01-02."""
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"2026-01-02T{minutes // 60:02}:{minutes % 60:02}:{seconds:02}.{rest:03}Z"


@dataclass
class KeepingServer:
    """``page`` is the most messages that it gives at a time, ``caps`` what it offers, ``forgets``
    whether it has forgotten all ids, ``drops`` whether it drops without a word what is said. A text
    with "forbidden" in it is refused, and so are the next ``full`` attempts to enter a room. If it
    ``dawdles``, what others say comes to everybody with the next ``post``, and to who asks for it
    before that. Ids rise, whatever its clock does, which is ``slow`` by so much.
    """

    page: int = 3
    caps: str = CAPS
    kept: list[Kept] = field(default_factory=list)
    ends: "list[End]" = field(default_factory=list)
    forgets: bool = False
    drops: bool = False
    dawdles: bool = False
    full: int = 0
    _posts: "list[tuple[Kept, list[End]]]" = field(default_factory=list)
    now: int = 0  # milliseconds; nothing happens at the same moment
    slow: int = 0  # milliseconds

    @property
    def clock(self) -> str:
        return moment(self.now - self.slow)

    def connect(self) -> "End":
        end = End(self)
        self.ends.append(end)
        return end

    def say(self, nick: str, text: str, token: str = "", target: str = "#lobby") -> Kept:
        """In a room, or to one person. All who are connected are called the same."""
        self.now += 1
        kept = Kept(f"{self.now:06}", nick, token, text, target, self.clock)
        self.kept.append(kept)
        self._posts.append((kept, [end for end in self.ends if end.hears(target)]))
        if not self.dawdles:
            self.post()
        return kept

    def post(self) -> None:
        """Send to everybody what was said and is kept."""
        posts, self._posts = self._posts, []
        for kept, ends in posts:
            for end in ends:
                end.tell(kept.line())

    @property
    def texts(self) -> list[str]:
        return [kept.text for kept in self.kept]


class End:
    """The server's end of one connection; it calls ``notify`` when there is something to take."""

    def __init__(self, server: KeepingServer) -> None:
        self._out: list[str] = []
        self.closed = False
        self.rooms: set[str] = set()
        self.received: list[Message] = []
        self.notify: Callable[[], None] = lambda: None
        self._server = server
        self._nick = self._unread = ""

    def receive(self, data: bytes) -> None:
        *lines, self._unread = (self._unread + data.decode()).split("\r\n")
        for line in lines:
            message = parse(line)
            assert message
            self.received.append(message)
            getattr(self, f"on_{message.command.lower()}", self._ignore)(message)

    def tell(self, *lines: str) -> None:
        self._out += lines
        self.notify()

    def take(self) -> bytes:
        """What it has to send."""
        lines, self._out = self._out, []
        return "".join(f"{line}\r\n" for line in lines).encode()

    def cut(self) -> None:
        self._server.ends.remove(self)

    @property
    def joined(self) -> bool:
        return bool(self.rooms)

    def hears(self, target: str) -> bool:
        return target in self.rooms if target.startswith("#") else self.joined

    def commands(self, command: str) -> list[Sequence[str]]:
        return [message.params for message in self.received if message.command == command]

    def _ignore(self, message: Message) -> None:
        pass

    def on_cap(self, message: Message) -> None:
        match message.params:
            case ("LS", *_):
                self.tell(f":s CAP * LS :{self._server.caps}")
            case ("REQ", words):
                self.tell(f":s CAP * ACK :{words}")
            case ("END",):
                supports = f"CHATHISTORY={self._server.page} MSGREFTYPES=msgid,timestamp"
                self.tell(f":s 001 {self._nick} :Welcome")
                self.tell(f":s 005 {self._nick} {supports} :are supported")

    def on_nick(self, message: Message) -> None:
        self._nick = message.params[0]

    def on_join(self, message: Message) -> None:
        for room in message.params[0].split(","):
            if self._server.full:
                self._server.full -= 1
                self.tell(f":s 471 {self._nick} {room} :It is full")
                continue
            self.rooms.add(room)
            self._server.now += 1
            tagged = "server-time" in self._server.caps
            time = f"@time={self._server.clock} " if tagged else ""
            self.tell(f"{time}:{self._nick}!u@h JOIN {room}", f":s 366 {self._nick} {room} :End")

    def on_ping(self, message: Message) -> None:
        self.tell(f":s PONG s {message.params[0]}")

    def on_quit(self, message: Message) -> None:
        self.closed = True
        self.tell("ERROR :Closing link: Quit")

    def on_privmsg(self, message: Message) -> None:
        target, text = message.params
        token = message.tags.get("+trio-chat/id", "")
        if self._server.drops:
            return
        if "forbidden" in text:
            self.tell(f":s 404 {self._nick} {target} :You may not say that")
        elif known := [k for k in self._server.kept if token and k.token == token]:
            self.tell(known[0].line())
        else:
            self._server.say(self._nick, text, token, target)
            self._server.post()  # who says something waits until it is shown

    def on_chathistory(self, message: Message) -> None:
        if message.params[0] == "TARGETS":
            self._targets(message.params[1].partition("=")[2])
            return
        verb, target, reference, limit = message.params
        if self._server.forgets and reference != "*":
            self.tell(f"FAIL CHATHISTORY MESSAGE_ERROR {verb} {target} :No such message")
            return
        kind, _, after = reference.partition("=")
        key: Callable[[Kept], str] = {
            "msgid": lambda kept: kept.id,
            "timestamp": lambda kept: kept.time,
            "*": lambda kept: "*",
        }[kind]
        before = verb == "BEFORE"
        kept = self._server.kept
        begin = 0 if before else bisect_right(kept, after, key=key)
        end = bisect_left(kept, after, key=key) if before else len(kept)
        kept = [kept[n] for n in range(begin, end) if kept[n].place(self._nick) == target]
        most = int(limit)
        page = kept[:most] if verb == "AFTER" else kept[-most:]
        lines = [kept.line(";batch=p") for kept in page]
        self.tell(f":s BATCH +p chathistory {target}", *lines, ":s BATCH -p")

    def _targets(self, after: str) -> None:
        last = {k.place(self._nick): k.time for k in self._server.kept}
        lines = [
            f"@batch=t :s CHATHISTORY TARGETS {name} {time}"
            for name, time in last.items()
            if time > after
        ]
        self.tell(":s BATCH +t draft/chathistory-targets", *lines, ":s BATCH -t")
