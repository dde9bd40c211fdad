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
    """The source as it was one commit before, unpacked into a folder. In a clone that has but one
    commit it is that: then the nodes of a chat are replaced as well, only by the same version.
    """
    archive = folder / "earlier.tar"
    _run("git", "-C", str(ROOT), "archive", "--output", str(archive), _commit())
    (folder / "earlier").mkdir()
    _run("tar", "-xf", str(archive), "-C", str(folder / "earlier"))
    return folder / "earlier"


def _commit() -> str:
    command = ["git", "-C", str(ROOT), "rev-list", "--first-parent", "--max-count=2", "HEAD"]
    found = subprocess.check_output(command, text=True, timeout=INSTALLING)
    return found.split()[-1]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALLING)
