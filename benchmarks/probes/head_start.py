"""Probe ``head_start``: what the children get done while the caller does something else before the
join.
"""

from __future__ import annotations

from benchmarks.clock import perf_counter
from benchmarks.probe import FanOut, Measurement, Metric, Probe

METRIC = Metric("makespan")


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` fan-outs, each from before its first coroutine is made until the results are
    in hand, the pause between included.

    Observed when the pause ends: the share of the children that had started by then, and of those
    that had finished. Without a pause they are observed where it would be: nothing has started
    there but what starts as it is created, which eager tasks do. It costs the awaiting of one more
    coroutine, which does not suspend, and a coroutine around each child; the same for every
    strategy.
    """
    work, pause, tasks = fan_out.work, fan_out.pause, fan_out.tasks
    started = finished = started_before_join = finished_before_join = 0

    async def counted(index: int) -> int:
        nonlocal started, finished
        started += 1
        result = await work(index)
        finished += 1
        return result

    async def observed_pause() -> None:
        nonlocal started_before_join, finished_before_join
        if pause is not None:
            await pause()
        started_before_join += started
        finished_before_join += finished

    results: list[int] = []
    seconds = 0.0
    for _ in range(loops):
        started = finished = 0
        launched = perf_counter()
        results = await fan_out.launch(counted, tasks, observed_pause)
        seconds += perf_counter() - launched
    return Measurement(
        seconds,
        {METRIC.name: seconds / loops},
        results,
        {
            "share_before_join": finished_before_join / (tasks * loops),
            "started_before_join": started_before_join / (tasks * loops),
        },
    )


PROBE = Probe(
    "head_start",
    "creation to results when the caller awaits something else before it joins",
    (METRIC,),
    METRIC.name,
    measure,
    pauses=True,
)


if __name__ == "__main__":
    from benchmarks.script import main

    main(PROBE)
