"""The screen with the real model: what the network tells, as one sees it."""

from screens import shown, text_of, until
from trio_chat.client import requests
from trio_chat.client.model import Model
from trio_chat.core.views import Notice
from trio_chat.protocols.client import (
    Acknowledged,
    InRoom,
    Linked,
    Member,
    Roster,
    Sent,
    Stamped,
)

TIME = "2023-11-15T12:00:00.000Z"


def test_a_short_conversation():
    told = [
        Linked("bob", "trio-chat", frozenset()),
        InRoom("#lobby"),
        Roster("#lobby", (Member("al", "@"), Member("bob"))),
        Stamped("#lobby", "al", "hello bob", msgid="m1", time=TIME),
        Notice("[bold]welcome\x1b[2J"),
    ]
    asked: list[object] = []

    async def network(news, wanted):
        with news, wanted:
            for message in told:
                await news.send(message)
            async for request in wanted:
                asked.append(request)
                match request:
                    case requests.Say(target=target, text=text):
                        await news.send(Sent("t1", target, text))
                        if text == "second":
                            await news.send(Acknowledged("t1", "m2", TIME))
                    case requests.Leave():
                        return

    async def script(pilot, app):
        await until(pilot, lambda: "2 #lobby" in text_of(app))
        await pilot.press("alt+2")
        await until(pilot, lambda: "hello bob" in text_of(app))
        await pilot.press("a", "l", "tab", *"hi", "enter")
        await until(pilot, lambda: "al: hi ⋯" in text_of(app))
        await pilot.press("alt+1")
        assert "[bold]welcome␛[2J" in text_of(app)
        await pilot.press("alt+2", "up")
        assert "❯ al: hi" in text_of(app)
        await pilot.press("ctrl+c", *"/help", "enter")
        await pilot.pause()
        assert "Getting started" in text_of(app)
        await pilot.press("escape", *"/quit", "enter")
        await until(pilot, lambda: app.guest.ended)

    shown(Model("bob"), script, size=(120, 30), network=network)
    assert requests.Say("al: hi", "#lobby") in asked
