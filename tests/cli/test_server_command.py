"""``trio-chat server`` as a process: what it prints, how it ends, what signals do, what it logs."""

import json
import re
import signal
import socket
import stat
from base64 import b64decode
from pathlib import Path

import pytest
import trio

from netcat import converse, guest, netcat
from processes import PATIENCE, Running, run, running, running_server
from terminals import terminal

GOODBYE = "*** The server is shutting down. Goodbye!\n"


def log_of(server: Running) -> list[dict[str, object]]:
    """Its log so far; so each line must be JSON."""
    return [json.loads(line) for line in server.err.text.splitlines()]


async def refused(*arguments: str, **variables: str) -> tuple[int, str]:
    """The exit code and the only line of a server that does not start."""
    done = await run("server", *arguments, **variables)
    assert done.out == ""
    assert done.err.count("\n") == 1, done.err
    assert done.err.startswith("trio-chat: ")
    return done.code, done.err


# ── it just works ──────────────────────────────────────────────────────────────────────────


async def test_it_says_where_it_listens_and_how_to_join():
    async with running("server", "--port", "0", fresh=True) as server:
        first = await server.out.line()
        assert (found := re.fullmatch(r"trio-chat is listening on 127\.0\.0\.1:(\d+)", first))
        assert await server.out.line() == (
            f"Join it with 'trio-chat client --port {found[1]}' or 'nc 127.0.0.1 {found[1]}'. "
            "Ctrl-C stops it."
        )
        assert await server.out.line() == f"Or open http://127.0.0.1:{found[1]}/ in a browser."


async def test_behind_a_proxy_it_prints_where_that_has_the_page(tmp_path: Path):
    way_in = ("--host", f"unix:{tmp_path}/chat", "--set", "server.proxies=unix")
    web = ("--set", "web.url=https://chat.example/tea", "--set", "accounts.guests=open")
    async with running("server", *way_in, *web) as server:
        assert await server.out.line() == f"trio-chat is listening on unix:{tmp_path}/chat"
        assert await server.out.line() == "People come by its proxy. Ctrl-C stops it."
        assert await server.out.line() == "Or open https://chat.example/tea/ in a browser."
        assert (await server.out.line()).startswith("Its certificate is ")


async def test_beyond_this_machine_it_prints_a_link_that_lets_others_in_over_tls():
    everybody = ("--set", "accounts.guests=open")
    async with running("server", "--host", "*", "--port", "0", *everybody) as server:
        listening = await server.out.until("Join it")
        port = re.findall(r":(\d+)\n", listening)[0]
        await server.out.until("From elsewhere: trio-chat client 'ircs://")
        link = (await server.out.line()).removesuffix("'")
        page = f"https://{link.partition('?')[0]}/"
        warning = "which warns of the certificate that the server has made for itself."
        assert await server.out.line() == f"Or open {page} in a browser, {warning}"
        [pin] = re.findall(rf"^[^/]+:{port}\?pin=([\w-]{{43}})$", link)
        digits = b64decode(f"{pin}=", altchars="-_").hex()
        named = "If its links should name another host: --set server.public_name=HOST"
        assert await server.out.line() == named
        assert await server.out.line() == f"Its certificate is SHA256:{digits}"
        there = f"ircs://127.0.0.1:{port}?pin={pin}"
        done = await run("client", there, "--nick", "bob", "--no-state", stdin=b"hello\n")
        assert (done.code, done.err) == (0, "")
        assert done.out.endswith("bob: hello\n")
        await server.err.until("connected from 127.0.0.1 over TLS")


async def test_it_listens_on_all_addresses_that_it_is_told(tmp_path):
    path = str(tmp_path / "chat")
    more = f"server.listen=127.0.0.1:0,unix:{path}"
    async with running("server", "--port", "0", "--set", more) as server:
        lines = [await server.out.line() for _ in range(3)]
        ports = [int(line.rpartition(":")[2]) for line in lines[:2]]
        assert lines[2] == f"trio-chat is listening on unix:{path}"
        async with guest(ports[0], "al") as al, guest(ports[1], "bo"), guest(path, "cy") as cy:
            await al.until("bo joined!\ncy joined!\n")
            await cy.send("hello\n")
            await al.until("cy: hello\n")


async def test_the_environment_sets_it_up():
    async with (
        running_server(TRIO_CHAT_SERVER__LOBBY="#tea", TRIO_CHAT_ENCODING="latin-1") as server,
        netcat(server.port) as peer,
    ):
        await peer.send("jörg\n".encode("latin-1"))
        await peer.until("in #tea;")
        await peer.send("straße\n".encode("latin-1"))
        await peer.until("stra\ufffde\n")  # a sharp s is one byte there, and not UTF-8


# ── how it fails ───────────────────────────────────────────────────────────────────────────


async def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, line = await refused("--port", str(port))
    assert code == 71
    assert f"127.0.0.1:{port}: it is in use" in line


