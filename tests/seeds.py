"""Seeds of random numbers: a few for every run, and more where tests may take long."""

from typing import Any

import pytest


def seeds(*, always: int, of: int) -> list[Any]:
    """The parameters ``0`` to ``of - 1``; those from ``always`` on are slow."""
    return [
        pytest.param(seed, marks=[pytest.mark.slow] if seed >= always else []) for seed in range(of)
    ]
