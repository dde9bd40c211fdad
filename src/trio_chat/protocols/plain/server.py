"""The server's end of the plain dialect.

A connection is framed by newlines from its first newline on. Before that, each piece that arrives
is one message: so the tutorial's client speaks, which never sends a newline, puts ``alice: ``
before each message, and dies of any byte that is not ASCII. Its prefix is taken away, and tells
messages apart that arrive glued together.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, partial

from trio_chat.core.commands import (
    CheckInvitation,
    ComeBack,
    Command,
    Enter,
    Join,
    Leave,
    LogIn,
    Quit,
    Rename,
    Say,
    UseInvitation,
)
from trio_chat.core.events import (
    AccountBlocked,
    AccountMade,
    AccountSet,
    AccountUnblocked,
    Arrived,
    Attached,
    AwaySet,
    Event,
    Invited,
    Joined,
    Left,
    Looked,
    PreferenceSet,
    Renamed,
)
from trio_chat.core.letters import continued, cut
from trio_chat.core.names import fold, nick_problem
from trio_chat.core.queries import FindNicks
from trio_chat.core.refusals import Code
from trio_chat.core.views import Answer, Audited, Notice, People, Refused, Reports, Shown
from trio_chat.protocols.audit import audit_lines, report_lines
from trio_chat.protocols.confidential import NOT_SAID, is_confidential, says_password
from trio_chat.protocols.invitation import is_damaged, is_link, shown_token
from trio_chat.protocols.irc.text import shown as readable
from trio_chat.protocols.lines import ENDLESS, LineBuffer
from trio_chat.protocols.plain.verbs import read_verb
from trio_chat.protocols.plain.wording import CANNOT_LOG_IN, GREETING, SETTLED, wording
from trio_chat.protocols.session import HANDLED, Ask, Dialect, Run, Says, Session
from trio_chat.protocols.sniff import begins_request, is_header, is_one_letter, is_whole_request
from trio_chat.protocols.telnet import Telnet, without_erased

# A message of the tutorial's client whose person speaks before the server has asked for a nickname.
_NICK_AND_TEXT = re.compile(r"([^\s:]+): \S")

# Only another device can say it, or end it.
_AWAY = "You are away, as you have said on another device: {}"
_BACK = "You are back, as you have said on another device."

_NO_WEB_SERVER = "This is a chat server, not a web server. Goodbye!"


class PlainDialect(Dialect):
    """Clean lines in an encoding; characters that it cannot write become question marks."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        text = "".join([readable(line) + "\n" for line in wording(shown)])
        return text.encode(self._encoding, "replace")


#: There is one dialect object for each encoding.
plain_dialect = cache(PlainDialect)

_NOBODY = Enter("")


