"""What one sees and does on the screen, with a model that does as it is told."""

import re

import pytest
import trio
from textual import events

from screens import FakeModel, burst, demo_model, said, shown, silent, text_of, until
from trio_chat.client import requests
from trio_chat.client.tui.app import ChatApp
from trio_chat.settings import ScreenSettings


def texts(model: FakeModel) -> list[str]:
    return [text for _, text in model.sent]


# ── keys ───────────────────────────────────────────────────────────────────────────────────


def test_keys_of_a_burst_are_done_in_their_order():
    """Nothing but events in a row shows it: a pilot waits after each key."""
    model = FakeModel("#one", "#two")

    async def script(pilot, app):
        burst(app, [*"ab", "enter", *"cd", "enter", *"xy", "backspace", *"z", "enter"])
        burst(app, ["w", "left", "v", "enter", "alt+3", *"hi", "enter", "ctrl+p", "u", "enter"])
        await pilot.pause()

    shown(model, script)
    assert texts(model) == ["ab", "cd", "xz", "vw", "hi", "u"]
    assert [target for target, _ in model.sent] == ["#one"] * 4 + ["#two", "#one"]


def test_a_draft_stays_also_when_the_network_shows_another_room():
    model = FakeModel("#one", "#two")

    joined = trio.Event()

    async def network(news, wanted):
        await joined.wait()
        model.shown = model.all[2]
        await news.send(("#two", said("al", "welcome"), ""))
        await silent(news, wanted)

    async def script(pilot, app):
        await pilot.press(*"for one")
        joined.set()
        await until(pilot, lambda: "welcome" in text_of(app))
        assert "for one" not in text_of(app)
        await pilot.press("ctrl+p")
        assert "❯ for one" in text_of(app)

    shown(model, script, network=network)


@pytest.mark.parametrize("keys", [[*"/login bob"], [*"hello", "enter"]])
def test_what_was_begun_before_there_was_a_room_goes_along(keys):
    """Also a text that was entered too early: nobody could have read it."""
    begun = "".join(keys).removesuffix("enter")
    model = FakeModel("#one")
    model.shown = model.all[0]
    joined = trio.Event()

    async def network(news, wanted):
        await joined.wait()
        model.shown = model.all[1]
        await news.send(("#one", said("al", "welcome"), ""))
        await silent(news, wanted)

    async def script(pilot, app):
        await pilot.press(*keys)
        joined.set()
        await until(pilot, lambda: "welcome" in text_of(app))
        assert f"❯ {begun}" in text_of(app)
        assert "nobody can read that" not in text_of(app)

    shown(model, script, network=network)


def test_what_is_being_written_is_known_as_it_is_written_and_there_at_the_start():
    """So it is there the next time, however this one ends."""
    model = demo_model()
    lobby, python = model.all[1:3]
    lobby.draft = "hel", 3

    async def script(pilot, app):
        assert "❯ hel" in text_of(app)
        await pilot.press("l", "o")
        assert lobby.draft == ("hello", 5)
        await pilot.press("ctrl+f", "x")
        assert lobby.draft == ("hello", 5)
        await pilot.press("escape", "alt+3")
        app.post_message(events.Paste("two\nlines"))
        await pilot.pause()
        assert (lobby.draft, python.draft) == (("hello", 5), ("two\nlines", 9))
        await pilot.press("enter", "alt+2", "ctrl+c")
        assert (lobby.draft, python.draft) == (("", 0), ("", 0))

    shown(model, script)


