"""Small chat servers to compare with, each the way people write them, all in one room.

Each listens on 127.0.0.1, on a port that the kernel chooses and that it prints.
"""
