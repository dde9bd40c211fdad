"""What is said in the page arrives exactly once and in order, whatever happens on the way."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from pages import Irc, Server, Wire, enter, say, say_at_once, shows, visited

pytestmark = pytest.mark.programs


# Tries until there is a connection.
TRY_NOW = """() => {
    const banner = document.getElementById("banner");
    banner.querySelector("button")?.click();
    return banner.hidden;
}"""


def try_now(page: Page) -> None:
    page.wait_for_function(TRY_NOW, polling=500)


def numbered(first: int, count: int) -> list[str]:
    return [f"text {number}" for number in range(first, first + count)]


def test_a_reload_in_mid_send_loses_nothing(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "walt") as walt,
        visited(browser, server.url, "wendy") as wendy,
    ):
        for begin in (0, 20, 40):
            say_at_once(wendy, *numbered(begin, 20))
            wendy.reload()
            expect(wendy.locator("#top h1")).to_have_text("#lobby")
        shows(walt, *numbered(0, 60))
        shows(wendy, *numbered(0, 60))


def test_a_killed_server_loses_nothing(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "walt") as walt,
        visited(browser, server.url, "wendy") as wendy,
    ):
        for begin in (0, 20, 40):
            say_at_once(wendy, *numbered(begin, 10))
            server.kill()
            say_at_once(wendy, *numbered(begin + 10, 10))
            expect(wendy.locator("#banner")).to_contain_text("No connection")
            server.start()
            try_now(wendy)
        shows(walt, *numbered(0, 60))
        shows(wendy, *numbered(0, 60))


def test_a_drained_server_says_so_and_loses_nothing(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "walt") as walt,
        visited(browser, server.url, "wendy") as wendy,
    ):
        say_at_once(wendy, *numbered(0, 10))
        server.drain("1", "an update")
        expect(walt.locator("#log")).to_contain_text("will shut down within 1 second (an update).")
        say_at_once(wendy, *numbered(10, 10))
        expect(wendy.locator("#banner")).to_contain_text("No connection")
        server.start()
        try_now(wendy)
        shows(walt, *numbered(0, 20))
        shows(wendy, *numbered(0, 20))


def test_an_upgrade_offers_a_reload_which_loses_nothing(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        banner, text = page.locator("#banner"), page.locator("textarea")
        say(page, "before", "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")
        say(page, "here")
        shows(page, "here")
        server.kill()
        say(page, "meanwhile")
        text.type("half a sen")
        server.start("web.title=Tea time")  # another page, so another build
        expect(banner).to_contain_text("There is a newer version of this page.")
        banner.get_by_role("button", name="Reload").click()
        expect(page.locator("#top h1")).to_have_text("#den")
        expect(banner).to_be_hidden()
        shows(page, "here", "meanwhile")
        expect(text).to_have_value("half a sen")
        page.locator("[data-place='#lobby']").click()
        shows(page, "before")


def test_who_is_not_let_in_is_told_why(browser: Browser, server: Server) -> None:
    with Wire(server.port) as wire, visited(browser, wire.url) as page:
        server.kill()
        page.fill("#nick", "wendy")
        page.click("button.main")
        expect(page.locator("#start")).to_contain_text("No connection.")
        expect(page.locator("#start")).to_contain_text("Trying again in")
        server.start()
        expect(page.locator("#top h1")).to_have_text("#lobby")
        wire.freeze()  # until somebody else has the only place
        server.kill()
        server.start("limits.connections=1")
        irina = Irc(server.port, "irina")
        wire.thaw()
        banner = page.locator("#banner")
        expect(banner).to_contain_text("The server is full (1 connections). Try again later.")
        expect(banner).to_contain_text(re.compile(r"Trying again in (5|6)\d s"))  # as it has said
        irina.close()
        try_now(page)


@pytest.mark.parametrize("seconds", [40, 600])
def test_out_of_reach_and_back(browser: Browser, server: Server, seconds: int) -> None:
    """The page notices, keeps what is said, and catches up with what the others said."""
    irina = Irc(server.port, "irina")
    with Wire(server.port) as wire, visited(browser, wire.url) as page:
        page.clock.install()
        page.reload()
        enter(page, "wendy")
        irina.say("before")
        shows(page, "before")
        wire.freeze()
        say(page, "can you hear me?")
        for number in range(250):
            irina.say(f"meanwhile {number}")
        irina.until("meanwhile 249")
        expect(page.locator("#log .row.waiting")).to_have_count(1)
        page.clock.fast_forward(35_000)
        expect(page.locator("#banner")).to_contain_text("No connection")
        expect(page.locator("#banner")).to_contain_text("1 message waits")
        page.clock.fast_forward(seconds * 1000)
        wire.thaw()
        page.clock.fast_forward(35_000)
        irina.until("can you hear me?")
        expect(page.locator("#banner")).to_be_hidden()
        log = page.locator("#log .row.said .text")
        expect(log.last).to_have_text("can you hear me?")
        said = log.all_inner_texts()
        assert said[-100:-1] == [f"meanwhile {number}" for number in range(151, 250)]
    irina.close()


def test_refused_texts_stay_until_the_person_decides(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/msg nobody are you there?")
        page.locator("[data-place=nobody]").click()
        failure = page.locator(".failure")
        expect(failure).to_contain_text("Nobody here is called nobody.")
        page.reload()
        page.locator("[data-place=nobody]").click()
        expect(failure).to_have_count(1)
        irc = Irc(server.port, "nobody")
        failure.get_by_text("Send again").click()
        irc.until("are you there?")
        expect(failure).to_have_count(0)
        irc.close()
