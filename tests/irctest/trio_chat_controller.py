"""Lets irctest, the conformance suite for IRC servers, run against trio-chat: see README.md."""

import base64
import hashlib
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from typing import Any, ClassVar

from irctest.basecontrollers import BaseServerController, DirectoryBasedController
from irctest.patma import ANYSTR, StrRe
from irctest.runner import NotImplementedByController
from irctest.specifications import Capabilities, OptionalBehaviors

PROGRAM = os.environ.get("TRIO_CHAT", "trio-chat")


def cheap_hash(password: str) -> str:
    """As 'trio-chat hash-password' makes it, but in a millisecond."""
    salt = b"irctest"
    hashed = hashlib.scrypt(password.encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
    return ":".join(
        ["scrypt", "10", *(base64.urlsafe_b64encode(d).decode() for d in (salt, hashed))]
    )


class TrioChatController(BaseServerController, DirectoryBasedController):
    """It claims everything that the server has: what is not claimed is skipped, and never fails."""

    software_name = "trio-chat"
    _port_wait_interval = 0.05
    supported_sasl_mechanisms: ClassVar[set[str]] = {"PLAIN", "SCRAM-SHA-256"}
    supports_sts = False
    extban_mute_char = "m"

    capabilities = frozenset(
        {
            Capabilities.ACCOUNT_NOTIFY,
            Capabilities.ACCOUNT_TAG,
            Capabilities.AWAY_NOTIFY,
            Capabilities.BATCH,
            Capabilities.ECHO_MESSAGE,
            Capabilities.EXTENDED_JOIN,
            Capabilities.EXTENDED_MONITOR,
            Capabilities.LABELED_RESPONSE,
            Capabilities.MESSAGE_REDACTION,
            Capabilities.MESSAGE_TAGS,
            Capabilities.MULTILINE,
            Capabilities.MULTI_PREFIX,
            Capabilities.READ_MARKER,
            Capabilities.SERVER_TIME,
            Capabilities.SETNAME,
        }
    )
    optional_behaviors = frozenset(
        {
            OptionalBehaviors.BAN_EXCEPTION_MODE,
            OptionalBehaviors.CAP_REQ_MINUS,
            OptionalBehaviors.INVITE_EXCEPTION_MODE,
            OptionalBehaviors.INVITE_LIST,
            OptionalBehaviors.INVITE_OVERRIDES_LIMIT,
            OptionalBehaviors.METADATA_BEFORE_CONNECT,
            OptionalBehaviors.MULTI_JOIN,
            OptionalBehaviors.MULTI_KICK,
            OptionalBehaviors.MULTI_NAMES_COMMAND,
            OptionalBehaviors.MULTI_PRIVMSG,
            OptionalBehaviors.NO_CTCP,
            OptionalBehaviors.SASL_AFTER_REGISTRATION,
            OptionalBehaviors.SASL_REAUTHENTICATION,
        }
    )
    isupport: ClassVar[dict[str, object]] = {
        "BOT": "B",
        "CASEMAPPING": "ascii",
        "ELIST": StrRe(".*U.*"),
        "INVEX": "I",
        "MONITOR": ANYSTR,
        "PREFIX": "(ov)@+",
        "STATUSMSG": "@+",
        "TARGMAX": ANYSTR,
        "UTF8ONLY": None,
        "WHOX": None,
    }

    def run(
        self,
        hostname: str,
        port: int,
        *,
        password: str | None,
        ssl: bool,
        run_services: bool,
        faketime: str | None,
        websocket_hostname: str | None,
        websocket_port: int | None,
    ) -> None:
        if ssl:
            raise NotImplementedByController("TLS")
        if self.test_config.account_registration_requires_email:
            raise NotImplementedByController("mail")
        self.hostname, self.port = hostname, port
        self.create_config()
        settings = {
            "ACCOUNTS__ITERATIONS": "4096",
            "ACCOUNTS__PASSWORD_MIN": "1",
            "HISTORY__STORE": str(self.directory / "chat.db"),
            "HISTORY__REPLAY": "0",  # nothing is played back by itself
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "IRC__SERVER_NAME": "My.Little.Server",
            "IRC__CLOAK": "false",
            "IRC__OPERATORS": f"operuser={cheap_hash('operpassword')}",
            "LIMITS__REGISTRATION": "10",
            "LIMITS__MESSAGE_BURST": "1000000",
            "SERVER__PASSWORD": cheap_hash(password) if password is not None else "",
            "SERVER__SHUTDOWN_GRACE": "0",
        }
        if websocket_hostname is not None:
            settings["SERVER__LISTEN"] = f"{websocket_hostname}:{websocket_port}"
            # These tests do not wait until the other client's message has come before they look.
            self.sync_sleep_time = 0.2
        self._faked = ["faketime", "-f", faketime] if faketime and shutil.which("faketime") else []
        self.faketime_enabled = bool(self._faked)
        self.start(settings)

    def start(self, settings: Mapping[str, str]) -> None:
        """Start the server with these settings."""
        self.proc = self.serve(settings)

    def serve(self, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
        env = os.environ | {f"TRIO_CHAT_{name}": value for name, value in settings.items()}
        return self.execute([*self._faked, PROGRAM, "server"], env=env)

    def wait_for_services(self) -> None:
        """There are none: the server has the accounts."""

    def registerUser(self, case: Any, username: str, password: str | None = None) -> None:  # noqa: N802
        """By IRC, so as to be in no room. A password that is too long for a line goes by a plain
        connection, whose room is not to come back.
        """
        lines = f"NICK {username}\r\nUSER u 0 * :u\r\nNS REGISTER {password}\r\nQUIT\r\n"
        if len(password or "") > 300:
            lines = f"{username}\n/register {password}\n/set rooms off\n/quit\n"
        self.wait_for_port()
        with socket.create_connection((self.hostname, self.port), timeout=5) as peer:
            peer.sendall(lines.encode())
            answers = b"".join(iter(lambda: peer.recv(4096), b"")).decode()
        assert "Your nickname is yours now." in answers, answers


def get_irctest_controller_class() -> type[TrioChatController]:
    return TrioChatController
