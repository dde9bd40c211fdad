"""The page says what the terminal client says."""

import re

from trio_chat.client.model.typed import all_commands
from trio_chat.protocols.web.files import FOLDER

ROW = re.compile(r'^    (\w+): \{ args: "(.*?)", does: "(.*?)", needed: (\d)', re.MULTILINE)


def test_commands_are_the_same() -> None:
    ours = {name: (row.arguments, row.does, row.needed) for name, row in all_commands().items()}
    found = ROW.findall((FOLDER / "commands.js").read_text())
    assert {name: (args, does, int(needed)) for name, args, does, needed in found} == ours
