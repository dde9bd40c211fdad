"""TLS on the port that everybody shares: those who speak it are limited as all others are."""

import os
import re
import ssl
import threading
import warnings
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from certificates import Files, Hand, issue, secured, trusting
from peers import PATIENCE, House, Peer, running, settings
from trio_chat.errors import SettingsError
from trio_chat.server.certificate import Certificate
from trio_chat.server.counts import Counts
from trio_chat.server.outbox import Outbox
from trio_chat.server.tls import TlsLink
from trio_chat.settings import Settings
from wires import Failures, Wire

T = TypeVar("T")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return issue(tmp_path_factory.mktemp("tls"))


@pytest.fixture
async def house(files: Files) -> AsyncIterator[House]:
    async with running(settings(tls=files.settings)) as it:
        yield it


async def test_people_over_tls_and_in_clear_share_a_port_and_a_room(house: House) -> None:
    alice = await secured(house, "alice")
    bob = await house.connect("bob")
    await alice.until("bob joined!\n")
    await bob.send(b"hi\n")
    await alice.until("bob: hi\n")
    await alice.send(b"/quit\n")
    await bob.until("alice left!\n")
    await alice.rest()  # ended by a farewell, or this would raise


async def test_every_dialect_is_spoken_inside(autojump_clock: MockClock, house: House) -> None:
    irc = await secured(house, address="memory")
    await irc.send(b"NICK alice\r\nUSER a 0 * :A\r\n")
    assert (await irc.until("\r\n")).startswith(":chat.local 001 alice ")
    silent = await secured(house, address="memory")
    assert await silent.until("NICK") == "NICK"
    browser = await secured(house, address="memory")
    await browser.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert (await browser.rest()).startswith("HTTP/1.1 200 ")


@pytest.mark.parametrize("silent", [0.0, 1.9])
@pytest.mark.parametrize("begun", [b"\x16", b"\x16\x03\x01\x02\x00\x01"])
async def test_who_stops_in_a_handshake_is_told_nothing_and_closed(
    autojump_clock: MockClock, house: House, silent: float, begun: bytes
) -> None:
    peer = await house.link()
    await trio.sleep(silent)
    await peer.send(begun)
    began = trio.current_time()
    assert await peer.rest() == ""
    assert trio.current_time() - began == pytest.approx(10)


class Steps(trio.abc.Instrument):
    """The steps of handshakes in each pass of trio's loop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passes = [0]
        step = ssl.SSLObject.do_handshake

        def counted(end: ssl.SSLObject) -> None:
            self.passes[-1] += 1
            step(end)

        monkeypatch.setattr(ssl.SSLObject, "do_handshake", counted)
        trio.lowlevel.add_instrument(self)

    def after_io_wait(self, timeout: float) -> None:
        self.passes.append(0)


async def test_of_a_flood_of_handshakes_a_pass_takes_four_steps(
    autojump_clock: MockClock, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each takes half a millisecond in which nobody else has their turn."""
    hellos = [Hand().hello() for _ in range(20)]
    peers = [await house.link(address=f"place {number}") for number in range(20)]
    steps = Steps(monkeypatch)
    async with trio.open_nursery() as nursery:
        for peer, hello in zip(peers, hellos, strict=True):
            nursery.start_soon(peer.send, hello)
    await wait_all_tasks_blocked()
    assert sum(steps.passes) == 20
    assert max(steps.passes) <= 4


async def test_who_asks_for_tls_after_the_greeting_gets_an_alert(
    autojump_clock: MockClock, house: House
) -> None:
    peer = await house.link()
    await peer.until("NICK")
    await peer.send(b"\x16\x03\x01\x02\x00\x01")
    assert await peer.rest() == "\r\n\x15\x03\x01\x00\x02\x02\x46"


@pytest.mark.parametrize(
    "garbage", [b"\x16" * 100, b"\x16\x03\x01\x00\x05hello", b"\x16\x03\x01\x00\x00" * 50]
)
async def test_garbage_ends_the_connection_and_hurts_nobody(
    autojump_clock: MockClock, house: House, garbage: bytes
) -> None:
    alice = await house.link("alice")
    peer = await house.link()
    await peer.send(garbage)
    said = await peer.rest()
    assert said == "" or said.startswith("\x15\x03")  # an alert
    await alice.send(b"hello\n")
    assert await alice.until("hello\n") == "alice: hello\n"


