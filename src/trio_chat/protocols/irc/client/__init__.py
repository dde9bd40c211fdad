"""The client's end of IRC; ``session`` has all of it."""
