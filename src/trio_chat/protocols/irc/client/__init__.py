"""The client's end: in one room (``one``) or many (``rooms``), on the same link (``link``)."""