def test_nothing_is_taken_that_cannot_be_sent():
    model = FakeModel()

    async def network(news, wanted):
        await trio.sleep_forever()

    async def script(pilot, app):
        for _ in range(5001):
            app.guest.ask(requests.Say("x", "#lobby"))
        await pilot.press(*"keep me", "enter")
        assert "❯ keep me" in text_of(app)
        assert "waiting to be sent" in text_of(app)

    shown(model, script, network=network)
    assert not model.sent


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        (["alt+1"], "trio-chat"),
        (["alt+4"], "#three"),
        (["alt+9"], "#one"),
        (["alt+right", "alt+down", "ctrl+n"], "trio-chat"),
        (["alt+left", "alt+up", "ctrl+p"], "#two"),
        (["alt+a"], "#three"),
        (["alt+a", "alt+a"], "#two"),
    ],
)
def test_ways_to_another_room(keys, name):
    model = FakeModel("#one", "#two", "#three")
    model.all[2].news = 5
    model.all[3].news = model.all[3].mentions = 1

    async def script(pilot, app):
        await pilot.press(*keys)

    shown(model, script)
    assert model.current.name == name


def test_control_c_clears_the_line_and_twice_quits():
    model = FakeModel()
    asked: list[object] = []

    async def network(news, wanted):
        with news, wanted:
            async for request in wanted:
                asked.append(request)
                if isinstance(request, requests.Leave):
                    return

    async def script(pilot, app):
        await pilot.press(*"abc", "ctrl+c")
        assert "❯ abc" not in text_of(app)
        await pilot.press("ctrl+c")
        assert "again to quit" in text_of(app)
        await pilot.press("x", "ctrl+c", "ctrl+c")
        assert "again to quit" in text_of(app)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: app.guest.ended)

    shown(model, script, network=network)
    assert asked == [requests.Leave("")]


def test_quit_waits_for_the_goodbye_and_says_the_last_words():
    model = FakeModel()
    wanted_of: list[object] = []

    async def network(news, wanted):
        with news, wanted:
            wanted_of.append(await wanted.receive())

    async def script(pilot, app):
        await pilot.press(*"/quit bye", "enter")
        await until(pilot, lambda: app.guest.ended)

    app = shown(model, script, network=network)
    assert wanted_of == [requests.Leave("bye")]
    app.result.unwrap()


def test_tab_goes_through_the_candidates_and_back_to_the_word():
    model = FakeModel()
    model.candidates = ("alice: ", "alina: ")

    async def script(pilot, app):
        await pilot.press("a", "l")
        for expected in ("alice:", "alina:", "al", "alice:"):
            await pilot.press("tab")
            assert f"❯ {expected}" in text_of(app).splitlines()
        await pilot.press("shift+tab", *"!", "enter")

    shown(model, script)
    assert texts(model) == ["al!"]


def test_what_was_sent_comes_again_by_up_and_down():
    model = FakeModel()

    async def script(pilot, app):
        await pilot.press(*"one", "enter", "up")
        assert "❯ one" in text_of(app)
        await pilot.press("down")
        assert "❯ one" not in text_of(app)

    shown(model, script)


# ── pasting ────────────────────────────────────────────────────────────────────────────────


def test_pasted_lines_are_shown_and_asked_about():
    model = FakeModel()

    async def script(pilot, app):
        await pilot.press(*"x ")
        app.post_message(events.Paste("one\r\ntwo\tthree\x1b[2J\n\nfour\n"))
        await pilot.pause()
        assert "❯ x one\n  two    three␛[2J\n\n  four" in text_of(app)
        assert "Enter sends 3 messages" in text_of(app)
        await pilot.press("escape")
        assert "❯ x\n" in text_of(app) + "\n"
        app.post_message(events.Paste("one\ntwo"))
        await pilot.pause()
        await pilot.press("enter")

    shown(model, script)
    assert texts(model) == ["x one", "two"]


def test_a_paste_of_one_line_is_just_text():
    model = FakeModel()

    async def script(pilot, app):
        app.post_message(events.Paste("one\n"))
        await pilot.pause()
        assert "Enter sends" not in text_of(app)
        await pilot.press("enter")

    shown(model, script)
    assert texts(model) == ["one"]


