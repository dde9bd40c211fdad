"""What is on the screen is what would be there if all were painted anew: nothing that can be seen
changes without being repainted.
"""

from dataclasses import fields
from typing import get_type_hints

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from textual.strip import Strip

from news import NOON, messages
from screens import demo_model, said, shown, text_of, until
from trio_chat.client import requests
from trio_chat.client.model import Line, Model
from trio_chat.client.tui.app import ChatApp
from trio_chat.client.tui.log import MessageLog
from trio_chat.client.tui.pane import Pane
from trio_chat.core.events import Joined, Left
from trio_chat.protocols.client import InRoom, Linked, Look, Member, Message, Roster, Run

OTHER = {
    str: lambda value: "failed" if value == "sent" else f"{value}x",
    int: lambda value: value + 1,
    float: lambda value: value + 3600,
    bool: lambda value: not value,
    tuple: lambda value: (*value, Run(0, 1, Look(bold=True))),
}


def seen(app: ChatApp) -> dict[str, list[Strip]]:
    return {type(pane).__name__: list(pane._strips) for pane in app.query(Pane) if pane.display}


def anew(app: ChatApp) -> dict[str, list[Strip]]:
    app.query_one(MessageLog)._cache.clear()
    app._draw()
    return seen(app)


@pytest.mark.parametrize("field", [field.name for field in fields(Line)])
@pytest.mark.parametrize("kind", ["said", "event"])
def test_a_line_is_repainted_whichever_part_of_it_changes(field: str, kind: str) -> None:
    model = demo_model()
    line = said("al", "before", kind=kind)
    model.all[1].lines.append(line)

    async def script(pilot, app):
        app._draw()
        before = getattr(line, field)
        setattr(line, field, "notice" if field == "kind" else OTHER[type(before)](before))
        app._draw()
        assert seen(app) == anew(app)

    shown(model, script)


def test_each_field_of_a_line_has_a_type_that_can_be_changed_here() -> None:
    kinds = get_type_hints(Line)
    line = said("al", "x")
    assert all(type(getattr(line, name)) in OTHER for name in kinds)


def tell(app: ChatApp, model: Model, message: Message) -> None:
    """Draw as the app does."""
    model.update(message, NOON)
    app._controller.follow()
    app._draw()


@pytest.mark.slow
@hypothesis_settings(max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(news=st.lists(messages, min_size=40, max_size=80), where=st.integers(0, 3))
def test_whatever_is_told_what_is_seen_is_what_there_is(news, where):
    model = Model("me")

    async def script(pilot, app):
        begun = [Linked("me", "net", frozenset()), InRoom("#a"), InRoom("#b")]
        for message in [*begun, *news]:
            tell(app, model, message)
            assert seen(app) == anew(app), message
        model.select(model.buffers[where % len(model.buffers)], NOON)
        app._draw()
        assert seen(app) == anew(app)

    shown(model, script, size=(130, 30))


def test_the_line_of_those_who_come_and_go_tells_of_each():
    model = Model("me")

    async def network(news, wanted):
        with news, wanted:
            await news.send(Linked("me", "net", frozenset()))
            await news.send(InRoom("#a"))
            await news.send(Roster("#a", (Member("me"),)))
            await news.send(Joined("#a", "anna"))
            async for request in wanted:
                match request:
                    case requests.Say(text="1"):
                        await news.send(Joined("#a", "bert"))
                    case requests.Say(text="2"):
                        await news.send(Left("#a", "anna"))

    async def script(pilot, app):
        await until(pilot, lambda: "anna joined" in text_of(app))
        await pilot.press("1", "enter")
        await until(pilot, lambda: "anna, bert joined" in text_of(app))
        await pilot.press("2", "enter")
        await until(pilot, lambda: "bert joined; anna came and went" in text_of(app))

    shown(model, script, network=network)


def test_the_wheel_changes_also_what_the_bar_tells():
    model = demo_model()

    async def script(pilot, app):
        assert "more below" not in text_of(app)
        app.query_one(MessageLog).scroll_rows(-3)
        await pilot.pause()
        assert "more below" in text_of(app)

    shown(model, script, size=(80, 16))
