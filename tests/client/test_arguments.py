"""What ``open_chat`` takes for its arguments."""

import pytest

import trio_chat
from trio_chat import Unsupported

NO_NICKS = ["", " ", "two words", "two\nlines", "a:b", ":a", "a,b", "a!b", "#a", "\x07", "x" * 201]
NO_ROOMS = ["", " ", "two words", "#a,#b", "#\x07", "#", "#a:b", "x" * 200]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("nick", nick) for nick in NO_NICKS),
        *(("rooms", ["#a", room]) for room in NO_ROOMS),
        *(("encoding", name) for name in ("nope", "utf-16", "", "base64")),
        *(("protocol", name) for name in ("xmpp", "", "IRC", None)),
        *(("port", port) for port in (0, -1, 65536, 99999, "6000", 1.5, True, None)),
        *(("host", host) for host in ("", "*", "unix:", "two words", "h:1", "[::1]", "irc://h")),
        *(("password", text) for text in ("two\nlines", " x", "x" * 201)),
    ],
)
def test_what_no_server_takes_is_a_value_error_at_once(name, value):
    """Before any I/O: there is no loop in which there could be some."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - of any text
        trio_chat.open_chat(**{"nick": "al", name: value})
    text = str(caught.value)
    assert "\n" not in text
    assert "--" not in text
    if name == "password":
        assert value not in text


@pytest.mark.parametrize(
    ("name", "value", "kind"),
    [
        *((name, 5, "int") for name in ("host", "nick", "rooms", "encoding", "password", "state")),
        *((name, None, "None") for name in ("host", "nick", "rooms", "encoding", "password")),
        ("rooms", "#lobby", "str"),
        ("nick", b"al", "bytes"),
        ("state", "yesterday", "str"),
    ],
)
def test_what_is_of_another_kind_is_a_type_error_at_once(name, value, kind):
    with pytest.raises(TypeError, match=f"^{name} is a .*, not {kind}$"):
        trio_chat.open_chat(**{"nick": "al", name: value})


def test_where_plain_is_spoken_two_rooms_are_a_value_error_at_once():
    with pytest.raises(ValueError, match="one room at a time, not in #a, #b"):
        trio_chat.open_chat(nick="al", protocol="plain", rooms=["a", "#b"])


@pytest.mark.parametrize("protocol", ["plain", "irc"])
async def test_there_may_be_no_room(port, protocol):
    async with trio_chat.open_chat(port=port, nick="al", protocol=protocol, rooms=[]) as al:
        if protocol == "plain":
            assert al.room == "#lobby"
        else:
            with pytest.raises(Unsupported, match="not in a room"):
                await al.say("hello")
