"""What a word may become that has been begun: nicknames, rooms, commands, emoji."""


class Candidate(str):
    """What to put in the place of the word; ``note`` is what to show beside it."""

    __slots__ = ("note",)
    note: str

    def __new__(cls, text: str, note: str = "") -> "Candidate":
        self = super().__new__(cls, text)
        self.note = note
        return self
