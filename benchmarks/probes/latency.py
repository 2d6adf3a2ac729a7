"""Probe ``latency``: from launch until tasks take their first step and complete, within a batch."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe

METRICS = ("first_step", "p50", "p99", "max")


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` batches; every metric is its mean over the batches.

    ``first_step`` is the time until the first task runs; the others are taken over the tasks of a
    batch, from the launch of the batch to the completion of the task. The clock is read once or
    twice per task, which is the same for every strategy and part of the value.
    """
    launch, work, tasks, pause = fan_out.launch, fan_out.work, fan_out.tasks, fan_out.pause
    results: list[int] = []
    timed_seconds = 0.0
    sums = dict.fromkeys(METRICS, 0.0)
    for _ in range(loops):
        first_steps: list[float] = []
        completions = array("d", bytes(8 * tasks))

        async def timed(
            index: int, steps: list[float] = first_steps, ends: array[float] = completions
        ) -> int:
            if not steps:
                steps.append(perf_counter())
            result = await work(index)
            ends[index] = perf_counter()
            return result

        launched = perf_counter()
        results = await launch(timed, tasks, pause)
        timed_seconds += perf_counter() - launched

        ordered = sorted(completions)
        sums["first_step"] += first_steps[0] - launched
        sums["p50"] += quantile(ordered, 0.50) - launched
        sums["p99"] += quantile(ordered, 0.99) - launched
        sums["max"] += ordered[-1] - launched
    return Measurement(timed_seconds, {metric: sums[metric] / loops for metric in METRICS}, results)


def quantile(ordered: Sequence[float], share: float) -> float:
    """The nearest-rank quantile of an ascending sequence: the smallest value that ``share`` of them
    do not exceed.
    """
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


PROBE = Probe(
    "latency",
    "from launch to first step and to completion",
    tuple(map(Metric, METRICS)),
    "p99",
    measure,
)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
