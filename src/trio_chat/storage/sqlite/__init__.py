"""The log in a SQLite file: what anybody has seen is on the disk."""
