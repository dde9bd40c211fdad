"""The protocol of a connection, told by its first bytes: one port serves every kind of client.

People who type, and the tutorial's client, wait for the server to speak; all others speak first.

- The greeting comes after ``greeting_delay``, two seconds by default: most clients of IRC speak
  within milliseconds, but some are silent for one second (Konversation).
- Commands of IRC are known in any case, and also after the greeting; but a word alone, such as
  ``ping``, is a nickname unless it is in capitals.
- A peer that speaks first is waited for until a newline comes, or nothing for ``greeting_delay``.
  One that was asked and sends no newline is the tutorial's client, unless it was a single key.
- A telnet that sends key by key is waited for until its line ends.
- A request of HTTP that comes so slowly that its beginning was taken for a nickname is known when
  its first line is complete, or by a header where the first text should be (``plain.server``).
"""

import re
from enum import Enum, auto

from trio_chat.protocols.irc.verbs import VERBS
from trio_chat.protocols.telnet import Telnet


class Spoken(Enum):
    """A protocol that a peer may speak."""

    PLAIN = auto()
    IRC = auto()
    HTTP = auto()
    TLS = auto()


# A beginning that is longer than a line of IRC with its tags need not end to be known.
_OPENING_MAX = 8192 + 512  # bytes

_LETTER_MAX = 4  # bytes, in any encoding that has ASCII as a part of it

_TLS_HANDSHAKE = b"\x16\x03"  # a TLS record of the type "handshake", version 3.x (RFC 8446, 5.1)

# A browser can be made to send any request anywhere, so nothing that looks like one is ever chat: a
# method in capitals and a path or an address, or all three words of a first line (RFC 9112; those
# of SIP and RTSP look alike). Other words and a path may be typed by people, as "say /x".
_REQUEST = re.compile(r"(?P<word>[A-Z]+(?:-[A-Z]+)*)[ \t]+(?:/|[A-Za-z][A-Za-z0-9+.-]*://)")
_WHOLE_REQUEST = re.compile(
    r"[!#$%&'*+.^_`|~0-9A-Za-z-]+[ \t]+\S+[ \t]+"
    r"(?:(?i:HTTP)|[A-Z]{2,})/[0-9](?:\.[0-9])?[ \t]*\Z"
)
# The methods of all but rare requests: what follows them is waited for.
_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "CONNECT", "PRI"}
# People may say "Host: it is down", or "Cookie: yes, please": where a header's name may be what
# somebody says, only a value that is no sentence tells.
_HEADER = re.compile(
    r"(?:(?:Host|Origin|Referer):[ \t]*\S*[ \t]*\Z"
    r"|Connection:[ \t]*(?:close|keep-alive|upgrade)\b"
    r"|Accept:[ \t]*[\w*.+-]+/[\w*.+-]"
    r"|Cookie:[ \t]*[^\s=]+="
    r"|Authorization:[ \t]*\S+[ \t]+\S+[ \t]*\Z"
    r"|(?:Pragma|Cache-Control):[ \t]*(?:no-|max-age=)"
    r"|Upgrade:[ \t]*(?:websocket|h2c)\b"
    r"|(?:User-Agent|Transfer-Encoding|Upgrade-Insecure-Requests|X-Forwarded-\w+|X-Requested-With"
    r"|Accept-(?:Charset|Encoding|Language)|Content-(?:Encoding|Length|Type)|Sec-[\w-]+):)",
    re.ASCII | re.IGNORECASE,
)

_PAGE = re.compile(
    rb"(?:GET|HEAD) (?P<path>/[!-~]*) [^\0]*?\r\n(?i:Host):[ \t]*(?P<host>[\w.:\[\]-]+)[ \t]*\r\n"
)

# The commands that the server knows, and others with which some client or gateway may begin; among
# them those to log in elsewhere, which are followed by a password.
_COMMANDS = VERBS.keys() | {
    "ACCEPT", "AUTHENTICATE", "CHANSERV", "CNOTICE", "CPRIVMSG", "CS", "DIE", "ERROR", "IDENTIFY",
    "KNOCK", "MAP", "NICKSERV", "NJOIN", "NS", "PROTOCTL", "PROXY", "REDACT",
    "REGISTER", "RESTART", "RULES", "SERVER", "SERVICE", "SILENCE", "SQUERY", "SQUIT",
    "STARTTLS", "STATS", "SUMMON", "USERIP", "USERS", "VERIFY", "WATCH", "WEBIRC",
}  # fmt: skip
_FIRST_COMMANDS = {"CAP", "NICK", "PASS", "USER"}
_COMMAND = re.compile(
    r"(?P<before>(?:@\S* +)?(?::\S* +)?)(?P<word>[A-Za-z]+)"
    r"(?:\Z| +(?P<rest>.*))"
)


# Bytes that some programs send before they say anything: blanks, NULs, the mark of UTF-8.
_NOTHING_YET = re.compile(rb"(?:[\s\0]|\xef\xbb\xbf)+")


