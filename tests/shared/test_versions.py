"""Nodes of two versions share an order: what one does not know, it passes over."""

from pathlib import Path

import pytest

from stores import append, said, shared_log, take
from trio_chat.core.events import Unknown
from trio_chat.storage.shared.log import SharedLog
from trio_chat.storage.shared.records import Append

pytestmark = pytest.mark.programs


async def test_what_is_judged_after_something_unknown_is_judged_after_it(tmp_path: Path) -> None:
    async with shared_log(lambda: 0, tmp_path / "chat.db") as log:
        assert isinstance(log, SharedLog)
        [id] = await append(log, said("before"))
        record = b'{"event": "[\\"Later\\", {}]", "new": true}'
        [place] = await log._order.place(Append("#a", [("", record)], barrier=True))
        await append(log, said("after"), expect=place.id)
        before, unknown, after = await take(log, 3)
        assert (before.id, unknown.id, unknown.event) == (id, place.id, Unknown("#a"))
        assert await log.history("#a") == [before, after]
