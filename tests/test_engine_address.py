"""How the place of the engine is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.settings.engine import Address, parse

GOOD = [
    ("redis://localhost/chat", Address("chat", (("localhost", 6379),)), "localhost:6379"),
    ("redis://10.0.0.1:7000/a.b", Address("a.b", (("10.0.0.1", 7000),)), "10.0.0.1:7000"),
    ("redis://chat@[::1]:7000/c", Address("c", (("::1", 7000),), user="chat"), "[::1]:7000"),
    ("rediss://h/c", Address("c", (("h", 6379),), tls=True), "h:6379"),
    ("rediss://h/c?ca=/ca.pem", Address("c", (("h", 6379),), tls=True, ca="/ca.pem"), "h:6379"),
    ("unix:/run/redis.sock?c", Address("c", path="/run/redis.sock"), "unix:/run/redis.sock"),
    ("unix:me@/r.sock?c", Address("c", path="/r.sock", user="me"), "unix:/r.sock"),
    (
        "sentinel://one,two:7000/main/chat",
        Address("chat", (("one", 26379), ("two", 7000)), service="main"),
        "main at one:26379,two:7000",
    ),
    (
        "sentinels://me@one/main/chat",
        Address("chat", (("one", 26379),), service="main", user="me", tls=True),
        "main at one:26379",
    ),
]


@pytest.mark.parametrize(("text", "address", "place"), GOOD)
def test_address_is_read(text: str, address: Address, place: str) -> None:
    assert parse(text) == address
    assert str(parse(text)) == place


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "must be redis://"),
        ("localhost", "must be redis://"),
        ("http://localhost/chat", "must be redis://"),
        ("redis:///chat", "must be redis://"),
        ("redis://localhost", "needs a name"),
        ("redis://localhost/a/b", "needs a name"),
        ("redis://localhost/{a}", "needs a name"),
        ("redis://localhost/" + "a" * 65, "needs a name"),
        ("redis://me:secret@localhost/chat", "must not have a password"),
        ("redis://@localhost/chat", "has a user"),
        ("redis://localhost:0/chat", "a port"),
        ("redis://localhost:65536/chat", "a port"),
        ("redis://localhost:x/chat", "no host"),
        ("redis://[::1/chat", "is no address"),
        ("redis://a,b/chat", "only sentinel://"),
        ("redis://a/chat?ca=/ca.pem", "only rediss://"),
        ("rediss://a/chat?ca=ca.pem", "full path"),
        ("rediss://a/chat?db=1", "'db'"),
        ("sentinel://a/chat", "a service and a name"),
        ("sentinel://a,/main/chat", "no host"),
        ("unix:redis.sock?chat", "full path"),
        ("unix:/redis.sock", "needs a name"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


@given(st.text() | st.from_regex(r"(redis|unix|sentinels?)(:|://)[^\n]*", fullmatch=True))
def test_any_text_is_an_address_or_said_to_be_none(text: str) -> None:
    try:
        address = parse(text)
    except ValueError as error:
        address, wrong = None, str(error)
    if address:
        assert address.name
        assert bool(address.path) != bool(address.hosts)
    else:
        assert len(wrong.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "is_local"),
    [
        ("unix:/r.sock?c", True),
        ("redis://localhost/c", True),
        ("redis://127.0.0.1/c", True),
        ("redis://[::1]/c", True),
        ("redis://10.0.0.1/c", False),
        ("sentinel://localhost/main/c", False),
    ],
)
def test_place_that_only_this_machine_reaches(text: str, is_local: bool) -> None:
    assert parse(text).is_local is is_local
