"""Looking for words in what was said."""

from collections.abc import Iterator, Sequence

from trio_chat.client.model.lines import Line

# Lines that are looked through in one go: some milliseconds, so that no key waits for it.
_SLICE = 5000

_FOUND_MAX = 1000  # lines that a search gives


def search(words: str, lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines with all these words, in whichever case; nothing if there are no words.

    The newest of ``lines`` are looked through first. What is found comes in pieces, one for each
    part that has been looked through: the pieces newest first, the lines of a piece oldest first.
    """
    wanted = words.casefold().split()
    lines = lines[:]  # as they are now, whatever comes
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
