"""Installs trio-chat from a source into an environment of its own."""

import subprocess
import sys
from pathlib import Path

#: The source that these tests belong to.
ROOT = Path(__file__).parent.parent

INSTALLING = 100  # seconds


def installed(source: Path, folder: Path) -> Path:
    """An environment in a folder with the built wheel; what it needs is where it is for us."""
    pip = [sys.executable, "-m", "pip", "-q"]
    _run(*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(source))
    [built] = folder.glob("*.whl")
    _run(sys.executable, "-m", "venv", "--without-pip", str(folder / "venv"))
    python = str(folder / "venv/bin/python")
    _run(*pip, "--python", python, "install", "--no-deps", str(built))
    [packages] = (folder / "venv/lib").glob("python3*/site-packages")
    (packages / "ours.pth").write_text("\n".join(p for p in sys.path if "site-packages" in p))
    return folder / "venv"


def earlier(folder: Path) -> Path:
    """The source as it was one commit before, unpacked into a folder."""
    archive = folder / "earlier.tar"
    command = ["git", "-C", str(ROOT), "archive", "--output", str(archive), "HEAD~1"]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=INSTALLING)
    assert done.returncode == 0, (
        f"the commit before is not here (in a shallow clone, 'git fetch --deepen=1' gets it): "
        f"{done.stderr}"
    )
    (folder / "earlier").mkdir()
    _run("tar", "-xf", str(archive), "-C", str(folder / "earlier"))
    return folder / "earlier"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALLING)
