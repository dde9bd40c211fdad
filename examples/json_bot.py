"""A bot that counts: whoever says "!count" in #lobby or #tea is told how often that was. It needs
the command trio-chat and nothing else. TRIO_CHAT_HOST and TRIO_CHAT_PORT say where.
"""

import json
import subprocess
from collections import Counter

client = subprocess.Popen(
    ["trio-chat", "client", "--json", "--retry", "--nick", "counter"],
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
    text=True,
    encoding="utf-8",
)


def ask(**request: object) -> None:
    print(json.dumps(request), file=client.stdin, flush=True)


counts: Counter[str] = Counter()
ask(type="join", room="#tea")
assert client.stdout
for line in client.stdout:
    match json.loads(line):
        case {"earlier": True}:
            pass  # it was said before we came
        case {"type": "said", "room": room, "nick": nick, "text": "!count"}:
            counts[nick] += 1
            ask(type="say", target=room, text=f"{nick}: {counts[nick]}")
        case {"type": "failed", "why": why} | {"type": "error", "text": why}:
            print(why)
        case _:
            pass
