"""A small IRC server with one account: al, whose password is PASSWORD."""

import base64

from minimal_irc import MinimalIrcServer
from trio_chat.protocols.scram import ScramError, ScramServer, make_verifier

PASSWORD = "open sesame, please"
VERIFIER = make_verifier(PASSWORD, 4096, b"salt")


class SaslServer(MinimalIrcServer):
    """``mechanisms`` are those that it tells of, with "=" before them, or nothing; it ``has`` these
    in fact. One that ``poses`` as it takes any proof, and has none of its own.
    """

    def __init__(
        self,
        mechanisms: str = "=PLAIN,SCRAM-SHA-256",
        *,
        has: tuple[str, ...] = ("PLAIN", "SCRAM-SHA-256"),
        poses: bool = False,
        **answers: str,
    ) -> None:
        caps = {
            "CAP LS 302": f":irc.test CAP * LS :sasl{mechanisms}",
            "CAP REQ sasl": ":irc.test CAP * ACK :sasl",
            "CAP END": ":irc.test 001 al :Welcome, al",
            "USER": "PONG x",  # which means nothing
        }
        super().__init__(**(caps | answers))
        self._has, self._poses = has, poses
        self._mechanism, self._unread = "", ""
        self._scram: ScramServer | None = None

    def _answer(self, line: str) -> str:
        command, _, rest = line.partition(" ")
        if command != "AUTHENTICATE" or "AUTHENTICATE" in self._answers:
            return super()._answer(line)
        if not self._mechanism:
            return self._begin(rest)
        self._unread += rest.removeprefix("+")
        if len(rest) == 400:
            return ""
        data, self._unread = base64.b64decode(self._unread), ""
        return self._plain(data) if self._mechanism == "PLAIN" else self._prove(data)

    def _begin(self, mechanism: str) -> str:
        if mechanism not in self._has:
            known = ",".join(self._has)
            return f":irc.test 908 * {known} :are available\n{self._end(False)}"
        self._mechanism, self._scram = mechanism, None
        return "AUTHENTICATE +"

    def _plain(self, data: bytes) -> str:
        return self._end(data == f"\0al\0{PASSWORD}".encode())

    def _prove(self, data: bytes) -> str:
        try:
            if not data:
                return self._end(True)
            if self._scram is None:
                self._scram = ScramServer("nonce-of-the-server")
                self._scram.receive_first(data)
                return f"AUTHENTICATE {base64.b64encode(self._scram.challenge(VERIFIER)).decode()}"
            if self._poses:
                return f"AUTHENTICATE {base64.b64encode(b'v=' + b'A' * 43 + b'=').decode()}"
            return f"AUTHENTICATE {base64.b64encode(self._scram.check(data)).decode()}"
        except ScramError:
            return self._end(False)

    def _end(self, right: bool) -> str:
        self._mechanism = ""
        if not right:
            return ":irc.test 904 * :That is not the password"
        return ":irc.test 900 * *!*@* al :You are now logged in\n:irc.test 903 * :Done"
