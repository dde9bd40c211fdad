"""Measures trio-chat beside its peers: ``python -m benchmarks``. docs/benchmarks.md tells how."""
