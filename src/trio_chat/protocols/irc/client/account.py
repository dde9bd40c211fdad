"""The commands about accounts and invitations, for a client that speaks IRC.

To register and to log in there are standards (ircv3.net, "account-registration" and "sasl"); for
the rest, words of trio-chat's own NickServ.
"""

from collections.abc import Sequence

from trio_chat.errors import Unsupported
from trio_chat.protocols.invitation import read_request, usage
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.info import IDENTITY, REGISTRATION
from trio_chat.protocols.irc.message import body
from trio_chat.protocols.resume_state import Confided
from trio_chat.protocols.slashes import OF_ACCOUNTS, ONE_WORD

Lines = Sequence[str]

_IN_CLEAR = "Without TLS, others could read the password on its way. Connect by ircs:// first."
_NOT_HERE = (
    "Only trio-chat has that. What this server has instead, its NickServ may say: "
    "/msg NickServ HELP"
)


def register(session: IrcRooms, password: str) -> Lines:
    _check_password(session, password)
    if REGISTRATION not in session.offered:
        check_server(session)  # which says why
    session.want("register")
    return [Confided(body("REGISTER", "*", "*", password))]


def log_in(session: IrcRooms, rest: str) -> Lines:
    name, password = (*rest.split(maxsplit=1), "")[:2]
    if not password:
        name, password = session.refused_nick or session.nick, name
    return session.log_in(name, password)


def log_out(session: IrcRooms, rest: str) -> Lines:
    lines = _nickserv(session, "LOGOUT", *(["FORGET"] if session.state.device else []))
    session.want("logout")
    return lines


def set_password(session: IrcRooms, password: str) -> Lines:
    _check_password(session, password)
    return _nickserv(session, "SET", "PASSWORD", password)


def token(session: IrcRooms, rest: str) -> Lines:
    verb, name = (*rest.split(maxsplit=1), "")[:2]
    if verb not in ("new", "list", "drop") or bool(name) != (verb != "list"):
        raise Unsupported(f"Usage: /token {OF_ACCOUNTS['token'][0]}")
    return _nickserv(session, "TOKEN", verb.upper(), *([name] if name else []))


def devices(session: IrcRooms, rest: str) -> Lines:
    match rest.split():
        case [] | ["end", _] as words:
            return _nickserv(session, "DEVICES", *words)
    raise Unsupported(f"Usage: /devices {OF_ACCOUNTS['devices'][0]}")


def choose(session: IrcRooms, rest: str) -> Lines:
    match rest.split():
        case [] | [_, "on" | "off"] as words:
            return _nickserv(session, "SET", *words)
    raise Unsupported(f"Usage: /set {OF_ACCOUNTS['set'][0]}")


def account(session: IrcRooms, rest: str) -> Lines:
    match rest.split():
        case ["export"]:
            return _nickserv(session, "EXPORT")
        case ["delete", name]:
            return _nickserv(session, "DROP", name)
        case [] | [_] as names if names != ["delete"]:
            return _nickserv(session, "INFO", *names)
    raise Unsupported(f"Usage: /account {OF_ACCOUNTS['account'][0]}")


def invitation(session: IrcRooms, rest: str) -> Lines:
    check_server(session)
    if read_request(rest) is None:
        raise Unsupported(usage(rest, "/invitation"))
    return [body("INVITATION", *rest.split())]


def _nickserv(session: IrcRooms, *words: str) -> Lines:
    check_server(session)
    return [Confided(body("NS", *words))]


def check_server(session: IrcRooms) -> None:
    """Refuse what only trio-chat has. Raises Unsupported."""
    if IDENTITY not in session.offered:
        raise Unsupported(_NOT_HERE)


def _check_password(session: IrcRooms, password: str) -> None:
    """Refuse what /login would not understand, and what others could read."""
    if len(password.split()) > 1:
        raise Unsupported(ONE_WORD)
    if not session.secure:
        raise Unsupported(_IN_CLEAR)
