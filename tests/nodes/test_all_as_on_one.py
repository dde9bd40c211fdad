"""More of what is tested on one server, with each connection to the next of two nodes."""

import pytest

from twins import those_of

pytestmark = pytest.mark.slow

# It gives one server other settings.
_OF_ONE = {"test_refusals_are_in_the_words_of_irc"}

globals().update(
    those_of(
        "test_accounts",
        "test_conversations",
        "test_irc",
        "test_irc_accounts",
        "test_metadata",
        "test_places",
        "test_renaming",
        "test_room_bans",
        but=_OF_ONE,
    )
)
