"""The certificate that a server makes for itself: once, for its own eyes, and only if needed."""

import hashlib
import logging
import os
import ssl
import stat
from pathlib import Path

import pytest
from trio.testing import wait_all_tasks_blocked

from certificates import secured, untrusting
from peers import running, settings
from trio_chat.errors import CannotOpenStore
from trio_chat.server.certificate import Certificate
from trio_chat.server.links import addresses_of_machine
from trio_chat.server.own_certificate import use_own
from trio_chat.settings.places import Address

EVERYWHERE = settings(accounts={"guests": "open"}).model_copy(update={"host": "0.0.0.0"})  # noqa: S104


def made(file: Path, public_name: str = "", *listened: Address) -> Certificate:
    certificate = Certificate()
    use_own(certificate, file, public_name, listened)
    assert certificate.context
    return certificate


def test_it_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "data" / "certificate.pem"
    first = made(file)
    assert made(file).fingerprint == first.fingerprint
    assert made(tmp_path / "other.pem").fingerprint != first.fingerprint
    assert os.listdir(file.parent) == ["certificate.pem"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def accepts(client: ssl.SSLContext, name: str, server: Certificate) -> bool:
    """Whether a client that goes to ``name`` accepts what the server shows."""
    assert server.context
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(back, there, server_hostname=name),
        server.context.wrap_bio(there, back, server_side=True),
    ]
    for end in [*ends, ends[0]]:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLCertVerificationError:
            return False
    return True


@pytest.mark.parametrize(
    ("public_name", "names"),
    [
        ("chat.example.org", ["chat.example.org"]),
        ("192.0.2.1", ["192.0.2.1"]),
        ("2001:db8::1", ["2001:db8::1"]),
        ("", ["localhost", "127.0.0.1", "::1"]),
    ],
)
def test_whoever_trusts_the_file_accepts_its_names(
    tmp_path: Path, public_name: str, names: list[str]
) -> None:
    server = made(file := tmp_path / "certificate.pem", public_name)
    context = ssl.create_default_context(cafile=file)
    accepted = [name for name in [*names, "other.example"] if accepts(context, name, server)]
    assert accepted == names


def test_without_a_name_it_is_for_the_addresses_that_the_server_has(tmp_path: Path) -> None:
    listened = (Address("198.51.100.7", 55555), Address("*", 55555), Address("unix:/run/chat.sock"))
    server = made(file := tmp_path / "certificate.pem", "", *listened)
    context = ssl.create_default_context(cafile=file)
    for address in ("198.51.100.7", *addresses_of_machine()):
        assert accepts(context, address, server)
    assert not accepts(context, "198.51.100.8", server)


def test_one_that_others_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "certificate.pem"
    made(file)
    assert not caplog.records
    file.chmod(0o640)
    made(file)
    assert [(r.levelno, r.getMessage()) for r in caplog.records] == [
        (
            logging.WARNING,
            "others on this machine may read the key of the server's certificate: "
            f"chmod 600 {file}",
        )
    ]


def test_a_file_that_is_none_stays_and_is_named(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    file.write_text("nothing")
    with pytest.raises(CannotOpenStore, match=f"cannot use {file} for TLS: .* or remove it"):
        made(file)
    assert file.read_text() == "nothing"
    with pytest.raises(CannotOpenStore, match="cannot keep the server's certificate in "):
        made(file / "certificate.pem")


async def test_a_server_that_others_can_reach_has_one(tmp_path: Path) -> None:
    file = tmp_path / "certificate.pem"
    async with running(EVERYWHERE, own_certificate=file) as house:
        alice = await secured(house, "alice", untrusting())
        shown = alice.stream.getpeercert(binary_form=True)
        assert hashlib.sha256(shown).hexdigest() == house.server.fingerprint
    async with running(settings(), own_certificate=file) as again:  # those who know it go on
        alice = await secured(again, "alice", untrusting())
        assert alice.stream.getpeercert(binary_form=True) == shown


async def test_one_that_is_not_kept_is_the_same_until_the_server_ends() -> None:
    async with running(EVERYWHERE) as house:
        first = house.server.fingerprint
        house.server.reload(EVERYWHERE)
        await wait_all_tasks_blocked()
        assert house.server.fingerprint == first
    async with running(EVERYWHERE) as house:
        assert house.server.fingerprint != first


async def test_a_server_on_loopback_needs_none(tmp_path: Path) -> None:
    async with running(own_certificate=tmp_path / "certificate.pem") as house:
        assert house.server.fingerprint == ""
        peer = await house.connect()
        await peer.send(b"\x16\x03\x01\x02\x00\x01")
        assert await peer.rest() == "\x15\x03\x01\x00\x02\x02\x46"
    assert os.listdir(tmp_path) == []
