"""Where nobody takes the output, or there is no place for it."""

import pytest
import trio

from netcat import converse
from processes import FOLDER, PATIENCE, PROGRAM, environment


async def shell(script: str, **variables: str) -> tuple[int, str]:
    """The exit code and the errors of a shell; in it, $* is trio-chat."""
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            ["bash", "-c", script, "bash", *PROGRAM],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
            cwd=FOLDER,
            env=environment(variables),
        )
    return done.returncode, done.stderr.decode()


@pytest.mark.parametrize("command", ["config", "hash-password <<<secret"])
async def test_a_full_disk_is_told_in_a_line(command):
    assert await shell(f'"$@" {command} >/dev/full') == (74, "trio-chat: no space left on device\n")


async def test_a_reader_who_has_gone_is_no_error_to_speak_of():
    assert await shell('exec 3> >(:); wait $!; "$@" config >&3') == (141, "")


@pytest.mark.parametrize("output", ["/dev/full", "&-"])
async def test_a_server_serves_whether_anybody_reads_where_or_not(output, tmp_path):
    path = str(tmp_path / "socket")  # a free port may be another's by the time it is used
    async with trio.open_nursery() as nursery:
        ended = []

        async def serve() -> None:
            ended.append(await shell(f'exec "$@" server >{output}', TRIO_CHAT_HOST=f"unix:{path}"))

        nursery.start_soon(serve)
        with trio.fail_after(PATIENCE):
            while not ended:
                try:
                    answer = await converse(path, "bob\nhello\n")
                except OSError:  # it does not listen yet
                    await trio.sleep(0.05)
                else:
                    break
        assert answer.endswith("bob: hello\n")
        nursery.cancel_scope.cancel()
