"""Figures in the text format of Prometheus (version 0.0.4), which all tools of that kind read.

https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md: of each
figure a line says what it is, one names its kind, and there is a line for each sample. A library
for that brings threads, a server and registries, and costs more to load than all of this.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: The type of a response with figures.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Kind(StrEnum):
    """A kind of figure: one that only rises, one that goes up and down, or a spread of values."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Figure:
    """What a figure is. If it has a ``label``, there is a value for each value of that."""

    kind: Kind
    help: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many values are up to each of the bounds, but not up to the one before, and at last
    beyond all; and the sum of the values.
    """

    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float


Value = float | Mapping[str, float] | Spread


def render(figures: Mapping[str, Figure], values: Mapping[str, Value]) -> bytes:
    """The values of figures, by name, as a text. Figures without a value are left out."""
    lines = (
        line
        for name, figure in figures.items()
        if name in values
        for line in _lines(name, figure, values[name])
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(name: str, figure: Figure, value: Value) -> Iterator[str]:
    yield f"# HELP {name} {figure.help}"
    yield f"# TYPE {name} {figure.kind}"
    match value:
        case Spread():
            yield from _spread(name, value)
        case Mapping():
            for of, one in value.items():
                yield f'{name}{{{figure.label}="{of.translate(_ESCAPED)}"}} {one}'
        case _:
            yield f"{name} {value}"


def _spread(name: str, spread: Spread) -> Iterator[str]:
    """Buckets, of which each has all that the ones before have."""
    total = 0
    for bound, count in zip((*spread.bounds, "+Inf"), spread.counts, strict=True):
        total += count
        yield f'{name}_bucket{{le="{bound}"}} {total}'
    yield f"{name}_sum {spread.sum}"
    yield f"{name}_count {total}"
