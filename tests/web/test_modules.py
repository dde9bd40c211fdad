"""The page's modules without a browser: their tests run in Node, with what Python says of the same
things; their types are checked by tsc. Needs Debian's nodejs and node-typescript.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from parser_tests import data

import trio_chat.protocols.web
from trio_chat.protocols.clean import clean
from trio_chat.protocols.irc.text import shown_lines
from trio_chat.protocols.web.files import load_files

pytestmark = pytest.mark.programs

HERE = Path(__file__).parent
WEB = Path(trio_chat.protocols.web.__file__).parent

SPICY = [
    "plain", "tab\there", "bell\x07 \x1b[31mred\x1b[0m \x7f \x85", "rtl\u202egnp.exe",
    "zero\u200bwidth",
    "👩‍👩‍👧", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "a\u200db", "soft\xadhyphen",
    "e" + "\u0301" * 4, "क्‍ष", "\ufeffbom \u2028 line", "Hangul\u3164filler",
]  # fmt: skip

FORMATTED = [
    "\x02bold\x02 plain", "\x0304red\x03 \x034,12x", "\x04ff0000hex", "\x1d\x1f\x1e\x11\x16all\x0f",
    "\x02a\nb\x02c", "\x0399off", "\x03 bare", "no formatting",
]  # fmt: skip

# What is typed in #room, and the words of the line that is sent.
SENT = [
    ("/kick bob go away", ["KICK", "#room", "bob", "go away"]),
    ("/k #other bob", ["KICK", "#other", "bob"]),
    ("/op bob carol", ["MODE", "#room", "+oo", "bob", "carol"]),
    ("/ban bob 2h spam and more", ["BAN", "#room", "bob", "2h spam and more"]),
    ("/mute bob", ["MUTE", "#room", "bob"]),
    ("/unmute 3", ["UNBAN", "#room", "3"]),
    ("/uban bob 2h mute why not", ["UBAN", "ADD", "bob", "DURATION", "2h", "MUTE", "why not"]),
    ("/uban del 3", ["UBAN", "DEL", "3"]),
    ("/topic new words", ["TOPIC", "#room", "new words"]),
    ("/topic -", ["TOPIC", "#room", ""]),
    ("/remove last", ["REDACT", "#room", "1-2"]),
    ("/report last bob spam", ["REPORT", "#room", "1-1", "spam"]),
    ("/rename den why", ["RENAME", "#room", "#den", "why"]),
    ("/invitation 3 7", ["INVITATION", "3", "7"]),
    ("/account", ["NS", "INFO"]),
    ("/token new bot", ["NS", "TOKEN", "NEW", "bot"]),
    ("/lock 10m raid", ["LOCK", "10m", "raid"]),
    ("/mode +m", ["MODE", "#room", "+m"]),
    ("/away", ["AWAY"]),
    ("/w", ["NAMES", "#room"]),
]


def vectors() -> dict[str, object]:
    return {
        "split": data.msg_split["tests"],
        "join": data.msg_join["tests"],
        "cleaned": [[text, clean(text)] for text in SPICY],
        "plain": [[text, shown_lines(text)] for text in FORMATTED],
        "sent": SENT,
    }


def lay_out(folder: Path) -> None:
    """Put the modules there as browsers are sent them, and beside them their tests."""
    (folder / "package.json").write_text('{"type": "module", "imports": {"#page/*": "./page/*"}}')
    (folder / "vectors.json").write_text(json.dumps(vectors()))
    (folder / "page").mkdir()
    for name, file in load_files().by_path.items():
        if name.endswith(".js"):
            (folder / "page" / name[1:]).write_bytes(file.data)
    for test in HERE.glob("*.mjs"):
        shutil.copy(test, folder)


def test_the_modules_do_as_python_does(tmp_path: Path) -> None:
    lay_out(tmp_path)
    files = [path.name for path in sorted(HERE.glob("*.test.mjs"))]
    ran = subprocess.run(
        ["node", "--test", *files],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"VECTORS": "vectors.json"},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_types_are_right() -> None:
    ran = subprocess.run(["tsc", "-p", WEB], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
