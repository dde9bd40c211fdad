"""What the machine is, and what of it a process has used. Linux only: it reads /proc."""

import os
import platform
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds


@dataclass(frozen=True)
class Cores:
    """The core of the server and that of the load generator; None where there is but one."""

    server: int | None
    load: int | None


def two_cores() -> Cores:
    """The first two that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[1]) if len(usable) > 1 else Cores(None, None)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Run here as long as this lasts; processes that are started meanwhile stay here."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def allow_files(number: int) -> int:
    """Raise our limit of open files as far as needed and allowed; returns what it is then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < number:
        soft = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft


@dataclass(frozen=True)
class Usage:
    """CPU seconds of a process so far, and how long it waited for a core that others had.

    ``user`` and ``system`` are what the kernel says of them, to a tick; ``cpu`` is exact.
    """

    cpu: float = 0.0
    waited: float = 0.0
    user: float = 0.0
    system: float = 0.0

    def __sub__(self, before: "Usage") -> "Usage":
        return Usage(
            self.cpu - before.cpu,
            self.waited - before.waited,
            self.user - before.user,
            self.system - before.system,
        )


class Meter:
    """Reads what a process uses. Read it while the process sleeps: then all has been counted."""

    def __init__(self, pid: int) -> None:
        self._proc = Path("/proc") / str(pid)
        self._threads: dict[str, tuple[int, int]] = {}  # also of those that have ended

    def usage(self) -> Usage:
        for thread in (self._proc / "task").iterdir():
            with suppress(OSError):  # it has just ended
                running, waiting, _ = (thread / "schedstat").read_text().split()
                self._threads[thread.name] = int(running), int(waiting)
        user, system = (self._proc / "stat").read_text().rpartition(")")[2].split()[11:13]
        return Usage(
            sum(running for running, _ in self._threads.values()) / 1e9,
            sum(waiting for _, waiting in self._threads.values()) / 1e9,
            int(user) * _TICK,
            int(system) * _TICK,
        )

    def resident(self) -> int:
        """KiB in memory now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """The most KiB in memory since ``forget_peak``."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        (self._proc / "clear_refs").write_text("5")  # proc(5)

    def _status(self, name: str) -> int:
        for line in (self._proc / "status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        raise ValueError(f"the kernel does not tell {name}")


def description() -> dict[str, str]:
    """What figures depend on, beside the servers."""
    return {
        "CPU": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "kernel": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "trio": version_of("trio") or "none",
        "uvloop": version_of("uvloop") or "none",
        "load average at the start": f"{os.getloadavg()[0]:.2f}",
    }


def version_of(package: str) -> str:
    """The version of a Python package; empty if it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
