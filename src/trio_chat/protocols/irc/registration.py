"""The registration of a connection: capabilities, password, nickname and user
(modern.ircdocs.horse, "Connection Setup"; ircv3.net, "Capability Negotiation").
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial

from trio_chat.core.commands import Enter, Register, Rename
from trio_chat.core.events import Origin
from trio_chat.core.letters import cut
from trio_chat.core.modes import ARGUED, ROOM_MODES, USER_MODES
from trio_chat.core.names import NAME_MAX, fold, nick_problem
from trio_chat.core.views import Refused
from trio_chat.protocols.irc import accounts
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.caps import offered, shared
from trio_chat.protocols.irc.fitting import wrapped
from trio_chat.protocols.irc.info import LINE_MAX
from trio_chat.protocols.irc.message import Message, number
from trio_chat.protocols.irc.replies import isupport
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.irc.sasl import Sasl
from trio_chat.protocols.session import Ask

_USER_MAX = 20  # characters

Asks = Iterable[Ask]

_SECRET = re.compile("[A-Za-z0-9_-]{16,128}")


class Registration:
    """A connection's registration: everything it has said of itself so far.

    Each public method reads one command. The client enters once there are a nickname and a user and
    no capabilities are being negotiated. What the client sends is ``private`` if nobody on the way
    can read it. ``sts`` is the value of the capability of that name, which
    only tells something and cannot be asked for (ircv3.net, "Strict Transport Security").
    """

    __slots__ = (
        "_cap_version", "_entering", "_name", "_negotiating", "_out", "_password", "_peer",
        "_private", "_sasl", "_secret", "_sts", "_user", "_wanted",
    )  # fmt: skip

    def __init__(self, out: ReplyBuffer, sts: str = "", *, private: bool) -> None:
        self._out, self._peer, self._sts, self._private = out, out.peer, sts, private
        self._sasl: Sasl | None = None  # made by the first AUTHENTICATE
        self._wanted, self._user, self._name = "", "", ""
        self._password, self._secret = "", ""
        self._negotiating = False  # between CAP LS or REQ and CAP END
        self._cap_version = 0
        self._entering = False

    def _enter(self) -> Asks:
        """Ask to be let in, if the registration is complete."""
        if self._wanted and self._user and not self._negotiating and not self._entering:
            self._entering = True
            if self._sasl:
                self._sasl.give_up()
            origin = Origin(self._user, name=self._name)
            enter = Enter(self._wanted, origin=origin, password=self._password, secret=self._secret)
            return [Ask(enter, on_refused=self._refused)]
        return ()

    def _refused(self, refused: Refused) -> None:
        self._entering = False
        self._out.refuse(refused)

    def password(self, message: Message) -> Asks:
        """Read PASS: the password of the server, or ``name:password`` of an account."""
        if self._peer.registered:
            self._out.error(n.ERR_ALREADYREGISTERED, "You may not reregister")
        else:
            self._password = message.params[0]
        return ()

    def identity(self, message: Message) -> Asks:
        """Read IDENTITY, an extension of our own: a secret by which somebody is known again.

        The client has made it up, and shows it each time it comes. Only a hash of it is kept.
        """
        if self._peer.registered:
            self._out.fail("IDENTITY", "ALREADY_REGISTERED", "You are already registered")
        elif not _SECRET.fullmatch(message.params[0]):
            text = "A secret has 16 to 128 letters, digits, - and _"
            self._out.fail("IDENTITY", "INVALID_SECRET", text)
        else:
            self._secret = message.params[0]
        return ()

    def authenticate(self, message: Message) -> Asks:
        """Read AUTHENTICATE: a part of a login."""
        self._sasl = self._sasl or Sasl(self._out, private=self._private)
        return self._sasl.authenticate(message)

    def register(self, message: Message) -> Asks:
        """Read REGISTER: make the nickname an account, opened by this password.

        An address of mail is ignored (ircv3.net, "account-registration").
        """
        (name, _, password), peer, fail = message.params[:3], self._peer, self._out.fail
        nick = peer.nick or self._wanted
        if not nick:
            fail("REGISTER", "NEED_NICK", "*", "Choose a nickname first")
        elif name != "*" and fold(name) != fold(nick):
            why = "An account has the same name as your nickname"
            fail("REGISTER", "ACCOUNT_NAME_MUST_BE_NICK", name, why)
        elif not peer.registered and self._out.info.registration == "":
            why = "Register once you have been let in"
            fail("REGISTER", "COMPLETE_CONNECTION_REQUIRED", nick, why)
        else:
            refused = partial(accounts.refuse_to_register, self._out, nick)
            register = Register(password, nick=nick, secret=self._secret)
            return [Ask(register, on_refused=refused)]
        return ()

    def nick(self, message: Message) -> Asks:
        """Read NICK: the nickname that is wanted; after registration, a new one."""
        wanted = message.param(0)
        if not wanted:
            self._out.error(n.ERR_NONICKNAMEGIVEN, "No nickname given")
        elif self._peer.registered:
            return [Ask(Rename(wanted))]
        elif problem := nick_problem(wanted):
            self._out.error(n.ERR_ERRONEUSNICKNAME, cut(wanted, 50), problem)
        else:
            self._wanted = wanted
            return self._enter()
        return ()

    def user(self, message: Message) -> Asks:
        """Read USER: the user name, and the "real name"."""
        out = self._out
        if self._peer.registered:
            out.error(n.ERR_ALREADYREGISTERED, "You may not reregister")
            return ()
        name, real_name = message.params[0], message.params[3]
        if not name or not real_name:
            # "If it is empty, the server SHOULD reject the command with ERR_NEEDMOREPARAMS".
            out.error(n.ERR_NEEDMOREPARAMS, "USER", "Not enough parameters")
            return ()
        safe = "".join(c for c in name if c.isascii() and (c.isalnum() or c in "-_.~"))[:_USER_MAX]
        if not safe:
            out.error(n.ERR_INVALIDUSERNAME, "Your username is not valid")
            return ()
        self._user, self._name = safe, cut(real_name, NAME_MAX)
        return self._enter()

    # ── capabilities ───────────────────────────────────────────────────────────────────────

    def cap(self, message: Message) -> Asks:
        """Read CAP: LS, LIST, REQ or END."""
        verb, rest = message.param(0), message.param(1)
        match verb.upper():
            case "LS":
                self._cap_ls(rest)
            case "LIST":
                caps = sorted(self._peer.caps)
                self._cap_lines("LIST", caps, several=self._cap_version >= 302)
            case "REQ":
                self._cap_req(rest)
            case "END" if not self._peer.registered:
                self._negotiating = False
                return self._enter()
            case "END":
                pass
            case _:
                self._out.error(n.ERR_INVALIDCAPCMD, cut(verb, 50) or "*", "Invalid CAP command")
        return ()

    def _cap_ls(self, version: str) -> None:
        self._negotiating = self._negotiating or not self._peer.registered
        self._cap_version = max(self._cap_version, number(version))
        modern = self._cap_version >= 302
        if modern:  # "If a client … sends 302 … the server MUST … cap-notify … implicitly"
            self._peer.caps = shared(self._peer.caps | {"cap-notify"})
        caps = self._caps.items()
        words = [f"{name}={value}" if modern and value else name for name, value in caps]
        if modern and self._sts:
            words.append(f"sts={self._sts}")
        self._cap_lines("LS", words, several=modern)

    @property
    def _caps(self) -> Mapping[str, str]:
        return offered(private=self._private, registration=self._out.info.registration)

    def _cap_lines(self, verb: str, words: list[str], *, several: bool) -> None:
        nick = self._peer.nick or "*"
        most = LINE_MAX - len(f":{self._out.info.name} CAP {nick} {verb} * :\r\n".encode())
        *first, last = (wrapped(words, most) if several else [" ".join(words)]) or [""]
        for line in first:
            self._out.send_trailing("CAP", nick, verb, "*", line)
        self._out.send_trailing("CAP", nick, verb, last)

    def _cap_req(self, wanted: str) -> None:
        """Set capabilities. "Capability changes MUST be atomic": all of them or none."""
        peer = self._peer
        self._negotiating = self._negotiating or not peer.registered
        words = wanted.split()
        added = {word for word in words if not word.startswith("-")}
        removed = {word[1:] for word in words if word.startswith("-")}
        # "cap-notify … clients that … 302 … MUST NOT be able to disable it": then it stays.
        fixed = {"cap-notify"} if self._cap_version >= 302 else set()
        possible = (added | removed) <= self._caps.keys() and not removed & fixed
        if possible:
            peer.caps = shared(peer.caps - removed | added)
        self._out.send_trailing("CAP", peer.nick or "*", "ACK" if possible else "NAK", wanted)


def welcome(out: ReplyBuffer) -> None:
    """Welcome a client that has been let in: 001 to 004, then RPL_ISUPPORT (005).

    Counts (RPL_LUSER…) and the message of the day follow, "upon successful completion of the
    registration process", in this order.
    """
    info, nick = out.info, out.peer.nick
    out.last_param(n.RPL_WELCOME, f"Welcome to the {info.network} network, {nick}")
    out.last_param(n.RPL_YOURHOST, f"Your host is {info.name}, running version {info.version}")
    out.last_param(n.RPL_CREATED, f"This server was created {info.created}")
    argued = "".join(sorted(ARGUED[True]))
    out.numeric(n.RPL_MYINFO, info.name, info.version, USER_MODES, ROOM_MODES, argued)
    isupport(out)
