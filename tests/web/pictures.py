"""Draws the page for the README: ``python tests/web/pictures.py docs``.

Needs Debian's chromium, fonts-noto-color-emoji and fonts-wqy-microhei, and playwright.
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import Page, sync_playwright

from pages import Irc, Server, enter, say, visited

TALK = (
    (
        "alice",
        "morning! the new release is out: https://trio.readthedocs.io/en/stable/history.html",
    ),
    ("tomás", "wow, that was quick!"),
    ("alice", "The flaky test was a missing checkpoint in the fan-out loop, as so often"),
    ("alice", "it only ever failed on a machine with one core"),
    ("tomás", "\x01ACTION takes notes\x01"),
    ("bob", "I can write that down for the docs, if nobody else wants to"),
    ("mei", "please do, there is a draft of the chapter on cancellation"),
    ("dmitri", "привет! I am new here: what is the difference between a nursery and a task group?"),
    ("Łukasz", "none but the name: asyncio took it over"),
    ("美咲", "日本語の解説もありますよ: https://example.org/trio-ja"),
    ("dmitri", "thank you all"),
)
LATER = (
    ("carol", "bob: are you coming tonight? we meet at eight, the usual place"),
    ("tomás", "count me in"),
    ("carol", "tomás: great, that makes seven of us"),
)


def act(page: Page, port: int) -> None:
    nicks = ("alice", "tomás", "mei", "dmitri", "Łukasz", "美咲", "carol")
    people = {nick: Irc(port, nick, "#trio") for nick in nicks}
    people["alice"].send("TOPIC #trio :structured concurrency for people")
    people["alice"].send("MODE #trio +v Łukasz")
    for room in ("#python", "#random", "#docs", "#trio"):
        say(page, f"/join {room}")
        page.locator("#top h1", has_text=room).wait_for()
        people["mei"].send(f"JOIN {room}")
    for nick, text in TALK:
        if nick == "bob":
            say(page, text)
        else:
            people[nick].say(text, "#trio")
        page.wait_for_timeout(50)
    page.evaluate("dispatchEvent(new Event('blur'))")
    for nick, text in LATER:
        people[nick].say(text, "#trio")
        page.wait_for_timeout(50)
    for number in range(7):
        people["mei"].say(f"line {number}", "#random" if number % 2 else "#python")
    people["alice"].say("did you see it?", "bob")
    page.locator("#log .row.said", has_text="count me in").hover()
    page.get_by_label("React").click()
    page.locator("dialog .emoji button").nth(3).click()
    page.locator("#log .row.said", has_text="are you coming").hover()
    page.locator(".tools [aria-label=Reply]").click()
    say(page, "gladly! I bring a cake 🎂")
    page.mouse.move(0, 0)
    page.wait_for_timeout(300)


def draw(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-background-networking"],
        )
        size = {"width": 1100, "height": 700}
        with (
            Server(Path(home)) as server,
            visited(browser, server.url, viewport=size, device_scale_factor=1.5) as page,
        ):
            enter(page, "bob")
            act(page, server.port)
            for scheme, name in (("dark", "page"), ("light", "page-light")):
                page.emulate_media(color_scheme=scheme)
                page.screenshot(path=folder / f"{name}.png")
            page.set_viewport_size({"width": 360, "height": 700})
            page.wait_for_timeout(300)
            page.screenshot(path=folder / "page-phone.png")


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
