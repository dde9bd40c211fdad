"""TLS with other people's programs: OpenSSL's client, and Debian's ncat."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from certificates import authority, issue
from peers import PATIENCE, House, running, settings

pytestmark = pytest.mark.programs


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    authority().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    async with running(settings(tls=issue(tmp_path).settings)) as it:
        yield it


async def shell(folder: Path, house: House, script: str) -> str:
    """What a shell prints that runs the script, in which $PORT is the server's port."""
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            ["sh", "-c", script],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=folder,
            env={"PORT": str(house.port), "PATH": "/usr/bin:/bin"},
        )
    return (done.stdout + done.stderr).decode()


S_CLIENT = "openssl s_client -connect 127.0.0.1:$PORT -CAfile ca.pem -verify_return_error"


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_openssl_trusts_the_certificate_and_chats(
    house: House, tmp_path: Path, version: str
) -> None:
    script = rf"printf 'bob\nhello\n/quit\n' | {S_CLIENT} -quiet {version}"
    seen = await shell(tmp_path, house, script)
    assert "verify return:1" in seen
    assert "bob: hello\n" in seen
    assert "error" not in seen


async def test_ncat_sees_its_lines_in_a_pipe(house: House, tmp_path: Path) -> None:
    script = r"printf 'bob\nhello\n' | ncat --ssl --ssl-verify --ssl-trustfile ca.pem"
    seen = await shell(tmp_path, house, script + " localhost $PORT")
    assert seen.endswith("bob: hello\n")


async def test_nothing_is_negotiated_anew_or_compressed(house: House, tmp_path: Path) -> None:
    """R asks for that, in TLS 1.2. It would let a peer make us work as often as it likes."""
    typed = (
        r"(printf 'bob\n'; sleep 0.5; printf 'R\n'; sleep 0.5; nc 127.0.0.1 $PORT <talk; sleep 1)"
    )
    (tmp_path / "talk").write_text("alice\nhi\n/quit\n")  # the refusal goes out with what is said
    seen = await shell(tmp_path, house, f"{typed} | timeout 2 {S_CLIENT} -tls1_2 -msg")
    assert "Compression: NONE" in seen
    assert "RENEGOTIATING" in seen
    assert "warning no_renegotiation" in seen


async def test_new_keys_are_used(house: House, tmp_path: Path) -> None:
    """K changes the client's keys, and asks for new ones of the server's."""
    script = r"(printf 'bob\n'; sleep 0.5; printf 'K\n'; sleep 0.5; printf 'hello\n'; sleep 1)"
    seen = await shell(tmp_path, house, f"{script} | {S_CLIENT} -tls1_3")
    assert "KEYUPDATE" in seen
    assert "bob: hello\n" in seen


async def test_who_asks_for_new_keys_without_end_is_cut_off(house: House, tmp_path: Path) -> None:
    alice = await house.connect("alice")
    script = rf"(printf 'bob\n'; sleep 0.5; yes K | head -n 1000; sleep 5) | {S_CLIENT} -tls1_3"
    async with trio.open_nursery() as nursery:
        nursery.start_soon(shell, tmp_path, house, script)
        await alice.until("bob left!\n")
