"""IRC version 3 (modern.ircdocs.horse, ircv3.net): the server's end; ``client`` is the other."""
