"""The ways to an engine: TLS, users with the least rights, Sentinels; and what is said of it."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import trio

from certificates import authority, issue
from engines import (
    RedisServer,
    Sentinel,
    free_ports,
    fresh,
    lone,
    node,
    running,
    started,
    take,
    texts,
    until,
)
from trio_chat.errors import CannotOpenStore, SettingsError
from trio_chat.settings.engine import parse

pytestmark = pytest.mark.programs

PACKAGE = "trio_chat.storage.shared"


async def test_tls_with_authorities_of_ones_own(tmp_path: Path) -> None:
    issued, ca = issue(tmp_path / "tls", "localhost"), tmp_path / "ca.pem"
    authority().cert_pem.write_to_path(str(ca))
    [port] = free_ports(1)
    options = ("--tls-port", str(port), "--tls-auth-clients", "no")
    options += ("--tls-cert-file", str(issued.certificate), "--tls-key-file", str(issued.key))
    options += ("--tls-ca-cert-file", str(ca))
    with running(tmp_path, *options):
        async with node(parse(f"rediss://localhost:{port}/chat?ca={ca}")) as order:
            await order.place(lone("hello"))
            assert texts(await take(order.entries("0"), 1)) == ["hello"]
        for address, why in (
            (f"rediss://localhost:{port}/chat", "CERTIFICATE_VERIFY_FAILED"),
            (f"rediss://127.0.0.1:{port}/chat?ca={ca}", "IP address mismatch"),
        ):
            with pytest.raises(CannotOpenStore, match=why):
                async with node(parse(address), patience=1):
                    raise AssertionError


def rights(name: str = "NAME") -> list[str]:
    """The rights that the functions' text says are enough for the user of a chat."""
    text = files(PACKAGE).joinpath("order.lua").read_text()
    [found] = re.findall(r"^--   (~\{NAME\}.*\n(?:--   .*\n)*)", text, re.M)
    return found.replace("--", "").replace("NAME", name).split()


RIGHTS = rights()


def cut(engine: RedisServer, user: str, name: str, without: str = "") -> None:
    given = [right for right in rights(name) if right != without]
    engine.redis.execute_command("ACL", "SETUSER", user, "reset", "on", ">secret", *given)


async def test_user_with_the_least_rights(engine: RedisServer) -> None:
    address = fresh(engine)
    name = address.name
    cut(engine, "least", name)
    engine.redis.function_flush()  # it may load them
    mine = parse(f"unix:least@{engine.path}?{name}")
    async with node(mine, password="secret", lease=0.2) as order:
        await order.place(lone("hello", token="t", barrier=True))
        assert texts(await take(order.entries("0"), 1)) == ["hello"]
        await order.save("1", b"state")
        assert await order.load() == ("1", b"state")
        await until(lambda: bool(order.nodes))
        await order.cleared("other")
        await order.leave()


@pytest.mark.parametrize("right", [right for right in RIGHTS if right.startswith("+")])
async def test_right_that_is_missing_is_named_at_once(right: str, engine: RedisServer) -> None:
    """Even one that is needed only later, or by another connection."""
    chat = fresh(engine).name
    cut(engine, "less", chat, without=right)
    address = parse(f"unix:less@{engine.path}?{chat}")
    with trio.fail_after(60), pytest.raises(SettingsError) as refused:
        async with node(address, password="secret", patience=1000):
            raise AssertionError
    [told] = re.findall(r"it lacks \+(.*)|run the '(.*)'", str(refused.value))
    assert right[1:] in told
    assert str(refused.value).startswith("nodes.through: ")


async def test_user_of_another_chat(engine: RedisServer) -> None:
    cut(engine, "least", fresh(engine).name)
    other = parse(f"unix:least@{engine.path}?other")
    with trio.fail_after(60), pytest.raises(SettingsError, match=r"^nodes.through: .*permission"):
        async with node(other, password="secret", patience=1000):
            raise AssertionError


def test_page_tells_the_least_rights() -> None:
    page = (Path(__file__).parents[2] / "docs" / "nodes.md").read_text()
    [line] = re.findall(r"ACL SETUSER .*", page)
    assert line.split()[5:] == rights("chat")


def test_all_rights_are_used() -> None:
    text = files(PACKAGE).joinpath("order.lua").read_text()
    called = {name.lower() for name in re.findall(r"redis\.call\('([A-Z]+)'", text)}
    given = {right[1:] for right in rights("chat") if right.startswith("+")}
    assert given == called | {"fcall", "function|load", "xread", "info"}


async def test_wrong_password(engine: RedisServer) -> None:
    cut(engine, "strict", "chat")
    address = parse(f"unix:strict@{engine.path}?chat")
    with trio.fail_after(60), pytest.raises(SettingsError, match="invalid username-password pair"):
        async with node(address, password="no", patience=1000):
            raise AssertionError