async def test_what_was_logged_comes_before_why_it_ends(tmp_path):
    (tmp_path / "key").write_text(64 * "0")
    (tmp_path / "key").chmod(0o600)
    store = {
        "TRIO_CHAT_HISTORY__STORE": str(tmp_path / "chat.db"),
        "TRIO_CHAT_SERVER__KEY": str(tmp_path / "key"),
    }
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = await run("server", "--port", str(taken.getsockname()[1]), **store)
    logged, last = done.err.splitlines()
    assert '"event": "history-new"' in logged
    assert last.startswith("trio-chat: cannot listen")


async def test_a_misspelt_variable():
    code, line = await refused(TRIO_CHAT_PROT="1")
    assert code == 78
    assert "TRIO_CHAT_PROT" in line
    assert "TRIO_CHAT_PORT?" in line


async def test_what_is_misspelt_steers_no_terminal():
    code, line = await refused("--set", "x\x1b[31m\x9b=1")
    assert code == 78
    assert line.rstrip("\n").isprintable()


async def test_an_address_of_another_machine():
    code, line = await refused("--port", "0", "--host", "192.0.2.1")
    assert code == 71
    assert "192.0.2.1:0: this machine does not have that address" in line


async def test_a_unix_socket_in_no_directory(tmp_path):
    path = tmp_path / "none" / "chat"
    code, line = await refused("--host", f"unix:{path}")
    assert code == 71
    assert f"unix:{path}: no such file or directory" in line


async def test_a_second_address_that_cannot_be_had(tmp_path):
    path = tmp_path / "chat"
    more = f"server.listen=unix:{path},192.0.2.1:0"
    code, line = await refused("--port", "0", "--set", more)
    assert code == 71
    assert "192.0.2.1:0" in line
    assert not path.exists()


async def test_debug_shows_where_an_error_comes_from(tmp_path):
    done = await run("server", "--debug", "--host", f"unix:{tmp_path}/none/chat")
    assert done.code == 71
    assert done.err.startswith("Traceback ")
    assert done.err.splitlines()[-1].startswith("trio-chat: cannot listen on ")


# ── how it stops ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_it_and_everybody_is_told(number):
    async with (
        running_server() as server,
        guest(server.port, "al") as al,
        guest(server.port, "bo") as bo,
    ):
        server.process.send_signal(number)
        assert (await al.heard.rest()).endswith(GOODBYE)
        assert (await bo.heard.rest()).endswith(GOODBYE)
        assert await server.ended() == 0
        assert log_of(server)[-1]["level"] == "info"


async def test_a_second_signal_stops_it_at_once():
    async with running_server("--set", "server.shutdown_grace=300") as server:
        with socket.create_connection(("127.0.0.1", server.port)) as deaf:
            deaf.sendall(b"al\n")
            await server.err.until("admitted as al")
            server.process.send_signal(signal.SIGINT)
            await server.err.until("stopping on SIGINT")
            server.process.send_signal(signal.SIGINT)
            # By the signal or, as a shell says it, 130; 0 if it had waited enough for the deaf.
            assert await server.ended() in (-signal.SIGINT, 130, 0)
        assert "Traceback" not in server.err.text


async def test_it_can_be_started_again_on_the_same_port_at_once():
    async with running_server() as first, guest(first.port, "al") as al:
        await al.send("before\n")
        await al.until("al: before\n")
        first.process.terminate()
        assert await first.ended() == 0
        async with running_server(port=first.port) as second:
            assert second.port == first.port
            assert "al: again\n" in await converse(second.port, "al\nagain\n")


async def test_a_unix_socket_that_a_killed_server_left_behind_is_replaced(tmp_path):
    path = tmp_path / "chat"
    async with running("server", "--host", f"unix:{path}") as first:
        await first.out.line()
        first.process.kill()
        await first.ended()
    assert stat.S_ISSOCK(path.stat().st_mode)
    async with running("server", "--host", f"unix:{path}") as second:
        await second.out.line()
        assert "al: hello\n" in await converse(str(path), "al\nhello\n")
        second.process.terminate()
        assert await second.ended() == 0
    assert not path.exists()


async def test_a_unix_socket_of_a_living_server_is_not(tmp_path):
    path = tmp_path / "chat"
    async with running("server", "--host", f"unix:{path}") as first:
        assert await first.out.line() == f"trio-chat is listening on unix:{path}"
        assert f"'trio-chat client --host unix:{path}' or 'nc -U {path}'" in await first.out.line()
        code, line = await refused("--host", f"unix:{path}")
        assert code == 71
        assert f"unix:{path}: it is in use" in line
        assert "al: hello\n" in await converse(str(path), "al\nhello\n")


async def test_a_file_in_the_place_of_a_unix_socket_is_kept(tmp_path):
    path = tmp_path / "diary"
    path.write_text("dear diary")
    code, line = await refused("--host", f"unix:{path}")
    assert code == 71
    assert f"unix:{path}: " in line
    assert path.read_text() == "dear diary"


