"""What a test and a bot say to each other: a test gives orders, and is told what has been heard.

A bot runs as ``python BOT.py PORT NICK``, in an environment of its own. Orders are lines of its
input: ``join ROOM``, ``say ROOM TEXT``, ``quit``. What it tells are lines of its output. With a
BOT_PASSWORD it logs in to the account of its nickname, over TLS.
"""

import os
import sys
import threading
from collections.abc import Callable

PORT, NICK = int(sys.argv[1]), sys.argv[2]
PASSWORD = os.environ.get("BOT_PASSWORD", "")
HOST, TLS = ("localhost", True) if PASSWORD else ("127.0.0.1", False)


def tell(*words: str) -> None:
    """In one piece, as some libraries call their handlers in threads."""
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def obey(act: Callable[..., object]) -> None:
    """Call ``act(order, *arguments)`` for each order, in a thread of its own."""

    def read() -> None:
        for line in sys.stdin:
            act(*line.rstrip("\n").split(" ", 2))

    threading.Thread(target=read, daemon=True).start()
