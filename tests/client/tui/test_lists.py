"""Lists in the place of the log: help, search, going to a room, and what to do with whom."""

import time
from operator import attrgetter

import pytest

from screens import FakeModel, burst, demo_model, said, shown, text_of, until
from trio_chat.client import requests
from trio_chat.client.model import Candidate
from trio_chat.client.model.typed import all_commands
from trio_chat.client.tui.app import ChatApp
from trio_chat.client.tui.help import find_help
from trio_chat.client.tui.keys import BOUND, CHOOSING
from trio_chat.client.tui.theme import DARK, PALETTES
from trio_chat.core.room_state import Mask
from trio_chat.core.views import Masks
from trio_chat.settings import ScreenSettings


def many(count: int) -> FakeModel:
    model = FakeModel()
    model.all[1].lines = [said("al", f"message {number}") for number in range(count)]
    return model


def asked_of(app: ChatApp) -> list[object]:
    """What the screen asks for from now on."""
    asked: list[object] = []
    app.guest.ask = lambda request: asked.append(request) or True
    return asked


# ── help ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "width", [20, *(pytest.param(width, marks=pytest.mark.slow) for width in (57, 58, 200))]
)
def test_nothing_of_the_help_is_cut(width):
    """Each word of it can be read, wherever it breaks."""
    model, seen = FakeModel(), set[str]()
    model.candidates = [Candidate(f"/{word}", row.does) for word, row in all_commands().items()]
    items = next(find_help("", model.candidates))
    rows = [strip.text for item in items for strip in item.rows(PALETTES[DARK], 500)]

    async def script(pilot, app):
        await pilot.press("f1")
        before = ""
        while before != (page := text_of(app)):
            seen.update(page.split())
            before = page
            await pilot.press("pagedown")

    shown(model, script, size=(width, 30))
    assert {word for row in rows for word in row.split() if len(word) < 12} <= seen


def test_the_help_is_narrowed_by_what_is_written_or_given():
    model = FakeModel()

    async def script(pilot, app):
        await pilot.press("f1", *"ignore")
        assert "F7" in text_of(app)
        assert "PageUp" not in text_of(app)
        await pilot.press("escape", *"/help pageup", "enter")
        assert "scroll back" in text_of(app)
        assert "F7 " not in text_of(app)
        await pilot.press(*"xyz")
        assert "nothing" in text_of(app)

    shown(model, script)
    assert not model.inputs


# ── search ─────────────────────────────────────────────────────────────────────────────────


def test_a_search_goes_on_until_all_has_been_looked_through():
    """In pieces; the newest come first, and the chosen one stays where it is."""
    model = many(30_000)

    async def script(pilot, app):
        await pilot.press("ctrl+f", *"ssage 123")
        await until(pilot, lambda: not app._controller.choice.looks_further)
        assert "message 123\n" in text_of(app) or "of 1" in text_of(app)
        found = sum("123" in str(number) for number in range(30_000))
        assert f"{found} of {found}" in text_of(app)
        await pilot.press("enter")
        assert "message 29123" in text_of(app)

    shown(model, script)


def test_enter_waits_for_the_first_that_is_found():
    """Also if it comes in the same burst as what is searched."""
    model = many(30_000)

    async def script(pilot, app):
        burst(app, ["ctrl+f", *"message 77", "enter"])
        await pilot.pause()
        assert "message 29977" in text_of(app)

    shown(model, script)


def test_a_search_that_was_closed_ends():
    async def script(pilot, app):
        burst(app, ["ctrl+f", *"nowhere", "escape"])
        await pilot.pause()
        await until(pilot, lambda: not app._looking)
        assert "message 29999" in text_of(app)

    shown(many(30_000), script)


# ── rooms ──────────────────────────────────────────────────────────────────────────────────


def test_to_a_room_by_a_part_of_its_name():
    model = demo_model()

    async def script(pilot, app):
        await pilot.press(*"draft", "ctrl+g", *"OOK")
        assert "go to ❯ OOK" in text_of(app)
        await pilot.press("enter")
        assert "draft" not in text_of(app)

    shown(model, script)
    assert model.current.name == "#cooking"


def test_a_room_is_left_by_its_menu():
    model = FakeModel("#one", "#two")

    async def script(pilot, app):
        asked = asked_of(app)
        await pilot.press(*"gone", "f8", "enter")
        assert asked == [requests.Part("#one")]
        assert "❯ gone" not in text_of(app)

    shown(model, script)
    assert [buffer.name for buffer in model.buffers] == ["trio-chat", "#two"]


def test_the_topic_is_put_into_the_line_and_a_room_is_emptied():
    model = demo_model()

    async def script(pilot, app):
        await pilot.press("f8", "down", "enter")
        assert "❯ /topic tea at five" in text_of(app)
        await pilot.press("ctrl+c", "f8", "down", "down", "down", "enter")
        assert "message" not in text_of(app)

    shown(model, script)
    assert not model.all[1].lines


def test_the_menu_of_the_servers_buffer_closes_nothing():
    model = FakeModel()

    async def script(pilot, app):
        await pilot.press("alt+1", "f8")
        assert "close" not in text_of(app).replace("closes", "")

    shown(model, script)


BANS = Masks(
    "#lobby",
    "b",
    (
        Mask("a:mallory", "al", 1_700_000_000_000, 3, 1_700_007_200_000, "no more spam"),
        Mask("m:*!*@bad.example", "bob", 0, whom="eve"),
    ),
)


