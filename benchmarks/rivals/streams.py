"""A chat on asyncio streams, a task per connection; with ``--uvloop`` on uvloop's event loop.

As in most examples nobody waits for anybody's buffer to empty, so a slow reader costs memory.
"""

import asyncio
import sys

_writers: set[asyncio.StreamWriter] = set()


async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        nick = (await reader.readline()).rstrip(b"\n")
        writer.write(b"Connected to server!\n")
        _writers.add(writer)
        while line := await reader.readline():
            broadcast(nick + b": " + line)
    except ConnectionError:
        pass
    finally:
        _writers.discard(writer)
        writer.close()


def broadcast(message: bytes) -> None:
    for writer in _writers:
        writer.write(message)


async def main() -> None:
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if "--uvloop" in sys.argv:
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