class Opening:
    """The beginning of a connection, until it tells which protocol is spoken."""

    def __init__(self, encoding: str) -> None:
        self._encoding, self._telnet = encoding, Telnet(encoding)
        self._pieces: list[bytes] = []
        self._ended = False
        self._size = 0  # bytes of all of them
        self._typed = b""  # without what a telnet sends, and what is blank at the beginning
        self._by_key = False

    def feed(self, piece: bytes) -> None:
        """Take a piece of bytes; an empty one is the end."""
        if not piece:
            self._ended = True
            return
        self._pieces.append(piece)
        self._size += len(piece)
        more = self._telnet.feed(piece)
        if more and self._is_one_key():  # the tutorial's client repeats its nickname
            self._by_key = not more.startswith(self._typed + b": ")
        typed = self._typed + more
        begin = _NOTHING_YET.match(typed)
        self._typed = typed[begin.end() :] if begin else typed

    @property
    def has_begun(self) -> bool:
        """Whether anything has been typed."""
        return bool(self._typed)

    def pieces(self, spoken: Spoken) -> list[bytes]:
        """The pieces to feed the session with.

        For IRC, without what a telnet sends; for HTTP, as they came. For plain, a newline ends a
        message; without one, each piece is one as it came, unless it came key by key.
        """
        if spoken is Spoken.IRC:
            return [self._typed]
        if spoken is Spoken.HTTP:
            return [b"".join(self._pieces)]
        joined = self._by_key or b"\n" in self._typed
        return [b"".join(self._pieces)] if joined else self._pieces

    def spoken(self, *, asked: bool, silent: bool) -> Spoken | None:
        """The protocol, or None if that depends on bytes yet to come.

        ``asked`` says whether the server has spoken first, ``silent`` whether nothing else is
        coming for now.
        """
        if known := self._known():
            return known
        if self._ended or b"\n" in self._typed or self._size > _OPENING_MAX:
            return Spoken.PLAIN
        if not self._typed or self._by_key:
            return None
        if self._is_one_key():  # of somebody who types; or the nickname, if we have asked for it
            return Spoken.PLAIN if silent and asked else None
        # Whoever has waited to be asked and sends no newline is the tutorial's client: what it
        # sends is the nickname, whole.
        whole = asked and not self._may_become_known()
        return Spoken.PLAIN if silent or whole else None

    def _known(self) -> Spoken | None:
        if self._typed.startswith(_TLS_HANDSHAKE):
            return Spoken.TLS
        line, newline, _ = self._typed.decode("latin-1").partition("\n")
        line = line.rstrip("\r")
        if newline and is_whole_request(line):
            return Spoken.HTTP
        if _is_irc(line, ended=bool(newline)):
            return Spoken.IRC
        return Spoken.HTTP if begins_request(line) else None

    def _may_become_known(self) -> bool:
        text = self._typed.decode("latin-1")
        if text[0] in "@:\x16" or text.partition(" ")[0] in _COMMANDS | _METHODS:
            return True
        return any(word.startswith(text) for word in (*_COMMANDS, *_METHODS))

    def _is_one_key(self) -> bool:
        return is_one_letter(self._typed, self._encoding)


def page_over_tls(request: bytes) -> str:
    """The address over TLS of the page that a request is for; empty if that is not known."""
    found = _PAGE.match(request)
    return f"https://{found['host'].decode()}{found['path'].decode()}" if found else ""


def begins_tls(data: bytes) -> bool:
    """Whether somebody begins with a handshake of TLS: nobody types its first byte."""
    return data[:1] == _TLS_HANDSHAKE[:1]


def is_one_letter(data: bytes, encoding: str) -> bool:
    """Whether this is what somebody sends by pressing one key."""
    return len(data) <= _LETTER_MAX and len(data.decode(encoding, "replace")) == 1


def begins_request(line: str) -> bool:
    """Whether this begins an HTTP request: a method, and a path or an address."""
    found = _REQUEST.match(line)
    return found is not None and found["word"] not in _COMMANDS


def is_whole_request(line: str) -> bool:
    """Whether this is the first line of an HTTP request."""
    return bool(_WHOLE_REQUEST.match(line))


def is_header(line: str) -> bool:
    """Whether this is a header as HTTP requests have it."""
    return bool(_HEADER.match(line))


def _is_irc(line: str, *, ended: bool) -> bool:
    """Whether a client of IRC begins like this; ``ended`` says whether the line is complete.

    Commands are known in any case (modern.ircdocs.horse, "Message Format"). But a word alone is a
    nickname, such as ``ping``, unless it is in capitals and means something alone; and two words
    that no newline follows may be one.
    """
    found = _COMMAND.match(line)
    if not found or (word := found["word"]).upper() not in _COMMANDS:
        return False
    rest = found["rest"] or ""
    if found["before"] or word.isupper():
        alone = ended and bool(found["before"] or word not in _FIRST_COMMANDS)
        return alone or bool(rest and (ended or not rest.startswith("/")))
    return bool(rest) and (ended or word.upper() in _FIRST_COMMANDS)
