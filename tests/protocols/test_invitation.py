"""Tokens of invitations: what was signed comes out again, and nothing else does."""

from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_chat.core.commands import ListInvitations, RevokeInvitation, UseInvitation
from trio_chat.protocols.invitation import (
    Invitation,
    NotValid,
    is_id,
    is_token,
    read_request,
    read_token,
    usage,
    write_token,
)

KEY = bytes(range(32))
INVITATION = Invitation("0123456789abcdef", 1_000_000, 3, operator=True)

INVITATIONS = st.builds(
    Invitation,
    st.binary(min_size=8, max_size=8).map(bytes.hex),
    st.integers(1, 2**32 - 1),
    st.integers(1, 1000),
    st.booleans(),
    st.booleans(),
)


@given(INVITATIONS, st.binary(min_size=1, max_size=64))
def test_what_was_signed_comes_out_again(invitation: Invitation, key: bytes) -> None:
    token = write_token(key, invitation)
    assert is_token(token)
    assert is_id(invitation.id)
    assert read_token(key, token, invitation.expires - 1) == invitation


def test_a_token_is_written_in_one_way_only() -> None:
    """Its last letter has two bits to spare."""
    token = write_token(KEY, Invitation("00" * 8, 2, 1))
    for letter in {*ascii_letters, *digits, "-", "_"} - {token[-1]}:
        with pytest.raises(NotValid, match="no invitation"):
            read_token(KEY, token[:-1] + letter, 1)


@given(INVITATIONS, st.integers(0, 42), st.characters(codec="ascii"))
def test_a_token_with_another_letter_is_none(
    invitation: Invitation, place: int, letter: str
) -> None:
    token = write_token(KEY, invitation)
    forged = token[:place] + letter + token[place + 1 :]
    if forged != token:
        with pytest.raises(NotValid, match="no invitation"):
            read_token(KEY, forged, 0)


@given(st.text())
def test_whatever_comes_is_no_token(text: str) -> None:
    with pytest.raises(NotValid, match="no invitation"):
        read_token(KEY, text, 0)


@pytest.mark.parametrize("text", ["a" * 21, "ircs://chat.example?invite=cut-off&pin=x"])
def test_a_damaged_one_is_left_to_the_server_to_refuse(text: str) -> None:
    assert read_request(text) == UseInvitation(text)


def test_a_link_is_as_good_as_its_token() -> None:
    token = write_token(KEY, INVITATION)
    link = f"ircs://chat.example:6000?pin=x&invite={token}"
    assert read_request(link) == read_request(token) == UseInvitation(token)


def test_its_words_may_be_written_as_others_of_irc_are() -> None:
    assert read_request("LIST") == ListInvitations()
    assert read_request("Revoke 0123456789abcdef") == RevokeInvitation("0123456789abcdef")


@pytest.mark.parametrize("text", ["lits", "revoke", "revoke x", "1 2 3", "a" * 20])
def test_nothing_else_is_taken_for_one(text: str) -> None:
    assert read_request(text) is None
    is_word = text in ("lits", "a" * 20)
    assert usage(text, "/x").startswith("That is no invitation" if is_word else "Usage: /x ")


def test_that_of_another_server_is_none() -> None:
    with pytest.raises(NotValid, match="no invitation"):
        read_token(b"another key", write_token(KEY, INVITATION), 0)


def test_it_ends_when_it_says() -> None:
    token = write_token(KEY, INVITATION)
    assert read_token(KEY, token, 999_999.9) == INVITATION
    with pytest.raises(NotValid, match="has expired"):
        read_token(KEY, token, 1_000_000)
