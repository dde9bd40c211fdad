"""The log that servers share, while its engine fails."""

import shutil
from pathlib import Path

import pytest
import trio

from cutting import cutting
from engines import running, until, without_sockets
from stores import append, said, texts
from trio_chat.errors import Unavailable
from trio_chat.storage.shared.log import open_shared
from trio_chat.storage.sqlite.maintenance import Retention

pytestmark = pytest.mark.programs

RETENTION = Retention(seconds=0, per_room=1000, total_bytes=10_000_000)


async def test_what_the_engine_has_lost_before_anybody_saw_it_is_refused(tmp_path: Path) -> None:
    now, old = tmp_path / "redis", tmp_path / "old"
    with running(now, "--appendonly", "yes", "--appendfsync", "always") as server:
        async with (
            cutting(server, "chat") as (cutter, address),
            open_shared(
                tmp_path / "chat.db",
                address,
                "",
                lambda: bytes(32),
                name="",
                lease=20,
                patience=60,
                retention=RETENTION,
                cache_bytes=100_000,
            ) as log,
        ):
            await append(log, said("one"))
            shutil.copytree(now, old, ignore=without_sockets)
            cutter.refuses_reads = True
            async with trio.open_nursery() as nursery:
                refused: list[str] = []

                async def say_in_vain() -> None:
                    with pytest.raises(Unavailable) as caught:
                        await append(log, said("two"))
                    refused.append(str(caught.value))

                nursery.start_soon(say_in_vain)
                await until(lambda: server.redis.xlen("{chat}log") == 2)
                server.kill()
                shutil.rmtree(now)
                shutil.copytree(old, now)
                server.start()
                cutter.refuses_reads = False
                await append(log, said("three"))
            assert refused == ["The engine that the servers share has lost this."]
            assert await texts(log, "#a") == ["one", "three"]
            await append(log, said("four"))
            server.kill()
            server.start()
            await append(log, said("five"))
            assert await texts(log, "#a") == ["one", "three", "four", "five"]
