"""What is shown of where somebody is."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.server.cloak import Cloak

CLOAK = Cloak(b"a key")
OPEN = Cloak(None)


def parts(peer: str, cloak: Cloak = CLOAK) -> tuple[str, str]:
    """The hashes of the address and of its network."""
    address, network, ip = cloak.host(peer).split(".")
    assert ip == "ip"
    assert len(address) == len(network) == 10
    return address, network


@pytest.mark.parametrize(
    ("one", "other", "same_address", "same_network"),
    [
        ("192.0.2.1", "192.0.2.1", True, True),
        ("192.0.2.1", "192.0.2.254", False, True),
        ("192.0.2.1", "192.0.3.1", False, False),
        ("2001:db8::1", "2001:0db8:0::0:1", True, True),
        ("2001:db8::1", "2001:db8::ffff:1", True, True),  # one subscriber has a /64
        ("2001:db8::1", "2001:db8:0:1::1", False, True),
        ("2001:db8::1", "2001:db8:1::1", False, False),
        ("fe80::1%eth0", "fe80::1%eth1", True, True),
        ("fe80::1%eth0", "fe80::1", True, True),
    ],
)
def test_near_addresses_have_a_part_in_common(
    one: str, other: str, same_address: bool, same_network: bool
) -> None:
    (address, network), (address2, network2) = parts(one), parts(other)
    assert (address == address2) is same_address
    assert (network == network2) is same_network


def test_a_key_of_its_own_gives_hosts_of_its_own() -> None:
    address, network = parts("192.0.2.1")
    address2, network2 = parts("192.0.2.1", Cloak(b"another key"))
    assert address != address2
    assert network != network2


@pytest.mark.parametrize("cloak", [CLOAK, OPEN])
@pytest.mark.parametrize("peer", ["unix", "memory", "", "example.org", "1.2.3"])
def test_what_is_no_address_is_shown_as_it_is(cloak: Cloak, peer: str) -> None:
    assert cloak.host(peer) == peer


@pytest.mark.parametrize(
    ("peer", "host"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("::1", "0::1"),
        ("::", "0::"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_without_a_key_the_address_is_shown(peer: str, host: str) -> None:
    assert OPEN.host(peer) == host


@given(st.ip_addresses() | st.sampled_from(["::1", "::ffff:192.0.2.1"]).map(ipaddress.ip_address))
def test_a_host_can_stand_in_the_middle_of_a_line_and_in_an_address(
    peer: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    """Behind a colon, a line of IRC takes all that follows for one thing."""
    for cloak in (CLOAK, OPEN):
        host = cloak.host(str(peer))
        assert host == cloak.host(str(peer))
        assert not host.startswith(":")
        assert not {*host} & {*" !@*?,"}
    assert ipaddress.ip_address(OPEN.host(str(peer))) == peer
    assert str(peer) not in CLOAK.host(str(peer))
