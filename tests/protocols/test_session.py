"""What all sessions of the server ask for."""

import pytest

from trio_chat.core.commands import Say
from trio_chat.protocols.session import Says


def test_a_run_of_messages_goes_to_one_room() -> None:
    assert Says(Say("#a", "1"), [Say("#a", "2")]).messages == [Say("#a", "1"), Say("#a", "2")]
    with pytest.raises(ValueError, match="one room"):
        Says(Say("#a", "1"), [Say("#b", "2")])
