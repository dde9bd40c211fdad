"""Prints the lowest versions of what trio-chat needs, as pyproject.toml has them, for pip; or of
what one of its extras does, if that is named.
"""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
for requirement in extras[sys.argv[1]] if sys.argv[1:] else project["dependencies"]:
    name, lowest = re.fullmatch(r"([\w.-]+)>=([\d.]+)(?:,<[\d.]+)?", requirement).groups()
    print(f"{name}=={lowest}")
