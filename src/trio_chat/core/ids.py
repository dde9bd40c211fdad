"""Ids of entries of the log; ``storage/ids.py`` makes them."""

import re

_ID = re.compile("[0-9]{13}-[0-9]{6}")


def is_id(text: str) -> bool:
    """Whether this could be the id of an entry."""
    return _ID.fullmatch(text) is not None
