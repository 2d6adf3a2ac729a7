"""Probe ``throughput``: seconds for the whole fan-out, from before the first coroutine is made
until the caller has all results.
"""

from __future__ import annotations

from benchmarks.clock import perf_counter
from benchmarks.collecting import collector_seconds
from benchmarks.probing import FanOut, Measurement, Metric, Probe

TOTAL = Metric(
    "total",
    label="whole fan-out",
    meaning="from the launch until the caller has all results",
    per_task=True,
)


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` fan-outs as one."""
    launch, work, tasks, pause = fan_out.launch, fan_out.work, fan_out.tasks, fan_out.pause
    results: list[int] = []
    collected = collector_seconds()
    started = perf_counter()
    for _ in range(loops):
        results = await launch(work, tasks, pause)
    seconds = perf_counter() - started
    collected = collector_seconds() - collected
    return Measurement(seconds, {TOTAL.name: seconds / loops}, results, collector_seconds=collected)


PROBE = Probe(
    "throughput",
    label="throughput",
    meaning="seconds for the whole fan-out",
    section="What a fan-out costs",
    introduction=(
        "From the launch until the caller has all results: the time of the whole fan-out, shown "
        "per task."
    ),
    metrics=(TOTAL,),
    headline_metric=TOTAL.name,
    measure=measure,
    splits=True,
    answers=True,
    order=1,
)
