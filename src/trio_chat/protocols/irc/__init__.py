"""IRC version 3: modern.ircdocs.horse and ircv3.net, both ends."""
