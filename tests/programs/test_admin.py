"""``trio-chat admin`` by another user of this machine."""

import os
import sys
import tempfile
from pathlib import Path

import pytest
import trio

from processes import FOLDER, PATIENCE, environment, running_server

pytestmark = [
    pytest.mark.programs,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can come as somebody else"),
]

NOBODY = ["setpriv", "--reuid=65534", "--clear-groups"]


async def told(path: Path) -> tuple[int, str]:
    """The exit code and the error of somebody else's command."""
    command = [*NOBODY, sys.executable, "-m", "trio_chat", "admin", "who"]
    with trio.fail_after(PATIENCE):
        done = await trio.run_process(
            command,
            capture_stderr=True,
            check=False,
            cwd=FOLDER,
            env=environment({"TRIO_CHAT_OPS__ADMIN": str(path)}),
        )
    return done.returncode, done.stderr.decode()


async def test_another_user_is_refused_whether_they_reach_the_socket_or_not() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "admin"
        os.chmod(folder, 0o711)  # noqa: S103
        async with running_server(TRIO_CHAT_OPS__ADMIN=str(path)) as server:
            code, error = await told(path)
            assert (code, "is for root and for the user that runs the server" in error) == (
                77,
                True,
            )
            os.chmod(path, 0o666)  # noqa: S103
            code, error = await told(path)
            assert (code, "Only root and the user that runs the server" in error) == (77, True)
            await server.err.until('"event": "admin-refused", "audit": true, "user": "65534"')