def test_a_long_paste_leaves_place_for_the_log():
    model = FakeModel()
    model.all[1].lines.append(said("al", "still seen"))

    async def script(pilot, app):
        app.post_message(events.Paste("\n".join(f"line {i}" for i in range(1000))))
        await pilot.pause()
        assert "still seen" in text_of(app)
        assert "line 999" in text_of(app)
        assert "1,000 lines are too many" in text_of(app)

    shown(model, script)


def test_what_is_too_long_is_kept_and_not_sent():
    model = FakeModel()

    async def script(pilot, app):
        app.post_message(events.Paste("\n".join(f"line {i}" for i in range(501))))
        await pilot.press("enter")
        assert "501 lines are too many (at most 500)" in text_of(app)
        await pilot.press("backspace", *["backspace"] * 7, "enter")

    shown(model, script)
    assert len([text for text in texts(model) if text]) == 500


# ── the log ────────────────────────────────────────────────────────────────────────────────


def full(count: int = 200) -> FakeModel:
    model = FakeModel()
    model.all[1].lines = [said("al", f"message {i}") for i in range(count)]
    return model


def test_it_follows_until_somebody_scrolls_and_again_at_the_end():
    model = full()

    async def script(pilot, app):
        await pilot.press("pageup")
        assert "message 199" not in text_of(app)
        assert "more below" in text_of(app)
        await pilot.press("pagedown")
        assert "message 199" in text_of(app)
        assert "more below" not in text_of(app)

    shown(model, script)


def test_the_top_asks_for_more():
    model = full()

    async def script(pilot, app):
        await pilot.press("pageup")
        assert not model.asked_older
        await pilot.press("home")
        assert "message 0" in text_of(app)
        await pilot.pause()

    shown(model, script)
    assert model.asked_older


def test_fifty_thousand_lines_page_up():
    model = full(50_000)

    async def script(pilot, app):
        for _ in range(5):
            await pilot.press("pageup")
        assert "message 49899" in text_of(app)
        await pilot.press("home")
        assert "message 0" in text_of(app)
        await pilot.resize_terminal(50, 20)
        await pilot.pause()
        assert "message 0" in text_of(app)

    shown(model, script)


def test_each_room_is_where_it_was_left():
    model = full()
    model.all[0].lines = [said("", "welcome")]

    async def script(pilot, app):
        await pilot.press("pageup")
        before = text_of(app)
        await pilot.press("ctrl+p")
        assert "welcome" in text_of(app)
        await pilot.press("ctrl+n")
        assert text_of(app) == before

    shown(model, script)


def test_a_line_that_was_pending_is_shown_as_sent():
    model = FakeModel()
    line = said("bob", "hello", own=True, state="pending")
    model.all[1].lines.append(line)

    async def script(pilot, app):
        assert "hello ⋯" in text_of(app)
        line.state = "failed"
        line.why = "you are muted"
        await pilot.press("x")
        assert "hello ✗ you are muted" in text_of(app)
        await pilot.press("ctrl+r")
        assert "hello ⋯" in text_of(app)

    shown(model, script)


# ── lists ──────────────────────────────────────────────────────────────────────────────────


def test_search_finds_and_shows():
    model = full()

    async def script(pilot, app):
        await pilot.press(*"half", "ctrl+f", *"message 17")
        assert "search ❯ message 17" in text_of(app)
        assert "message 179" in text_of(app)
        await pilot.press(*"1", "enter")
        assert "message 171" in text_of(app)
        assert "message 170" in text_of(app)
        assert "❯ half" in text_of(app)

    shown(model, script)


def test_who_has_called_is_listed_and_shown_where_it_was():
    model = full()
    line = said("al", "bob: look", mention=True)
    model.all[0].lines = [line]
    model.mentions = [line]

    async def script(pilot, app):
        await pilot.press("f4")
        assert "bob: look" in text_of(app)
        await pilot.press("enter")

    shown(model, script)
    assert model.current is model.all[0]