async def test_sentinels_tell_of_the_one_that_has_taken_over(tmp_path: Path) -> None:
    first, second, port, nowhere = free_ports(4)
    common = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
    replica = ("--port", str(second), "--replicaof", "127.0.0.1", str(first))
    with (
        running(tmp_path / "a", *common, "--port", str(first)) as primary,
        running(tmp_path / "b", *common, *replica) as other,
        started(Sentinel(tmp_path, port, first)),
    ):
        await until(lambda: other.redis.info("replication")["master_link_status"] == "up")
        address = parse(f"sentinel://127.0.0.1:{nowhere},127.0.0.1:{port}/main/chat")
        async with node(address, patience=60) as order:
            reading = order.entries("0")
            await order.place(lone("before"))
            assert texts(await take(reading, 1)) == ["before"]
            await until(lambda: other.redis.xlen("{chat}log") == 1)
            primary.kill()
            await order.place(lone("after"))
            assert texts(await take(reading, 1)) == ["after"]
        assert other.redis.xlen("{chat}log") == 2
        primary.start()  # for what ends it


async def test_what_a_fail_over_loses_is_given_back(tmp_path: Path) -> None:
    first, second, port = free_ports(3)
    common = ("--appendonly", "yes", "--repl-diskless-sync-delay", "0")
    replica = ("--port", str(second), "--replicaof", "127.0.0.1", str(first))
    with (
        running(tmp_path / "a", *common, "--port", str(first)) as primary,
        running(tmp_path / "b", *common, *replica) as other,
        started(Sentinel(tmp_path, port, first)),
    ):
        address = parse(f"sentinel://127.0.0.1:{port}/main/chat")
        async with node(address, patience=60) as one, node(address, patience=60) as two:
            readings = [order.entries("0") for order in (one, two)]
            await one.place(lone("before"))
            seen = [[*await take(reading, 1)] for reading in readings]
            await until(lambda: other.redis.xlen("{chat}log") == 1)
            primary.redis.config_set("requirepass", "which the replica does not have")
            primary.redis.execute_command("CLIENT", "KILL", "TYPE", "replica")
            lost = await two.place(lone("lost", token="t", barrier=True))
            for all_seen, reading in zip(seen, readings, strict=True):
                all_seen += await take(reading, 1)
            primary.kill()
            [again] = await one.place(lone("lost", token="t", expect=lost[0].id))
            assert (again.id, again.found) == (lost[0].id, True)
            await one.place(lone("after", expect=again.id))
            for all_seen, reading in zip(seen, readings, strict=True):
                all_seen += await take(reading, 1)
        assert texts(seen[0]) == ["before", "lost", "after"]
        assert seen[0] == seen[1]
        assert other.redis.xlen("{chat}log") == 3
        primary.start()


async def test_sentinels_that_ask_for_the_password(tmp_path: Path) -> None:
    first, second, port = free_ports(3)
    secret = ("--requirepass", "secret", "--masterauth", "secret")
    replica = ("--port", str(second), "--replicaof", "127.0.0.1", str(first))
    lines = ("requirepass secret", "sentinel auth-pass main secret")
    with (
        running(tmp_path / "a", *secret, "--port", str(first), password="secret"),
        running(tmp_path / "b", *secret, *replica, password="secret"),
        started(Sentinel(tmp_path, port, first, *lines, password="secret")),
    ):
        address = parse(f"sentinel://127.0.0.1:{port}/main/chat")
        async with node(address, password="secret") as order:
            await order.place(lone("hello"))
        with pytest.raises(CannotOpenStore, match=r"no Sentinel tells where it is: .*invalid"):
            async with node(address, password="wrong", patience=1):
                raise AssertionError


async def test_service_that_sentinels_do_not_know(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with pytest.raises(CannotOpenStore, match="no Sentinel tells where it is"):
        async with node(parse(f"sentinel://127.0.0.1:{port}/main/chat"), patience=1):
            raise AssertionError


async def test_replica_is_no_engine(tmp_path: Path) -> None:
    [port] = free_ports(1)
    with (
        running(tmp_path, "--replicaof", "127.0.0.1", str(port)) as server,
        pytest.raises(CannotOpenStore, match="a replica"),
    ):
        async with node(fresh(server), patience=1):
            raise AssertionError


async def test_what_is_said_of_an_engine(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    options = ("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
    with running(tmp_path, *options) as server:
        async with node(fresh(server)):
            pass
    assert [(r.levelname, r.event) for r in caplog.records] == [  # type: ignore[attr-defined]
        ("WARNING", "engine-evicts"),
        ("INFO", "engine-volatile"),
    ]
