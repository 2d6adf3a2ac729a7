"""Probe ``throughput``: seconds for the whole fan-out, from the first coroutine made to the results
in hand.
"""

from __future__ import annotations

from benchmarks.clock import perf_counter
from benchmarks.probe import Measurement, Probe
from benchmarks.strategies import Launch, Work


async def measure(launch: Launch, work: Work, tasks: int, loops: int) -> Measurement:
    """Time ``loops`` fan-outs as one."""
    results: list[int] = []
    started = perf_counter()
    for _ in range(loops):
        results = await launch(work, tasks)
    seconds = perf_counter() - started
    return Measurement(seconds, {"total": seconds / loops}, results)


PROBE = Probe("throughput", "seconds for the whole fan-out", ("total",), "total", measure)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