def test_messages_and_links_are_copied():
    model = FakeModel()
    model.all[1].lines = [said("al", "see https://a.org/x, and"), said("al", "more")]

    async def script(pilot, app):
        await pilot.press("f5", "up", "enter")
        assert app.clipboard == "see https://a.org/x, and"
        await pilot.press("f6", "enter")
        assert app.clipboard == "https://a.org/x"

    shown(model, script)


def test_a_message_is_chosen_and_removed_once_a_reason_may_have_been_written():
    model = FakeModel()
    model.caps = frozenset({"draft/message-redaction"})
    spam, more = said("al", "BUY"), said("al", "more")
    model.all[1].lines = [spam, more]

    async def script(pilot, app):
        await pilot.press("f9")
        await pilot.press("up", "enter")
        assert "Enter removes what al said" in text_of(app)
        await pilot.press(*"spam", "enter")

    shown(model, script)
    assert texts(model) == [f"/remove {spam.id} spam"]


def test_what_others_have_said_can_be_reported_instead():
    model = FakeModel()
    model.caps = frozenset({"draft/message-redaction", "trio-chat/identity"})
    spam, own = said("al", "BUY"), said("bob", "hi", own=True)
    model.all[1].lines = [spam, own]

    async def script(pilot, app):
        await pilot.press("f9", "enter")
        assert "Enter removes what bob said" in text_of(app)
        await pilot.press("ctrl+c", "f9", "up", "enter", "enter")
        assert "Enter shows the operators what al said" in text_of(app)
        await pilot.press(*"spam", "enter", "f9", "up", "enter")
        assert "report it" in text_of(app)
        assert "remove it" not in text_of(app)  # only operators of the room or the server may
        model.rules = True
        await pilot.press("escape", "f9", "up", "enter", "enter")
        assert "Enter removes what al said" in text_of(app)

    shown(model, script)
    assert texts(model) == [f"/report {spam.id} spam"]


def test_where_nothing_can_be_removed_no_message_can_be_chosen():
    model = FakeModel()
    model.all[1].lines = [said("al", "BUY")]

    async def script(pilot, app):
        await pilot.press("f9")
        assert "messages cannot be removed here" in text_of(app)

    shown(model, script)


# ── sizes and colours ──────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("height", [1, 6, 24])
def test_any_size_will_do(height):
    model = demo_model()

    async def script(pilot, app):
        for width in [1, 2, 20, 40, 70, 100, 300, 1]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            await pilot.press("a", "pageup", "f1", "escape", "end")
            rows = text_of(app).split("\n")
            assert len(rows) == height

    shown(model, script)


def test_lists_fold_away_when_it_is_narrow_and_by_key():
    model = demo_model()

    async def script(pilot, app):
        assert "3 #python" in text_of(app)
        await pilot.resize_terminal(40, 24)
        await pilot.pause()
        assert "#python" not in text_of(app)
        assert "5:@2" in text_of(app)
        await pilot.press("f2")
        await pilot.pause()
        assert "3 #python" in text_of(app)

    shown(model, script, size=(100, 24))


def test_a_small_terminal_leaves_fifty_cells_for_what_is_said():
    model = demo_model()
    model.all[1].lines.append(said("al", "x" * 500))

    async def script(pilot, app):
        for columns in (80, 91, 92, 100, 115, 116, 120, 200):
            await pilot.resize_terminal(columns, 24)
            await pilot.pause()
            assert max(map(len, re.findall("x+", text_of(app)))) >= 50, columns
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "5:alice @2  3:#python 12" in text_of(app)

    shown(model, script)


def test_the_numbers_of_many_rooms_are_whole():
    model = FakeModel(*(f"#room{number}" for number in range(2, 121)))
    model.shown = model.all[-1]

    async def script(pilot, app):
        assert "120 #room120" in text_of(app)

    shown(model, script, size=(120, 24))


