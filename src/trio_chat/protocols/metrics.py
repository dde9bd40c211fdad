"""Metrics in the text format of Prometheus (version 0.0.4), which all tools of that kind read.

https://github.com/prometheus/docs/blob/main/docs/instrumenting/exposition_formats.md: for each
metric one line says what it is, one names its kind, and there is a line for each sample. A library
for that brings threads, a server and registries, and costs more to load than all of this.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

#: The type of a response with metrics.
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


class Kind(StrEnum):
    """A kind of metric: one that only rises, one that goes up and down, or a spread of values."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric is. If it has a ``label``, there is a value for each value of that."""

    kind: Kind
    help: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Buckets:
    """How many values are up to each of the bounds, but above the one before; last, how many are
    above all bounds; and the sum of the values.
    """

    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float


Value = float | Mapping[str, float] | Buckets


def render(metrics: Mapping[str, Metric], values: Mapping[str, Value]) -> bytes:
    """The values of metrics, by name, as a text. Metrics without a value are left out."""
    lines = (
        line
        for name, metric in metrics.items()
        if name in values
        for line in _lines(name, metric, values[name])
    )
    return "".join(f"{line}\n" for line in lines).encode()


def _lines(name: str, metric: Metric, value: Value) -> Iterator[str]:
    yield f"# HELP {name} {metric.help}"
    yield f"# TYPE {name} {metric.kind}"
    match value:
        case Buckets():
            yield from _buckets(name, value)
        case Mapping():
            for of, one in value.items():
                yield f'{name}{{{metric.label}="{of.translate(_ESCAPED)}"}} {one}'
        case _:
            yield f"{name} {value}"


def _buckets(name: str, buckets: Buckets) -> Iterator[str]:
    """The lines of a histogram: there each bucket also counts what is in those before."""
    total = 0
    for bound, count in zip((*buckets.bounds, "+Inf"), buckets.counts, strict=True):
        total += count
        yield f'{name}_bucket{{le="{bound}"}} {total}'
    yield f"{name}_sum {buckets.sum}"
    yield f"{name}_count {total}"
