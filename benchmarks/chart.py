"""A bar chart as SVG: text and rectangles, readable on light and on dark ground."""

from collections.abc import Iterator, Mapping
from html import escape

from benchmarks.results import OURS, Results

_PANELS = {
    "idle": "An idle room: one message outstanding",
    "loaded": "A busy room: 64 outstanding, one sender",
    "senders": "A busy room: 64 outstanding, 64 senders",
}
_WIDTH, _LABELS, _FIGURES = 760, 110, 110  # pixels: of all, and beside the bars
_BAR, _STEP, _HEAD, _GAP = 16, 22, 30, 18  # pixels

# Colours from the middle of the scale contrast with white and with black. The text follows the
# reader's preference, where the picture is shown by itself.
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #6e7781; }
.head { font-weight: 600; }
.bar { fill: #8c959f; }
.ours { fill: #2da44e; }
@media (prefers-color-scheme: dark) { text { fill: #9ea7b3; } }
"""


def chart(results: Results) -> str:
    """Deliveries per CPU second of the server, a panel for each way of loading it."""
    body: list[str] = []
    top = 0
    for scenario, title in _PANELS.items():
        if rates := _rates(results, scenario):
            body += _panel(title, rates, top)
            top += _HEAD + _STEP * len(rates) + _GAP
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" '
        f'width="{_WIDTH}" height="{top}" role="img" '
        'aria-label="Deliveries per CPU second of the server">\n'
        f"<style>{_STYLE}</style>\n" + "\n".join(body) + "\n</svg>\n"
    )


def _rates(results: Results, scenario: str) -> Mapping[str, float]:
    """The best first."""
    rows = results.get(scenario, {}).items()
    rates = {name: row["median"]["per_cpu_second"] for name, row in rows if "median" in row}
    return dict(sorted(rates.items(), key=lambda rate: -rate[1]))


def _panel(title: str, rates: Mapping[str, float], top: int) -> Iterator[str]:
    title = f"{title} (deliveries per CPU second, more is better)"
    yield f'<text class="head" x="4" y="{top + 18}">{escape(title)}</text>'
    room, most = _WIDTH - _LABELS - _FIGURES, max(rates.values())
    for index, (name, rate) in enumerate(rates.items()):
        y = top + _HEAD + index * _STEP
        width = max(1.0, room * rate / most)
        kind = "bar ours" if name == OURS else "bar"
        yield (
            f'<text x="{_LABELS - 8}" y="{y + 13}" text-anchor="end">{escape(name)}</text>'
            f'<rect class="{kind}" x="{_LABELS}" y="{y}" width="{width:.1f}" height="{_BAR}" '
            f'rx="2"/><text x="{_LABELS + width + 6:.1f}" y="{y + 13}">{rate:,.0f}</text>'
        )
