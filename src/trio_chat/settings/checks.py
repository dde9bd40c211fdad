"""Names, passwords and encodings that some server may accept. Each check returns what it was given,
and raises ValueError if nobody could use that.
"""

import codecs
import re

# Characters of a name or a password: every server's names are shorter, and this fits into a line.
_MAX = 200

# Neither part of a nickname on any server, nor its first character.
_NO_NICK = re.compile(r"^[#&$]|[\s,:!@*?]")
_ROOM = re.compile(rf"[#&][^\s,:\x00-\x1f\x7f]{{1,{_MAX - 1}}}")


def check_nick(nick: str) -> str:
    """Check that a nickname is possible on some server."""
    if not 0 < len(nick) <= _MAX or not nick.isprintable() or _NO_NICK.search(nick):
        raise ValueError(
            f"{nick!r} cannot be a nickname: that is one word of at most {_MAX} characters, "
            "without , : ! @ * and ?, and does not begin with #, & or $"
        )
    return nick


def check_account(account: str) -> str:
    """Check that an account can be called so on some server."""
    if not 0 < len(account) <= _MAX or not account.isprintable() or account != account.strip():
        raise ValueError(
            f"{account!r} cannot be an account: that is a name of at most {_MAX} characters, "
            "without blanks around it"
        )
    return account


def check_room(room: str) -> str:
    """Check that a room's name is possible on some server; its # may be left out."""
    if not _ROOM.fullmatch(read_room(room)) or not room.isprintable():
        raise ValueError(
            f"{room!r} cannot be a room: that is one word of at most {_MAX} characters, "
            "without , and :"
        )
    return room


def read_room(room: str) -> str:
    """Add the # that people leave out."""
    return f"#{room}" if room and not room.startswith(("#", "&")) else room


def check_key(key: str) -> str:
    """Check the key of a room."""
    if key and (len(key.split()) != 1 or key.startswith(":") or "," in key):
        raise ValueError("a room's key is one word without commas")
    return key


def check_password(password: str) -> str:
    """Check that a password fits into a line of either dialect. The error does not show it."""
    if password != password.strip() or not (password.isprintable() and len(password) <= _MAX):
        raise ValueError(
            f"a password is one line of at most {_MAX} characters, without blanks around it"
        )
    return password


def check_encoding(encoding: str) -> str:
    """Check that ASCII is part of an encoding, since lines are split at LF and commands begin with
    "/", and that bytes always mean the same text. Returns its usual name.
    """
    ascii_text = "".join(map(chr, range(128)))
    try:
        name = codecs.lookup(encoding).name
        if ascii_text.encode(name) != ascii_text.encode("ascii"):
            raise ValueError("must include ASCII, as utf-8 and latin-1 do")
        if name.startswith("iso2022") or name == "raw-unicode-escape":
            raise ValueError("is not one encoding throughout; utf-8 is")
    except (LookupError, UnicodeError):
        raise ValueError("is not a text encoding; utf-8 is one") from None
    return name
