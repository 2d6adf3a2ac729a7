"""Probe ``head_start``: how much of the children's work is done while the caller does something
else before the join.
"""

from __future__ import annotations

from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Observed, Probe

MAKESPAN = Metric(
    "makespan",
    label="makespan",
    meaning="from the first creation until the caller has all results, the pause included",
)
FINISHED = Observed(
    "share_before_join",
    label="done before the join",
    meaning="share of the children that had completed when the pause ended",
)
STARTED = Observed(
    "started_before_join",
    label="started before the join",
    meaning="share of the children that had taken a step when the pause ended",
)


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Time ``loops`` fan-outs. Without a pause, children are observed where it would be: only eager
    tasks have started there. Observing costs the await of one more coroutine, which does not
    suspend, and a coroutine around each child; the same for every strategy.
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
    children = tasks * loops
    return Measurement(
        seconds,
        {MAKESPAN.name: seconds / loops},
        results,
        {
            FINISHED.name: finished_before_join / children,
            STARTED.name: started_before_join / children,
        },
    )


PROBE = Probe(
    "head_start",
    label="head start",
    meaning="the whole fan-out when the caller awaits something else before the join",
    section="A head start",
    introduction=(
        "The one reason to create tasks yourself: the caller has something else to await before "
        "it needs the results. Tasks start at its next suspension; bare coroutines start when "
        "they are gathered."
    ),
    metrics=(MAKESPAN,),
    headline_metric=MAKESPAN.name,
    measure=measure,
    observed=(FINISHED, STARTED),
    pauses=True,
    bounded=False,
    order=3,
)
