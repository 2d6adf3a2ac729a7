"""Probe ``memory``: by how much n waiting children make the process grow."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from benchmarks.children import until_all_run
from benchmarks.clock import perf_counter
from benchmarks.probing import FanOut, Measurement, Metric, Probe
from benchmarks.sizes import peak_bytes, resident_bytes
from benchmarks.strategies import Work
from benchmarks.workloads import PENDING

STEADY = Metric(
    "steady",
    label="steady",
    meaning="growth of the process when all n children wait",
    unit="byte",
    per_task=True,
)
PEAK = Metric(
    "peak",
    label="peak",
    meaning="largest growth of the process until no child is left",
    unit="byte",
    per_task=True,
)
WARM_UP_TASKS = 10
"""Of a first fan-out, which fills caches and imports modules. Their memory is used again: 1 % of
what a thousand tasks need."""


class NotMeasurableError(Exception):
    """What a process takes for these children cannot be measured."""


async def measure(fan_out: FanOut, loops: int) -> Measurement:
    """Read the resident size around one fan-out: bytes of all children together, from before the
    launch. Children are measured bare and end by cancellation, which needs memory of its own; the
    timed seconds, no value here, run from the launch until all wait.

    Memory that the process had before is used again: measure in a fresh process, once, so ``loops``
    has to be 1.

    Raises NotMeasurableError when the process did not grow or the system does not tell its size,
    NotAllRunningError when the children do not all wait at the same time.
    """
    tasks = fan_out.tasks
    if loops != 1:
        raise NotMeasurableError(f"a process shows the memory of one fan-out, not of {loops}")
    await _take(fan_out, min(tasks, WARM_UP_TASKS))
    sizes = await _take(fan_out, tasks)
    if sizes.waiting <= sizes.before:
        raise NotMeasurableError(
            "the system does not tell the size of a process"
            if not sizes.before
            else f"the process did not grow with {tasks} tasks: take more, in a fresh process"
        )
    steady = sizes.waiting - sizes.before
    # A peak that has not moved is from before the launch: then ``steady`` is the largest known.
    peak = sizes.peak - sizes.before if sizes.peak > sizes.peak_before else steady
    return Measurement(
        sizes.launch_seconds,
        {STEADY.name: float(steady), PEAK.name: float(max(steady, peak))},
        sizes.indexes,
    )


@dataclass(frozen=True)
class Sizes:
    """Resident sizes around one fan-out, in bytes: before the launch, when all its children wait,
    and the process's peak before and after. ``indexes`` of the children that were made.
    """

    before: int
    waiting: int
    peak_before: int
    peak: int
    launch_seconds: float
    indexes: list[int]


async def _take(fan_out: FanOut, tasks: int) -> Sizes:
    """Launch, wait until all wait, cancel. Leaves no task on the loop."""
    children = Kept(fan_out.work, tasks)
    others = asyncio.all_tasks()
    gc.collect()
    before, peak_before = resident_bytes(), peak_bytes()
    launched = perf_counter()
    caller = asyncio.create_task(fan_out.launch(children.make, tasks, fan_out.pause))
    try:
        await until_all_run(children.waiting, tasks, caller)
        launch_seconds = perf_counter() - launched
        waiting = resident_bytes()
    finally:
        children.release()
        caller.cancel()
        await asyncio.wait([caller])
        if left := asyncio.all_tasks() - others:
            for task in left:
                task.cancel()
            await asyncio.wait(left)
    return Sizes(before, waiting, peak_before, peak_bytes(), launch_seconds, children.indexes())


class Kept:
    """Makes coroutines and keeps them, to see which of them wait, in memory allocated before the
    launch.
    """

    def __init__(self, work: Work, tasks: int) -> None:
        self._work = work
        self._kept: list[Coroutine[Any, Any, int] | None] = [None] * tasks
        self._times_made = bytearray(tasks)

    def make(self, index: int) -> Coroutine[Any, Any, int]:
        """The coroutine of one child, nothing around it."""
        child = self._kept[index] = self._work(index)
        self._times_made[index] += 1
        return child

    def waiting(self) -> int:
        """How many of them have started and wait for something."""
        return sum(getattr(child, "cr_await", None) is not None for child in self._kept)

    def release(self) -> None:
        """Release the coroutines, not the list: what is measured later would use its memory."""
        for index in range(len(self._kept)):
            self._kept[index] = None

    def indexes(self) -> list[int]:
        """The index of every child that was made, as often as it was."""
        return [index for index, times in enumerate(self._times_made) for _ in range(times)]


PROBE = Probe(
    "memory",
    label="memory",
    meaning="growth of the process while all n children wait",
    section="Memory",
    introduction="What each task holds while it waits, without the process's own share.",
    metrics=(STEADY, PEAK),
    headline_metric=STEADY.name,
    measure=measure,
    own_workload=PENDING,
    concurrent_only=True,
    fresh_process=True,
    bounded=False,
    order=7,
)
