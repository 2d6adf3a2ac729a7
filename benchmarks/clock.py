"""The clock of every timed loop."""

from __future__ import annotations

# pyperf.perf_counter is this very function (a test compares them). Importing pyperf itself would
# put thousands of objects into each measured process, for every full collection to visit.
from time import perf_counter

__all__ = ["perf_counter"]
