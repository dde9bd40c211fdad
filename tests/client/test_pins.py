"""The file of trusted certificates."""

import stat

import pytest

from trio_chat.client.pins import DamagedPins, Pins
from trio_chat.settings.places import Address

THERE, V6 = Address("Chat.example", 6697), Address("::1", 6697)
ONE, OTHER = "ab" * 32, "cd" * 32


@pytest.fixture
def pins(tmp_path):
    return Pins(tmp_path / "state" / "pins")


def test_what_is_kept_is_known(pins):
    assert pins.of(THERE) == ""
    pins.keep(THERE, ONE, "2026-11-28")
    pins.keep(V6, OTHER, "2026-11-29")
    assert Pins(pins.path).of(Address("chat.EXAMPLE", 6697)) == ONE
    assert (pins.of(V6), pins.of(Address("chat.example", 6698))) == (OTHER, "")
    pins.keep(THERE, OTHER, "2026-11-30")
    assert (pins.of(THERE), pins.of(V6)) == (OTHER, OTHER)
    assert pins.path.read_text().count("SHA256:") == 2


def test_it_is_for_its_owner_alone(pins):
    pins.keep(THERE, ONE, "2026-11-28")
    assert stat.S_IMODE(pins.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(pins.path.parent.stat().st_mode) == 0o700
    assert sorted(file.name for file in pins.path.parent.iterdir()) == ["pins", "pins.lock"]


def test_what_somebody_has_written_there_stays(pins):
    pins.keep(THERE, ONE, "2026-11-28")
    with open(pins.path, "a") as file:
        file.write(f"# mine\n\nother.example:1 {ONE.upper()} the cellar")
    pins.keep(V6, OTHER, "2026-11-29")
    assert f"\n# mine\n\nother.example:1 {ONE.upper()} the cellar\n" in pins.path.read_text()
    assert (pins.of(THERE), pins.of(V6)) == (ONE, OTHER)


@pytest.mark.parametrize(
    "damaged", [b"chat.example:6697", b"x.example:1 SHA256:ab", b"\x00" * 50, b"# \xff"]
)
def test_a_damaged_file_is_named_and_never_written(pins, damaged):
    pins.keep(V6, OTHER, "2026-11-29")
    with open(pins.path, "ab") as file:
        file.write(damaged)
    before = pins.path.read_bytes()
    with pytest.raises(DamagedPins, match=f"line 3 of {pins.path} is no server") as caught:
        pins.of(THERE)
    assert caught.value.of_server is damaged.startswith(b"chat")
    with pytest.raises(DamagedPins):
        pins.keep(THERE, ONE, "2026-11-30")
    assert pins.of(V6) == OTHER  # which can still be read
    assert pins.path.read_bytes() == before


def test_a_socket_may_have_a_blank_in_its_path(pins):
    pins.keep(socket := Address("unix:/tmp/a b"), ONE, "2026-11-28")
    assert pins.of(socket) == ONE


def test_a_pin_may_be_written_by_hand(pins):
    pins.path.parent.mkdir()
    pins.path.write_bytes(b"\xff\xfe junk\nchat.example:6697 " + (ONE.upper()).encode())
    assert pins.of(THERE) == ONE


def test_what_cannot_be_read_is_no_unknown_server(pins):
    pins.path.mkdir(parents=True)
    with pytest.raises(OSError, match="directory"):
        pins.of(THERE)
