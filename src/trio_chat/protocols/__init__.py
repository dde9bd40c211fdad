"""Bytes to commands and events, and back. Sans-IO: nothing in here waits."""
