"""Beyond loopback, on real addresses: a server on one machine, and people on another.

The machines are network namespaces that share a cable. They are made here, and end with the process
that holds them; this takes iproute2, and root or a system where users may make them.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from processes import PATIENCE

pytestmark = pytest.mark.programs

# Networks for documentation (RFC 5737, RFC 3849), which nobody else has.
HERE, THERE = ("192.0.2.1", "2001:db8::1"), ("192.0.2.2", "2001:db8::2")

PLUG_IN = """\
ip link set lo up
ip address add {}/24 dev eth0
ip address add {}/64 dev eth0 nodad
ip link set eth0 up
"""


@dataclass(frozen=True)
class Machine:
    """A network namespace; ``enter`` is the command that runs another in it."""

    enter: tuple[str, ...]
    pid: int

    def start(self, script: str, home: Path, **variables: str) -> subprocess.Popen[str]:
        """Start a shell script for somebody whose home this is, and who has set nothing up."""
        programs = f"{Path(sys.executable).parent}:/usr/sbin:/usr/bin:/sbin:/bin"
        return subprocess.Popen(
            [*self.enter, "sh", "-ec", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=home,
            env={"PATH": programs, "HOME": str(home), **variables},
        )

    def run(self, script: str, home: Path = Path("/"), **variables: str) -> str:
        """Run a script to its end, which is a good one; returns what it prints."""
        code, out, err = self.end(script, home, **variables)
        assert code == 0, err
        return out

    def end(self, script: str, home: Path = Path("/"), **variables: str) -> tuple[int, str, str]:
        with self.start(script, home, **variables) as process:
            try:
                out, err = process.communicate(timeout=PATIENCE)
            finally:
                process.kill()
        return process.returncode, out, err


@contextmanager
def _machine(*unshare: str) -> Iterator[Machine]:
    """A namespace that is there as long as its first process, which waits for us to end."""
    command = [*unshare, "sh", "-c", "echo; exec cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline(), "no network namespace could be made"
        as_root = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
        yield Machine(("nsenter", "-t", str(holder.pid), "--net", *as_root), holder.pid)


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Machine, Machine]]:
    """Two machines that reach each other by the addresses HERE and THERE."""
    as_root = () if os.geteuid() == 0 else ("--map-root-user",)
    with ExitStack() as stack:
        here = stack.enter_context(_machine("unshare", "--net", *as_root))
        there = stack.enter_context(_machine(*here.enter, "unshare", "--net"))
        cable = f"ip link add eth0 type veth peer name eth0 netns {there.pid}\n"
        here.run(cable + PLUG_IN.format(*HERE))
        there.run(PLUG_IN.format(*THERE))
        yield here, there


@pytest.fixture(scope="module")
def here(machines: tuple[Machine, Machine]) -> Machine:
    return machines[0]


@pytest.fixture(scope="module")
def there(machines: tuple[Machine, Machine]) -> Machine:
    return machines[1]


@dataclass(frozen=True)
class House:
    """A server that runs; ``says`` is what it has printed."""

    machine: Machine
    home: Path
    says: str

    @property
    def port(self) -> str:
        return re.findall(r"listening on \S+:(\d+)\n", self.says)[0]

    def invite(self, options: str = "") -> str:
        """The command by which somebody comes in who is invited: one, unless options say more."""
        where = f"--port {self.port} --set server.public_name={HERE[0]}"
        return self.machine.run(f"trio-chat invite {where} {options}", self.home).splitlines()[0]

    def invitation(self) -> str:
        """What one says who has no link, but an invitation."""
        return re.findall(r"invite=([\w-]+)", self.invite())[0]


@contextmanager
def _server(machine: Machine, home: Path, options: str = "") -> Iterator[House]:
    command = f"exec trio-chat server --host '*' --port 0 --set server.public_name={HERE[0]}"
    with machine.start(f"{command} {options}", home) as process:
        assert process.stdout
        assert process.stderr
        said = ""
        for line in process.stdout:
            said += line
            if "Its certificate is" in line:
                break
        try:
            assert "Its certificate is" in said, process.stderr.read()
            yield House(machine, home, said)
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def house(here: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A server as one gets it; but that it does not wait ten seconds for those who say nothing."""
    with _server(here, tmp_path_factory.mktemp("here"), "--set tls.handshake=1") as it:
        yield it


# ── in clear text ──────────────────────────────────────────────────────────────────────────────

WHERE = "From where you are, you need encryption. Use TLS: "
BY_NETCAT, BY_IRC, BY_HTTP = (f"{WHERE}{way}" for way in (
    "ncat --ssl 192.0.2.1 {}", "ircs://192.0.2.1:{}", "https://192.0.2.1:{}",
))  # fmt: skip


@pytest.mark.parametrize("address", HERE)
@pytest.mark.parametrize(
    ("says", "is_told", "where"),
    [
        (r"alice\nhello\n", "*** {}\n", BY_NETCAT),
        (r"NICK alice\r\nUSER a 0 * :A\r\n", "ERROR :Closing link: {}\n", BY_IRC),
        (r"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 307 Temporary Redirect\n", BY_HTTP),
        ("", "*** {}\n", BY_NETCAT),
    ],
    ids=["plain", "IRC", "HTTP", "silence"],
)
def test_from_elsewhere_it_is_refused_in_its_own_words(
    there: Machine, house: House, address: str, says: str, is_told: str, where: str
) -> None:
    told = there.run(f"printf '{says}' | nc {address} {house.port}")
    where = where.format(house.port)
    assert told.startswith(is_told.format(where))
    assert where in told
    assert "NICK" not in told


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_on_the_same_machine_it_is_spoken(here: Machine, house: House, address: str) -> None:
    said = rf"printf 'carol\n{house.invitation()}\nhello\n/quit\n'"
    assert "carol: hello\n" in here.run(f"{said} | nc {address} {house.port}")


