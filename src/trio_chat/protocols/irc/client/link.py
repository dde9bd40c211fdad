"""A connection to an IRC server: registration, capabilities, lines in and lines out."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from trio_chat.core.letters import cut
from trio_chat.core.views import Notice
from trio_chat.errors import LoginFailed, NotAdmitted, Unsupported
from trio_chat.protocols.alternates import Alternates
from trio_chat.protocols.casemapping import ByName
from trio_chat.protocols.client import LINE_BYTES, NO_ACCOUNTS, ClientSession, Message
from trio_chat.protocols.irc.client.batch import SEARCH, Batch
from trio_chat.protocols.irc.client.catchup import PLAYBACK
from trio_chat.protocols.irc.client.offline import Offline
from trio_chat.protocols.irc.client.outgoing import Outgoing
from trio_chat.protocols.irc.client.sasl import Account, Login
from trio_chat.protocols.irc.info import IDENTITY, MISSED, NO_ROOMS, REDACTION, RENAMING
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.message import body, parse
from trio_chat.protocols.irc.multiline import MULTILINE
from trio_chat.protocols.irc.text import shown
from trio_chat.protocols.lines import LineBuffer
from trio_chat.protocols.plain.wording import GOODBYE, GREETING
from trio_chat.protocols.resume_state import Confided, ResumeState
from trio_chat.protocols.unacked import new_token

_SASL = "sasl"

#: How a login begins in the middle of a chat.
LOG_IN = Confided(body("CAP", "REQ", _SASL))

#: Capabilities we request if the server offers them: echoes of our own messages, history with
#: times, details of people, and notice of changes and refusals.
WANTED = {
    *("account-tag", "away-notify", "batch", "cap-notify", "chghost", "draft/chathistory"),
    *("draft/read-marker", "echo-message", "extended-join", "message-tags", "multi-prefix"),
    *("server-time", "standard-replies"),
    *(IDENTITY, MISSED, MULTILINE, REDACTION, RENAMING, SEARCH),
}

# Commands that a server may send without a source before it has let us in.
_SERVER_WORDS = {"AUTHENTICATE", "BATCH", "CAP", "ERROR", "FAIL", "NOTE", "NOTICE", "PING", "WARN"}


@dataclass(frozen=True)
class Introduction:
    """Our side of a connection: whom to be, and how to read and write.

    ``secure`` is whether nobody on the way can read what we send, ``rooms_back`` whether a login
    brings us into the rooms where we were.

    Bytes that are not UTF-8 are read in ``encoding``; we send UTF-8.
    """

    nick: str | Alternates
    encoding: str
    password: str = field(default="", repr=False)
    account: Account | None = None
    secure: bool = False
    rooms_back: bool = True


class IrcLink(Offline, ClientSession):
    """The connection, of which the session is made."""

    framed = True

    def __init__(self, we: Introduction, state: ResumeState) -> None:
        super().__init__(state)
        nick = we.nick
        self._nicks = nick if isinstance(nick, Alternates) else Alternates(nick, allowed=False)
        self.nick, self.room = self._nicks.nick, ""
        self.admitted = False
        self.registered = False
        self.farewell = ""
        self.gave_password = bool(we.password)
        self.leaving = False  # whether we have said QUIT
        self.offered: set[str] = set()
        self.cap_values: dict[str, str] = {}  # of those that are offered
        self.caps: set[str] = set()
        self.server = ""  # its name
        self.address = ""  # ours, ``user@host``, as others see it
        # Members of rooms while NAMES is still coming; and rooms for which it is still to come.
        self.names: ByName[list[str]] = ByName(state.names)
        self.entering: ByName[None] = ByName(state.names)
        self.batches: dict[str, Batch] = {}  # open batches
        self._wanted: list[str] = []  # kinds of batches that the person waits for
        self.outgoing = Outgoing()
        self._identified = False
        self._wanted_caps = WANTED if we.rooms_back else WANTED | {NO_ROOMS}
        self._login = Login(we.account, new_token()) if we.account else None
        self.logging_in = False  # in the middle: what follows is perhaps for those who are
        self.secure = we.secure
        self.refused_nick = ""  # the one that we asked for last, if we could not have it
        self.reserved = ""  # why, if it belongs to an account
        self._encoding = we.encoding
        self._lines = LineBuffer(LINE_BYTES)
        self._is_irc = False  # known once the server has said something
        self._introduce(we.password)

    def _introduce(self, password: str) -> None:
        """Register. Servers without capabilities answer CAP with an error, or not at all."""
        user = "".join(char for char in self.nick if char.isascii() and char.isalnum())[:10]
        self.send("CAP", "LS", "302")
        if password:
            self.send("PASS", password)
        self.send("NICK", self.nick)
        self.send("USER", user or "user", "0", "*", self.nick)

    def try_another(self, refused: str) -> bool:
        """Send the next nickname after the server has refused ours, which it writes as ``refused``.
        Returns whether there is one.
        """
        if not self._nicks.next(refused):
            return False
        self.nick = self._nicks.nick
        self.send("NICK", self.nick)
        return True

    # ── what the server says ───────────────────────────────────────────────────────────────

    def _read(self, data: bytes) -> Line | None:
        """Parse a line; None if it means nothing. Raises NotAdmitted if this is no IRC."""
        text = self._decode(data)
        line = parse(text)
        if line is None or text == GREETING:  # trio-chat's, which crossed our first line
            return None
        if not self._is_irc:
            self._recognise(line, text)
        return line

    def _decode(self, data: bytes) -> str:
        try:
            return data.decode()
        except UnicodeDecodeError:
            return data.decode(self._encoding, "replace")

    def _recognise(self, line: Line, text: str) -> None:
        command = line.command
        self._is_irc = bool(line.source) or command.isdecimal() or command in _SERVER_WORDS
        if not self._is_irc:
            said = shown(cut(text, 200))
            raise NotAdmitted(f"this server does not speak IRC. It says: {said}", about="protocol")

    def is_me(self, nick: str) -> bool:
        return self.state.names.same(nick, self.nick)

    def want(self, kind: str) -> None:
        """Note that the person has asked for a batch of this kind."""
        self._wanted.append(kind)

    def has_come(self, kind: str) -> bool:
        """Return whether the person waits for a batch of this kind, and stop waiting for it."""
        if kind not in self._wanted:
            return False
        self._wanted.remove(kind)
        return True

    # ── capabilities ───────────────────────────────────────────────────────────────────────

    def ask_for_caps(self) -> None:
        """Request what we want of what is offered, or end the negotiation."""
        plays_back = {PLAYBACK} if self.state.last and not self.registered else set[str]()
        possible = (self.offered - self.caps) & (self._wanted_caps | plays_back)
        if "batch" not in self.offered:  # history would look like live messages
            possible -= {"draft/chathistory", PLAYBACK}
        if self._login and not self.registered and _SASL in self.offered - self.caps:
            possible.add(_SASL)
        if possible:
            self.send("CAP", "REQ", " ".join(sorted(possible)))
        else:
            self.end_of_caps()

    def acknowledged(self, caps: set[str]) -> None:
        dropped = {cap for cap in caps if cap.startswith("-")}
        self.caps = (self.caps | caps - dropped) - {cap[1:] for cap in dropped}
        if IDENTITY in self.caps:  # trio-chat, which slows down floods by itself
            self.outgoing.paced = False
            self._identify()
        if self._login and self._login.waits and _SASL in caps:
            self._go_on(self._login, lambda login: [login.begin(self.cap_values.get(_SASL, ""))])
        else:
            self.end_of_caps()

    def _identify(self) -> None:
        if self.state.secret and not self.registered and not self._identified:
            self._identified = True
            self.send("IDENTITY", self.state.secret)

    def end_of_caps(self) -> None:
        """End the negotiation, unless a login is still under way."""
        if not (self.registered or (self._login and self._login.is_under_way)):
            self.check_login()
            self.send("CAP", "END")

    def refused_caps(self) -> None:
        if self.registered and self._login and self._login.waits:
            self._login, self.logging_in = None, False
            self._refuse(NO_ACCOUNTS)
        self.end_of_caps()

    # ── our account ────────────────────────────────────────────────────────────────────────

    def log_in(self, name: str, password: str) -> Sequence[str]:
        """Return the lines that begin a login, once we are in. Raises Unsupported."""
        if self._login and not self._login.is_done:
            raise Unsupported("You are logging in already.")
        if _SASL not in self.offered:
            raise Unsupported(NO_ACCOUNTS)
        self._login = Login(Account(name, password, self.secure), new_token())
        return [LOG_IN]

    def _go_on(self, login: Login, step: Callable[[Login], Sequence[str]]) -> None:
        """Go on with a login, which may fail; unless we are in, we do not go in then."""
        try:
            for response in step(login):
                self.send("AUTHENTICATE", response)
        except LoginFailed as error:
            if not self.registered:
                raise
            self._login, self.logging_in = None, False
            self._refuse(f"{str(error)[0].upper()}{str(error)[1:]}")

    def _refuse(self, why: str) -> None:
        self._own.append(Notice(why, refusal=True))

    def keep_device(self) -> None:
        """Let our secret log us in from now on, if it is kept, and nobody could overhear it."""
        if self.state.device and self._identified and self.secure:
            self.send("NS", "TOKEN", "KEEP", self.state.device)

    def check_login(self) -> None:
        """Raise NotAdmitted if the server lets us in without the login that we want: nobody is to
        be there as a stranger by mistake.
        """
        if self._login and not self._login.is_done:
            raise NotAdmitted(NO_ACCOUNTS)

    def on_authenticate(self, line: Line) -> Sequence[Message]:
        if self._login and self._login.is_under_way:
            self._go_on(self._login, lambda login: login.answer(line.params[0]))
            if self._login is None:
                self.send("AUTHENTICATE", "*")
        return ()

    def on_logged_in(self, line: Line) -> Sequence[Message]:
        if self._login and self._login.is_under_way:
            self._go_on(self._login, Login.succeeded)
            self.logging_in = False
            if self._login and self.registered:
                self.keep_device()
            self.end_of_caps()
        return ()

    def on_login_refused(self, line: Line) -> Sequence[Message]:
        if self._login and self._login.is_under_way:
            self._go_on(self._login, lambda login: [login.refused(line.params[-1])])
        return ()

    def not_identified(self) -> None:
        """Note that the server does not know us, so it would show a resent text twice."""
        self._identified = False

    @property
    def keeps_history(self) -> bool:
        return {"batch", "draft/chathistory"} <= self.caps

    @property
    def _echoes(self) -> bool:
        return "echo-message" in self.caps

    @property
    def tells_twice_said(self) -> bool:
        """Whether the server shows a resent text to others once, and to us each time."""
        return self._identified and self._echoes and "message-tags" in self.caps

    # ── what goes out ──────────────────────────────────────────────────────────────────────

    def send(self, command: str, *params: str) -> None:
        """Send a line ahead of everything queued. Registration and PONG cost no penalty.

        A name that a line cannot hold, as a server may have given, is silently not sent.
        """
        with suppress(ValueError):
            self.outgoing.send(body(command, *params), counts=self.registered and command != "PONG")

    def answer(self, command: str, *params: str) -> None:
        """Answer another client's question (CTCP)."""
        with suppress(ValueError):
            self.outgoing.answer(body(command, *params))

    # ── the end ────────────────────────────────────────────────────────────────────────────

    def ended(self, why: str) -> Sequence[Message]:
        """Handle the server's announcement that it closes the connection."""
        if not self.admitted:
            raise NotAdmitted(why)
        if self.has_come("logout"):  # we have other devices there
            self.state.account, self.state.logged_out = "", True
        if self.leaving:
            return ()
        told, self.farewell = self.farewell, why.removesuffix(GOODBYE)
        return [] if told and self.farewell.startswith(told) else [Notice(why)]
