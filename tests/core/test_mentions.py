"""The one rule of what mentions somebody."""

import pytest

from trio_chat.core.mentions import mention_of


@pytest.mark.parametrize(
    ("name", "text", "is_one"),
    [
        ("al", "al: hi", True),
        ("al", "hi AL!", True),
        ("al", "(al)", True),
        ("al", "@al, look", True),
        ("al", "all", False),
        ("al", "al-bert", False),
        ("al", "al|away", False),
        ("al", "as al_", False),
        ("é", "E\u0301 bien", True),
        ("e", "e\u0301", False),
        ("[x]", "see [x] there", True),
        ("", "anything", False),
    ],
)
def test_a_name_is_mentioned_where_it_is_a_word(name: str, text: str, is_one: bool) -> None:
    assert mention_of(name)(text) is is_one
