"""What the page in the browser costs: ``python -m benchmarks.page``.

Debian's Chromium shows a page of a real server, and scrolls through a long history; then somebody
says 50 messages a second. Script and layout of each frame come from a trace. Needs the extra
``web-test``.
"""

import argparse
import json
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from playwright.sync_api import Page, sync_playwright

from pages import Irc, Server, enter, visited
from trio_chat.protocols.web.files import load_files

_UNHURRIED = ("limits.messages_per_second=1000000", "limits.message_burst=1000000")
_ARGUMENTS = ["--no-sandbox", "--disable-background-networking"]
_RATE = 50  # messages a second
_SECONDS = 10

# Scrolls up until the beginning, and notes how many rows there were at most.
_UP = """async () => {
    const log = document.getElementById("log");
    let most = 0;
    while (!log.querySelector(".top")?.textContent.includes("begins")) {
        log.scrollTop = 0;
        most = Math.max(most, log.childElementCount);
        await new Promise((done) => setTimeout(done, 5));
    }
    return most;
}"""

_PAINT = """() => Object.fromEntries(
    performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime]))"""


def sizes() -> str:
    """A line for each file that browsers are sent, and the sum."""
    files = load_files().by_path
    each = {path: (len(file.data), len(file.compressed)) for path, file in files.items()}
    each["all"] = tuple(map(sum, zip(*each.values(), strict=True)))
    return "\n".join(f"{path:15} {whole:7,} {packed:7,}" for path, (whole, packed) in each.items())


def frames(events: list[dict[str, Any]]) -> list[float]:
    """The milliseconds of script and layout in each frame."""
    return sorted(
        e["dur"] / 1000 for e in events if e["name"] == "FireAnimationFrame" and "dur" in e
    )


def busy(page: Page, irc: Irc) -> None:
    for number in range(_RATE * _SECONDS):
        irc.say(f"message {number} of a busy minute")
        time.sleep(1 / _RATE)
    page.locator("#log").get_by_text(f"message {_RATE * _SECONDS - 1} of").wait_for()


def measure(lines: int) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=_ARGUMENTS)
        with Server(Path(home), *_UNHURRIED) as server:
            irc = Irc(server.port, "irina")
            for number in range(lines):
                irc.say(f"line {number} with some words, and https://example.org/{number}")
            irc.until(f"line {lines - 1} ")
            with visited(browser, server.url) as page:
                paint = page.evaluate(_PAINT)
                print(f"first paint: {paint.get('first-contentful-paint', 0):.0f} ms")
                begin = time.monotonic()
                enter(page, "wendy")
                page.locator("#log").get_by_text(f"line {lines - 1} ").wait_for()
                print(f"from Enter to the log: {1000 * (time.monotonic() - begin):.0f} ms")
                begin = time.monotonic()
                most = page.evaluate(_UP)
                took = time.monotonic() - begin
                print(
                    f"{lines:,} lines scrolled in {took:.1f} s, at most {most} rows in the document"
                )
                page.keyboard.press("Escape")
                browser.start_tracing(page=page, categories=["devtools.timeline"])
                busy(page, irc)
                spent = frames(json.loads(browser.stop_tracing())["traceEvents"])
                print(
                    f"{_RATE} messages a second: script and layout of a frame, "
                    f"median {statistics.median(spent):.1f} ms, "
                    f"99 of 100 below {spent[len(spent) * 99 // 100]:.1f} ms"
                )
            irc.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short history")
    parser.add_argument("--sizes", action="store_true", help="tell bytes, whole and compressed")
    arguments = parser.parse_args()
    print(sizes())
    socket.setdefaulttimeout(60)
    if not arguments.sizes:
        measure(500 if arguments.quick else 10_000)


if __name__ == "__main__":
    main()