class PlainSession(Session):
    """The plain protocol of one connection (see ``protocols.session.Session`` for the contract).

    ``line_bytes`` is the longest line, ``lobby`` the room that everybody enters first; ``question``
    asks for a password or an invitation, if that is needed. A person is in one room at a time,
    because nothing in a line says which room it is from.
    """

    __slots__ = (
        "_asked", "_by_key", "_encoding", "_ended", "_entering", "_first_line", "_framed",
        "_given", "_has_quit", "_has_spoken", "_is_browser", "_line_bytes", "_lines", "_lobby",
        "_news", "_nick", "_only_ascii", "_overlong", "_pending", "_question", "_refusals",
        "_room", "_telnet", "_to_send", "_token", "_waiting", "_wanted", "_why",
    )  # fmt: skip

    protocol = "plain"
    one_room = True
    client = "plain text"
    own = None  # people are shown their own actions as everybody else is

    def __init__(self, *, encoding: str, line_bytes: int, lobby: str, question: str = "") -> None:
        self._encoding, self._line_bytes, self._lobby = encoding, line_bytes, lobby
        self._refusals = 0
        self._telnet = Telnet(encoding)
        self._lines = LineBuffer(line_bytes)
        self._framed = self._by_key = False
        self._first_line = b""  # the beginning of all that comes, in whatever pieces
        self._is_browser = self._has_quit = False
        self._only_ascii = True
        self._ended = False
        self._overlong = 0  # bytes of pieces without a newline that were too long
        self._waiting: list[bytes | None] | tuple[()] = ()  # the next one last; None was too long
        self._pending: Command | Notice | Refused | None = None  # read, but not yet dealt with
        self._question, self._given = question, ""  # and its answer
        self._token = ""  # an invitation that came first
        self._wanted = ""  # the nickname asked for
        self._nick = ""
        self._entering = _NOBODY
        self._why = ""  # of the last refusal before they are in
        self._news = ""  # what they are told once they are in a room
        self._asked = ""  # the nickname whose account is meant by /login
        self._has_spoken = False
        self._room = ""
        self._to_send = b""

    @property
    def refusals(self) -> int:
        return self._refusals

    @property
    def dialect(self) -> Dialect:
        """The dialect of the configured encoding; ASCII for what may be the tutorial's client."""
        tutorial = self._only_ascii and not self._framed
        return plain_dialect("ascii" if tutorial else self._encoding)

    def greeting(self) -> bytes:
        """``NICK``, with nothing after it."""
        return GREETING.encode(self._encoding)

    def receive_data(self, data: bytes) -> None:
        self._take(self._telnet.feed(data))

    def _take(self, data: bytes) -> None:
        self._look_at_first_line(data)
        self._only_ascii = self._only_ascii and data.isascii()
        one_key = is_one_letter(data, self._encoding)
        self._by_key = self._by_key or one_key
        # Somebody who goes on with a single key is typing: the first was taken for the nickname.
        self._framed = self._framed or b"\n" in data or (one_key and bool(self._wanted))
        messages = self._lines.feed(data) if self._framed else self._unframed(data)
        if messages:
            self._waiting = [*reversed(messages), *self._waiting]

    def _look_at_first_line(self, data: bytes) -> None:
        """Recognise an HTTP request in pieces, the first of which seemed to be something else."""
        if b"\n" in self._first_line or len(self._first_line) > self._line_bytes:
            return
        self._first_line += data
        line = self._first_line.partition(b"\n")[0].decode("latin-1").rstrip("\r")
        self._is_browser = begins_request(line) or is_whole_request(line)
        if b"\n" in self._first_line:
            self._first_line = b"\n"  # the rest is of no use any more

    def receive_eof(self) -> None:
        if rest := self._telnet.rest():
            self._take(rest)
        self._ended = True
        if rest := self._lines.take():
            self._waiting = [rest.removesuffix(b"\r"), *self._waiting]

    def next_run(self) -> Run | None:
        match None if self._has_quit else self._next():
            case Notice() | Refused() as answer:
                self.reply(answer)
                return HANDLED
            case Say() as say:
                return Says(say, self._more())
            case None:
                return None
            case LogIn(name) as login:
                return Ask(login, on_refused=partial(self._not_logged_in, name))
            case CheckInvitation(token) as check:
                return Ask(check, partial(self._thank, token))
            case command:
                self._has_quit = isinstance(command, Quit)
                return Ask(command)

    def _more(self) -> Iterator[Say]:
        """The messages that are said next, up to something else."""
        while isinstance(say := self._next(), Say):
            yield say
        self._pending = say

    def _next(self) -> Command | Notice | Refused | None:
        """Read on to the next thing that is asked for; None if there is nothing more."""
        if pending := self._pending:
            self._pending = None
            return pending
        if self._is_browser:
            return Quit(_NO_WEB_SERVER)
        while self._waiting:
            if (read := self._read(self._waiting.pop())) is not None:
                return read
        self._waiting = ()
        if self._lines.endless or self._overlong > ENDLESS:
            return Quit(f"More than {ENDLESS} bytes came without a newline. Goodbye!")
        return None

    def done(self, event: Event) -> Iterable[Ask]:
        match event:
            case Arrived(nick, origin=origin):
                self._nick, self._entering = nick, _NOBODY
                self._news = f"You are logged in as {origin.account}." if origin.account else ""
                return [Ask(ComeBack(self._lobby) if origin.account else Join(self._lobby))]
            case Attached(nick, origin=origin, rooms=rooms):
                self._nick, self._room = nick, ""
                self._news = f"You are logged in as {origin.account}."
                if rooms:
                    self._tell_news()
                room = next((room for room in rooms if fold(room) != fold(self._lobby)), "")
                enter = Join(room) if room else ComeBack(self._lobby)
                return [Ask(enter), Ask(FindNicks((nick,)), self._tell_if_away)]
            case Looked(room):
                self._room = room
                self._tell_news()
            case Joined(room, back=False):
                before, self._room = self._room, room
                self._tell_news()
                if before and fold(before) != fold(room):  # they may have been kicked and be back
                    return [Ask(Leave(before), on_refused=_left_already)]
            case Invited(room=room, target=target):
                self.reply(Notice(f"You have invited {target} to {room}."))
            case Renamed(to=nick):
                self._nick = nick
            case AccountSet(origin=origin) if origin.account:
                return self._logged_in(origin.account)
            case AccountMade(name=name):
                self._asked = name
                self.reply(Notice(_MADE))
            case AccountBlocked() | AccountUnblocked() | PreferenceSet():
                self._to_send += self.dialect.render(event)
            case _ if words := SETTLED.get(type(event)):
                self.reply(Notice(words))
        return ()

    def _tell_if_away(self, found: People) -> None:
        for seen in found.people:
            if seen.away:
                self.reply(Notice(_AWAY.format(seen.away)))

    def _tell_news(self) -> None:
        news, self._news = self._news, ""
        if news:
            self.reply(Notice(news))

    def done_elsewhere(self, event: Event) -> Iterable[Ask]:
        match event:
            case Renamed(to=nick):
                self._nick = nick
            case AwaySet(text=text):
                self.reply(Notice(_AWAY.format(text) if text else _BACK))
            case Left(room) if fold(room) == fold(self._room):
                self.reply(Notice(f"You have left {room} on another device. /join goes to a room."))
        return ()

    def room_renamed(self, room: str, to: str) -> None:
        if fold(room) == fold(self._room):
            self._room = to

    def _logged_in(self, account: str) -> Iterable[Ask]:
        """Take the nickname that was refused before, now that it is theirs."""
        self.reply(Notice(f"You are logged in as {account}."))
        asked, self._asked = self._asked, account
        if fold(asked) == fold(account) and fold(self._nick) != fold(account):
            yield Ask(Rename(asked), on_refused=self._stay)
        in_lobby = fold(self._room) == fold(self._lobby)
        yield Ask(ComeBack(self._lobby if in_lobby else ""), on_refused=_here_already)

    def _not_logged_in(self, name: str, refused: Refused) -> None:
        self.reply(
            replace(refused, why=f"{CANNOT_LOG_IN}{cut(name, 50)}: {continued(refused.why)}")
        )

    def _thank(self, token: str, answer: Notice) -> None:
        self._token = self._given = token
        self.reply(Notice("Thank you. Now your nickname:"))

    def _stay(self, refused: Refused) -> None:
        self.reply(Notice(f"You are {self._asked} elsewhere, too, and {self._nick} here."))

    def reply(self, answer: Answer) -> None:
        if isinstance(answer, Refused) and answer.code is Code.NICK_OWNED:
            [self._asked] = answer.about
            if not self._nick:
                self._pending = replace(self._entering, near=True)  # they log in when they are in
                return
        if isinstance(answer, Audited):
            answer = Notice("\n".join(audit_lines(answer)))
        if isinstance(answer, Reports):
            answer = Notice("\n".join(report_lines(answer)))
        self._refusals += isinstance(answer, Refused)
        if isinstance(answer, Refused) and not self._nick:
            self._why = answer.why
            if answer.code in _SAID_ALREADY:
                answer = replace(answer, why="That does not let you in.")
            self._wanted = ""  # they are asked for another one
            if not self._entering.account:  # a login is good for the next nickname, too
                self._given = self._token
        self._to_send += self.dialect.render(answer)

    def ping(self) -> None:
        """Do nothing: TCP asks."""

    def farewell(self, words: str, refused: Refused | None = None) -> None:
        """Say it, but for what was said just before."""
        if words:
            self._to_send += self.dialect.render(Notice(words.removeprefix(self._why).lstrip(". ")))

    def data_to_send(self) -> bytes:
        data, self._to_send = self._to_send, b""
        return data

    def _unframed(self, piece: bytes) -> list[bytes | None]:
        """Split a piece into its messages: one, or several glued together by their prefix."""
        if len(piece) > self._line_bytes:
            self._overlong += len(piece)
            return [None]
        # Whoever gave an invitation as nickname, in the tutorial's client, has it for a prefix.
        wanted, before = self._token or self._wanted, []
        if not wanted:
            found = _NICK_AND_TEXT.match(piece.decode(self._encoding, "replace"))
            if not found:
                return [piece]
            wanted = found[1]
            before = [wanted.encode(self._encoding, "replace")]
        prefix = f"{wanted}: ".encode(self._encoding, "replace")
        return [*before, *(message for message in piece.split(prefix) if message)]

    def _read(self, message: bytes | None) -> Command | Notice | Refused | None:
        """Read a message; None if it is blank."""
        if message is None:
            return Refused(f"That was longer than {self._line_bytes} bytes, and was not sent.")
        text = message.decode(self._encoding, "replace")
        if self._by_key or not self._nick:
            text = without_erased(text)
        if not text.strip():
            return None
        if self._is_answer(text):
            return self._answer(text.strip())
        if (says_password if self._nick else is_confidential)(text):
            return self._out_of_place(text.strip())
        if not self._has_spoken and self._is_of_browser(text):
            return Quit(_NO_WEB_SERVER)
        if not self._nick:
            return self._read_nick(text.strip().lstrip("\ufeff\0").strip())
        if text.startswith("/") and not text.startswith("//"):
            return self._completed(read_verb(self._room, text))
        if (token := shown_token(text.strip())) and not is_link(text):
            return UseInvitation(token)  # in the wrong place; nobody else is to have it
        self._has_spoken = True
        return Say(self._room, text.removeprefix("/"))

    def _out_of_place(self, text: str) -> Command | Refused:
        """Read a line with a password where no command can be, but for a login that comes first."""
        if self._nick:
            return Refused(NOT_SAID)
        if (login := _read_login(text)) and login.name:
            self._wanted, self._given = login.name, login.password
            return self._enter(login.name, login.name)
        return Refused(_NICK_FIRST)

    def _completed(self, read: Command | Notice | Refused) -> Command | Notice | Refused:
        """What was read, with the name that /login leaves out."""
        if isinstance(read, LogIn) and not read.name:
            return replace(read, name=self._asked)
        return read

    def _is_of_browser(self, text: str) -> bool:
        """Whether a browser has sent this. People who are in may talk about ``GET /status``."""
        if is_header(text) or is_whole_request(text):
            return True
        return not self._nick and begins_request(text)

    def _is_answer(self, text: str) -> bool:
        """Whether this is what newcomers are asked for beside their nickname."""
        asked = bool(self._question and self._wanted and not (self._nick or self._given))
        return asked and (text.startswith("/") or not self._is_of_browser(text))

    def _answer(self, answer: str) -> Command:
        """Read a password or an invitation, or a /login, which names whom it is of."""
        name, self._given = "", answer
        if login := _read_login(answer):
            name, self._given = login.name or self._wanted, login.password
        elif token := shown_token(answer):
            self._given = token
        return self._enter(self._wanted, name)

    def _read_nick(self, nick: str) -> Command | Notice | Refused:
        if shown_token(nick) or (self._question and is_damaged(nick)):
            return CheckInvitation(shown_token(nick) or nick)
        self._wanted = nick
        if self._question and not self._given:
            problem = nick_problem(nick)  # or they would be asked in vain
            return Refused(problem, Code.BAD_NICK) if problem else Notice(self._question)
        return self._enter(nick)

    def _enter(self, nick: str, account: str = "") -> Command:
        """Ask to be let in; under a similar nickname if nobody can be asked for another one.

        Only a person can be asked, not somebody who has gone on talking. Nor are owners asked who
        are here already, on another device.
        """
        is_owner = fold(nick) == fold(account)
        near = is_owner or not self._framed or self._ended or bool(self._waiting)
        self._asked = nick
        self._entering = Enter(nick, near=near, password=self._given, account=account)
        return self._entering


_NICK_FIRST = (
    "First your nickname, then /register PASSWORD or /login PASSWORD; or /login NAME PASSWORD "
    "right now. Nobody was sent that line."
)

# The refusals that the question has told of already.
_SAID_ALREADY = (Code.ACCOUNT_REQUIRED, Code.INVITATION_REQUIRED)

_MADE = "Your nickname is yours now. When you come again: /login PASSWORD"


def _read_login(line: str) -> LogIn | None:
    """Read a line of somebody who is not in yet: None if it asks for no login."""
    read = read_verb("", line) if line[:7].lower() == "/login " else None
    return read if isinstance(read, LogIn) else None


def _here_already(refused: Refused) -> None:
    """Ignore it: the room where they were last is the one that they are shown."""


def _left_already(refused: Refused) -> None:
    """Ignore that the room before has been left: they were kicked out of it."""