async def test_old_versions_of_tls_are_refused(house: House) -> None:
    context = trusting()
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(trio.BrokenResourceError) as refused:
        await secured(house, context=context)
    assert "PROTOCOL_VERSION" in str(refused.value.__cause__)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_what_comes_byte_by_byte_is_understood(
    autojump_clock: MockClock, house: House, version: ssl.TLSVersion
) -> None:
    context = trusting()
    context.maximum_version = version
    peer = await house.link()

    class Dripping(trio.abc.Stream):
        async def send_all(self, data: bytes) -> None:
            for byte in data:
                await peer.send(bytes([byte]))

        async def wait_send_all_might_not_block(self) -> None:
            raise NotImplementedError

        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            return bytes(await peer.stream.receive_some(1))

        async def aclose(self) -> None:
            await peer.stream.aclose()

    stream = trio.SSLStream(Dripping(), context, server_hostname="localhost")
    await (await house.take_in(stream, "alice")).send(b"hello\n")
    await house.peers[-1].until("alice: hello\n")


async def test_many_records_that_come_together_are_read_together(
    autojump_clock: MockClock, house: House
) -> None:
    peer, hand = await house.link(), Hand()
    await hand.shake(peer.stream)
    await peer.send(hand.seal(*(bytes([byte]) for byte in b"alice\nhello\n")))
    seen = b""
    while not seen.endswith(b"alice: hello\n"):
        seen += hand.open(await peer.stream.receive_some())


async def test_a_farewell_ends_reading_only(autojump_clock: MockClock, house: House) -> None:
    peer, hand = await house.link(), Hand()
    await hand.shake(peer.stream)
    await peer.send(hand.seal(b"alice\nhello\n") + hand.farewell())
    sealed = b"".join([bytes(data) async for data in peer.stream])
    assert hand.open(sealed).endswith(b"alice: hello\n")


async def test_who_is_cut_off_without_a_farewell_has_left(house: House) -> None:
    bob = await house.connect("bob")
    alice = await secured(house, "alice")
    await bob.until("alice joined!\n")
    await trio.aclose_forcefully(alice.stream)
    await bob.until("alice left!\n")


async def test_a_broken_record_ends_the_connection(autojump_clock: MockClock, house: House) -> None:
    bob = await house.link("bob")
    peer, hand = await house.link(), Hand()
    await hand.shake(peer.stream)
    await peer.send(hand.seal(b"alice\n"))
    await bob.until("alice joined!\n")
    await peer.send(b"\x17\x03\x03\x00\x20" + bytes(32))
    await bob.until("alice left!\n")


async def test_stopping_the_server_says_goodbye_over_tls_and_waits_for_no_handshake(
    autojump_clock: MockClock, house: House
) -> None:
    alice = await secured(house, "alice", address="memory")
    stalled = await house.link()
    await stalled.send(b"\x16")
    await trio.testing.wait_all_tasks_blocked()
    began = trio.current_time()
    house.server.stop()
    assert await stalled.rest() == ""
    assert (await alice.rest()).endswith("*** The server is shutting down. Goodbye!\n")
    await house.server.stopped.wait()
    assert trio.current_time() - began < 2


async def test_whois_says_who_speaks_tls(autojump_clock: MockClock, house: House) -> None:
    await secured(house, "alice", address="memory")
    bob = await house.link()
    await bob.send(b"NICK bob\r\nUSER b 0 * :B\r\nWHOIS alice\r\nWHOIS bob\r\n")
    told = await bob.until(" 318 bob alice ")
    assert "\r\n:chat.local 671 bob alice :is using a secure connection\r\n" in told
    assert " 671 " not in await bob.until(" 318 bob bob ")


