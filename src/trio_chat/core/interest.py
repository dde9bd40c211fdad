"""Who wants to be told of which names. No event tells of that, for it concerns nobody else."""

from collections.abc import Iterable


class Interest(dict[str, dict[str, None]]):
    """By name, the ids of those who are interested in it."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[str, set[str]] = {}  # by id

    def add(self, user_id: str, names: Iterable[str]) -> None:
        """Tell somebody of these names from now on."""
        for name in names:
            self.setdefault(name, {})[user_id] = None
            self._names.setdefault(user_id, set()).add(name)

    def remove(self, user_id: str, names: Iterable[str]) -> None:
        """Stop telling somebody of these names."""
        for name in names:
            interested = self.get(name, {})
            interested.pop(user_id, None)
            if not interested:
                self.pop(name, None)
            self._names.get(user_id, set()).discard(name)

    def forget(self, user_id: str) -> None:
        """Stop telling somebody of anything."""
        self.remove(user_id, tuple(self._names.get(user_id, ())))
        self._names.pop(user_id, None)
