"""The whole screen, compared with what somebody has looked at and found good.

If it is to look different, delete the picture, run the test twice, and look at what it has drawn.
"""

from pathlib import Path

import pytest

from screens import demo_model, shown, text_of

PICTURES = Path(__file__).parent / "pictures"


@pytest.mark.parametrize("keys", ["log", "f1", "f4", "ctrl+f"])
@pytest.mark.parametrize(
    "size", [(80, 24), (200, 50), (40, 15)], ids=lambda size: "x".join(map(str, size))
)
def test_it_looks_as_it_should(size, keys):
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
        drawn = text_of(app) + "\n"

    shown(model, script, size=size)
    picture = PICTURES / f"{'x'.join(map(str, size))}-{keys}.txt"
    if not picture.exists():
        picture.write_text(drawn)
        pytest.fail(f"{picture.name} is new: look at it")
    assert drawn == picture.read_text()
