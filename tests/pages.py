"""A server in a process of its own, people who speak IRC to it, and pages of it in a browser."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.sync_api import Browser, Page, expect

from trio_chat.settings.described import variable

_HALF_OPEN = 1.0  # seconds that a server believes in somebody who has gone

PATIENCE = 20  # seconds: far more than anything here takes

#: What the page is told to note, before its own scripts run.
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) =>
    console.error(`CSP ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""

expect.set_options(timeout=PATIENCE * 1000)


class Server:
    """``trio-chat server`` in a folder of its own; it can be killed, and started again."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.port = 0
        self._folder, self._settings = folder, settings
        own = {
            name: value for name, value in os.environ.items() if not name.startswith("TRIO_CHAT")
        }
        self._environment = {
            **own,
            **{f"XDG_{name}_HOME": str(folder / name) for name in ("DATA", "STATE", "CONFIG")},
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(PATIENCE)
        self._process.stdout.close()

    def start(self, *more: str) -> None:
        """With ``more`` settings from now on."""
        self._settings += more
        self._process = subprocess.Popen(
            self._command("server", "--port", str(self.port)),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=self._folder,
            env=self._environment | self._set(),
        )
        self.port = int(self._process.stdout.readline().rpartition(":")[2])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def drain(self, *words: str) -> None:
        """Let it end by itself, and wait for that."""
        self.run("admin", "drain", *words)
        assert self._process.wait(PATIENCE) == 0
        self._process.stdout.close()

    def run(self, command: str, *arguments: str) -> str:
        """What another command says, run as the owner of this server."""
        return subprocess.run(
            self._command(command, *arguments),
            cwd=self._folder,
            env=self._environment | self._set(),
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "trio_chat", *arguments]

    def _set(self) -> dict[str, str]:
        parts = (setting.partition("=") for setting in self._settings)
        return {variable(name): value for name, _, value in parts}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


class Irc:
    """Somebody who speaks IRC, and hears what ``until`` waits for."""

    def __init__(
        self, port: int, nick: str, room: str = "#lobby", patience: float | None = PATIENCE
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), patience)
        self._lines = self._socket.makefile("r", encoding="utf-8", newline="\n")
        caps = "message-tags echo-message batch draft/multiline"
        self.send(f"CAP REQ :{caps}", f"NICK {nick}", f"USER user 0 * :{nick}", "CAP END")
        self.send(f"JOIN {room}")
        self.until(" 366 ")

    def send(self, *lines: str) -> None:
        self._socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def say(self, text: str, target: str = "#lobby") -> None:
        self.send(f"PRIVMSG {target} :{text}")

    def until(self, wanted: str) -> str:
        for line in self._lines:
            if line.startswith("PING"):
                self.send("PONG x")
            if wanted in line:
                return line.rstrip()
        raise AssertionError(f"{wanted!r} never came")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Wire:
    """A way to a server that can be cut, or frozen: nothing passes, as when a phone is out of
    reach. There are rougher ways to cut it: to ``tear`` it, and so that the server does not notice.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open = threading.Event()
        self._open.set()
        self._sockets: list[socket.socket] = []  # near and far, in turns
        self._torn: set[socket.socket] = set()
        self._forgotten: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        _shut(self._listener)
        self._listener.close()
        self.thaw()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def freeze(self) -> None:
        self._open.clear()

    def thaw(self) -> None:
        """Let pass what comes from now on; old connections are gone, as routers forget them."""
        self.cut()
        self._open.set()

    def cut(self) -> None:
        sockets, self._sockets = self._sockets, []
        for one in sockets:
            _shut(one)

    def tear(self) -> None:
        """Cut it in the middle of what comes next, in one direction or the other."""
        self._torn.update(self._sockets)

    def forget(self) -> None:
        """Cut it for those who are near; the server believes for a while that they are there."""
        near, self._sockets = self._sockets[::2], []
        self._forgotten.update(near)
        for one in near:
            _shut(one)

    def _accept(self) -> None:
        while near := self._accepted():
            self._open.wait()  # so nobody behind it knows of those who come while it is frozen
            try:
                far = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                near.close()
                continue
            self._sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _accepted(self) -> socket.socket | None:
        """The next connection; None once the listener is closed."""
        with suppress(OSError):
            return self._listener.accept()[0]
        return None

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                self._open.wait()
                if one in self._torn:
                    other.sendall(data[: len(data) // 2])
                    break
                other.sendall(data)
        except OSError:
            pass
        finally:
            if one in self._forgotten:
                time.sleep(_HALF_OPEN)
            _shut(one)
            _shut(other)
            one.close()


def _shut(one: socket.socket) -> None:
    """End it for both sides at once; closing alone does not while a thread reads from it."""
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def visited(browser: Browser, url: str, nick: str = "", **options: Any) -> Iterator[Page]:
    """A page in a browser of its own, entered as ``nick``; nothing may go wrong in it."""
    context = browser.new_context(**options)
    context.add_init_script(_WATCH)
    wrong: list[str] = []
    context.on("weberror", lambda error: wrong.append(str(error.error)))
    context.on(
        "console",
        lambda said: (
            wrong.append(said.text) if said.type == "error" and "CSP" in said.text.upper() else None
        ),
    )
    page = context.new_page()
    page.goto(url)
    if nick:
        enter(page, nick)
    yield page
    context.close()
    assert not wrong, wrong


def enter(page: Page, nick: str) -> None:
    page.fill("#nick", nick)
    page.click("button.main")
    expect(page.locator("#top h1")).to_have_text("#lobby")


def say(page: Page, *texts: str) -> None:
    for text in texts:
        page.fill("textarea", text)
        page.press("textarea", "Enter")


def say_at_once(page: Page, *texts: str) -> None:
    """Say texts without a wait in between, so that some of them are on their way together."""
    page.evaluate(
        """(texts) => {
            const area = document.querySelector("textarea");
            for (const text of texts) {
                area.value = text;
                area.dispatchEvent(new Event("input"));
                area.form.requestSubmit();
            }
        }""",
        list(texts),
    )


def texts(page: Page) -> list[str]:
    """The texts in the log, in order."""
    return page.locator("#log .row.said .text").all_inner_texts()


def shows(page: Page, *wanted: str) -> None:
    """Wait until these are the texts in the log, all of which have arrived."""
    expect(page.locator("#log .row.said.sent .text")).to_have_text(list(wanted))
