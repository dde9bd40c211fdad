"""The page in Debian's Chromium: talk, beside people with other programs; needs playwright."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from irc_peers import cheap_hash
from pages import Irc, Server, enter, say, shows, texts, visited
from tmux import IRSSI_IS_IN, IRSSI_SIZE, irssi_command, terminal
from trio_chat.protocols.invitation import Invitation, write_token
from trio_chat.storage.key import read_key

pytestmark = pytest.mark.programs


def test_pages_netcat_irssi_and_the_full_screen_are_in_one_room(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    port = str(server.port)
    client = ["env", *(f"XDG_{name}_HOME={tmp_path}" for name in ("STATE", "CONFIG", "DATA"))]
    client += [sys.executable, "-m", "trio_chat", "client", "-p", port]
    client += ["-n", "terry", "--protocol", "irc"]
    netcat = subprocess.Popen(
        ["nc", "127.0.0.1", port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with (
        netcat,
        terminal(tmp_path / "terry.tmux", 80, 24, *client) as terry,
        terminal(
            tmp_path / "irina.tmux", *IRSSI_SIZE, *irssi_command(server.port, "irina", tmp_path)
        ) as irina,
        visited(browser, server.url, "wendy") as wendy,
        visited(browser, server.url, "walt") as walt,
    ):
        netcat.stdin.write("nettie\nfrom netcat\n")
        netcat.stdin.flush()
        terry.until("You are in #lobby.")
        terry.type("from terry")
        irina.until(IRSSI_IS_IN)
        irina.type("/join #lobby")
        irina.type("from irssi")
        say(wendy, "from the page :wave:")
        said = {"from netcat", "from terry", "from irssi", "from the page 👋"}
        for page in (wendy, walt):
            expect(page.locator("#log .row.said")).to_have_count(4)
            assert set(texts(page)) == said
        assert texts(wendy) == texts(walt)
        expect(wendy.locator("#people .person")).to_have_count(5)
        say(walt, "and all are here")
        terry.until("walt │ and all are here")
        irina.until("walt> and all are here")
        netcat.stdin.write("/quit\n")
        netcat.stdin.flush()
        assert "walt: and all are here" in netcat.communicate(timeout=20)[0]


def test_history_unread_counts_and_private_talks(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    for number in range(3):
        irina.say(f"before {number}")
    irina.until("before 2")
    with visited(browser, server.url, "wendy") as page:
        expect(page.locator("#log .row.said")).to_have_count(3)
        say(page, "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")
        irina.say("one")
        irina.say("wendy: two")
        lobby = page.locator("[data-place='#lobby']")
        expect(lobby).to_contain_text("@1")
        expect(page).to_have_title(re.compile(r"^\(1\) #den"))
        lobby.click()
        expect(page.locator("#log .divider.new")).to_be_visible()
        expect(page.locator("#log .row.mention")).to_have_text(re.compile("wendy: two"))
        expect(page).to_have_title(re.compile("^#lobby"))
        irina.say("psst", "wendy")
        expect(page.locator("[data-place=irina]")).to_contain_text("@1")
        page.locator("[data-place=irina]").click()
        say(page, "what is it?")
        irina.until("PRIVMSG irina :what is it?")
        page.reload()
        expect(page.locator("#top h1")).to_have_text("irina")
        shows(page, "psst", "what is it?")
        expect(page.locator("[data-place='#lobby'] .count")).to_have_count(0)
    irina.close()


def test_what_was_said_while_somebody_was_away_is_unread_and_listed(
    browser: Browser, server: Server
) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/register correct-horse")
        expect(page.locator("#rooms .me")).to_contain_text("logged in")
        say(page, "here I was")
        shows(page, "here I was")
        irina = Irc(server.port, "irina")
    irina.until(" QUIT ")
    irina.say("wendy: look at this")
    for number in range(500):  # more than a page shows at first
        irina.say(f"{number}")
    irina.say("are you there?", "wendy")
    irina.until("301 irina wendy")
    with visited(browser, server.url) as page:
        page.fill("#nick", "wendy")
        page.click("button.main")
        page.fill("#password", "correct-horse")
        page.click("button.main")
        expect(page.locator("[data-place=irina]")).to_contain_text("@1")
        page.locator("[data-place=irina]").click()
        shows(page, "are you there?")
        page.locator("[data-place='#lobby']").click()
        page.keyboard.press("F4")
        hit = page.locator("dialog .found button")
        expect(hit).to_contain_text("look at this")
        hit.click()
        expect(page.locator("#log .row.mention")).to_have_text(re.compile("look at this"))
    with visited(browser, server.url) as page:
        page.fill("#nick", "wendy")
        page.click("button.main")
        page.fill("#password", "correct-horse")
        page.click("button.main")
        expect(page.locator("[data-place=irina]")).to_be_visible()
        expect(page.locator("[data-place=irina] .count")).to_have_count(0)
    irina.close()


def test_a_fresh_browser_enters_no_room_that_was_left_elsewhere(
    browser: Browser, server: Server
) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/register correct-horse", "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")
        page.locator("[data-place='#lobby']").click()
        say(page, "/part")
        expect(page.locator("#log .row").last).to_contain_text("You have left #lobby")
    with visited(browser, server.url) as page:
        page.fill("#nick", "wendy")
        page.click("button.main")
        page.fill("#password", "correct-horse")
        page.click("button.main")
        expect(page.locator("#top h1")).to_have_text("#den")
        say(page, "here again")
        shows(page, "here again")
        expect(page.locator("[data-place='#lobby']")).to_have_count(0)


def test_a_guest_who_logs_in_is_shown_a_room_of_the_account(
    browser: Browser, server: Server
) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/register correct-horse", "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")
        page.locator("[data-place='#lobby']").click()
        say(page, "/part")
        expect(page.locator("#log .row").last).to_contain_text("You have left #lobby")
        expect(page.locator("#top h1")).to_have_text("#lobby")
    with visited(browser, server.url, "walt") as page:
        expect(page.locator("#top h1")).to_have_text("#lobby")
        say(page, "/login wendy correct-horse")
        expect(page.locator("#top h1")).to_have_text("#den")
        say(page, "here again")
        shows(page, "here again")


def test_replies_reactions_removal_and_several_lines(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "wendy") as wendy,
        visited(browser, server.url, "walt") as walt,
    ):
        wendy.fill("textarea", "one\n  two\n\nthree")
        wendy.press("textarea", "Enter")
        row = walt.locator("#log .row.said").first
        expect(row.locator(".text")).to_have_text("one\n  two\n\nthree")
        row.hover()
        row.get_by_label("Reply").click()
        say(walt, "I see")
        expect(wendy.locator(".row .quote")).to_contain_text("wendy one two")
        row.hover()
        row.get_by_label("React").click()
        walt.locator("dialog .emoji button").first.click()
        thumb = wendy.locator(".reactions button")
        expect(thumb).to_have_text("👍1")
        thumb.click()
        expect(walt.locator(".reactions button")).to_have_text("👍2")
        thumb.click()
        expect(walt.locator(".reactions button")).to_have_text("👍1")
        expect(walt.locator("#news p")).to_contain_text("one two")
        say(wendy, "/remove last")
        expect(walt.locator("#log .row.removed")).to_contain_text("(removed by wendy)")
        expect(walt.locator("#news p")).to_have_count(0)
        walt.reload()
        expect(walt.locator("#log .row.said")).to_have_count(1)


def test_search_leads_to_where_it_was_said(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    irina.say("the needle")
    for number in range(400):
        irina.say(f"hay {number}")
    irina.until("hay 399")
    with visited(browser, server.url, "wendy") as page:
        expect(page.locator("#log .row.said").last).to_contain_text("hay 399")
        say(page, "/search needle from:irina")
        page.locator("dialog .found button").click()
        expect(page.locator("#log .row.found")).to_contain_text("the needle")
        expect(page.locator("#log .row.found")).to_be_in_viewport()
        page.locator("#down").click()
        expect(page.locator("#log .row.said").last).to_be_in_viewport()
        page.keyboard.press("F8")
        page.get_by_role("menuitem", name="Search…").click()
        window = page.locator("dialog").element_handle()
        page.fill("dialog input", "needle")
        page.keyboard.press("Enter")
        expect(page.locator("dialog .found button")).to_contain_text("the needle")
        assert window.evaluate("(one) => one.open")  # the answer came to the window that asked
    irina.close()


def test_rooms_are_listed_and_joined(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    irina.send("JOIN #den", "TOPIC #den :lions", "AWAY :asleep")
    irina.until("TOPIC #den")
    with visited(browser, server.url, "wendy") as page:
        say(page, "/rooms")
        found = page.locator("dialog .found li")
        expect(found).to_have_count(2)
        page.fill("dialog input", "lion")
        expect(found.first).to_have_text("#den1 there · lions")
        page.keyboard.press("Enter")
        expect(page.locator("#top h1")).to_have_text("#den")
        expect(page.locator("#people .person")).to_have_text(["@irinaaway", "wendy"])
        say(page, "/who")
        expect(page.locator("#log")).to_contain_text("In #den (2): irina, wendy")
    irina.close()


def test_moderation_by_menus_and_commands(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "wendy") as wendy,
        visited(browser, server.url, "walt") as walt,
    ):
        say(wendy, "/join #den")
        expect(wendy.locator("#people")).to_contain_text("@wendy")
        say(walt, "/join #den")
        wendy.locator("#people [data-nick=walt]").click()
        wendy.get_by_role("menuitem", name="Mute…").click()
        wendy.fill("dialog input", "too loud")
        wendy.press("dialog input", "Enter")
        say(walt, "can you hear me?")
        failure = walt.locator(".failure")
        expect(failure).to_contain_text("Not sent")
        say(wendy, "/unmute walt")
        expect(wendy.locator("#log")).to_contain_text("wendy lifted the mute on walt")
        failure.get_by_text("Send again").click()
        expect(wendy.locator("#log .row.said .text")).to_have_text("can you hear me?")
        say(wendy, "/kick walt enough")
        expect(walt.locator("#log")).to_contain_text("wendy kicked you out: enough")
        say(wendy, "/jion #x")
        expect(wendy.locator(".row.refusal").last).to_contain_text("Did you mean /join?")


def test_register_log_out_and_log_in(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        page.locator("#rooms .me").click()
        page.get_by_role("menuitem", name="Make this nickname mine…").click()
        field = page.locator("dialog input[type=password]")
        expect(field).to_have_attribute("autocomplete", "new-password")
        field.fill("correct-horse")
        field.press("Enter")
        expect(page.locator("#rooms .me")).to_contain_text("logged in")
        page.reload()
        expect(page.locator("#rooms .me")).to_contain_text("logged in")
        say(page, "/logout")
        expect(page.locator("#rooms .me")).to_contain_text("guest")
    with visited(browser, server.url) as page:
        page.fill("#nick", "wendy")
        page.click("button.main")
        expect(page.locator("#why")).to_contain_text("somebody's account")
        page.fill("#password", "wrong-horse")
        page.click("button.main")
        expect(page.locator("#why")).to_contain_text("not the password")
        page.fill("#password", "correct-horse")
        page.click("button.main")
        expect(page.locator("#rooms .me")).to_contain_text("logged in")
        expect(page.locator("#rooms .me")).to_contain_text("wendy")
        with visited(browser, server.url) as phone:  # while the other is here
            phone.fill("#nick", "wendy")
            phone.locator("summary").click()
            phone.fill("#password", "correct-horse")
            phone.click("button.main")
            expect(phone.locator("#rooms .me")).to_contain_text("logged in")
            expect(phone.locator("#rooms .me")).to_contain_text(re.compile("^wendy(?!_)"))
            expect(phone.locator("#top h1")).to_have_text("#lobby")
            say(phone, "from the phone")
            shows(page, "from the phone")
            say(page, "from the desk")
            for device in (page, phone):
                shows(device, "from the phone", "from the desk")
                expect(device.locator("#people .person")).to_have_count(1)


def test_change_the_password_and_delete_the_account(browser: Browser, server: Server) -> None:
    """For both, a browser that has logged in by itself has to show the password."""
    with visited(browser, server.url, "wendy") as page:
        log, me = page.locator("#log"), page.locator("#rooms .me")
        say(page, "/register correct-horse")
        expect(me).to_contain_text("logged in")
        for password, asked, done in (
            ("correct-horse", "/password battery-staple", "password has been changed"),
            ("battery-staple", "/account delete wendy", "account is deleted"),
        ):
            page.reload()
            expect(me).to_contain_text("logged in")
            say(page, asked)
            expect(log).to_contain_text("Log in with the password first")
            say(page, f"/login {password}")
            expect(log).to_contain_text("That is the password.")
            say(page, asked)
            expect(log).to_contain_text(done)
        expect(me).to_contain_text("guest")
        page.reload()
        expect(me).to_contain_text("guest")


def test_an_invitation_lets_one_person_in_again_and_again(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path, "accounts.guests=invited") as server:
        token = invitation(server)
        with visited(browser, f"{server.url}#den?invite={token}") as page:
            expect(page.locator("#start")).to_contain_text("You are invited to #den.")
            page.fill("#nick", "wendy")
            page.click("button.main")
            expect(page.locator("#top h1")).to_have_text("#den")
            assert token not in page.url
            page.reload()
            expect(page.locator("#top h1")).to_have_text("#den")
            server.kill()
            expect(page.locator("#banner")).to_contain_text("No connection")
            say(page, "still here")
            server.start()
            shows(page, "still here")


def test_an_invitation_that_is_not_good_is_told_and_another_taken(
    browser: Browser, tmp_path: Path
) -> None:
    with Server(tmp_path, "accounts.guests=invited") as server:
        used, revoked, good = (invitation(server) for _ in range(3))
        server.run("admin", "invitation", "revoke", revoked)
        key = read_key(next(tmp_path.rglob("key")))
        expired = write_token(key, Invitation("0" * 16, int(time.time()) - 60))
        with visited(browser, f"{server.url}#den?invite={used}") as page:
            page.fill("#nick", "wendy")
            page.click("button.main")
            expect(page.locator("#top h1")).to_have_text("#den")
        with visited(browser, f"{server.url}#den?invite={expired}") as page:
            page.fill("#nick", "walt")
            page.click("button.main")
            why, entry = page.locator("#why"), page.get_by_label("Invitation")
            expect(why).to_have_text("That invitation has expired. Ask for a new one.")
            for token, words in (
                (used, "That invitation has been used. Ask for a new one."),
                (revoked, "That invitation was revoked."),
                (good[:30], "one has 43 characters, and this has 30. Copy all of it."),
                ("", "This chat is for those who have an account or an invitation."),
                ("nonsense", "That is no invitation to this chat"),
            ):
                entry.fill(token)
                page.click("button.main")
                expect(why).to_contain_text(words)
                expect(entry).to_have_value(token)
                expect(page.locator("#password")).to_be_hidden()
            entry.fill(f"ircs://chat.example/den?invite={good}")
            page.click("button.main")
            expect(page.locator("#top h1")).to_have_text("#den")


def invitation(server: Server) -> str:
    told = server.run("invite", "--port", str(server.port), "--room", "#den")
    return re.search(r"invite=([\w-]{43})", told)[1]


def test_the_password_of_a_chat_is_asked_for_once(browser: Browser, tmp_path: Path) -> None:
    hashed = cheap_hash("open sesame")
    with (
        Server(tmp_path, f"server.password={hashed}") as server,
        visited(browser, server.url) as page,
    ):
        page.fill("#nick", "wendy")
        page.click("button.main")
        expect(page.locator("#why")).to_contain_text("those who have its password")
        page.get_by_label("the password of this chat").fill("open sesame")
        page.click("button.main")
        expect(page.locator("#top h1")).to_have_text("#lobby")
        page.reload()
        expect(page.locator("#top h1")).to_have_text("#lobby")


def test_operators_of_the_server_may_remove_where_they_do_not_lead(
    browser: Browser, tmp_path: Path
) -> None:
    with (
        Server(tmp_path, f"irc.operators=boss={cheap_hash('sesame')}") as server,
        visited(browser, server.url, "wendy") as page,
    ):
        irina = Irc(server.port, "irina", "#den")
        say(page, "/join #den")
        irina.say("spam", "#den")
        menu = page.locator("#log .row.said")
        menu.click(button="right")
        expect(page.get_by_role("menuitem", name="Report")).to_be_visible()
        expect(page.get_by_role("menuitem", name="Remove")).to_have_count(0)
        page.keyboard.press("Escape")
        say(page, "/raw OPER boss sesame")
        expect(page.locator("#log")).to_contain_text("You are an operator of this server now.")
        menu.click(button="right")
        page.get_by_role("menuitem", name="Remove").click()
        expect(page.locator("#log")).to_contain_text("(removed by wendy)")
        irina.close()


def test_tabs_are_one_person(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    with visited(browser, server.url, "wendy") as first:
        irina.say("before")
        expect(first.locator("#log .row.said")).to_have_count(1)
        second = first.context.new_page()
        second.goto(server.url)
        expect(second.locator("#log .row.said .text")).to_have_text("before")
        say(second, "from the second")
        say(first, "from the first")
        irina.until("wendy!")
        for page in (first, second):
            expect(page.locator("#log .row.said.sent")).to_have_count(3)
            expect(page.locator("#people .person")).to_have_count(2)
        first.close()
        say(second, "I lead now")
        irina.until("I lead now")
        expect(second.locator("#log .row.said.sent")).to_have_count(4)
    irina.close()


def test_leaving_and_coming_back(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/quit")
        expect(page.locator("#start")).to_be_visible()
        enter(page, "wendy")


@contextmanager
def stopped(page: Page) -> Iterator[None]:
    """Let the page run no script, as if it were frozen: nothing freezes what is on a screen."""
    debugger = page.context.new_cdp_session(page)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")
    yield
    debugger.send("Debugger.resume")
    debugger.detach()


def test_a_tab_that_is_about_to_be_frozen_lets_another_lead(
    browser: Browser, server: Server
) -> None:
    """As browsers freeze tabs in the background, which they tell them."""
    with visited(browser, server.url, "wendy") as first:
        second = first.context.new_page()
        second.goto(server.url)
        expect(second.locator("#top h1")).to_have_text("#lobby")
        first.evaluate("document.dispatchEvent(new Event('freeze'))")
        with stopped(first):
            say(second, "I lead now")
            shows(second, "I lead now")
        first.evaluate("document.dispatchEvent(new Event('resume'))")
        shows(first, "I lead now")
        say(first, "and I follow")
        for page in (first, second):
            shows(page, "I lead now", "and I follow")
            expect(page.locator("#people .person")).to_have_count(1)
        second.evaluate("document.dispatchEvent(new Event('freeze'))")
        with stopped(second):
            say(first, "and lead again")
            shows(first, "I lead now", "and I follow", "and lead again")


def test_a_tab_that_answers_no_more_leads_no_longer(browser: Browser, server: Server) -> None:
    """As phones stop a browser's tabs without a word."""
    with visited(browser, server.url, "wendy") as first:
        with stopped(first):
            second = first.context.new_page()
            second.goto(server.url)
            expect(second.locator("#top h1")).to_have_text("#lobby")
            say(second, "I lead now")
            shows(second, "I lead now")
        shows(first, "I lead now")
        say(first, "and I follow")
        for page in (first, second):
            shows(page, "I lead now", "and I follow")
            expect(page.locator("#people .person")).to_have_count(1)


