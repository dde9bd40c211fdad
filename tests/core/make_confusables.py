"""Make src/trio_chat/core/confusables.txt from Unicode's: run it with the path of
https://www.unicode.org/Public/security/latest/confusables.txt, and write its output there.
"""

import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from trio_chat.core.names import fold

# What a nickname may consist of, beside letters, digits and accents.
EXTRA = "-_[]\\`^{|}"
CATEGORIES = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Nd"}

HEADER = """\
# Which characters look like which: Unicode {version}, as far as nicknames have it.
#
# Made by tests/core/make_confusables.py of confusables.txt of Unicode Technical Standard #39, which
# is © {year} Unicode, Inc., under the Unicode License v3 (https://www.unicode.org/license.txt).
# Characters that have the same fold are left out.
#
# Prototype: the characters that look like it, as code points.
"""


def read(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line[:1] not in ("", "#", "\ufeff"):
            source, target = line.split(";")[:2]
            yield chr(int(source, 16)), "".join(chr(int(code, 16)) for code in target.split())


def is_needed(source: str, target: str) -> bool:
    possible = source in EXTRA or unicodedata.category(source) in CATEGORIES
    return possible and fold(source) != fold(target) and not any(c.isspace() for c in target)


def main() -> None:
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    version = next(line for line in lines if "Version:" in line).split()[-1]
    year = next(line for line in lines if "Date:" in line).split()[2][:4]
    found: dict[str, str] = {}
    for source, target in read(lines):
        if is_needed(source, target):
            found[target] = found.get(target, "") + source
    sys.stdout.write(HEADER.format(version=version, year=year))
    for target, sources in sorted(found.items()):
        print(f"{codes(target)}: {codes(''.join(sorted(sources)))}")


def codes(text: str) -> str:
    return " ".join(f"{ord(char):04X}" for char in text)


if __name__ == "__main__":
    main()