@pytest.mark.parametrize("address", HERE)
def test_it_is_spoken_with_anyone_if_that_is_set(
    here: Machine, there: Machine, tmp_path: Path, address: str
) -> None:
    with _server(here, tmp_path, "--set tls.clear=anyone") as house:
        said = rf"printf 'carol\n{house.invitation()}\nhello\n/quit\n'"
        assert "carol: hello\n" in there.run(f"{said} | nc {address} {house.port}")


# ── over TLS ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("address", HERE)
def test_other_programs_come_over_tls(there: Machine, house: House, address: str) -> None:
    said = rf"printf 'dave\n{house.invitation()}\nhello\n/quit\n'"
    assert "dave: hello\n" in there.run(f"{said} | ncat --ssl {address} {house.port}")


def test_the_link_is_all_that_one_needs(there: Machine, house: House, tmp_path: Path) -> None:
    command = house.invite()
    assert f"ircs://192.0.2.1:{house.port}" in command
    assert "erin: hello\n" in there.run(f"echo hello | {command} --nick erin", tmp_path)
    again = f"echo again | trio-chat client 192.0.2.1:{house.port} --nick erin"
    code, out, err = there.end(again, tmp_path)  # where its pin is kept, and the link is not
    assert code == 77
    assert STRANGER in out + err


def test_the_same_by_the_next_version_of_ip(there: Machine, house: House, tmp_path: Path) -> None:
    command = house.invite().replace("192.0.2.1", "[2001:db8::1]")
    assert "frank: hello\n" in there.run(f"echo hello | {command} --nick frank", tmp_path)


@pytest.mark.parametrize("host", ["192.0.2.1", "[2001:db8::1]"])
@pytest.mark.parametrize("pin", ["", "?pin=" + "ab" * 32], ids=["no pin", "another pin"])
def test_without_the_right_pin_nothing_is_said(
    there: Machine, house: House, tmp_path: Path, host: str, pin: str
) -> None:
    link = f"ircs://{host}:{house.port}{pin}"
    code, out, err = there.end(f"echo secret | trio-chat client '{link}' --nick grace", tmp_path)
    assert (code, out) == (77, "")
    assert "certificate" in err


def test_the_client_speaks_in_clear_only_if_it_is_told_to_and_is_refused(
    there: Machine, house: House, tmp_path: Path
) -> None:
    script = f"echo secret | trio-chat client irc://192.0.2.1:{house.port} --nick heidi"
    code, out, err = there.end(script, tmp_path)
    assert code == 77
    assert BY_IRC.format(house.port) in out + err


# ── who may come in ────────────────────────────────────────────────────────────────────────────

STRANGER = "This chat is for those who have an account or an invitation."


@pytest.mark.parametrize(
    "says", [r"ivan\nhello\n", r"NICK ivan\r\nUSER i 0 * :I\r\n"], ids=["plain", "IRC"]
)
@pytest.mark.parametrize("address", HERE)
def test_a_stranger_is_told_how_to_get_in(
    there: Machine, house: House, address: str, says: str
) -> None:
    told = there.run(f"printf '{says}' | ncat --ssl {address} {house.port}")
    assert STRANGER in told
    assert "hello" not in told


def test_a_link_that_has_been_used_lets_nobody_else_in(
    there: Machine, house: House, tmp_path: Path
) -> None:
    command, homes = house.invite(), [tmp_path / "judy", tmp_path / "mallory"]
    for home in homes:
        home.mkdir()
    assert "judy: hello\n" in there.run(f"echo hello | {command} --nick judy", homes[0])
    code, out, _ = there.end(f"echo hello | {command} --nick mallory", homes[1])
    assert (code, "mallory: hello" in out) == (77, False)


def test_an_account_comes_in_without_a_link_also_after_a_restart(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    with _server(here, tmp_path) as house:
        said = rf"printf 'olivia\n{house.invitation()}\n/register correct-horse\n/quit\n'"
        told = there.run(f"{said} | ncat --ssl 192.0.2.1 {house.port}")
        assert "Your nickname is yours now." in told
    with _server(here, tmp_path) as house:
        said = r"printf 'olivia\n/login correct-horse\nhello\n/quit\n'"
        assert "olivia: hello\n" in there.run(f"{said} | ncat --ssl 192.0.2.1 {house.port}")
        said = r"printf 'peggy\n/login correct-horse\nhello\n/quit\n'"
        assert "hello" not in there.run(f"{said} | ncat --ssl 192.0.2.1 {house.port}")


def test_an_owner_whose_network_has_gone_gets_the_nickname_again(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    """Also from plain text, in which nobody can be asked."""
    address = "192.0.2.3"
    with _server(here, tmp_path) as house:
        said = rf"printf 'trent\n{house.invitation()}\n/register correct-horse\n'"
        there.run(f"ip address add {address}/24 dev eth0")
        ncat = f"ncat --ssl -s {address} 192.0.2.1 {house.port}"
        script = f"mkfifo pipe; exec 3<>pipe; {said} >&3; exec {ncat} <&3"
        with there.start(script, tmp_path) as lost:
            try:
                assert lost.stdout
                assert any("Your nickname is yours now." in line for line in lost.stdout)
                there.run(f"ip address del {address}/24 dev eth0")
                said = r"printf 'trent\n/login correct-horse\nhello\n/quit\n'"
                assert "trent: hello\n" in here.run(f"{said} | nc 127.0.0.1 {house.port}")
            finally:
                lost.kill()
