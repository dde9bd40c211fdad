"""``trio-chat health`` as containers and scripts run it."""

import socket
from pathlib import Path

import pytest
import trio

from processes import free_port, run, running_server


async def test_a_server_is_ready_until_it_has_gone(tmp_path: Path) -> None:
    with free_port() as port:
        at = ("--set", f"ops.listen=127.0.0.1:{port}", "--set", f"ops.admin={tmp_path}/admin")
        async with running_server(*at) as server:
            asked = await run("health", *at)
            assert (asked.code, asked.out, asked.err) == (0, "the server is ready\n", "")
            server.process.terminate()
            await server.ended()
        assert server.err.text.count("connected") == 0
        gone = await run("health", *at)
    told = f"trio-chat: cannot ask the server at 127.0.0.1:{port}: connection refused\n"
    assert (gone.code, gone.out, gone.err) == (1, "", told)


async def test_without_an_address_it_asks_at_the_operators_socket(tmp_path: Path) -> None:
    at = ("--set", f"ops.admin={tmp_path}/admin")
    async with running_server(*at) as server:
        asked = await run("health", *at)
        assert (asked.code, asked.out, asked.err) == (0, "the server is ready\n", "")
        assert (await run("admin", *at, "announce", "tea")).code == 0
        server.process.terminate()
        await server.ended()
    # Who gives a command there is logged, and who asks for this is not.
    assert server.err.text.count("connected to the operators' socket") == 1
    assert server.err.text.count('"disconnected: ') == 1


async def test_it_asks_this_machine_if_the_address_stands_for_all(tmp_path: Path) -> None:
    with free_port() as port:
        at = ("--set", f"ops.listen=*:{port}")
        async with running_server(*at):
            asked = await run("health", *at)
    assert (asked.code, asked.out) == (0, "the server is ready\n")


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (
            b"HTTP/1.1 503 Service Unavailable\r\n\r\nstopping\n",
            "the server is not ready: stopping",
        ),
        (b"HTTP/1.1 404 Not Found\r\n\r\nno", "what listens at unix:{} answers no health checks"),
        (b"220 mail\r\n", "what listens at unix:{} answers no health checks"),
        (b"", "what listens at unix:{} answers no health checks"),
    ],
)
async def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, answer: bytes, why: str) -> None:
    path = f"{tmp_path}/ops"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(path)
        sock.listen()
        sock.setblocking(False)

        async def reply() -> None:
            peer, _ = await trio.socket.from_stdlib_socket(sock).accept()
            with peer:
                await peer.recv(1000)
                await peer.send(answer)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(reply)
            asked = await run("health", "--set", f"ops.listen=unix:{path}")
    assert (asked.code, asked.out, asked.err) == (1, "", f"trio-chat: {why.format(path)}\n")


async def test_nowhere_to_ask_is_a_wrong_setting() -> None:
    asked = await run("health")
    told = "trio-chat: this server answers no health checks: set ops.listen to an address\n"
    assert (asked.code, asked.out, asked.err) == (78, "", told)


@pytest.mark.parametrize("setting", ["ops.listen=unix:{}/no/ops", "ops.admin=/proc/no/admin"])
async def test_an_address_that_cannot_be_had_is_told_with_its_setting(
    tmp_path: Path, setting: str
) -> None:
    done = await run("server", "--port", "0", "--set", setting.format(tmp_path))
    assert (done.code, done.out) == (71, "")
    assert done.err.endswith(f"no such file or directory ({setting.partition('=')[0]})\n")


async def test_the_port_of_another_is_told_with_the_setting_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await run("server", "--port", "0", "--set", f"ops.listen=127.0.0.1:{port}")
    assert done.err.endswith("Another port may be free (ops.listen)\n")
