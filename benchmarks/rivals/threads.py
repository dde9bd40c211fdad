"""A chat with a thread per connection, as tutorials begin: what one read gave is sent to all.

Unlike a tutorial's it sends whole lines only, and under a lock, so that all see the same order.
"""

import socket
import threading

READ = 1024  # bytes

_clients: list[socket.socket] = []
_lock = threading.Lock()


def broadcast(message: bytes) -> None:
    with _lock:
        for client in _clients:
            client.sendall(message)


def handle(client: socket.socket) -> None:
    nick = client.recv(READ).rstrip(b"\n")
    with _lock:
        client.sendall(b"Connected to server!\n")
        _clients.append(client)
    begun = b""
    try:
        while data := client.recv(READ):
            *lines, begun = (begun + data).split(b"\n")
            if lines:
                broadcast(b"".join([nick + b": " + line + b"\n" for line in lines]))
    except ConnectionError:
        pass
    finally:
        with _lock:
            _clients.remove(client)
        client.close()


def main() -> None:
    threading.stack_size(256 * 1024)  # thousands of threads
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
        print(listening.getsockname()[1], flush=True)
        while True:
            client, _ = listening.accept()
            threading.Thread(target=handle, args=(client,), daemon=True).start()


if __name__ == "__main__":
    main()
