"""The container's command in a sandbox that is as bare: Debian's bubblewrap needs no daemon."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from containers import image
from installing import ROOT, installed
from processes import PATIENCE

pytestmark = pytest.mark.programs


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(ROOT, tmp_path_factory.mktemp("image"))


def sandbox(venv: Path, data: Path) -> list[str]:
    """Runs a command as the image does: nothing can be written but the volume."""
    it = image()
    ours = [str(ROOT), sys.prefix, sys.base_prefix, str(venv)]
    system = ["/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache"]
    shown = [path for path in (*system, *ours) if Path(path).exists()]
    return [
        "bwrap", "--die-with-parent", "--unshare-user", "--unshare-ipc",
        "--unshare-pid", "--as-pid-1", "--uid", it.user, "--gid", it.user, "--clearenv",
        *(word for path in shown for word in ("--ro-bind", path, path)),
        "--symlink", str(venv), "/opt/trio-chat",
        "--bind", str(data), it.volume, "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/",
        "--chdir", "/",
        *(word for name, value in it.env.items() for word in ("--setenv", name, value)),
    ]  # fmt: skip


def test_the_containers_command(venv: Path, tmp_path: Path) -> None:
    """It serves, is healthy, keeps all in the volume, and stops when it is told to."""
    enter = sandbox(venv, tmp_path)
    told, tell = os.pipe()
    server = subprocess.Popen(
        [*enter, "--info-fd", str(tell), "--setenv", "TRIO_CHAT_PORT", "0", *image().command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, pass_fds=[tell],
    )  # fmt: skip
    os.close(tell)
    try:
        with open(told) as info:
            first = json.load(info)["child-pid"]
        assert server.stdout
        assert server.stdout.readline().startswith("trio-chat is listening on 0.0.0.0:")
        health = subprocess.run([*enter, *image().health], timeout=PATIENCE)
        assert health.returncode == 0
        os.kill(first, signal.Signals[image().stop])
        _, said = server.communicate(timeout=PATIENCE)
    finally:
        server.kill()
    assert server.returncode == 0, said
    kept = {path.name for path in (tmp_path / "trio-chat").iterdir()}
    assert {"chat.db", "key", "certificate.pem"} <= kept
