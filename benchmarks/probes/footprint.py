"""Probe ``footprint``: by how much a whole fan-out makes the process grow, from the launch until
the caller has all results.
"""

from __future__ import annotations

import gc

from benchmarks.clock import perf_counter
from benchmarks.probes.memory import WARM_UP_TASKS, NotMeasurableError
from benchmarks.probing import FanOut, Measurement, Metric, Probe
from benchmarks.sizes import forget_peak, peak_bytes, resident_bytes

PEAK = Metric(
    "peak",
    label="peak",
    meaning="largest growth of the process from the launch until the caller has all results",
    unit="byte",
    per_task=True,
)
LEAST_BYTES = 4096.0
"""A page: a fan-out that finds room in memory that the process has takes less than can be seen."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Read the peak of the resident size after one fan-out, less the size before it: bytes of the
    whole fan-out, its results included. A growth below :data:`LEAST_BYTES` counts as that.

    Memory that the process had before is used again: measure in a fresh process, once, so ``loops``
    has to be 1. Raises NotMeasurableError when it is not, or the system does not tell the size.
    """
    if loops != 1:
        raise NotMeasurableError(f"a process shows the growth of one fan-out, not of {loops}")
    launch, work = fan_out.launch, fan_out.work
    await launch(work, min(fan_out.tasks, WARM_UP_TASKS), None)
    gc.collect()
    forget_peak()
    before = resident_bytes()
    started = perf_counter()
    results = await launch(work, fan_out.tasks, None)
    seconds = perf_counter() - started
    if not before:
        raise NotMeasurableError("the system does not tell the size of a process")
    return Measurement(seconds, {PEAK.name: max(LEAST_BYTES, peak_bytes() - before)}, results)


PROBE = Probe(
    "footprint",
    label="footprint",
    meaning="growth of the process by a whole fan-out",
    section="Memory of a whole fan-out",
    introduction=(
        "What the process needs more at most, from the launch until the caller has all results: "
        "tasks, coroutines, and the list of results. A limit of active children saves it only "
        "where the others have not been made yet."
    ),
    metrics=(PEAK,),
    headline_metric=PEAK.name,
    measure=measure,
    fresh_process=True,
    order=8,
)
