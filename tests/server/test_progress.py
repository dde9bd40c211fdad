"""How far all has been shown, and who goes on when."""

import pytest
import trio
import trio.testing

from trio_chat.server.progress import Progress
from trio_chat.storage.base import START


class Scheduled(trio.abc.Instrument):
    """The names of the tasks that are woken."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        self.names.append(task.name)


async def test_each_goes_on_when_its_own_has_been_shown_and_is_not_woken_before() -> None:
    progress, gone_on = Progress(), list[str]()

    async def wait(id: str) -> None:
        await progress.until_shown(id)
        gone_on.append(id)

    async with trio.open_nursery() as nursery:
        for id in ("3", "1", "2", "1"):
            nursery.start_soon(wait, id, name=id)
        await trio.testing.wait_all_tasks_blocked()
        scheduled = Scheduled()
        trio.lowlevel.add_instrument(scheduled)
        progress.shown("1")
        await trio.testing.wait_all_tasks_blocked()
        trio.lowlevel.remove_instrument(scheduled)
        assert gone_on == ["1", "1"]
        assert not {"2", "3"} & {*scheduled.names}
        progress.shown("5")
    assert sorted(gone_on) == ["1", "1", "2", "3"]


async def test_who_does_not_wait_any_more_keeps_nobody_back() -> None:
    progress = Progress()
    with trio.move_on_after(0):
        await progress.until_shown("1")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(progress.until_shown, "1")
        nursery.start_soon(progress.until_more)
        await trio.testing.wait_all_tasks_blocked()
        progress.shown("1")


async def test_when_nothing_is_shown_any_more_all_who_wait_are_told() -> None:
    progress, told = Progress(), list[str]()

    async def wait(id: str) -> None:
        with pytest.raises(trio.BrokenResourceError):
            await progress.until_shown(id)
        told.append(id)

    progress.shown("1")
    async with trio.open_nursery() as nursery:
        for id in ("2", "3"):
            nursery.start_soon(wait, id)
        await trio.testing.wait_all_tasks_blocked()
        progress.end()
    await wait("4")
    assert sorted(told) == ["2", "3", "4"]
    for id in (START, "1"):
        await progress.until_shown(id)