# ── SIGHUP ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def env_file(tmp_path) -> Path:
    path = tmp_path / "settings.env"
    path.write_text("TRIO_CHAT_LIMITS__LINE_BYTES=100\n")
    return path


async def longest_line(server: Running) -> str:
    """What a new connection is told when it sends a line that is too long for all settings."""
    answer = await converse(server.port, "al\n" + "x" * 1000 + "\n")
    return re.search(r"That was longer than (\d+) bytes", answer)[1]


async def test_hangup_rereads_the_settings_for_new_connections(env_file):
    async with (
        running_server("--env-file", str(env_file)) as server,
        guest(server.port, "old") as old,
    ):
        assert await longest_line(server) == "100"
        env_file.write_text("TRIO_CHAT_LIMITS__LINE_BYTES=200\n")
        server.process.send_signal(signal.SIGHUP)
        while await longest_line(server) != "200":
            pass
        await old.send("x" * 150 + "\n")
        await old.until("That was longer than 100 bytes")


async def test_hangup_with_a_broken_env_file_changes_nothing(env_file):
    async with (
        running_server("--env-file", str(env_file)) as server,
        guest(server.port, "old") as old,
    ):
        env_file.write_text("TRIO_CHAT_LIMITS__LINE_BYTES=one\nTRIO_CHAT_LIMITS__ROOMS=0\n")
        server.process.send_signal(signal.SIGHUP)
        await server.err.until("TRIO_CHAT_LIMITS__ROOMS=0")
        await server.err.until("\n")
        assert await longest_line(server) == "100"
        await old.send("still here\n")
        await old.until("old: still here\n")
        [complaint] = [entry for entry in log_of(server) if entry["level"] == "error"]
        assert "TRIO_CHAT_LIMITS__LINE_BYTES=one" in complaint["message"]


async def test_hangup_names_what_needs_a_restart(env_file):
    async with running_server("--env-file", str(env_file)) as server:
        env_file.write_text("TRIO_CHAT_SERVER__LOBBY=#tea\nTRIO_CHAT_HISTORY__DAYS=3\n")
        server.process.send_signal(signal.SIGHUP)
        await server.err.until("settings reloaded, but these have changed and need a restart: ")
        assert (await server.err.line()).startswith('server.lobby, history.days"')


async def test_hangup_in_a_terminal_does_the_same_but_when_its_window_closes_it_ends():
    async with terminal(["server", "--port", "0"]) as it:
        port = int((await it.screen.until_match(r"on 127\.0\.0\.1:(\d+)\r\n"))[:-2].split(":")[-1])
        await it.until("Ctrl-C stops it")
        async with guest(port, "al") as al:
            it.process.send_signal(signal.SIGHUP)
            await it.until("settings reloaded")
            await al.send("still here\n")
            await al.until("al: still here\n")
            await it.close()
            await al.until(GOODBYE)
        with trio.fail_after(PATIENCE):
            assert await it.process.wait() == 0


# ── the log ────────────────────────────────────────────────────────────────────────────────


async def test_the_log_is_json_with_connection_numbers():
    async with running_server() as server:
        await converse(server.port, "al\n")
        await converse(server.port, "bo\n")
        await server.err.until_match("disconnected: (.|\n)*disconnected: .*\n")
        log = log_of(server)
    assert {entry["level"] for entry in log} == {"info"}
    stories = [
        [entry["message"] for entry in log if entry.get("connection") == number]
        for number in (1, 2)
    ]
    for story, nick in zip(stories, ("al", "bo"), strict=True):
        assert story[:2] == ["connected from 127.0.0.1", f"admitted as {nick}"]
        assert story[2].startswith("disconnected: closed by the peer")
    fields = {"nick": "al", "reason": "closed by the peer", "connection": 1}
    [end] = [e for e in log if e["event"] == "disconnected" and e["connection"] == 1]
    assert end.items() >= fields.items()


async def test_the_log_holds_nothing_that_anybody_says():
    async with running_server() as server:
        async with guest(server.port, "al") as al, guest(server.port, "bo") as bo:
            await al.send(
                "sesame\n/me sesame\n/msg bo sesame\n/topic sesame\n/sesame\n/join sesame,\n"
            )
            await bo.until("al set the topic: sesame\n")
            await al.send("\xff sesame\n" + "sesame" * 1000 + "\n")
            await al.until("was not sent.\n")
        server.process.terminate()
        assert await server.ended() == 0
        assert len(log_of(server)) > 4
    assert "sesame" not in server.err.text


async def test_the_log_can_be_text():
    async with running_server("--set", "log.format=text") as server:
        await converse(server.port, "al\n")
        await server.err.until_match(r"\d\d:\d\d:\d\d info    \[1\] admitted as al\n")
