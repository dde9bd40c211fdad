"""Links between the pages of the documentation."""

import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PAGES = [*TOP.glob("*.md"), *TOP.glob("docs/*.md")]


def anchors(page: Path) -> set[str]:
    """What GitHub makes of its headings."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_pages_and_headings_that_there_are(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    for place, _, anchor in (link.partition("#") for link in links if "://" not in link):
        to = page.parent / place if place else page
        assert to.exists(), place
        assert not anchor or anchor in anchors(to), f"{place}#{anchor}"
