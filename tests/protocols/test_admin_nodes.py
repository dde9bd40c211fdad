"""What an operator is told of the nodes of a chat."""

import pytest

from trio_chat.core.views import Nodes, NodeView
from trio_chat.protocols.admin_objects import objects

NODE = NodeView("1f2e", "a", since=0, heard=8000, people=2, connections=3, is_this=True)


@pytest.mark.parametrize(
    ("behind", "said"),
    [
        (7, "The engine that they share answers. This server is 7 events behind it."),
        (None, "The engine that they share does not answer. This is how it was before."),
    ],
)
def test_nodes_and_their_engine(behind: int | None, said: str) -> None:
    is_up = behind is not None
    node, engine = objects(Nodes(10_000, (NODE,), is_up, behind))
    assert node["text"] == (
        "a (1f2e, the one that you ask): 2 here, 3 connections; "
        "since 1970-01-01 00:00:00 UTC, heard of 2 s ago"
    )
    assert engine == {"type": "engine", "text": said, "up": is_up, "behind": behind}
