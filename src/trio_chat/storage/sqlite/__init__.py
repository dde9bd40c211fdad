"""The log in a SQLite file: what anybody has been shown is on the disk.

The journal is a WAL with ``synchronous=FULL``, so it survives a power cut. That is affordable
because one transaction is shared by all that waits when it begins (``writer``). Words are indexed
after the commit, between two messages (``maintenance``).
"""