@pytest.mark.parametrize(
    ("address", "in_clear", "over_tls"),
    [("192.0.2.1", "port={}", "duration=2592000"), ("127.0.0.1", "", ""), ("unix", "", "")],
)
@pytest.mark.parametrize("clear", ["loopback", "anyone"])
async def test_clients_from_elsewhere_are_told_to_speak_only_tls(
    autojump_clock: MockClock,
    files: Files,
    address: str,
    in_clear: str,
    over_tls: str,
    clear: str,
) -> None:
    tls = {**files.settings, "sts_days": 30, "clear": clear}
    async with running(settings(tls=tls)) as house:
        for peer, value in [
            (await house.link(address=address), in_clear.format(house.port)),
            (await secured(house, address=address), over_tls),
        ]:
            await peer.send(b"CAP LS 302\r\nCAP REQ sts\r\nQUIT\r\n")
            told = await peer.rest()
            assert re.findall(r" LS (?::|.* )sts=(\S*)", told) == [value] * bool(value)
            assert " ACK " not in told


def test_only_a_ca_can_make_tls_a_duty() -> None:
    with pytest.raises(SettingsError, match=r"tls\.sts_days .*: needs a certificate of a CA"):
        Settings(tls={"sts_days": 30})


# ── the link and its outbox ────────────────────────────────────────────────────────────────────


async def shaken(wire: Wire, files: Files) -> tuple[TlsLink, Hand]:
    """Both ends of TLS over a wire."""
    certificate, hand = Certificate(), Hand()
    certificate.use(files.certificate, files.key)
    assert certificate.context
    link = TlsLink(wire, certificate.context, b"")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.shake_hands, trio.CapacityLimiter(1))
        nursery.start_soon(hand.shake, wire.far_end)
    return link, hand


async def rest(wire: Wire) -> bytes:
    """All that the peer gets until nothing more comes."""
    data = bytes(wire.arrived)
    with trio.move_on_after(0.1):
        async for more in wire.far_end:
            data += more
    return data


@given(
    posts=st.lists(st.tuples(st.integers(1, 40_000), st.integers(0, 50_000)), max_size=5),
    version=st.sampled_from([ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]),
)
def test_whatever_the_socket_takes_the_peer_reads_what_was_posted(
    files: Files, posts: list[tuple[int, int]], version: ssl.TLSVersion
) -> None:
    async def main() -> None:
        failures, wire, posted = Failures(), Wire(lockstep=False), b""
        link, hand = await shaken(wire, files)
        async with trio.open_nursery() as nursery:
            box = Outbox(link, nursery, failures, Counts(), max_bytes=1_000_000)
            for number, (size, room) in enumerate(posts):
                wire.room = room
                box.post(text := bytes([number]) * size)
                posted += text
            wire.room = 0
            await box.finish(b"bye")
        assert hand.open(await rest(wire)) == posted + b"bye"
        assert failures.slow == failures.lost == 0

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_what_is_too_much_is_not_sealed_so_the_last_words_can_be_read(
    autojump_clock: MockClock, files: Files
) -> None:
    wire, failures = Wire(lockstep=False), Failures()
    link, hand = await shaken(wire, files)
    async with trio.open_nursery() as nursery:
        box = Outbox(link, nursery, failures, Counts(), max_bytes=2000)
        for _ in range(30):
            box.post(b"x" * 100)
        assert failures.slow > 0
        kept = 30 - failures.slow
        assert 10 < kept <= 16  # what waits is sealed, and counts as that
        nursery.start_soon(box.finish, b"too slow")
        assert hand.open(await rest(wire)) == b"x" * 100 * kept + b"too slow"


# ── the files ──────────────────────────────────────────────────────────────────────────────────


def test_files_that_are_no_pair_are_refused_by_name_and_in_words(
    files: Files, tmp_path: Path
) -> None:
    other = issue(tmp_path)
    (empty := tmp_path / "empty").touch()
    os.mkfifo(fifo := tmp_path / "fifo")
    (locked := tmp_path / "locked").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n")
    (broken := tmp_path / "broken").write_text(_broken(files.certificate))
    (worse := tmp_path / "worse").write_text(_broken(files.key))
    certificate, key = files.certificate, files.key
    for wrong, named, why in [
        ((certificate, other.key), f"{certificate} and {other.key}", "is not that of the cert"),
        ((certificate, empty), empty, "there is no private key in it"),
        ((empty, key), empty, "there is no certificate in it"),
        ((tmp_path / "missing", key), tmp_path / "missing", "no such file or directory"),
        ((certificate, tmp_path), tmp_path, "it is no regular file"),
        ((fifo, key), fifo, "it is no regular file"),
        ((certificate, locked), locked, "the key has a password"),
        ((broken, key), broken, "the certificate in it is damaged"),
        ((certificate, worse), f"{certificate} and {worse}", "the key, or .* is damaged"),
    ]:
        with pytest.raises(SettingsError, match=f"cannot use {named} for TLS: .*{why}"):
            Certificate().use(*wrong)


