"""The screen with the real model: what the network tells, as one sees it."""

from screens import shown, text_of, until
from trio_chat.client import requests
from trio_chat.client.model import Model
from trio_chat.core.views import Notice
from trio_chat.protocols.client import (
    Acknowledged,
    Earlier,
    InRoom,
    Linked,
    Member,
    Roster,
    Sent,
    Stamped,
)
from trio_chat.protocols.irc.info import MISSED

TIME = "2023-11-15T12:00:00.000Z"


def test_what_has_called_us_while_we_were_away_is_in_the_list_once():
    def call(text, msgid, minute):
        time = f"2023-11-15T12:{minute:02}:00.000Z"
        return Stamped("#lobby", "al", text, msgid=msgid, time=time)

    live = call("bob, now", "m3", 3)
    asked: list[object] = []

    async def network(news, wanted):
        with news, wanted:
            for message in (
                Linked("bob", "trio-chat", frozenset({MISSED})),
                InRoom("#lobby"),
                live,
            ):
                await news.send(message)
            async for request in wanted:
                if isinstance(request, requests.Raw):
                    asked.append(request.line)
                    for said in (call("bob, first", "m1", 1), call("ask bob", "m2", 2), live):
                        await news.send(Earlier(said, said.time, calls=True))
                if isinstance(request, requests.Leave):
                    return

    async def script(pilot, app):
        await until(pilot, lambda: "2 #lobby" in text_of(app))
        await pilot.press("f4")
        await until(pilot, lambda: "ask bob" in text_of(app))
        listed = [line.split()[1:] for line in text_of(app).splitlines() if "bob, " in line]
        assert [words[-1] for words in listed] == ["first", "now"]
        await pilot.press("up", "enter")
        assert "PageUp loads what was said before" in text_of(app)
        await pilot.press("escape", *"/quit", "enter")
        await until(pilot, lambda: app.guest.ended)

    shown(model := Model("bob"), script, size=(120, 30), network=network)
    assert asked == ["MENTIONS 100"]
    assert [line.text for line in model.mentions] == ["bob, first", "ask bob", "bob, now"]
    assert model.current.name == "#lobby"
    assert [line.text for line in model.current.lines if line.kind == "said"] == ["bob, now"]


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
