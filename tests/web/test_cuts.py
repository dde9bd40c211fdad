"""Three pages talk while the wire between them and the server is cut, a thousand times: also in the
middle of a frame, or so that the server does not notice: nothing is lost, nothing comes twice, and
all of them see the same in the same order.
"""

import os
import random
import threading

import pytest
from playwright.sync_api import Browser, Page, expect

from pages import Irc, Server, Wire, say_at_once, visited

LONG = (pytest.mark.soak, pytest.mark.timeout(3600))

CUTS = int(os.environ.get("TRIO_CHAT_TESTS_CUTS", "1000"))

# Pages come back as soon as they may.
AT_ONCE = "Math.random = () => 0"

# Scrolls up until the beginning, and gives what was in the document each time.
ALL = """async () => {
    const log = document.getElementById("log");
    const seen = [];
    for (let still = 0; still < 40; still += 1) {
        const texts = [...log.querySelectorAll(".row.said .text")].map((text) => text.textContent);
        if (texts[0] !== seen.at(-1)?.[0]) [still] = [0, seen.push(texts)];
        log.scrollTop = 0;
        await new Promise((done) => setTimeout(done, 10));
    }
    return seen;
}"""

# The texts that have not arrived, or were refused: the log may have left them far behind.
KEPT = """() => Object.entries(localStorage).filter(([key]) => key.includes(":text:"))
    .map(([, text]) => text)"""


class Listener:
    """Somebody whose connection is never cut, and who notes all that is said."""

    def __init__(self, port: int) -> None:
        self.heard: list[str] = []
        self._irc = Irc(port, "listener", patience=None)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def close(self) -> None:
        self._irc.close()

    def _listen(self) -> None:
        while (
            text := self._irc.until(" PRIVMSG #lobby :").partition(" PRIVMSG #lobby :")[2]
        ) != "end":
            self.heard.append(text)


@pytest.mark.parametrize(
    "cuts", [pytest.param(6, marks=pytest.mark.programs), pytest.param(CUTS, marks=LONG)]
)
def test_nothing_is_lost_or_doubled(browser: Browser, server: Server, cuts: int) -> None:
    listener = Listener(server.port)
    nicks = ("wendy", "walt", "wilma")
    with (
        Wire(server.port) as wire,
        visited(browser, wire.url, nicks[0]) as one,
        visited(browser, wire.url, nicks[1]) as two,
        visited(browser, wire.url, nicks[2]) as three,
    ):
        pages = dict(zip(nicks, (one, two, three), strict=True))
        said = dict.fromkeys(nicks, 0)
        for page in pages.values():
            page.evaluate(AT_ONCE)
        for cut in range(cuts):
            for page in [one, *((two, three) if cut % 2 else ())]:
                expect(page.locator("#banner")).to_be_hidden()
            for nick, page in pages.items():
                count = random.randrange(3)
                say_at_once(page, *(f"{nick} {said[nick] + number}" for number in range(count)))
                said[nick] += count
            one.wait_for_timeout(random.choice((0, 5, 20)))
            random.choice((wire.cut, wire.tear, wire.forget))()
        for page in pages.values():
            expect(page.locator("#banner")).to_be_hidden()
            expect(page.locator("#log .row.waiting")).to_have_count(0)
            assert page.evaluate(KEPT) == []
        say_at_once(one, "end")
        listener.thread.join(60)
        listener.close()
        for nick, count in said.items():
            theirs = [text for text in listener.heard if text.startswith(nick)]
            assert theirs == [f"{nick} {number}" for number in range(count)]
        for page in pages.values():
            same_as(listener.heard, page)


def same_as(heard: list[str], page: Page) -> None:
    """Check that a page shows what was heard, wherever it is scrolled to, up to the first text."""
    expect(page.locator("#log .row.said .text").last).to_have_text("end")
    windows = page.evaluate(ALL)
    for window in windows:
        start = ([*heard, "end"]).index(window[0])
        assert window == [*heard, "end"][start : start + len(window)]
    assert windows[-1][0] == heard[0]
