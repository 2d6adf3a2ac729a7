"""The probes: one row each, every probe in its own module."""

from __future__ import annotations

from benchmarks import cancel, failure, head_start, latency, memory, stall, throughput
from benchmarks.probe import Probe

PROBES: dict[str, Probe] = {
    module.PROBE.name: module.PROBE
    for module in (throughput, latency, head_start, stall, failure, cancel, memory)
}
