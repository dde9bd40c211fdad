"""Accounts for tests of servers that are processes."""

import trio

PASSWORD = "correct-horse"


async def register(port: int, *nicks: str) -> None:
    """Register these nicknames, each with the same password, at a server on this machine. Nobody
    is to be in the lobby again, where they register.
    """
    for nick in nicks:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(f"{nick}\n/register {PASSWORD}\n/set rooms off\n/quit\n".encode())
            answers = b"".join([data async for data in stream])
            assert b"Your nickname is yours now." in answers
