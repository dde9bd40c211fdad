"""What the page shows: of hostile texts, of long histories, on a phone, to screen readers."""

import re
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pages import Irc, Server, say, say_at_once, texts, visited

pytestmark = pytest.mark.programs

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}

HOSTILE = [
    "<script>document.title = 'owned'</script>",
    "<img src=x onerror=alert(1)><style>*{display:none}</style>",
    "javascript:alert(1) https://a.example/'><script>1</script>",
    "\u202egnp.exe\u2066 reversed",
    "e" + "\u0301" * 150,
    "\x02\x1d\x1f\x03" + "4,5deep" * 50,
    "x" * 350,
    "👨‍👩‍👧‍👦" * 14,
    "\x1b[2J\x1b]0;owned\x07",
    "https://" + "a" * 300,
    "${7*7} {{7*7}} %s %n \\u003cb\\u003e &lt;b&gt;",
]


def test_hostile_texts_stay_texts_in_their_place(browser: Browser, server: Server) -> None:
    """Nothing runs, nothing leaves its row, and no policy is broken (``visited`` sees to that)."""
    mallory = Irc(server.port, "mallory")
    mallory.send("TOPIC #lobby :<b>topic</b> \u202e" + "t" * 300)
    with visited(browser, server.url, "wendy", viewport={"width": 900, "height": 700}) as page:
        for text in HOSTILE:
            mallory.say(text)
        mallory.send("@+draft/react=<b>x</b>;+draft/reply=1-1 TAGMSG #lobby", "NICK [`^{|}\\]-_")
        mallory.say("the end")
        expect(page.locator("#log .row.said .text").last).to_have_text("the end")
        expect(page.locator("#log .row.said")).to_have_count(len(HOSTILE) + 1)
        assert page.locator("#log script, #log img, #log style, #log b, #top b").count() == 0
        hrefs = page.eval_on_selector_all(
            "a", "(all) => all.map(({href, rel}) => `${href} ${rel}`)"
        )
        assert all(re.match(r"https?://\S+ noopener noreferrer nofollow$", href) for href in hrefs)
        expect(page).to_have_title(re.compile("^#lobby"))
        wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        log = page.locator("#log").bounding_box()
        boxes = [row.bounding_box() for row in page.locator("#log .row").all()]
        assert not wide
        assert all(box["x"] >= log["x"] and box["width"] <= log["width"] for box in boxes)
        assert all(one["y"] + one["height"] <= two["y"] + 1 for one, two in pairwise(boxes))
    mallory.close()


# Scrolls up for ever, and notes how many rows there are at most.
UP = """() => {
    const log = document.getElementById("log");
    window.most = 0;
    window.up = setInterval(() => {
        log.scrollTop = 0;
        most = Math.max(most, log.childElementCount);
    }, 5);
}"""


def test_thousands_of_lines_scroll_with_few_in_the_document(
    browser: Browser, server: Server
) -> None:
    irina = Irc(server.port, "irina")
    for number in range(1500):
        irina.say(f"line {number}")
    irina.until("line 1499")
    with visited(browser, server.url, "wendy") as page:
        expect(page.locator("#log .row.said .text").last).to_have_text("line 1499")
        page.evaluate(UP)
        expect(page.locator("#log .row.said .text").first).to_have_text("line 0")
        expect(page.locator("#log .top")).to_have_text("This is where #lobby begins.")
        page.evaluate("clearInterval(up)")
        seen = texts(page)
        assert seen == [f"line {number}" for number in range(len(seen))]
        irina.say("one more")
        expect(page.locator("#down")).to_have_text("1 new")
        page.keyboard.press("Escape")
        expect(page.locator("#log .row.said .text").last).to_have_text("one more")
        assert page.evaluate("most") <= 300
    irina.close()