def test_bans_are_asked_for_by_the_menu_read_and_lifted(monkeypatch):
    """Their ends are told in the time of this place."""
    monkeypatch.setenv("TZ", "IST-5:30")
    time.tzset()
    model = demo_model()

    async def script(pilot, app):
        asked = asked_of(app)
        await pilot.press("f8", "down", "down", "enter")
        assert asked == [requests.SlashCommand("/bans", "#lobby")]
        model.bans = BANS
        app._take()
        await pilot.pause()
        assert "account mallory: banned until 2023-11-15 05:44 (no more spam)" in text_of(app)
        assert "eve: muted for good, by bob [*!*@bad.example]" in text_of(app)
        await pilot.press(*"bad", "enter")
        assert "lift the mute on *!*@bad.example" in text_of(app)
        await pilot.press("down", "enter")
        assert asked[1:] == [requests.SlashCommand("/unban #lobby m:*!*@bad.example", "#lobby")]
        model.bans = BANS
        app._take()
        await pilot.press("enter", "enter")  # what is there first leaves it as it is
        assert len(asked) == 2
        model.bans = BANS
        app._take()
        await pilot.press("enter", "down", "enter")
        assert asked[2:] == [requests.SlashCommand("/unban #lobby 3", "#lobby")]

    shown(model, script)


def test_bans_of_the_server_are_read_and_lifted():
    model = demo_model()

    async def script(pilot, app):
        asked = asked_of(app)
        model.bans = Masks("", "b", (Mask("a:mallory", "al", 1_700_000_000_000, 17),))
        app._take()
        await pilot.pause()
        assert "Bans of the server" in text_of(app)
        assert "account mallory: banned for good, by al" in text_of(app)
        await pilot.press("enter", "down", "enter")
        assert asked == [requests.SlashCommand("/uban del 17", "#lobby")]

    shown(model, script)


# ── people ─────────────────────────────────────────────────────────────────────────────────


def test_somebody_who_is_here_is_talked_with_ignored_and_asked_for():
    model = demo_model()

    async def script(pilot, app):
        asked = asked_of(app)
        await pilot.press(*"hi ", "f7", *"car", "enter")
        assert "ignore: hide everything" in text_of(app)
        await pilot.press("down", "enter")
        assert "❯ hi carol:" in text_of(app)
        await pilot.press("f7", *"car", "enter", "down", "down", "enter")
        assert asked[-1] == requests.SlashCommand("/whois carol", "#lobby")
        await pilot.press("f7", *"car", "enter", "up", "down", "down", "down", "enter")
        assert "carol is ignored" in text_of(app)
        assert model.ignored == ["carol!*@*"]
        await pilot.press("f7", *"car", "enter", "down", "down", "down", "enter")
        assert not model.ignored
        await pilot.press("f7", *"car", "enter", "enter")

    shown(model, script)
    assert model.current.name == "carol"


@pytest.mark.parametrize("prefix", ["@", "+"])
def test_an_operator_has_the_commands_against_somebody_put_into_the_line(prefix):
    model = demo_model()
    model.all[1].add_members(f"{prefix}bob")

    async def script(pilot, app):
        await pilot.press("f7", *"car", "enter")
        assert ("ban from here" in text_of(app)) == (prefix == "@")
        if prefix == "+":
            model.rules, model.caps = True, frozenset({"trio-chat/identity"})
            await pilot.press("escape", "f7", *"car", "enter")
            assert "ban from here" in text_of(app)
        else:
            await pilot.press(*["down"] * 5, "enter", *"spam")
            assert "❯ /ban carol 1d spam" in text_of(app)
            await pilot.press("ctrl+c", "f7", *"car", "enter", *["down"] * 4, "enter")
            assert "❯ /mute carol 1h" in text_of(app)
            await pilot.press("ctrl+c", "f7", *"bob", "enter")
            assert "ban from here" not in text_of(app)

    shown(model, script)


def test_the_list_of_people_scrolls_by_the_wheel_and_a_click_opens_somebody():
    model = FakeModel()
    model.all[1].add_members(*(f"n{number:03}" for number in range(200)))
    settings = ScreenSettings(mouse=True)

    async def script(pilot, app):
        assert "n019" in text_of(app)
        assert "n060" not in text_of(app)
        for _ in range(20):
            app._members.scroll_rows(3)
        await pilot.pause()
        assert "n060" in text_of(app)
        assert "more ↓" in text_of(app)
        await pilot.click(app._members, offset=(4, 0))
        assert "message in private" in text_of(app)
        await pilot.press("escape")
        for _ in range(100):
            app._members.scroll_rows(3)
        await pilot.pause()
        assert "n199" in text_of(app)
        assert "more ↓" not in text_of(app)
        app._members.scroll_rows(-3)
        await pilot.pause()
        assert "n199" not in text_of(app)

    shown(model, script, size=(120, 24), settings=settings)


# ── the mouse ──────────────────────────────────────────────────────────────────────────────


def test_a_click_on_the_room_that_is_shown_opens_its_menu():
    model = FakeModel("#one", "#two")

    async def script(pilot, app):
        await pilot.click(offset=(5, 2))
        assert "close and leave the room" in text_of(app)
        await pilot.press("escape")
        await pilot.click(offset=(5, 3), button=3)
        assert "close and leave the room" in text_of(app)
        await pilot.click(app._chooser, offset=(4, 2))

    shown(model, script, size=(100, 24))
    assert [buffer.name for buffer in model.buffers] == ["trio-chat", "#one"]


def test_a_list_scrolls_by_the_wheel():
    async def script(pilot, app):
        await pilot.press("f1")
        assert "Getting started" in text_of(app)
        app._chooser.scroll_rows(12)
        await pilot.pause()
        assert "Getting started" not in text_of(app)

    shown(FakeModel(), script)


def test_every_key_of_the_table_has_something_to_do():
    async def script(pilot, app):
        for action, _ in {*BOUND.values(), *CHOOSING.values()}:
            assert callable(attrgetter(action)(app._controller))

    shown(FakeModel(), script)
