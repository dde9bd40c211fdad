"""The shell on trio: it waits for sockets, and decides nothing that the core could decide."""
