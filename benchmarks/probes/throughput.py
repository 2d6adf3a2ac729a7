"""Probe ``throughput``: seconds for the whole fan-out, from the first coroutine made to the results
in hand.
"""

from __future__ import annotations

from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe

METRIC = Metric("total")


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` fan-outs as one."""
    launch, work, tasks, pause = fan_out.launch, fan_out.work, fan_out.tasks, fan_out.pause
    results: list[int] = []
    started = perf_counter()
    for _ in range(loops):
        results = await launch(work, tasks, pause)
    seconds = perf_counter() - started
    return Measurement(seconds, {METRIC.name: seconds / loops}, results)


PROBE = Probe("throughput", "seconds for the whole fan-out", (METRIC,), METRIC.name, measure)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
