"""A search for words in what was said."""

from collections.abc import Iterator, Sequence

from trio_chat.client.model.lines import Line

# Lines searched at a time: some milliseconds, so that no key waits.
_SLICE = 5000

_FOUND_MAX = 1000  # lines


def search(words: str, lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Find the lines with all these words, in any case; none if there are no words.

    They come in pieces, one for each slice of ``lines``: the newest slice first, the lines of a
    piece oldest first.
    """
    wanted = words.casefold().split()
    lines = lines[:]  # a copy, for more may arrive meanwhile
    left = _FOUND_MAX if wanted else 0
    for end in range(len(lines), 0, -_SLICE):
        if not left:
            return
        part = lines[max(end - _SLICE, 0) : end]
        found = [line for line in part if _has(line, wanted)][-left:]
        left -= len(found)
        yield found


def _has(line: Line, words: Sequence[str]) -> bool:
    if line.kind not in ("said", "action", "notice"):
        return False
    text = f"{line.nick} {line.text}".casefold()
    return all(word in text for word in words)
