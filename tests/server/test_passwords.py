"""Passwords and their hashes."""

import pytest

from trio_chat.server.passwords import hash_password, is_password


@pytest.mark.parametrize("text", ["open sesame", "", "Sésam 漢字", "x" * 1000, "a:b:c"])
def test_a_password_fits_its_hash_and_others_do_not(text: str) -> None:
    hashed = hash_password(text)
    assert is_password(text, hashed)
    for other in (text + " ", f"{text}x"):
        assert not is_password(other, hashed)
    assert not text or text not in hashed


def test_the_same_password_has_another_hash_each_time() -> None:
    """So nobody can see who has the same one, nor look it up in a table."""
    one, other = hash_password("open sesame"), hash_password("open sesame")
    assert one != other
    assert is_password("open sesame", one)
    assert is_password("open sesame", other)


def test_a_hash_keeps_its_cost_and_can_stand_in_a_file_of_settings() -> None:
    hashed = hash_password("open sesame")
    method, cost, _salt, _hash = hashed.split(":")
    assert (method, cost) == ("scrypt", "14")
    assert not {*hashed} & {*" #'\"$\\\n"}


def test_a_hash_made_at_another_cost_is_understood() -> None:
    """As from a version that made them cheaper: this is of "sesame", with 2 to the 4th rounds."""
    hashed = "scrypt:4:MDEyMzQ1Njc4OWFiY2RlZg==:rz3WVe_oArfw8_O-Vc3-BHc_-hjqI8xHnPKAiHbAfWY="
    assert is_password("sesame", hashed)
    assert not is_password("Sesame", hashed)
