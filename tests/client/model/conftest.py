"""Somebody at a desk."""

import pytest

from desk import Desk
from trio_chat.client.model import Model
from trio_chat.protocols.client import InRoom, Linked, Member, Roster


@pytest.fixture
def desk() -> Desk:
    """We are ``me`` in #lobby, with alice, who leads it, and bob; and look at the server's
    buffer.
    """
    desk = Desk(Model("me"))
    members = (Member("alice", "@"), Member("bob"), Member("me"))
    desk.hear(Linked("me", "net", frozenset()), InRoom("#lobby"), Roster("#lobby", members))
    desk.go("net")
    return desk
