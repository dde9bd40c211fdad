"""What others see of an address depends on the server's key, and outlives a restart with it."""

from pathlib import Path

import pytest
import trio

import trio_chat
from irc_peers import IrcPeer
from trio_chat.settings import HistorySettings, ServerSettings, Settings


async def host_of_a_visitor(settings: Settings) -> str:
    """As a server with these settings shows it, which is started and stopped for that."""
    async with trio.open_nursery() as nursery:
        server = await nursery.start(trio_chat.serve, settings)
        peer = IrcPeer(await trio.open_tcp_stream("127.0.0.1", server.addresses[0].port))
        async with peer.stream:
            await peer.news("NICK al", "USER al 0 * :al")
            (whois,) = [m for m in await peer.messages("WHOIS al") if m.command == "311"]
        server.stop()
    return whois.params[3]


def settings(store: str, key: str = "") -> Settings:
    return Settings(port=0, history=HistorySettings(store=store), server=ServerSettings(key=key))


async def test_a_key_that_was_lost_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    store, key = str(tmp_path / "chat.db"), tmp_path / "key"
    before = await host_of_a_visitor(settings(store))
    assert await host_of_a_visitor(settings(store)) == before
    assert not caplog.records
    key.unlink()
    assert await host_of_a_visitor(settings(store)) != before
    [record] = caplog.records
    assert f"the server's key was not in {key}" in record.getMessage()


async def test_a_history_that_is_missing_beside_its_key_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "chat.db"
    await host_of_a_visitor(settings(str(path)))
    assert not caplog.records
    path.unlink()
    await host_of_a_visitor(settings(str(path)))
    [record] = caplog.records
    assert f"there was no history in {path}" in record.getMessage()
    caplog.clear()
    await host_of_a_visitor(settings(str(path)))
    await host_of_a_visitor(settings("memory:", str(tmp_path / "key")))
    assert not caplog.records


async def test_a_history_that_others_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "chat.db"
    await host_of_a_visitor(settings(str(path)))
    path.chmod(0o644)
    await host_of_a_visitor(settings(str(path)))
    [record] = caplog.records
    assert record.getMessage().endswith(f"may read the history: chmod 600 {path}")


async def test_with_a_file_it_stays_and_without_one_it_is_new_unless_named(tmp_path: Path):
    store, key = str(tmp_path / "chat.db"), str(tmp_path / "key")
    kept = await host_of_a_visitor(settings(store))
    assert kept.endswith(".ip")
    assert await host_of_a_visitor(settings(store)) == kept
    assert await host_of_a_visitor(settings("memory:")) != kept
    assert await host_of_a_visitor(settings("memory:", key)) == kept