def test_a_phone_has_one_column_and_a_keyboard(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    with visited(browser, server.url, "wendy", **PHONE) as page:
        irina.say("hello there")
        say(page, "hello")
        page.locator(".send").tap()
        row = page.locator("#log .row.said").last
        expect(row).to_have_text(re.compile("hello"))
        for name in ("#rooms", "#people"):
            expect(page.locator(name)).to_be_hidden()
        page.locator("#top .narrow").first.tap()
        expect(page.locator("#rooms")).to_be_visible()
        page.locator("[data-place='']").tap()
        expect(page.locator("#rooms")).to_be_hidden()
        page.locator("#top .narrow").first.tap()
        page.locator("[data-place='#lobby']").tap()
        page.set_viewport_size({"width": 360, "height": 400})  # the keyboard is up
        expect(row).to_be_in_viewport()
        expect(page.locator("textarea")).to_be_in_viewport()
        row.tap()
        page.locator(".tools [aria-label=Reply]").tap()
        expect(page.locator(".answer")).to_be_in_viewport()
        small = page.eval_on_selector_all(
            "button, textarea, input",
            """(all) => all.filter((one) => one.checkVisibility() && !one.closest(".who, .quote"))
                .map((one) => [one.getBoundingClientRect().height, one.outerHTML.slice(0, 80)])
                .filter(([height]) => height < 44)""",
        )
        assert small == []
    irina.close()


def test_a_heading_is_shown_before_the_scripts_are_there(browser: Browser, server: Server) -> None:
    page = browser.new_page()
    page.route("**/*.js", lambda route: route.abort())
    page.goto(server.url)
    expect(page.get_by_role("heading", name="trio-chat")).to_be_visible()
    page.close()


def findings(page: Page) -> list[str]:
    found = Axe().run(page)
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found.response["violations"]
    ]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["wide", "phone"])
def test_axe_finds_nothing(browser: Browser, server: Server, options: dict, scheme: str) -> None:
    people = [Irc(server.port, nick) for nick in ("alice", "Łukasz", "carol")]
    with visited(browser, server.url, color_scheme=scheme, bypass_csp=True, **options) as page:
        assert findings(page) == []
        page.fill("#nick", "wendy")
        page.click("button.main")
        expect(page.locator("#top h1")).to_have_text("#lobby")
        for irc, text in zip(
            people, ["wendy: see https://example.org", "\x0304red\x03 \x0312x", "/"], strict=True
        ):
            irc.say(text)
        people[0].send("AWAY :tea")
        # Enter does not send on a phone.
        say_at_once(page, "/me waves", "/whois alice", "/nonsense", "/msg nobody x", "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")  # or it would come after the click
        page.evaluate("chatGoTo = document.querySelector(\"[data-place='#lobby']\").click()")
        expect(page.locator("#log .row.mention")).to_have_count(1)
        assert findings(page) == []
        for key in ("F1", "F4", "F8", "Control+g", "Control+Shift+F"):
            page.keyboard.press(key)
            expect(page.locator("dialog")).to_be_visible()
            assert findings(page) == []
            page.keyboard.press("Escape")
            expect(page.locator("dialog")).to_have_count(0)
    for irc in people:
        irc.close()


def test_new_lines_are_read_out_as_sentences(browser: Browser, server: Server) -> None:
    irina = Irc(server.port, "irina")
    irina.say("before")
    with visited(browser, server.url, "wendy") as page:
        expect(page.locator("#log .row.said")).to_have_count(1)
        irina.say("hello")
        irina.say("\x01ACTION waves\x01")
        news = page.locator("#news[aria-live=polite] p")
        expect(news).to_have_text(
            [re.compile(r"^\d\d:\d\d irina: hello$"), re.compile("irina waves$")]
        )
        expect(page.locator("#log .row.said").last).to_have_text(
            re.compile(r"\d\d:\d\d.*irina.*: ")
        )
    irina.close()


def test_keys(browser: Browser, server: Server) -> None:
    with visited(browser, server.url, "wendy") as page:
        say(page, "/join #den")
        expect(page.locator("#top h1")).to_have_text("#den")
        say(page, "one")
        page.keyboard.press("ArrowUp")
        expect(page.locator("textarea")).to_have_value("one")
        page.fill("textarea", "wen")
        page.keyboard.press("Tab")
        expect(page.locator("textarea")).to_have_value("wen")
        page.fill("textarea", "")
        page.keyboard.press("Alt+ArrowUp")
        expect(page.locator("#top h1")).to_have_text("#lobby")
        page.keyboard.press("Control+g")
        page.keyboard.type("den")
        page.keyboard.press("Enter")
        expect(page.locator("#top h1")).to_have_text("#den")
        page.keyboard.press("Shift+Tab")
        page.locator("#log").focus()
        page.keyboard.press("ArrowUp")
        page.keyboard.press("Enter")
        expect(page.get_by_role("menuitem", name="Remove")).to_be_visible()
