"""Nothing that arrives steers the terminal, is taken for markup, or is seen where it has no place.

The model cleans what comes from the network; here it is as bad as what may still come out of that,
and where the screen itself is the last to clean, as bad as can be.
"""

import re

import pytest

from screens import FakeBuffer, FakeModel, demo_model, rows_of, said, shown, text_of
from trio_chat.client.tui.alerts import Alerts
from trio_chat.client.tui.theme import DARK, LIGHT, PALETTES
from trio_chat.protocols.clean import clean
from trio_chat.protocols.client import Look, Member, Run
from trio_chat.settings import ScreenSettings

HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07\x1b]52;c;aGk=\x07",
    "\x9b31m\x9d0;x\x9c\x90q\x9c",
    "\r\n\x08\x7f\x00\a\t",
    "[bold red]no[/] [@click=app.quit]click[/] [/nope] [link=https://x]x[/link]",
    "\\[a] {x} %s $foreground [$error]",
    "\u202eright to left\u202c \u2066x\u2069 \u200f\u061c",
    "Z" + "\u0301" * 300,
    "\ud800\udfff\ufffe\U000e0041\ufeff",
    "👨‍👩‍👧‍👦" * 200,
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "日" * 1000,
    "https://example.org/" + "a" * 1000,
    "https://example.org/\x1b]8;;evil\x07x",
    " " * 1000,
    "4;3;50",
    "",
]

# What a terminal does with such text is not the person's will.
UNSAFE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")


def hostile_buffer(number: int, text: str) -> FakeBuffer:
    """Its number is seen beside it, and so when the test fails."""
    buffer = FakeBuffer(f"{number} {text}", topic=text)
    buffer.members = {"x": Member(text, prefixes="@")}
    buffer.typing = (text,)
    buffer.lines = [
        said(text, text, kind=kind, why=text, state=state, mention=True, prefix=text[:1])
        for kind in ("said", "action", "notice", "event", "day", "own note")
        for state in ("sent", "pending", "failed")
    ]
    return buffer


@pytest.mark.parametrize("size", [(100, 24), pytest.param((25, 8), marks=pytest.mark.slow)])
def test_every_place_shows_it_as_text(size):
    texts = [clean(text) for text in HOSTILE]
    model = FakeModel()
    model.all += [hostile_buffer(number, text) for number, text in enumerate(texts)]
    model.mentions = [buffer.lines[0] for buffer in model.all[2:]]
    model.candidates = texts

    async def script(pilot, app):
        async def press(*keys):
            for key in keys:
                await pilot.press(key)
                seen = text_of(app)
                assert not UNSAFE.search(seen), key
                assert seen.count("\n") == size[1] - 1, key

        await press("f3")
        for text in texts:
            model.nick = model.network = model.away = model.status = text
            model.linked = not model.linked
            await press("ctrl+n", "pageup", "f4", "escape")
        for keys in (("f5",), ("f6",), ("tab",), ("f7", "enter"), ("f8",), ("ctrl+g",)):
            await press(*keys, "escape")
        await press("ctrl+f", "x")

    shown(model, script, size=size)
    assert model.shown is model.all[-1]


def test_markup_is_read_and_not_done():
    model = FakeModel()
    text = "[bold]x[/bold] [@click=app.quit]y[/] [/nope]"
    model.all[1].topic = text
    model.all[1].lines.append(said("[red]al", text))

    async def script(pilot, app):
        assert text_of(app).count(text) == 2
        assert "[red]al" in text_of(app)
        assert not any("@click" in segment.style.meta for segment in segments(app) if segment.style)

    shown(model, script, size=(120, 24))


def segments(app):
    return [segment for strip in rows_of(app) for segment in strip]


def test_only_what_is_seen_is_linked_and_nothing_else():
    model = FakeModel()
    model.all[1].lines = [
        said("al", clean("https://a.org/\x1b]8;;https://evil.org\x07 javascript:x file:///etc")),
        said("https://nick.org", "x"),
    ]

    async def script(pilot, app):
        links = {segment.style.link for segment in segments(app) if segment.style}
        assert links == {None, "https://a.org/", "https://evil.org"}

    shown(model, script)


@pytest.mark.parametrize("text", HOSTILE)
def test_titles_and_notifications_hold_nothing_but_text(text):
    written: list[str] = []
    for notify in ("osc9", "osc777"):
        alerts = Alerts(
            written.append, lambda: False, title=True, bell=False, notify=notify, environment={}
        )
        alerts.show_title(text, unread=3, calls=0)
        alerts.call(text, text)
    for sequence in written:
        begin, _, body = sequence.partition(";")
        assert begin in ("\x1b]2", "\x1b]9", "\x1b]777")
        assert body.endswith("\x1b\\")
        assert not UNSAFE.search(body.removesuffix("\x1b\\"))
        assert len(body) < 400


def test_the_bell_rings_for_calls_only_and_notifications_when_nobody_looks():
    written: list[str] = []
    looking = True
    alerts = Alerts(
        written.append, lambda: looking, title=False, bell=True, notify="auto",
        environment={"TERM": "rxvt-unicode"},
    )  # fmt: skip
    alerts.show_title("#lobby", unread=0, calls=0)
    alerts.call("al", "bob: hi")
    looking = False
    alerts.call("al", "bob: 4;3;hi")
    assert written == ["\a", "\a", "\x1b]777;notify;trio-chat;al: bob: 4;3;hi\x1b\\"]


# ── colours ────────────────────────────────────────────────────────────────────────────────


def luminance(colour) -> float:
    parts = [part / 255 for part in colour.get_truecolor()]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(style) -> float:
    light, dark = sorted((luminance(style.color), luminance(style.bgcolor)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


_DRAWN = " │─"  # nobody has to read that


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_all_that_is_written_can_be_read(theme):
    model = demo_model()
    nicks = [f"nick{number}" for number in range(60)]  # all colours
    model.all[1].lines += [said(nick, "x", mention=bool(i % 2)) for i, nick in enumerate(nicks)]
    for mention in (False, True):
        runs = tuple(Run(colour, colour + 1, Look(colour=colour)) for colour in range(16))
        model.all[1].lines.append(said("al", "0123456789abcdef", mention=mention, runs=runs))

    async def script(pilot, app):
        for key in (
            "end",
            "f3",
            "f5",
            "escape",
            "f7",
            "enter",
            "escape",
            "ctrl+g",
            "escape",
            "pageup",
            "f1",
        ):
            await pilot.press(key)
            for segment in segments(app):
                if segment.text.strip(_DRAWN):
                    assert contrast(segment.style) >= 4.5, segment

    shown(model, script, size=(130, 40), settings=ScreenSettings(theme=theme))


def test_no_colour_where_none_is_wanted(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")

    async def script(pilot, app):
        colours = {segment.style.color for segment in segments(app) if segment.style}
        assert all(colour is None or colour.is_default for colour in colours)
        [(bold, colour)] = {
            (segment.style.bold, segment.style.color)
            for segment in segments(app)
            if segment.text == "loud"
        }
        assert bold
        assert colour is None or colour.is_default

    model = demo_model()
    look = Look(bold=True, colour=4)
    model.all[1].lines.append(said("al", "not loud", runs=(Run(4, 8, look),)))
    shown(model, script)


def test_a_colour_of_somebodys_has_the_contrast_when_it_is_selected_too():
    for theme in (DARK, LIGHT):
        palette = PALETTES[theme]
        coloured = [palette.look(Look(colour=colour)) for colour in range(16)]
        assert len({style for style in coloured if style.color}) == 12
        for style in coloured:
            if style.color:
                assert contrast(style + palette.selected) >= 4.5, style
