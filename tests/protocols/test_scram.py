"""SCRAM-SHA-256: the RFC's own example, both ends against each other, and what is refused."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.protocols.scram import (
    ScramClient,
    ScramError,
    ScramServer,
    check_password,
    make_verifier,
    prepare,
)

# RFC 7677, 3.
CLIENT_NONCE, SERVER_NONCE = "rOprNGfwEbeRWgbNEkqO", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SALT = b"[m\x99h\x9d\x125\x8e\xec\xa0K\x14\x126\xfa\x81"
CLIENT_FIRST = b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
SERVER_FIRST = (
    b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
)
CLIENT_FINAL = (
    b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    b"p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
)
SERVER_FINAL = b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="

PENCIL = make_verifier("pencil", 4096, SALT)


def test_the_client_says_what_the_rfc_says():
    client = ScramClient("user", "pencil", CLIENT_NONCE)
    assert client.first() == CLIENT_FIRST
    assert client.prove(SERVER_FIRST) == CLIENT_FINAL
    client.check(SERVER_FINAL)


def test_the_server_says_what_the_rfc_says():
    server = ScramServer(SERVER_NONCE)
    assert server.receive_first(CLIENT_FIRST) == "user"
    assert server.challenge(PENCIL) == SERVER_FIRST
    assert server.check(CLIENT_FINAL) == SERVER_FINAL


def log_in(name: str, password: str, known: str) -> str:
    """Returns the name that the server has read. Raises ScramError."""
    client, server = ScramClient(name, password, "abc"), ScramServer("def")
    read = server.receive_first(client.first())
    client.check(server.check(client.prove(server.challenge(make_verifier(known, 4096, b"salt")))))
    return read


PRINTABLE = st.text(st.characters(categories=["L", "M", "N", "P", "S"]), min_size=1, max_size=20)


def visible(password: str) -> bool:
    try:
        return bool(prepare(password))
    except ValueError:
        return False


PASSWORD = PRINTABLE.filter(visible)


@given(PRINTABLE, PASSWORD)
def test_who_knows_the_password_is_let_in(name, password):
    assert log_in(name, password, password) == name
    assert check_password(make_verifier(password, 2, b"salt"), password)


@given(PASSWORD, PASSWORD)
def test_others_are_not(password, known):
    if prepare(password) != prepare(known):
        with pytest.raises(ScramError):
            log_in("al", password, known)
        assert not check_password(make_verifier(known, 2, b"salt"), password)


@pytest.mark.parametrize(
    ("typed", "bytes_"),
    [
        ("I\u00adX", b"IX"),  # the examples of RFC 4013, 3
        ("user", b"user"),
        ("USER", b"USER"),
        ("\u00aa", b"a"),
        ("\u2168", b"IX"),
        ("a\u00a0b", b"a b"),
        ("e\u0301", "\u00e9".encode()),
        ("\U0001f511", "\U0001f511".encode()),
    ],
)
def test_passwords_that_look_the_same_are_the_same(typed, bytes_):
    assert prepare(typed) == bytes_


@pytest.mark.parametrize("typed", ["", "\u00ad", "a\x07", "a\n", "\ue000", "\ufffd", "a\u202e"])
def test_what_cannot_be_seen_is_no_password(typed):
    with pytest.raises(ValueError, match="cannot be seen"):
        make_verifier(typed, 4096, SALT)
    assert not check_password(PENCIL, typed)


@pytest.mark.parametrize(
    "challenge",
    [
        SERVER_FIRST.replace(b"4096", b"4095"),
        SERVER_FIRST.replace(b"4096", b"2000001"),
        SERVER_FIRST.replace(b"4096", b"99999999999999999999"),
        SERVER_FIRST.replace(b"r=r", b"r=s"),
        SERVER_FIRST.replace(SERVER_NONCE.encode(), b""),
        SERVER_FIRST.replace(b"W22Z", b"W22"),
        SERVER_FIRST.replace(b"s=", b"s=\xff"),
        b"m=x," + SERVER_FIRST,
        b"e=other-error",
        b"",
    ],
)
def test_a_client_takes_no_odd_challenge(challenge):
    client = ScramClient("user", "pencil", CLIENT_NONCE)
    with pytest.raises(ScramError):
        client.prove(challenge)


@pytest.mark.parametrize(
    "final", [b"", b"v=", b"e=invalid-proof", SERVER_FINAL.replace(b"6", b"7"), SERVER_FINAL[:-1]]
)
def test_a_client_finds_out_who_poses_as_the_server(final):
    client = ScramClient("user", "pencil", CLIENT_NONCE)
    with pytest.raises(ScramError):
        client.check(SERVER_FINAL)  # nothing is proved before the challenge
    client.prove(SERVER_FIRST)
    with pytest.raises(ScramError):
        client.check(final)


@pytest.mark.parametrize(
    "first",
    [
        b"p=tls-unique,,n=user,r=abc",
        b"n,a=other,n=user,r=abc",
        b"n,,m=x,n=user,r=abc",
        b"n,,n=us=er,r=abc",
        b"n,,n=,r=abc",
        b"n,,n=us\0er,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=" + b"a" * 300,  # with it, the challenge would fit no line of IRC
        b"n,,n=user",
        b"\xff",
    ],
)
def test_a_server_takes_no_odd_beginning(first):
    with pytest.raises(ScramError):
        ScramServer(SERVER_NONCE).receive_first(first)


@pytest.mark.parametrize(
    "final",
    [
        CLIENT_FINAL.replace(b"c=biws", b"c=eSws"),  # "y,,": another header than at first
        CLIENT_FINAL.replace(b"r=r", b"r=s"),
        CLIENT_FINAL.replace(b"p=dHz", b"p=dHy"),
        CLIENT_FINAL.replace(b"p=dHzb", b"p="),
        CLIENT_FINAL.partition(b",p=")[0],
        b"",
    ],
)
def test_a_server_takes_no_odd_proof(final):
    server = ScramServer(SERVER_NONCE)
    server.receive_first(CLIENT_FIRST)
    server.challenge(PENCIL)
    with pytest.raises(ScramError):
        server.check(final)


@given(st.binary(max_size=80))
def test_no_bytes_do_harm(data):
    client, server = ScramClient("user", "pencil", CLIENT_NONCE), ScramServer(SERVER_NONCE)
    with pytest.raises(ScramError):
        client.prove(data)
    with suppress(ScramError):
        server.receive_first(data)
    server.receive_first(CLIENT_FIRST)
    server.challenge(PENCIL)
    with pytest.raises(ScramError):
        server.check(data)


def test_a_verifier_does_not_show_its_keys():
    assert PENCIL.stored_key.hex() not in repr(PENCIL)
    assert "key" not in repr(PENCIL)
