"""Two loops in one thread: what one leaves when the other ends."""

import asyncio
import errno
import gc
import io
import threading

import pytest
import trio
import trio.lowlevel

from screens import DEFAULT, FakeModel, said, shown, silent, until
from trio_chat.client import requests
from trio_chat.client.tui.app import ChatApp
from trio_chat.client.tui.guest import Guest, Writer, cut_without_cycles
from trio_chat.errors import ConnectionLost, ScreenFailed


def test_the_guest_cleans_up_when_the_screen_ends():
    left: list[str] = []

    async def network(news, wanted):
        try:
            await silent(news, wanted)
        finally:
            with trio.CancelScope(shield=True):
                await trio.lowlevel.checkpoint()
                left.append("cleaned up")

    async def script(pilot, app):
        await pilot.press("x")

    shown(FakeModel(), script, network=network)
    assert left == ["cleaned up"]


def test_what_the_guest_raises_comes_out_once_it_is_over():
    async def network(news, wanted):
        with news, wanted:
            raise ConnectionLost("the server has gone")

    async def script(pilot, app):
        await until(pilot, lambda: app.guest.ended)

    app = shown(FakeModel(), script, network=network)
    with pytest.raises(ExceptionGroup) as caught:
        app.result.unwrap()
    assert caught.group_contains(ConnectionLost)


def test_a_mistake_in_the_screen_stops_the_guest_and_prints_nothing(capfd):
    left: list[str] = []

    async def network(news, wanted):
        try:
            await news.send("not a pair")
            await trio.sleep_forever()
        finally:
            left.append("cleaned up")

    async def script(pilot, app):
        await until(pilot, lambda: app.failed is not None)

    with pytest.raises(ValueError, match="unpack"):
        shown(FakeModel(), script, network=network)
    assert left == ["cleaned up"]
    assert capfd.readouterr() == ("", "")


def test_no_task_and_no_thread_remains():
    """trio keeps a daemon thread for a while, for the next who needs one."""

    async def main() -> None:
        app = ChatApp(FakeModel(), silent, DEFAULT)
        async with app.run_test() as pilot:
            await pilot.press("x")
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        assert not others

    asyncio.run(main())
    gc.collect()
    assert [thread for thread in threading.enumerate() if not thread.daemon] == [
        threading.main_thread()
    ]


def test_the_network_waits_while_the_screen_takes_nothing():
    sent = 0

    async def main() -> None:
        nonlocal sent

        async def network(news, wanted):
            nonlocal sent
            with news, wanted:
                while True:
                    await news.send(sent)
                    sent += 1

        woken = asyncio.Event()
        guest = Guest(network, woken.set, lambda: None)
        await woken.wait()
        for _ in range(5000):  # turns of both loops: it would have sent more in them
            await asyncio.sleep(0)
        assert sent == 1001  # a channel full, and the one that has woken us
        assert guest.take() == list(range(500))
        await guest.stop()

    asyncio.run(main())


def test_nobody_takes_what_is_asked_once_the_guest_has_ended():
    async def main() -> None:
        ended = asyncio.Event()

        async def network(news, wanted):
            news.close()
            wanted.close()

        guest = Guest(network, lambda: None, ended.set)
        await ended.wait()
        assert guest.ended
        assert not guest.ask(requests.Leave())

    asyncio.run(main())


def test_an_error_for_people_names_no_text_of_others():
    try:
        raise ExceptionGroup("x", [ValueError("\x1b[2J somebody's message")])
    except ExceptionGroup as group:
        failed = ScreenFailed.of(group)
    assert str(failed) == "the screen failed (ValueError)"


def test_what_scrolls_away_leaves_nothing_for_the_garbage_collector():
    cut_without_cycles()
    model = FakeModel()
    left = 0

    async def script(pilot, app):
        nonlocal left
        await pilot.pause()
        gc.collect()
        gc.disable()
        try:
            for number in range(10):
                model.all[1].lines.append(said("al", f"hello {number}"))
                app._draw()
                await pilot.pause()
            left = gc.collect()
        finally:
            gc.enable()

    shown(model, script)
    assert left < 100  # one row of one frame is about 20


class Gone(io.StringIO):
    """A terminal whose window is closed."""

    def write(self, text):
        raise OSError(errno.EIO, "gone")


def test_whoever_writes_where_no_terminal_is_need_not_wait():
    writer = Writer(Gone())
    writer.start()
    for _ in range(100):  # more than its queue takes
        writer.write("x")
    writer.stop()
    assert not writer.is_alive()