def _broken(file: Path) -> str:
    """What is in a file, with other letters in its second line."""
    begin, line, rest = file.read_text().split("\n", 2)
    return "\n".join([begin, "A" * len(line), rest])


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are read at once: a test's clock does not wait for threads."""

    async def at_once(call: Callable[..., T], *args: Any, limiter: object) -> T:
        await trio.lowlevel.checkpoint()
        return call(*args)

    monkeypatch.setattr("trio_chat.server.certificate.in_thread", at_once)


async def test_while_a_disk_does_not_answer_the_server_does(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = threading.Event(), threading.Event()
    async with running(settings(tls=files.settings)) as house:
        before = house.server.fingerprint

        def hang(file: Path) -> str:
            asked.set()
            assert answers.wait(PATIENCE)
            raise AssertionError("nobody waits for it any more")

        monkeypatch.setattr("trio_chat.server.certificate._text", hang)
        house.server.reload(settings(tls=files.settings))
        alice = await secured(house, "alice")
        assert await trio.to_thread.run_sync(asked.wait, PATIENCE)
        await alice.send(b"hello\n")
        await alice.until("alice: hello\n")
        assert house.server.fingerprint == before
    answers.set()


async def test_who_waits_too_long_for_a_disk_is_told(
    autojump_clock: MockClock, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, limiter: object) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr("trio_chat.server.certificate.in_thread", never)
    with pytest.raises(SettingsError, match=f"{files.key} for TLS: .* more than 10 seconds"):
        await Certificate().renew(files.certificate, files.key)


def shown(peer: Peer) -> bytes:
    """The certificate that a peer was shown."""
    certificate: bytes = peer.stream.getpeercert(binary_form=True)
    return certificate


@pytest.mark.usefixtures("inline")
async def test_a_new_certificate_is_shown_to_newcomers_and_loses_nobody(
    autojump_clock: MockClock, tmp_path: Path
) -> None:
    files = issue(tmp_path)
    async with running(settings(tls=files.settings)) as house:
        alice = await secured(house, "alice", address="memory")
        issue(tmp_path)
        await trio.sleep(61)
        bob = await secured(house, "bob", address="memory")
        assert shown(bob) != shown(alice)
        await alice.send(b"hello\n")
        await bob.until("alice: hello\n")
        await alice.until("alice: hello\n")


@pytest.mark.usefixtures("inline")
async def test_a_pair_that_does_not_fit_keeps_the_old_one_until_it_does(
    autojump_clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = issue(tmp_path)
    (other := tmp_path / "other").mkdir()
    new = issue(other)
    async with running(settings(tls=files.settings)) as house:
        old = shown(await secured(house, address="memory"))
        new.certificate.replace(files.certificate)
        await trio.sleep(200)
        assert shown(await secured(house, address="memory")) == old
        [record] = caplog.records  # once, and not at each look
        assert record.levelname == "ERROR"
        assert f"stays in force: cannot use {files.certificate} and " in record.getMessage()
        new.key.replace(files.key)
        await trio.sleep(61)
        assert shown(await secured(house, address="memory")) != old


@pytest.mark.usefixtures("inline")
async def test_settings_that_are_read_again_bring_their_certificate(
    files: Files, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (wrong := tmp_path / "wrong").touch()
    async with running() as house:
        house.server.reload(settings(tls={"certificate": str(wrong), "key": str(wrong)}))
        await wait_all_tasks_blocked()
        assert house.server.fingerprint == ""
        assert f"stays in force: cannot use {wrong} for TLS" in caplog.text
        house.server.reload(settings(tls=files.settings))
        await wait_all_tasks_blocked()
        await secured(house, "alice")
