"""The whole screen, compared with what somebody has looked at and found good.

Below the text is how it looks: a letter for each way in which cells look, and what it stands for.
If it is to look different, delete the pictures, run the test twice, and look at what it has drawn.
"""

from pathlib import Path
from string import ascii_letters

import pytest
from rich.style import Style

from screens import demo_model, rows_of, shown, text_of
from trio_chat.settings import ScreenSettings

PICTURES = Path(__file__).parent / "pictures"


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("keys", ["log", "f1", "f4", "f7", "ctrl+f"])
@pytest.mark.parametrize(
    "size", [(80, 24), (200, 50), (40, 15)], ids=lambda size: "x".join(map(str, size))
)
def test_it_looks_as_it_should(size, keys, theme):
    model = demo_model()
    model.mentions = [line for line in model.all[1].lines if line.mention]
    drawn = ""

    async def script(pilot, app):
        nonlocal drawn
        if keys != "log":
            await pilot.press(keys)
        if keys == "ctrl+f":
            await pilot.press("t")
        await pilot.pause()
        drawn = f"{text_of(app)}\n\n{looks_of(app)}\n"

    shown(model, script, size=size, settings=ScreenSettings(theme=theme))
    picture = PICTURES / f"{'x'.join(map(str, size))}-{keys}-{theme}.txt"
    if not picture.exists():
        picture.write_text(drawn)
        pytest.fail(f"{picture.name} is new: look at it")
    assert drawn == picture.read_text()


def looks_of(app) -> str:
    letters: dict[str, str] = {}
    rows = []
    for strip in rows_of(app):
        row = ""
        for text, style, _ in strip:
            look = look_of(style or Style())
            row += letters.setdefault(look, ascii_letters[len(letters)]) * len(text)
        rows.append(row)
    return "\n".join([*rows, "", *(f"{letter}: {look}" for look, letter in letters.items())])


def look_of(style: Style) -> str:
    """Without links, whose ids are Rich's."""
    return str(style.update_link(None))