def test_a_browser_forgets_somebody_who_asks_it_to(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/register correct-horse")
        expect(page.locator("#rooms .me")).to_contain_text("logged in")
        page.locator("#rooms .me").click()
        page.get_by_role("menuitem", name="Leave, and forget me in this browser").click()
        expect(page.locator("#nick")).to_have_value("")
        assert page.evaluate("localStorage.length") == 0
        page.fill("#nick", "wendy")
        page.click("button.main")
        expect(page.locator("#why")).to_contain_text("somebody's account")


# Notes what is told in notifications, and that one may tell.
NOTE = """() => {
    window.told = [];
    window.Notification = class {
        static permission = "granted";
        static requestPermission = async () => "granted";
        constructor(...all) { told.push(all); }
    };
}"""


def test_typing_and_notifications_if_they_are_wanted(browser: Browser, server: Server) -> None:
    with (
        visited(browser, server.url, "wendy") as wendy,
        visited(browser, server.url, "walt") as walt,
    ):
        wendy.evaluate(NOTE)
        walt.type("textarea", "not told")
        walt.fill("textarea", "")
        for page, words in ((walt, "Tell others when I type"), (wendy, "Turn notifications on")):
            page.locator("#rooms .me").click()
            page.get_by_role("menuitem", name=words).click()
        walt.type("textarea", "hi")
        expect(wendy.locator("#typing")).to_have_text("walt is typing…")
        say(walt, "nothing special", "wendy: listen", "/msg wendy psst")
        expect(wendy.locator("[data-place=walt]")).to_contain_text("@1")
        expect(wendy.locator("#typing")).to_be_empty()
        told = wendy.evaluate("told")
        assert [title for title, _ in told] == ["walt"]  # she sees the room
        assert told[0][1]["body"] == "psst"
