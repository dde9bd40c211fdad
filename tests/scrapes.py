"""What a scrape of /metrics tells, read by Prometheus' own library, for tests."""

from collections.abc import Mapping
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from http_peers import get

Samples = Mapping[str, float]


def samples_of(text: str) -> Samples:
    """The values of a text, by the names and labels of its samples as they stand there."""
    return {
        _name(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _name(name: str, labels: Mapping[str, str]) -> str:
    written = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return f"{name}{{{written}}}" if labels else name


async def scrape(place: Path | int) -> Samples:
    """The values at an address."""
    status, text = await get(place, "/metrics")
    assert status == 200
    return samples_of(text)
