"""Probe ``latency``: from launch until tasks take their first step and complete, within a batch."""

from __future__ import annotations

import math
import operator
import time
from array import array
from collections.abc import Sequence

from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Probe

FIRST_STEP = Metric(
    "first_step",
    label="first step",
    meaning="from the launch until the first task takes its first step",
)
MEDIAN = Metric(
    "p50", label="median", meaning="from the launch until half of the tasks have completed"
)
P99 = Metric(
    "p99", label="99th percentile", meaning="from the launch until 99 in 100 tasks have completed"
)
SLOWEST = Metric(
    "max", label="slowest task", meaning="from the launch until every task has completed"
)
ITEM_MEDIAN = Metric(
    "item_p50",
    label="one call, median",
    meaning="of one call from its own start; the wait for its turn is not in it",
    of_one=True,
)
ITEM_P99 = Metric(
    "item_p99",
    label="one call, 99th percentile",
    meaning="the time from its own start that 99 in 100 calls do not exceed",
    of_one=True,
)
TICK_SECONDS = time.get_clock_info("perf_counter").resolution
"""What a task takes that ends in the same tick of the clock."""
METRICS = (FIRST_STEP, MEDIAN, P99, SLOWEST, ITEM_MEDIAN, ITEM_P99)


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` batches; every metric is its mean over the batches. The clock is read twice
    per task, which is the same for every strategy and part of the value.
    """
    launch, work, tasks, pause = fan_out.launch, fan_out.work, fan_out.tasks, fan_out.pause
    results: list[int] = []
    timed_seconds = 0.0
    sums = {metric.name: 0.0 for metric in METRICS}
    for _ in range(loops):
        first_steps = array("d", bytes(8 * tasks))
        completions = array("d", bytes(8 * tasks))

        async def timed(
            index: int, steps: array[float] = first_steps, ends: array[float] = completions
        ) -> int:
            steps[index] = perf_counter()
            result = await work(index)
            ends[index] = perf_counter()
            return result

        launched = perf_counter()
        results = await launch(timed, tasks, pause)
        timed_seconds += perf_counter() - launched

        ordered = sorted(completions)
        of_items = sorted(map(operator.sub, completions, first_steps))
        sums[FIRST_STEP.name] += min(first_steps) - launched
        sums[MEDIAN.name] += quantile(ordered, 0.50) - launched
        sums[P99.name] += quantile(ordered, 0.99) - launched
        sums[SLOWEST.name] += ordered[-1] - launched
        sums[ITEM_MEDIAN.name] += max(quantile(of_items, 0.50), TICK_SECONDS)
        sums[ITEM_P99.name] += max(quantile(of_items, 0.99), TICK_SECONDS)
    return Measurement(
        timed_seconds, {metric: seconds / loops for metric, seconds in sums.items()}, results
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of an ascending sequence: the smallest value that ``share`` of them
    do not exceed.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


PROBE = Probe(
    "latency",
    label="latency",
    meaning="from the launch to each task's completion",
    section="When tasks start and complete",
    introduction=(
        "Two fan-outs that take equally long can have their first results at different times. "
        "All times count from the launch."
    ),
    metrics=METRICS,
    headline_metric=P99.name,
    measure=measure,
    order=2,
)
