"""A short chat with whatever is installed for this Python: a server, its clients, the screen."""

import importlib
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from trio_chat.server.certificate import Certificate
from trio_chat.server.own_certificate import use_own

PROGRAM = [sys.executable, "-m", "trio_chat"]
ENVIRONMENT = {n: v for n, v in os.environ.items() if not n.startswith("TRIO_CHAT_")}
ENVIRONMENT["TRIO_CHAT_HISTORY__STORE"] = "memory:"


def run(*arguments: str, text: str = "") -> str:
    done = subprocess.run(
        [*PROGRAM, *arguments],
        input=text,
        env=ENVIRONMENT,
        text=True,
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    return done.stdout


for command in ((), ("server",), ("client",), ("config",), ("history", "export")):
    assert "Usage: " in run(*command, "--help")
assert run("--version").startswith("trio-chat ")
assert "TRIO_CHAT_PORT" in run("config")
importlib.import_module("trio_chat.client.tui.app")
assert ".TH" in Path(sys.prefix, "share/man/man1/trio-chat.1").read_text()
own = Certificate()
with tempfile.TemporaryDirectory() as folder:
    use_own(own, Path(folder, "certificate.pem"), "chat.example")
assert own.context

server = subprocess.Popen(
    [*PROGRAM, "server", "--port", "0"], env=ENVIRONMENT, text=True, stdout=subprocess.PIPE
)
try:
    where = ["--host", server.stdout.readline().split()[-1], "--nick", "bob"]
    address = where[1].rpartition(":")
    with urllib.request.urlopen(f"http://127.0.0.1:{address[2]}/main.js") as script:
        assert script.headers["Content-Type"].startswith("text/javascript")
    said = json.dumps({"type": "say", "text": "hello"})
    assert "bob: hello\n" in run("client", *where, text="hello\n")
    assert "bob: hello\n" in run("client", *where, "--protocol", "plain", text="hello\n")
    assert '"acknowledged"' in run("client", *where, "--json", text=said)
finally:
    server.terminate()
assert server.wait(60) == 0
