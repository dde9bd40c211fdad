"""The plain dialect: lines that people can read and write, with netcat, telnet or the tutorial.

``wording`` is how things are said, in both directions; ``server`` and ``client`` are the two ends.
"""