@pytest.mark.parametrize("theme", ["dark", "light", "terminal"])
def test_themes_go_round(theme):
    seen: list[str] = []

    async def script(pilot, app):
        for _ in range(4):
            seen.append(app.theme)
            await pilot.press("ctrl+t")

    shown(demo_model(), script, settings=ScreenSettings(theme=theme))
    assert seen[0] == seen[3]
    assert len(set(seen)) == 3


def test_the_mouse_is_the_terminals_again_and_again_ours(monkeypatch):
    seen: list[bool] = []
    monkeypatch.setattr(ChatApp, "use_mouse", lambda self, on: seen.append(on))

    async def script(pilot, app):
        await pilot.press("alt+m")
        assert "the mouse clicks here" in text_of(app)
        await pilot.press("alt+m")

    shown(FakeModel(), script)
    assert seen == [True, False]


# ── messages ───────────────────────────────────────────────────────────────────────────────


def test_whatever_the_network_tells_is_shown():
    model = FakeModel()

    async def network(news, wanted):
        with news, wanted:
            for number in range(3000):  # more than there is a place for at a time
                await news.send(("#lobby", said("al", f"message {number}"), ""))
            async for _ in wanted:
                return

    async def script(pilot, app):
        await until(pilot, lambda: "message 2999" in text_of(app))
        await pilot.press("x", "enter")
        await until(pilot, lambda: app.guest.ended)

    shown(model, script, network=network)
    assert len(model.all[1].lines) == 3000
    assert model.sent == [("#lobby", "x")]


def test_calls_of_one_frame_ring_once(monkeypatch):
    written: list[str] = []
    monkeypatch.setattr(ChatApp, "write_to_terminal", lambda self, text: written.append(text))
    told = [("#lobby", said("al", f"bob: {i}", mention=True), "mention") for i in range(20)]

    async def network(news, wanted):
        for message in [*told, ("#lobby", said("al", "the end"), "")]:
            news.send_nowait(message)  # so that all are there when the screen takes them
        await silent(news, wanted)

    model = FakeModel()

    async def script(pilot, app):
        await until(pilot, lambda: "the end" in text_of(app))

    shown(model, script, network=network)
    assert written.count("\a") == 1


def test_what_is_selected_by_the_mouse_is_copied_by_control_c():
    model = FakeModel()
    model.all[1].lines = [said("al", "take this with you")]

    async def script(pilot, app):
        row = (
            text_of(app).split("\n").index(next(r for r in text_of(app).split("\n") if "take" in r))
        )
        column = text_of(app).split("\n")[row].index("take")
        await pilot.mouse_down(offset=(column, row))
        await pilot.hover(offset=(column + 8, row))
        await pilot.mouse_up(offset=(column + 8, row))
        await pilot.press("ctrl+c")
        assert app.clipboard.startswith("take thi")
        await pilot.press("ctrl+c")
        assert "again to quit" in text_of(app)

    shown(model, script, settings=ScreenSettings(mouse=True))


def test_a_click_on_a_room_goes_there():
    model = FakeModel("#one", "#two")

    async def script(pilot, app):
        await pilot.click(offset=(5, 3))
        await pilot.click(offset=(5, 9))

    shown(model, script, size=(100, 24))
    assert model.current.name == "#two"


def test_the_wheel_scrolls():
    model = full()

    async def script(pilot, app):
        app._messages.post_message(wheel(events.MouseScrollUp))
        await pilot.pause()
        assert "message 196" in text_of(app)
        assert "message 197" not in text_of(app)
        app._messages.post_message(wheel(events.MouseScrollDown))
        await pilot.pause()
        assert "message 199" in text_of(app)

    shown(model, script)


def wheel(event: type[events.MouseEvent]) -> events.MouseEvent:
    return event(
        widget=None, x=30, y=5, delta_x=0, delta_y=0, button=0, shift=False, meta=False, ctrl=False
    )
